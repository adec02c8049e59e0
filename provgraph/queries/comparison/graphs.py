"""Two graphs: what only one has, and what differs on the vertices that stand for the same."""

from collections.abc import Iterable
from typing import Any

from provgraph.errors import QuestionError
from provgraph.graph.comparison import Comparison, Pair
from provgraph.graph.elements import Edge
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.comparison.aligning import align
from provgraph.queries.comparison.contents import MOST_CONTENTS, Contents, was_read
from provgraph.queries.comparison.keys import agent_keys
from provgraph.queries.comparison.pairs import pair_of
from provgraph.queries.comparison.sides import Side


def compare(
    first: ProvGraph,
    second: ProvGraph,
    *,
    contents: Contents | None = None,
    names: tuple[str, str] | None = None,
    everything: bool = False,
) -> Comparison:
    """What differs between two graphs: segments, lineages, or any others.

    Vertices are aligned by artifact (entities), by what ran and what it touched (activities), by who it is (agents),
    and by what stands around them. Nothing is told twice: not a vertex that only one has by its edges too, not a
    content by its digest. A difference that depends on another (a result on a configuration) is one of its own.

    Parameters:
        contents: gives a snapshot's bytes; without it contents are compared by their digests alone.
        names: what the two are called.
        everything: leave no line of a diff out.

    Raises:
        QuestionError: one of the two is no graph.
    """
    for graph in (first, second):
        if not isinstance(graph, ProvGraph):
            raise QuestionError(
                f"compare takes two ProvGraphs, not a {type(graph).__name__}; project.compare takes references"
            )
    agents = agent_keys(vertex for graph in (first, second) for vertex in graph)
    sides = Side(first, agents), Side(second, agents)
    matches, roots = align(*sides)
    pairs = _pairs(sides, matches, contents, everything)
    edges = _edges(sides)
    called = names or (_called(first, roots, 0, "the first"), _called(second, roots, 1, "the second"))
    return Comparison(
        kind="graphs",
        first=called[0],
        second=called[1],
        both=tuple(pairs),
        only_first=tuple(sides[0].vertices[uid] for uid in _left(sides[0])),
        only_second=tuple(sides[1].vertices[uid] for uid in _left(sides[1])),
        edges_both=edges[0],
        edges_only_first=edges[1],
        edges_only_second=edges[2],
        roots=tuple(roots),
        query={"command": "compare", "first": dict(first.query or {}), "second": dict(second.query or {})},
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
    )


def _called(graph: ProvGraph, roots: list[tuple[str, str]], place: int, otherwise: str) -> str:
    named = sorted(display_name(graph[pair[place]]) for pair in roots)
    return named[0] if len(named) == 1 else otherwise


def _left(side: Side) -> list[str]:
    left = [uid for uid in side.vertices if uid not in side.mates]
    return sorted(left, key=lambda uid: (side.levels[uid], display_name(side.vertices[uid]), uid))


def _pairs(
    sides: tuple[Side, Side], matches: Iterable[tuple[str, str]], contents: Contents | None, everything: bool
) -> list[Pair]:
    """The pairs, the past first."""

    def place(match: tuple[str, str]) -> tuple[Any, ...]:
        level = max(sides[0].levels[match[0]], sides[1].levels[match[1]])
        return level, display_name(sides[0].vertices[match[0]]), match

    found: list[Pair] = []
    left = MOST_CONTENTS
    for one, other in sorted(matches, key=place):
        read = contents if left > 0 else None
        found.append(pair_of(sides[0].vertices[one], sides[1].vertices[other], read, everything=everything))
        left -= was_read(found[-1].content)
    return found


def _edges(
    sides: tuple[Side, Side],
) -> tuple[tuple[tuple[Edge, Edge], ...], tuple[Edge, ...], tuple[Edge, ...]]:
    first, second = sides
    there = {(edge.type, edge.source, edge.target, edge.role): edge for edge in second.graph.edges}
    both: list[tuple[Edge, Edge]] = []
    only: list[Edge] = []
    for edge in first.graph.edges:
        twin = (edge.type, first.mates.get(edge.source, ""), first.mates.get(edge.target, ""), edge.role)
        other = there.pop(twin, None)
        if other is None:
            only.append(edge)
        else:
            both.append((edge, other))
    return tuple(both), tuple(only), tuple(there.values())
