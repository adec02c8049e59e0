"""Rows as dicts, documents and data frames."""

from datetime import UTC, datetime

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.rows import Path, Rows

E, A = Vertex("e", ("Entity",)), Vertex("a", ("Activity",), {"name": "run #1"})
USED = Edge("used", "a", "e", {}, "u")
WHEN = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_cells_have_the_shapes_of_graphs() -> None:
    rows = Rows(("v", "e", "p", "t", "l"), ((A, USED, Path((A, E), (USED,)), WHEN, [E, 1]),), ("a note",))
    document = rows.to_json()
    assert document["columns"] == ["v", "e", "p", "t", "l"]
    vertex, edge, path, when, items = document["rows"][0]
    assert vertex == A.to_json() and edge == USED.to_json()
    assert path == {"vertices": [A.to_json(), E.to_json()], "edges": [USED.to_json()]}
    assert when == "2026-11-21T12:00:00+00:00"
    assert items == [E.to_json(), 1]
    assert document["notes"] == ["a note"]


def test_rows_are_a_sequence_and_a_frame() -> None:
    rows = Rows(("n", "s"), ((1, "x"), (2, None)))
    assert len(rows) == 2 and rows[1] == (2, None) and next(iter(rows)) == (1, "x")
    assert rows.to_dicts()[0] == {"n": 1, "s": "x"}
    frame = rows.to_pandas()
    assert list(frame.columns) == ["n", "s"] and frame["n"].tolist() == [1, 2]
