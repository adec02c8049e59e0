"""The order within each layer: few lines shall cross."""

from bisect import bisect_right, insort

from provgraph.render.layout.layers import Layers

_LARGE, _MIDDLE = 2_500, 800
"""Vertices and bends together from which on fewer sweeps must do."""


def put_in_order(found: Layers) -> None:
    """Reorder the rows: sweeps by barycentre to and fro, the best order kept, then neighbours exchanged where it helps.

    Sugiyama, Tagawa, Toda 1981; Gansner et al. 1993. Ties keep the order they have, so the same input gives the same.
    """
    rows = found.rows = _first_order(found)
    size = len(found.layer)
    sweeps, patience = (4, 2) if size > _LARGE else (8, 3) if size > _MIDDLE else (24, 6)
    best, fewest, since = [list(row) for row in rows], crossings(found, rows), 0
    for sweep in range(sweeps):
        if not fewest or since >= patience:
            break
        _sweep(found, rows, backwards=sweep % 2 == 0)
        crossed = crossings(found, rows)
        since += 1
        if crossed < fewest:
            best, fewest, since = [list(row) for row in rows], crossed, 0
    if fewest and size <= _MIDDLE:
        _exchange(found, best)
    found.rows = best


def _first_order(found: Layers) -> list[list[int]]:
    """Depth first from the latest layer back: what belongs together stands together from the start."""
    rows: list[list[int]] = [[] for _ in found.rows]
    seen = [False] * len(found.layer)
    for row in reversed(found.rows):
        for start in row:
            stack = [start]
            while stack:
                vertex = stack.pop()
                if not seen[vertex]:
                    seen[vertex] = True
                    rows[found.layer[vertex]].append(vertex)
                    stack.extend(reversed(found.earlier[vertex]))
    return rows


def _sweep(found: Layers, rows: list[list[int]], *, backwards: bool) -> None:
    neighbours = found.later if backwards else found.earlier
    place = [0.0] * len(found.layer)
    for row in reversed(rows) if backwards else rows:
        keys: dict[int, float | None] = {}
        for vertex in row:
            near = neighbours[vertex]
            keys[vertex] = sum([place[other] for other in near]) / len(near) if near else None
        _sort_but_fixed(row, keys)
        for at, vertex in enumerate(row):
            place[vertex] = at


def _sort_but_fixed(row: list[int], keys: dict[int, float | None]) -> None:
    """Sort by key; a vertex without one stays where it is."""
    sortable = [vertex for vertex in row if keys[vertex] is not None]
    sortable.sort(key=keys.__getitem__)  # type: ignore[arg-type]
    coming = iter(sortable)
    row[:] = [vertex if keys[vertex] is None else next(coming) for vertex in row]


def crossings(found: Layers, rows: list[list[int]]) -> int:
    """How many pairs of lines cross between neighbouring layers. Cost: about one bisection a line."""
    place = [0] * len(found.layer)
    for row in rows:
        for at, vertex in enumerate(row):
            place[vertex] = at
    total = 0
    for row in rows:
        passed: list[int] = []
        for vertex in row:
            ends = sorted([place[other] for other in found.later[vertex]])
            if passed and ends[:1] and ends[0] < passed[-1]:
                total += sum([len(passed) - bisect_right(passed, end) for end in ends])
            for end in ends:
                insort(passed, end)
    return total


def _exchange(found: Layers, rows: list[list[int]]) -> None:
    """Exchange neighbours as long as lines cross less."""
    place = [0] * len(found.layer)
    for row in rows:
        for at, vertex in enumerate(row):
            place[vertex] = at
    for _round in range(6):
        improved = False
        for row in rows:
            for at in range(len(row) - 1):
                a, b = row[at], row[at + 1]
                if _crossed(found, place, a, b) > _crossed(found, place, b, a):
                    row[at], row[at + 1] = b, a
                    place[a], place[b] = at + 1, at
                    improved = True
        if not improved:
            return


def _crossed(found: Layers, place: list[int], a: int, b: int) -> int:
    """Crossings between the lines of a and of b, when a stands before b."""
    total = 0
    for near in (found.earlier, found.later):
        for here in near[a]:
            at = place[here]
            total += sum([1 for other in near[b] if place[other] < at])
    return total
