"""Applies events to the tables of ``graph.db``: a mechanical expansion, the same for every kind of event.

One transaction a chunk of events. Within a chunk, vertices live in memory and are written once; the order in which
ids are given is that of the events, so chunks of any size give the same rows.

What several origins may write bears a stamp, and the later stamp wins, key by key: what was annotated, over what was
recorded; then by the event's time, its origin, its number there. A property that was taken away leaves its stamp. What
an origin writes to what it recorded itself, nearly everything, bears none, and yields to all that do: to annotations,
and to a copy of the clone that goes on as another origin.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from provgraph.errors import CorruptError
from provgraph.events import Event
from provgraph.events.envelope import KINDS
from provgraph.events.series_rows import Row, rows_of, vertices_of
from provgraph.model.identity import Namespace
from provgraph.model.vocabulary import kind_of
from provgraph.stores import acyclicity, series, side_tables
from provgraph.stores.encoding import column, dumps, loads
from provgraph.stores.graph_tables import RELATION_IDS

CHUNK: Final = 5_000
"""Events a transaction."""
_ELEMENTS: Final = 100_000
"""Vertices and edges after which a chunk ends early, so that memory stays bounded."""
_IN: Final = 500
_ANNOTATES: Final = frozenset({"properties.annotated", "agents.merged", "content.purged"})
"""Kinds of events that change what others recorded."""
FIXED: Final = frozenset({"path", "path_bytes"})
"""Properties of an artifact that its uid is made of: whoever writes them writes the same."""


def stamp_of(event: Event) -> str:
    """What decides between values of one property: compares as text."""
    return f"{int(event.kind in _ANNOTATES)}|{event.time}|{event.origin}|{event.origin_seq:020d}"


class VertexState:
    """A vertex while a chunk is applied. ``id`` is its row; properties are parsed where they are needed.

    ``home`` is the origin that recorded it, 0 where several may; ``origin`` the one that brought it in this chunk;
    ``own`` the first event of this disk in this chunk that did.
    """

    __slots__ = (
        "_parsed", "born", "dirty", "home", "id", "labels", "new", "origin", "own", "relabelled", "seq", "stamps",
        "text", "uid",
    )  # fmt: skip

    def __init__(
        self,
        id: int,
        uid: bytes,
        labels: int | None = None,
        text: str = "{}",
        seq: int = 0,
        home: int = 0,
        stamps: str | None = None,
        *,
        new: bool = False,
    ) -> None:
        self.id, self.uid, self.labels, self.text, self.seq, self.home = id, uid, labels, text, seq, home
        self.new, self.dirty, self.relabelled = new, False, False
        self.origin = self.born = 0
        self.own: int | None = None
        self.stamps: dict[str, str] = loads(stamps) if stamps else {}
        self._parsed: dict[str, Any] | None = None

    @property
    def properties(self) -> dict[str, Any]:
        """The properties, to be changed in place where ``dirty`` is set."""
        if self._parsed is None:
            self._parsed = loads(self.text)
        return self._parsed

    def merge(self, properties: Mapping[str, Any], seq: int, stamp: str, contested: bool) -> None:
        """Set properties, but for those that bear a later stamp; None removes one.

        ``contested``: other origins may write these, too.
        """
        mine, stamps = self.properties, self.stamps
        for key, value in properties.items():
            if key in stamps and (not contested or stamp < stamps[key]):
                continue
            if contested:
                stamps[key] = stamp
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
        lineage: the origins whose events are this disk's own, each up to a number (`Journal.lineage`); all are, where
            it is left out.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        namespace: Namespace,
        lineage: Callable[[], Mapping[str, int]] | None = None,
    ) -> None:
        self.db, self.namespace, self.lineage = db, namespace, lineage
        self._labels: dict[tuple[str, ...], int] = {}
        self._label_texts: dict[int, tuple[str, ...]] = {}
        self._relations = dict(RELATION_IDS)
        self._keys: set[tuple[object, tuple[str, ...]]] = set()
        self._origins: dict[int, str] = {}
        db.create_function("merge_properties", 4, _merge_texts, deterministic=True)
        db.create_function("merge_stamps", 2, _merge_stamps, deterministic=True)

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
        self._origins.clear()

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

    def origin(self, uid: str, own: bool) -> int:
        """The id of an origin, or of the part of it that is (or is not) this disk's own."""
        self.db.execute("INSERT OR IGNORE INTO origin (uid, own) VALUES (?, ?)", (uid, own))
        return int(self.db.execute("SELECT id FROM origin WHERE uid = ? AND own = ?", (uid, own)).fetchone()[0])

    def origin_uid(self, id: int) -> str:
        """The origin of which that is the id, or that of a part."""
        found = self._origins.get(id)
        if found is None:
            found = self._origins[id] = str(self.db.execute("SELECT uid FROM origin WHERE id = ?", (id,)).fetchone()[0])
        return found

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
        self.edge_stamps: list[str | None] = []
        self.members: list[tuple[bytes, str, int, int]] = []
        self.series: list[tuple[bytes, Row, int, series.EventAt]] = []
        self.spools: list[tuple[str, bool, int | None, dict[str, Any]]] = []
        self.next_id = self.db.execute("SELECT coalesce(max(id), 0) + 1 FROM vertex").fetchone()[0]
        self.first_new = self.next_id
        self.lineage = None if projection.lineage is None else projection.lineage()
        self.origins: dict[tuple[str, bool], int] = {}
        self.homes = side_tables.Homes(self.db)

    def run(self) -> None:
        for event in self.events:
            self.homes.note(event.seq, self._origin(event), self._is_own(event))
        fresh = [self._fresh_uids(event) for event in self.events]
        self._load(fresh)
        for event, uids in zip(self.events, fresh, strict=True):
            self._take(event, uids)
        self._write_vertices()
        self.db.executemany(
            "INSERT INTO edge (type, source, target, role, properties, seq, born, stamps) VALUES (?,?,?,?,?,?,?,?) "
            "ON CONFLICT (source, type, target, role) DO UPDATE SET seq = excluded.seq, "
            "properties = merge_properties(properties, stamps, excluded.properties, excluded.stamps), "
            "stamps = merge_stamps(stamps, excluded.stamps)",
            [(*edge, edge[5], stamps) for edge, stamps in zip(self.edges, self.edge_stamps, strict=True)],
        )
        side_tables.write(self.projection, self.states.values(), self.edges, self.homes)
        for uid, chunk, seq, place in self.members:
            side_tables.write_members(self.db, self.states[uid], chunk, seq, place)
        for uid, row, place, event_at in self.series:
            series.write(self.db, self.states[uid].id, row, place, event_at)
        side_tables.write_spools(self.db, self.spools)
        acyclicity.check(self.db, self.edges, self.first_new)
        kinds = Counter(event.kind for event in self.events)
        self.db.executemany(
            "INSERT INTO event_kind VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events",
            ((column(kind), kind in KINDS, count) for kind, count in kinds.items()),
        )

    def _is_own(self, event: Event) -> bool:
        return self.lineage is None or event.origin_seq <= self.lineage.get(event.origin, 0)

    def _origin(self, event: Event) -> int:
        key = event.origin, self._is_own(event)
        found = self.origins.get(key)
        if found is None:
            found = self.origins[key] = self.projection.origin(*key)
        return found

    def _at_home(self, state: VertexState, event: Event) -> bool:
        """Whether an event is of the origin that recorded a vertex. Others are copies of that clone, or colleagues."""
        return state.home != 0 and (
            state.home == self._origin(event) or self.projection.origin_uid(state.home) == event.origin
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
            facts = event.body.get("facts", {})
            for row in facts.get("members", ()):
                if isinstance(row["vertex"], str):
                    wanted[_bytes(row["vertex"])] = None
            wanted |= dict.fromkeys(map(_bytes, vertices_of(facts)))
        uids = list(wanted)
        for start in range(0, len(uids), _IN):
            part = uids[start : start + _IN]
            marks = ",".join("?" * len(part))
            query = f"SELECT id, uid, labels, properties, seq, origin, stamps FROM vertex WHERE uid IN ({marks})"
            for row in self.db.execute(query, part):
                self.states[row[1]] = VertexState(*row)

    def _state(self, uid: bytes, seq: int) -> VertexState:
        found = self.states.get(uid)
        if found is None:
            found = self.states[uid] = VertexState(self.next_id, uid, seq=seq, new=True)
            self.next_id += 1
        return found

    def _take(self, event: Event, uids: list[bytes]) -> None:
        self._take_vertices(event, uids)
        self._take_edges(event, uids)
        facts, seq = event.body.get("facts", {}), event.seq
        if isinstance(facts.get("spool"), str) and self._is_own(event):
            begins = event.kind == "activity.begun" and bool(uids)
            self.spools.append((facts["spool"], begins, self.states[uids[0]].id if begins else None, facts))
        for place, row in enumerate(facts.get("members", ())):
            vertex = row["vertex"]
            uid = uids[vertex] if isinstance(vertex, int) else _bytes(vertex)
            self._state(uid, seq)
            self.members.append((uid, row["chunk"], seq, place))
        for place, found in enumerate(rows_of(facts)):
            uid = _bytes(found.vertex)
            self._state(uid, seq)
            self.series.append((uid, found, place, (self._origin(event), event.origin_seq, seq, event.time)))

    def _take_vertices(self, event: Event, uids: list[bytes]) -> None:
        body, seq, projection, stamp = event.body, event.seq, self.projection, stamp_of(event)
        origin = self._origin(event)
        for row, uid in zip(body.get("vertices", ()), uids, strict=True):
            state, labels = self._state(uid, seq), tuple(row[0])
            if state.labels is None:
                state.origin, state.born = origin, seq
                state.home = origin if len(row) == 2 else 0
            else:
                mine = projection.labels_of(state.labels)
                labels = mine + tuple(label for label in labels if label not in mine)
            if state.own is None and self._is_own(event):
                state.own = seq
            labelset = projection.labelset(labels)
            state.relabelled |= not state.new and labelset != state.labels
            state.labels = labelset
            contested = len(row) > 2 and not ("Artifact" in labels and FIXED.issuperset(row[1]))
            state.merge(row[1], seq, stamp, contested)
            projection.note_keys(labels, tuple(row[1]))
        for text, properties in body.get("set", ()):
            state = self._state(_bytes(text), seq)
            state.merge(properties, seq, stamp, event.kind in _ANNOTATES or not self._at_home(state, event))
            projection.note_keys(projection.labels_of(state.labels), tuple(properties))

    def _take_edges(self, event: Event, uids: list[bytes]) -> None:
        body, seq, projection = event.body, event.seq, self.projection
        for row in body.get("edges", ()):
            type, source, target = row[0], row[1], row[2]
            properties = row[3] if len(row) > 3 else {}
            first = self._state(uids[source] if isinstance(source, int) else _bytes(source), seq)
            second = self._state(uids[target] if isinstance(target, int) else _bytes(target), seq)
            role = column(str(properties.get("role", "")))
            text = dumps(properties) if properties else "{}"
            self.edges.append((projection.relation(type), first.id, second.id, role, text, seq))
            contested = bool(properties) and not self._at_home(first, event)
            self.edge_stamps.append(dumps(dict.fromkeys(properties, stamp_of(event))) if contested else None)
            if properties:
                projection.note_keys((type,), tuple(properties))

    def _write_vertices(self) -> None:
        new, changed = [], []
        for state in self.states.values():
            if state.dirty:
                state.text = dumps(state.properties)
            stamps = dumps(state.stamps) if state.stamps else None
            if state.new:
                new.append((state.id, state.uid, state.labels, state.text, state.seq, state.home, stamps))
            elif state.dirty:
                changed.append((state.labels, state.text, state.seq, state.home, stamps, state.id))
        self.db.executemany("INSERT INTO vertex VALUES (?,?,?,?,?,?,?)", new)
        update = "UPDATE vertex SET labels = ?, properties = ?, seq = ?, origin = ?, stamps = ? WHERE id = ?"
        self.db.executemany(update, changed)


def _bytes(uid: str) -> bytes:
    return bytes.fromhex(uid.replace("-", ""))


def _merge_texts(old: str, old_stamps: str | None, new: str, new_stamps: str | None) -> str:
    """Properties of an edge that is recorded again: the later ones win."""
    if new == "{}":
        return old
    if old_stamps is None:
        return dumps({**loads(old), **loads(new)})
    before, after = loads(old_stamps), loads(new_stamps or "{}")
    return dumps(loads(old) | {k: v for k, v in loads(new).items() if before.get(k, "") <= after.get(k, "")})


def _merge_stamps(old: str | None, new: str | None) -> str | None:
    if old is None or new is None:
        return old or new
    before, after = loads(old), loads(new)
    return dumps({key: max(before.get(key, ""), after.get(key, "")) for key in {**before, **after}})


def _chunk(events: Iterator[Event]) -> Iterator[Event]:
    elements = 0
    for event in islice(events, CHUNK):
        yield event
        elements += len(event.body.get("vertices", ())) + len(event.body.get("edges", ()))
        if elements > _ELEMENTS:
            return
