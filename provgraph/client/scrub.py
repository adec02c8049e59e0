"""Scrubbing: secrets are replaced in command lines, texts and environments before anything is written.

Three kinds of evidence, each a table: :data:`PATTERNS` knows secrets by their look, the names in :data:`TELLING` and
:data:`TELLING_KEYS` say that their value is one, :data:`SHORT_OPTIONS` lists utilities that take a password behind a
single letter. What merely resembles them stays: digests, paths, ``--max-tokens 512``, ``--tokenizer=bert``.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from provgraph.client.scrub_words import SCRUBBED


class Pattern(NamedTuple):
    """One kind of secret: the group ``secret`` of ``regex`` is replaced, all of the match where there is none."""

    name: str
    regex: str
    catches: str


# The names of headers and keys are tested with telling(), like those of options.
PATTERNS: tuple[Pattern, ...] = (
    Pattern("aws", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b", "identifiers of AWS access keys"),
    Pattern("github", r"\b(?:gh[opusr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})", "tokens of GitHub"),
    Pattern("gitlab", r"\bgl(?:pat|dt|rt|cbt|ptt|oas|soat|ft|imt|agent)-[\w-]{20,}", "tokens of GitLab"),
    Pattern("slack", r"\b(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,}", "tokens of Slack"),
    Pattern("slack-hook", r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[\w/]+)", "web hooks of Slack"),
    Pattern("sk", r"(?<![\w/.-])sk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}", "keys like those of OpenAI and Anthropic"),
    Pattern("huggingface", r"\bhf_[A-Za-z0-9]{30,}\b", "tokens of Hugging Face"),
    Pattern("replicate", r"\br8_[A-Za-z0-9]{37,}\b", "tokens of Replicate"),
    Pattern("npm", r"\bnpm_[A-Za-z0-9]{36}\b", "tokens of npm"),
    Pattern("pypi", r"\bpypi-[\w-]{50,}", "tokens of PyPI"),
    Pattern("google", r"\b(?:AIza[\w-]{35}|GOCSPX-[\w-]{28})", "keys of Google's services"),
    Pattern("stripe", r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}", "keys of Stripe"),
    Pattern("sendgrid", r"\bSG\.[\w-]{16,}\.[\w-]{16,}", "keys of SendGrid"),
    Pattern("telegram", r"\b\d{8,10}:AA[\w-]{33}\b", "tokens of Telegram's bots"),
    Pattern("databricks", r"\bdapi[0-9a-f]{32}\b", "tokens of Databricks"),
    Pattern("digitalocean", r"\bdo[op]_v1_[0-9a-f]{64}\b", "tokens of DigitalOcean"),
    Pattern("nvidia", r"\bnvapi-[\w-]{60,}", "keys of NVIDIA's services"),
    Pattern("docker", r"\bdckr_pat_[\w-]{20,}", "tokens of Docker Hub"),
    Pattern("jwt", r"(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*", "JSON Web Tokens"),
    Pattern(
        "pem",
        r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        "private keys in PEM, whole",
    ),
    Pattern("bearer", r"(?i)\bbearer\s+(?P<secret>[\w.~+/-]{8,}=*)", "bearer tokens"),
    Pattern(
        "authorization",
        r"(?i)\bauthorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token|digest|apikey)\s+)?(?P<secret>[^\s\"',;]+)",
        "the header Authorization",
    ),
    Pattern("cookie", r"(?i)\b(?:set-)?cookie\s*:\s*(?P<secret>[^\"'\r\n]+)", "the header Cookie"),
    Pattern(
        "url-password",
        r"(?<![\w+.-])[A-Za-z][\w+.-]*://[^\s/:@\"']*:(?P<secret>[^\s/@\"']+)@",
        "user:password@host in URLs",
    ),
    Pattern(
        "url-token",
        r"(?<![\w+.-])[A-Za-z][\w+.-]*://(?P<secret>(?=[^\s/:@]*\d)(?=[^\s/:@]*[A-Za-z])[^\s/:@\"']{20,})(?::x-oauth-basic)?@",
        "a token in the place of a URL's user",
    ),
)

# fmt: off
# A name that has one of these as a part says that its value is secret …
TELLING = frozenset({"password", "passwd", "passphrase", "passcode", "passwort", "secret", "secrets", "apikey",
                     "authtoken", "accesstoken", "privatekey", "secretkey", "accesskey", "authorization"})
# … or one of these as its last part (a number or a word that no secret is may follow) …
TELLING_LAST = frozenset({"token", "pass", "credential", "credentials", "bearer"})
# … or `key` behind one of these. Paths behind such keys stay.
TELLING_KEYS = frozenset({"api", "access", "secret", "private", "account", "auth", "encryption", "signing", "master",
                          "shared", "storage", "service", "subscription", "client", "license", "app", "deploy"})
# Behind these only values that look random are secrets.
MAYBE_LAST = frozenset({"key", "auth", "cookie", "session", "sessionid", "signature", "sig", "sas"})
# What a name speaks of when it ends so is not the secret itself (--password-file, access_token_ttl) …
HARMLESS_LAST = frozenset({"file", "filename", "path", "dir", "directory", "folder", "env", "var", "name", "names",
                           "id", "ids", "type", "length", "len", "count", "size", "limit", "budget", "url", "uri",
                           "stdin",
                           "prompt", "policy", "header", "ttl", "expiry", "timeout", "field", "column", "col", "index",
                           "cmd", "command", "helper", "store", "manager", "provider", "program", "dim", "embedding"})
# … nor when it begins so: switches.
HARMLESS_FIRST = frozenset({"use", "no", "with", "without", "enable", "disable", "allow", "require", "is", "has",
                            "show", "save", "ask", "prompt", "skip", "add", "num", "n", "max", "min"})
# The tokens of language models.
LANGUAGE_TOKENS = frozenset({"pad", "eos", "bos", "unk", "mask", "sep", "cls", "special", "stop", "start", "end",
                             "image", "next", "first", "last", "per", "new", "max", "min", "num", "by", "audio",
                             "video", "system", "user", "assistant", "trigger", "placeholder", "prefix", "suffix",
                             "newline"})
_ORDINARY = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null", "default", "auto"})

# Utility → {option: how its value is given}: "either" attached or as the next word, "attached" only attached, "user" =
# user:password, "percent" = user%password.
_MYSQL = {"-p": "attached", "--password": "attached"}
SHORT_OPTIONS: dict[str, dict[str, str]] = {
    "mysql": _MYSQL, "mysqldump": _MYSQL, "mysqladmin": _MYSQL, "mysqlimport": _MYSQL, "mariadb": _MYSQL,
    "mariadb-dump": _MYSQL, "sshpass": {"-p": "either"}, "curl": {"-u": "user", "-U": "user", "--user": "user",
    "--proxy-user": "user"}, "http": {"-a": "user", "--auth": "user"}, "https": {"-a": "user", "--auth": "user"},
    "xh": {"-a": "user", "--auth": "user"}, "redis-cli": {"-a": "either"}, "ldapsearch": {"-w": "either"},
    "ldapadd": {"-w": "either"}, "ldapmodify": {"-w": "either"}, "mongo": {"-p": "either"}, "mongosh": {"-p": "either"},
    "mongodump": {"-p": "either"}, "mongoimport": {"-p": "either"}, "mongoexport": {"-p": "either"},
    "mongorestore": {"-p": "either"}, "7z": {"-p": "attached"}, "7za": {"-p": "attached"}, "7zz": {"-p": "attached"},
    "zip": {"-P": "either"}, "unzip": {"-P": "either"}, "openssl": {"-k": "either", "-K": "either", "-passin": "either",
    "-passout": "either", "-pass": "either"}, "smbclient": {"-U": "percent", "--user": "percent"},
    "rpcclient": {"-U": "percent"}, "sqlcmd": {"-P": "either"}, "bcp": {"-P": "either"}, "isql": {"-P": "either"},
    "ssh-keygen": {"-N": "either", "-P": "either"}, "docker login": {"-p": "either"}, "podman login": {"-p": "either"},
    "nerdctl login": {"-p": "either"}, "oc login": {"-p": "either"}, "keytool": {"-storepass": "either",
    "-keypass": "either"},
}
# fmt: on

_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
# Each begins where a word begins: without that, a long word would be searched from each of its letters.
_ASSIGNMENT = re.compile(
    r"(?<![\w.-])(?P<name>-{0,2}[A-Za-z_][\w.-]*)(?P<sign>:?=)"
    rf"(?P<value>\"[^\"]*\"|'[^']*'|(?!\w{{1,2}}[\"']+{SCRUBBED})[^\s&;,\"']+)"
)
_WHOLE_ASSIGNMENT = re.compile(r"(?s)(?P<name>-{0,2}[A-Za-z_][\w.-]*)(?P<sign>:?=)(?P<value>.*)")
_HEADER = re.compile(r"(?P<name>(?<![\w-])[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+)(?P<sign>:[ \t]*)(?P<value>[^\s\"']+)")
_JSON_PAIR = re.compile(r"(?P<name>[\"'][\w.-]+[\"'])(?P<sign>\s*:\s*)(?P<value>\"[^\"]*\"|'[^']*')")
# How programs give a name a value: a literal between quotes on one line, or between three. A quote that ends a literal
# ("token = ", x) is none that begins one: a space follows, or a comma and a space.
_LITERAL = (
    r"[BbFfRrUu]{0,2})(?P<value>"
    r"\"\"\"(?:[^\"\\]|\\[\s\S]|\"{1,2}(?!\"))*\"\"\"|'''(?:[^'\\]|\\[\s\S]|'{1,2}(?!'))*'''"
    r"|\"(?!\s|[,)+%][\s).,;:\"'])[^\"\\\n]*(?:\\[\s\S][^\"\\\n]*)*\""
    r"|'(?!\s|[,)+%][\s).,;:\"'])[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*')"
)
_TYPE = r":[ \t]*[A-Za-z_][\w.]*(?:\[[\w., |]{0,60}\])?(?:[ \t]*\|[ \t]*\w+)?[ \t]*"
_GIVEN = re.compile(
    r"(?<![\w.-])(?P<name>-{0,2}[A-Za-z_][\w.-]*)"
    rf"(?P<sign>[ \t]*(?:(?:{_TYPE})?[:+]?=(?!=)|:)[ \t]*{_LITERAL}"
)
_ITEM = re.compile(rf"(?P<name>[\"'][\w.-]+[\"'])(?P<sign>\][ \t]*\+?=(?!=)[ \t]*{_LITERAL}")
_QUOTED = re.compile(r"(?s)[BbFfRrUu]{0,2}(\"\"\"|'''|[\"'])(?P<inner>.*)\1")
# What programs print, and YAML: here the value must look like a secret as well ("password: required" is harmless).
_SPACED = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z][\w-]*)(?P<sign>[ \t]*[:=][ \t]+)(?P<value>[^\s\"',;]+)")
_OPTION = re.compile(r"--?[A-Za-z][\w.-]+\Z")
_OPERAND_NAME = re.compile(r"[A-Za-z]\w*[_.][\w.]*\Z")
_PATH = re.compile(r"(?:~|\.{1,2})?/[^=+]*\Z")
_SHELL_WORD = re.compile(r"(?:[^\s\"'\\;|&()<>]|\\.|\"(?:[^\"\\]|\\.)*\"|'[^']*')+", re.DOTALL)
_TABLE = tuple(re.compile(pattern.regex) for pattern in PATTERNS)
_DIGEST_LENGTHS = (40, 64, 96, 128)


def telling(name: str) -> str:
    """How far a name says that its value is a secret: "yes", "maybe" (where the value looks random) or ""."""
    parts = [part.lower() for part in _NAME_PARTS.findall(name)]
    if not parts or parts[-1] in HARMLESS_LAST or parts[0] in HARMLESS_FIRST:
        return ""
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last == "token" and before in LANGUAGE_TOKENS:
        return ""
    if not TELLING.isdisjoint(parts) or last in TELLING_LAST or (last == "key" and before in TELLING_KEYS):
        return "yes"
    if last == "pwd" and before not in {"", "old"}:
        return "yes"
    return "maybe" if last in MAYBE_LAST else ""


def random_looking(value: str) -> bool:
    """Whether a value is long and irregular enough for a key: not a word, number, path or digest of a file."""
    if len(value) < 16 or _PATH.match(value) or not any(c.isdigit() for c in value):
        return False
    if not any(c.isalpha() for c in value):
        return False
    if len(value) in _DIGEST_LENGTHS and all(c in "0123456789abcdefABCDEF" for c in value):
        return False
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
    return entropy >= 3.0  # bits a character; random hexadecimal of 32 has 3.6, English words 2.5 to 3 at this length


def _value(name: str, value: str, strength: str) -> str:
    """``value`` as it may be written behind ``name``."""
    quoted = _QUOTED.fullmatch(value)
    start, end = quoted.span("inner") if quoted else (0, len(value))
    inner = value[start:end]
    if inner.lower() in _ORDINARY or inner.startswith(("$", "<", "{{")):
        return value  # nothing, a switch, or a reference to where the secret is
    last = name.strip("-\"'").lower()
    if strength == "yes" and last.endswith(("key", "credential", "credentials")) and _PATH.match(inner):
        return value
    if strength == "yes" and last.endswith(("token", "pass")) and _is_small_number(inner):
        return value
    if strength == "yes" or random_looking(inner):
        return value[:start] + SCRUBBED + value[end:]
    return value


def _is_small_number(text: str) -> bool:
    try:
        return abs(float(text)) < 1e6
    except ValueError:
        return False


def _cut(match: re.Match[str]) -> str:
    group: str | int = "secret" if "secret" in match.re.groupindex else int(match.re.groups == 1)
    start, end = match.span(group)
    if start < 0 or match[group].startswith(("$", SCRUBBED)):
        return match[0]
    return match[0][: start - match.start()] + SCRUBBED + match[0][end - match.start() :]


def _normal(name: str) -> str:
    return name.strip("-\"'").lower().replace("-", "_")


class Scrubber:
    """Replaces secrets by ``<scrubbed>``.

    Parameters:
        extra: further regular expressions; their group ``secret`` (or their only group) is replaced, else all of the
            match. ``name:NAME`` is no expression but one more name whose value is a secret.

    Raises:
        re.error: an extra pattern is no regular expression.

    Cost: 3 ms once for the patterns, then 20 µs a word.
    """

    def __init__(self, extra: Iterable[str] = ()) -> None:
        patterns = list(extra)
        self._names = {_normal(text[5:]) for text in patterns if text.startswith("name:")}
        self._patterns = [*_TABLE, *(re.compile(text) for text in patterns if not text.startswith("name:"))]

    def words(self, words: Sequence[str]) -> list[str]:
        """A command and its arguments without secrets; as many words as before."""
        return _Words(self).scrub(words)

    def text(self, text: str) -> str:
        """A shell line, a note or any other text without secrets."""
        return self._split(self.look(text))

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Variables without secrets, by their names and values."""
        return {name: self.words([f"{name}={value}"])[0].partition("=")[2] for name, value in environ.items()}

    def look(self, text: str) -> str:
        """Replace what is known by its look, and the values of telling names within ``text``."""
        for regex in self._patterns:
            text = regex.sub(_cut, text)
        for pair in (_GIVEN, _ITEM, _ASSIGNMENT, _HEADER, _JSON_PAIR):
            text = pair.sub(self._pair, text)
        return _SPACED.sub(self._spaced, text)

    def telling(self, name: str) -> str:
        """How far a name says that its value is a secret, the user's own names included."""
        return "yes" if self._names and _normal(name) in self._names else telling(name)

    def _pair(self, match: re.Match[str]) -> str:
        name, sign, value = match["name"], match["sign"], match["value"]
        strength = self.telling(name)
        return f"{name}{sign}{_value(name, value, strength)}" if strength else match[0]

    def _spaced(self, match: re.Match[str]) -> str:
        return self._pair(match) if random_looking(match["value"]) else match[0]

    def inside(self, word: str) -> str:
        """One word: by its look and, where it holds several (a script, a quoted line), each of these."""
        quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "\"'"
        if quoted:
            return word[0] + self.inside(word[1:-1]) + word[-1]
        word = self.look(word)
        return self._split(word) if any(c.isspace() for c in word) else word

    def _split(self, text: str) -> str:
        found = list(_SHELL_WORD.finditer(text))
        if len(found) == 1 and found[0][0] == text:
            return text
        pieces, end = [], 0
        for match, word in zip(found, _Words(self).scrub([match[0] for match in found])):
            pieces += [text[end : match.start()], word]
            end = match.end()
        return "".join([*pieces, text[end:]])


class _Words:
    """One pass over the words of a command: what a word means depends on those before it."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._short: dict[str, str] = {}
        self._before = ""
        self._name, self._pending = "", ""  # an option that waits for its value, and how that is given

    def scrub(self, words: Sequence[str]) -> list[str]:
        return [self._word(word) for word in words]

    def _word(self, word: str) -> str:
        name, pending, self._pending = self._name, self._pending, ""
        if pending and (pending != "yes" or not (word.startswith("-") and len(word) > 1)):
            return self._given(name, pending, word)
        self._notice_utility(word)
        for option, how in self._short.items():
            if word == option:
                self._name, self._pending = option, "" if how == "attached" else how
                return word
            if word.startswith(option) and word != option and not option.startswith("--") and len(option) == 2:
                return option + self._given(option, how, word[2:])
        assigned = _WHOLE_ASSIGNMENT.fullmatch(word)
        if assigned:
            return self._assigned(assigned)
        strength = self._scrubber.telling(word) if _OPTION.match(word) else ""
        if strength or (_OPERAND_NAME.match(word) and self._scrubber.telling(word)):
            # A bare name (`configure set aws_secret_access_key …`) may also be what is searched for.
            self._name, self._pending = word, strength or "maybe"
            return word
        return self._scrubber.inside(word)

    def _assigned(self, match: re.Match[str]) -> str:
        name, sign, value = match["name"], match["sign"], match["value"]
        strength = self._scrubber.telling(name)
        how = self._short.get(name, "")
        if how:
            return f"{name}{sign}{self._given(name, how, value)}"
        hidden = _value(name, value, strength) if strength else value
        if hidden == value:  # patterns may need the name: the whole once more
            return self._scrubber.look(f"{name}{sign}{self._scrubber.inside(value)}")
        return f"{name}{sign}{hidden}"

    def _notice_utility(self, word: str) -> None:
        base = word.rpartition("/")[2]
        pair = f"{self._before} {base}"
        if base in SHORT_OPTIONS or pair in SHORT_OPTIONS:
            self._short = SHORT_OPTIONS.get(base) or SHORT_OPTIONS[pair]
        self._before = base

    def _given(self, name: str, how: str, value: str) -> str:
        if how in {"user", "percent"}:
            user, sign, password = value.partition(":" if how == "user" else "%")
            return f"{user}{sign}{SCRUBBED}" if password else value
        if how == "maybe":
            hidden = _value(name, value, how)
            return hidden if hidden != value else self._scrubber.inside(value)
        if how == "yes":
            return _value(name, value, how)
        return value if not value or value.startswith("$") else SCRUBBED
