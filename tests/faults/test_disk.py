"""A disk that is full or read-only: the command is unaffected, one line says so, nothing journaled is lost."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest
from laboratory import Lab
from processes import take


@pytest.fixture
def small(tmpfs, make_provdb):
    """A project on a small disk of its own."""
    provdb = make_provdb(tmpfs("4m"))
    provdb("init")
    lab = Lab(provdb)
    lab.write("in", "hello\n")
    lab.run("sh", "-c", "cat in > out")
    lab.settle()
    return lab


def _fill(folder: Path, left: int) -> None:
    """Use up a disk, but for some bytes."""
    space = os.statvfs(folder)
    with open(folder / "filler", "wb") as file:
        file.write(bytes(max(0, space.f_bavail * space.f_frsize - left)))


@pytest.fixture
def frozen():
    """Make file systems read-only; they are writable again afterwards."""
    done = []

    def freeze(folder: Path) -> None:
        words = ["mount", "-o", "remount,ro", str(folder)]
        if subprocess.run(words, capture_output=True, check=False).returncode:
            pytest.skip("no right to make a file system read-only")
        done.append(folder)

    def thaw() -> None:
        while done:
            subprocess.run(["mount", "-o", "remount,rw", str(done.pop())], check=True)

    yield freeze, thaw
    thaw()


def test_a_full_disk(small, sound):
    _fill(small.root, 0)
    result = small.run("sh", "-c", "cat in; exit 4", check=4)
    assert result.stdout == "hello\n"
    assert result.stderr.count("\n") == 1
    assert "not recorded: No space left on device" in result.stderr
    assert not list((small.root / ".provdb/spool").glob("*.jsonl")), "nothing half-written stays"
    assert "cat in > out" in small.run("log").stdout
    assert "used in@1" in small.run("lineage", "out").stdout
    (small.root / "filler").unlink()
    small.run("sh", "-c", "cat in > later")
    graph = sound(small)
    assert graph.used(graph.command("> later")) == {"in"}
    assert [vertex["exit_status"] for vertex in map(graph.vertices.get, graph.of("Command"))] == [0, 0]


def test_a_disk_that_fills_at_any_point_of_the_way(small, sound, tmp_path):
    """Some space is left for the records, but not for the journal, or the projection, or the contents."""
    runs = 0
    for number, left in enumerate((0, 4, 8, 16, 24, 32, 64, 96, 256)):
        small.write(f"new.{number}", os.urandom(16 << 10))
        _fill(small.root, left << 10)
        target = tmp_path / f"target.{number}"
        result = small.run("sh", "-c", f"cat new.{number} > {target}; exit 4", check=4)
        assert target.stat().st_size == 16 << 10
        assert result.stderr.count("\n") <= 1
        runs += "not recorded" not in result.stderr
        small.run("log", check=None)
        assert "Traceback" not in small.run("status", check=None).stderr
        (small.root / "filler").unlink()
        (small.root / f"new.{number}").unlink()
    graph = sound(small)
    commands = graph.of("Command")
    assert len(commands) == runs + 1, "every command that did not say so is recorded, once"
    assert runs > 3
    assert len({graph.vertices[uid]["number"] for uid in commands}) == len(commands)
    assert "used in@1" in small.run("lineage", "out").stdout


def test_a_command_that_fills_the_disk_itself(small, sound):
    script = (
        "cat in > before; head -c 9000000 /dev/zero > filler 2> /dev/null; cat in; rm filler; cat in > after; exit 6"
    )
    result = small.run("sh", "-c", script, check=6)
    assert result.stdout == "hello\n"
    graph = sound(small)
    assert {"before", "after"} <= graph.generated(graph.command("filler"))


def test_a_read_only_project(small, sound, frozen, wait_for, tmp_path):
    freeze, thaw = frozen
    journal = (small.root / ".provdb/journal.db").read_bytes()
    assert journal
    _ingester_gone(small, wait_for)
    freeze(small.root)
    result = small.run("sh", "-c", f"cat in > {tmp_path}/copy; exit 4", check=4)
    assert (tmp_path / "copy").read_text() == "hello\n"
    assert result.stderr.count("\n") == 1
    assert "not recorded: the store" in result.stderr
    for words in (["log"], ["lineage", "out"], ["show", "out"], ["status"], ["restore", "out", "-o", "-"]):
        assert "Traceback" not in small.run(*words).stderr
    assert small.provdb.rows("MATCH (a:Command) RETURN a.exit_status") == [[0]]
    assert small.provdb.json("doctor")["healthy"]
    for words in (["annotate", "out", "a=1"], ["record", "--used", "in", "--generated", "out"], ["init"]):
        refused = small.run(*words, check=3)
        assert "Traceback" not in refused.stderr
        assert refused.stderr
    thaw()
    small.run("sh", "-c", "cat in > later")
    graph = sound(small)
    assert len(graph.of("Command")) == 2
    assert graph.used(graph.command("> later")) == {"in"}


def test_a_disk_that_becomes_read_only_under_the_ingester(small, sound, frozen, wait_for):
    """What lies in the spool waits, and is journaled when the disk can be written again."""
    freeze, thaw = frozen
    _ingester_gone(small, wait_for)
    with open(small.root / ".provdb/ingester.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        small.run("sh", "-c", "cat in > waiting")
    wait_for(lambda: any(b'"closed"' in path.read_bytes() for path in (small.root / ".provdb/spool").glob("*.jsonl")))
    wait_for(lambda: _freezes(freeze, small.root), "a moment without writers")
    asked = small.run("log", check=None)
    assert "Traceback" not in asked.stderr
    thaw()
    graph = sound(small)
    assert graph.used(graph.command("> waiting")) == {"in"}


def _freezes(freeze, folder: Path) -> bool:
    words = ["mount", "-o", "remount,ro", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        return False
    freeze(folder)
    return True


def _ingester_gone(lab, wait_for) -> None:
    """Wait until nobody ingests: a file system that is written to cannot become read-only."""

    def free() -> bool:
        with open(lab.root / ".provdb/ingester.lock") as lock:
            return take(lock)

    wait_for(free, "the end of the ingester")
