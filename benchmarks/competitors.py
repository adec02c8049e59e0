"""Other ways to the same segment, for comparison: what one would write with networkx, and context-free reachability.

Each works on a life cycle's plain arrays and gives the positions of the vertices on direct and similar paths (steps 2
and 3 of the definition; no siblings, no agents: the competitors get less to do).
"""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
from life_cycles import LifeCycle


def networkx_graph(graph: LifeCycle) -> nx.MultiDiGraph:
    """The ancestry edges, effect → cause; entities 0 to e - 1, activities after them."""
    made: nx.MultiDiGraph = nx.MultiDiGraph()
    made.add_nodes_from(range(graph.entities + graph.activities))
    made.add_edges_from(zip((graph.used[0] + graph.entities).tolist(), graph.used[1].tolist(), strict=True))
    made.add_edges_from(zip(graph.generated[0].tolist(), (graph.generated[1] + graph.entities).tolist(), strict=True))
    return made


def by_levels(graph: nx.MultiDiGraph, source: int, destination: int) -> set[int]:
    """The sets of vertices that walks of each length reach, then backwards from the levels that hold the source."""
    levels = [{destination}]
    while levels[-1]:
        levels.append({after for vertex in levels[-1] for after in graph.successors(vertex)})
    found: set[int] = set()
    useful: set[int] = set()
    for level in reversed(levels):
        useful = level if source in level else {vertex for vertex in level if not useful.isdisjoint(graph[vertex])}
        found |= useful
    return found


def by_reachability(graph: LifeCycle, source: int, destination: int) -> set[int]:
    """Context-free language reachability over the palindromes of SimProv, as the ICDE paper's competitor CflrB does.

    A worklist over pairs of vertices that equal words reach, each pair once, kept in bitmaps; then back from the pairs
    that hold the source. Compiled by numba, as ours is. Cost: the square of what is reached.

    Raises:
        MemoryError: the bitmaps would take more than 4 GiB.
    """
    n = graph.entities + graph.activities
    if graph.entities**2 + graph.activities**2 > 4 << 30:
        raise MemoryError(f"pairs of {n:,} vertices")
    forth = _compressed(graph, n, back=False)
    back = _compressed(graph, n, back=True)
    found = _compiled()(*forth, *back, graph.entities, graph.activities, source, destination)
    return set(np.flatnonzero(found).tolist())


def _compressed(graph: LifeCycle, n: int, *, back: bool) -> tuple[Any, Any]:
    sources = np.concatenate((graph.used[0] + graph.entities, graph.generated[0]))
    targets = np.concatenate((graph.used[1], graph.generated[1] + graph.entities))
    if back:
        sources, targets = targets, sources
    ptr = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(sources, minlength=n), out=ptr[1:])
    return ptr, targets[np.argsort(sources, kind="stable")]


_kept: list[Any] = []


def _compiled() -> Any:
    if not _kept:
        import numba  # noqa: PLC0415 - only this competitor needs it

        _kept.append(numba.njit(_pairs))
    return _kept[0]


def _pairs(ptr, other, back_ptr, back_other, entities, activities, source, destination):  # noqa: ANN001, ANN202, C901
    """Which vertices lie on similar paths; a pair (u, v) of one kind is one byte: 1 met, 2 leads to the source."""
    met = np.zeros((entities, entities), np.uint8)
    met_too = np.zeros((activities, activities), np.uint8)
    size, top = 1 << 20, 1
    work = np.empty(size, np.int64)
    width = np.int64(entities + activities)
    work[0] = destination * width + destination
    met[destination, destination] = 1
    for phase in (1, 2):
        if phase == 2:
            top = 0
            for u in range(entities):
                if met[u, source] == 1:
                    if top == size:
                        work = np.concatenate((work, np.empty(size, np.int64)))
                        size *= 2
                    met[u, source] = 2
                    work[top] = u * width + source
                    top += 1
        while top > 0:
            top -= 1
            u, v = work[top] // width, work[top] % width
            ptrs, others = (ptr, other) if phase == 1 else (back_ptr, back_other)
            for i in range(ptrs[u], ptrs[u + 1]):
                for j in range(ptrs[v], ptrs[v + 1]):
                    a, b = others[i], others[j]
                    if a < entities:
                        if met[a, b] != phase - 1:
                            continue
                        met[a, b] = phase
                    else:
                        if met_too[a - entities, b - entities] != phase - 1:
                            continue
                        met_too[a - entities, b - entities] = phase
                    if top == size:
                        work = np.concatenate((work, np.empty(size, np.int64)))
                        size *= 2
                    work[top] = a * width + b
                    top += 1
    found = np.zeros(entities + activities, np.bool_)
    for u in range(entities):
        found[u] = (met[u] == 2).any()
    for u in range(activities):
        found[entities + u] = (met_too[u] == 2).any()
    return found


CYPHER = (
    "MATCH p = (d:Snapshot {uid: $d})-[:used|wasGeneratedBy*]->(s:Snapshot {uid: $s}) WITH DISTINCT length(p) AS n "
    "MATCH q = (d:Snapshot {uid: $d})-[:used|wasGeneratedBy*]->(x) WHERE length(q) = n "
    "UNWIND nodes(q) AS v RETURN count(DISTINCT v)"
)
"""Direct and similar paths in Cypher."""
CYPHER_DIRECT = (
    "MATCH (d:Snapshot {uid: $d})-[:used|wasGeneratedBy*0..]->(x)-[:used|wasGeneratedBy*0..]->(s:Snapshot {uid: $s}) "
    "RETURN count(DISTINCT x)"
)
"""Direct paths alone."""
