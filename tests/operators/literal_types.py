"""Provenance types a second time, from the definition alone: balls are laid on one another by trying.

The provenance type of a vertex is the subgraph that the vertices within k edges of it induce, rooted in it, up to
isomorphism. No hash, no refinement: two balls are equal when some bijection, found by backtracking, keeps the root,
the kinds, the kept properties, and between any two vertices how many edges of each relation run which way.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provgraph.graph.elements import Vertex
from provgraph.graph.provgraph import ProvGraph

Label = tuple[Any, ...]
Member = tuple[int, str]
"""A vertex of the disjoint union: which segment, which uid."""


@dataclass(frozen=True)
class Ball:
    """A rooted graph: labels of vertices, and how many edges of a relation run from one to another."""

    root: str
    labels: dict[str, Label]
    edges: dict[tuple[str, str], Counter[str]]

    def between(self, first: str, second: str) -> Counter[str]:
        return self.edges.get((first, second), Counter())


def label(vertex: Vertex, keep: Mapping[str, Sequence[str]]) -> Label:
    """Kind and kept properties; that one is absent is a value of its own."""
    keys = sorted({k for kind, keys in keep.items() if kind.casefold() == vertex.kind.value.casefold() for k in keys})
    kept = tuple((k, json.dumps(vertex.properties[k], sort_keys=True)) for k in keys if k in vertex.properties)
    return (vertex.kind.value, kept)


def ball(graph: ProvGraph, root: str, keep: Mapping[str, Sequence[str]], hops: int) -> Ball:
    """The induced subgraph on the vertices within so many edges, whatever their relation and direction."""
    near = {root}
    for _ in range(hops):
        after = {e.target for e in graph.edges if e.source in near}
        near |= after | {e.source for e in graph.edges if e.target in near}
    edges: dict[tuple[str, str], Counter[str]] = {}
    if hops:
        for e in graph.edges:
            if e.source in near and e.target in near:
                edges.setdefault((e.source, e.target), Counter())[e.type] += 1
    return Ball(root, {uid: label(graph[uid], keep) for uid in near}, edges)


def isomorphic(first: Ball, second: Ball) -> bool:
    """Whether one ball is the other with other names, root on root."""
    if Counter(first.labels.values()) != Counter(second.labels.values()):
        return False
    order = [first.root, *sorted(set(first.labels) - {first.root})]
    return _extend(first, second, order, {})


def _extend(first: Ball, second: Ball, order: list[str], mapped: dict[str, str]) -> bool:
    if len(mapped) == len(order):
        return True
    vertex = order[len(mapped)]
    free = [second.root] if not mapped else sorted(set(second.labels) - set(mapped.values()))
    for image in free:
        if first.labels[vertex] != second.labels[image]:
            continue
        candidate = mapped | {vertex: image}
        fits = all(
            first.between(vertex, other) == second.between(image, candidate[other])
            and first.between(other, vertex) == second.between(candidate[other], image)
            for other in candidate
        )
        if fits and _extend(first, second, order, candidate):
            return True
    return False


def partition(segments: Sequence[ProvGraph], keep: Mapping[str, Sequence[str]], hops: int) -> set[frozenset[Member]]:
    """The equivalence classes of all vertices of all segments."""
    balls = {(place, v.uid): ball(graph, v.uid, keep, hops) for place, graph in enumerate(segments) for v in graph}
    classes: list[list[Member]] = []
    for member, mine in balls.items():
        home = next((c for c in classes if isomorphic(balls[c[0]], mine)), None)
        if home is None:
            classes.append([member])
        else:
            home.append(member)
    return {frozenset(c) for c in classes}


def as_partition(groups: Mapping[Member, Any] | Iterable[tuple[Member, Any]]) -> set[frozenset[Member]]:
    """Members by the name of their class, as a partition."""
    pairs = groups.items() if isinstance(groups, Mapping) else groups
    found: dict[Any, set[Member]] = {}
    for member, name in pairs:
        found.setdefault(name, set()).add(member)
    return {frozenset(members) for members in found.values()}
