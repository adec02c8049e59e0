"""Which cells ran out of order, or used a variable whose defining cell has since changed."""

import json
from typing import Any

import kernels
import nbformat
import pytest
from desk import Desk

from provgraph.graph.elements import Vertex
from provgraph.queries.cell_order import CellRun, cell_order


def _runs(*told: tuple[str, str, dict[str, int], str]) -> list[CellRun]:
    """Runs as (cell, source, variables used → which run bound them, variables bound), in the order of time."""
    runs = []
    for number, (cell, source, used, bound) in enumerate(told, 1):
        properties = {"cell_id": cell, "source": source, "execution_count": number, "started_at": f"{number:03}"}
        vertex = Vertex(f"run{number}", ("Activity", "Cell"), properties)
        runs.append(CellRun(vertex, {name: f"run{run}" for name, run in used.items()}, set(bound.split())))
    return runs


def _findings(runs: list[CellRun], *cells: tuple[str | None, str]) -> list[tuple[Any, ...]]:
    return [tuple(row)[:4] for row in cell_order(runs, cells or None)]


A, B, C = ("a", "x = 1"), ("b", "y = x"), ("c", "z = y")
IN_ORDER: tuple[Any, ...] = (("a", "x = 1", {}, "x"), ("b", "y = x", {"x": 1}, "y"), ("c", "z = y", {"y": 2}, "z"))


def test_in_order_nothing_is_said() -> None:
    assert _findings(_runs(*IN_ORDER), A, B, C) == []
    assert _findings(_runs(*IN_ORDER)) == []


def test_a_cell_that_ran_before_one_above_it() -> None:
    assert _findings(_runs(*IN_ORDER), B, A, C) == [(1, "run1", "out of order", None)]


def test_a_cell_that_was_edited() -> None:
    assert _findings(_runs(*IN_ORDER), ("a", "x = 2"), B, C) == [
        (1, "run1", "edited", None),
        (2, "run2", "changed", "x"),
    ]


def test_a_cell_that_was_deleted() -> None:
    assert _findings(_runs(*IN_ORDER), B, C) == [(2, "run2", "gone", "x")]


def test_a_cell_that_ran_again() -> None:
    runs = _runs(*IN_ORDER, ("a", "x = 1", {}, "x"))
    assert _findings(runs, A, B, C) == [
        (2, "run2", "out of order", None),
        (2, "run2", "run again", "x"),
        (3, "run3", "out of order", None),
    ]
    assert _findings(runs)[0] == (2, "run2", "run again", "x")
    again = _runs(*IN_ORDER, *(("a", "x = 1", {}, "x"), ("b", "y = x", {"x": 4}, "y"), ("c", "z = y", {"y": 5}, "z")))
    assert _findings(again, A, B, C) == []


def test_without_ids_the_source_tells_one_cell_from_another() -> None:
    runs = _runs(*IN_ORDER)
    for run in runs:
        del run.vertex.properties["cell_id"]  # type: ignore[attr-defined]
    assert _findings(runs, (None, "x = 1"), (None, "y = x"), (None, "z = y")) == []
    assert _findings(runs, (None, "y = x"), (None, "z = y")) == [(2, "run2", "gone", "x")]


def test_in_a_real_kernel(desk: Desk) -> None:
    document = desk.run_file(
        "n.ipynb",
        "a = 1",
        "b = a + 1",
        "import json, pathlib\nfile = pathlib.Path('n.ipynb')\nd = json.loads(file.read_text())\n"
        "d['cells'][1]['source'] = 'a = 2'\nfile.write_text(json.dumps(d)) and None",
        "%provdb order --into odd",
        "[row[2:4] for row in odd.rows]",
    )
    assert kernels.text_of(document.cells[5]) == "[['edited', None], ['changed', 'a']]"
    provdb = desk.lab.provdb
    assert "`b = a + 1` used a of [2] `a = 1`, whose code has changed since" in provdb("order", "n.ipynb").stdout
    rows = provdb.json("order")
    assert [row[2] for row in rows["rows"]] == ["edited", "changed"]
    # The lineage of a variable names the very run that made it, not the cell as it stands.
    sources = [
        vertex["properties"]["source"]
        for vertex in provdb.json("lineage", "n.ipynb:b")["vertices"]
        if "Cell" in vertex["labels"]
    ]
    assert sorted(sources) == ["a = 1", "b = a + 1"]
    nbformat.write(document, desk.root / "n.ipynb")
    assert "every cell ran after those above it" in provdb("order", "n.ipynb").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("order",), "no cell was recorded"),
        (("order", "other.ipynb"), "no cell of other.ipynb was recorded"),
        (("order", "--json", "--csv"), "either --json or --csv"),
    ],
)
def test_what_cannot_be_answered(provdb: Any, project: Any, words: tuple[str, ...], says: str) -> None:
    assert says in provdb(*words, check=2).stderr


def test_a_notebook_that_cannot_be_read_is_said(desk: Desk) -> None:
    desk.run_file("n.ipynb", "a = 1", "b = a")
    for text, says in (("{", "cannot be read"), (json.dumps({"cells": 3}), "it is no notebook of format 4")):
        (desk.root / "n.ipynb").write_text(text)
        done = desk.lab.provdb("order", "n.ipynb")
        assert says in done.stderr
        assert "every cell ran" in done.stdout
