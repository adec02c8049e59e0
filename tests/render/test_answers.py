"""Answers as text: JSON, CSV, log lines."""

import csv
import io
import json
import math
from datetime import UTC, datetime

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.rows import Path, Rows
from provgraph.render.json_text import json_chunks
from provgraph.render.log import log_text
from provgraph.render.rows import rows_csv, rows_table
from provgraph.render.text import Page
from provgraph.render.times import Clock

E, A = Vertex("e", ("Entity", "Snapshot"), {"path": "x", "sequence": 1}), Vertex("a", ("Activity",), {"name": "run #1"})


def test_json_is_ascii_one_element_a_line_and_says_what_it_cannot() -> None:
    document = {"schema": "s", "rows": [[1, "é\udce9"], [math.nan, -math.inf]], "none": [], "big": 2**70}
    text = "".join(json_chunks(document))
    assert text.isascii() and text.endswith("}\n")
    back = json.loads(text)
    assert back["rows"] == [[1, "é\udce9"], ["NaN", "-Infinity"]]
    assert back["big"] == 2**70
    assert len(text.splitlines()) == 9


def test_csv_reads_back() -> None:
    rows = Rows(("n", "s", "l", "v"), ((1.5, 'a "b"\n,c', ["x", 1], E), (None, "", [], None), (True, "é", {"k": 1}, A)))
    back = list(csv.reader(io.StringIO(rows_csv(rows), newline="")))
    assert back[0] == ["n", "s", "l", "v"]
    assert back[1][:2] == ["1.5", 'a "b"\n,c'] and json.loads(back[1][2]) == ["x", 1]
    assert json.loads(back[1][3]) == E.to_json()
    assert back[2] == ["", "", "[]", ""]
    assert back[3][0] == "true"


def test_tables_name_vertices_and_draw_paths() -> None:
    path = Path((A, E), (Edge("used", "a", "e"),))
    text = rows_table(Rows(("v", "p", "n"), ((E, path, 3),)), Page(80))
    assert "x@1" in text and "run #1 -used-> x@1" in text


def test_a_log_line() -> None:
    columns = ("n", "name", "started_at", "ended_at", "duration_s", "state", "agent", "command")
    start = "2026-11-21T12:00:03+00:00"
    rows = Rows(
        columns,
        (
            (1, "train.py #14", start, start, 1.92, "ok", "Alice", "python train.py --lr 0.1"),
            (None, "unrecorded change of config.yaml", None, start, None, "unrecorded", None, None),
        ),
    )
    clock = Clock(datetime(2026, 11, 22, tzinfo=UTC), "local", UTC)
    first, second = log_text(rows, Page(120), clock).splitlines()[1:]
    assert " ".join(first.split()) == "%1 train.py #14 2026-11-21 12:00:03 1.92 s ok Alice python train.py --lr 0.1"
    assert "unrecorded change of config.yaml" in second
    narrow = log_text(rows, Page(80), clock)
    assert all(len(line) <= 80 for line in narrow.splitlines())
