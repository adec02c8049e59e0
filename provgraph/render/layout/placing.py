"""Coordinates within the layers: long lines straight, neighbours apart, every vertex near the middle of its neighbours.

Brandes and Köpf, Fast and Simple Horizontal Coordinate Assignment, 2001, with the compaction by a graph of blocks
(their own has a mistake: Brandes, Walter, Zink, arXiv 2008.01252).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from provgraph.render.layout.layers import Layers


@dataclass(frozen=True, slots=True)
class Alignment:
    """One of four ways to put vertices in blocks that stand straight; sizes and gaps have no part in it.

    ``root`` names the block of every vertex and bend by its first one.
    """

    rows: list[list[int]]
    root: list[int]
    mirrored: bool


def alignments(found: Layers) -> list[Alignment]:
    """Each vertex aligned with a middle neighbour before or after it, leaning to one side or the other."""
    conflicts = _conflicts(found)
    four = []
    for downwards in (True, False):
        for mirrored in (False, True):
            rows = found.rows if downwards else found.rows[::-1]
            rows = [row[::-1] for row in rows] if mirrored else rows
            root = _aligned(rows, found.earlier if downwards else found.later, conflicts)
            four.append(Alignment(rows, root, mirrored))
    return four


def coordinates(
    four: Sequence[Alignment], vertices: int, sizes: Sequence[float], gap: float, line_gap: float
) -> list[float]:
    """The middle of every vertex and bend across the layers: the mean of the two middle ones of the four.

    That keeps every distance.

    Parameters:
        vertices: so many are vertices, the others bends.
        sizes: of each vertex and bend, across the layers.
        gap: between two vertices of a layer; ``line_gap`` where one or both are bends.
    """
    drawn: list[list[float]] = []
    for one in four:
        xs = _compacted(one.rows, one.root, sizes, vertices, gap, line_gap)
        drawn.append([-x for x in xs] if one.mirrored else xs)
    return _balanced(drawn, sizes)


def _conflicts(found: Layers) -> set[tuple[int, int]]:
    """Short lines that cross a line between two bends: the long line stays straight, the short one gives way."""
    place = {vertex: at for row in found.rows for at, vertex in enumerate(row)}
    conflicts: set[tuple[int, int]] = set()
    for before, row in pairwise(found.rows):
        left, scanned = 0, 0
        for at, vertex in enumerate(row):
            inner = _inner(found, vertex)
            if inner is None and at < len(row) - 1:
                continue
            right = len(before) if inner is None else place[inner]
            for passed in row[scanned : at + 1]:
                for other in found.earlier[passed]:
                    crosses = place[other] < left or place[other] > right
                    if crosses and not (passed >= found.vertices and other >= found.vertices):
                        conflicts.add((other, passed))
            scanned, left = at + 1, right
    return conflicts


def _inner(found: Layers, vertex: int) -> int | None:
    if vertex < found.vertices:
        return None
    return next((other for other in found.earlier[vertex] if other >= found.vertices), None)


def _aligned(
    rows: Sequence[Sequence[int]], neighbours: Sequence[Sequence[int]], conflicts: set[tuple[int, int]]
) -> list[int]:
    """The block of every vertex, named by its first one."""
    count = len(neighbours)
    root, taken, place = list(range(count)), [False] * count, [0] * count
    for row in rows:
        for at, vertex in enumerate(row):
            place[vertex] = at
    for row in rows:
        last = -1
        for vertex in row:
            near = sorted(neighbours[vertex], key=place.__getitem__)
            for middle in dict.fromkeys(((len(near) - 1) // 2, len(near) // 2)) if near else ():
                other = near[middle]
                if place[other] <= last or taken[other]:
                    continue
                if (other, vertex) in conflicts or (vertex, other) in conflicts:
                    continue
                taken[other] = True
                root[vertex] = root[other]
                last = place[other]
                break
    return root


def _compacted(
    rows: Sequence[Sequence[int]],
    root: Sequence[int],
    sizes: Sequence[float],
    vertices: int,
    gap: float,
    line_gap: float,
) -> list[float]:
    """Blocks as far to the one side as they can be, then pulled to the other as far as their neighbours let them."""
    count = len(root)
    after: list[dict[int, float]] = [{} for _ in range(count)]
    waits = [0] * count
    for row in rows:
        for a, b in pairwise(row):
            least = (sizes[a] + sizes[b]) / 2 + (gap if a < vertices and b < vertices else line_gap)
            known = after[root[a]].get(root[b])
            if known is None:
                waits[root[b]] += 1
            if known is None or known < least:
                after[root[a]][root[b]] = least
    order = [vertex for vertex in range(count) if root[vertex] == vertex and not waits[vertex]]
    xs = [0.0] * count
    for block in order:  # grows as blocks become free
        here = xs[block]
        for other, least in after[block].items():
            xs[other] = max(xs[other], here + least)
            waits[other] -= 1
            if not waits[other]:
                order.append(other)
    for block in reversed(order):
        if after[block]:
            xs[block] = max(xs[block], min([xs[other] - least for other, least in after[block].items()]))
    return [xs[block] for block in root]


def _balanced(four: list[list[float]], sizes: Sequence[float]) -> list[float]:
    spans = []
    for xs in four:
        low = min([x - size / 2 for x, size in zip(xs, sizes, strict=True)], default=0)
        high = max([x + size / 2 for x, size in zip(xs, sizes, strict=True)], default=0)
        spans.append((low, high))
    low, high = min(spans, key=lambda span: span[1] - span[0])
    shifts = [low - span[0] if place % 2 == 0 else high - span[1] for place, span in enumerate(spans)]
    moved = [[x + shift for x in xs] for xs, shift in zip(four, shifts, strict=True)]
    return [sum(sorted(values)[1:3]) / 2 for values in zip(*moved, strict=True)]
