"""What ``doctor`` looks at: each check finds, none repairs. Findings are data; the face prints them."""

import contextlib
import os
import sqlite3
import stat as stat_module
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import sqlite_utils

from provgraph.errors import CorruptError, StoreError
from provgraph.events import Event
from provgraph.events.envelope import KINDS
from provgraph.schemas import SchemaError, validator
from provgraph.stores import acyclicity, files, graph_tables, guard, purging
from provgraph.stores.embedded import EmbeddedStore
from provgraph.stores.lineage import uid_text
from provgraph.stores.projection import Projection

Severity = Literal["error", "warning", "note"]
_MOST: Final = 20
"""Findings of one kind that are listed one by one."""
_LOG_BYTES: Final = 65_536
_SETTLED_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing: what, where, and what to type next (``""`` where nothing helps)."""

    check: str
    severity: Severity
    message: str
    subject: str = ""
    remedy: str = ""


def check_store(store: EmbeddedStore, *, objects: bool = True, rebuild: bool = True) -> Iterator[Finding]:
    """Every finding, check by check.

    Parameters:
        objects: read every object and compare its digest. rebuild: compare the projection with a fresh one.
    Cost: a read of everything; without the two, a read of the journal.
    """
    yield from check_layout(store)
    damaged = list(check_journal(store))
    yield from damaged
    if not any(finding.severity == "error" for finding in damaged):
        yield from check_projection(store, rebuild=rebuild)
    if objects:
        yield from check_objects(store)
    yield from check_spool(store)
    yield from check_forgotten(store)
    yield from check_capture(store)


def check_layout(store: EmbeddedStore) -> Iterator[Finding]:
    """Modes, missing folders, the guard against git, trust."""
    mode = stat_module.S_IMODE(store.folder.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            "layout",
            "warning",
            f"others can read the store (mode {mode:o})",
            str(store.folder),
            f"chmod 700 {store.folder}",
        )
    for name in (files.OBJECTS, files.SPOOL, files.PREIMAGES, files.MARKS, files.BELL):
        if not (store.folder / name).exists():
            yield Finding("layout", "warning", "is missing", str(store.folder / name), "provdb init")
    if guard.renew_guard(store.root):
        yield Finding("layout", "note", "the guard against `git clean` was missing; it was renewed", store.root)
    if not store.trusted:
        yield Finding(
            "trust", "note", "its configuration is not trusted: only what protects is taken from it", store.root,
            f"provdb trust {store.root}",
        )  # fmt: skip


def check_journal(store: EmbeddedStore) -> Iterator[Finding]:
    """SQLite's own check, gaps in the numbers, and that every event can be read and has the shape of one."""
    remedy = "provdb doctor --backup made a copy? restore it"
    yield from (
        Finding("journal", "error", line, str(store.journal.path), remedy)
        for line in _integrity(store.journal.connection)
    )
    validate = validator("event")
    numbers: dict[str, int] = {}
    unknown: Counter[str] = Counter()
    expected, unreadable = 1, 0
    for event in _readable(store):
        if isinstance(event, Finding):
            yield event
            expected, unreadable = expected + 1, unreadable + 1
            continue
        if event.seq != expected:
            yield Finding("journal", "error", f"events {expected} to {event.seq - 1} are missing", remedy=remedy)
        before = numbers.get(event.origin, 0)
        if not before < event.origin_seq <= before + 1 + unreadable:
            message = f"is number {event.origin_seq} of its origin, after {before}"
            yield Finding("journal", "error", message, f"event {event.seq}", remedy)
        expected, numbers[event.origin] = event.seq + 1, event.origin_seq
        if event.kind not in KINDS or event.schema > KINDS[event.kind][0]:
            unknown[event.kind] += 1
            continue
        try:
            validate({key: getattr(event, key) for key in event.__slots__})
        except SchemaError as error:
            yield Finding("journal", "warning", str(error), f"event {event.seq}")
        if event.uid != store.namespace.event(event.origin, event.origin_seq):
            yield Finding("journal", "error", "its uid is not its own", f"event {event.seq}", remedy)
    if unknown:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(unknown.items()))
        yield Finding("journal", "note", f"holds events of kinds that this program does not know: {kinds}")


def _readable(store: EmbeddedStore) -> Iterator[Event | Finding]:
    """Events one by one; one that cannot be read is a finding, and the next ones follow."""
    seq, last = 0, _last(store)
    while seq < last:
        try:
            for event in store.journal.events(after=seq):
                seq = event.seq
                yield event
            return
        except CorruptError as error:
            seq += 1
            yield Finding("journal", "error", str(error), f"event {seq}", "restore a backup")


def _last(store: EmbeddedStore) -> int:
    try:
        return store.journal.last_seq()
    except StoreError:
        return 0


def _integrity(db: sqlite3.Connection) -> list[str]:
    try:
        rows = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({_MOST})")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [line for row in rows for line in row.splitlines() if row != "ok"]


def check_projection(store: EmbeddedStore, *, rebuild: bool = True) -> Iterator[Finding]:
    """That the projection is whole, says what the journal says, and holds no cycle (rule 4)."""
    remedy = "provdb doctor --rebuild"
    path = str(store.folder / files.GRAPH)
    lines = _integrity(store.graph)
    yield from (Finding("projection", "error", line, path, remedy) for line in lines)
    if lines:
        return
    if store.projection_error is not None:
        yield Finding("projection", "error", str(store.projection_error), path, remedy)
    if rebuild:
        db = sqlite3.connect(":memory:", isolation_level=None)
        graph_tables.create(db)
        Projection(db, store.namespace, store.journal.lineage).apply(store.events())
        if graph_tables.digest(db) != store.digest():
            yield Finding("projection", "error", "differs from what the journal gives", path, remedy)
        db.close()
    names = dict(store.graph.execute("SELECT id, uid FROM vertex")) if (found := acyclicity.cycles(store.graph)) else {}
    for cycle in found[:_MOST]:
        uids = ", ".join(uid_text(names[vertex]) for vertex in cycle[:5])
        yield Finding("projection", "error", f"{len(cycle)} vertices are each other's ancestors: {uids}")
    placeholders = sqlite_utils.Database(store.graph).table("vertex").count_where("labels IS NULL")
    if placeholders:
        yield Finding("projection", "warning", f"{placeholders} vertices are named by edges and were never recorded")


def check_objects(store: EmbeddedStore) -> Iterator[Finding]:
    """That every object still has its digest, and what killed writers left."""
    for sha256, _ in store.objects.all():
        if not store.objects.verify(sha256):
            rows = store.reader.snapshots_with_digest(sha256)
            names = ", ".join(f"{row.path}@{row.sequence}" for row in rows[:3]) or "nothing in the graph"
            yield Finding(
                "objects", "error", f"is damaged: the bytes of {names}", str(store.objects.path_of(sha256)),
                f"rm {store.objects.path_of(sha256)}",
            )  # fmt: skip
    left = store.objects.leftovers()
    if left:
        yield Finding(
            "objects", "note", f"{len(left)} unfinished files of writers that were killed", remedy="provdb gc"
        )


def check_spool(store: EmbeddedStore) -> Iterator[Finding]:
    """Copies of old contents whose activity is gone."""
    lost = lost_preimages(store)
    if lost:
        yield Finding(
            "spool", "note", f"{len(lost)} copies of old contents belong to no command any more", str(lost[0].parent),
            "provdb gc",
        )  # fmt: skip


def lost_preimages(store: EmbeddedStore) -> list[Path]:
    """Copies of old contents whose activity's spool file is gone, also one that was set aside as ``.failed``.

    Those of the last minute are left out: what a command sets aside may be there before its spool file is.
    """
    pre = store.folder / files.PREIMAGES
    old = time.time() - _SETTLED_S
    with contextlib.suppress(OSError):
        found = sorted(path for path in pre.iterdir() if path.lstat().st_mtime < old)
        names = set(os.listdir(store.folder / files.SPOOL))  # after the copies: what began since is no matter
        spools = {path: f"{path.name.rpartition('.')[0]}.jsonl" for path in found}
        return [path for path, spool in spools.items() if spool not in names and f"{spool}.failed" not in names]
    return []


def check_forgotten(store: EmbeddedStore) -> Iterator[Finding]:
    """What was removed for good, and whether its old pages are gone."""
    found = list(purging.tombstones(store.journal))
    if found:
        times = "once" if len(found) == 1 else f"{len(found)} times"
        by = found[-1].body.get("facts", {}).get("by", "somebody")
        message = f"{times} something was removed for good, the last time at {found[-1].time} by {by}"
        yield Finding("forgotten", "note", message)
    if purging.unfinished(store):
        message = "old bytes of what was removed are still in a log: another program reads this history"
        yield Finding("forgotten", "warning", message, str(store.journal.path), "end it, then type `provdb status`")


def check_capture(store: EmbeddedStore) -> Iterator[Finding]:
    """What capture and the ingester wrote down when they failed."""
    for line in _last_lines(store.folder / "ingester.log"):
        yield Finding("capture", "warning", line, str(store.folder / "ingester.log"))


def _last_lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if line.strip()][-_MOST:]
