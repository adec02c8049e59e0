"""A graph as rows: plain Python lists, for graphs that a person looks at. See array_table for walks of millions."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from provgraph.graph.elements import Edge, Vertex

if TYPE_CHECKING:
    from provgraph.graph.array_table import ArrayTable

VertexRow = tuple[str, "str | tuple[str, ...]", "str | Mapping[str, Any]"]
"""(uid, labels, properties); labels and properties may be JSON text, parsed when somebody looks."""
EdgeRow = tuple[str, str, str, "str | Mapping[str, Any]", str]
"""(type, source, target, properties, uid); properties may be JSON text."""
EdgeUid = Callable[[str, str, str, str], str]
"""The uid of an edge by (type, source, target, role)."""


class RowTable:
    """Vertices by uid, edges by (type, source, target, uid): sorted when an order is first asked for.

    A position is a place in that order. ``edge_uid`` makes the uids that rows leave empty, when somebody looks.
    ``marks``: those of the vertices that have one, by uid.
    """

    __slots__ = ("_arrays", "_edge_uid", "_edges", "_in", "_index", "_marks", "_out", "_rows", "_sorted")

    def __init__(
        self,
        rows: list[VertexRow],
        edges: list[EdgeRow],
        edge_uid: EdgeUid | None = None,
        marks: Mapping[str, str] | None = None,
    ) -> None:
        self._marks = marks or {}
        self._rows, self._edges, self._sorted, self._edge_uid = rows, edges, False, edge_uid
        self._index: dict[str, VertexRow] | None = None
        self._out: dict[str, list[EdgeRow]] | None = None
        self._in: dict[str, list[EdgeRow]] | None = None
        self._arrays: ArrayTable | None = None

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

    def _vertex(self, row: VertexRow) -> Vertex:
        return Vertex(row[0], labels_of(row), _properties(row[2]), self._marks.get(row[0], ""))

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
        return sorted(map(self._edge, rows), key=edge_order)

    # -- what a ProvGraph asks

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def size(self) -> int:
        """The number of edges."""
        return len(self._edges)

    def uids(self) -> list[str]:
        """All uids, sorted."""
        self._order()
        return [row[0] for row in self._rows]

    def vertices(self) -> Iterator[Vertex]:
        """All vertices, by uid."""
        self._order()
        return map(self._vertex, self._rows)

    def edges(self) -> Iterator[Edge]:
        """All edges, in order."""
        self._order()
        return map(self._edge, self._edges)

    def edge_ends(self) -> list[tuple[str, str, str]]:
        """(type, source, target) of all edges, in order."""
        self._order()
        return [row[:3] for row in self._edges]

    def find(self, uid: str) -> Vertex | None:
        """The vertex with this uid."""
        row = self._places().get(uid)
        return None if row is None else self._vertex(row)

    def has(self, uid: object) -> bool:
        """Whether a vertex has this uid."""
        return uid in self._places()

    def uids_with_prefix(self, prefix: str, limit: int) -> list[str]:
        """Uids that start so, sorted."""
        first = self.first_from(prefix)
        found = (row[0] for row in self._rows[first : first + limit])
        return [uid for uid in found if uid.startswith(prefix)]

    def out_edges(self, uid: str) -> list[Edge]:
        """Edges that start at a vertex, in order."""
        return self._in_order(self._adjacency()[0].get(uid, ()))

    def in_edges(self, uid: str) -> list[Edge]:
        """Edges that end at a vertex, in order."""
        return self._in_order(self._adjacency()[1].get(uid, ()))

    def count(self, label: str) -> int:
        """How many vertices have a label."""
        return sum(label in labels_of(row) for row in self._rows)

    def label_counts(self) -> dict[str, int]:
        """The number of vertices of each label."""
        return Counter(label for row in self._rows for label in dict.fromkeys(labels_of(row)))

    def relation_counts(self) -> dict[str, int]:
        """The number of edges of each relation."""
        return Counter(row[0] for row in self._edges)

    def induced(self, uids: set[str], relations: set[str] | None) -> "RowTable":
        """The vertices with these uids, and the edges (of these relations) between them."""
        rows = [row for row in self._rows if row[0] in uids]
        edges = [
            row
            for row in self._edges
            if row[1] in uids and row[2] in uids and (relations is None or row[0] in relations)
        ]
        return RowTable(rows, edges, self._edge_uid, self._marks)

    # -- by position

    def position(self, uid: str) -> int | None:
        """Where a vertex stands."""
        place = self.first_from(uid)
        return place if place < len(self._rows) and self._rows[place][0] == uid else None

    def first_from(self, uid: str) -> int:
        """Where the first vertex stands whose uid is not less."""
        self._order()
        return bisect_left(self._rows, uid, key=lambda row: row[0])

    def uid_at(self, position: int) -> str:
        """A vertex's uid."""
        self._order()
        return self._rows[position][0]

    def vertices_at(self, positions: Iterable[int]) -> list[Vertex]:
        """Vertices by position."""
        self._order()
        return [self._vertex(self._rows[place]) for place in positions]

    def edges_at(self, positions: Iterable[int]) -> list[Edge]:
        """Edges by position."""
        self._order()
        return [self._edge(self._edges[place]) for place in positions]

    def rows(self) -> tuple[list[VertexRow], list[EdgeRow]]:
        """All rows, in order. Nobody may change them."""
        self._order()
        return self._rows, self._edges

    def as_arrays(self) -> "ArrayTable":
        """The same graph as arrays; made once."""
        if self._arrays is None:
            from provgraph.graph.row_arrays import arrays_of_rows

            self._arrays = arrays_of_rows(self)
        return self._arrays


def edge_order(edge: Edge) -> tuple[str, str, str, str]:
    """What edges are sorted by."""
    return edge.type, edge.source, edge.target, edge.uid


def labels_of(row: VertexRow) -> tuple[str, ...]:
    """A row's labels."""
    labels = row[1]
    return tuple(json.loads(labels) if isinstance(labels, str) else labels)


def _properties(value: "str | Mapping[str, Any]") -> Mapping[str, Any]:
    return MappingProxyType(json.loads(value) if isinstance(value, str) else dict(value))
