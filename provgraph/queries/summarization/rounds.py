"""The rounds of merging (``operators.md``, summarization): each sound by itself, on preorders computed anew."""

from collections.abc import Sequence

import numpy as np

from provgraph.queries.summarization.bisimulation import bisimilar
from provgraph.queries.summarization.folding import folded
from provgraph.queries.summarization.quotient import Quotient, different
from provgraph.queries.summarization.simulation import mutual, preorders
from provgraph.queries.summarization.union import Ints

_MANY = 0.95
"""A round merged many groups if no larger share of them is left."""


def grouped(letter: Ints, sources: Ints, relations: Ints, targets: Ints) -> Ints:
    """The group of each vertex once no round merges anything; numbered as they come.

    Bisimilar groups simulate each other, and bisimulation is cheap, so its rounds go first, and again after a round
    that merged many.
    """
    graph = Quotient(letter, *different(sources, relations, targets))
    group = np.arange(len(letter))
    many = True
    while True:
        before = len(graph.letter)
        if many:
            part, graph = _bisimilar(graph)
            group = part[group]
        next_part = _next(graph)
        if next_part is None:
            return group
        group, graph = next_part[group], graph.merged(next_part)
        many = len(graph.letter) < before * _MANY


def bisimulation_groups(graph: Quotient) -> Ints:
    """The groups when nothing but bisimilar vertices are merged, forwards and backwards in turn: a baseline."""
    return _bisimilar(graph)[0]


def _next(graph: Quotient) -> Ints | None:
    """The partition of the next round, None where no round merges anything."""
    ahead, back = preorders(graph)
    for order in (ahead, back):
        part = _partition(mutual(order))
        if _merges(part):
            return part
    to = folded(ahead, back)
    return None if to is None else _partition(to)


def _bisimilar(graph: Quotient) -> tuple[Ints, Quotient]:
    """The partition by rounds of merging bisimilar groups, forwards and backwards in turn, until neither merges; and
    the quotient by it.
    """
    group = np.arange(len(graph.letter))
    idle, backwards = 0, False
    while idle < 2:
        side, height = (graph.back, graph.depths) if backwards else (graph.ahead, graph.heights)
        part = _partition(bisimilar(side, side.letter, height))
        if _merges(part):
            # The quotient has no bisimilar groups in this direction; only the other one may have some now.
            idle = 1
            group, graph = part[group], graph.merged(part, bisimilar=True)
        else:
            idle += 1
        backwards = not backwards
    return group, graph


def _merges(part: Ints) -> bool:
    return bool(len(part)) and int(part.max()) + 1 < len(part)


def _partition(classes: Sequence[int]) -> Ints:
    """Classes numbered from 0 on, without gaps."""
    return np.unique(np.array(classes, np.int64), return_inverse=True)[1].astype(np.int64)
