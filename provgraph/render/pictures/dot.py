"""A picture for Graphviz: ``dot -Tpng``."""

from typing import Final

from provgraph.model.vocabulary import RELATIONS, Kind, Walk
from provgraph.render.pictures.lines import colour_of
from provgraph.render.pictures.picture import UNNAMED, Arrow, Node, Picture, Tone
from provgraph.render.pictures.shapes import COLOURS, DASHES, FILLS, STROKES, THICK
from provgraph.render.text import clip_middle, printable

_SHAPES: Final = {Kind.ENTITY: "box", Kind.ACTIVITY: "box", Kind.AGENT: "house"}
_LONGEST: Final = 48


def dot_text(picture: Picture) -> str:
    """The picture as a digraph; time runs to the right."""
    names = {node.key: f"n{place}" for place, node in enumerate(picture.nodes)}
    lines = [
        "digraph provenance {",
        f'  graph [rankdir=RL, label={_quoted([picture.title, *picture.notes])}, labelloc=t, tooltip=" "];',
        '  node [fontname="Helvetica", fontsize=11, style=filled, margin="0.12,0.06"];',
        '  edge [fontname="Helvetica", fontsize=9, color="#5f5f5f", arrowsize=0.7];',
    ]
    lines += [f"  {names[node.key]} [{_node(node)}];" for node in picture.nodes]
    lines += [f"  {names[arrow.source]} -> {names[arrow.target]} [{_arrow(arrow)}];" for arrow in picture.arrows]
    return "\n".join([*lines, "}"])


def _quoted(texts: list[str]) -> str:
    """Lines as a string of Graphviz: a backslash begins an escape there, also before what is none."""
    escaped = [printable(text).replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return '"' + "\\n".join(escaped) + '"'


def _words(node: Node) -> list[str]:
    return [clip_middle(printable(text), _LONGEST) for text in (node.name, *node.agents, *node.lines)]


def _node(node: Node) -> str:
    fill, stroke = COLOURS.get(node.tone, (FILLS[node.kind], STROKES[node.kind]))
    styles = ["filled", *(["rounded"] if node.kind is Kind.ENTITY else [])]
    styles += ["dashed"] if node.tone in DASHES else []
    attributes = {
        "label": _quoted(_words(node)),
        "tooltip": _quoted(node.tooltip.split("\n")),
        "shape": _SHAPES[node.kind],
        "style": f'"{",".join(styles)}"',
        "fillcolor": f'"{fill}"',
        "color": f'"{stroke}"',
        "penwidth": f"{THICK.get(node.tone, 1.2):g}",
    }
    return ", ".join(f"{key}={value}" for key, value in attributes.items())


def _arrow(arrow: Arrow) -> str:
    attributes = {"tooltip": _quoted([arrow.tooltip or arrow.relation])}
    if arrow.label:
        attributes["label"] = _quoted([arrow.label])
    known = RELATIONS.get(arrow.relation)
    if arrow.relation not in UNNAMED and known is not None:
        attributes["style"] = "dashed" if known.walk is Walk.REVISION else "dotted"
    elif arrow.tone is Tone.RARE:
        attributes["style"] = "dashed"
    if arrow.tone in (Tone.FIRST, Tone.SECOND):
        attributes |= {"color": f'"{colour_of(arrow)}"', "penwidth": "2"}
    if arrow.backwards:
        attributes["constraint"] = "false"
    return ", ".join(f"{key}={value}" for key, value in attributes.items())
