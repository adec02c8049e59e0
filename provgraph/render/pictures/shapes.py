"""The shapes of a picture: entities round, activities square, agents with a roof, in the colours of PROV."""

from dataclasses import dataclass
from typing import Final

from provgraph.model.vocabulary import Kind
from provgraph.render.pictures.picture import Node, Tone
from provgraph.render.pictures.text import shortened, text_width, xml

NAME, SMALL = 12.5, 11.0
INK: Final = "#1b1b1b"
MUTED: Final = "#444444"
_ROOM: Final = 190.0
_AGENTS: Final = 4
"""Lines for agents in a shape."""
_SIDE, _TOP, _ROOF, _HOUSE = 12.0, 7.0, 10.0, 13.0
_NAME_LINE, _SMALL_LINE = 16.0, 14.5

FILLS: Final = {Kind.ENTITY: "#fff6b8", Kind.ACTIVITY: "#dbe4ff", Kind.AGENT: "#ffdcae"}
STROKES: Final = {Kind.ENTITY: "#857000", Kind.ACTIVITY: "#2f4fbf", Kind.AGENT: "#a35200"}
COLOURS: Final = {
    Tone.FIRST: ("#fbdcea", "#a3005c"),
    Tone.SECOND: ("#d3f0dc", "#00663a"),
    Tone.SHARED: ("#ffffff", "#767676"),
    Tone.DIFFERENT: ("#ffffff", "#1b1b1b"),
}
DASHES: Final = {Tone.UNSEEN: "6 4", Tone.ASIDE: "3 3", Tone.RARE: "2 3", Tone.SIMILAR: "9 3"}
THICK: Final = {Tone.ASKED: 3.0, Tone.DIFFERENT: 2.6, Tone.FIRST: 2.0, Tone.SECOND: 2.0, Tone.RARE: 2.0}


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float
    house: bool = False

    @property
    def height(self) -> float:
        return _NAME_LINE if self.size == NAME else _SMALL_LINE

    @property
    def width(self) -> float:
        return text_width(self.text, self.size) + (_HOUSE if self.house else 0)


def _lines(node: Node) -> list[_Line]:
    """What is written in a shape, in the order it stands there."""
    lines = [_Line(shortened(node.name, _ROOM, NAME), NAME)]
    shown = node.agents[: _AGENTS - (len(node.agents) > _AGENTS)]
    lines += [_Line(shortened(agent, _ROOM - _HOUSE, SMALL), SMALL, house=True) for agent in shown]
    if len(node.agents) > len(shown):
        lines.append(_Line(f"and {len(node.agents) - len(shown)} more agents", SMALL))
    return lines + [_Line(shortened(line, _ROOM, SMALL), SMALL) for line in node.lines]


def node_size(node: Node) -> tuple[float, float]:
    """Width and height of a node's shape."""
    lines = _lines(node)
    roof = _ROOF if node.kind is Kind.AGENT else 0.0
    width = max(54.0, max([line.width for line in lines]) + 2 * _SIDE)
    return width, sum([line.height for line in lines]) + 2 * _TOP + roof


def node_shape(node: Node, x: float, y: float) -> list[str]:
    """A node drawn with its middle at (x, y)."""
    width, height = node_size(node)
    left, top = x - width / 2, y - height / 2
    parts = [outline(node.kind, node.tone, left, top, width, height)]
    at = top + _TOP + (_ROOF if node.kind is Kind.AGENT else 0.0)
    for line in _lines(node):
        base = at + line.height - 4
        begin = x - line.width / 2
        if line.house:
            parts.append(outline(Kind.AGENT, Tone.PLAIN, begin, base - 8.5, 9.0, 9.0))
            begin += _HOUSE
        colour = "" if line.size == NAME else f' fill="{MUTED}"'
        anchor, where = ("start", begin) if line.house else ("middle", x)
        parts.append(
            f'<text x="{where:.1f}" y="{base:.1f}" text-anchor="{anchor}" font-size="{line.size:g}"{colour}>'
            f"{xml(line.text)}</text>"
        )
        at += line.height
    return parts


def outline(kind: Kind, tone: Tone, left: float, top: float, width: float, height: float) -> str:
    """The bare shape of a kind, as a tone draws it."""
    fill, stroke = COLOURS.get(tone, (FILLS[kind], STROKES[kind]))
    dashes = f' stroke-dasharray="{DASHES[tone]}"' if tone in DASHES else ""
    look = f'fill="{fill}" stroke="{stroke}" stroke-width="{THICK.get(tone, 1.3):g}"{dashes}'
    if kind is Kind.AGENT:
        roof = min(_ROOF, height * 0.45)
        right, bottom = left + width, top + height
        corners = (
            (left, bottom), (left, top + roof), (left + width / 2, top), (right, top + roof), (right, bottom),
        )  # fmt: skip
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        return f'<polygon points="{points}" {look}/>'
    radius = min(height / 2, 17.0) if kind is Kind.ENTITY else 1.5
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:.1f}" {look}/>'
