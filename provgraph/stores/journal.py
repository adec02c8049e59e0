"""The journal: every fact, once, in order. The one file of a store that cannot be made anew.

``meta`` says whose it is; ``event`` only ever grows (triggers refuse anything else). A commit returns when the events
are on the disk (synchronous=FULL). Readers never wait for the writer; writers wait for each other.
"""

import contextlib
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from provgraph.errors import CorruptError, StoreError
from provgraph.events import Event, EventBuilder
from provgraph.events.envelope import KINDS
from provgraph.events.ports import Resumed
from provgraph.model.identity import Namespace
from provgraph.model.vocabulary import kind_of
from provgraph.schemas import SchemaError, validator
from provgraph.stores.connection import connect, malformed
from provgraph.stores.encoding import pack, unpack

SCHEMA_VERSION: Final = 1
ENDLESS: Final = (1 << 63) - 1
"""Above every number: up to where the present origin's events are this disk's own."""

TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    uid BLOB NOT NULL,
    origin BLOB NOT NULL,
    origin_seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    schema INTEGER NOT NULL,
    time TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (origin, origin_seq)
);
"""

TRIGGERS: Final = {
    "event_never_changes": "CREATE TRIGGER event_never_changes BEFORE UPDATE ON event "
    "BEGIN SELECT raise(ABORT, 'the journal is append-only'); END",
    "event_never_goes": "CREATE TRIGGER event_never_goes BEFORE DELETE ON event "
    "BEGIN SELECT raise(ABORT, 'the journal is append-only'); END",
    # INSERT OR REPLACE would get past the two above.
    "event_never_replaced": "CREATE TRIGGER event_never_replaced BEFORE INSERT ON event "
    "WHEN EXISTS (SELECT 1 FROM event WHERE seq = new.seq) "
    "BEGIN SELECT raise(ABORT, 'the journal is append-only'); END",
}

_INSERT: Final = "INSERT INTO event (seq, uid, origin, origin_seq, kind, schema, time, body) VALUES (?,?,?,?,?,?,?,?)"
_COLUMNS: Final = "seq, uid, origin, origin_seq, kind, schema, time, body"


class JournalBatch:
    """One write transaction: what its events hold at its end becomes visible together."""

    def __init__(self, namespace: Namespace, origin: str, seq: int, origin_seq: int) -> None:
        self._namespace, self._origin, self._seq, self._origin_seq = namespace, origin, seq, origin_seq
        self._builders: list[EventBuilder] = []

    def event(self, kind: str, time: str) -> EventBuilder:
        """Begin an event; its number is fixed now.

        Parameters:
            kind: one of ``events.envelope.KINDS``.
            time: ISO 8601 in UTC with ``+00:00``.
        Raises:
            ValueError: an unknown kind.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown event kind {kind!r}")
        self._origin_seq += 1
        builder = EventBuilder(self._namespace, self._origin, self._origin_seq, kind, time)
        self._builders.append(builder)
        return builder

    def events(self) -> list[Event]:
        """The events so far, checked.

        Raises:
            SchemaError: a body that does not have the shape of an event.
            ValueError: not exactly one PROV kind among a vertex's labels, or a place that the event does not have.
        """
        check = validator("event")
        found = []
        for number, builder in enumerate(self._builders, self._seq + 1):
            schema, body = KINDS[builder.kind][0], builder.body
            check(
                {
                    "origin_seq": builder.origin_seq,
                    "kind": builder.kind,
                    "schema": schema,
                    "time": builder.time,
                    "body": body,
                }
            )
            _check_places(body)
            uid = self._namespace.event(self._origin, builder.origin_seq)
            event = Event(number, uid, self._origin, builder.origin_seq, builder.kind, schema, builder.time, body)
            found.append(event)
        return found


def _check_places(body: dict[str, Any]) -> None:
    vertices = body.get("vertices", ())
    for row in vertices:
        kind_of(row[0])
    for row in body.get("edges", ()):
        for place in (row[1], row[2]):
            if isinstance(place, int) and place >= len(vertices):
                raise ValueError(f"an edge names vertex {place} of an event that has {len(vertices)}")


class Journal:
    """The events of a project on this disk.

    Parameters:
        path: the database file.
        write: open it for writing.
    Raises:
        CorruptError: it is damaged.
        StoreError: it cannot be opened.
    """

    def __init__(self, path: Path, *, write: bool) -> None:
        self.path = path
        self._db = connect(path, write=write)
        meta = self.meta()
        if "project" not in meta or "origin" not in meta:
            raise CorruptError(f"{path} does not say whose journal it is; restore a backup")
        self.project: str = meta["project"]
        self.origin: str = meta["origin"]
        self.namespace = Namespace(self.project)
        self.after_commit: Callable[[Sequence[Event]], None] = lambda events: None
        """Called after each batch with its events; the store brings the projection up to date in it."""
        self.find_spools: Callable[[Sequence[str]], dict[str, Resumed]] = lambda spools: {}
        """Answers ``resume``; the store asks its projection in it."""

    def resume(self, spools: Sequence[str]) -> dict[str, Resumed]:
        """What was journaled of activities, by the ``spool`` that their events' facts name."""
        return self.find_spools(spools)

    def meta(self) -> dict[str, str]:
        """Whose journal it is: ``project``, ``origin``, ``machine``, ``device``, ``inode``, ``created_at``."""
        with self._readable("meta"):
            return dict(self._db.execute("SELECT key, value FROM meta"))

    @contextlib.contextmanager
    def _readable(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if malformed(error):
                raise CorruptError(f"{self.path} is damaged at {what} ({error}); restore a backup") from error
            raise StoreError(f"{self.path} cannot be read at {what}: {error}") from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction on the raw database: rolled back where the block raises."""
        with self._readable("its end"):
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def batch(self, meta: dict[str, str] | None = None) -> Iterator[JournalBatch]:
        """A transaction of events, durable at the end of the block. Nothing is written where the block raises.

        ``meta`` replaces entries of ``meta()`` in the same transaction (a new origin begins so).
        Cost: one fsync, then 100 µs a small event.
        """
        try:
            with self.transaction() as db:
                if meta:
                    db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())
                # Another process may have begun a new origin since this one opened the store.
                self.origin = db.execute("SELECT value FROM meta WHERE key = 'origin'").fetchone()[0]
                batch = JournalBatch(self.namespace, self.origin, self.last_seq(), self.last_of(self.origin))
                yield batch
                events = batch.events()
                db.executemany(_INSERT, map(_row, events))
        except sqlite3.DatabaseError as error:
            what = "is damaged" if malformed(error) else "could not be written"
            raise (CorruptError if malformed(error) else StoreError)(f"{self.path} {what}: {error}") from error
        if events:
            self.after_commit(events)

    def append_foreign(self, events: Iterable[Event]) -> int:
        """Append events of other origins as they are, with numbers of this journal; returns how many were new.

        All or nothing, durable on return. Of each origin they must follow, without a gap, what is here of it; what is
        here already is passed over, so that the same events may come twice. Cost: 50 µs an event, one fsync.

        Raises:
            StoreError: a gap, an event of this clone's own origin or of another project, or one that has not the
                shape of an event; nothing was written.
        """
        found = list(events)
        try:
            with self.transaction() as db:
                own = db.execute("SELECT value FROM meta WHERE key = 'origin'").fetchone()[0]
                fresh = self._foreign(found, own)
                db.executemany(_INSERT, map(_row, fresh))
        except sqlite3.DatabaseError as error:
            what = "is damaged" if malformed(error) else "could not be written"
            raise (CorruptError if malformed(error) else StoreError)(f"{self.path} {what}: {error}") from error
        if fresh:
            self.after_commit(fresh)
        return len(fresh)

    def _foreign(self, events: Sequence[Event], own: str) -> list[Event]:
        """Those that are new, numbered and checked."""
        fresh: list[Event] = []
        last: dict[str, int] = {}
        seq = self.last_seq()
        for event in events:
            if event.origin == own:
                raise StoreError(
                    f"event {event.origin_seq} of {own} is this clone's own and cannot come from elsewhere; "
                    "where a backup was put back, `provdb doctor` tells what to do"
                )
            before = last[event.origin] if event.origin in last else self.last_of(event.origin)
            if event.origin_seq > before + 1:
                raise StoreError(
                    f"of clone {event.origin} event {event.origin_seq} came, but only {before} are here; "
                    "nothing was added, pull again"
                )
            last[event.origin] = max(before, event.origin_seq)
            if event.origin_seq == before + 1:
                _check_foreign(event, self.namespace)
                seq += 1
                fresh.append(replace(event, seq=seq))
        return fresh

    def lineage(self) -> dict[str, int]:
        """The origins whose events are this disk's own, each with the number of its last such event.

        The present one, and those that it was forked from (a copied folder, a restored backup) up to the fork: what the
        old one did after that is another clone's. An event that is this disk's own stays so. Cost: 20 µs each.
        """
        found: dict[str, int] = {}
        origin, upto = self.meta()["origin"], ENDLESS
        while origin not in found:
            found[origin] = upto
            facts = self.begun(origin)
            origin, upto = str(facts.get("forked_from", origin)), int(facts.get("forked_at", 0))
        return found

    def begun(self, origin: str) -> dict[str, Any]:
        """What an origin said of itself when it began: ``host``, ``folder``, ``forked_from``, ``forked_at``. 20 µs.

        Nothing where it told nothing, and where the event is damaged (`doctor` tells that).
        """
        query = "SELECT body FROM event WHERE origin = ? AND origin_seq <= 2 AND kind = 'origin.begun'"
        with contextlib.suppress(sqlite3.DatabaseError, ValueError, TypeError, AttributeError):
            row = self._db.execute(query, (uuid.UUID(origin).bytes,)).fetchone()
            return {} if row is None else dict(unpack(row[0]).get("facts", {}))
        return {}

    def last_seq(self) -> int:
        """The number of the newest event, 0 where there is none."""
        with self._readable("its end"):
            return int(self._db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])

    def last_of(self, origin: str) -> int:
        """The number of the newest event of an origin, 0 where there is none."""
        query = "SELECT coalesce(max(origin_seq), 0) FROM event WHERE origin = ?"
        return int(self._db.execute(query, (uuid.UUID(origin).bytes,)).fetchone()[0])

    def uid_at(self, seq: int) -> str | None:
        """The uid of the event with this number."""
        with self._readable(f"event {seq}"):
            row = self._db.execute("SELECT uid FROM event WHERE seq = ?", (seq,)).fetchone()
        return None if row is None else str(uuid.UUID(bytes=row[0]))

    def events(self, after: int = 0, upto: int | None = None) -> Iterator[Event]:
        """The events after number ``after``, in order, read as they are asked for.

        Raises:
            CorruptError: an event cannot be read; the message names it.
        """
        query = f"SELECT {_COLUMNS} FROM event WHERE seq > ? AND seq <= ? ORDER BY seq"
        seq = after
        with self._readable(f"event {seq + 1}"):
            cursor = self._db.execute(query, (after, upto if upto is not None else 1 << 62))
        while True:
            with self._readable(f"event {seq + 1}"):
                row = cursor.fetchone()
            if row is None:
                return
            seq = row[0]
            yield self._event(row)

    def of_kind(self, kind: str, after: int = 0) -> list[Event]:
        """The events of one kind after number ``after``, in order. Cost: 0.5 µs for each of the others.

        Raises:
            CorruptError: one cannot be read; the message names it.
        """
        query = f"SELECT {_COLUMNS} FROM event WHERE kind = ? AND seq > ? ORDER BY seq"
        with self._readable(f"its events {kind}"):
            return [self._event(row) for row in self._db.execute(query, (kind, after))]

    def lasts(self) -> dict[str, int]:
        """Origin → number of its newest event here, for every origin. Cost: two look-ups an origin."""
        query = (
            "WITH RECURSIVE known(origin) AS (SELECT min(origin) FROM event UNION ALL SELECT "
            "(SELECT min(origin) FROM event WHERE origin > known.origin) FROM known WHERE known.origin IS NOT NULL) "
            "SELECT origin, (SELECT max(origin_seq) FROM event WHERE event.origin = known.origin) FROM known "
            "WHERE origin IS NOT NULL ORDER BY origin"
        )
        with self._readable("its origins"):
            return {str(uuid.UUID(bytes=origin)): last for origin, last in self._db.execute(query)}

    def of_origin(self, origin: str, after: int = 0) -> Iterator[tuple[Event, int]]:
        """An origin's events after its own number ``after``, in order, each with its size in bytes here.

        Raises:
            CorruptError: an event cannot be read; the message names it.
        """
        query = f"SELECT {_COLUMNS}, length(body) FROM event WHERE origin = ? AND origin_seq > ? ORDER BY origin_seq"
        with self._readable(f"the events of {origin}"):
            cursor = self._db.execute(query, (uuid.UUID(origin).bytes, after))
        while True:
            with self._readable(f"the events of {origin}"):
                row = cursor.fetchone()
            if row is None:
                return
            yield self._event(row[:-1]), row[-1]

    def event(self, seq: int) -> Event:
        """One event by its number.

        Raises:
            CorruptError: it is not there, or cannot be read.
        """
        for event in self.events(seq - 1, seq):
            return event
        raise CorruptError(f"{self.path} has no event {seq}; type `provdb doctor`")

    def _event(self, row: tuple[Any, ...]) -> Event:
        seq, uid, origin, origin_seq, kind, schema, time, body = row
        try:
            parsed = unpack(body)
            uids = str(uuid.UUID(bytes=uid)), str(uuid.UUID(bytes=origin))
        except (ValueError, TypeError) as error:
            raise CorruptError(f"event {seq} in {self.path} is damaged: {error}; restore a backup") from error
        return Event(seq, uids[0], uids[1], origin_seq, kind, schema, time, parsed)

    def checkpoint(self) -> None:
        """Give the write-ahead log's space back, where no reader is in the way."""
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def connection(self) -> sqlite3.Connection:
        """The raw database, for backup and doctor."""
        return self._db

    def close(self) -> None:
        """Close the database."""
        self._db.close()


def _check_foreign(event: Event, namespace: Namespace) -> None:
    """That an event from elsewhere is one of this project's.

    Raises:
        StoreError: it is not; the message names it.
    """
    try:
        validator("event")({key: getattr(event, key) for key in event.__slots__ if key != "seq"})
        _check_places(dict(event.body))
    except (SchemaError, ValueError, TypeError) as error:
        raise StoreError(
            f"event {event.origin_seq} of clone {event.origin} has not the shape of one ({error}); nothing was added"
        ) from error
    if event.uid != namespace.event(event.origin, event.origin_seq):
        raise StoreError(f"event {event.origin_seq} of clone {event.origin} is of another project; nothing was added")


def _row(event: Event) -> tuple[Any, ...]:
    return (
        event.seq,
        uuid.UUID(event.uid).bytes,
        uuid.UUID(event.origin).bytes,
        event.origin_seq,
        event.kind,
        event.schema,
        event.time,
        pack(event.body),
    )


def create_journal(path: Path, meta: dict[str, str]) -> None:
    """Make an empty journal: all or nothing, also when two processes do so at once."""
    with contextlib.closing(connect(path, create=True)) as db:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            for statement in TABLES.split(";"):
                if statement.strip():
                    db.execute(statement)
            for trigger in TRIGGERS.values():
                db.execute(trigger)
            db.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        db.execute("COMMIT")
