"""What the supervisor writes down: each call, each way to name a file, and nothing that did not happen."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest


def test_reads_writes_renames_deletes(watched):
    (watched.root / "a.txt").write_text("b\na\n")
    result = watched.run("sh", "-c", "cat a.txt > b.txt; mv b.txt c.txt; rm c.txt; sort a.txt -o d.txt")
    assert result.returncode == 0
    assert watched.paths("r") == {"a.txt"}
    assert [(op[2], op[3], op[4]) for op in watched.ops("w")] == [
        (str(watched.root / "b.txt"), None, "create"),
        (str(watched.root / "d.txt"), None, "create"),
    ]
    assert [op[2:4] for op in watched.ops("m")] == [[str(watched.root / "b.txt"), str(watched.root / "c.txt")]]
    assert watched.paths("d") == {"c.txt"}
    assert [op[3][0] for op in watched.ops("x")][:2] == ["sh", "cat"]
    start, *_, end, closed = watched.records()[0]
    assert (start["record"], end["record"], closed["record"]) == ("start", "end", "closed")
    assert start["argv"][0] == "sh"
    assert start["capture"] == "seccomp"
    assert (end["exit_status"], end["signal"], end["survivors"]) == (0, None, False)


def test_what_fails_is_not_recorded(watched):
    (watched.root / "there").write_text("x")
    (watched.root / "folder").mkdir()
    script = (
        "cat absent 2>/dev/null; cat folder 2>/dev/null; rm absent 2>/dev/null; mv absent b 2>/dev/null;"
        " echo > absent/x; ln -s q there 2>/dev/null; set -C; echo > there"
    )
    watched.run("sh", "-c", script)
    assert [op for op in watched.ops() if op[0] not in "xvr"] == []
    assert watched.paths("r") == set()


def test_unreadable_file_is_not_read(watched):
    secret = watched.root / "secret"
    secret.write_text("x")
    secret.chmod(0)
    words = ["cat", "secret"]
    if os.geteuid() == 0:
        words = ["setpriv", "--reuid=65534", "--clear-groups", "cat", "secret"]
        pytest.skip("root reads everything") if not Path("/usr/bin/setpriv").exists() else None
    assert watched.run(*words).returncode != 0


@pytest.mark.parametrize("how", ["os.O_RDWR", "os.O_WRONLY", "os.O_WRONLY|os.O_TRUNC"])
def test_overwritten_contents_are_kept(watched, how):
    for number in range(20):
        (watched.root / f"f{number}").write_text(f"old {number}")
    script = f"import os\nfor i in range(20):\n fd = os.open(f'f{{i}}', {how}); os.write(fd, b'new!'); os.close(fd)\n"
    watched.run("python3", "-c", script)
    kept = {op[2]: watched.preimage(op[5]) for op in watched.ops("w")}
    assert kept == {str(watched.root / f"f{n}"): f"old {n}".encode() for n in range(20)}


def test_removed_and_replaced_contents_are_kept(watched):
    for number in range(300):  # more than there are descriptors to hold
        (watched.root / f"f{number}").write_text(f"old {number}")
    script = (
        "import os\nfor i in range(150): os.unlink(f'f{i}')\n"
        "for i in range(150, 300):\n open('new', 'w').close(); os.rename('new', f'f{i}')\n"
    )
    watched.run("python3", "-c", script)
    kept = [watched.preimage(op[4]) for op in watched.ops("d")] + [watched.preimage(op[6]) for op in watched.ops("m")]
    assert kept == [f"old {n}".encode() for n in range(300)]


def test_scratch_files_cost_nothing(watched):
    watched.run("sh", "-c", "for i in 1 2 3; do echo x > t$i; echo y > t$i; rm t$i; done")
    assert {op[5] for op in watched.ops("w")} | {op[4] for op in watched.ops("d")} == {None}
    assert list((watched.store / "spool/pre").iterdir()) == []


def test_append_keeps_the_old_length(watched):
    (watched.root / "log").write_text("12345")
    watched.run("sh", "-c", "echo x >> log")
    (op,) = watched.ops("w")
    assert (op[3][2], op[4], op[5]) == (5, "append", None)


def test_truncate_call(watched):
    (watched.root / "f").write_text("12345")
    watched.run("python3", "-c", "import os; os.truncate('f', 2); os.chmod('f', 0o600)")
    op = watched.ops("w")[0]
    assert (op[4], watched.preimage(op[5])) == ("update", b"12345")


def test_links(watched):
    (watched.root / "target").write_text("x")
    watched.run("sh", "-c", "ln -s target link; ln target hard; cat link; ln -s target gone; rm gone")
    assert watched.paths("r") == {"link", "target"}
    assert [op[2:4] for op in watched.ops("l")] == [[str(watched.root / "target"), str(watched.root / "hard")]]
    assert {(Path(op[2]).name, op[4]) for op in watched.ops("w")} == {("link", "symlink"), ("gone", "symlink")}
    assert watched.paths("d") == {"gone"}


def test_writing_through_a_link_writes_its_target(watched):
    (watched.root / "target").write_text("old")
    (watched.root / "link").symlink_to("target")
    watched.run("sh", "-c", "echo new > link")
    (op,) = watched.ops("w")
    assert op[2] == str(watched.root / "target")
    assert watched.preimage(op[5]) == b"old"
    assert watched.paths("r") == {"link"}


def test_folders_behind_links_have_one_name(watched):
    (watched.root / "real").mkdir()
    (watched.root / "real/f").write_text("x")
    (watched.root / "alias").symlink_to("real")
    watched.run("sh", "-c", "cat alias/f; cd alias; cat ./f ../alias/../real/f")
    assert watched.paths("r") == {"real/f"}


@pytest.mark.parametrize("name", [b"new\nline", b"quo'te\"s", b"\xff\xfe", b" lead", "Grüße".encode(), b"back\\slash"])
def test_any_file_name(watched, name):
    path = os.fsencode(watched.root) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(b"x")
    watched.run(b"cp", name, b"copy")
    assert [os.fsencode(op[2]) for op in watched.ops("r") if op[2].startswith(str(watched.root))] == [path]


def test_special_files_are_no_content(watched):
    os.mkfifo(watched.root / "fifo")
    script = (
        "import os, socket; s = socket.socket(socket.AF_UNIX); s.bind('sock');"
        "fd = os.open('fifo', os.O_RDWR); os.close(fd); os.unlink('fifo'); os.unlink('sock');"
        "open('/dev/null', 'w').close()"
    )
    watched.run("python3", "-c", script)
    assert [op for op in watched.ops() if op[0] in "rwdm" and str(watched.root) in op[2]] == []


def test_sparse_file(watched):
    with open(watched.root / "sparse", "wb") as file:
        file.truncate(1 << 40)
    watched.run("sh", "-c", "head -c 1 sparse > one; echo x > sparse")
    assert watched.paths("r") == {"sparse"}
    assert [op[5] for op in watched.ops("w") if op[2].endswith("sparse")] == ["limit"]


def test_descriptor_paths_mean_the_file(watched):
    (watched.root / "in").write_text("x")
    with open(watched.root / "in") as stdin:
        watched.run("sh", "-c", "cat /dev/stdin; cat /proc/self/fd/0; exec 3< in; cat /dev/fd/3", stdin=stdin)
    assert watched.paths("r") == {"in"}
    assert [entry["mode"] for entry in watched.records()[0][0]["redirections"]] == ["r"]


def test_environments_are_named_once(watched):
    venv = watched.root / ".venv"
    venv.mkdir()
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (venv / "module.py").write_text("x")
    watched.run("sh", "-c", "cat .venv/module.py .venv/pyvenv.cfg .venv/absent")
    assert watched.paths("v") == {".venv"}
    assert watched.paths("r") == set()


def test_a_folder_renamed(watched):
    (watched.root / "old").mkdir()
    (watched.root / "old/f").write_text("x")
    watched.run("sh", "-c", "cat old/f; mv old new; cat new/f; echo > new/g; rm new/g")
    assert [op[2:4] for op in watched.ops("m")] == [[str(watched.root / "old"), str(watched.root / "new")]]
    assert watched.paths("r") == {"old/f", "new/f"}


def test_changed_directories_of_threads_and_children(watched):
    (watched.root / "sub").mkdir()
    (watched.root / "sub/f").write_text("x")
    (watched.root / "f").write_text("y")
    script = (
        "import os\nopen('f').close(); os.chdir('sub'); open('f').close()\n"
        "os.fchdir(os.open('..', os.O_RDONLY)); os.system('cat f')"
    )
    watched.run("python3", "-c", script)
    assert watched.paths("r") == {"f", "sub/f"}


def test_program_and_script_of_the_project(watched):
    script = watched.root / "tool"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    assert watched.run("./tool").returncode == 3
    assert next(op[2:] for op in watched.ops("r") if op[-1] == "exec")[0] == str(script)


def test_reading_again_after_somebody_else_changed_it(watched):
    (watched.root / "f").write_text("1")
    command = watched.start("sh", "-c", "cat f; read line; cat f; cat f", stdin=-1)
    assert command.stdout.read(1) == b"1"
    (watched.root / "f").write_text("22")
    command.communicate(b"go\n")
    assert [op[3][2] for op in watched.ops("r") if op[2].endswith("/f")] == [1, 2]


def test_daemon_outlives_the_command(watched, wait_for):
    script = "(sleep 0.3; echo late > late.txt) > /dev/null 2>&1 & echo early"
    result = watched.run("sh", "-c", script)
    assert result.stdout == b"early\n"
    records = watched.records()[0]
    kinds = [record["record"] for record in records]
    assert watched.end()["survivors"] is True
    assert kinds.index("end") < len(kinds) - 2
    assert kinds[-1] == "closed"
    assert "late.txt" in watched.paths("w")


def test_sixteen_at_once(watched):
    (watched.root / "in").write_text("x")
    running = [watched.start("cp", "in", f"out{number}") for number in range(16)]
    assert [process.wait(60) for process in running] == [0] * 16
    for process in running:
        process.communicate()
    assert len(watched.records()) == 16
    written = {Path(op[2]).name for index in range(16) for op in watched.ops("w", index)}
    assert written == {f"out{number}" for number in range(16)}


def test_descriptors_are_the_callers(watched):
    script = " ".join([*map(shlex.quote, watched.command("sh", "-c", "echo kept >&5")), "5> extra"])
    subprocess.run(["sh", "-c", script], cwd=watched.root, env=watched.environment, check=True)
    assert (watched.root / "extra").read_text() == "kept\n"
    assert [(entry["fd"], entry["mode"]) for entry in watched.records()[0][0]["redirections"]] == [(5, "w")]


def test_closed_output_is_seen_by_the_reader(watched):
    command = watched.start("sh", "-c", "echo x; exec >&- 2>&-; sleep 5")
    assert command.stdout.read() == b"x\n"  # end of file long before the end
    assert command.poll() is None
    command.kill()
    command.wait()


def test_environment_and_limits_reach_the_command(watched):
    environment = {**watched.environment, "PYTHONHASHSEED": "7", "SECRET": "x"}
    result = watched.run("sh", "-c", "echo $PYTHONHASHSEED $SECRET", env=environment)
    assert result.stdout == b"7 x\n"
    assert watched.records()[0][0]["env"]["PYTHONHASHSEED"] == "7"
    assert "SECRET" not in watched.records()[0][0]["env"]


def test_secrets_are_scrubbed_before_they_are_written(watched):
    watched.run("sh", "-c", "true", "--password=hunter2")
    assert "hunter2" not in watched.spools()[0].read_text()
