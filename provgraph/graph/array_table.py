"""A graph as arrays: what the operators walk. Uids and properties lie where they came from until somebody looks."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from provgraph.graph.arrays import RELATION_NAMES, Adjacency, Arrays, Column
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.row_table import edge_order

Places = npt.NDArray[np.int32]
"""Positions of vertices or edges."""
_BATCH: Final = 1024
_SCANS: Final = 8
"""Looks at one vertex's edges that are scans of all edges; from then on they are sorted."""
_LOOK_UPS: Final = 20
"""How many uids are read in the time that it takes to find one."""
_TYPE_RANKS: Final = np.argsort(np.argsort(np.array(RELATION_NAMES)))


class Elements(Protocol):
    """What the positions of a whole graph stand for, kept wherever it came from."""

    def uids(self, vertices: npt.NDArray[np.integer]) -> list[str]:
        """The uids of vertices."""

    def position(self, uid: str) -> int | None:
        """The vertex with a uid."""

    def places_with_prefix(self, prefix: str) -> Iterator[int]:
        """The vertices whose uid starts so, by uid."""

    def ranks(self) -> npt.NDArray[np.int32] | None:
        """The place of each vertex among all by uid; None where positions are in that order."""

    def vertices(self, places: Sequence[int]) -> list[Vertex]:
        """Vertices, their properties read now or when looked at."""

    def edges(self, places: Sequence[int]) -> list[Edge]:
        """Edges, likewise."""

    def column(self, key: str) -> Column:
        """A property of all vertices."""

    def edge_column(self, key: str) -> Column:
        """A property of all edges."""


class ArrayTable:
    """A whole graph, or a part of one: the vertices and edges at some positions of ``elements``.

    Parameters:
        elements: what the positions of the whole graph stand for.
        whole: the arrays of the whole graph.
        kept: of a part, the positions of its vertices and of its edges in the whole; None: it is the whole.
    """

    def __init__(self, elements: Elements, whole: Arrays, kept: tuple[Places, Places] | None = None) -> None:
        self._elements, self._whole, self._kept = elements, whole, kept
        self._columns: dict[tuple[str, bool], Column] = {}
        self._scans = 0
        # Whoever draws a graph looks at the same few vertices again and again.
        self._positions: dict[str, int | None] = {}
        self._vertices: dict[str, Vertex] = {}
        self._edges: dict[tuple[str, bool], list[Edge]] = {}

    @cached_property
    def arrays(self) -> Arrays:
        """The arrays; a part's are cut out of the whole's when first asked for."""
        whole = self._whole
        if self._kept is None:
            return whole
        vertices, edges = self._kept
        new = np.empty(whole.vertex_count, np.int32)
        new[vertices] = np.arange(len(vertices), dtype=np.int32)
        return Arrays(
            kinds=whole.kinds[vertices],
            labels=whole.labels[vertices],
            labelsets=whole.labelsets,
            relations=whole.relations[edges],
            sources=new[whole.sources[edges]],
            targets=new[whole.targets[edges]],
        )

    def part(self, vertices: npt.NDArray[np.bool_], edges: npt.NDArray[np.bool_] | None) -> "ArrayTable":
        """The vertices of a mask, and the edges between them (of a mask)."""
        arrays = self.arrays
        if vertices.all():
            inside = np.ones(arrays.edge_count, np.bool_) if edges is None else edges
        else:
            inside = vertices[arrays.sources]
            inside &= vertices[arrays.targets]
            if edges is not None:
                inside &= edges
        kept = np.flatnonzero(vertices).astype(np.int32), np.flatnonzero(inside).astype(np.int32)
        if self._kept is not None:
            kept = self._kept[0][kept[0]], self._kept[1][kept[1]]
        return ArrayTable(self._elements, self._whole, kept)

    # -- between positions here and those of the whole

    def _outer(self, positions: Iterable[int]) -> list[int]:
        chosen = np.fromiter(positions, np.int64)
        return chosen.tolist() if self._kept is None else self._kept[0][chosen].tolist()

    def _outer_edges(self, positions: Iterable[int]) -> list[int]:
        chosen = np.fromiter(positions, np.int64)
        return chosen.tolist() if self._kept is None else self._kept[1][chosen].tolist()

    def _inner(self, place: int) -> int | None:
        if self._kept is None:
            return place
        vertices = self._kept[0]
        found = int(vertices.searchsorted(np.int32(place)))  # a number of another type would copy the array
        return found if found < len(vertices) and vertices[found] == place else None

    def position(self, uid: str) -> int | None:
        """Where a vertex stands."""
        if uid not in self._positions:
            place = self._elements.position(uid)
            self._positions[uid] = None if place is None else self._inner(place)
        return self._positions[uid]

    def uid_at(self, position: int) -> str:
        """A vertex's uid."""
        return self.uids_at(np.array([position], np.int32))[0]

    def uids_at(self, positions: npt.NDArray[np.integer]) -> list[str]:
        """Uids by position."""
        return self._elements.uids(positions if self._kept is None else self._kept[0][positions])

    def vertices_at(self, positions: Iterable[int]) -> list[Vertex]:
        """Vertices by position."""
        return self._elements.vertices(self._outer(positions))

    def edges_at(self, positions: Iterable[int]) -> list[Edge]:
        """Edges by position."""
        return self._elements.edges(self._outer_edges(positions))

    def column(self, key: str, *, edges: bool = False) -> Column:
        """A property of all vertices (or edges)."""
        found = self._columns.get((key, edges))
        if found is None:
            found = self._elements.edge_column(key) if edges else self._elements.column(key)
            if self._kept is not None:
                found = Column(found.codes[self._kept[1 if edges else 0]], found.values)
            self._columns[key, edges] = found
        return found

    # -- order

    @cached_property
    def _ranks(self) -> npt.NDArray[np.int32] | None:
        ranks = self._elements.ranks()
        return ranks if ranks is None or self._kept is None else ranks[self._kept[0]]

    def in_order(self) -> npt.NDArray[np.integer]:
        """All vertices' positions, by uid."""
        return np.arange(len(self)) if self._ranks is None else np.argsort(self._ranks)

    def edges_in_order(self) -> npt.NDArray[np.integer]:
        """All edges' positions, by (type, source, target, uid)."""
        arrays, ranks = self.arrays, self._ranks
        first = arrays.sources if ranks is None else ranks[arrays.sources]
        second = arrays.targets if ranks is None else ranks[arrays.targets]
        keys = _TYPE_RANKS[arrays.relations].astype(np.uint64) << np.uint64(60)
        keys |= first.astype(np.uint64) << np.uint64(30)
        keys |= second.astype(np.uint64)
        order = np.argsort(keys)
        keys = keys[order]
        self._order_twins(order, np.flatnonzero(keys[1:] == keys[:-1]))
        return order

    def _order_twins(self, order: npt.NDArray[np.integer], same: npt.NDArray[np.integer]) -> None:
        """Put edges that differ in their role alone by uid; ``same``: places in ``order`` whose next is a twin."""
        if not len(same):
            return
        breaks = np.flatnonzero(np.diff(same) > 1)
        firsts = same[np.concatenate(([0], breaks + 1))].tolist()
        lasts = (same[np.concatenate((breaks, [len(same) - 1]))] + 1).tolist()
        for first, last in zip(firsts, lasts, strict=True):
            group = order[first : last + 1].tolist()
            named = sorted(zip((edge.uid for edge in self.edges_at(group)), group, strict=True))
            order[first : last + 1] = [position for _, position in named]

    # -- what a ProvGraph asks

    def __len__(self) -> int:
        return self._whole.vertex_count if self._kept is None else len(self._kept[0])

    @property
    def size(self) -> int:
        """The number of edges."""
        return self._whole.edge_count if self._kept is None else len(self._kept[1])

    def uids(self) -> list[str]:
        """All uids, sorted."""
        return self.uids_at(self.in_order())

    def vertices(self) -> Iterator[Vertex]:
        """All vertices, by uid, read in batches."""
        order = self.in_order()
        for start in range(0, len(order), _BATCH):
            yield from self.vertices_at(order[start : start + _BATCH])

    def edges(self) -> Iterator[Edge]:
        """All edges in order, read in batches."""
        order = self.edges_in_order()
        for start in range(0, len(order), _BATCH):
            yield from self.edges_at(order[start : start + _BATCH])

    def edge_ends(self) -> list[tuple[str, str, str]]:
        """(type, source, target) of all edges, in order."""
        order, arrays = self.edges_in_order(), self.arrays
        uids = self.uids_at(np.arange(len(self)))
        return [
            (RELATION_NAMES[relation], uids[source], uids[target])
            for relation, source, target in zip(
                arrays.relations[order].tolist(),
                arrays.sources[order].tolist(),
                arrays.targets[order].tolist(),
                strict=True,
            )
        ]

    def find(self, uid: str) -> Vertex | None:
        """The vertex with this uid."""
        found = self._vertices.get(uid)
        if found is None and (position := self.position(uid)) is not None:
            found = self._vertices[uid] = self.vertices_at((position,))[0]
        return found

    def has(self, uid: object) -> bool:
        """Whether a vertex has this uid."""
        return isinstance(uid, str) and self.position(uid) is not None

    def uids_with_prefix(self, prefix: str, limit: int) -> list[str]:
        """Uids that start so, sorted."""
        found: list[int] = []
        for place in self._elements.places_with_prefix(prefix):
            if len(found) >= limit:
                break
            if self._inner(place) is not None:
                found.append(place)
        return self._elements.uids(np.array(found, np.int32))

    def out_edges(self, uid: str) -> list[Edge]:
        """Edges that start at a vertex, in order."""
        return self._edges_of(uid, reverse=False)

    def in_edges(self, uid: str) -> list[Edge]:
        """Edges that end at a vertex, in order."""
        return self._edges_of(uid, reverse=True)

    def _edges_of(self, uid: str, *, reverse: bool) -> list[Edge]:
        found = self._edges.get((uid, reverse))
        if found is None:
            position = self.position(uid)
            places = () if position is None else self._places_of(position, reverse=reverse)
            found = self._edges[uid, reverse] = sorted(self.edges_at(places), key=edge_order)
        return list(found)

    def _places_of(self, position: int, *, reverse: bool) -> npt.NDArray[np.integer]:
        arrays = self.arrays
        if self._scans < _SCANS and (None, reverse) not in arrays.adjacencies:
            self._scans += 1
            return np.flatnonzero((arrays.targets if reverse else arrays.sources) == position)
        found: Adjacency = arrays.adjacency(reverse=reverse)
        return found.edge[found.ptr[position] : found.ptr[position + 1]]

    def count(self, label: str) -> int:
        """How many vertices have a label."""
        return self.label_counts().get(label, 0)

    def label_counts(self) -> dict[str, int]:
        """The number of vertices of each label."""
        labels = self._whole.labels if self._kept is None else self._whole.labels[self._kept[0]]
        numbers = np.bincount(labels, minlength=len(self._whole.labelsets)).tolist()
        counts: dict[str, int] = {}
        for number, names in zip(numbers, self._whole.labelsets, strict=True):
            for name in dict.fromkeys(names) if number else ():
                counts[name] = counts.get(name, 0) + number
        return counts

    def relation_counts(self) -> dict[str, int]:
        """The number of edges of each relation."""
        numbers = np.bincount(self.arrays.relations, minlength=len(RELATION_NAMES)).tolist()
        return {name: number for name, number in zip(RELATION_NAMES, numbers, strict=True) if number}

    def induced(self, uids: set[str], relations: set[str] | None) -> "ArrayTable":
        """The vertices with these uids, and the edges (of these relations) between them."""
        if len(uids) * _LOOK_UPS < len(self):
            mask = np.zeros(len(self), np.bool_)
            mask[[place for uid in uids if (place := self.position(uid)) is not None]] = True
        else:
            mask = np.fromiter((uid in uids for uid in self.uids_at(np.arange(len(self)))), np.bool_, len(self))
        known = None if relations is None else [name for name in RELATION_NAMES if name in relations]
        return self.part(mask, None if known is None else self.arrays.with_relations(known))

    def as_arrays(self) -> "ArrayTable":
        """Itself."""
        return self
