"""Mermaid: nothing in a name may end a label or begin anything."""

import re

from picture_samples import HOSTILE, history, hostile

from provgraph.graph.provgraph import ProvGraph
from provgraph.render.pictures.graphs import picture_of_graph
from provgraph.render.pictures.mermaid import mermaid_text

LABEL = r'"(?:[\w .,/@()=+×→…-]|#\d+;|<br/>)*"'
LINE = re.compile(
    rf"flowchart RL|  acc(?:Title|Descr): [^;#%{{}}<>\"`]+|  %% [^;#%{{}}<>\"`]+"
    rf"|  n\d+(?:\(\[{LABEL}\]\)|\[{LABEL}\]|\{{\{{{LABEL}\}}\}})"
    rf"|  n\d+ (?:-->|-\.->|==>)(?:\|{LABEL}\|)? n\d+"
    r"|  classDef \w+ [\w#:,. -]+|  class n\d+(?:,n\d+)* \w+"
)


def test_every_line_is_a_statement() -> None:
    for graph in (history(), hostile(), ProvGraph([], [])):
        for line in mermaid_text(picture_of_graph(graph)).split("\n"):
            assert LINE.fullmatch(line), line


def test_it_has_every_node_and_arrow() -> None:
    picture = picture_of_graph(hostile())
    text = mermaid_text(picture)
    assert len(re.findall(r"^  n\d+[(\[{]", text, re.MULTILINE)) == len(picture.nodes) == 2 * len(HOSTILE)
    assert len(re.findall(r"^  n\d+ \S+>", text, re.MULTILINE)) == len(picture.arrows)


def test_shapes_tell_kinds_and_words_tell_the_rest() -> None:
    text = mermaid_text(picture_of_graph(history()))
    assert '["train.py #35;1<br/>by Alice"]' in text
    assert '(["data.csv@1"])' in text and '["unrecorded change"]' in text
    assert '-.->|"wasDerivedFrom"|' in text
    assert '{{"Alice"}}' in mermaid_text(picture_of_graph(history(), roots=["alice"]))


def test_no_label_is_empty() -> None:
    """Mermaid takes ``[""]`` for a mistake."""
    assert '""' not in mermaid_text(picture_of_graph(hostile()))


def test_no_label_begins_as_a_list_does() -> None:
    """Mermaid takes ``1. first`` for Markdown and prints an error in its place."""
    text = mermaid_text(picture_of_graph(hostile()))
    assert "1#46; first" in text and '"1. first' not in text
    assert "#45; item" in text and '"- item' not in text
