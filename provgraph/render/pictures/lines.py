"""The lines of a picture: curves between layers, an arrowhead at the cause, labels that do not cover one another."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from provgraph.model.vocabulary import RELATIONS, Walk
from provgraph.render.layout.drawing import Direction, Drawing, Point
from provgraph.render.pictures.picture import UNNAMED, Arrow, Tone
from provgraph.render.pictures.shapes import COLOURS, MUTED, SMALL
from provgraph.render.pictures.text import text_width, xml

_HEAD, _HALF = 9.0, 3.6
_BESIDE: Final = 8.0
"""Between two arrows that join the same two nodes."""
LINE: Final = "#5f5f5f"
_PLACES: Final = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)
_PLACES_BEFORE_A_BEND: Final = (0.85, 0.75, 0.95, 0.65, 0.5, 0.35)
"""Where a line comes from afar it is by itself; near its end it meets the others."""
_Rectangle = tuple[float, float, float, float]


def arrows(found: Sequence[Arrow], drawing: Drawing, shift: Point) -> Iterator[str]:
    """All arrows; their labels last, above the lines."""
    pairs: dict[frozenset[str], int] = {}
    labels: list[str] = []
    taken: list[_Rectangle] = []
    for arrow, route in zip(found, drawing.routes, strict=True):
        number = pairs.setdefault(frozenset((arrow.source, arrow.target)), 0)
        pairs[frozenset((arrow.source, arrow.target))] += 1
        aside = _BESIDE * ((number + 1) // 2) * (-1 if number % 2 else 1)
        points = [_moved(point, shift, aside, drawing.direction) for point in route]
        if not points:
            continue
        turned = points[0] < points[-1] if drawing.direction == "right" else points[0][1] < points[-1][1]
        past = points[::-1] if turned else points
        ahead = arrow.backwards != turned  # it points into the future: backwards, or part of a cycle
        path = _path(past, drawing.direction, ahead=ahead)
        head = _head(past[0 if ahead else -1], drawing.direction, colour_of(arrow), ahead=ahead)
        yield f"<g><title>{xml(arrow.tooltip or arrow.relation)}</title>{stroke(arrow, path)}{head}</g>"
        if arrow.label:
            labels.append(_label(arrow, points, drawing.direction, taken))
    yield from labels


def _moved(point: Point, shift: Point, aside: float, direction: Direction) -> Point:
    x, y = point[0] + shift[0], point[1] + shift[1]
    return (x, y + aside) if direction == "right" else (x + aside, y)


def stroke(arrow: Arrow, path: str) -> str:
    """A line as its relation and tone draw it: dashed for a revision, dotted for what is no part of a walk."""
    dashes = ""
    if arrow.relation not in UNNAMED and arrow.relation in RELATIONS:
        revision = RELATIONS[arrow.relation].walk is Walk.REVISION
        dashes = f' stroke-dasharray="{"7 4" if revision else "2 3"}"'
    elif arrow.tone is Tone.RARE:
        dashes = ' stroke-dasharray="4 3"'
    thick = 2.2 if arrow.tone in (Tone.FIRST, Tone.SECOND) else 1.3
    return f'<path d="{path}" fill="none" stroke="{colour_of(arrow)}" stroke-width="{thick:g}"{dashes}/>'


def colour_of(arrow: Arrow) -> str:
    """The colour of an arrow; what it says is also said by a label or by the nodes at its ends."""
    return COLOURS[arrow.tone][1] if arrow.tone in (Tone.FIRST, Tone.SECOND) else LINE


def _path(route: list[Point], direction: Direction, *, ahead: bool) -> str:
    """A route into the past, drawn from its end, so that the dashes of lines that run together fall on one another."""
    points = route[::-1]
    sideways = direction == "right"
    if ahead:
        points = [*points[:-1], _ahead(points[-1], -_HEAD, sideways)]
        points[-2] = min(points[-2], points[-1], key=lambda p: p[0] if sideways else p[1])
    else:
        points = [_ahead(points[0], _HEAD, sideways), *points[1:]]
        points[1] = max(points[1], points[0], key=lambda p: p[0] if sideways else p[1])
    parts = [f"M{_text(points[0])}"]
    for place, (a, b) in enumerate(pairwise(points)):
        if a == b:
            continue
        if place % 2 == 0 or (a[1] == b[1] if sideways else a[0] == b[0]):
            parts.append(f"L{_text(b)}")
        else:
            middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
            first = (middle[0], a[1]) if sideways else (a[0], middle[1])
            second = (middle[0], b[1]) if sideways else (b[0], middle[1])
            parts.append(f"C{_text(first)} {_text(second)} {_text(b)}")
    return "".join(parts)


def _ahead(point: Point, length: float, sideways: bool) -> Point:
    return (point[0] + length, point[1]) if sideways else (point[0], point[1] + length)


def _text(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _head(tip: Point, direction: Direction, colour: str, *, ahead: bool) -> str:
    """The arrowhead, as a shape of its own: markers would need ids."""
    back = -_HEAD if ahead else _HEAD
    x, y = tip
    corners = (
        [tip, (x + back, y - _HALF), (x + back, y + _HALF)]
        if direction == "right"
        else [tip, (x - _HALF, y + back), (x + _HALF, y + back)]
    )
    points = " ".join(f"{cx:.1f},{cy:.1f}" for cx, cy in corners)
    return f'<polygon points="{points}" fill="{colour}"/>'


def _label(arrow: Arrow, points: list[Point], direction: Direction, taken: list[_Rectangle]) -> str:
    """The label in the space before the later end, where it covers the fewest other labels."""
    wide = text_width(arrow.label, SMALL)
    begin, end = points[1], points[2]
    candidates = []
    for place, t in enumerate(_PLACES if len(points) <= 4 else _PLACES_BEFORE_A_BEND):
        x, y = _on_curve(begin, end, t, direction)
        rectangle = (x - wide / 2 - 2, y - SMALL / 2 - 1, x + wide / 2 + 2, y + SMALL / 2 + 1)
        covered = sum(1 for other in taken if _overlap(rectangle, other))
        candidates.append((covered, place, x, y, rectangle))
    _covered, _place, x, y, rectangle = min(candidates)
    taken.append(rectangle)
    return (
        f'<rect x="{x - wide / 2 - 1:.1f}" y="{y - 7:.1f}" width="{wide + 2:.1f}" height="14" rx="3" fill="#ffffff" '
        f'fill-opacity="0.88"/><text x="{x:.1f}" y="{y + SMALL * 0.36:.1f}" text-anchor="middle" '
        f'font-size="{SMALL:g}" fill="{MUTED}">{xml(arrow.label)}</text>'
    )


def _on_curve(a: Point, b: Point, t: float, direction: Direction) -> Point:
    """A point of the curve that swings from a to b."""
    smooth = 3 * t**2 - 2 * t**3
    even = 1.5 * t * (1 - t) + t**3
    along, across = (even, smooth) if direction == "right" else (smooth, even)
    return (a[0] + (b[0] - a[0]) * along, a[1] + (b[1] - a[1]) * across)


def _overlap(a: _Rectangle, b: _Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
