"""Each way between two vertices: the directed walks from one to the other, shortest first.

A graph has more walks than can be printed (a ladder of diamonds has 2ⁿ), so they are counted and only the first few are
made. Where a cycle makes walks endless, those that visit no vertex twice are searched for a bounded time.
"""

import heapq
from collections.abc import Iterable, Mapping
from typing import Final

from provgraph.graph.answers import Way, Ways
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import ANCESTRY, RESPONSIBILITY

MOST: Final = 10**18
"""A count of this much means: this many or more."""


def ways(
    graph: ProvGraph, source: str, target: str, *, limit: int = 20, revisions: bool = False, notes: Iterable[str] = ()
) -> Ways:
    """The walks from ``source`` down to ``target`` along edges, or from ``target`` to ``source`` where there is none.

    Parameters:
        source, target: uids in the graph.
        limit: how many are made; all are counted.
        revisions: also walk ``wasDerivedFrom``.

    Cost: linear in the part between the two, and the length of each way that is made.
    """
    relations = frozenset((*ANCESTRY, *RESPONSIBILITY, *(("wasDerivedFrom",) if revisions else ())))
    between = _between(graph, source, target, relations)
    if not between and source != target:
        turned = _between(graph, target, source, relations)
        if turned:
            source, target, between = target, source, turned
    found = Ways(graph[source], graph[target], (), 0, tuple(notes))
    if not between:
        return found
    count = _count(between, source, target)
    made = _shortest(graph, between, source, target, limit)
    return Ways(found.source, found.target, tuple(made), count, found.notes)


def _between(graph: ProvGraph, source: str, target: str, relations: frozenset[str]) -> dict[str, list[Edge]]:
    """Edges by where they start, of all that lies on a walk from source to target; empty where there is none."""
    forward = {source}
    stack = [source]
    while stack:
        for edge in graph.out_edges(stack.pop()):
            if edge.type in relations and edge.target not in forward:
                forward.add(edge.target)
                stack.append(edge.target)
    if target not in forward or source == target:
        return {}
    kept: dict[str, list[Edge]] = {target: []}
    stack = [target]
    while stack:
        for edge in graph.in_edges(stack.pop()):
            if edge.type in relations and edge.source in forward:
                if edge.source not in kept:
                    kept[edge.source] = []
                    stack.append(edge.source)
                kept[edge.source].append(edge)
    for edges in kept.values():
        edges.sort(key=lambda edge: (edge.type, display_name(graph[edge.target]), edge.target, edge.uid))
    kept[target] = []
    return kept


def _count(between: Mapping[str, list[Edge]], source: str, target: str) -> int | None:
    """How many walks there are, ``MOST`` for that many or more; None where there is a cycle.

    A vertex is finished when all after it are.
    """
    counts = {target: 1}
    waiting = {uid: len(edges) for uid, edges in between.items() if uid != target}
    before = _before(between)
    ready = [target]
    while ready:
        done = ready.pop()
        for uid in before.get(done, ()):
            counts[uid] = min(MOST, counts.get(uid, 0) + counts[done])
            waiting[uid] -= 1
            if waiting[uid] == 0:
                ready.append(uid)
    return None if any(waiting.values()) else counts[source]


_Taken = tuple["_Taken | None", Edge]
"""Edges taken so far, the last one first."""


def _shortest(graph: ProvGraph, between: Mapping[str, list[Edge]], source: str, target: str, limit: int) -> list[Way]:
    """The first walks by length, ties in the order in which they were met.

    A walk is made by going on along the edge that leads there soonest; the other edges on its way are noted as
    beginnings of further walks, whose lengths are known (after D. Eppstein, Finding the k shortest paths, 1998).
    """
    distance = _distances(between, target)
    heap: list[tuple[int, int, _Taken | None, str]] = [(distance[source], 0, None, source)]
    found: list[Way] = []
    vertices: dict[str, Vertex] = {}
    number, tries = 0, 50 * limit
    while heap and len(found) < limit and tries > 0:
        tries -= 1
        _, _, taken, here = heapq.heappop(heap)
        steps = _steps(taken)
        visited = {source, *(edge.target for edge in steps)}
        while here != target:
            onward = [edge for edge in between[here] if edge.target not in visited]
            if not onward:
                break  # a cycle forbids every edge
            onward.sort(key=lambda edge: distance[edge.target])
            for edge in onward[1:]:
                number += 1
                length = len(steps) + 1 + distance[edge.target]
                heapq.heappush(heap, (length, number, (taken, edge), edge.target))
            taken, here = (taken, onward[0]), onward[0].target
            steps.append(onward[0])
            visited.add(here)
        if here == target:
            for uid in (source, *(edge.target for edge in steps)):
                if uid not in vertices:
                    vertices[uid] = graph[uid]
            found.append(Way((vertices[source], *(vertices[edge.target] for edge in steps)), tuple(steps)))
    return found


def _steps(taken: "_Taken | None") -> list[Edge]:
    steps = []
    while taken is not None:
        taken, edge = taken
        steps.append(edge)
    return steps[::-1]


def _before(between: Mapping[str, list[Edge]]) -> dict[str, list[str]]:
    """Where the edges that end at a vertex start."""
    before: dict[str, list[str]] = {}
    for uid, edges in between.items():
        for edge in edges:
            before.setdefault(edge.target, []).append(uid)
    return before


def _distances(between: Mapping[str, list[Edge]], target: str) -> dict[str, int]:
    before = _before(between)
    distance = {target: 0}
    level = [target]
    while level:
        following = []
        for uid in level:
            for earlier in before.get(uid, ()):
                if earlier not in distance:
                    distance[earlier] = distance[uid] + 1
                    following.append(earlier)
        level = following
    return distance
