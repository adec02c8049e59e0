"""SVG: well-formed whatever the names, self-contained, with words for whoever sees no shapes."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_samples import HOSTILE, history, hostile, snapshot

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import Kind
from provgraph.render.layout.drawing import Direction
from provgraph.render.pictures.graphs import picture_of_graph
from provgraph.render.pictures.picture import Node, Picture
from provgraph.render.pictures.shapes import COLOURS, FILLS, INK, MUTED, STROKES
from provgraph.render.pictures.svg import svg_text
from provgraph.render.pictures.text import shortened, text_width, wrapped, xml

SVG = "{http://www.w3.org/2000/svg}"


def drawn(graph: ProvGraph, direction: Direction | None = None) -> ET.Element:
    return ET.fromstring(svg_text(picture_of_graph(graph), direction))


@pytest.mark.parametrize("graph", [history(), hostile(), ProvGraph([], [])], ids=["history", "hostile", "empty"])
@pytest.mark.parametrize("direction", ["right", "down", None])
def test_it_is_xml_that_needs_nothing_else(graph: ProvGraph, direction: Direction | None) -> None:
    text = svg_text(picture_of_graph(graph), direction)
    root = ET.fromstring(text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "rect", "text", "path", "polygon", "circle", "g",
    }  # fmt: skip
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not any(name.startswith("on") or "href" in name or name in ("style", "class") for name in attributes)
    assert text.count("http") == 1 and "url(" not in text, "the name space alone"
    assert "<script" not in text
    text.encode("utf-8")


def test_it_has_text_alternatives() -> None:
    picture = picture_of_graph(history())
    root = ET.fromstring(svg_text(picture))
    assert root.get("role") == "img"
    names = {element.get("id"): element.text for element in root if element.get("id")}
    assert names[root.get("aria-labelledby")] == "Where model.pkl came from"
    described = names[root.get("aria-describedby")] or ""
    titles = [element.text or "" for element in root.findall(f"{SVG}g/{SVG}title")]
    for node in picture.nodes:
        assert node.name in described
        assert any(title.startswith(node.kind.value) and f"uid: {node.key}" in title for title in titles)
    assert len(titles) == len(picture.nodes) + len(picture.arrows)


def test_two_pictures_in_one_page_have_different_ids() -> None:
    ids = [re.findall(r' id="([^"]+)"', svg_text(picture_of_graph(graph))) for graph in (history(), hostile())]
    assert len(set(ids[0] + ids[1])) == 4
    assert svg_text(picture_of_graph(history())) == svg_text(picture_of_graph(history()))


def test_kinds_differ_in_shape_and_marks_in_words() -> None:
    graph = history().union(ProvGraph([Vertex("lab", ("Agent",), {"name": "Lab"})], []))
    shapes: dict[str, set[tuple[str, bool]]] = {}
    for group in drawn(graph).findall(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is not None and "uid: " in (title.text or ""):
            shape = group[1]
            round_ = float(shape.get("rx", "0")) > 5
            shapes.setdefault((title.text or "").split(" ")[0].rstrip(":"), set()).add((shape.tag, round_))
    assert shapes == {
        "Entity": {(f"{SVG}rect", True)}, "Activity": {(f"{SVG}rect", False)}, "Agent": {(f"{SVG}polygon", False)},
    }  # fmt: skip
    legend = [element.text for element in drawn(graph).findall(f"{SVG}text")]
    assert {"entity: a file or other thing", "activity: a command or change", "agent"} <= set(legend)
    assert "nobody saw the change" in legend


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_enough() -> None:
    """WCAG 2.2: 4.5 for text (here 7), 3 for shapes, against their fill and the background."""
    fills = [*FILLS.values(), *(fill for fill, _ in COLOURS.values()), "#ffffff"]
    assert all(contrast(text, fill) >= 7 for text in (INK, MUTED) for fill in fills)
    pairs = [(STROKES[kind], fill) for kind, fill in FILLS.items()] + [(s, f) for f, s in COLOURS.values()]
    assert all(contrast(stroke, paper) >= 3 for stroke, fill in pairs for paper in (fill, "#ffffff"))


def test_text_fits_into_its_box() -> None:
    for group in drawn(hostile()).findall(f"{SVG}g"):
        shape = group[1]
        if shape.tag != f"{SVG}rect":
            continue
        left, width = float(shape.get("x", "0")), float(shape.get("width", "0"))
        for text in group.findall(f"{SVG}text"):
            wide = text_width(text.text or "", float(text.get("font-size", "0")))
            x = float(text.get("x", "0")) - (wide / 2 if text.get("text-anchor") == "middle" else 0)
            assert x >= left and x + wide <= left + width + 0.1


def test_opposite_arrows_do_not_cover_each_other() -> None:
    graph = history().induced(["rm", "model1"])
    paths = [path.get("d") for path in drawn(graph).findall(f"{SVG}g/{SVG}path")]
    assert len(paths) == 2 and paths[0] != paths[1]


@pytest.mark.parametrize("direction", ["right", "down"])
def test_every_arrowhead_touches_its_target_from_outside(direction: Direction) -> None:
    """Also in a cycle, and where the target is the later of the two."""
    vertices = [Vertex(name, ("Activity",), {"name": name}) for name in "abc"]
    cycle = [Edge("wasInformedBy", one, other) for one, other in ("ab", "bc", "ca")]
    for graph in (ProvGraph(vertices, cycle), history(), history().induced(["rm", "model1"])):
        picture = picture_of_graph(graph)
        groups = ET.fromstring(svg_text(picture, direction)).findall(f"{SVG}g")
        arrows, nodes = groups[: len(picture.arrows)], groups[len(picture.arrows) :]
        boxes = {node.key: group[1].attrib for node, group in zip(picture.nodes, nodes, strict=True)}
        for arrow, group in zip(picture.arrows, arrows, strict=True):
            box = boxes[arrow.target]
            head = [tuple(map(float, point.split(","))) for point in group[2].get("points", "").split()]
            place, size = ("x", "width") if direction == "right" else ("y", "height")
            near, far = float(box[place]), float(box[place]) + float(box[size])
            tip, back = (head[0][0], head[1][0]) if direction == "right" else (head[0][1], head[1][1])
            assert (abs(tip - near) < 0.2 and back < near) or (abs(tip - far) < 0.2 and back > far)


def test_labels_do_not_cover_one_another() -> None:
    vertices = [Vertex(f"a{number}", ("Activity",), {"name": f"step {number}"}) for number in range(8)]
    edges = [Edge("wasInformedBy", f"a{number}", "a0") for number in range(1, 8)]
    boxes = [
        tuple(float(rect.get(key, "0")) for key in ("x", "y", "width", "height"))
        for rect in drawn(ProvGraph(vertices, edges), "right").findall(f"{SVG}rect")
        if rect.get("fill-opacity")
    ]
    assert len(boxes) == 7
    for place, (x, y, w, h) in enumerate(boxes):
        assert all(x >= a + c or a >= x + w or y >= b + d or b >= y + h for a, b, c, d in boxes[:place])


@given(st.text(), st.floats(20, 400))
def test_any_text_becomes_xml_that_fits(text: str, room: float) -> None:
    assert ET.fromstring(f'<a b="{xml(text)}">{xml(text)}</a>') is not None
    assert text_width(shortened(text, room, 12), 12) <= room + 1e-6
    assert all(text_width(line, 12) <= room + 1e-6 for line in wrapped(text, room, 12))


def test_long_names_keep_both_ends() -> None:
    short = shortened("data/a-very-long-folder/with/many/parts/measurements.csv@12", 150, 12)
    assert short.startswith("data/a-") and short.endswith("s.csv@12") and "…" in short


def test_notes_stand_below() -> None:
    graph = ProvGraph([snapshot("e", "a.csv")], [], None, ["a note " * 40, HOSTILE[0]])
    texts = [element.text or "" for element in drawn(graph).iter(f"{SVG}text")]
    assert sum("a note" in text for text in texts) > 1 and HOSTILE[0] in texts


def test_no_line_says_that_one_agent_more_is_left_out() -> None:
    """It takes as much room as the agent does."""
    for count in (3, 4, 5, 9):
        agents = tuple(f"agent {number}" for number in range(count))
        text = svg_text(Picture("", (Node("a", Kind.ACTIVITY, "a", agents=agents),), ()))
        shown = count if count <= 4 else 3
        assert [f">agent {number}<" in text for number in range(count)] == [number < shown for number in range(count)]
        assert (f"and {count - shown} more agents" in text) == (count > shown)
