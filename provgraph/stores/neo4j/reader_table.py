"""What was read of a server's graph as a ``ProvGraph``: properties lie at the server until somebody looks."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from provgraph.graph.array_table import ArrayTable
from provgraph.graph.arrays import KIND_CODES, RELATION_CODES, RELATION_NAMES, Arrays, Column
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.row_arrays import column_of
from provgraph.model.vocabulary import Kind
from provgraph.stores.neo4j.reader_explorer import Found, end_of
from provgraph.stores.neo4j.reader_values import HERE, PAGE, names_on_server, recorded

if TYPE_CHECKING:
    from provgraph.stores.neo4j.reader import Neo4jReader

_VALUES: Final = (
    f"UNWIND $uids AS uid MATCH (n:KIND {{uid: uid}}) WHERE {HERE} "
    "WITH n, [key IN $names WHERE n[key] IS NOT NULL | [key, n[key]]] AS found WHERE size(found) > 0 "
    "RETURN collect([n.uid, found])"
)
_EDGES: Final = (
    f"UNWIND $uids AS uid MATCH (n:KIND {{uid: uid}}) WHERE {HERE} "
    "MATCH (n)-[e]->(m) WHERE type(e) IN $types RETURN type(e), n.uid, m.uid, properties(e)"
)
_FEW: Final = 2_000
"""Vertices that are read together, and kept."""
_AHEAD: Final = {Kind.ENTITY: RELATION_CODES["wasGeneratedBy"], Kind.ACTIVITY: RELATION_CODES["used"]}
_AGENTS: Final = {Kind.ENTITY: RELATION_CODES["wasAttributedTo"], Kind.ACTIVITY: RELATION_CODES["wasAssociatedWith"]}


class Drawing(NamedTuple):
    """A graph, and where its vertices stand."""

    graph: ProvGraph
    uids: list[str]
    place: dict[str, int]
    elements: "ServerElements"


def drawn(reader: "Neo4jReader", found: Iterable[Found], keys: frozenset[str]) -> Drawing:
    """The graph of what was read, upstream, and of its agents.

    Parameters:
        keys: the properties that were read with each vertex.
    """
    by_uid = {one.uid: one for one in found}
    named = {end_of(item) for one in by_uid.values() for item in one.agents} - by_uid.keys()
    agents = {agent.uid: agent for agent in reader.agents.all() if agent.uid in named}
    uids = sorted([*by_uid, *agents])
    place = {uid: number for number, uid in enumerate(uids)}
    sets: dict[tuple[str, ...], int] = {}
    labels, kinds = np.empty(len(uids), np.int32), np.empty(len(uids), np.int8)
    relations, sources, targets = list[int](), list[int](), list[int]()
    for number, uid in enumerate(uids):
        one = by_uid.get(uid)
        if one is None:
            labels[number] = sets.setdefault(agents[uid].labels, len(sets))
            kinds[number] = KIND_CODES[Kind.AGENT]
            continue
        labels[number] = sets.setdefault(one.labels, len(sets))
        kinds[number] = KIND_CODES[one.kind]
        for codes, ends in ((_AHEAD, one.ahead), (_AGENTS, one.agents)):
            for end in ends:
                target = place.get(end)
                if target is not None:
                    relations.append(codes[one.kind])
                    sources.append(number)
                    targets.append(target)
    arrays = Arrays(
        kinds=kinds,
        labels=labels,
        labelsets=tuple(sets),
        relations=np.array(relations, np.int8),
        sources=np.array(sources, np.int32),
        targets=np.array(targets, np.int32),
    )
    elements = ServerElements(reader, uids, place, arrays, keys, by_uid, agents)
    return Drawing(ProvGraph.of_table(ArrayTable(elements, arrays)), uids, place, elements)


def with_edges(drawing: Drawing, others: Iterable[tuple[str, str, str]], soon: Collection[str] = ()) -> Drawing:
    """The same graph with further edges (type, source, target) between its vertices.

    Parameters:
        soon: vertices that will be looked at; a few are read together, their edges too, when the first one is.
    """
    place, arrays = drawing.place, drawing.graph.arrays
    more = [
        (RELATION_CODES[type], place[start], place[end])
        for type, start, end in sorted(others)
        if start in place and end in place
    ]
    relations, sources, targets = np.array(more, np.int32).reshape(-1, 3).T
    added = replace(
        arrays,
        relations=np.concatenate((arrays.relations, relations.astype(np.int8))),
        sources=np.concatenate((arrays.sources, sources)),
        targets=np.concatenate((arrays.targets, targets)),
        adjacencies={},
    )
    elements = drawing.elements.over(added, [place[uid] for uid in soon] if len(soon) <= _FEW else [])
    return Drawing(ProvGraph.of_table(ArrayTable(elements, added)), drawing.uids, place, elements)


class ServerElements:
    """Implements ``graph.array_table.Elements``; positions are in the order of uids.

    Vertices and edges are read in batches, when they are asked for.
    """

    def __init__(
        self,
        reader: "Neo4jReader",
        uids: list[str],
        place: dict[str, int],
        arrays: Arrays,
        keys: frozenset[str],
        found: Mapping[str, Found],
        agents: Mapping[str, Vertex],
    ) -> None:
        self._reader, self._uids, self._place, self._arrays = reader, uids, place, arrays
        self._keys, self._found, self._agents = keys, found, agents
        self._edges: dict[int, Edge] = {}
        self._vertices: dict[int, Vertex] = {}
        self._soon = np.empty(0, np.int64)

    def over(self, arrays: Arrays, soon: Sequence[int]) -> "ServerElements":
        """The same vertices with other edges; ``soon``: vertices that are read together."""
        other = ServerElements(self._reader, self._uids, self._place, arrays, self._keys, self._found, self._agents)
        other._soon = np.array(soon, np.int64)
        return other

    def uids(self, vertices: npt.NDArray[np.integer]) -> list[str]:
        """The uids of vertices."""
        return [self._uids[place] for place in vertices.tolist()]

    def position(self, uid: str) -> int | None:
        """The vertex with a uid."""
        return self._place.get(uid)

    def places_with_prefix(self, prefix: str) -> Iterator[int]:
        """The vertices whose uid starts so, by uid."""
        for place in range(bisect_left(self._uids, prefix), len(self._uids)):
            if not self._uids[place].startswith(prefix):
                return
            yield place

    def ranks(self) -> npt.NDArray[np.int32] | None:
        """Positions are in the order of uids."""
        return None

    def vertices(self, places: Sequence[int]) -> list[Vertex]:
        """Vertices; one that was removed meanwhile has no properties."""
        missing = [place for place in places if place not in self._vertices]
        if not missing:
            return [self._vertices[place] for place in places]
        together = self._soon.tolist() if np.isin(missing, self._soon).any() else []
        wanted = [place for place in dict.fromkeys([*missing, *together]) if place not in self._vertices]
        read = dict(zip(wanted, self._read_vertices([self._uids[place] for place in wanted]), strict=True))
        if len(wanted) <= _FEW:  # a large answer is looked at once, vertex by vertex
            self._vertices |= read
        return [self._vertices.get(place) or read[place] for place in places]

    def _read_vertices(self, uids: Sequence[str]) -> list[Vertex]:
        read = {vertex.uid: vertex for vertex in self._reader.vertices([uid for uid in uids if uid in self._found])}
        return [read.get(uid) or self._agents.get(uid) or Vertex(uid, self._found[uid].labels) for uid in uids]

    def edges(self, places: Sequence[int]) -> list[Edge]:
        """Edges, in the order of the places."""
        missing = np.array([place for place in places if place not in self._edges], np.int64)
        if len(missing):
            sources = self._arrays.sources
            if len(self._soon) and np.isin(sources[missing], self._soon).any():
                inside = np.isin(sources, self._soon) & np.isin(self._arrays.targets, self._soon)
                missing = np.union1d(missing, np.flatnonzero(inside))
            self._read_edges(missing)
        return [self._edges[place] for place in places]

    def _read_edges(self, places: npt.NDArray[np.int64]) -> None:
        """Read the edges at these places, and those beside them that the server tells apart by their roles alone."""
        arrays = self._arrays
        sources = np.unique(arrays.sources[places])
        wanted = np.unique(arrays.relations[places])
        chosen = np.flatnonzero(np.isin(arrays.sources, sources) & np.isin(arrays.relations, wanted))
        read = self._edges_from(sources.tolist(), [RELATION_NAMES[code] for code in wanted.tolist()])
        for place, relation, source, target in zip(
            chosen.tolist(),
            arrays.relations[chosen].tolist(),
            arrays.sources[chosen].tolist(),
            arrays.targets[chosen].tolist(),
            strict=True,
        ):
            name = RELATION_NAMES[relation], self._uids[source], self._uids[target]
            twins = read.get(name)
            # One that was removed meanwhile has no properties.
            self._edges[place] = twins.pop(0) if twins else Edge(*name)

    def _edges_from(self, sources: Sequence[int], types: list[str]) -> dict[tuple[str, str, str], list[Edge]]:
        found: dict[tuple[str, str, str], list[Edge]] = {}
        for kind, part in self._by_kind([self._uids[place] for place in sources]):
            for row in self._reader.run(_EDGES.replace("KIND", kind), uids=part, types=types):
                edge = self._reader.edge(*row)
                found.setdefault((edge.type, edge.source, edge.target), []).append(edge)
        for twins in found.values():
            twins.sort(key=lambda edge: edge.uid)
        return found

    def _by_kind(self, uids: Iterable[str]) -> Iterator[tuple[Kind, list[str]]]:
        by_kind: dict[Kind, list[str]] = {kind: [] for kind in Kind}
        for uid in uids:
            by_kind[self._found[uid].kind if uid in self._found else Kind.AGENT].append(uid)
        for kind, own in by_kind.items():
            for start in range(0, len(own), PAGE):
                yield kind, own[start : start + PAGE]

    def column(self, key: str) -> Column:
        """A property of all vertices."""
        if key in self._keys:
            values = {uid: recorded(found.properties) for uid, found in self._found.items() if found.properties}
        else:
            values = self._values(key)
        values |= {uid: dict(agent.properties) for uid, agent in self._agents.items()}
        return column_of((values.get(uid, {}) for uid in self._uids), len(self._uids), key)

    def _values(self, key: str) -> dict[str, dict[str, Any]]:
        read, names = dict[str, dict[str, Any]](), names_on_server([key])
        for kind, part in self._by_kind(self._found):
            for (rows,) in self._reader.run(_VALUES.replace("KIND", kind), uids=part, names=names):
                read |= {uid: recorded(dict(pairs)) for uid, pairs in rows}
        return read

    def edge_column(self, key: str) -> Column:
        """A property of all edges."""
        places: Collection[int] = range(self._arrays.edge_count)
        missing = np.array([place for place in places if place not in self._edges], np.int64)
        if len(missing):
            self._read_edges(missing)
        return column_of((self._edges[place].properties for place in places), len(places), key)
