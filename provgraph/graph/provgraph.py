"""ProvGraph: an immutable provenance graph, the value that questions give and take."""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from provgraph.graph.elements import Edge, Vertex

if TYPE_CHECKING:
    import networkx as nx

VertexRow = tuple[str, "str | tuple[str, ...]", "str | Mapping[str, Any]"]
"""(uid, labels, properties); labels and properties may be JSON text, parsed when somebody looks."""
EdgeRow = tuple[str, str, str, "str | Mapping[str, Any]", str]
"""(type, source, target, properties, uid); properties may be JSON text."""
EdgeUid = Callable[[str, str, str, str], str]
"""The uid of an edge by (type, source, target, role)."""


class ProvGraph:
    """Vertices and edges of W3C PROV, in a fixed order: vertices by uid, edges by (type, source, target, uid).

    Parameters:
        vertices: equal uids are one vertex.
        edges: equal type, source, target and role are one edge. Both ends must be among ``vertices``.
        query: what was asked, for whoever reads the answer later.
        notes: sentences that belong to the answer.

    Raises:
        InputError: an edge without its end, against the vocabulary, or a vertex without exactly one kind.

    Cost: linear but for the sorting. A vertex's properties are looked at only when they are asked for.
    """

    __slots__ = ("_edge_uid", "_edges", "_in", "_index", "_out", "_rows", "_sorted", "notes", "query")

    _rows: list[VertexRow]
    _edges: list[EdgeRow]
    _index: dict[str, VertexRow] | None
    _out: dict[str, list[EdgeRow]] | None
    _in: dict[str, list[EdgeRow]] | None
    _sorted: bool
    _edge_uid: EdgeUid | None
    query: Mapping[str, Any] | None
    notes: tuple[str, ...]

    def __init__(
        self,
        vertices: Iterable[Vertex],
        edges: Iterable[Edge],
        query: Mapping[str, Any] | None = None,
        notes: Iterable[str] = (),
    ) -> None:
        from provgraph.graph.rules import checked

        kept_vertices, kept_edges, remarks = checked(vertices, edges)
        self._fill(
            [(v.uid, v.labels, v.properties) for v in kept_vertices],
            [(e.type, e.source, e.target, e.properties, e.uid) for e in kept_edges],
            query,
            (*notes, *remarks),
        )

    @classmethod
    def from_rows(
        cls,
        vertices: Iterable[VertexRow],
        edges: Iterable[EdgeRow],
        query: Mapping[str, Any] | None = None,
        notes: Iterable[str] = (),
        edge_uid: EdgeUid | None = None,
    ) -> "ProvGraph":
        """A graph from rows of a store that keeps the rules itself: nothing is checked, nothing parsed until asked for.

        Any order will do. ``edge_uid`` makes the uids that rows leave empty, when somebody looks.
        Cost: two lists; 100,000 vertices and 300,000 edges take about 10 ms.
        """
        graph = cls.__new__(cls)
        graph._fill(list(vertices), list(edges), query, notes, edge_uid)  # noqa: SLF001 — a constructor
        return graph

    def _fill(
        self,
        rows: list[VertexRow],
        edges: list[EdgeRow],
        query: Mapping[str, Any] | None,
        notes: Iterable[str],
        edge_uid: EdgeUid | None = None,
    ) -> None:
        self._rows, self._edges, self._sorted, self._edge_uid = rows, edges, False, edge_uid
        self._index = self._out = self._in = None
        self.query = None if query is None else MappingProxyType(dict(query))
        self.notes = tuple(notes)

    def _order(self) -> None:
        if not self._sorted:
            self._rows.sort(key=lambda row: row[0])
            self._edges.sort(key=lambda row: row[:3])
            self._order_twins()
            self._sorted = True

    def _order_twins(self) -> None:
        """Edges that differ in their role alone stand by uid; those few get their uid now."""
        edges, first = self._edges, 0
        while first < len(edges) - 1:
            last = first
            while last + 1 < len(edges) and edges[last + 1][:3] == edges[first][:3]:
                last += 1
            if last > first:
                named = [(*row[:4], self._edge(row).uid) for row in edges[first : last + 1]]
                edges[first : last + 1] = sorted(named, key=lambda row: row[4])
            first = last + 1

    def _edge(self, row: EdgeRow) -> Edge:
        edge = Edge(row[0], row[1], row[2], _properties(row[3]), row[4])
        if not edge.uid and self._edge_uid is not None:
            return Edge(edge.type, edge.source, edge.target, edge.properties, self._edge_uid(*row[:3], edge.role))
        return edge

    def _places(self) -> dict[str, VertexRow]:
        if self._index is None:
            self._index = {row[0]: row for row in self._rows}
        return self._index

    def _adjacency(self) -> tuple[dict[str, list[EdgeRow]], dict[str, list[EdgeRow]]]:
        if self._out is None or self._in is None:
            out: dict[str, list[EdgeRow]] = {}
            into: dict[str, list[EdgeRow]] = {}
            for row in self._edges:
                out.setdefault(row[1], []).append(row)
                into.setdefault(row[2], []).append(row)
            self._out, self._in = out, into
        return self._out, self._in

    def _in_order(self, rows: Iterable[EdgeRow]) -> list[Edge]:
        return sorted(map(self._edge, rows), key=lambda edge: (edge.type, edge.source, edge.target, edge.uid))

    def __len__(self) -> int:
        """The number of vertices."""
        return len(self._rows)

    def __iter__(self) -> Iterator[Vertex]:
        self._order()
        return map(_vertex, self._rows)

    def __contains__(self, uid: object) -> bool:
        return uid in self._places()

    def __getitem__(self, uid: str) -> Vertex:
        return _vertex(self._places()[uid])

    def __eq__(self, other: object) -> bool:
        """Whether both have the same vertices and edges; ``query`` and ``notes`` do not count."""
        if not isinstance(other, ProvGraph):
            return NotImplemented
        if len(self) != len(other) or self.size != other.size:
            return False
        pairs = zip(self.to_json_parts(), other.to_json_parts(), strict=True)
        return all(list(mine) == list(theirs) for mine, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<ProvGraph: {len(self):,} vertices, {self.size:,} edges>"

    @property
    def size(self) -> int:
        """The number of edges."""
        return len(self._edges)

    @property
    def uids(self) -> list[str]:
        """The vertices' uids, sorted."""
        self._order()
        return [row[0] for row in self._rows]

    @property
    def vertices(self) -> list[Vertex]:
        """All vertices, by uid."""
        return list(self)

    @property
    def edges(self) -> list[Edge]:
        """All edges, by (type, source, target, uid)."""
        self._order()
        return [self._edge(row) for row in self._edges]

    def vertex(self, uid: str) -> Vertex | None:
        """The vertex with this uid, None where there is none (``graph[uid]`` raises KeyError)."""
        row = self._places().get(uid)
        return None if row is None else _vertex(row)

    def uids_with_prefix(self, prefix: str, limit: int = 10) -> list[str]:
        """Uids that start so, sorted; at most ``limit``."""
        uids = self.uids
        first = bisect_left(uids, prefix)
        found = []
        for uid in uids[first : first + limit]:
            if not uid.startswith(prefix):
                break
            found.append(uid)
        return found

    def out_edges(self, uid: str) -> list[Edge]:
        """Edges that start at a vertex: what it depends on, where they are ancestry edges."""
        return self._in_order(self._adjacency()[0].get(uid, ()))

    def in_edges(self, uid: str) -> list[Edge]:
        """Edges that end at a vertex: what depends on it, where they are ancestry edges."""
        return self._in_order(self._adjacency()[1].get(uid, ()))

    def count(self, label: str) -> int:
        """How many vertices have a label."""
        return sum(label in (json.loads(row[1]) if isinstance(row[1], str) else row[1]) for row in self._rows)

    @property
    def reached(self) -> int:
        """How many vertices there are, agents left out."""
        return len(self) - self.count("Agent")

    def edge_ends(self) -> list[tuple[str, str, str]]:
        """(type, source, target) of all edges in order, without looking at their properties."""
        self._order()
        return [row[:3] for row in self._edges]

    def induced(self, uids: Iterable[str], relations: Iterable[str] | None = None) -> "ProvGraph":
        """The subgraph of these vertices: all edges between them, or only those of some relations."""
        wanted = set(uids)
        types = None if relations is None else set(relations)
        return ProvGraph.from_rows(
            (row for row in self._rows if row[0] in wanted),
            (
                row
                for row in self._edges
                if row[1] in wanted and row[2] in wanted and (types is None or row[0] in types)
            ),
            edge_uid=self._edge_uid,
        )

    def with_query(self, query: Mapping[str, Any], notes: Iterable[str] = ()) -> "ProvGraph":
        """The same graph, saying which question it answers; ``notes`` are added. Cost: two lists."""
        return ProvGraph.from_rows(self._rows, self._edges, query, (*self.notes, *notes), self._edge_uid)

    def union(self, *others: "ProvGraph") -> "ProvGraph":
        """All vertices and edges of these graphs; what they share is there once. Properties are merged.

        Raises:
            InputError: two graphs give one property of one vertex different values.
        """
        from provgraph.graph.rules import united

        return united((self, *others))

    def to_json_parts(self) -> tuple[Iterator[dict[str, Any]], Iterator[dict[str, Any]]]:
        """Vertices and edges in the shapes of the JSON document, one at a time."""
        self._order()
        return (_vertex(row).to_json() for row in self._rows), (self._edge(row).to_json() for row in self._edges)

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/graph/1`` as a dict."""
        vertices, edges = self.to_json_parts()
        return {
            "schema": "provgraph/graph/1",
            "vertices": list(vertices),
            "edges": list(edges),
            "query": dict(self.query or {}),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, document: object) -> "ProvGraph":
        """The graph of a document ``provgraph/graph/1``, given as a dict or as its JSON text.

        ``uid`` and ``properties`` of an edge, ``query`` and ``notes`` may be absent; an edge twice is one, with a note.

        Raises:
            InputError: anything else than such a document; the message names the element.
        """
        from provgraph.graph.document import read

        return read(document)

    def to_networkx(self) -> "nx.MultiDiGraph[str]":
        """A networkx.MultiDiGraph: nodes and edge keys are uids; attributes ``labels``, ``type``, ``properties``.

        Raises:
            ModuleNotFoundError: networkx is not installed; the message says how to get it.
        """
        from provgraph.graph.networkx_bridge import to_networkx

        return to_networkx(self)

    @classmethod
    def from_networkx(cls, graph: "nx.MultiDiGraph[str]") -> "ProvGraph":
        """The graph that ``to_networkx`` gave, or one built in its manner.

        Raises:
            InputError: a node without ``labels``, an edge without ``type``, or what the constructor refuses.
        """
        from provgraph.graph.networkx_bridge import from_networkx

        return from_networkx(graph)


def _properties(value: "str | Mapping[str, Any]") -> Mapping[str, Any]:
    return MappingProxyType(json.loads(value) if isinstance(value, str) else dict(value))


def _vertex(row: VertexRow) -> Vertex:
    uid, labels, properties = row
    return Vertex(uid, tuple(json.loads(labels) if isinstance(labels, str) else labels), _properties(properties))
