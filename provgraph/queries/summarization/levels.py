"""How long the paths of a graph are."""

import numpy as np

from provgraph.queries.summarization.mixing import expanded
from provgraph.queries.summarization.union import Ints

_WIDE = 32
"""From so many vertices of one length on, arrays are quicker than one vertex after the other."""


def longest(missing: Ints, ptr: Ints, other: Ints) -> Ints:
    """How many edges the longest path to each vertex has; −1 where paths never end.

    Parameters:
        missing: how many edges end at each vertex.
        ptr, other: the edges from vertex v lead to other[ptr[v]] to other[ptr[v + 1] - 1].
    """
    missing, found, steps = missing.copy(), np.full(len(missing), -1, np.int64), 0
    level: list[int] = np.flatnonzero(missing == 0).tolist()
    while level:
        found[level] = steps
        level = (_freed_together if len(level) >= _WIDE else _freed)(level, missing, ptr, other)
        steps += 1
    return found


def _freed(level: list[int], missing: Ints, ptr: Ints, other: Ints) -> list[int]:
    """Those whose last missing edge comes from this level; the edges are taken off what is missing."""
    freed = []
    for v in level:
        for u in other[ptr[v] : ptr[v + 1]].tolist():
            left = missing[u] = missing[u] - 1
            if not left:
                freed.append(u)
    return freed


def _freed_together(level: list[int], missing: Ints, ptr: Ints, other: Ints) -> list[int]:
    here = np.array(level, np.int64)
    _, places = expanded(ptr[here], ptr[here + 1])
    ends = other[places]
    np.subtract.at(missing, ends, 1)
    freed: list[int] = np.unique(ends[missing[ends] == 0]).tolist()
    return freed
