"""Whether two rooted balls are isomorphic, decided: refined colours as a guide, then trying."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np


class Ball(NamedTuple):
    """A rooted ball: for each vertex a colour, and the labels of its neighbours as seen from it."""

    colours: list[Hashable]
    near: list[dict[int, int]]


def read(form: bytes) -> Ball:
    """The ball of a form (``balls.forms``)."""
    numbers = np.frombuffer(form, np.int32).tolist()
    count, edges, root = numbers[:3]
    base, rows = numbers[3 : 3 + count], numbers[3 + count :]
    near: list[dict[int, int]] = [{} for _ in range(count)]
    for i in range(0, 3 * edges, 3):
        near[rows[i]][rows[i + 1]] = rows[i + 2]
    leaves: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for i in range(3 * edges, len(rows), 3):
        leaves[rows[i]].append((rows[i + 1], rows[i + 2]))
    return Ball([(base[i], i == root, tuple(leaves[i])) for i in range(count)], near)


def isomorphic(one: bytes, two: bytes) -> bool:
    """Whether the balls of two forms are isomorphic. Cost: exponential at worst, for highly regular balls."""
    if one == two:
        return True
    left, right = read(one), read(two)
    if len(left.colours) != len(right.colours):
        return False
    return _search(left, right, left.colours, right.colours)


def _search(left: Ball, right: Ball, one: Sequence[Hashable], two: Sequence[Hashable]) -> bool:
    refined = _refined(left, right, one, two)
    if refined is None:
        return False
    mine, theirs = refined
    sizes = Counter(mine)
    if len(sizes) == len(mine):
        return _maps(left, right, mine, theirs)
    cell = min((size, colour) for colour, size in sizes.items() if size > 1)[1]
    chosen = mine.index(cell)
    tried: set[frozenset[tuple[int, int]]] = set()
    for candidate in (i for i, colour in enumerate(theirs) if colour == cell):
        twin = frozenset(right.near[candidate].items())
        if twin in tried:
            continue
        tried.add(twin)
        if _search(left, right, _marked(mine, chosen), _marked(theirs, candidate)):
            return True
    return False


def _marked(colours: Sequence[int], place: int) -> list[Hashable]:
    marked: list[Hashable] = list(colours)
    marked[place] = -1
    return marked


def _refined(
    left: Ball, right: Ball, one: Sequence[Hashable], two: Sequence[Hashable]
) -> tuple[list[int], list[int]] | None:
    """Both colourings refined until they are stable, in common numbers; None where they come apart."""
    names: dict[Hashable, int] = {}
    mine = [names.setdefault(colour, len(names)) for colour in one]
    theirs = [names.setdefault(colour, len(names)) for colour in two]
    known = 0
    while True:
        if Counter(mine) != Counter(theirs):
            return None
        if len(names) == known:
            return mine, theirs
        known, names = len(names), {}
        mine = [names.setdefault(_around(left, mine, i), len(names)) for i in range(len(mine))]
        theirs = [names.setdefault(_around(right, theirs, i), len(names)) for i in range(len(theirs))]


def _around(ball: Ball, colours: list[int], place: int) -> Hashable:
    return colours[place], tuple(sorted((label, colours[i]) for i, label in ball.near[place].items()))


def _maps(left: Ball, right: Ball, mine: list[int], theirs: list[int]) -> bool:
    """Whether the one way to map equal colours onto each other keeps all edges."""
    at = {colour: i for i, colour in enumerate(theirs)}
    to = [at[colour] for colour in mine]
    return all(
        {to[other]: label for other, label in near.items()} == right.near[to[i]] for i, near in enumerate(left.near)
    )
