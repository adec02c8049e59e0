"""``provdb -c``: behaves as the shell does, and each element of the list is an activity with its own files."""

import os
import subprocess

import pytest


def sources(watched):
    found = {}
    for index, records in enumerate(watched.records()):
        assert records[0]["record"] == "start"
        found[records[0]["line"]["source"].strip()] = index
    return found


def test_elements_are_activities(watched):
    (watched.root / "a").write_text("2\n1\n")
    result = watched.run("-c", "sort a > b; false || cp b c; sort b | uniq > d; exit 3")
    assert result.returncode == 3
    index = sources(watched)
    assert watched.paths("w", index["sort a > b"]) == {"b"}
    assert watched.paths("r", index["sort a > b"]) == {"a"}
    assert watched.paths("w", index["cp b c"]) == {"c"}
    assert watched.paths("w", index["sort b | uniq > d"]) == {"d"}
    assert watched.end(index["false"])["exit_status"] == 1
    assert watched.end(index["exit 3"])["exit_status"] == 3
    assert all(records[-1]["record"] == "closed" for records in watched.records())


def test_what_was_skipped_is_not_recorded(watched):
    watched.run("-c", "false && touch no; true || touch neither; touch yes")
    assert set(sources(watched)) == {"false", "true", "touch yes"}


def test_background_elements(watched):
    watched.run("-c", "(sleep 0.3; echo late > late) & echo now > now; wait")
    index = sources(watched)
    assert watched.paths("w", index["(sleep 0.3; echo late > late)"]) == {"late"}
    assert watched.paths("w", index["echo now > now"]) == {"now"}


def test_commands_are_recorded_as_they_were_typed(watched):
    watched.run("-c", "true; true")
    assert "marks" not in "".join(path.read_text() for path in watched.spools())


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
@pytest.mark.parametrize(
    "line",
    [
        "cd sub; pwd; x=1; echo $x $((x+1)); f() { echo f $1; return 4; }; f a; echo $?",
        "false; echo $?; true; echo $?; (exit 7); echo $?; ! true; echo $?",
        "echo a | tr a b; echo $?; echo $0 $# $@; set -- p q; echo $#",
        "for i in 1 2; do echo $i; done; while read l; do echo $l; done < in; if true; then echo t; fi",
        "set -e; true; false; echo never",
        "cat <<X; echo after\nhello $HOME\nX\n",
        "echo out; echo err >&2; exec > redirected; echo in file; exit 5",
        "kill -TERM $$",
        "nosuchcommand; echo $?",
        "trap 'echo bye' EXIT; sleep 0 & wait; echo $?",
        "if; then",
        "",
        "   # nothing",
        'x=$(cat in); echo "$x"; unset x; echo ${x-unset}; readonly y=2; y=3; echo no',
    ],
)
def test_behaves_as_the_shell(watched, shell, line):
    environment = {**watched.environment, "SHELL": shell}
    (watched.root / "sub").mkdir()
    (watched.root / "in").write_text("l1\nl2\n")
    plain = subprocess.run(
        [shell if shell.endswith("bash") else "sh", "-c", line],
        cwd=watched.root,
        env=environment,
        capture_output=True,
        check=False,
    )
    written = (watched.root / "redirected").read_bytes() if (watched.root / "redirected").exists() else None
    ours = watched.run("-c", line, env=environment)
    assert (ours.returncode, ours.stdout) == (plain.returncode, plain.stdout)
    if written is not None:
        assert (watched.root / "redirected").read_bytes() == written
    strip = lambda text: [part.rpartition(b": ")[2] for part in text.splitlines()]  # noqa: E731 - names and line numbers differ
    assert strip(ours.stderr) == strip(plain.stderr)


def test_missing_line(watched):
    result = watched.run("-c")
    assert (result.returncode, os.path.exists(watched.root / "x")) == (2, False)
    assert b"provdb -c" in result.stderr
