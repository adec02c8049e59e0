"""The journal: append-only, durable, one order for all writers."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from provgraph.errors import CorruptError
from provgraph.schemas import SchemaError
from provgraph.stores import EmbeddedStore, open_store

AT = "2026-11-20T12:00:00+00:00"

WRITER = """
import sys
from provgraph.stores import open_store
store = open_store(sys.argv[1], write=True)
for number in range(int(sys.argv[2])):
    with store.journal.batch() as batch:
        for part in range(3):
            event = batch.event("activity.ended", "2026-11-20T12:00:00+00:00")
            event.vertex(["Activity", "Command"], {"name": f"{sys.argv[3]}.{number}.{part}", "started_at": event.time})
    print(number, flush=True)
"""


def test_events_come_back(store: EmbeddedStore) -> None:
    before = store.journal.last_seq()
    with store.journal.batch() as batch:
        event = batch.event("activity.begun", AT)
        uid = event.vertex(["Activity", "Command"], {"loss": float("nan"), "big": 1 << 80, "path": "\udcff"})
        event.facts["spool"] = "x"
    (found,) = store.events(after=before)
    assert (found.kind, found.origin, found.time, found.seq) == ("activity.begun", store.origin, AT, before + 1)
    assert found.uid == store.namespace.event(store.origin, found.origin_seq)
    labels, properties = found.body["vertices"][0]
    assert labels == ["Activity", "Command"] and properties["big"] == 1 << 80 and properties["path"] == "\udcff"
    assert properties["loss"] != properties["loss"]
    vertex = store.reader.vertex(uid)
    assert vertex is not None and vertex.properties["big"] == 1 << 80


@pytest.mark.parametrize("statement", [
    "UPDATE event SET kind = 'x'", "DELETE FROM event", "INSERT OR REPLACE INTO event SELECT * FROM event",
])  # fmt: skip
def test_nothing_changes_an_event(store: EmbeddedStore, statement: str) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        store.journal.connection.execute(statement)


def test_an_exception_writes_nothing(store: EmbeddedStore) -> None:
    before = store.journal.last_seq()

    def fail() -> None:
        with store.journal.batch() as batch:
            batch.event("activity.begun", AT).vertex(["Activity"], {})
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.journal.last_seq() == before


def test_a_body_of_another_shape_is_refused(store: EmbeddedStore) -> None:
    before = store.journal.last_seq()
    with pytest.raises(SchemaError, match="nested"), store.journal.batch() as batch:
        batch.event("activity.begun", AT).vertex(["Activity"], {"nested": {"a": 1}})
    with pytest.raises(ValueError, match="exactly one"), store.journal.batch() as batch:
        batch.event("activity.begun", AT).vertex(["Activity", "Entity"], {})
    with pytest.raises(ValueError, match="unknown event kind"), store.journal.batch() as batch:
        batch.event("coffee.made", AT)
    with pytest.raises(SchemaError, match="time"), store.journal.batch() as batch:
        batch.event("activity.begun", "yesterday")
    assert store.journal.last_seq() == before


def test_eight_processes_append_beside_each_other(store: EmbeddedStore) -> None:
    before = store.journal.last_seq()
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, store.root, "20", str(number)], stdout=subprocess.DEVNULL)
        for number in range(8)
    ]
    assert [writer.wait(120) for writer in writers] == [0] * 8
    events = list(store.events(after=before))
    assert len(events) == 8 * 20 * 3
    assert [event.seq for event in events] == list(range(before + 1, before + 481))
    assert [event.origin_seq for event in events] == [event.seq for event in events]
    store.apply()
    assert store.reader.labels()["Command"] == 480
    assert store.digest() == store.rebuild()


def test_killed_50_times_loses_nothing_acknowledged(store: EmbeddedStore) -> None:
    store.close()
    acknowledged, rng = 0, random.Random(7)
    for _ in range(50):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, store.root, "100000", "x"], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(rng.random() * 0.02)
        writer.send_signal(signal.SIGKILL)
        acknowledged += 3 * (1 + len(writer.stdout.read().splitlines()))
        writer.wait()
        writer.stdout.close()
    with open_store(store.root, write=True) as again:
        commands = [event for event in again.events() if event.kind == "activity.ended"]
        assert acknowledged <= len(commands) <= acknowledged + 50 * 3
        assert len(commands) % 3 == 0, "a batch is all or nothing"
        assert [event.seq for event in again.events()] == list(range(1, again.journal.last_seq() + 1))
        assert again.reader.labels()["Command"] == len(commands)
        assert again.digest() == again.rebuild()


def test_a_damaged_event_is_named(store: EmbeddedStore, command: Callable[..., dict[str, str]]) -> None:
    for number in range(5):
        command(f"c{number}")
    db = store.journal.connection
    db.execute("DROP TRIGGER event_never_changes")
    db.execute("UPDATE event SET body = x'01ffff' WHERE seq = 4")
    with pytest.raises(CorruptError, match="event 4"):
        list(store.events())


def test_torn_pages_are_an_error_that_names_the_file(
    store: EmbeddedStore, command: Callable[..., dict[str, str]], folder: Path
) -> None:
    for number in range(300):
        command(f"command number {number} {'x' * 50}", writes=(f"f{number}",))
    store.journal.checkpoint()
    store.close()
    path = folder / ".provdb/journal.db"
    data = bytearray(path.read_bytes())
    for page in range(2, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = os.urandom(200)
    path.write_bytes(data)
    with pytest.raises(CorruptError, match=r"journal\.db"), open_store(str(folder), write=False) as again:
        list(again.events())


def test_a_failing_projection_does_not_fail_the_batch(store: EmbeddedStore) -> None:
    store.graph.execute("PRAGMA query_only=ON")
    with store.journal.batch() as batch:
        uid = batch.event("activity.begun", AT).vertex(["Activity", "Command"], {"started_at": AT})
    assert store.projection_error is not None
    store.graph.execute("PRAGMA query_only=OFF")
    assert store.apply() == 1
    assert store.reader.vertex(uid) is not None
