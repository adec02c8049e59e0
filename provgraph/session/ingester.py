"""The ingester as a process, and how others wait for it or do its work (one at a time for a project).

Run as ``python -m provgraph.session.ingester ROOT [LOCK]``: started by the supervisor beside a command, which hands on
the project's lock as a descriptor. After its first look it goes on at idle priority.
"""

import contextlib
import json
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provgraph.capture.wake import wake
from provgraph.client.path_class import Classifier
from provgraph.client.spool import give_to_owner
from provgraph.errors import ProvGraphError
from provgraph.ingest.loop import Ingester, Limits, Wiring
from provgraph.ingest.places import Places, read_ignore_file
from provgraph.ingest.records import alive, runs, spool_files
from provgraph.model.scrub import capture_patterns
from provgraph.schemas import validator
from provgraph.session.annotate import Annotator
from provgraph.session.background import Sender, push_later
from provgraph.session.capture_settings import path_rules, publish
from provgraph.session.interpreting.beside import Beside
from provgraph.session.interpreting.catalogue import Catalogue
from provgraph.session.interpreting.finding_events import scrubber
from provgraph.session.interpreting.following import Follows
from provgraph.session.interpreting.interpreter import Interpreter
from provgraph.session.locking import project_lock
from provgraph.stores import EmbeddedStore, open_store

LINGER_S: Final = 3.0
"""How long an ingester without work stays: the next command of a series finds it ready."""
_PATIENT_S: Final = 2.5
"""So long it leaves what has changed in the last moments; less than it stays, so that it looks at everything once."""
_LOCK_WAIT_S: Final = 5.0
_LOG_LIMIT: Final = 1 << 20
_LOOK: Final = b"?"
"""Rung at the bell: look for unseen changes now."""
LEAVE: Final = b"x"
"""Rung at the bell: let go of the lock, for the history is about to be rewritten (`provdb forget`)."""
_AWAY_S: Final = 0.2
"""How long the lock is left to who asked for it."""
_CLOCK_TICK_NS: Final = 4_000_000
"""Files bear times of the kernel's coarse clock, which is late by as much."""
_TAIL_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Pending:
    """What is not ingested: commands that have ended, when the wait was given up."""

    commands: int
    waited_s: float


def ingestion_lock(root: str, wait_s: float = 0.0) -> contextlib.AbstractContextManager[bool]:
    """Hold the project's ingestion lock; yields whether it could be had within ``wait_s`` seconds."""
    return project_lock(root, "ingester.lock", wait_s)


@contextlib.contextmanager
def _inherited(lock: int) -> Iterator[bool]:
    os.set_inheritable(lock, False)
    try:
        yield True
    finally:
        os.close(lock)


def wire(store: EmbeddedStore) -> Ingester:
    """An ingester for a store that is open for writing."""
    root = str(store.root)
    publish(store)
    patterns = capture_patterns(store.config.scrub_patterns, store.config.scrub_names)
    classifier = Classifier(root, os.environ.get("HOME") or os.path.expanduser("~"), path_rules(store))
    places = Places(root, os.uname().nodename, store.namespace, classifier.classify, read_ignore_file(root))
    follows = Follows(store, places, Catalogue(store), scrubber(patterns))
    beside = Beside(follows, Interpreter(store, places, patterns))
    return Ingester(
        Wiring(
            spool=os.path.join(root, ".provdb", "spool"),
            places=places,
            journal=store.journal,
            knowledge=store.knowledge,
            objects=store.objects,
            annotate=Annotator(trusted=store.trusted),
            validate=validator("spool"),
            limits=Limits(store.config.collection_threshold, store.config.hash_limit_bytes),
            interpreting=beside,
            growing=beside,
        )
    )


def run(root: str, lock: int | None = None) -> None:
    """Ingest until there has been nothing to do for a while.

    Parameters:
        lock: the descriptor of the project's lock, where it is held already; closed here.
    """
    with contextlib.ExitStack() as ears:
        with ingestion_lock(root, _LOCK_WAIT_S) if lock is None else _inherited(lock) as held:
            if not held:
                return
            with open_store(root, write=True) as store:
                bell = os.open(os.path.join(root, ".provdb", "bell"), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
                ears.callback(os.close, bell)
                with contextlib.closing(wire(store)) as ingester:
                    asked_to_leave = _follow(root, ingester, bell, Sender(store))
                push_later(store)
        rung = _heard(bell)
    # Whoever rang, or found the lock taken, between the last look and now started no ingester. From now on one does:
    # the bell is closed here, not by the end of this process, which at idle priority may take long.
    if rung or unfinished(root):
        if asked_to_leave or LEAVE in rung:
            time.sleep(_AWAY_S)  # who asked looks for the lock only now and then
        run(root)


def _follow(root: str, ingester: Ingester, bell: int, sender: Sender) -> bool:
    """Ingest until there is nothing to do; returns whether it was asked to leave before."""
    idle_since = time.monotonic()
    looked = True
    while _is_same(root, bell):
        if ingester.step():
            idle_since, looked = time.monotonic(), False
        _yield_the_processor()
        _write_log(root, ingester)
        sender.look()
        idle_s = time.monotonic() - idle_since
        if not ingester.busy and not looked and idle_s > 0.1:
            looked = ingester.notice(patient=idle_s < _PATIENT_S) and not ingester.hash_later()
        if not ingester.busy and not ingester.interpreting and idle_s > LINGER_S:
            return False
        wait_s = 0.01 if ingester.waiting else 0.05 if ingester.interpreting or not looked else 0.5
        ready, _, _ = select.select([bell, *ingester.wakes], [], [], wait_s)
        heard = _heard(bell) if bell in ready else b""
        if LEAVE in heard:
            return True
        if _LOOK in heard:
            ingester.step()
            ingester.notice()
            idle_since, looked = time.monotonic(), True
            with _answered(root).open("ab") as file:
                _give_to_owner(root, file.fileno())
                os.utime(file.fileno())
    return False


def _is_same(root: str, bell: int) -> bool:
    """Whether the store is still the one that was opened: what a removed one's ingester took from a new one is lost."""
    try:
        return os.path.samestat(os.fstat(bell), os.stat(os.path.join(root, ".provdb", "bell")))
    except FileNotFoundError:
        return False


def _give_to_owner(root: str, fd: int) -> None:
    """What root makes in another's store must not lock its owner out."""
    if os.geteuid() == 0:
        give_to_owner(fd, os.path.join(root, ".provdb"))


def _heard(bell: int) -> bytes:
    try:
        return os.read(bell, 65536)
    except BlockingIOError:
        return b""


def _answered(root: str) -> Path:
    """The file whose mtime says when a running ingester last looked because it was asked to."""
    return Path(root, ".provdb", "cache", "looked")


def _yield_the_processor() -> None:
    """Idle priority, once the first look is done: what the command opened first is fixed before it can change."""
    if hasattr(os, "SCHED_IDLE") and os.sched_getscheduler(0) != os.SCHED_IDLE:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def catch_up(root: str, timeout_s: float = 10.0, progress: Callable[[int], None] | None = None) -> Pending:
    """Wait until every command that has ended is ingested; do it here where no ingester runs.

    Commands that still run are not waited for.

    Parameters:
        timeout_s: gives up after this many seconds.
        progress: called with the number of commands that are left, about ten times a second.
    """
    began = time.monotonic()
    while True:
        left = unfinished(root)
        waited_s = time.monotonic() - began
        if not left or waited_s > timeout_s:
            if left:
                wake(root)  # what was begun here and takes longer, as an ingestor may, is not begun anew each time
            return Pending(left, waited_s)
        with ingestion_lock(root) as held:
            if held:
                with open_store(root, write=True) as store, contextlib.closing(wire(store)) as ingester:
                    while unfinished(root) and time.monotonic() - began < timeout_s:
                        if not ingester.step():
                            time.sleep(0.002)
                        _report(progress, root)
                    _write_log(root, ingester)
                    push_later(store)
                continue
        ring(root)
        _report(progress, root)
        time.sleep(0.01)


def notice(root: str, timeout_s: float = 10.0) -> None:
    """Journal what changed unseen in the tracked files; a running ingester is asked to, and waited for."""
    asked_ns = time.time_ns()
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with ingestion_lock(root) as held:
            if held:
                with open_store(root, write=True) as store:
                    with contextlib.closing(wire(store)) as ingester:
                        ingester.notice()
                    push_later(store)
                return
        ring(root, _LOOK)
        for _ in range(50):
            time.sleep(0.005)
            with contextlib.suppress(FileNotFoundError):
                if _answered(root).stat().st_mtime_ns >= asked_ns - _CLOCK_TICK_NS:
                    return


def ring(root: str, message: bytes = b"!") -> None:
    """Wake a running ingester."""
    with contextlib.suppress(OSError):
        fd = os.open(os.path.join(root, ".provdb", "bell"), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(fd, message)
        finally:
            os.close(fd)


def _report(progress: Callable[[int], None] | None, root: str) -> None:
    if progress is not None:
        progress(unfinished(root))


def unfinished(root: str) -> int:
    """How many commands have ended, or are gone without an end, and are not journaled yet."""
    return sum(_awaits_ingestion(root, path) for path in spool_files(os.path.join(root, ".provdb", "spool")))


def _awaits_ingestion(root: str, path: str) -> bool:
    try:
        with open(path, "rb") as file:
            first = file.readline()
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return False
    if any(line.startswith(b'{"record":"closed"') for line in lines[-2:]):
        return True
    if _gone(first):
        return True
    ends = [line for line in lines[:-1] if line.startswith(b'{"record":"end"')]  # the last one may be torn
    if not ends:
        return False
    end = json.loads(ends[-1])
    if not end.get("survivors"):
        return True
    # What outlives the command may take forever; what it did until its end is asked for.
    name = os.path.basename(path).removesuffix(".jsonl")
    with open_store(root, write=False) as store:
        journaled = store.journal.resume([name]).get(name)
    return journaled is None or journaled.t < int(end["t"])


def _gone(first: bytes) -> bool:
    """Whether nobody is left who could end an activity, as when the machine went down (rule 19)."""
    try:
        start = json.loads(first)
        return not (alive(start) or runs(start))
    except (ValueError, KeyError, TypeError):
        return False  # not begun, or damaged: the ingester tells


def _write_log(root: str, ingester: Ingester) -> None:
    if not ingester.log:
        return
    path = Path(root, ".provdb", "ingester.log")
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        _give_to_owner(root, file.fileno())
        file.writelines(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {line}\n" for line in ingester.log)
    ingester.log.clear()


if __name__ == "__main__":
    try:
        run(sys.argv[1], *map(int, sys.argv[2:3]))
    except ProvGraphError as error:
        with contextlib.suppress(OSError), open(os.path.join(sys.argv[1], ".provdb", "ingester.log"), "a") as log:
            _give_to_owner(sys.argv[1], log.fileno())
            log.write(f"{error}\n")
        sys.exit(error.exit_status)
