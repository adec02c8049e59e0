"""Provenance types: vertices whose rooted balls of radius k are isomorphic.

A vertex counts by its kind and kept properties, an edge by its relation and direction, parallel edges by their number.
Colours that k rounds of refinement give are a necessary condition, cheap for all vertices together; only vertices that
share one have their balls cut out and compared, exactly; of those that are the same by the uids in them, one.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from provgraph.queries.summarization.balls import Around, ball_colours, forms
from provgraph.queries.summarization.isomorphism import isomorphic
from provgraph.queries.summarization.mixing import Colours, changes, mixed
from provgraph.queries.summarization.neighbours import neighbours, refined, upwards
from provgraph.queries.summarization.overlapping import stand_ins
from provgraph.queries.summarization.union import Ints, Union


class Classes(NamedTuple):
    """The equivalence classes of a union's vertices, ordered by (kind, kept, provenance type)."""

    of: Ints
    """The class of each vertex; shape (t,)."""
    base: list[int]
    """Of each class: the code of its kind and kept properties."""
    type: list[int]
    """Of each class: the number of its provenance type within its base, from 1; the most frequent first."""


def classes(union: Union, hops: int) -> Classes:
    """Which vertices are equivalent.

    Cost: linear for the colours; then the balls of those vertices that share theirs, in total size.
    """
    return _numbered(union.base, *(_types(union, hops) if hops and len(union) else ()))


def _types(union: Union, hops: int) -> tuple[Colours, Colours, Ints]:
    """Of each vertex its colour, that of its ball where it was cut out, and a number: all three equal for isomorphic
    balls alone.
    """
    near = neighbours(union)
    stages = refined(mixed(union.base), near, hops)
    size = np.bincount(union.segment)
    first = np.cumsum(size) - size
    around = Around(near, upwards(near), union.base, stages, first[union.segment], size[union.segment])
    colour, whole, number = stages[-1], np.zeros(len(union), np.uint64), np.zeros(len(union), np.int64)
    stand = stand_ins(union, near, hops)
    left = np.flatnonzero(stand == np.arange(len(union)))
    left = left[_shared(colour[left])]
    whole[left] = ball_colours(around, left)
    left = left[_shared(whole[left])]
    number[left] = _told_apart(around, left, whole[left].tolist())
    return colour, whole[stand], number[stand]


def _shared(colours: Colours) -> npt.NDArray[np.bool_]:
    """Which of them are there more than once."""
    _, inverse, counts = np.unique(colours, return_inverse=True, return_counts=True)
    shared: npt.NDArray[np.bool_] = counts[inverse] > 1
    return shared


def _told_apart(around: Around, vertices: Ints, colours: list[int]) -> list[int]:
    """Numbers from 1 on, within each colour equal for isomorphic balls alone."""
    seen: dict[bytes, int] = {}
    different: dict[int, list[bytes]] = {}
    numbers = []
    for colour, form in zip(colours, forms(around, vertices), strict=True):
        number = seen.get(form)
        if number is None:
            others = different.setdefault(colour, [])
            number = next((i for i, other in enumerate(others, 1) if isomorphic(form, other)), len(others) + 1)
            if number > len(others):
                others.append(form)
            seen[form] = number
        numbers.append(number)
    return numbers


def _numbered(base: Ints, *keys: npt.NDArray[np.generic]) -> Classes:
    """Classes by base, then the most frequent type first, then by the keys."""
    order = np.lexsort((*keys[::-1], base))
    begins = changes(*(column[order] for column in (base, *keys)))
    first = np.flatnonzero(begins)
    sizes = np.diff(np.append(first, len(base)))
    bases = base[order[first]]
    by_size = np.lexsort((-sizes, bases))
    number = np.empty(len(first), np.int64)
    number[by_size] = np.arange(len(first))
    of = np.empty(len(base), np.int64)
    of[order] = number[np.cumsum(begins) - 1]
    bases = bases[by_size]
    types = np.arange(len(bases)) - np.searchsorted(bases, bases) + 1
    return Classes(of, bases.tolist(), types.tolist())
