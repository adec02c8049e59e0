"""Ordinary users, privileged programs, folders of other people, root in a user's project."""

import json
import os
import shutil
import subprocess

import pytest

NOBODY = 65534
WHO = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
    /* Reads what root alone may read, and writes what it read where the caller can see it. */
    char text[64] = "";
    int in = open(argv[1], O_RDONLY), out;
    ssize_t n = in < 0 ? 0 : read(in, text, sizeof text - 1);
    if (n <= 0) { fprintf(stderr, "no privileges: euid %d\n", geteuid()); return 9; }
    out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (out < 0 || write(out, text, n) != n) return 8;
    printf("euid %d\n", geteuid());
    return 0;
}
"""


@pytest.fixture
def owner(ordinary):
    """An ordinary user with a project."""
    ordinary.provdb("init")
    return ordinary


@pytest.fixture
def setuid(owner):
    """A setuid program of root's, and what only root may read."""
    if not shutil.which("cc"):
        pytest.skip("no compiler here")
    source, program, secret = (owner.folder / name for name in ("who.c", "who", "root-only"))
    source.write_text(WHO)
    subprocess.run(["cc", "-o", program, source], check=True)
    program.chmod(0o4755)
    secret.write_text("of root\n")
    secret.chmod(0o600)
    if owner.run(program, secret, "tried", check=None).returncode:
        pytest.skip("this file system does not let programs be setuid")
    return program, secret


def _activities(owner) -> list[dict[str, object]]:
    """The commands as ``cypher`` sees them, oldest first."""
    query = "MATCH (a:Command) RETURN a.command, a.capture, a.exit_status ORDER BY a.number"
    rows = json.loads(owner.provdb("cypher", query, "--json").stdout)["rows"]
    return [dict(zip(("command", "capture", "exit_status"), row, strict=True)) for row in rows]


def test_an_ordinary_user_records_and_asks(owner):
    owner.run("sh", "-c", "echo 1 > in")
    owner.provdb("sh", "-c", "sort in > out")
    answer = owner.provdb("lineage", "out").stdout
    assert "used in@1" in answer
    assert _activities(owner)[0]["capture"] in ("seccomp", "stat")
    assert json.loads(owner.provdb("doctor", "--json").stdout)["healthy"]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in _all(owner)} == {(NOBODY, NOBODY)}


def test_a_setuid_program_keeps_its_privileges(owner, setuid):
    program, secret = setuid
    result = owner.provdb(program, secret, "out")
    assert result.stdout == "euid 0\n"
    assert result.stderr == ""
    (activity,) = _activities(owner)
    assert (activity["capture"], activity["exit_status"]) == ("stat", 0)
    assert "who" in owner.provdb("lineage", "out").stdout


def test_a_setuid_program_within_a_script(owner, setuid):
    """The first time it fails as under any no_new_privs, and one line says what to expect; from then on it works."""
    program, secret = setuid
    script = owner.folder / "work/script"
    script.write_text(f"#!/bin/sh\n{program} {secret} out\n")
    script.chmod(0o755)
    # Through a pipe of the user's own: nobody may open root's, which the test's own are.
    first = owner.run("sh", "-c", f"{{ {owner.python} -m provgraph ./script; echo st=$?; }} 2>&1 | cat")
    methods = [activity["capture"] for activity in _activities(owner)]
    if methods == ["seccomp"]:
        assert "st=9\n" in first.stdout
        said = [line for line in first.stdout.splitlines() if line.startswith("provdb:")]
        assert len(said) == 1, first.stdout
        assert "who is setuid" in said[0]
    second = owner.provdb("./script")
    assert (second.stdout, second.stderr) == ("euid 0\n", "")
    assert _activities(owner)[-1]["capture"] == "stat"
    assert "script" in owner.provdb("lineage", "out").stdout


def test_a_folder_of_another_user(owner):
    owner.run("sh", "-c", "echo 1 > in")
    owner.provdb("sh", "-c", "sort in > out")
    before = {path: path.stat().st_mtime_ns for path in _all(owner) if path.is_file()}
    other = {"uid": NOBODY - 1}
    result = owner.provdb("sh", "-c", "echo ran; exit 4", **other, check=4)
    assert result.stdout == "ran\n"
    assert result.stderr.count("\n") == 1
    assert "not recorded" in result.stderr
    for words in (["log"], ["lineage", "out"], ["doctor"], ["init"], ["trust", "."]):
        asked = owner.provdb(*words, **other, check=None)
        assert asked.returncode == 3, words
        assert "Traceback" not in asked.stderr
    owner.provdb("status")
    assert {path for path in before if not path.exists()} <= {path for path in before if "-" in path.name}


@pytest.mark.slow
def test_root_in_a_users_project(owner):
    """Root captures into it as its owner: every file of the store stays the owner's, who goes on as if nothing was."""
    work = owner.folder / "work"
    owner.run("sh", "-c", "echo 1 > in; echo old > result")
    owner.provdb("sh", "-c", "sort in > out")
    owner.provdb("status")
    marker = work / "marker"
    (work / ".provdb/ingestors").mkdir(exist_ok=True)
    (work / ".provdb/ingestors/own.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    for path in _all(owner):
        os.chown(path, NOBODY, NOBODY)
    owner.provdb("sh", "-c", "cat in; echo new > result; rm out; echo 2 > out", uid=0)
    owner.provdb("-c", "sort in > sorted; echo 3 | cat > piped", uid=0)
    for words in (["log"], ["lineage", "sorted"], ["status"], ["restore", "result@1", "-o", "-"], ["doctor"]):
        owner.provdb(*words, uid=0)
    strangers = {str(path) for path in _all(owner) if (path.stat().st_uid, path.stat().st_gid) != (NOBODY, NOBODY)}
    assert not strangers
    assert not marker.exists(), "root runs none of the user's code"
    assert owner.provdb("restore", "result@1", "-o", "-").stdout == "old\n"
    owner.provdb("sh", "-c", "cat result sorted > all")
    assert "(root, " in owner.provdb("lineage", "all").stdout
    assert json.loads(owner.provdb("doctor", "--json").stdout)["healthy"]


def test_root_is_killed_over_a_users_project(owner):
    """What root left half done, its owner can finish."""
    process = subprocess.Popen(
        [owner.python, "-m", "provgraph", "sh", "-c", "echo up; echo 1 > out; exec sleep 60"],
        cwd=owner.folder / "work", env=owner.environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "up\n"
    process.kill()
    process.wait(60)
    process.stdout.close()
    assert owner.provdb("sh", "-c", "cat out > next").stderr == ""
    assert "sh #1 (root" in owner.provdb("lineage", "next").stdout
    assert json.loads(owner.provdb("doctor", "--json").stdout)["healthy"]
    assert {str(path) for path in _all(owner) if path.stat().st_uid != NOBODY} == set()


def _all(owner):
    """Every file and folder of the store that is there."""
    found = []
    for folder, folders, files in os.walk(owner.folder / "work/.provdb"):
        for name in [*folders, *files]:
            path = owner.folder / folder / name
            if path.exists():
                found.append(path)
    return found
