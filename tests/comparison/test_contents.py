"""Contents in the form that suits them."""

import json

import pytest

from provgraph.errors import QuestionError
from provgraph.graph.comparison import Cell, Change, Content
from provgraph.graph.elements import Vertex
from provgraph.queries.comparison.contents import LARGEST, content_difference
from provgraph.queries.comparison.documents import document_difference
from provgraph.queries.comparison.tables import read_table, table_difference


def snapshot(path: str, data: bytes | None, **more: object) -> Vertex:
    import hashlib

    known = {} if data is None else {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    return Vertex(f"{path} {known.get('sha256')}", ("Entity", "Snapshot"), {"path": path, **known, **more})


def compared(path: str, first: bytes, second: bytes, **more: object) -> Content:
    vertices = snapshot(path, first, **more), snapshot(path, second, **more)
    data = dict(zip((v.uid for v in vertices), (first, second), strict=True))
    return content_difference(*vertices, lambda vertex: data[vertex.uid])


def test_equal_digests_are_not_read() -> None:
    def refuse(_vertex: Vertex) -> bytes:
        raise AssertionError

    one = snapshot("a", b"x", sequence=1)
    other = Vertex("other", one.labels, one.properties)
    assert content_difference(one, other, refuse).state == "equal"


def test_without_a_digest_nobody_can_tell() -> None:
    found = content_difference(snapshot("a", None, content="unhashed"), snapshot("a", b"x"), None)
    assert found.state == "unknown" and "content unhashed" in found.reason
    sized = content_difference(snapshot("a", None, size_bytes=7), snapshot("a", b"x"), None)
    assert sized.state == "differs" and "sizes differ" in sized.reason


def test_why_there_are_no_bytes_is_said() -> None:
    def gone(_vertex: Vertex) -> bytes:
        raise QuestionError("they were given up")

    assert content_difference(snapshot("a", b"x"), snapshot("a", b"y"), gone).reason == "they were given up"
    assert "digests" in content_difference(snapshot("a", b"x"), snapshot("a", b"y"), None).reason


def test_large_contents_are_not_read() -> None:
    def refuse(_vertex: Vertex) -> bytes:
        raise AssertionError

    large = Vertex("l", ("Entity", "Snapshot"), {"path": "a", "sha256": "0" * 64, "size_bytes": LARGEST + 1})
    found = content_difference(large, snapshot("a", b"y"), refuse)
    assert found.state == "differs" and "32 MiB" in found.reason and found.sizes == (LARGEST + 1, 1)


def test_binary() -> None:
    found = compared("model.pkl", b"\x80\x00a", b"\x80\x00bc")
    assert (found.form, found.sizes, found.lines) == ("binary", (3, 4), ())


def test_a_json_document_by_its_keys() -> None:
    first = {"lr": 0.1, "model": {"layers": [{"size": 64}, {"size": 64}], "kind": "mlp"}, "odd key": 1}
    second = {"lr": 0.2, "model": {"layers": [{"size": 64}, {"size": 128}], "drop": True}, "odd key": 1}
    found = compared("config.json", json.dumps(first).encode(), json.dumps(second).encode())
    assert found.form == "document" and found.changes_count == 4
    assert found.changes == (
        Change("lr", "differs", 0.1, 0.2),
        Change("model.layers[1].size", "differs", 64, 128),
        Change("model.kind", "first", first="mlp"),
        Change("model.drop", "second", second=True),
    )


def test_lists_of_other_lengths_are_aligned() -> None:
    found = document_difference([1, 2, 3, 4], [0, 1, 2, 4], 10)
    assert found.changes_count == 1 or [c.path for c in found.changes] == ["[0]", "[1]", "[2]"]
    longer = document_difference(["a", "b", "c"], ["a", "x", "b", "c"], 10)
    assert longer.changes == (Change("[1]", "second", second="x"),)


def test_values_that_are_only_written_differently() -> None:
    found = compared("c.json", b'{"a": 1, "b": NaN}', b'{"b": NaN,\n "a": 1.0}')
    assert found.changes == () and "only written differently" in found.reason
    assert compared("c.json", b'{"a": 1}', b'{"a": true}').changes_count == 1, "true is no 1"


def test_toml() -> None:
    found = compared("pyproject.toml", b"[tool]\nx = 1\nd = 2020-01-01\n", b"[tool]\nx = 2\nd = 2020-01-02\n")
    assert [change.path for change in found.changes] == ["tool.x", "tool.d"]


def test_a_document_that_is_none_is_text() -> None:
    assert compared("c.json", b'{"a": 1}\n', b'{"a": 1\n').form == "text"
    deep = b"[" * 100_000 + b"]" * 100_000
    assert compared("c.json", deep, b"[]").form == "text"
    nested = b"[" * 150 + b"1" + b"]" * 150
    assert compared("c.json", nested, nested.replace(b"1", b"2")).changes_count == 1


def test_a_table_by_its_key() -> None:
    first = b"id,name,price\n1,apple,2.5\n2,pear,3\n3,plum,1\n"
    second = b"id,name,price\n3,plum,1\n2,pear,4\n4,fig,9\n"
    table = compared("t.csv", first, second).table
    assert table is not None
    assert (table.key, table.rows_added, table.rows_removed, table.rows_changed) == ("id", 1, 1, 1)
    assert table.cells == (Cell("2", "price", "3", "4"),)
    assert table.added == (("4", "fig", "9"),) and table.removed == (("1", "apple", "2.5"),)
    assert table.cells_by_column == (("price", 1),)


def test_an_index_that_was_numbered_anew_is_no_key() -> None:
    first = ",x\n" + "".join(f"{n},v{n}\n" for n in range(50))
    second = ",x\n" + "".join(f"{n},{v}\n" for n, v in enumerate(["new", *(f"v{n}" for n in range(50))]))
    table = compared("t.csv", first.encode(), second.encode()).table
    assert table is not None and table.rows_added == 1
    whole = read_table(first), read_table(second)
    assert whole[0] is not None and whole[1] is not None


def test_a_table_by_order_and_its_columns() -> None:
    table = compared("t.tsv", b"a\tb\n1\tx\n1\ty\n", b"b\tc\nx\t1\ny\t1\nz\t1\n").table
    assert table is not None
    assert (table.columns_removed, table.columns_added, table.key) == (("a",), ("c",), None)
    assert (table.rows_added, table.cells_changed, table.added) == (1, 0, (("z", "1"),))


def test_columns_in_another_order() -> None:
    content = compared("t.csv", b"a,b\n1,2\n", b"b,a\n2,1\n")
    assert content.table is not None and content.table.columns_moved and not content.table.cells_changed


def test_quotes_alone() -> None:
    content = compared("t.csv", b"a,b\n1,2\n", b'a,b\n"1",2\n')
    assert "only written differently" in content.reason


def test_a_table_without_names() -> None:
    table = read_table("1,2\n3,4\n")
    assert table is not None and table.columns == ("column 1", "column 2") and len(table.rows) == 2


@pytest.mark.parametrize("text", ["a,b\n1\n", 'a,b\n"x,2\n', ""])
def test_what_is_no_table(text: str) -> None:
    assert read_table(text) is None
    assert compared("t.csv", text.encode() or b"\n", b"a,b\n1,2\n3,4\n").form == "text"


def test_a_large_table_counts_all_and_keeps_few() -> None:
    first = "k,a,b\n" + "".join(f"{n},{n},{n}\n" for n in range(50_000))
    second = "k,a,b\n" + "".join(f"{n},{n + 1},{n}\n" for n in range(50_000))
    ours, theirs = read_table(first), read_table(second)
    assert ours is not None and theirs is not None
    found = table_difference(ours, theirs)
    assert (found.cells_changed, len(found.cells), found.key) == (50_000, 20, "k")


def test_notebooks() -> None:
    def notebook(source: str, output: str) -> bytes:
        cell = {"cell_type": "code", "source": [source], "outputs": [output], "execution_count": 1}
        return json.dumps({"cells": [cell], "nbformat": 4}).encode()

    assert compared("n.ipynb", notebook("x = 1", "a"), notebook("x = 2", "b")).lines[-2:] == ("-x = 1", "+x = 2")
    assert "outputs" in compared("n.ipynb", notebook("x", "a"), notebook("x", "b")).reason


def test_stray_bytes_are_shown() -> None:
    assert compared("a.txt", b"caf\xe9 au lait\n", b"coffee\n").lines[1] == "-caf\udce9 au lait"


@pytest.mark.parametrize("depth", [250, 800, 3000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_documents_nested_too_deep_are_told_as_text(depth: int, opening: str, closing: str) -> None:
    """Deeper than Python compares and prints, though its parser reads it."""
    first, second = ((opening * depth + number + closing * depth).encode() for number in ("1", "2"))
    found = compared("deep.json", first, second)
    assert found.form == "text" and found.lines_added == found.lines_removed == 1
    json.dumps(found.to_json())


def test_an_empty_text_ends_as_it_is() -> None:
    assert compared("a.txt", b"", b"x").reason == ""
    assert compared("a.txt", b"y\n", b"x").reason == "the first alone ends with a newline"
