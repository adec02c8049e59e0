"""``segment`` a second time, from its definition alone: every ancestry walk is written down, every word compared.

Nothing here is clever, and nothing is taken from ``provgraph.queries``. It is for graphs of a dozen vertices: the
number of walks grows exponentially. The numbers in the comments are the definition's steps.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph

ANCESTRY = ("used", "wasGeneratedBy")
RESPONSIBILITY = ("wasAssociatedWith", "wasAttributedTo")
ORDER = ("direct", "similar", "query", "sibling", "agent", "expansion")
"""Which reason a vertex bears that has several: the first of these."""

VertexTest = Callable[[Vertex], bool]
EdgeTest = Callable[[Edge], bool]
Walk = tuple[tuple[str, ...], tuple[str, ...]]
"""The vertices of a walk, and the relations between them, one fewer."""


@dataclass(frozen=True)
class Expand:
    """Step 6: for which vertices (None: the query's), past how many activities, which way."""

    uids: tuple[str, ...] | None
    activities: int
    downstream: bool = False


@dataclass(frozen=True)
class Asked:
    """All that a segmentation may be asked. ``outside`` and ``without`` say which vertices and edges are excluded."""

    sources: tuple[str, ...] | None
    destinations: tuple[str, ...]
    outside: VertexTest = lambda _: False
    without: EdgeTest = lambda _: False
    match: Mapping[str, Sequence[str]] = field(default_factory=dict)
    expand: tuple[Expand, ...] = ()
    similar: bool = True


@dataclass(frozen=True)
class LiteralSegment:
    """The answer: the reason of each vertex, and the edges by (type, source, target, role)."""

    why: dict[str, str]
    edges: frozenset[tuple[str, str, str, str]]
    sources: frozenset[str]

    @property
    def uids(self) -> set[str]:
        return set(self.why)


@dataclass(frozen=True)
class Remaining:
    """A graph without what is excluded."""

    vertices: dict[str, Vertex]
    edges: list[Edge]

    def steps(self, uid: str, *, downstream: bool = False) -> list[tuple[str, str]]:
        """The (relation, vertex) that one ancestry edge leads to; edges that differ in role alone are one walk."""
        if downstream:
            found = {(e.type, e.source) for e in self.edges if e.target == uid and e.type in ANCESTRY}
        else:
            found = {(e.type, e.target) for e in self.edges if e.source == uid and e.type in ANCESTRY}
        return sorted(found)


def exclude(graph: ProvGraph, outside: VertexTest, without: EdgeTest) -> Remaining:
    """Step 1. An edge goes with its ends."""
    vertices = {v.uid: v for v in graph if not outside(v)}
    edges = [e for e in graph.edges if not without(e) and e.source in vertices and e.target in vertices]
    return Remaining(vertices, edges)


def walks(graph: Remaining, start: str, *, downstream: bool = False) -> Iterator[Walk]:
    """Every ancestry walk that starts in a vertex, that of no step included."""
    pending: list[Walk] = [((start,), ())]
    while pending:
        vertices, relations = pending.pop()
        yield vertices, relations
        for relation, target in graph.steps(vertices[-1], downstream=downstream):
            assert target not in vertices, "the definition is about acyclic graphs"
            pending.append(((*vertices, target), (*relations, relation)))


def value(properties: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """What a letter says of a property. Absent equals absent, and nothing else; 1, 1.0 and true are three values."""
    return ("has", json.dumps(properties[key], sort_keys=True)) if key in properties else ("absent",)


def letter(vertex: Vertex, match: Mapping[str, Sequence[str]]) -> tuple[Any, ...]:
    """The kind of a vertex and the values that must agree."""
    keys = [key for kind, keys in match.items() if kind.casefold() == vertex.kind.value.casefold() for key in keys]
    return (vertex.kind.value, *(value(vertex.properties, key) for key in keys))


def word(graph: Remaining, walk: Walk, match: Mapping[str, Sequence[str]]) -> tuple[Any, ...]:
    """The letters of a walk: vertex, relation, vertex, …"""
    vertices, relations = walk
    letters: list[Any] = [letter(graph.vertices[vertices[0]], match)]
    for relation, uid in zip(relations, vertices[1:], strict=True):
        letters += [relation, letter(graph.vertices[uid], match)]
    return tuple(letters)


def roots(graph: Remaining, destinations: Iterable[str]) -> set[str]:
    """What stands for sources that were left out: vertices from which no ancestry edge leads on, activities too.

    The definition wants sources; this is what docs/segmentation.md says of a question without.
    """
    reached = {walk[0][-1] for d in destinations for walk in walks(graph, d)}
    return {uid for uid in reached if not graph.steps(uid)}


def expansion(graph: Remaining, asked: Expand, query: set[str]) -> set[str]:
    """Step 6. A walk passes the activities that are on it, its ends included."""
    found: set[str] = set()
    for start in query if asked.uids is None else asked.uids:
        for vertices, _ in walks(graph, start, downstream=asked.downstream):
            if sum(graph.vertices[uid].kind == "Activity" for uid in vertices) <= asked.activities:
                found |= set(vertices)
    return found


def literal_segment(graph: ProvGraph, asked: Asked) -> LiteralSegment:
    """The segment, step by step."""
    left = exclude(graph, asked.outside, asked.without)  # 1
    sources = roots(left, asked.destinations) if asked.sources is None else set(asked.sources)
    query = sources | set(asked.destinations)
    assert query <= set(left.vertices), "excluding a query vertex is an error"

    direct: set[str] = set()
    similar: set[str] = set()
    for d in asked.destinations:
        every = list(walks(left, d))
        ending = [walk for walk in every if walk[0][-1] in sources]
        direct.update(uid for vertices, _ in ending for uid in vertices)  # 2
        if asked.similar:
            words = {word(left, walk, asked.match) for walk in ending}
            similar.update(uid for walk in every if word(left, walk, asked.match) in words for uid in walk[0])  # 3

    on_paths = direct | similar
    siblings = {e.source for e in left.edges if e.type == "wasGeneratedBy" and e.target in on_paths}  # 4
    found = on_paths | siblings
    agents = {e.target for e in left.edges if e.type in RESPONSIBILITY and e.source in found}  # 5
    expanded: set[str] = set().union(*(expansion(left, one, query) for one in asked.expand))  # 6

    reasons = dict(zip(ORDER, (direct, similar, query, siblings, agents, expanded), strict=True))
    uids = set().union(*reasons.values())
    why = {uid: next(reason for reason, having in reasons.items() if uid in having) for uid in sorted(uids)}
    edges = {(e.type, e.source, e.target, e.role) for e in left.edges if e.source in uids and e.target in uids}  # 7
    return LiteralSegment(why, frozenset(edges), frozenset(sources))
