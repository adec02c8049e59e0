"""What a notebook shows: text always, SVG where the package is set up to draw."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from graph_samples import ladder
from picture_samples import history, snapshot

import provgraph.session.display
from provgraph.graph import display
from provgraph.graph.comparison import Comparison, Pair
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.summary import Summary
from provgraph.queries.summarization import summarize
from provgraph.render.pictures.picture import TooLargeError


def values() -> list[ProvGraph | Summary | Comparison]:
    vertex = snapshot("e", "a.csv")
    return [
        history(),
        summarize([history(), history()]),
        Comparison("graphs", "a", "b", (Pair(vertex, vertex),)),
    ]


@pytest.mark.parametrize("value", values(), ids=["graph", "summary", "comparison"])
def test_a_value_shows_itself_as_svg_and_as_text(value: ProvGraph | Summary | Comparison) -> None:
    bundle = value._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "image/svg+xml"}
    assert bundle["text/plain"] == repr(value)
    assert ET.fromstring(bundle["image/svg+xml"]).tag == "{http://www.w3.org/2000/svg}svg"
    assert "<script" not in bundle["image/svg+xml"]


def test_a_notebook_gets_what_it_asks_for() -> None:
    graph = history()
    assert graph._repr_mimebundle_(include=["text/plain"]).keys() == {"text/plain"}
    assert graph._repr_mimebundle_(exclude=["image/svg+xml"]).keys() == {"text/plain"}
    assert graph._repr_mimebundle_(include=["image/svg+xml"]).keys() == {"image/svg+xml"}


def test_without_a_renderer_there_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "renderer", None)
    assert history()._repr_mimebundle_() == {"text/plain": repr(history())}


def test_what_is_empty_or_too_large_is_text() -> None:
    for graph in (ProvGraph([], []), ladder(150), ladder(7_000)):
        assert graph._repr_mimebundle_().keys() == {"text/plain"}


def test_more_than_two_hundred_vertices_show_a_summary() -> None:
    graph = ProvGraph([snapshot(f"e{number}", f"{number % 7}.csv") for number in range(300)], [])
    drawn = provgraph.session.display.picture_of(graph)
    assert len(drawn.nodes) == 7
    assert drawn.notes[-1].startswith("300 vertices are too many for a picture: this is a summary of them")


def test_of_a_deep_graph_the_nearest_part_is_drawn_with_its_agents() -> None:
    deep = ladder(150).union(
        ProvGraph(
            [Vertex("a150", ("Activity", "Command"), {}), Vertex("g", ("Agent", "Person"), {"name": "Alice"})],
            [Edge("wasAssociatedWith", "a150", "g")],
        )
    )
    query = {"command": "segment", "sources": ["e140a"], "destinations": ["e150a"]}
    drawn = provgraph.session.display.picture_of(deep.with_query(query))
    nodes = {node.key: node for node in drawn.nodes}
    assert len(nodes) == 100 and "e1a" not in nodes
    assert nodes["a150"].agents == ("Alice",)
    assert nodes["e140a"].lines == ("source",) and nodes["e150a"].lines == ("destination",)
    assert drawn.title == "How e150a@1 came from e140a@1"
    with pytest.raises(TooLargeError):
        provgraph.session.display.picture_of(deep)


def test_to_be_able_to_draw_costs_nothing_until_it_draws() -> None:
    script = "import sys, provgraph.session.display; print([m for m in sys.modules if 'render' in m or m == 'numpy'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
