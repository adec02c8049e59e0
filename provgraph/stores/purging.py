"""Removing for good: the one thing that overwrites history (semantics rule 23), and it leaves a tombstone.

The journal's events are rewritten in one transaction, together with the tombstone and with a note in ``meta`` of what
is still to be cleaned up: what follows from the journal, the pages and logs in which the old bytes still lie. Whoever
is killed before that transaction's end leaves the old state; whoever is killed after it leaves the note, and the next
one to open the store finishes the work (:func:`finish`). Nothing that is written ever says what was removed.
"""

import contextlib
import hashlib
import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import CorruptError, StoreError
from provgraph.events import Event
from provgraph.schemas import validator
from provgraph.stores import files
from provgraph.stores.connection import BUSY_S, connect
from provgraph.stores.encoding import dumps, pack
from provgraph.stores.journal import TRIGGERS, Journal
from provgraph.stores.purge_bodies import KIND, Removal, Rewriter, digests_in, merged

if TYPE_CHECKING:
    from provgraph.stores.embedded import EmbeddedStore

MARKER: Final = "purging"
"""The key in the journal's ``meta`` under which stands what is still to be cleaned up."""
APPLIED: Final = "purges"
"""The key under which stands, by origin, the number of the newest tombstone that was obeyed here."""
_STEP: Final = 1_000
_SETS: Final = 5_000
"""Vertices that one tombstone marks; more are several tombstones."""
_KEPT_CACHES: Final = ("looked", "hinted")
_LATER: Final = "later"
"""In the note: only old pages and logs are left."""
_PATIENCE_S: Final = 10.0
_BLIND: Final = b"provgraph purged object\0"

Name = tuple[str, int]
"""(origin, origin_seq) of an event."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a removal meets in the journal.

    ``keys`` counts by property how often something goes; ``vertices`` are uids as they were; ``renamed`` is the number
    of vertices that get a fresh uid, since theirs is a digest of what goes.
    """

    events: int
    vertices: tuple[str, ...]
    keys: Mapping[str, int]
    renamed: int


@dataclass(frozen=True, slots=True)
class Purged:
    """What was removed: ``found``, the uid of the tombstone, and whether all that is cleaned up afterwards was."""

    found: Found
    tombstone: str
    finished: bool


def look(store: "EmbeddedStore", removal: Removal) -> Found:
    """What a removal would meet. Cost: 0.1 ms an event."""
    rewriter = Rewriter(removal, store.namespace)
    touched = _touched(store.journal, rewriter)
    return _found(rewriter, len(touched))


def purge(store: "EmbeddedStore", removal: Removal, *, by: str, at: str) -> Purged:
    """Remove; the caller holds the ingestion lock, and has cleaned what lies outside of the journal.

    Parameters:
        by: who does it, as the tombstone shall say. at: ISO 8601 in UTC.
    Raises:
        StoreError: the journal cannot be written; nothing was changed.
    """
    journal = store.journal
    told, journal.after_commit = journal.after_commit, lambda events: None  # the projection is made anew instead
    try:
        journal.connection.execute("PRAGMA secure_delete=ON")
        with journal.batch() as batch:
            first = Rewriter(removal, store.namespace)
            touched = _touched(journal, first)
            rewriter = Rewriter(replace(removal, renamed=first.renamed), store.namespace)
            with _unguarded(journal):
                names = _rewrite(journal, rewriter, touched)
            changed = [rewriter.uid(uid) for uid in rewriter.vertices]
            event = batch.event(KIND, at)
            uid = store.namespace.event(event.origin, event.origin_seq)
            event.facts |= {"what": removal.what, "by": by, "events": _ranges(names)}
            if removal.digests:
                event.facts["objects"] = sorted(blinded(uid, sha256) for sha256 in removal.digests)
            newest = event.origin_seq
            for start in range(0, len(changed), _SETS):
                tomb = event
                if start:
                    tomb = batch.event(KIND, at)
                    tomb.facts |= {"what": removal.what, "by": by}
                    newest = tomb.origin_seq
                for vertex in changed[start : start + _SETS]:
                    tomb.set(vertex, purged_at=at, purged_by=by)
            _note(journal, {"objects": sorted(removal.digests), "moved": sorted(rewriter.moved)})
            _note_applied(journal, {event.origin: newest})
    finally:
        journal.after_commit = told
    return Purged(_found(rewriter, len(names)), uid, finish(store, _PATIENCE_S))


def blinded(tombstone: str, sha256: str) -> str:
    """How a tombstone names a content: whoever holds the content recognises it, nobody else learns its digest."""
    return hashlib.sha256(_BLIND + tombstone.encode() + b"\0" + bytes.fromhex(sha256)).hexdigest()


def _found(rewriter: Rewriter, events: int) -> Found:
    keys = dict(sorted(rewriter.keys.items(), key=lambda pair: (-pair[1], pair[0])))
    return Found(events, tuple(rewriter.vertices), keys, len(rewriter.renamed))


def _touched(journal: Journal, rewriter: Rewriter) -> list[int]:
    """The numbers of the events that lose something, and in ``rewriter`` which uids do."""
    return [event.seq for event in _in_steps(journal) if rewriter.body(event) is not None]


def _in_steps(journal: Journal) -> Iterator[Event]:
    """All events; none is being read while one is handed out, so it may be written."""
    last = journal.last_seq()
    for start in range(0, last, _STEP):
        yield from list(journal.events(start, min(start + _STEP, last)))


def _rewrite(journal: Journal, rewriter: Rewriter, touched: Sequence[int]) -> list[Name]:
    """Rewrite the events within a transaction; returns which ones."""
    events = _in_steps(journal) if rewriter.renamed else (journal.event(seq) for seq in touched)
    names = []
    for event in events:
        body = rewriter.body(event)
        if body is not None:
            _replace_body(journal, event, body)
            names.append((event.origin, event.origin_seq))
    return names


def _replace_body(journal: Journal, event: Event, body: Mapping[str, Any]) -> None:
    shape = {"origin_seq": event.origin_seq, "kind": event.kind, "schema": event.schema, "time": event.time}
    validator("event")({**shape, "body": dict(body)})
    journal.connection.execute("UPDATE event SET body = ? WHERE seq = ?", (pack(body), event.seq))


@contextlib.contextmanager
def _unguarded(journal: Journal) -> Iterator[None]:
    """Within a transaction: without the triggers that refuse every change. They are back before it is committed."""
    db = journal.connection
    for name in TRIGGERS:
        db.execute(f"DROP TRIGGER IF EXISTS {name}")
    yield
    for text in TRIGGERS.values():
        db.execute(text)


def _note(journal: Journal, rest: Mapping[str, list[str]]) -> None:
    """Note what is to be cleaned up, beside what an earlier purge may have left to do (but not the pages)."""
    earlier = json.loads(journal.meta().get(MARKER, "{}"))
    both = {key: sorted({*earlier.get(key, ()), *values}) for key, values in rest.items()}
    journal.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (MARKER, json.dumps(both)))


def _note_applied(journal: Journal, newest: Mapping[str, int]) -> None:
    known = applied(journal)
    for origin, number in newest.items():
        known[origin] = max(known.get(origin, 0), number)
    journal.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (APPLIED, json.dumps(known)))


def _ranges(names: Iterable[Name]) -> dict[str, list[list[int]]]:
    """Events by origin, as [first, last] of those without a gap."""
    found: dict[str, list[list[int]]] = {}
    for origin, number in sorted(names):
        runs = found.setdefault(origin, [])
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return found


def named(tombstone: Event, upto: Mapping[str, int]) -> Iterator[Name]:
    """The events that a tombstone says were rewritten, of each origin up to a number."""
    for origin, runs in tombstone.body.get("facts", {}).get("events", {}).items():
        for first, last in runs:
            yield from ((origin, number) for number in range(first, min(last, upto.get(origin, 0)) + 1))


# -- afterwards


def unfinished(store: "EmbeddedStore") -> bool:
    """Whether a purge was cut short after its transaction. Cost: one look-up."""
    return MARKER in store.journal.meta()


def finish(store: "EmbeddedStore", wait_s: float = 1.0) -> bool:
    """Clean up after a purge: contents, projection, caches, pages, logs. May be repeated, also by several at once.

    Parameters:
        wait_s: how long those are waited for who read.
    Returns:
        Whether all of it is done; else the next one to open the store tries again.
    """
    note = store.journal.meta().get(MARKER)
    if note is None:
        return True
    rest: dict[str, list[str]] = json.loads(note)
    try:
        with contextlib.closing(connect(store.local.path, synchronous="NORMAL", create=True)) as local:
            if not rest.get(_LATER):
                _remove_what_follows(store, local, rest)
            with _patience(wait_s, store.journal.connection, store.graph, local):
                # Each of them, whatever becomes of the others.
                done = [_compacted(db) for db in (store.graph, local, store.journal.connection)]
                if not all(done):
                    return False
                with store.journal.transaction() as db:
                    db.execute("DELETE FROM meta WHERE key = ?", (MARKER,))
                return _emptied_log(store.journal.connection)
    except (sqlite3.Error, StoreError, OSError):
        return False  # somebody writes, or the disk is full


def _remove_what_follows(store: "EmbeddedStore", local: sqlite3.Connection, rest: Mapping[str, list[str]]) -> None:
    """Remove contents, and make anew what follows from the journal."""
    for sha256 in rest.get("objects", ()):
        if sha256 in store.objects:
            store.objects.remove(sha256)
    for path in store.objects.leftovers():
        path.unlink(missing_ok=True)
    forget_local(local, rest.get("objects", ()), rest.get("moved", ()))
    store.rebuild()
    _clear_caches(store.folder)
    with store.journal.transaction() as db:
        db.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps({_LATER: ["pages"]}), MARKER))


@contextlib.contextmanager
def _patience(wait_s: float, *databases: sqlite3.Connection) -> Iterator[None]:
    """For how long these wait for others."""
    for db in databases:
        db.execute(f"PRAGMA busy_timeout={int(wait_s * 1000)}")
    try:
        yield
    finally:
        for db in databases:
            db.execute(f"PRAGMA busy_timeout={int(BUSY_S * 1000)}")


def forget_local(db: sqlite3.Connection, digests: Iterable[str], vertices: Iterable[str]) -> None:
    """Take digests, references to rewritten events and the places of snapshots out of the local tables."""
    db.execute("PRAGMA secure_delete=ON")
    if db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'digest'").fetchone()[0] == 0:
        return
    db.execute("BEGIN IMMEDIATE")
    db.executemany("DELETE FROM digest WHERE sha256 = ?", ((bytes.fromhex(sha256),) for sha256 in digests))
    db.execute("DELETE FROM digest WHERE length(sha256) = 8")
    db.executemany("DELETE FROM present WHERE vertex = ?", ((uuid.UUID(uid).bytes,) for uid in vertices))
    db.execute("COMMIT")


def _compacted(db: sqlite3.Connection) -> bool:
    db.execute("PRAGMA secure_delete=ON")
    try:
        db.execute("VACUUM")
    except sqlite3.OperationalError:
        return False
    return _emptied_log(db)


def _emptied_log(db: sqlite3.Connection) -> bool:
    """Whether nothing is left in the write-ahead log: a reader that stays longer than a minute keeps it."""
    busy: int = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy


def _clear_caches(folder: Path) -> None:
    for path in (folder / files.CACHE).rglob("*"):
        if path.name not in _KEPT_CACHES and not path.is_dir():
            path.unlink(missing_ok=True)
    for path in folder.glob(f"{files.GRAPH}.*.new*"):  # of a rebuild that was killed
        path.unlink(missing_ok=True)


# -- what others removed


def pending_tombstones(store: "EmbeddedStore") -> list[Event]:
    """Tombstones that came from elsewhere and were not obeyed here yet, in order."""
    if not has_tombstones(store):
        return []
    obeyed = applied(store.journal)
    return [event for event in tombstones(store.journal) if event.origin_seq > obeyed.get(event.origin, 0)]


def has_tombstones(store: "EmbeddedStore") -> bool:
    """Whether anything was ever forgotten. Cost: a look-up."""
    store.apply()
    return store.graph.execute("SELECT 1 FROM event_kind WHERE kind = ?", (KIND,)).fetchone() is not None


def applied(journal: Journal) -> dict[str, int]:
    """By origin, the number of the newest tombstone that was obeyed here."""
    known: dict[str, int] = json.loads(journal.meta().get(APPLIED, "{}"))
    return known


def tombstones(journal: Journal, after: int = 0) -> Iterator[Event]:
    """All tombstones, or those after an event's number here, in order. Cost: a look at each event's kind."""
    query = "SELECT seq FROM event WHERE kind = ? AND seq > ? ORDER BY seq"
    yield from (journal.event(row[0]) for row in journal.connection.execute(query, (KIND, after)).fetchall())


def apply_tombstones(
    store: "EmbeddedStore",
    events: Sequence[Event],
    purged: Mapping[Name, Mapping[str, Any]],
    sent: Mapping[str, int] = MappingProxyType({}),
) -> int:
    """Obey tombstones that were pulled: take the purged versions of the events that they name, and drop the contents
    that go with what they lack.

    Parameters:
        events: tombstones, which are in the journal already (``pending_tombstones``).
        purged: the bodies of the events that they name, as they are now where the tombstones came from. Events that
            are not here, and those that are the same here, are passed over.
        sent: the number of the newest event by origin that is there. Tombstones up to it are obeyed there already;
            what others here took away is kept away.

    Returns:
        How many events were rewritten.

    Raises:
        CorruptError: a version has not as many vertices of the same labels, edges of the same types and changes as
            the event; nothing was changed. What stands in them is not compared: who may write there is trusted.
    """
    journal = store.journal
    lasts, uids = journal.lasts(), {tombstone.uid for tombstone in events}
    wanted = {name for tombstone in events for name in named(tombstone, lasts) if name in purged}
    others = [tombstone for tombstone in tombstones(journal) if tombstone.uid not in uids]
    mine = {name for other in others if other.origin_seq > sent.get(other.origin, 0) for name in named(other, lasts)}
    gone, count = _contents_named(store, events), 0
    journal.connection.execute("PRAGMA secure_delete=ON")
    with journal.transaction(), _unguarded(journal):
        for origin, number in sorted(wanted):
            event = event_named(journal, origin, number)
            if event is None or dumps(event.body) == dumps(purged[origin, number]):
                continue
            given = dict(purged[origin, number])
            _check_shape(event, given)
            body = merged(event.body, given) if (origin, number) in mine else given
            gone |= digests_in(event.body) - digests_in(body)
            _replace_body(journal, event, body)
            count += 1
        if count or gone:
            _note(journal, {"objects": sorted(gone), "moved": []})
        newest: dict[str, int] = {}
        for tombstone in events:
            newest[tombstone.origin] = max(newest.get(tombstone.origin, 0), tombstone.origin_seq)
        _note_applied(journal, newest)
    finish(store, _PATIENCE_S)
    return count


def _contents_named(store: "EmbeddedStore", events: Sequence[Event]) -> set[str]:
    """The digests of contents here that the tombstones name. Cost: 1 µs an object and tombstone."""
    lists = [(event.uid, set(event.body.get("facts", {}).get("objects", ()))) for event in events]
    if not any(objects for _, objects in lists):
        return set()
    held = [sha256 for sha256, _ in store.objects.all()]
    return {sha256 for uid, objects in lists if objects for sha256 in held if blinded(uid, sha256) in objects}


def event_named(journal: Journal, origin: str, number: int) -> Event | None:
    """An event by its identity; None where it is not here."""
    query = "SELECT seq FROM event WHERE origin = ? AND origin_seq = ?"
    row = journal.connection.execute(query, (uuid.UUID(origin).bytes, number)).fetchone()
    return None if row is None else journal.event(row[0])


def _check_shape(event: Event, given: Mapping[str, Any]) -> None:
    """That a version has as many vertices, edges and changes as the event that it stands for, of the same kinds."""

    def shape(body: Mapping[str, Any]) -> list[Any]:
        vertices = [(row[0], len(row)) for row in body.get("vertices", ())]
        return [vertices, [row[0] for row in body.get("edges", ())], len(body.get("set", ()))]

    if shape(event.body) != shape(given):
        raise CorruptError(
            f"event {event.origin_seq} of {event.origin} was forgotten elsewhere, but what came in its place is "
            "another event; nothing was removed. Type `provdb doctor` in the clone that forgot it"
        )
