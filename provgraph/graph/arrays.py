"""A provenance graph as arrays: what the operators walk, at millions of edges a second.

Vertices and edges are *positions*, 0 to n - 1 and 0 to m - 1. What positions stand for (uids, labels, properties) the
``ProvGraph`` knows; the arrays hold what a walk needs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from provgraph.model.vocabulary import RELATIONS, Kind

ENTITY: Final = 0
ACTIVITY: Final = 1
AGENT: Final = 2
KIND_CODES: Final[dict[Kind, int]] = {Kind.ENTITY: ENTITY, Kind.ACTIVITY: ACTIVITY, Kind.AGENT: AGENT}
RELATION_NAMES: Final[tuple[str, ...]] = tuple(RELATIONS)
RELATION_CODES: Final[dict[str, int]] = {name: code for code, name in enumerate(RELATION_NAMES)}


class Adjacency(NamedTuple):
    """The edges of some relations by their one end, compressed: those of vertex v stand in ptr[v] to ptr[v + 1] - 1."""

    ptr: npt.NDArray[np.int64]
    """Shape (n + 1,)."""
    other: npt.NDArray[np.int32]
    """The vertex at the other end; shape (edges of these relations,)."""
    edge: npt.NDArray[np.int32]
    """The edge itself; as ``other``."""


class Column(NamedTuple):
    """One property of all vertices (or edges): a place in ``values`` for each, -1 where it is absent."""

    codes: npt.NDArray[np.int32]
    values: tuple[Any, ...]
    """Each different value once (1 and True, 1 and 1.0 are different); lists and objects as JSON has them.
    In a part of a graph some may be values that none of its vertices has."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """Vertices and edges of a graph, n and m of them. Nobody may write to the arrays.

    ``kinds``: int8 (n,), one of ENTITY, ACTIVITY, AGENT. ``labels``: int32 (n,), places in ``labelsets``.
    ``relations``: int8 (m,), places in RELATION_NAMES. ``sources``, ``targets``: int32 (m,), effect and cause.
    Cost: 10 bytes a vertex and edge each, at most; an adjacency 8 bytes an edge of its relations and 8 a vertex, once.
    """

    kinds: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int32]
    labelsets: tuple[tuple[str, ...], ...]
    relations: npt.NDArray[np.int8]
    sources: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int32]
    adjacencies: dict[tuple[tuple[str, ...] | None, bool], Adjacency] = field(default_factory=dict)
    """Those made so far, by their arguments; a loader may put in what it kept."""

    @property
    def vertex_count(self) -> int:
        """The number of vertices, n."""
        return len(self.kinds)

    @property
    def edge_count(self) -> int:
        """The number of edges, m."""
        return len(self.relations)

    def adjacency(self, relations: Iterable[str] | None = None, *, reverse: bool = False) -> Adjacency:
        """The edges of these relations (all by default) by their source, or with ``reverse`` by their target.

        Cost: one stable sort the first time, nothing later.
        """
        names = None if relations is None else tuple(sorted(set(relations)))
        found = self.adjacencies.get((names, reverse))
        if found is None:
            found = self.adjacencies[names, reverse] = self._adjacency(names, reverse=reverse)
        return found

    def _adjacency(self, names: tuple[str, ...] | None, *, reverse: bool) -> Adjacency:
        here, there = (self.targets, self.sources) if reverse else (self.sources, self.targets)
        chosen = np.arange(self.edge_count) if names is None else np.flatnonzero(self.with_relations(names))
        ends = here[chosen]
        # Both in one number: sorting values is several times as fast as asking for the order, and stable like this.
        keys = (ends.astype(np.int64) << 32) | chosen
        keys.sort()
        edges = (keys & 0xFFFFFFFF).astype(np.int32)
        ptr = np.zeros(self.vertex_count + 1, np.int64)
        np.cumsum(np.bincount(ends, minlength=self.vertex_count), out=ptr[1:])
        return Adjacency(ptr, there[edges], edges)

    def with_relations(self, names: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Which edges have one of these relations; bool (m,)."""
        wanted = np.zeros(len(RELATION_NAMES), np.bool_)
        wanted[[RELATION_CODES[name] for name in names]] = True
        return wanted[self.relations]

    def with_label(self, label: str) -> npt.NDArray[np.bool_]:
        """Which vertices bear a label; bool (n,)."""
        wanted = np.array([label in labels for labels in self.labelsets], np.bool_)
        return wanted[self.labels] if len(wanted) else np.zeros(self.vertex_count, np.bool_)
