"""The prefix as its caller sees it: messages, exit statuses, what it does where it cannot record."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def test_outside_a_project(watched, tmp_path):
    result = watched.run("sh", "-c", "echo ran; exit 3", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (3, b"ran\n")
    assert result.stderr == b"provdb: not recorded: no project here; `provdb init` makes one\n"


def test_disabled(watched):
    result = watched.run("sh", "-c", "echo ran; exit 3", env={**watched.environment, "PROVDB_DISABLE": "1"})
    assert (result.returncode, result.stdout, result.stderr) == (3, b"ran\n", b"")
    assert watched.spools() == []


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["nosuchcommand"], 127, b"provdb -c"),
        (["cd", "/"], 127, b"provdb -c 'cd /'"),
        (["./absent"], 127, b"No such file"),
        (["/etc/passwd"], 126, b"Permission denied"),
        (["/"], 126, b"directory"),
        (["./badscript"], 127, b"interpreter"),
    ],
)
def test_what_cannot_run(watched, words, status, message):
    (watched.root / "badscript").write_text("#!/no/such/interpreter\n")
    (watched.root / "badscript").chmod(0o755)
    result = watched.run(*words)
    assert result.returncode == status
    assert message in result.stderr
    assert watched.end()["exit_status"] == status


def test_script_without_a_first_line(watched):
    (watched.root / "script").write_text("echo plain $1\n")
    (watched.root / "script").chmod(0o755)
    assert watched.run("./script", "word").stdout == b"plain word\n"


def test_redirections_of_the_calling_shell(watched):
    (watched.root / "in").write_text("b\na\n")
    line = " ".join(watched.command("sort")) + " < in > out 2>> log"
    subprocess.run(["sh", "-c", line], cwd=watched.root, env=watched.environment, check=True)
    start = watched.records()[0][0]
    found = {(entry["fd"], Path(entry["path"]).name, entry["mode"]) for entry in start["redirections"]}
    assert found == {(0, "in", "r"), (1, "out", "w"), (2, "log", "a")}
    assert (watched.root / "out").read_text() == "a\nb\n"


def test_options_of_run(watched):
    words = ["run", "--name", "first", "--tag", "k=v=w", "--note=why", "--", "log"]
    assert watched.run(*words).returncode == 127  # a command of that name, not our own
    start = watched.records()[0][0]
    assert (start["name"], start["tags"], start["note"]) == ("first", {"k": "v=w"}, "why")
    assert watched.run("run", "--colour", "--", "true").returncode == 2
    assert watched.run("run").returncode == 2


@pytest.mark.parametrize("method", ["seccomp", "stat", "strace", "none"])
def test_methods(watched, method):
    if method == "strace" and not shutil.which("strace"):
        pytest.skip("no strace here")
    (watched.root / "in").write_text("x\n")
    result = watched.run("run", "--capture", method, "--", "sh", "-c", "sort in > out; exit 4")
    assert result.returncode == 4
    assert watched.records()[0][0]["capture"] == method
    assert watched.paths("w") == (set() if method == "none" else {"out"})
    assert watched.paths("r") == (set() if method == "none" else {"in"})
    assert not list((watched.store / "spool/pre").glob("*.report"))


def test_kept_output(watched):
    result = watched.run("run", "--keep-output", "--", "sh", "-c", "echo out; echo err >&2; exit 6")
    assert (result.returncode, result.stdout, result.stderr) == (6, b"out\n", b"err\n")
    assert watched.end()["exit_status"] == 6
    assert watched.end()["output"]["stdout"]["head"] == "out\n"
    assert watched.end()["output"]["stderr"]["head"] == "err\n"


def test_refused_filter_falls_back(watched):
    """Under a foreign supervisor (here: one of ours whose name was lost) the stat walk takes over."""
    inner = " ".join(watched.command("sh", "-c", "'echo x > inner; exit 2'"))
    result = watched.run("sh", "-c", f"unset PROVDB_SUPERVISOR; {inner}; echo st=$?")
    assert result.stdout == b"st=2\n"
    methods = {records[0]["argv"][0]: records[0]["capture"] for records in watched.records()}
    assert sorted(records[0]["capture"] for records in watched.records()) == ["seccomp", "stat"], methods


def test_read_only_spool(watched):
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    (watched.store / "spool").chmod(0o500)
    result = watched.run("sh", "-c", "exit 3")
    assert result.returncode == 3
    assert result.stderr.count(b"\n") == 1
    (watched.store / "spool").chmod(0o700)


@pytest.mark.parametrize("filled", ["before", "during"])
def test_full_disk(watched, tmp_path, filled):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(small)], capture_output=True, check=False
    ).returncode:
        pytest.skip("no right to mount")
    try:
        shutil.copytree(watched.store, small / ".provdb")
        (small / ".provdb").chmod(0o700)
        fill = f"head -c 1000000 /dev/zero > {small}/filler 2>/dev/null"
        if filled == "before":
            subprocess.run(["sh", "-c", fill], check=False)
        script = f"echo out; {fill}; for i in 1 2 3 4 5 6; do sleep 0.01; cat /dev/null $0 > /dev/null; done; exit 5"
        for name in range(40):
            (tmp_path / f"f{name}").touch()
        result = watched.run("sh", "-c", script, str(tmp_path / "f1"), cwd=small)
        assert (result.returncode, result.stdout) == (5, b"out\n")
        assert result.stderr.count(b"\n") <= 1
        if filled == "before":
            assert b"not recorded" in result.stderr
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_hint_where_a_pipe_hides_the_rest(watched):
    import pty

    master, slave = pty.openpty()
    for expected in (True, False):
        watched.run("true", stdout=subprocess.PIPE, stderr=slave, capture_output=False)
        os.set_blocking(master, False)
        try:
            text = os.read(master, 4096)
        except BlockingIOError:
            text = b""
        assert (b"provdb -c" in text) is expected
    os.close(master)
    os.close(slave)


def test_privileged_program_below_a_command(watched):
    """A setuid program gets no privileges under a filter without CAP_SYS_ADMIN: one line, and not supervised again."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv")
    program = watched.root / "program"
    shutil.copy("/bin/true", program)
    os.chown(program, 65534, 65534)
    program.chmod(0o4755)
    words = ["setpriv", "--bounding-set=-sys_admin", *watched.command("sh", "-c", "./program; echo out > out")]
    first = subprocess.run(words, cwd=watched.root, env=watched.environment, capture_output=True, check=False)
    assert (first.returncode, first.stderr.count(b"\n")) == (0, 1)
    assert b"program is setuid" in first.stderr
    second = subprocess.run(words, cwd=watched.root, env=watched.environment, capture_output=True, check=False)
    assert (second.returncode, second.stderr) == (0, b"")
    assert [records[0]["capture"] for records in watched.records()] == ["seccomp", "stat"]
    assert "out" in watched.paths("w", 0) & watched.paths("w", 1)
