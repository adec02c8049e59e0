"""A picture as SVG: one file that needs nothing else, and that a screen reader can read.

No script, no style sheet, no font from elsewhere, and no ids but those of the text alternatives, which are made from
the content: many pictures can stand in one page. It has its own light background, for dark pages too.
"""

import hashlib

from provgraph.render.layout.drawing import PAGE, Box, Direction, Drawing, Line, layout
from provgraph.render.pictures.legend import legend
from provgraph.render.pictures.lines import arrows
from provgraph.render.pictures.picture import Node, Picture
from provgraph.render.pictures.shapes import INK, NAME, SMALL, node_shape, node_size
from provgraph.render.pictures.text import shortened, text_width, wrapped, xml

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
MARGIN = 20.0
TITLE = 15.0
BOLD = 1.13
"""How much wider bold letters are, at most."""
LEAST = 460.0


def svg_text(picture: Picture, direction: Direction | None = None) -> str:
    """The SVG document.

    Parameters:
        direction: of time; by default from left to right, or downwards where that is narrower than a page.
    """
    drawing = layout([Box(*node_size(node)) for node in picture.nodes], _lines(picture), direction)
    named = min(PAGE, text_width(picture.title, TITLE) * BOLD)
    width = max(LEAST, named + 2 * MARGIN, drawing.width + 2 * MARGIN)
    head = MARGIN + TITLE + 16
    shift = (max(MARGIN, (width - drawing.width) / 2), head)
    body = [
        *arrows(picture.arrows, drawing, shift),
        *(_node(node, drawing, place, shift) for place, node in enumerate(picture.nodes)),
    ]
    below = head + drawing.height + 18
    explained, bottom = legend(picture, drawing.direction, MARGIN, below, width - 2 * MARGIN)
    notes, bottom = _notes(picture, bottom, width)
    return _document(picture, width, bottom + MARGIN - 6, [*body, *explained, *notes])


def _lines(picture: Picture) -> list[Line]:
    """The arrows as the layout takes them; those alike may run together."""
    places = {node.key: place for place, node in enumerate(picture.nodes)}
    bundles: dict[tuple[str, str, bool], int] = {}
    lines = []
    for arrow in picture.arrows:
        earlier, later = places[arrow.target], places[arrow.source]
        if arrow.backwards:
            earlier, later = later, earlier
        bundle = bundles.setdefault((arrow.relation, arrow.tone, arrow.backwards), len(bundles))
        wide = text_width(arrow.label, SMALL) + 10 if arrow.label else 0.0
        lines.append(Line(earlier, later, bundle, wide, SMALL + 4 if arrow.label else 0.0))
    return lines


def _node(node: Node, drawing: Drawing, place: int, shift: tuple[float, float]) -> str:
    x, y = drawing.middles[place]
    parts = node_shape(node, x + shift[0], y + shift[1])
    return f"<g><title>{xml(node.tooltip or f'{node.kind.value}: {node.name}')}</title>{''.join(parts)}</g>"


def _notes(picture: Picture, top: float, width: float) -> tuple[list[str], float]:
    found = []
    for note in picture.notes:
        for line in wrapped(note, width - 2 * MARGIN, SMALL):
            top += SMALL + 5
            found.append(f'<text x="{MARGIN:g}" y="{top:.1f}" font-size="{SMALL:g}">{xml(line)}</text>')
    return found, top


def _document(picture: Picture, width: float, height: float, body: list[str]) -> str:
    name = hashlib.sha256("\n".join([xml(picture.title), *body]).encode()).hexdigest()[:12]
    title = shortened(picture.title, (width - 2 * MARGIN) / BOLD, TITLE)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-labelledby="pg-{name}-title" '
        f'aria-describedby="pg-{name}-desc" font-family="{FONT}" font-size="{NAME:g}" fill="{INK}">'
    )
    return "\n".join(
        [
            opening,
            f'<title id="pg-{name}-title">{xml(picture.title)}</title>',
            f'<desc id="pg-{name}-desc">{xml(picture.description())}</desc>',
            f'<rect width="{width:.0f}" height="{height:.0f}" rx="6" fill="#ffffff"/>',
            f'<text x="{MARGIN:g}" y="{MARGIN + TITLE:g}" font-size="{TITLE:g}" font-weight="bold">{xml(title)}</text>',
            *body,
            "</svg>\n",
        ]
    )
