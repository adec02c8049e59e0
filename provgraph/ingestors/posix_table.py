"""The options of the POSIX utilities (XCU of POSIX.1-2017, with what GNU and BSD commonly add), and who runs whom.

An option string is getopt's: a letter, ``:`` behind it where an option-argument follows, ``::`` where one may be
attached.
"""

# fmt: off
UTILITIES: dict[str, str] = {
    "admin": "a:d:e:f:hi::m:nr:t::y::z", "alias": "p", "ar": "abCcdilmpqrstTuvx", "asa": "", "at": "cf:lmq:rt:",
    "awk": "F:f:v:", "basename": "as:z", "batch": "", "bc": "l", "bg": "", "c17": "cD:EgI:L:l:o:O::sU:",
    "c99": "cD:EgI:L:l:o:O::sU:", "cal": "", "cat": "AbEensTtuv", "cc": "cD:EgI:L:l:o:O::sU:W::f::m::",
    "cd": "LPe", "cflow": "rd:D:i:I:U:", "chgrp": "HLPRhcfv", "chmod": "Rcfv", "chown": "HLPRhcfv", "cksum": "a:bz",
    "cmp": "bi:ln:sv", "comm": "123iz", "command": "pvV", "compress": "b:cdfv", "cp": "abdfHilLnPprRsS:t:Tuvx",
    "crontab": "u:elr", "csplit": "b:f:kn:sz", "ctags": "af:x", "cut": "b:c:d:f:nsz", "cxref": "cD:I:so:U:w:",
    "date": "d:f:I::r:Rs:u", "dd": "", "delta": "g:m::nspr:y::", "df": "ahHiklPTtBx:",
    "diff": "abBcC:dD:eEF:I:ilnNpqrsS:tTuU:wW:x:X:yZ", "dirname": "z", "du": "0aB:bcd:DhHklLmsSt:xX:", "ed": "p:s",
    "env": "0C:iS:u:v", "ex": "c:rRst:vw:", "expand": "it:", "false": "", "fc": "e:lnrs", "fg": "",
    "file": "bcdhikLm:M:sz", "fold": "bsw:", "fort77": "cgL:O:o:sw", "fuser": "cfkmu", "gencat": "",
    "get": "bcegi:kl::mnpr:stx:", "getconf": "av:", "getopts": "",
    "grep": "A:aB:bC:cD:d:Ee:Ff:GHhIiLlm:noPqRrsUVvwxyZz", "hash": "rlp:dt", "head": "c:n:qvz", "iconv": "cf:lo:st:",
    "id": "agGnruzZ", "ipcrm": "M:m:Q:q:S:s:", "ipcs": "abcmopqst", "jobs": "lnprs", "join": "a:e:ij:o:t:v:1:2:z",
    "kill": "ln:s:L", "lex": "ntv", "link": "", "ln": "bdfFiLnPrsS:t:Tv", "locale": "ackm", "localedef": "cf:i:u:",
    "logger": "f:ip:st:", "logname": "", "lp": "cd:mn:o:st:w",
    "ls": "1aAbBcCdDfFgGhHiI:klLmnNopqQrRsStT:uUvw:xXZ", "m4": "D:I:PsU:", "mailx": "BdeEFHif:nNq:r:s:tu:",
    "make": "BbC:def:hI:ij::kl::nOo:pqrRSstvwW:", "man": "afkM:", "mesg": "ny", "mkdir": "m:pv", "mkfifo": "m:",
    "more": "ceinp:st:u", "msgfmt": "cD:o:Sv", "mv": "bfinS:t:Tuv", "newgrp": "l", "nice": "n:",
    "nl": "b:d:f:h:i:l:n:ps:v:w:", "nm": "AefgoPt:uvx", "nohup": "", "od": "A:abcdfij:lN:oS:st:vw::x", "paste": "d:sz",
    "patch": "bcd:D:eEfF:i:lNno:p:r:RstuvY:z:", "pathchk": "pP", "pax": "ab:cdf:HikLlno:p:rs:tuvwXx:",
    "pr": "acdD:e::Ffh:i::l:mN:n::o:prs::S::tTvw:W:", "prs": "aelc:d::r::",
    "ps": "aAdefFg:G:HjlLn:No:O:p:s:t:TuU:wxy", "pwd": "LP", "qalter": "a:A:c:e:h:j:k:l:m:M:N:o:p:r:S:u:", "qdel": "",
    "qhold": "h:", "qmove": "", "qmsg": "EO", "qrerun": "", "qrls": "h:", "qselect": "a:A:c:h:l:N:p:q:r:s:u:",
    "qsig": "s:", "qstat": "BfQ", "qsub": "a:A:c:C:e:hIj:k:l:m:M:N:o:p:q:r:S:u:v:VW:z", "read": "a:d:ei:n:N:p:rst:u:",
    "readlink": "efmnqsvz", "realpath": "eELmPqsz", "renice": "gn:pu", "rm": "dfiIrRv", "rmdel": "r:", "rmdir": "pv",
    "sact": "", "sccs": "d:p:r", "sed": "Ee:f:i::l:nrsuz", "sleep": "", "sort": "bcCdfghik:MmnN:o:rRsS:t:T:uVz",
    "split": "a:b:C:del:n:t:ux", "stat": "c:fLtxs", "strings": "ae:fn:os:t:T:w", "strip": "dgsxo:", "stty": "agF:",
    "tabs": "T:", "tail": "b:c:fFn:qrs:vz", "talk": "", "tee": "aip", "time": "af:o:pqv", "timeout": "fk:ps:v",
    "touch": "acd:fhmr:t:", "tput": "ST:", "tr": "Ccdst", "true": "", "tsort": "", "tty": "s", "type": "aftpP",
    "ulimit": "acdfHnSstv", "umask": "pS", "unalias": "a", "uname": "aimnoprsv", "uncompress": "cfv",
    "unexpand": "at:", "unget": "nr:s", "uniq": "cdDf:is:uw:z", "unlink": "", "uucp": "cCdfg:jmn:rs:x:",
    "uudecode": "o:",
    "uuencode": "m", "uustat": "k:qr:s:u:", "uux": "ajnp", "val": "m:r:sy:", "vi": "c:rRst:vw:", "wait": "fn",
    "wc": "cklLmw", "what": "s", "who": "abdHlmpqrsTtu", "write": "", "xargs": "0a:d:E:e::I:i::L:l::n:oP:prs:tx",
    "xgettext": "ad:jk::no:p:sx:", "yacc": "b:dlo:p:tv", "zcat": "f",
    # beside the standard, in daily use
    "tar": "AcdrtuxzjJaC:f:T:X:b:hkmOpPsSvwWZ", "gzip": "123456789acdfhklLnNqrS:tvV", "gunzip": "acfklLnNqrS:tv",
    "bzip2": "123456789cdfkqstvz", "xz": "0123456789cdefFhHklM:qQS:tT:vz", "zstd": "123456789b::cdfhklM:o:qrT:v",
    "unzip": "aCd:fjlLnopqtuvx:zZ", "zip": "0123456789Ab:cdDeFfgi:jJkln:moP:qrRSt:TuvVwx:Xyz", "shuf": "ei:n:o:rz",
    "seq": "f:s:w", "tac": "brs:", "rev": "", "sha256sum": "bctwz", "md5sum": "bctwz", "sha1sum": "bctwz",
    "install": "bcCdDg:m:o:pS:st:Tv", "jq": "acCef:hjL:MnrRsS",
    "rsync": "0468abBcCde:f:ghHIikKlLmM:nNoOpPqrRsStT:uUvVwWxXyz",
    "wget": "A:a:B:bcD:dEe:Fi:I:KkLl:mNnO:o:P:pqQ:R:rST:t:U:vw:X:x",
    "curl": "0123456789aA:b:Bc:C:d:D:e:E:fF:gGhH:iIjJkK:lLm:MnNo:OpP:qQ:r:RsST:t:u:U:vVw:x:X:y:Y:z:Z#",
}

# Words that begin with a minus sign are operands for these.
WITHOUT_OPTIONS = frozenset({"echo", "printf", "test", "[", "expr", "true", "false", ":"})

# Long options of the above whose argument may be the next word.
LONG_WITH_ARGUMENT: dict[str, frozenset[str]] = {
    "sort": frozenset({"key", "field-separator", "output", "buffer-size", "parallel", "temporary-directory"}),
    "grep": frozenset({"regexp", "file", "max-count", "context", "after-context", "before-context", "include"}),
    "cut": frozenset({"delimiter", "fields", "bytes", "characters", "output-delimiter"}),
    "head": frozenset({"lines", "bytes"}), "tail": frozenset({"lines", "bytes", "pid", "sleep-interval"}),
    "tar": frozenset({"file", "directory", "files-from", "exclude", "exclude-from", "transform"}),
    "cp": frozenset({"target-directory", "suffix"}), "mv": frozenset({"target-directory", "suffix"}),
    "split": frozenset({"lines", "bytes", "number", "suffix-length"}), "paste": frozenset({"delimiters"}),
    "sed": frozenset({"expression", "file"}), "date": frozenset({"date", "reference"}), "make": frozenset({"file",
    "directory"}), "xargs": frozenset({"arg-file", "delimiter", "max-args", "max-procs", "replace"}),
    "wget": frozenset({"output-document", "directory-prefix", "input-file", "header", "user-agent", "output-file",
                       "append-output", "tries", "timeout", "wait", "limit-rate", "level", "accept", "reject",
                       "domains", "user", "password", "method", "post-data", "post-file", "body-data", "body-file",
                       "referer", "save-cookies", "load-cookies", "hsts-file", "rejected-log", "execute", "base",
                       "cut-dirs", "quota", "ca-certificate", "certificate", "private-key", "include-directories",
                       "exclude-directories", "http-user", "http-password", "progress"}),
    "curl": frozenset({"output", "request", "header", "data", "data-ascii", "data-binary", "data-raw", "data-urlencode",
                       "form", "form-string", "user", "url", "cookie", "cookie-jar", "upload-file", "user-agent",
                       "referer", "retry", "retry-delay", "retry-max-time", "max-time", "connect-timeout", "config",
                       "continue-at", "output-dir", "dump-header", "stderr", "trace", "trace-ascii", "write-out",
                       "range", "time-cond", "limit-rate", "max-filesize", "max-redirs", "speed-limit", "speed-time",
                       "proxy", "proxy-user", "noproxy", "preproxy", "socks5", "socks5-hostname", "interface",
                       "resolve", "connect-to", "cacert", "capath", "cert", "cert-type", "key", "key-type", "pass",
                       "ciphers", "tls-max", "oauth2-bearer", "aws-sigv4", "json", "etag-save", "etag-compare",
                       "hsts", "alt-svc", "libcurl", "parallel-max", "unix-socket", "variable", "url-query",
                       "create-file-mode", "keepalive-time", "local-port", "netrc-file", "dns-servers", "rate"}),
    "rsync": frozenset({"exclude", "include", "files-from", "rsh"}), "jq": frozenset({"from-file", "indent"}),
}

# Utilities that run another command, and how many operands come before it.
WRAPPERS: dict[str, tuple[str, int]] = {
    "env": (UTILITIES["env"], 0), "nohup": ("", 0), "time": (UTILITIES["time"], 0), "nice": ("n:", 0),
    "timeout": (UTILITIES["timeout"], 1), "stdbuf": ("i:o:e:", 0), "setsid": ("cfw", 0), "ionice": ("c:n:p:t", 0),
    "command": ("p", 0), "exec": ("a:cl", 0), "builtin": ("", 0), "chrt": ("abdfiop:rT:P:D:", 1), "taskset": ("acp", 1),
    "numactl": ("C:N:i:m:l", 0), "caffeinate": ("dimst:uw:", 0), "sudo": ("AbC:D:Eeg:HhiKklnPp:R:r:SsT:t:U:u:Vv", 0),
    "doas": ("C:Lnsu:", 0), "setpriv": ("", 0), "chronic": ("ev", 0), "unbuffer": ("p", 0),
    "strace": ("fe:o:p:s:cyttTqv", 0),
    "ltrace": ("fe:o:p:s:cS", 0), "valgrind": ("qv", 0), "watch": ("bcd::egn:ptx", 0), "flock": ("E:Fenosuw:x", 1),
}
# The same where a subcommand says so: `uv run python …`.
RUNNERS = frozenset({("uv", "run"), ("poetry", "run"), ("pipenv", "run"), ("pdm", "run"), ("hatch", "run"),
                     ("rye", "run"), ("pixi", "run"), ("conda", "run"), ("mamba", "run"), ("micromamba", "run")})
RUNNER_OPTIONS = frozenset({"-n", "--name", "-p", "--prefix", "--with", "--python", "--project", "--extra", "--group",
                            "--cwd", "--env-file", "-e", "--environment"})

# Interpreters: their options, and which of these make the rest the program's own arguments.
INTERPRETERS: dict[str, tuple[str, str]] = {
    "python": ("bBc:dEhiIm:OPqRsSuvVW:xX:", "cm"), "pypy": ("bBc:dEhiIm:OPqRsSuvVW:xX:", "cm"),
    "perl": ("0::acC::dD::e:E:fF:hi::I:l::m:M:nPpsStTuUvVwWXx::", ""),
    "ruby": ("0::aC:cdE:e:F:hi::I:K:lnpr:sSTUvVwWxy", ""),
    "node": ("ce:hip:r:v", ""), "julia": ("C:E:e:g::H:hiJ:L:m:O::p:t:v", ""), "Rscript": ("e:", ""),
    "lua": ("e:il:vW", ""),
    "php": ("aB:c:d:E:e:F:f:hHiLlmnqR:r:sS:t:vwz:", ""), "sh": ("abCcefhilmno:uvx", ""),
    "bash": ("abCcefhilmno:O:uvxr", ""),
    "dash": ("abCcefhilmno:uvx", ""), "zsh": ("abCcefhilmno:uvx", ""), "ksh": ("abCcefhilmno:uvx", ""),
    "torchrun": ("m:", ""), "ipython": ("c:im:", "cm"), "spark-submit": ("", ""), "octave": ("fhip:qvVWx", ""),
    "deno": ("", ""), "streamlit": ("", ""), }
SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
# Start a program many times.
LAUNCHERS = {"mpirun": "c:n:H:x:", "mpiexec": "c:n:H:x:", "srun": "A:c:G:J:N:n:o:p:t:w:"}

# Long options that take no argument, for utilities that no table knows.
SWITCHES = frozenset({
    "all", "append", "check", "color", "cpu", "cuda", "debug", "dry-run", "eval", "evaluate", "follow", "force", "fp16",
    "bf16", "amp", "gpu", "help", "human-readable", "ignore-case", "interactive", "json", "list", "overwrite", "pretty",
    "pretrained", "progress", "quick", "quiet", "recursive", "resume", "reverse", "shuffle", "silent", "stdin",
    "strict",
    "test", "train", "trace", "verbose", "version", "wait", "yes",
})
# Single letters that usually take an argument there.
USUAL_WITH_ARGUMENT = frozenset("oOCfFdDIL")

# Primaries of find whose argument is the next word.
FIND_WITH_ARGUMENT = frozenset({
    "-name", "-iname", "-path", "-ipath", "-wholename", "-type", "-newer", "-mtime", "-atime", "-ctime", "-mmin",
    "-amin",
    "-cmin", "-size", "-perm", "-user", "-group", "-links", "-inum", "-maxdepth", "-mindepth", "-regex", "-iregex",
    "-regextype", "-printf", "-fprint", "-fstype", "-samefile", "-lname", "-uid", "-gid", "-D",
})
FIND_COMMANDS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
# fmt: on
