"""`provdb forget` killed at every step: the old state, or the new one, and a second time completes it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from forget_search import envelopes, holding
from graph_samples import Sample, make_sample

import provgraph

SECRET = "Zq7planted"
KILLED = """
import importlib, os, signal, sys
import provgraph
module, _, name = sys.argv[2].rpartition(".")
target = importlib.import_module(module.split(":")[0])
for part in module.split(":")[1:]:
    target = getattr(target, part)
when, real, left = sys.argv[3], getattr(target, name), [int(sys.argv[4])]
def dying(*arguments, **options):
    left[0] -= 1
    if left[0] == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    found = real(*arguments, **options)
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return found
setattr(target, name, dying)
with provgraph.open(sys.argv[1]) as project:
    project.forget(pattern=r"Zq7\\w+", contents=True)
"""
PURGING = "provgraph.stores.purging"
STEPS = [
    ("provgraph.stores.purge_files._rewrite_lines", "after", 1),
    (f"{PURGING}.purge", "before", 1),
    (f"{PURGING}._replace_body", "after", 2),
    (f"{PURGING}._note_applied", "after", 1),
    (f"{PURGING}.finish", "before", 1),
    ("provgraph.stores.objects:Objects.remove", "after", 1),
    ("provgraph.stores.embedded:EmbeddedStore.rebuild", "before", 1),
    (f"{PURGING}._clear_caches", "after", 1),
    (f"{PURGING}._compacted", "before", 1),
    (f"{PURGING}._compacted", "after", 3),
    (f"{PURGING}._emptied_log", "before", 4),
]


@pytest.fixture
def sample(place: Path, provdb: Any) -> Sample:
    made = make_sample(place)
    (place / "note.txt").write_text(f"{SECRET}\n")
    provdb("record", "--generated", "note.txt", "--command", f"echo {SECRET}")
    provdb("annotate", "model.pkl", f"x={SECRET}")
    (place / ".provdb/ingester.log").write_text(f"failed on {SECRET}\n")
    provdb("segment", "--to", "model.pkl")
    return made


@pytest.mark.parametrize(("step", "when", "number"), STEPS)
def test_killed_at(
    sample: Sample, provdb: Any, step: str, when: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", provdb.environment["XDG_DATA_HOME"])
    before = envelopes(sample.root)
    argv = [sys.executable, "-c", KILLED, str(sample.root), step, when, str(number)]
    done = subprocess.run(argv, env=provdb.environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr

    with provgraph.open(sample.root) as project:
        shown = project.show("model.pkl").vertex.properties["x"]
    after = envelopes(sample.root)
    assert after[: len(before)] == before
    if shown == "***":
        assert [event[3] for event in after[len(before) :]] == ["content.purged"]
        assert holding(sample.root, SECRET) == []
    else:
        assert shown == SECRET and after == before
    with provgraph.open(sample.root) as project:
        assert project.doctor().healthy
        project.forget(pattern=r"Zq7\w+", contents=True)
        assert holding(sample.root, SECRET) == []
        assert project.doctor().healthy


def test_a_reader_that_stays_keeps_old_bytes_until_the_next_opening(sample: Sample, provdb: Any) -> None:
    import sqlite3

    reader = sqlite3.connect(sample.root / ".provdb/journal.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM event").fetchone()
    told = provdb("forget", "--pattern", r"Zq7\w+", "--contents", "--yes")
    assert "the old bytes leave the disk when it is opened next" in told.stderr
    assert provdb.json("show", "model.pkl")["vertex"]["properties"]["x"] == "***"
    reader.execute("ROLLBACK")
    reader.close()
    provdb("log")
    assert holding(sample.root, SECRET) == []


def test_while_others_read_and_write(sample: Sample, provdb: Any) -> None:
    """Questions and annotations beside it all succeed, and answer from before or after."""
    stop, failed = threading.Event(), []

    def ask() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            for words in (["lineage", "model.pkl", "--json"], ["annotate", "raw.csv", f"n={number}"]):
                done = provdb(*words, check=None)
                if done.returncode:
                    failed.append((words, done.stderr))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        provdb("forget", "--pattern", r"Zq7\w+", "--contents", "--yes")
    finally:
        stop.set()
        thread.join()
    assert not failed
    assert holding(sample.root, SECRET) == []
    assert provdb.json("doctor")["healthy"]
    assert os.path.exists(sample.root / ".provdb/journal.db")
