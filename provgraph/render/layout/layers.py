"""The layers of a layered drawing: which vertex stands in which, and where long lines bend."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

Pair = tuple[int, int]
"""(earlier, later)."""


@dataclass(slots=True)
class Layers:
    """Vertices 0 to n - 1 and, behind them, bends, in layers from the earliest to the latest.

    ``earlier[i]`` and ``later[i]`` are the neighbours of i in the layer before and after; each joins two layers that
    follow each other. ``paths[k]`` are the bends that line k passes, from its earlier end to its later one.
    """

    layer: list[int]
    vertices: int
    earlier: list[list[int]] = field(default_factory=list)
    later: list[list[int]] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    paths: list[tuple[int, ...]] = field(default_factory=list)
    turned: list[bool] = field(default_factory=list)
    """Whether a line of a cycle had to be turned round to be drawn."""


def layers_of(count: int, pairs: Sequence[Pair], bundles: Sequence[int]) -> Layers:
    """Vertices in layers such that every line leads from an earlier layer to a later one.

    The earliest possible layer; but what nothing else comes from (a script that one late command reads, with the change
    that it came from) stands just before the first that needs it. Lines that begin at one vertex and have the same
    bundle share their bends: they leave as one and branch off later.
    """
    place = {vertex: at for at, vertex in enumerate(_order(count, pairs))}
    turned = [place[earlier] > place[later] for earlier, later in pairs]
    straight = [(b, a) if turn else (a, b) for (a, b), turn in zip(pairs, turned, strict=True)]
    found = Layers(_numbers(count, straight, place), count, turned=turned)
    _bend(found, straight, bundles)
    return found


def _order(count: int, pairs: Sequence[Pair]) -> list[int]:
    """A topological order; in a cycle the vertex that waits for the fewest others goes first."""
    after: list[list[int]] = [[] for _ in range(count)]
    waits = [0] * count
    for a, b in pairs:
        if a != b:
            after[a].append(b)
            waits[b] += 1
    heap = [(wait, vertex) for vertex, wait in enumerate(waits)]
    heapify(heap)
    order: list[int] = []
    done = [False] * count
    while heap:
        wait, vertex = heappop(heap)
        if done[vertex] or wait != waits[vertex]:
            continue
        done[vertex] = True
        order.append(vertex)
        for other in after[vertex]:
            if not done[other]:
                waits[other] -= 1
                heappush(heap, (waits[other], other))
    return order


def _numbers(count: int, pairs: Sequence[Pair], place: dict[int, int]) -> list[int]:
    earlier: list[list[int]] = [[] for _ in range(count)]
    later: list[list[int]] = [[] for _ in range(count)]
    for a, b in pairs:
        if a != b:
            earlier[b].append(a)
            later[a].append(b)
    order = sorted(range(count), key=place.__getitem__)
    layer = [0] * count
    for vertex in order:
        layer[vertex] = max((layer[other] + 1 for other in earlier[vertex]), default=0)
    free = [False] * count  # nothing else hangs on what comes before it
    for vertex in order:
        free[vertex] = all(free[other] and len(later[other]) == 1 for other in earlier[vertex])
    for vertex in reversed(order):
        if later[vertex] and free[vertex]:
            layer[vertex] = min(layer[other] for other in later[vertex]) - 1
    first = min(layer, default=0)
    return [number - first for number in layer]


def _bend(found: Layers, pairs: Sequence[Pair], bundles: Sequence[int]) -> None:
    layer = found.layer
    earlier: list[list[int]] = [[] for _ in layer]
    later: list[list[int]] = [[] for _ in layer]
    trunks: dict[tuple[int, int], list[int]] = {}
    joined: set[Pair] = set()

    def join(a: int, b: int) -> None:
        if (a, b) not in joined:
            joined.add((a, b))
            later[a].append(b)
            earlier[b].append(a)

    for (a, b), bundle in zip(pairs, bundles, strict=True):
        if a == b:
            found.paths.append(())
            continue
        trunk = trunks.setdefault((a, bundle), [])
        length = layer[b] - layer[a] - 1
        while len(trunk) < length:
            bend = len(layer)
            layer.append(layer[a] + len(trunk) + 1)
            earlier.append([])
            later.append([])
            join(trunk[-1] if trunk else a, bend)
            trunk.append(bend)
        join(trunk[length - 1] if length else a, b)
        found.paths.append(tuple(trunk[:length]))
    found.earlier, found.later = earlier, later
    found.rows = [[] for _ in range(max(layer, default=-1) + 1)]
    for vertex, number in enumerate(layer):
        found.rows[number].append(vertex)
