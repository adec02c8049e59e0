"""Questions from the kernel: what they show, where they land, what they say when they are wrong."""

import re
from typing import Any

import kernels
import pytest
from desk import Desk

from provgraph.magics.answers import html_table
from provgraph.magics.completing import candidates
from provgraph.magics.questions import FACES, OWN, QUESTIONS


def test_pictures_and_tables_inline(desk: Desk) -> None:
    desk.lab.write("data.csv", "1\n")
    shown = desk.run(
        "text = open('data.csv').read()",
        "open('model.pkl', 'w').write(text) and None",
        "%provdb lineage model.pkl",
        "len(_provdb.vertices), sorted(_provdb.document)[0]",
        "%%provdb cypher --into found\nMATCH (c:Cell) RETURN c.execution_count AS n, c.source AS source ORDER BY n",
        "found.rows[0][0], found.columns, list(found.to_pandas().columns)",
        "%provdb show model.pkl",
        "%provdb lineage kernel:text --into=past\n_ = past.to_graph()\nprint(type(_).__name__)",
        "%provdb segment --from data.csv --to model.pkl",
        "%provdb summarize --help",
        "%provdb log --limit 1 --csv",
        "%provdb agents list",
        "%provdb compare data.csv model.pkl",
    ).cells
    picture = shown[2].outputs[0].data
    assert picture["image/svg+xml"].lstrip().startswith("<svg")
    assert "model.pkl@1" in picture["image/svg+xml"]
    assert kernels.text_of(shown[3]).startswith("(")
    table = shown[4].outputs[0].data["text/html"]
    assert "<table" in table
    assert "data.csv" in table
    assert kernels.text_of(shown[5]) == "(1, ['n', 'source'], ['n', 'source'])"
    assert "wasGeneratedBy" in shown[6].outputs[0].data["text/html"]
    assert "ProvGraph" in kernels.text_of(shown[7])
    assert "image/svg+xml" in shown[8].outputs[0].data
    assert "--hops" in kernels.text_of(shown[9])
    assert kernels.text_of(shown[10]).count("\n") >= 1
    assert "Alice" in kernels.text_of(shown[11])
    assert "image/svg+xml" in shown[12].outputs[0].data
    for one in shown:
        for output in one.outputs:
            for text in output.get("data", {}).values():
                assert "<script" not in text
                assert not re.search(r"color:\s*(black|#000)|background:\s*(white|#fff)", text)
    graph = desk.graph()
    assert len(graph.of("Cell")) == 5  # those that only ask are none


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%provdb lineage nothing.pkl", "UsageError: nothing recorded is called 'nothing.pkl'"),
        ("%provdb lineage", "UsageError: "),
        ("%provdb lineage 'a", 'UsageError: "lineage \'a": no closing quotation'),
        ("%provdb log --into 3x", "UsageError: --into needs the name of a variable, not '3x'"),
        ("%provdb off now", "UsageError: %provdb off takes no more words, not 'now'"),
        ("%provdb on --tag x", "UsageError: --tag 'x' is not KEY=VALUE"),
        ("%%provdb cypher\nMATCH (", "UsageError: "),
    ],
)
def test_errors_are_one_line(desk: Desk, line: str, says: str) -> None:
    (shown,) = desk.run(line).cells
    text = kernels.text_of(shown)
    assert text.startswith(says), text
    assert len(text.strip().splitlines()) == 1
    assert all(output.output_type == "stream" for output in shown.outputs)


def test_values_in_tables_are_escaped() -> None:
    table = html_table(["<a>"], [["<script>alert(1)</script>"], [{"properties": {"name": "<b>"}}], [None]])
    assert "<script>" not in table
    assert "&lt;script&gt;" in table
    assert "&lt;b&gt;" in table


KNOWN = {
    "path": ["data.csv", "n.ipynb:model", "runs/a.txt"],
    "key": ["metric_acc", "name"],
    "label": ["Cell", "Command"],
}


def _known(query: str) -> list[str]:
    return next(found for what, found in KNOWN.items() if f"AS {what} " in query or f"DISTINCT {what} " in query)


@pytest.mark.parametrize(
    ("text", "typed", "words"),
    [
        ("%provdb li", "li", ["lineage"]),
        ("x = 1\n%provdb sta", "sta", ["status"]),
        ("%provdb lineage da", "da", ["data.csv"]),
        ("%provdb show n.ipynb:", "n.ipynb:", ["n.ipynb:model"]),
        ("%provdb lineage --de", "--de", ["--depth"]),
        ("%provdb log --into ", "", ["_provdb"]),
        ("%provdb on --n", "--n", ["--notebook"]),
        ("%%provdb --na", "--na", ["--name"]),
        ("%%provdb cyp", "cyp", ["cypher"]),
        ("%%provdb cypher\nMATCH (c:Ce", "Ce", ["Cell"]),
        ("%%provdb cypher\nMATCH (c) RETURN c.met", "met", ["metric_acc"]),
        ("%%provdb cypher\nMATCH (a {path: 'da", "da", ["data.csv"]),
        ("%%provdb cypher\nmat", "mat", ["MATCH"]),
    ],
)
def test_completions(text: str, typed: str, words: list[str]) -> None:
    assert candidates(text, _known) == (typed, words)


@pytest.mark.parametrize("text", ["provdb li", "print('%provdb')", "%%provdb --name a\nx = da", "import os"])
def test_nothing_else_is_completed(text: str) -> None:
    assert candidates(text, _known) is None


def test_completion_in_a_kernel(desk: Desk) -> None:
    shown = desk.texts(
        "open('weights.bin', 'w').write('1') and None",
        "complete = get_ipython().kernel.do_complete\ncomplete('%provdb lin', 11)['matches']",
        "complete('%provdb lineage wei', 19)['matches']",
    )
    assert shown[1] == "['lineage']"
    assert shown[2] == "['weights.bin']"


def test_what_the_magic_offers_is_there() -> None:
    """No word and no option that provdb does not have."""
    import click

    from provgraph.cli.app import app
    from provgraph.magics.completing import _OPTIONS

    context = click.Context(app)
    for name in QUESTIONS:
        command: Any = app.get_command(context, name)
        assert command is not None, name
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(_OPTIONS.get(name, ())) <= known | {"--into"}, name
    assert {"--json", "--svg"} <= set(FACES)
    assert not set(OWN) - {"status"} & set(QUESTIONS)
