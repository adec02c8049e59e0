"""ProvGraph: an immutable provenance graph, the value that questions give and take."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.row_table import EdgeRow, EdgeUid, RowTable, VertexRow

if TYPE_CHECKING:
    import networkx as nx
    import numpy as np
    import numpy.typing as npt

    from provgraph.graph.array_table import ArrayTable
    from provgraph.graph.arrays import Arrays, Column

type Table = RowTable | ArrayTable


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

    __slots__ = ("_table", "notes", "query")

    _table: Table
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
        rows: list[VertexRow] = [(v.uid, v.labels, v.properties) for v in kept_vertices]
        edge_rows: list[EdgeRow] = [(e.type, e.source, e.target, e.properties, e.uid) for e in kept_edges]
        marks = {v.uid: v.mark for v in kept_vertices if v.mark}
        self._fill(RowTable(rows, edge_rows, marks=marks), query, (*notes, *remarks))

    @classmethod
    def from_rows(
        cls,
        vertices: Iterable[VertexRow],
        edges: Iterable[EdgeRow],
        query: Mapping[str, Any] | None = None,
        notes: Iterable[str] = (),
        edge_uid: EdgeUid | None = None,
        marks: Mapping[str, str] | None = None,
    ) -> "ProvGraph":
        """A graph from rows of a store that keeps the rules itself: nothing is checked, nothing parsed until asked for.

        Any order will do. ``edge_uid`` makes the uids that rows leave empty, when somebody looks; ``marks`` are those
        of the few vertices that have one (`Vertex.mark`), by uid.
        Cost: two lists; 100,000 vertices and 300,000 edges take about 10 ms.
        """
        return cls.of_table(RowTable(list(vertices), list(edges), edge_uid, marks), query, notes)

    @classmethod
    def of_table(cls, table: Table, query: Mapping[str, Any] | None = None, notes: Iterable[str] = ()) -> Self:
        """A graph over a table that keeps the rules: for stores, and for what makes graphs of graphs."""
        graph = cls.__new__(cls)
        graph._fill(table, query, notes)  # noqa: SLF001 — a constructor
        return graph

    def _fill(self, table: Table, query: Mapping[str, Any] | None, notes: Iterable[str]) -> None:
        self._table = table
        self.query = None if query is None else MappingProxyType(dict(query))
        self.notes = tuple(notes)

    @property
    def table(self) -> Table:
        """What holds the vertices and edges; several graphs may share one."""
        return self._table

    def __len__(self) -> int:
        """The number of vertices."""
        return len(self._table)

    def __iter__(self) -> Iterator[Vertex]:
        return self._table.vertices()

    def __contains__(self, uid: object) -> bool:
        return self._table.has(uid)

    def __getitem__(self, uid: str) -> Vertex:
        found = self._table.find(uid)
        if found is None:
            raise KeyError(uid)
        return found

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

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from provgraph.graph.display import mimebundle

        return mimebundle(self, include, exclude)

    @property
    def size(self) -> int:
        """The number of edges."""
        return self._table.size

    @property
    def uids(self) -> list[str]:
        """The vertices' uids, sorted."""
        return self._table.uids()

    @property
    def vertices(self) -> list[Vertex]:
        """All vertices, by uid."""
        return list(self)

    @property
    def edges(self) -> list[Edge]:
        """All edges, by (type, source, target, uid)."""
        return list(self._table.edges())

    def vertex(self, uid: str) -> Vertex | None:
        """The vertex with this uid, None where there is none (``graph[uid]`` raises KeyError)."""
        return self._table.find(uid)

    def uids_with_prefix(self, prefix: str, limit: int = 10) -> list[str]:
        """Uids that start so, sorted; at most ``limit``."""
        return self._table.uids_with_prefix(prefix, limit)

    def out_edges(self, uid: str) -> list[Edge]:
        """Edges that start at a vertex: what it depends on, where they are ancestry edges."""
        return self._table.out_edges(uid)

    def in_edges(self, uid: str) -> list[Edge]:
        """Edges that end at a vertex: what depends on it, where they are ancestry edges."""
        return self._table.in_edges(uid)

    def count(self, label: str) -> int:
        """How many vertices have a label."""
        return self._table.count(label)

    def label_counts(self) -> dict[str, int]:
        """Every label in use, with its number of vertices."""
        return dict(sorted(self._table.label_counts().items()))

    def relation_counts(self) -> dict[str, int]:
        """Every relation in use, with its number of edges."""
        return dict(sorted(self._table.relation_counts().items()))

    @property
    def reached(self) -> int:
        """How many vertices there are, agents left out."""
        return len(self) - self.count("Agent")

    def edge_ends(self) -> list[tuple[str, str, str]]:
        """(type, source, target) of all edges in order, without looking at their properties."""
        return self._table.edge_ends()

    def induced(self, uids: Iterable[str], relations: Iterable[str] | None = None) -> "ProvGraph":
        """The subgraph of these vertices: all edges between them, or only those of some relations."""
        return ProvGraph.of_table(self._table.induced(set(uids), None if relations is None else set(relations)))

    def with_query(self, query: Mapping[str, Any], notes: Iterable[str] = ()) -> "ProvGraph":
        """The same graph, saying which question it answers; ``notes`` are added. Nothing is copied."""
        return ProvGraph.of_table(self._table, query, (*self.notes, *notes))

    # -- by position, for what walks millions

    @property
    def arrays(self) -> "Arrays":
        """The graph as arrays of positions, made when first asked for."""
        return self._table.as_arrays().arrays

    def position(self, uid: str) -> int | None:
        """Where a vertex stands in the arrays; None where there is none."""
        return self._table.position(uid)

    def uid_at(self, position: int) -> str:
        """The uid of the vertex at a position."""
        return self._table.uid_at(position)

    def uids_at(self, positions: "npt.NDArray[np.integer]") -> list[str]:
        """The uids of the vertices at these positions, in their order."""
        return self._table.as_arrays().uids_at(positions)

    def vertex_at(self, position: int) -> Vertex:
        """The vertex at a position."""
        return self._table.vertices_at((position,))[0]

    def vertices_at(self, positions: Iterable[int]) -> list[Vertex]:
        """The vertices at these positions, read together."""
        return self._table.vertices_at(positions)

    def edge_at(self, position: int) -> Edge:
        """The edge at a position."""
        return self._table.edges_at((position,))[0]

    def edges_at(self, positions: Iterable[int]) -> list[Edge]:
        """The edges at these positions, read together."""
        return self._table.edges_at(positions)

    def column(self, key: str) -> "Column":
        """A property of all vertices, by position. Kept once made."""
        return self._table.as_arrays().column(key)

    def edge_column(self, key: str) -> "Column":
        """A property of all edges, by position. Kept once made."""
        return self._table.as_arrays().column(key, edges=True)

    def part(
        self,
        vertices: "npt.NDArray[np.bool_]",
        edges: "npt.NDArray[np.bool_] | None" = None,
        query: Mapping[str, Any] | None = None,
        notes: Iterable[str] = (),
    ) -> "ProvGraph":
        """The subgraph of the vertices where a mask holds: all edges between them, or those where ``edges`` holds.

        Nothing is read or copied but positions; they are numbered anew, in the same order.
        """
        return ProvGraph.of_table(self._table.as_arrays().part(vertices, edges), query, notes)

    def union(self, *others: "ProvGraph") -> "ProvGraph":
        """All vertices and edges of these graphs; what they share is there once. Properties are merged.

        Raises:
            InputError: two graphs give one property of one vertex different values.
        """
        from provgraph.graph.rules import united

        return united((self, *others))

    def to_json_parts(self) -> tuple[Iterator[dict[str, Any]], Iterator[dict[str, Any]]]:
        """Vertices and edges in the shapes of the JSON document, one at a time."""
        table = self._table
        return (vertex.to_json() for vertex in table.vertices()), (edge.to_json() for edge in table.edges())

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
        """The graph of a document ``provgraph/graph/1``, or of W3C PROV-JSON, given as a dict or as its JSON text.

        Of a segment's document it is a ``Segment``: its reasons are kept, its proofs are not.
        ``uid`` and ``properties`` of an edge, ``query`` and ``notes`` may be absent; an edge twice is one, with a note.

        Raises:
            InputError: anything else than such a document; the message names the element.
        """
        from provgraph.graph.document import read

        return read(document)

    @classmethod
    def from_prov_json(cls, document: object) -> "ProvGraph":
        """The graph of a PROV-JSON document (or one in its manner), given as a dict. Ids become uids.

        ``notes`` say what was left out: relations that the vocabulary lacks, or that have one end only.

        Raises:
            InputError: a record that is no object; the message names it.
        """
        from provgraph.graph.prov_json import from_prov_json

        return from_prov_json(document)

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
