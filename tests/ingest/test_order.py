"""What two activities did is applied in the order in which it happened, however late one of them is written down."""

import json
import os
import signal
import subprocess
import threading
import time
import uuid
from pathlib import Path

import pytest
from laboratory import Lab

from provgraph.ingest.timeline import SPOOL_CLOCK
from provgraph.session.ingester import ingestion_lock, wire
from provgraph.stores import open_store

_LARGE = 256 << 20
"""Bytes whose blocks take tens of milliseconds to be given back."""


class Activity:
    """One activity, as its supervisor writes it down; ``supervisor`` is a process that stands for that."""

    def __init__(self, root: Path, supervisor: int, began: int) -> None:
        self.uid = str(uuid.UUID(int=(began << 64) | supervisor))
        self.file = root / f".provdb/spool/{self.uid}.jsonl"
        self.common = {"schema": 1, "activity": self.uid, "argv": ["program"], "cwd": str(root), "pid": supervisor}
        self.supervisor, self.began = supervisor, began

    def write(self, **record: object) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def start(self) -> None:
        who = {"uid": os.getuid(), "host": os.uname().nodename, "env": {}, "capture": "seccomp"}
        clock = {"t": self.began, "time": time.time_ns(), "supervisor": self.supervisor}
        self.write(record="start", **self.common, **who, **clock)

    def progress(self, *ops: list[object]) -> None:
        self.write(record="progress", ops=list(ops))

    def end(self, t: int) -> None:
        clock = {"t": t, "time": time.time_ns()}
        self.write(record="end", exit_status=0, **clock)
        self.write(record="closed", **clock)


@pytest.fixture
def waiting_process():
    """A process that sleeps, as a supervisor does that waits for a report."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def _stat(path: Path) -> list[int]:
    s = path.stat()
    return [s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_mode]


def test_a_reader_waits_for_a_writer_that_is_late(provdb, project, waiting_process, monkeypatch):
    """The writer's supervisor cannot run: what it saw before the reader opened the file is not written down yet."""
    monkeypatch.setattr("provgraph.ingest.loop._PATIENCE_NS", 3600_000_000_000)  # however slow this machine is
    now = time.clock_gettime_ns(SPOOL_CLOCK) - 500_000_000
    writer, reader = Activity(project, waiting_process.pid, now), Activity(project, os.getpid(), now + 1)
    path = project / "file"
    with ingestion_lock(str(project), 10) as held, open_store(str(project), write=True) as store:
        assert held
        ingester = wire(store)
        waiting_process.send_signal(signal.SIGSTOP)
        writer.start()
        reader.start()
        path.write_text("text\n")
        reader.progress(["r", now + 200, str(path), _stat(path)])
        for _ in range(3):
            ingester.step()
        assert ingester.waiting
        writer.progress(["w", now + 100, str(path), None, "create", None])
        waiting_process.send_signal(signal.SIGCONT)
        writer.end(now + 300)
        reader.end(now + 400)
        while ingester.step():
            pass
    graph = Lab(provdb).graph()
    (snapshot,) = graph.snapshots("file")
    generator = graph.generator(snapshot)
    assert generator is not None
    assert "Unseen" not in graph.vertices[generator]["labels"]
    assert graph.targets("used", graph.sources("used", snapshot).pop()) == [snapshot]


def test_a_writer_that_is_late_for_long_is_not_waited_for(provdb, project, waiting_process):
    now = time.clock_gettime_ns(SPOOL_CLOCK) - 5_000_000_000
    writer, reader = Activity(project, waiting_process.pid, now), Activity(project, os.getpid(), now + 1)
    path = project / "file"
    path.write_text("text\n")
    with ingestion_lock(str(project), 10) as held, open_store(str(project), write=True) as store:
        assert held
        ingester = wire(store)
        waiting_process.send_signal(signal.SIGSTOP)
        writer.start()
        reader.start()
        reader.progress(["r", now + 200, str(path), _stat(path)])
        ingester.step()
        assert not ingester.waiting


def test_what_a_later_activity_took_away_before_the_first_was_closed(provdb, project, waiting_process):
    """The file is gone when its writer is settled, and who moved it is only about to be written down."""
    now = time.clock_gettime_ns(SPOOL_CLOCK) - 500_000_000
    writer, mover = Activity(project, waiting_process.pid, now), Activity(project, os.getpid(), now + 200)
    path, moved = project / "file", project / "moved"
    with ingestion_lock(str(project), 10) as held, open_store(str(project), write=True) as store:
        assert held
        ingester = wire(store)
        path.write_text("text\n")
        stat = _stat(path)
        path.rename(moved)
        writer.start()
        writer.progress(["w", now + 100, str(path), None, "create", None])
        writer.end(now + 150)

        def news() -> bool:
            mover.start()
            mover.progress(["m", now + 300, str(path), str(moved), stat, None, None])
            mover.end(now + 400)
            return False

        ingester.lookup.contents.is_late = news
        while ingester.step():
            pass
    graph = Lab(provdb).graph()
    (snapshot,) = graph.snapshots("file")
    generator = graph.generator(snapshot)
    assert generator is not None
    assert "Unseen" not in graph.vertices[generator]["labels"]
    assert graph.targets("wasDerivedFrom", graph.snapshots("moved")[0]) == [snapshot]


def test_a_file_that_is_cut_short_while_its_writer_is_settled(provdb, project, waiting_process):
    """It is empty at once, and has its old times for as long as its blocks are given back: that is no state of it."""
    now = time.clock_gettime_ns(SPOOL_CLOCK) - 500_000_000
    writer, cutter = Activity(project, waiting_process.pid, now), Activity(project, os.getpid(), now + 200)
    path = project / "file"
    with ingestion_lock(str(project), 10) as held, open_store(str(project), write=True) as store:
        assert held
        ingester = wire(store)
        path.write_bytes(b"x" * _LARGE)
        stat = _stat(path)
        writer.start()
        writer.progress(["w", now + 100, str(path), None, "create", None])
        writer.end(now + 150)

        def news() -> bool:
            cutter.start()
            cutter.progress(["w", now + 300, str(path), stat, "truncate", None])
            cutter.end(now + 400)
            return False

        cutting = threading.Thread(target=path.write_bytes, args=(b"",))

        def place(absolute: str) -> str:  # asked before the first look
            if not cutting.ident:
                cutting.start()
                while path.stat().st_size:
                    pass
            return absolute

        ingester.lookup.contents.place = place  # type: ignore[method-assign]
        ingester.lookup.contents.is_late = news
        while ingester.step():
            pass
        cutting.join()
    graph = Lab(provdb).graph()
    first, second = (graph.vertices[uid] for uid in graph.snapshots("file"))
    assert (first["size_bytes"], first["content"]) == (_LARGE, "unknown")
    assert (second["size_bytes"], second.get("content")) == (0, None)
    assert not graph.of("Unseen")
