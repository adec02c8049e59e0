"""SIGKILL at random moments through real ingestion: 160 here, the rest of 300 in tests/capture and tests/semantics.

Whoever dies, the command's own result is where it lives, the journal opens, and what was recorded is consistent.
"""

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from processes import children_of, ingesters

ROUNDS = 40
LOOP = "i=0; while [ $i -lt 60 ]; do read x < in || exit 1; i=$((i+1)); done; echo $1 > out.$1; echo $1 >> log; exit 5"


def _kill(pid: int | None) -> None:
    if pid is not None and pid > 1:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _supervisor(process) -> int | None:
    """The front end's child, once it has one; None where it ended before."""
    while process.poll() is None:
        if found := children_of(process.pid):
            return found[0]
        time.sleep(0.001)
    return None


def _command(process) -> int | None:
    """The supervisor's child, once it is the command itself: a front end that replaced itself is not one."""
    supervisor = _supervisor(process)
    while supervisor is not None and process.poll() is None:
        for child in children_of(supervisor):
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0] == b"sh":
                return child
        time.sleep(0.001)
    return None


def _torn(root: Path) -> list[str]:
    """What a killed process may have left half-written where users look: there must be nothing."""
    return [path.name for path in root.iterdir() if path.name.startswith((".tmp", "tmp")) or path.suffix == ".tmp"]


def _start(lab, number: int):
    return lab.start("sh", "-c", LOOP, "sh", str(number), stdout=-1, stderr=-1)


def _finished(lab) -> list[int]:
    log = lab.root / "log"
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def _check_recorded(lab, graph) -> None:
    """What the graph says of each result is what the disk says."""
    for number in _finished(lab):
        for uid in graph.snapshots(f"out.{number}"):
            activity = graph.generator(uid)
            assert activity is not None
            vertex = graph.vertices[activity]
            assert "Unseen" in vertex["labels"] or vertex["argv"][-1] == str(number)
    begun = [path for path in (lab.root / ".provdb/spool").glob("*.jsonl") if b"\n" in path.read_bytes()]
    assert not begun, "a writer that was killed before its first line may still come, for all that we know"
    assert not list((lab.root / ".provdb/spool/pre").iterdir())
    assert not _torn(lab.root)
    assert not _torn(lab.root / ".provdb")


def test_the_supervisor(lab, sound):
    chance = random.Random(1)
    lab.write("in", "x\n")
    for number in range(ROUNDS):
        process = _start(lab, number)
        supervisor = _supervisor(process)
        time.sleep(chance.uniform(0, 0.06))
        _kill(supervisor)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 5, errors
        assert (lab.root / f"out.{number}").read_text() == f"{number}\n"
    assert _finished(lab) == list(range(ROUNDS))
    lab.notice()
    graph = sound(lab)
    _check_recorded(lab, graph)
    ended = [graph.vertices[uid] for uid in graph.of("Command")]
    assert all(vertex["exit_status"] == 5 for vertex in ended)
    for number in range(ROUNDS):
        assert len(graph.snapshots(f"out.{number}")) <= 1, "by its command, or not yet met by any"


def test_the_front_end(lab, sound):
    """Its death kills the command, as the death of a command killed by its user; what it left is still recorded."""
    chance = random.Random(2)
    lab.write("in", "x\n")
    for number in range(ROUNDS):
        process = _start(lab, number)
        time.sleep(chance.uniform(0, 0.15))
        _kill(process.pid)
        process.communicate(timeout=60)
        assert process.returncode in (5, -signal.SIGKILL)
    lab.notice()
    graph = sound(lab)
    _check_recorded(lab, graph)
    for number in _finished(lab):
        assert (lab.root / f"out.{number}").read_text() == f"{number}\n"


def test_the_command(lab, sound):
    chance = random.Random(3)
    lab.write("in", "x\n")
    killed = 0
    for number in range(ROUNDS):
        process = _start(lab, number)
        command = _command(process)
        time.sleep(chance.uniform(0, 0.03))
        _kill(command)
        process.communicate(timeout=60)
        assert process.returncode in (5, -signal.SIGKILL)
        killed += process.returncode != 5
    graph = sound(lab)
    _check_recorded(lab, graph)
    statuses = [graph.vertices[uid]["exit_status"] for uid in graph.of("Command")]
    assert len(statuses) == ROUNDS
    assert statuses.count(128 + signal.SIGKILL) == killed
    assert statuses.count(5) == ROUNDS - killed


def _ingester(lab) -> int | None:
    return next(iter(ingesters(lab.root)), None)


def test_the_ingester_and_who_asks(lab, sound):
    """The ingester while it works, and a question while it does the ingester's work."""
    chance = random.Random(4)
    lab.write("in", "x\n")
    for number in range(ROUNDS // 2):
        process = _start(lab, number)
        time.sleep(chance.uniform(0, 0.2))
        _kill(_ingester(lab))
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 5, errors
        _kill(_ingester(lab))
        asking = lab.start("log", "--json", stdout=-1, stderr=-1)
        time.sleep(chance.uniform(0.05, 0.3))
        asking.kill()
        asking.communicate(timeout=60)
    graph = sound(lab)
    _check_recorded(lab, graph)
    assert len(graph.of("Command")) == ROUNDS // 2
    assert [graph.vertices[uid]["sequence"] for uid in graph.snapshots("log")] == list(range(1, ROUNDS // 2 + 1))
    for number in range(ROUNDS // 2):
        assert graph.generator(graph.snapshots(f"out.{number}")[0]) is not None


@pytest.mark.parametrize("seed", [5])
def test_everybody_at_once(lab, sound, seed):
    """Eight commands beside each other, each losing somebody; then one that loses nobody is recorded as ever."""
    chance = random.Random(seed)
    lab.write("in", "x\n")
    running = [_start(lab, number) for number in range(8)]
    for process in running:
        victim = chance.choice([process.pid, _supervisor(process), _command(process), _ingester(lab)])
        time.sleep(chance.uniform(0, 0.02))
        _kill(victim)
    for process in running:
        process.communicate(timeout=60)
    assert lab.run("sh", "-c", "cat in > last").returncode == 0
    graph = sound(lab)
    last = graph.command("cat in > last")
    assert graph.used(last) == {"in"}
    assert graph.generated(last) == {"last"}
    assert json.loads(lab.run("lineage", "last", "--json").stdout)["vertices"]
