"""Applies events to the tables of ``graph.db``: a mechanical expansion, the same for every kind of event.

One transaction a chunk of events. Within a chunk, vertices live in memory and are written once; the order in which
ids are given is that of the events, so chunks of any size give the same rows.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from provgraph.errors import CorruptError
from provgraph.events import Event
from provgraph.events.envelope import KINDS
from provgraph.model.identity import Namespace
from provgraph.model.vocabulary import kind_of
from provgraph.stores import acyclicity, side_tables
from provgraph.stores.encoding import column, dumps, loads
from provgraph.stores.graph_tables import RELATION_IDS

CHUNK: Final = 5_000
"""Events a transaction."""
_ELEMENTS: Final = 100_000
"""Vertices and edges after which a chunk ends early, so that memory stays bounded."""
_IN: Final = 500


class VertexState:
    """A vertex while a chunk is applied. ``id`` is its row; properties are parsed where they are needed."""

    __slots__ = ("_parsed", "born", "dirty", "id", "labels", "new", "origin", "relabelled", "seq", "text", "uid")

    def __init__(self, id: int, uid: bytes, labels: int | None, text: str, seq: int, new: bool) -> None:
        self.id, self.uid, self.labels, self.text, self.seq, self.new = id, uid, labels, text, seq, new
        self.dirty = self.relabelled = False
        self.origin = self.born = 0
        self._parsed: dict[str, Any] | None = None

    @property
    def properties(self) -> dict[str, Any]:
        """The properties, to be changed in place where ``dirty`` is set."""
        if self._parsed is None:
            self._parsed = loads(self.text)
        return self._parsed

    def merge(self, properties: dict[str, Any], seq: int) -> None:
        """Set properties; None removes one."""
        mine = self.properties
        for key, value in properties.items():
            if value is None:
                mine.pop(key, None)
            else:
                mine[key] = value
        self.dirty, self.seq = True, seq


class Projection:
    """Brings ``graph.db`` up to date.

    Parameters:
        db: the database, open for writing.
        namespace: the project's uids.
    """

    def __init__(self, db: sqlite3.Connection, namespace: Namespace) -> None:
        self.db, self.namespace = db, namespace
        self._labels: dict[tuple[str, ...], int] = {}
        self._label_texts: dict[int, tuple[str, ...]] = {}
        self._relations = dict(RELATION_IDS)
        self._keys: set[tuple[object, tuple[str, ...]]] = set()
        db.create_function("merge_properties", 2, _merge_texts, deterministic=True)

    def watermark(self) -> tuple[int, str | None]:
        """(number, uid) of the newest event that was applied; (0, None) where none was."""
        rows = dict(self.db.execute("SELECT key, value FROM meta"))
        return int(rows.get("seq", "0")), rows.get("event")

    def apply(self, events: Iterable[Event]) -> int:
        """Apply events that follow the watermark without a gap; returns how many. Cost: 50 µs a vertex with 3 edges.

        Events at or below the watermark are passed over (another process may have been faster).
        Raises:
            CorruptError: an event is missing.
        """
        iterator, done = iter(events), 0
        while chunk := list(_chunk(iterator)):
            self.db.execute("BEGIN IMMEDIATE")
            try:
                done += self._apply(chunk)
                self.db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # where the disk is full, SQLite has rolled back itself
                    self.db.execute("ROLLBACK")
                self._forget()
                raise
        return done

    def _forget(self) -> None:
        self._labels.clear()
        self._label_texts.clear()
        self._relations = dict(RELATION_IDS)
        self._keys.clear()

    def _apply(self, chunk: Sequence[Event]) -> int:
        seq, _ = self.watermark()
        chunk = [event for event in chunk if event.seq > seq]
        if not chunk:
            return 0
        if [event.seq for event in chunk] != list(range(seq + 1, seq + 1 + len(chunk))):
            raise CorruptError(f"the journal has no event {seq + 1}; type `provdb doctor`")
        _Chunk(self, chunk).run()
        last = chunk[-1]
        self.db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", (("seq", str(last.seq)), ("event", last.uid)))
        return len(chunk)

    def labelset(self, labels: tuple[str, ...]) -> int:
        """The id of a set of labels, in the order in which they were first written."""
        found = self._labels.get(labels)
        if found is None:
            text = dumps(list(labels))
            row = self.db.execute("SELECT id FROM labelset WHERE labels = ?", (text,)).fetchone()
            if row is None:
                values = (text, kind_of(labels).value, "Environment" in labels)
                row = (self.db.execute("INSERT INTO labelset VALUES (NULL, ?, ?, ?)", values).lastrowid,)
            found = self._labels[labels] = int(row[0])
            self._label_texts[found] = labels
        return found

    def labels_of(self, labelset: int | None) -> tuple[str, ...]:
        """The labels of a set; none for None."""
        if labelset is None:
            return ()
        found = self._label_texts.get(labelset)
        if found is None:
            text = self.db.execute("SELECT labels FROM labelset WHERE id = ?", (labelset,)).fetchone()[0]
            found = self._label_texts[labelset] = tuple(loads(text))
        return found

    def relation(self, name: str) -> int:
        """The id of a relation."""
        found = self._relations.get(name)
        if found is None:
            self.db.execute("INSERT OR IGNORE INTO relation (name) VALUES (?)", (name,))
            found = int(self.db.execute("SELECT id FROM relation WHERE name = ?", (name,)).fetchone()[0])
            self._relations[name] = found
        return found

    def origin(self, uid: str) -> int:
        """The id of an origin."""
        self.db.execute("INSERT OR IGNORE INTO origin (uid) VALUES (?)", (uid,))
        return int(self.db.execute("SELECT id FROM origin WHERE uid = ?", (uid,)).fetchone()[0])

    def note_keys(self, owners: tuple[str, ...], keys: tuple[str, ...]) -> None:
        """Note that these property keys stand on these labels (or this relation)."""
        if (owners, keys) not in self._keys:
            self._keys.add((owners, keys))
            rows = ((column(key), column(owner)) for key in keys for owner in owners)
            self.db.executemany("INSERT OR IGNORE INTO property_key VALUES (?, ?)", rows)


class _Chunk:
    """One transaction's worth of events."""

    def __init__(self, projection: Projection, events: Sequence[Event]) -> None:
        self.projection, self.db, self.events = projection, projection.db, events
        self.states: dict[bytes, VertexState] = {}
        self.edges: list[tuple[int, int, int, str, str, int]] = []
        self.members: list[tuple[bytes, str, int, int]] = []
        self.spools: list[tuple[str, bool, int | None, dict[str, Any]]] = []
        self.next_id = self.db.execute("SELECT coalesce(max(id), 0) + 1 FROM vertex").fetchone()[0]
        self.first_new = self.next_id
        self.origins: dict[str, int] = {}

    def run(self) -> None:
        fresh = [self._fresh_uids(event) for event in self.events]
        self._load(fresh)
        for event, uids in zip(self.events, fresh, strict=True):
            self._take(event, uids)
        self._write_vertices()
        self.db.executemany(
            "INSERT INTO edge (type, source, target, role, properties, seq, born) VALUES (?,?,?,?,?,?,?) "
            "ON CONFLICT (source, type, target, role) DO UPDATE SET "
            "properties = merge_properties(properties, excluded.properties), seq = excluded.seq",
            [(*edge, edge[5]) for edge in self.edges],
        )
        side_tables.write(self.projection, self.states.values(), self.edges, self.events[0].seq)
        for uid, chunk, seq, place in self.members:
            side_tables.write_members(self.db, self.states[uid], chunk, seq, place)
        side_tables.write_spools(self.db, self.spools)
        acyclicity.check(self.db, self.edges, self.first_new)
        kinds = Counter(event.kind for event in self.events)
        self.db.executemany(
            "INSERT INTO event_kind VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events",
            ((column(kind), kind in KINDS, count) for kind, count in kinds.items()),
        )

    def _fresh_uids(self, event: Event) -> list[bytes]:
        """The uids of an event's vertices, by place."""
        vertex = self.projection.namespace.vertex
        origin, number = event.origin, event.origin_seq
        return [
            _bytes(row[2]) if len(row) > 2 else _bytes(vertex(origin, number, place))
            for place, row in enumerate(event.body.get("vertices", ()))
        ]

    def _load(self, fresh: Sequence[list[bytes]]) -> None:
        """Read what the tables know of every uid that the chunk names."""
        wanted: dict[bytes, None] = dict.fromkeys(uid for uids in fresh for uid in uids)
        for event in self.events:
            for row in event.body.get("edges", ()):
                for place in (row[1], row[2]):
                    if isinstance(place, str):
                        wanted[_bytes(place)] = None
            for row in event.body.get("set", ()):
                wanted[_bytes(row[0])] = None
            for row in event.body.get("facts", {}).get("members", ()):
                if isinstance(row["vertex"], str):
                    wanted[_bytes(row["vertex"])] = None
        uids = list(wanted)
        for start in range(0, len(uids), _IN):
            part = uids[start : start + _IN]
            marks = ",".join("?" * len(part))
            query = f"SELECT id, uid, labels, properties, seq FROM vertex WHERE uid IN ({marks})"
            for id, uid, labels, text, seq in self.db.execute(query, part):
                self.states[uid] = VertexState(id, uid, labels, text, seq, new=False)

    def _state(self, uid: bytes, seq: int) -> VertexState:
        found = self.states.get(uid)
        if found is None:
            found = self.states[uid] = VertexState(self.next_id, uid, None, "{}", seq, new=True)
            self.next_id += 1
        return found

    def _take(self, event: Event, uids: list[bytes]) -> None:
        body, seq, projection = event.body, event.seq, self.projection
        origin = self.origins.get(event.origin)
        if origin is None:
            origin = self.origins[event.origin] = projection.origin(event.origin)
        for row, uid in zip(body.get("vertices", ()), uids, strict=True):
            state, labels = self._state(uid, seq), tuple(row[0])
            if state.labels is None:
                state.origin, state.born = origin, seq
            else:
                mine = projection.labels_of(state.labels)
                labels = mine + tuple(label for label in labels if label not in mine)
            labelset = projection.labelset(labels)
            state.relabelled |= not state.new and labelset != state.labels
            state.labels = labelset
            state.merge(row[1], seq)
            projection.note_keys(labels, tuple(row[1]))
        for uid, properties in body.get("set", ()):
            state = self._state(_bytes(uid), seq)
            state.merge(properties, seq)
            projection.note_keys(projection.labels_of(state.labels), tuple(properties))
        for row in body.get("edges", ()):
            type, source, target = row[0], row[1], row[2]
            properties = row[3] if len(row) > 3 else {}
            first = self._state(uids[source] if isinstance(source, int) else _bytes(source), seq)
            second = self._state(uids[target] if isinstance(target, int) else _bytes(target), seq)
            role = column(str(properties.get("role", "")))
            text = dumps(properties) if properties else "{}"
            self.edges.append((projection.relation(type), first.id, second.id, role, text, seq))
            if properties:
                projection.note_keys((type,), tuple(properties))
        facts = body.get("facts", {})
        if isinstance(facts.get("spool"), str):
            begins = event.kind == "activity.begun" and bool(uids)
            self.spools.append((facts["spool"], begins, self.states[uids[0]].id if begins else None, facts))
        for place, row in enumerate(facts.get("members", ())):
            vertex = row["vertex"]
            uid = uids[vertex] if isinstance(vertex, int) else _bytes(vertex)
            self._state(uid, seq)
            self.members.append((uid, row["chunk"], seq, place))

    def _write_vertices(self) -> None:
        new, changed = [], []
        for state in self.states.values():
            if state.dirty:
                state.text = dumps(state.properties)
            if state.new:
                new.append((state.id, state.uid, state.labels, state.text, state.seq))
            elif state.dirty:
                changed.append((state.labels, state.text, state.seq, state.id))
        self.db.executemany("INSERT INTO vertex VALUES (?,?,?,?,?)", new)
        self.db.executemany("UPDATE vertex SET labels = ?, properties = ?, seq = ? WHERE id = ?", changed)


def _bytes(uid: str) -> bytes:
    return bytes.fromhex(uid.replace("-", ""))


def _merge_texts(old: str, new: str) -> str:
    """Properties of an edge that is recorded again: the later ones win."""
    return old if new == "{}" else dumps({**loads(old), **loads(new)})


def _chunk(events: Iterator[Event]) -> Iterator[Event]:
    elements = 0
    for event in islice(events, CHUNK):
        yield event
        elements += len(event.body.get("vertices", ())) + len(event.body.get("edges", ()))
        if elements > _ELEMENTS:
            return
