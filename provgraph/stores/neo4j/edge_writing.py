"""Writes the edges of a batch.

Those with an end that the batch made are new, and created without being looked for. Of the others it is asked which are
there. An end that is nowhere is made, and waits for its event.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provgraph.stores.cypher_properties import from_server, server_changes
from provgraph.stores.encoding import column
from provgraph.stores.neo4j import lines, statements
from provgraph.stores.neo4j.folding import EdgeKey, settle_edge
from provgraph.stores.neo4j.statements import KINDS

if TYPE_CHECKING:
    from provgraph.stores.neo4j.writing import Writer

NewEdge = tuple[EdgeKey, Mapping[str, Any]]


class EdgeWriter:
    """The edges of a batch: those with an end that this batch made are new; the others are looked for."""

    def __init__(self, writer: "Writer") -> None:
        self._writer = writer
        self._new: list[NewEdge] = []
        self._old: list[EdgeKey] = []

    def write(self) -> None:
        writer = self._writer
        for key, writes in writer.edges.items():
            if writer.is_new(key[1]) or writer.is_new(key[2]):
                properties, stamps = settle_edge(writes, writer.is_contested(key[1]), None)
                if stamps:
                    writer.keep_stamps(writer.edge_uid(key), {}, stamps)
                self._new.append((key, properties))
            else:
                self._old.append(key)
        self._merge_old()
        self._create_new()

    # -- edges that may be there

    def _merge_old(self) -> None:
        """Edges between vertices that were there: read, merged, and written where they differ."""
        writer = self._writer
        writer.find(key[2] for key in self._old if writer.kind(key[2]) is None)
        there = self._there()
        with_properties = [key for key in self._old if any(found for found, _ in writer.edges[key])]
        stamps = writer.stamps_of([writer.edge_uid(key) for key in with_properties if key in there])
        changes = []
        for key in self._old:
            uid, found = writer.edge_uid(key), there.get(key)
            before = stamps.get(uid, {})
            known = None if found is None else (found[1], before)
            properties, after = settle_edge(writer.edges[key], writer.is_contested(key[1]), known)
            writer.keep_stamps(uid, before, after)
            if found is None:
                self._new.append((key, properties))
            elif changed := server_changes(found[1], properties, vertex=False):
                changes.append([found[0], changed])
        writer.put(statements.CHANGE_EDGES, sorted(changes, key=lambda row: str(row[0])))

    def _there(self) -> dict[EdgeKey, tuple[str, dict[str, Any]]]:
        """(internal id, properties) of the edges that the server has."""
        writer, found = self._writer, dict[EdgeKey, tuple[str, dict[str, Any]]]()
        pairs: dict[tuple[str, str, str], dict[tuple[str, str], None]] = defaultdict(dict)
        for relation, source, target, _ in self._old:
            kinds = writer.kind(source), writer.kind(target)
            if kinds[0] and kinds[1]:
                pairs[relation, kinds[0], kinds[1]][source, target] = None
        for (relation, source_kind, target_kind), ends in pairs.items():
            statement = statements.find_edges(relation, source_kind, target_kind)
            for source, target, id, raw in writer.ask(statement, uids=[list(pair) for pair in sorted(ends)]):
                properties = from_server(raw, vertex=False)
                role = column(str(properties["role"])) if "role" in properties else ""
                found[relation, source, target, role] = (id, properties)
        return found

    # -- edges that are new

    def _create_new(self) -> None:
        """Create edges. A target that was not looked for is taken to be there, of the kind that the relation says."""
        writer = self._writer
        waiting = self._new
        self._find_strangers()
        waiting = self._create(waiting)
        if waiting:
            writer.find(key[2] for key, _ in waiting)
            self._await_ends(waiting)
            left = self._create(waiting)
            assert not left, f"{len(left)} edges have no ends"

    def _find_strangers(self) -> None:
        """Look for the ends of relations that say nothing of their kinds."""
        writer = self._writer
        strange = {key[2] for key, _ in self._new if statements.ends_of(key[0]) is None}
        writer.find(uid for uid in strange if writer.kind(uid) is None)
        self._await_ends([(key, held) for key, held in self._new if key[2] in strange or writer.kind(key[1]) is None])

    def _await_ends(self, edges: Iterable[NewEdge]) -> None:
        """Make the ends that are nowhere: their events come later."""
        writer, missing = self._writer, dict[str, str]()
        for key, _ in edges:
            kinds = statements.ends_of(key[0]) or (KINDS[0], KINDS[0])
            for uid, kind in zip(key[1:3], kinds, strict=True):
                if writer.kind(uid) is None:
                    missing.setdefault(uid, kind)
        for kind in sorted(set(missing.values())):
            uids = [uid for uid, wanted in missing.items() if wanted == kind]
            writer.await_vertices(kind, [[uid, {}] for uid in uids])
            for uid in uids:
                writer.made_known(uid, kind)

    def _create(self, edges: Sequence[NewEdge]) -> list[NewEdge]:
        """Create edges; returns those of which an end is not there."""
        writer = self._writer
        groups: dict[tuple[str, str, str], list[NewEdge]] = defaultdict(list)
        for edge in edges:
            relation, source, target, _ = edge[0]
            guessed = statements.ends_of(relation) or (KINDS[0], KINDS[0])
            groups[relation, writer.kind(source) or guessed[0], writer.kind(target) or guessed[1]].append(edge)
        missing: list[NewEdge] = []
        for (relation, source_kind, target_kind), group in groups.items():
            if self._create_group(relation, source_kind, target_kind, group) < len(group):
                unknown = {key[2] for key, _ in group if writer.kind(key[2]) is None}
                found = {row[0] for row in writer.ask(statements.locate(target_kind), uids=sorted(unknown))}
                missing += [edge for edge in group if edge[0][2] in unknown - found]
        return missing

    def _create_group(self, relation: str, source_kind: str, target_kind: str, edges: Sequence[NewEdge]) -> int:
        """Create edges of one relation, by the end that has fewer vertices: those of one shape as lines."""
        writer, made = self._writer, 0
        by_source = len({key[1] for key, _ in edges}) <= len({key[2] for key, _ in edges})
        one, other = (1, 2) if by_source else (2, 1)
        others: list[int] = []
        for keys, places in lines.by_keys([held for _, held in edges], vertex=False):
            found = None if keys is None else lines.fields(keys, [edges[place][1] for place in places])
            mine = [edges[place][0][one] for place in places]
            theirs = [edges[place][0][other] for place in places]
            if found is None or not lines.separable(mine) or not lines.separable(theirs):
                others += places
                continue
            statement = lines.create_edges(relation, source_kind, target_kind, found[0], by_source=by_source)
            made += writer.create_lines(statement, lines.edge_lines(mine, theirs, found[1]))
        columns = statements.columns_of((relation,))
        rows = [[edges[n][0][other], *statements.cells(edges[n][1], columns, vertex=False)] for n in others]
        rest = statements.fill(rows)
        groups: dict[str, list[list[Any]]] = defaultdict(list)
        for place, row in zip(others, rows, strict=True):
            groups[edges[place][0][one]].append(row)
        statement = statements.create_edges(relation, source_kind, target_kind, by_source=by_source, rest=rest)
        return made + writer.create(statement, [[uid, groups[uid]] for uid in sorted(groups)])
