"""Takes out of the server what tombstones say was removed, before the tombstones themselves are sent.

Chunk by chunk, each in a transaction of its own: the events of a chunk are replaced by what the journal here has of
them, and what they had written to vertices and edges by what they write now. A value that somebody else has written
since stays. May be repeated: what is as it must be is left alone.

The project's vertex keeps which tombstone rewrote which events, from before the first of them is: where somebody else's
did, and was not obeyed here yet, both rewritings are merged, so that nothing comes back. Whoever obeys takes that.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provgraph.events import Event
from provgraph.stores.cypher.values import show
from provgraph.stores.cypher_properties import from_server, server_changes
from provgraph.stores.encoding import column, dumps, loads
from provgraph.stores.neo4j import chunks, migrations, series, statements
from provgraph.stores.neo4j.statements import KINDS, members_path
from provgraph.stores.projection import stamp_of
from provgraph.stores.purge_bodies import merged
from provgraph.stores.purging import applied, event_named, named

if TYPE_CHECKING:
    import neo4j

    from provgraph.model.identity import Namespace
    from provgraph.stores.journal import Journal
    from provgraph.stores.neo4j.store import TeamStore

_PAGE: Final = 2_000
_LOCK: Final = (
    "OPTIONAL MATCH (p:ProvgraphProject {uid: $project}) SET p.locked = timestamp() "
    "WITH p OPTIONAL MATCH (s:ProvgraphSchema {uid: 'schema'}) RETURN s.version"
)
_NOTE: Final = (
    "MERGE (p:ProvgraphProject {uid: $project}) ON CREATE SET p.number = 0, p.awaited = 0 "
    "SET p.purges = [x IN coalesce(p.purges, []) WHERE NOT x IN $rows] + $rows"
)
_NOTED: Final = "MATCH (p:ProvgraphProject {uid: $project}) RETURN coalesce(p.purges, [])"
_PLACES: Final = (
    "MATCH (c:ProvgraphChunk {origin: $origin}) WHERE c.of = $project AND c.first <= $last AND c.last >= $first "
    "RETURN c.first, c.last ORDER BY c.first"
)
_DATA: Final = "MATCH (c:ProvgraphChunk {uid: $chunk}) WHERE c.of = $project RETURN c.data"
_PUT_DATA: Final = "MATCH (c:ProvgraphChunk {uid: $chunk}) SET c.data = $data"
_EDGES: Final = (
    "UNWIND $uids AS uid MATCH (n:{kind} {{uid: uid}})-[x]-() "
    "RETURN DISTINCT type(x), startNode(x).uid, endNode(x).uid, x.role"
)
_RENAME: Final = "UNWIND $rows AS r MATCH (n:{kind} {{uid: r[0]}}) SET n.uid = r[1]"
_RENAME_INNER: Final = "UNWIND $rows AS r MATCH (s:{label} {{uid: r[0]}}) SET s.uid = r[1]"
_ORIGIN: Final = (
    "MATCH (o:ProvgraphOrigin {uid: $origin}) SET o.host = $host, o.name = $folder "
    "WITH o MATCH (p:ProvgraphProject {uid: $project}) WHERE p.name = $before SET p.name = $folder"
)


def purge(team: "TeamStore", journal: "Journal", tombstones: Sequence[Event]) -> int:
    """Make what the server has of some events what the journal here has of them; returns how many were not.

    Parameters:
        tombstones: they name the events.
    Raises:
        RemoteError: as ``TeamStore.send``.
    """
    by_origin, count = _by_origin(tombstones, journal), 0
    if any(tombstone.body.get("facts", {}).get("events") for tombstone in tombstones):
        team.transact(lambda transaction: _note(team, transaction, tombstones))
    for origin, numbers in by_origin.items():
        known = sorted(numbers)
        rows = team.run(_PLACES, project=team.project, origin=origin, first=known[0], last=known[-1])
        for place in [first for first, last in rows if bisect_left(known, first) < bisect_right(known, last)]:
            done = [0]

            def work(transaction: "neo4j.Transaction", origin: str = origin, first: int = place) -> None:
                done[0] = _Chunk(team, transaction, origin, first).purge(journal, numbers)  # noqa: B023 - runs now

            team.transact(work)
            count += done[0]
    return count


def _by_origin(tombstones: Iterable[Event], journal: "Journal") -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    lasts = journal.lasts()
    for tombstone in tombstones:
        for origin, number in named(tombstone, lasts):
            found[origin].add(number)
    return found


def _note(team: "TeamStore", transaction: "neo4j.Transaction", tombstones: Iterable[Event]) -> None:
    """Write down at the server which events tombstones name, where whoever purges next looks."""
    version = transaction.run(_LOCK, {"project": team.project}).single(strict=True)[0]
    migrations.check(version, team.remote.place)
    rows = [
        dumps([tombstone.origin, tombstone.origin_seq, events])
        for tombstone in tombstones
        if (events := tombstone.body.get("facts", {}).get("events"))
    ]
    transaction.run(_NOTE, {"project": team.project, "rows": rows}).consume()


class _Rewrite(NamedTuple):
    """What an event wrote to a vertex or an edge, what it writes now, and its stamp."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]
    stamp: str


@dataclass(slots=True)
class _Changes:
    """What the rewritten events of a chunk come to."""

    renamed: dict[str, str]
    """Old uid → new uid, of whatever these events name: the chunk that brings the vertex may come later."""
    vertices: dict[str, list[_Rewrite]]
    edges: dict[tuple[str, str, str, str], list[_Rewrite]]
    """By type, source, target (new uids) and role."""
    members: dict[str, str]
    series: list[tuple[list[series.Cells], list[series.Cells]]]
    origins: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]]


def _changes(pairs: Iterable[tuple[Event, Event]], namespace: "Namespace") -> _Changes:
    found = _Changes({}, defaultdict(list), defaultdict(list), {}, [], [])
    for old, new in pairs:
        stamp = stamp_of(old)
        uids = _vertices(found, old, new, stamp, namespace)
        for one, other in zip(old.body.get("set", ()), new.body.get("set", ()), strict=True):
            _note_renamed(found, one[0], other[0])
            if one[1] != other[1]:
                found.vertices[other[0]].append(_Rewrite(one[1], other[1], stamp))
        for one, other in zip(old.body.get("edges", ()), new.body.get("edges", ()), strict=True):
            for end, now in zip(one[1:3], other[1:3], strict=True):
                _note_renamed(found, end, now)
            before, after = (row[3] if len(row) > 3 else {} for row in (one, other))
            if before != after:
                ends = [uids[end] if isinstance(end, int) else end for end in other[1:3]]
                role = column(str(after["role"])) if "role" in after else ""
                found.edges[other[0], ends[0], ends[1], role].append(_Rewrite(before, after, stamp))
        facts, before = new.body.get("facts", {}), old.body.get("facts", {})
        for row in facts.get("members", ()):
            uid = uids[row["vertex"]] if isinstance(row["vertex"], int) else row["vertex"]
            if facts != before or uid in found.vertices:  # they are found by its path
                found.members[uid] = row["chunk"]
        if facts.get("series") != before.get("series"):
            found.series.append((series.cells_of(old), series.cells_of(new)))
        if old.kind == "origin.begun" and facts != before:
            found.origins.append((old.origin, before, facts))
    return found


def _note_renamed(found: _Changes, old: str | int, new: str | int) -> None:
    if isinstance(old, str) and isinstance(new, str) and old != new:
        found.renamed[old] = new


def _vertices(found: _Changes, old: Event, new: Event, stamp: str, namespace: "Namespace") -> list[str]:
    """Note what became of an event's vertices; returns their uids now."""
    uids = []
    for place, (one, other) in enumerate(zip(old.body.get("vertices", ()), new.body.get("vertices", ()), strict=True)):
        uid = other[2] if len(other) > 2 else namespace.vertex(new.origin, new.origin_seq, place)
        uids.append(uid)
        if len(one) > 2:
            _note_renamed(found, one[2], uid)
        if one[1] != other[1]:
            found.vertices[uid].append(_Rewrite(one[1], other[1], stamp))
    return uids


class _Chunk:
    """One chunk, within one transaction."""

    def __init__(self, team: "TeamStore", transaction: "neo4j.Transaction", origin: str, first: int) -> None:
        self._team, self._transaction, self._origin, self._first = team, transaction, origin, first

    def purge(self, journal: "Journal", numbers: set[int]) -> int:
        """Replace its events, and what follows from them; returns how many."""
        namespace, chunk = self._team.namespace, chunks.chunk_uid(self._origin, self._first)
        version = self._transaction.run(_LOCK, {"project": self._team.project}).single(strict=True)[0]
        migrations.check(version, self._team.remote.place)
        record = self._transaction.run(_DATA, {"project": self._team.project, "chunk": chunk}).single()
        if record is None:
            return 0
        old = chunks.decode(record[0], self._origin, self._first, namespace)
        others = self._by_others(journal, numbers)
        new = [self._as_here(journal, event, others) if event.origin_seq in numbers else event for event in old]
        pairs = [(one, other) for one, other in zip(old, new, strict=True) if dumps(one.body) != dumps(other.body)]
        if pairs:
            self._run(_PUT_DATA, chunk=chunk, data=chunks.encode(new, namespace))
            self._write(_changes(pairs, namespace))
        return len(pairs)

    def _by_others(self, journal: "Journal", numbers: set[int]) -> set[int]:
        """Of some events of this origin, those rewritten for tombstones that were not obeyed here."""
        obeyed, found = applied(journal), set[int]()
        for (rows,) in self._transaction.run(_NOTED, {"project": self._team.project}).values():
            for origin, number, events in map(loads, rows):
                if number > obeyed.get(origin, 0):
                    for first, last in events.get(self._origin, ()):
                        found |= {one for one in numbers if first <= one <= last}
        return found

    @staticmethod
    def _as_here(journal: "Journal", event: Event, others: set[int]) -> Event:
        here = event_named(journal, event.origin, event.origin_seq)
        if here is None:
            return event
        return replace(event, body=merged(event.body, here.body) if event.origin_seq in others else here.body)

    def _write(self, changes: _Changes) -> None:
        self._rename(changes.renamed)
        self._write_vertices(changes.vertices)
        self._write_edges(changes.edges)
        for uid, chunk in sorted(changes.members.items()):
            known = self._find([uid])
            path = known[uid][1].get("path", "") if uid in known else ""
            self._pages(statements.PUT_MEMBERS, [[uid, members_path(str(path)), chunk]])
        for before_rows, rows in changes.series:
            self._pages(series.REMOVE, [row[0] for row in before_rows])
            for page in series.pages(rows):
                self._run(series.PUT, rows=page)
        for origin, before, after in changes.origins:
            self._run(
                _ORIGIN, origin=origin, host=after.get("host"), folder=after.get("folder"), before=before.get("folder")
            )

    def _rename(self, renamed: Mapping[str, str]) -> None:
        """Give vertices their new uids; stamps of theirs and of their edges are found by them."""
        uid_of, stamps = self._team.namespace.edge, dict[str, str]()
        rows, uids = sorted([old, new] for old, new in renamed.items()), sorted(renamed)
        for kind in KINDS:
            for relation, source, target, role in self._ask(_EDGES.format(kind=kind), uids):
                first, last = (renamed.get(end, end) for end in (source, target))
                type, role = show(relation), column(show(role or ""))  # noqa: PLW2901
                stamps[uid_of(type, source, target, role)] = uid_of(type, first, last, role)
            self._pages(_RENAME.format(kind=kind), rows)
        pairs = sorted([old, new] for old, new in {**stamps, **renamed}.items())
        self._pages(_RENAME_INNER.format(label="ProvgraphStamp"), pairs)
        self._pages(_RENAME_INNER.format(label="ProvgraphMembers"), rows)
        self._pages(series.MOVE, rows)

    def _find(self, uids: Iterable[str]) -> dict[str, tuple[str, dict[str, Any]]]:
        """(kind, what is recorded of it) by uid."""
        wanted = sorted(uids)
        return {
            uid: (kind, from_server(properties))
            for kind in KINDS
            for uid, _, properties in self._ask(statements.look_up(kind), wanted)
        }

    def _write_vertices(self, vertices: Mapping[str, Sequence[_Rewrite]]) -> None:
        rows: dict[str, list[list[Any]]] = defaultdict(list)
        stamps = {uid: loads(text) for uid, text in self._ask(statements.STAMPS, sorted(vertices))}
        kept = []
        for uid, (kind, before) in self._find(vertices).items():
            after, marks = _after(before, stamps.get(uid, {}), vertices[uid])
            if changed := server_changes(before, after):
                rows[kind].append([uid, changed])
            if marks != stamps.get(uid, {}):
                kept.append([uid, dumps(marks)])
        for kind, changes in rows.items():
            self._pages(statements.change_vertices(kind, kind, ()), changes)
        self._pages(statements.PUT_STAMPS, kept)

    def _write_edges(self, edges: Mapping[tuple[str, str, str, str], Sequence[_Rewrite]]) -> None:
        ends: dict[str, list[list[str]]] = defaultdict(list)
        for relation, source, target, _ in edges:
            ends[relation].append([source, target])
        rows, kept = [], []
        stamped = {key: self._team.namespace.edge(*key) for key in edges}
        stamps = {uid: loads(text) for uid, text in self._ask(statements.STAMPS, sorted(stamped.values()))}
        for relation, pairs in ends.items():
            kinds = statements.ends_of(relation) or (KINDS[0], KINDS[0])
            found = self._ask(statements.find_edges(relation, *kinds), sorted(pairs))
            for source, target, id, raw in found:
                before = from_server(raw, vertex=False)
                key = relation, source, target, column(str(before["role"])) if "role" in before else ""
                if key not in edges:
                    continue
                marks = stamps.get(stamped[key], {})
                after, now = _after(before, marks, edges[key])
                if changed := server_changes(before, after, vertex=False):
                    rows.append([id, changed])
                if now != marks:
                    kept.append([stamped[key], dumps(now)])
        self._pages(statements.CHANGE_EDGES, rows)
        self._pages(statements.PUT_STAMPS, kept)

    def _run(self, statement: str, **parameters: Any) -> None:
        self._transaction.run(statement, {"project": self._team.project, **parameters}).consume()

    def _ask(self, statement: str, values: Sequence[Any]) -> Iterator[Sequence[Any]]:
        """The answer to a question about uids, or rows of them."""
        for start in range(0, len(values), _PAGE):
            part = values[start : start + _PAGE]
            for record in self._transaction.run(statement, {"uids": part, "rows": part}):
                yield record.values()

    def _pages(self, statement: str, rows: Sequence[Any]) -> None:
        for start in range(0, len(rows), _PAGE):
            self._run(statement, rows=rows[start : start + _PAGE])


def _after(
    before: Mapping[str, Any], stamps: Mapping[str, str], rewrites: Iterable[_Rewrite]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Properties and stamps after some rewrites: what these had written is replaced, what others have is left alone."""
    after, marks = dict(before), dict(stamps)
    for old, new, stamp in rewrites:
        called = _called(old, new)
        for key, value in old.items():
            name = called.get(key)
            if name is None:
                if _equal(after.get(key), value):
                    after.pop(key, None)
                marks.pop(key, None)
                continue
            if _equal(after.get(key), value) and not (name == key and _equal(value, new[key])):
                after.pop(key, None)
                if new[name] is not None:
                    after[name] = new[name]
            if name != key and marks.get(key) == stamp:
                marks[name] = marks.pop(key)
        stamped = any(mark == stamp for mark in marks.values())
        for key in new.keys() - called.values():
            if new[key] is not None and key not in after:
                after[key] = new[key]
                if stamped:
                    marks[key] = stamp
    return after, marks


def _called(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """What each property is called now; those that are gone are left out."""
    gone = [place for place, key in enumerate(old) if key not in new]
    come = [place for place, key in enumerate(new) if key not in old]
    names = {key: key for key in old if key in new}
    if gone == come:  # called otherwise, each in its place
        befores, nows = list(old), list(new)
        names |= {befores[place]: nows[place] for place in gone}
    return names


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)
