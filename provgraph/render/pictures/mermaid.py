"""A picture as a Mermaid flowchart: what GitHub and other READMEs draw from a block ```` ```mermaid ````."""

import re
from typing import Final

from provgraph.model.vocabulary import RELATIONS, Kind, Walk
from provgraph.render.pictures.picture import UNNAMED, Arrow, Node, Picture, Tone
from provgraph.render.pictures.shapes import COLOURS, DASHES, FILLS, INK, STROKES, THICK
from provgraph.render.text import clip_middle, printable

_SHAPES: Final = {Kind.ENTITY: ("([", "])"), Kind.ACTIVITY: ("[", "]"), Kind.AGENT: ("{{", "}}")}
_PLAIN: Final = re.compile(r"(?!_)[\w .,/@()=+×→…-]")
_ITEM: Final = re.compile(r"\d+[.)]|[-+]")
"""What begins an item of a list in Markdown, which Mermaid refuses in a label."""
_LONGEST: Final = 48


def mermaid_text(picture: Picture) -> str:
    """The picture as a flowchart; time runs to the right."""
    names = {node.key: f"n{place}" for place, node in enumerate(picture.nodes)}
    lines = ["flowchart RL", f"  accTitle: {_line(picture.title)}", f"  accDescr: {_line(picture.counted())}"]
    lines += [f"  %% {_line(note)}" for note in picture.notes]
    classes: dict[str, list[str]] = {}
    looks: dict[str, str] = {}
    for node in picture.nodes:
        opening, closing = _SHAPES[node.kind]
        lines.append(f'  {names[node.key]}{opening}"{_label(node)}"{closing}')
        name = node.kind.value.lower() + ("" if node.tone is Tone.PLAIN else node.tone.value.capitalize())
        classes.setdefault(name, []).append(names[node.key])
        looks[name] = _look(node)
    lines += [_arrow(arrow, names) for arrow in picture.arrows]
    lines += [f"  classDef {name} {look}" for name, look in sorted(looks.items())]
    lines += [f"  class {','.join(members)} {name}" for name, members in sorted(classes.items())]
    return "\n".join(lines)


def _line(text: str) -> str:
    """A text on a line of its own, where Mermaid has no quotes: nothing that could begin something else."""
    return re.sub(r"[;#%{}<>\"`\\]", " ", printable(text)).strip() or "-"


def _escaped(text: str) -> str:
    """A text between quotes: what may mean something to Mermaid, HTML or Markdown is written as its number."""
    plain = printable(text)
    item = _ITEM.match(plain)
    first = item.end() - 1 if item else -1
    return "".join(
        char if _PLAIN.match(char) and place != first else f"#{ord(char)};" for place, char in enumerate(plain)
    )


def _label(node: Node) -> str:
    return "<br/>".join(_escaped(clip_middle(printable(text), _LONGEST)) for text in _texts(node)) or " "


def _texts(node: Node) -> list[str]:
    return [node.name, *(f"by {agent}" for agent in node.agents), *node.lines]


def _look(node: Node) -> str:
    fill, stroke = COLOURS.get(node.tone, (FILLS[node.kind], STROKES[node.kind]))
    dashes = f",stroke-dasharray:{DASHES[node.tone]}" if node.tone in DASHES else ""
    return f"fill:{fill},stroke:{stroke},stroke-width:{THICK.get(node.tone, 1.3):g}px,color:{INK}{dashes}"


def _arrow(arrow: Arrow, names: dict[str, str]) -> str:
    known = RELATIONS.get(arrow.relation)
    dashed = arrow.tone is Tone.RARE or (arrow.relation not in UNNAMED and known is not None)
    line = "==>" if arrow.tone in (Tone.FIRST, Tone.SECOND) else "-.->" if dashed else "-->"
    label = arrow.label or (arrow.relation if known is not None and known.walk is Walk.REVISION else "")
    said = f'|"{_escaped(label)}"|' if label else ""
    return f"  {names[arrow.source]} {line}{said} {names[arrow.target]}"
