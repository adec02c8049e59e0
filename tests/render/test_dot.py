"""Graphviz: strings closed whatever the names, every node and arrow there."""

import re

from picture_samples import HOSTILE, history, hostile

from provgraph.graph.provgraph import ProvGraph
from provgraph.render.pictures.dot import dot_text
from provgraph.render.pictures.graphs import picture_of_graph

STRING = r'"(?:[^"\\\n]|\\.)*"'
ATTRIBUTES = rf"\[\w+=(?:{STRING}|[\w.]+)(?:, \w+=(?:{STRING}|[\w.]+))*\]"
LINE = re.compile(rf"digraph provenance \{{|  (?:graph|node|edge|n\d+|n\d+ -> n\d+) {ATTRIBUTES};|\}}")


def test_every_line_is_a_statement() -> None:
    for graph in (history(), hostile(), ProvGraph([], [])):
        for line in dot_text(picture_of_graph(graph)).split("\n"):
            assert LINE.fullmatch(line), line


def test_it_has_every_node_and_arrow() -> None:
    picture = picture_of_graph(hostile())
    text = dot_text(picture)
    assert len(re.findall(r"^  n\d+ \[", text, re.MULTILINE)) == len(picture.nodes) == 2 * len(HOSTILE)
    assert len(re.findall(r"^  n\d+ -> n\d+ \[", text, re.MULTILINE)) == len(picture.arrows)
    assert text.isprintable() or all(line.isprintable() for line in text.split("\n"))


def test_time_runs_to_the_right_and_shapes_tell_kinds() -> None:
    text = dot_text(picture_of_graph(history()))
    assert "rankdir=RL" in text
    assert re.search(r'label="train.py #1\\nAlice".*shape=box, style="filled",', text)
    assert re.search(r'label="data.csv@1".*style="filled,rounded"', text)
    assert re.search(r'label="unrecorded change".*style="filled,dashed"', text)
    assert "shape=house" in dot_text(picture_of_graph(history(), roots=["alice"]))


def test_a_backslash_is_no_escape() -> None:
    text = dot_text(picture_of_graph(hostile()))
    assert r"quote \" \\ backslash \\n" in text
