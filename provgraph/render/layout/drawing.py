"""A layered drawing of a graph: where boxes stand and how lines run. Geometry alone; it knows no provenance.

Time flows one way: from left to right, or, where that would be wider than a page and the other narrower, downwards.
The same boxes and lines in the same order give the same drawing. Cost: near-linear but for crossings, which are counted
by bisection; 1,000 boxes take some tens of milliseconds.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from provgraph.render.layout.layers import layers_of
from provgraph.render.layout.order import put_in_order
from provgraph.render.layout.placing import alignments, coordinates

Direction = Literal["right", "down"]
Point = tuple[float, float]

PAGE = 960.0
"""A drawing wider than this looks for a narrower one, and several parts are put below each other."""
GAP = {"right": 14.0, "down": 22.0}
"""Between two boxes of one layer."""
LINE = 12.0
"""Between a line that passes and what is beside it."""
BETWEEN = 46.0
"""Between two layers, labels not counted."""
APART = 34.0
"""Between two parts that are not joined."""


@dataclass(frozen=True, slots=True)
class Box:
    """What has to be placed."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """What joins two boxes, given by their places: ``earlier`` is drawn before ``later``.

    Lines from one earlier box with the same ``bundle`` may run together for a while. ``width`` and ``height`` are its
    label's.
    """

    earlier: int
    later: int
    bundle: int = 0
    width: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True)
class Drawing:
    """``middles`` of the boxes, ``routes`` of the lines from the later end to the earlier one, and the whole's size.

    A route is an even number of points: from the first to the second it runs straight to the edge of its layer, from
    the second to the third it swings to the next layer, then straight through that one, and so on. A loop has none.
    """

    direction: Direction
    middles: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    width: float
    height: float


class _Part:
    """A connected part: its boxes and lines by their places in the whole, its layers, and where it was placed."""

    def __init__(self, boxes: list[int], lines: list[int], every: Sequence[Line]) -> None:
        self.boxes, self.lines = boxes, lines
        here = {box: place for place, box in enumerate(boxes)}
        pairs = [(here[every[k].earlier], here[every[k].later]) for k in lines]
        self.layers = layers_of(len(boxes), pairs, [every[k].bundle for k in lines])
        put_in_order(self.layers)
        self._alignments = alignments(self.layers)
        self._across: dict[Direction, tuple[list[float], float]] = {}

    def across(self, boxes: Sequence[Box], direction: Direction) -> tuple[list[float], float]:
        """The middles of boxes and bends across the direction of time, and how much room all take; found once."""
        if direction not in self._across:
            sizes = [boxes[box].height if direction == "right" else boxes[box].width for box in self.boxes]
            sizes += [2.0] * (len(self.layers.layer) - len(sizes))
            middles = coordinates(self._alignments, len(self.boxes), sizes, GAP[direction], LINE)
            low = min([middle - size / 2 for middle, size in zip(middles, sizes, strict=True)], default=0)
            middles = [middle - low for middle in middles]
            wide = max([middle + size / 2 for middle, size in zip(middles, sizes, strict=True)], default=0)
            self._across[direction] = middles, wide
        return self._across[direction]


def layout(boxes: Sequence[Box], lines: Sequence[Line], direction: Direction | None = None) -> Drawing:
    """Place boxes so that none overlap, every line runs from a later to an earlier layer, and few lines cross.

    Parameters:
        direction: of time; by default the one that reads better, as the module says.
    """
    parts = _parts(len(boxes), lines)
    return _drawn(boxes, lines, parts, direction or _direction(boxes, lines, parts))


def _direction(boxes: Sequence[Box], lines: Sequence[Line], parts: Sequence[_Part]) -> Direction:
    """To the right, or downwards where that is narrower, and the other wider than a page.

    How wide a part is where time runs to the right is known from its layers alone.
    """
    wide = max((_spans(part, *_lengths(boxes, lines, part, "right"))[1][-1] for part in parts), default=0.0)
    if wide <= PAGE:
        return "right"
    return "down" if max(part.across(boxes, "down")[1] for part in parts) < wide else "right"


def _parts(count: int, lines: Sequence[Line]) -> list[_Part]:
    """The connected parts, the largest first."""
    near: list[list[int]] = [[] for _ in range(count)]
    for line in lines:
        near[line.earlier].append(line.later)
        near[line.later].append(line.earlier)
    part_of = [-1] * count
    parts: list[tuple[list[int], list[int]]] = []
    for start in range(count):
        if part_of[start] >= 0:
            continue
        part_of[start] = len(parts)
        found = [start]
        for box in found:  # grows as neighbours are found
            for other in near[box]:
                if part_of[other] < 0:
                    part_of[other] = len(parts)
                    found.append(other)
        parts.append((sorted(found), []))
    for place, line in enumerate(lines):
        parts[part_of[line.earlier]][1].append(place)
    parts.sort(key=lambda part: (-len(part[0]), part[0][0]))
    return [_Part(here, joined, lines) for here, joined in parts]


def _drawn(boxes: Sequence[Box], lines: Sequence[Line], parts: Sequence[_Part], direction: Direction) -> Drawing:
    """All parts, each placed by itself, then packed in rows."""
    middles: list[Point] = [(0.0, 0.0)] * len(boxes)
    routes: list[tuple[Point, ...]] = [()] * len(lines)
    placed = [(part, _placed(boxes, lines, part, direction)) for part in parts]
    page = max([PAGE, *(drawing.width for _part, drawing in placed)])
    x = y = tall = width = 0.0
    for part, drawing in placed:
        if x and x + drawing.width > page:
            x, y, tall = 0.0, y + tall + APART, 0.0
        for box, (mx, my) in zip(part.boxes, drawing.middles, strict=True):
            middles[box] = (mx + x, my + y)
        for line, route in zip(part.lines, drawing.routes, strict=True):
            routes[line] = tuple((px + x, py + y) for px, py in route)
        tall, width = max(tall, drawing.height), max(width, x + drawing.width)
        x += drawing.width + APART
    return Drawing(direction, tuple(middles), tuple(routes), width, y + tall)


def _placed(boxes: Sequence[Box], lines: Sequence[Line], part: _Part, direction: Direction) -> Drawing:
    """One part with its corner at 0, 0. ``along`` is the direction of time, ``across`` the other."""
    found = part.layers
    across, wide = part.across(boxes, direction)
    lengths, room = _lengths(boxes, lines, part, direction)
    starts, ends = _spans(part, lengths, room)
    place_of = {box: place for place, box in enumerate(part.boxes)}
    along = [(starts[found.layer[v]] + ends[found.layer[v]]) / 2 for v in range(found.vertices)]

    routes: list[tuple[Point, ...]] = []
    for path, turned, k in zip(found.paths, found.turned, part.lines, strict=True):
        earlier, later = (place_of[lines[k].earlier], place_of[lines[k].later])
        if turned:
            earlier, later = later, earlier
        forth = [along[later] - lengths[later] / 2, starts[found.layer[later]]]
        side = [across[later]] * 2
        for bend in reversed(path):
            forth += [ends[found.layer[bend]], starts[found.layer[bend]]]
            side += [across[bend]] * 2
        forth += [ends[found.layer[earlier]], along[earlier] + lengths[earlier] / 2]
        side += [across[earlier]] * 2
        route = list(zip(forth, side, strict=True)) if earlier != later else []
        routes.append(tuple(route[::-1] if turned else route))
    long = max(ends, default=0.0)
    return _turned(Drawing("right", tuple(zip(along, across, strict=False)), tuple(routes), long, wide), direction)


def _turned(drawing: Drawing, direction: Direction) -> Drawing:
    """A drawing made from left to right, as it is downwards."""
    if direction == "right":
        return drawing
    middles = tuple((x, y) for y, x in drawing.middles)
    routes = tuple(tuple((x, y) for y, x in route) for route in drawing.routes)
    return Drawing("down", middles, routes, drawing.height, drawing.width)


def _lengths(
    boxes: Sequence[Box], lines: Sequence[Line], part: _Part, direction: Direction
) -> tuple[list[float], list[float]]:
    """How long each box is along the direction of time, and how much room the labels need before each layer.

    They stand beside the later end of their line.
    """
    sideways = direction == "right"
    lengths = [boxes[box].width if sideways else boxes[box].height for box in part.boxes]
    layer = part.layers.layer
    room = [0.0] * len(part.layers.rows)
    for k, turned in zip(part.lines, part.layers.turned, strict=True):
        line = lines[k]
        later = bisect_left(part.boxes, line.earlier if turned else line.later)
        need = line.width if sideways else line.height
        room[layer[later]] = max(room[layer[later]], need)
    return lengths, room


def _spans(part: _Part, lengths: Sequence[float], room: Sequence[float]) -> tuple[list[float], list[float]]:
    """Where each layer starts and ends, along the direction of time."""
    thick = [0.0] * len(room)
    for length, layer in zip(lengths, part.layers.layer, strict=False):
        thick[layer] = max(thick[layer], length)
    starts, ends, at = [], [], 0.0
    for number, length in enumerate(thick):
        at += (BETWEEN + room[number]) if number else 0.0
        starts.append(at)
        at += length
        ends.append(at)
    return starts, ends
