"""The default ingestor: utilities, options, option-arguments and operands after XBD 12.2."""

import shlex
import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.ingestors import posix_table
from provgraph.ingestors.posix import Annotation, annotate
from provgraph.plugins import Plugins


def told(line: str) -> tuple[str, list[str], list[str]]:
    found = annotate(shlex.split(line)).properties()
    return found["utility"], found["options"], found["operands"]


@pytest.mark.parametrize(
    ("line", "utility", "options", "operands"),
    [
        # guidelines 5 to 7: bundles, attached and separate option-arguments
        ("sort -rk 2,2 -t, a b", "sort", ["-r", "-k 2,2", "-t ,"], ["a", "b"]),
        ("cut -d: -f1,3 /etc/passwd", "cut", ["-d :", "-f 1,3"], ["/etc/passwd"]),
        ("/usr/bin/head -n5 x", "head", ["-n 5"], ["x"]),
        # guideline 10: the end of options
        ("grep -e x -- -f", "grep", ["-e x"], ["-f"]),
        ("rm -- -r", "rm", [], ["-r"]),
        # guideline 13: standard input
        ("cat - a", "cat", [], ["-", "a"]),
        # options behind operands, as GNU's getopt takes them
        ("sort a -o out", "sort", ["-o out"], ["a"]),
        ("grep --max-count 3 -i x f --include=*.c", "grep", ["--max-count 3", "-i", "--include *.c"], ["x", "f"]),
        ("sed -i s/a/b/ f", "sed", ["-i"], ["s/a/b/", "f"]),
        ("sed -i.bak -e s/a/b/ f", "sed", ["-i .bak", "-e s/a/b/"], ["f"]),
        ("head -20 f", "head", ["-20"], ["f"]),
        ("kill -9 123", "kill", ["-9"], ["123"]),
        ("echo -n a --b", "echo", [], ["-n", "a", "--b"]),
        ("dd if=a of=b", "dd", [], ["if=a", "of=b"]),
        ("tar czf o.tgz d e", "tar", ["-c", "-z", "-f o.tgz"], ["d", "e"]),
        ("tar -xf o.tgz -C d", "tar", ["-x", "-f o.tgz", "-C d"], []),
        ("find . -name '*.py' -type f -exec wc -l {} +", "find", ["-name *.py", "-type f", "-exec wc -l '{}'"], ["."]),
        ("sort -k", "sort", ["-k"], []),
        # programs that no table knows
        ("csvcut -c 1,2 --names data.csv", "csvcut", ["-c 1,2", "--names data.csv"], []),
        ("tool --lr 0.1 --verbose data.csv --no-cache x", "tool", ["--lr 0.1", "--verbose"], ["data.csv"]),
        ("tool --a=1 --offset -5 -lr 0.1 -o out in", "tool", ["--a 1", "--offset -5", "-lr 0.1", "-o out"], ["in"]),
        ("tool -v in", "tool", ["-v"], ["in"]),
        ("git commit -m message", "git", ["-m"], ["commit", "message"]),
    ],
)
def test_words(line, utility, options, operands):
    found = told(line)
    if line.startswith("tool --lr"):
        assert found == (utility, [*options, "--no-cache"], [*operands, "x"])
    else:
        assert found == (utility, options, operands)


@pytest.mark.parametrize(
    ("line", "utility", "script", "options", "operands"),
    [
        ("python train.py --lr 0.1 data.csv", "python", "train.py", ["--lr 0.1"], ["data.csv"]),
        ("python3.12 -u -W ignore train.py -n 5", "python3.12", "train.py", ["-u", "-W ignore", "-n 5"], []),
        ("python -m pytest -q tests", "python", "pytest", ["-q"], ["tests"]),
        ("python -c 'print(1)' a", "python", None, ["-c print(1)"], ["a"]),
        ("python", "python", None, [], []),
        ("python - a", "python", None, [], ["-", "a"]),
        ("Rscript fit.R --vanilla x", "Rscript", "fit.R", ["--vanilla x"], []),
        ("sh run.sh a", "sh", "run.sh", [], ["a"]),
        ("bash -ec 'a | b' x y", "bash", None, ["-e", "-c a | b"], ["x", "y"]),
        ("perl -ne 'print' f", "perl", None, ["-n", "-e print"], ["f"]),
    ],
)
def test_interpreters(line, utility, script, options, operands):
    found = annotate(shlex.split(line))
    assert (found.utility, found.script) == (utility, script)
    assert (found.properties()["options"], found.operands) == (options, operands)


@pytest.mark.parametrize(
    ("line", "wrappers", "utility"),
    [
        ("env -i X=1 Y=2 sort x", ("env",), "sort"),
        ("nohup nice -n 5 sort x", ("nohup", "nice"), "sort"),
        ("time -p sort x", ("time",), "sort"),
        ("timeout -k 3 5s sort x", ("timeout",), "sort"),
        ("sudo -u bob sort x", ("sudo",), "sort"),
        ("sh -c 'sort x'", ("sh",), "sort"),
        ("uv run --with numpy sort x", ("uv",), "sort"),
        ("poetry run -- sort x", ("poetry",), "sort"),
        ("mpirun -n 4 sort x", ("mpirun",), "sort"),
        ("stdbuf -oL sort x", ("stdbuf",), "sort"),
        ("taskset 3 sort x", ("taskset",), "sort"),
    ],
)
def test_who_runs_whom(line, wrappers, utility):
    found = annotate(shlex.split(line))
    assert (found.wrappers, found.utility, found.operands) == (wrappers, utility, ["x"])


def test_wrappers_that_run_nothing():
    assert annotate(["env"]) == Annotation("env", [], [])
    assert annotate(["command", "-v", "x"]).utility == "command"
    assert annotate(["sh", "-c", "a 'b"]).utility == "sh"
    assert annotate([]).unparsed == "no command"
    assert annotate(["env", ""]).unparsed == "no command"


@pytest.mark.parametrize("utility", sorted(posix_table.UTILITIES))
def test_each_line_of_the_table(utility):
    letters = posix_table.UTILITIES[utility]
    assert letters[:1] != ":"
    assert ":::" not in letters
    bare = letters.replace(":", "")
    assert len(set(bare)) == len(bare), "a letter twice"
    for letter, following in pairwise(letters + " "):
        if letter == ":" or utility in posix_table.WRAPPERS or utility in {"tar", *posix_table.INTERPRETERS}:
            continue
        takes = following == ":" and f"{letter}::" not in letters
        found = annotate([utility, f"-{letter}", "word"])
        expected = [(f"-{letter}", "word")] if takes else [(f"-{letter}", None)]
        assert [tuple(option) for option in found.options] == expected
        assert found.operands == ([] if takes else ["word"])


POSIX_UTILITIES = """
admin ar asa at awk basename batch bc c99 cal cat cflow chgrp chmod chown cksum cmp comm command compress cp crontab
csplit ctags cut cxref date dd delta df diff dirname du ed env ex expand file find fold fort77 fuser gencat get getconf
grep head iconv id ipcrm ipcs join kill lex link ln locale localedef logger logname lp ls m4 mailx make man mesg mkdir
mkfifo more mv newgrp nice nl nm nohup od paste patch pathchk pax pr prs ps pwd qalter qdel qhold qmove qmsg qrerun qrls
qselect qsig qstat qsub renice rm rmdel rmdir sact sccs sed sh sleep sort split strings strip stty tabs tail talk tee
time touch tput tr tsort tty type ulimit umask unalias uname uncompress unexpand unget uniq unlink uucp uudecode
uuencode uustat uux val vi wait wc what who write xargs yacc zcat
""".split()


def test_the_utilities_of_the_standard_are_known():
    known = {*posix_table.UTILITIES, *posix_table.INTERPRETERS, *posix_table.WITHOUT_OPTIONS, "find"}
    assert set(POSIX_UTILITIES) <= known


WORDS = st.text(string.printable, max_size=6) | st.sampled_from(
    [
        "-",
        "--",
        "-k",
        "-c",
        "env",
        "python",
        "sort",
        "find",
        "-exec",
        "tar",
        "xf",
        "sh",
        "uv",
        "run",
        "--a=b",
        "-5",
        "X=1",
    ]
)


@given(st.lists(WORDS, max_size=8))
def test_any_words_are_told_apart(words):
    """Never an exception, and no operand that was not said."""
    found = annotate(words)
    said = " ".join(words)
    assert all(operand in said for operand in found.operands)
    assert isinstance(found.properties(), dict)


def test_as_a_plug_in():
    from provgraph.ingestors import posix

    (finding,) = Plugins([posix]).annotate(["sort", "-r", "x"], "/")
    assert finding.properties == {"utility": "sort", "options": ["-r"], "operands": ["x"]}
    assert finding.error == ""
