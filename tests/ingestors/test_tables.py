"""Tables and arrays: what is said of them, in bounded time and memory."""

import gzip
import io
import json
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provgraph.ingestors.tables import INGESTORS
from provgraph.ingestors.tables.bounds import Budget, TableError
from provgraph.ingestors.tables.separated import describe_separated

(TABLES,) = INGESTORS
FUZZED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def described(folder: Any, path: str, content: Any) -> dict[str, Any]:
    found: dict[str, Any] = folder.properties(TABLES, folder.occurrence("x", {path: content}), path)
    return found


def note(folder: Any, path: str, content: Any) -> str:
    (said,) = folder.found(TABLES, folder.occurrence("x", {path: content}))["notes"]
    return str(said)


def saved(array: Any, **more: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **more)
    return file.getvalue()


def test_columns_types_rows(folder: Any) -> None:
    text = 'id,when,share,ok,name,none\n1,2020-01-01,0.5,true,a,\n2,2020-01-02T10:00:00Z,1,FALSE,"b, c\n d",NA\n'
    assert described(folder, "t.csv", text) == {
        "columns": ["id", "when", "share", "ok", "name", "none"],
        "column_types": ["integer", "datetime", "number", "boolean", "text", "empty"],
        "columns_count": 6,
        "rows_count": 2,
    }


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("t.tsv", "a\tb\n1\t2,5\n", {"columns": ["a", "b"], "delimiter": "\t", "rows_count": 1}),
        ("t.csv", "a;b\n1;2,5\n", {"columns": ["a", "b"], "delimiter": ";", "column_types": ["integer", "text"]}),
        ("t.csv", "1,2\n3,4.5\n", {"rows_count": 2, "column_types": ["integer", "number"], "columns_count": 2}),
        ("t.csv", "a,b\n\n1\n1,2,3\n", {"rows_count": 2, "rows_uneven": 2}),
        ("t.csv", b"\xef\xbb\xbfa,b\r\n1,2\r\n", {"columns": ["a", "b"], "rows_count": 1}),
        ("t.csv", "a,b\n1,2\n".encode("utf-16"), {"columns": ["a", "b"], "rows_count": 1}),
        ("t.csv", b"n\xe4me,b\n1,2\n", {"columns": ["n\ufffdme", "b"]}),
        ("t.csv", b"", {"rows_count": 0, "columns_count": 0}),
        ("t.csv", b"\n\n", {"rows_count": 0, "columns_count": 0}),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0), {"columns": ["a", "b"], "rows_count": 1}),
    ],
)
def test_ways_to_write_a_table(path: str, content: Any, expected: dict[str, Any], folder: Any) -> None:
    found = described(folder, path, content)
    assert {key: found.get(key) for key in expected} == expected
    assert "columns" in found or "columns" not in expected


def test_pandas_agrees(folder: Any) -> None:
    frame = pd.DataFrame({"id": range(5_000), "text": ['a "quote",\n' * (n % 3) + "x" for n in range(5_000)], "v": 0.5})
    found = described(folder, "t.csv", frame.to_csv(index=False))
    assert (found["rows_count"], found["columns"]) == (5_000, ["id", "text", "v"])
    assert found["column_types"] == ["integer", "text", "number"]
    assert "rows_estimated" not in found


@pytest.mark.parametrize("packed", [False, True])
def test_rows_of_large_tables_are_estimated_and_said_to_be(tmp_path: Path, packed: bool) -> None:
    count = 600_000 if packed else 100_000
    rows = b"".join(b"%06d,%f\n" % (n, n / 7) for n in range(count))
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(b"id,value\n" + rows) if packed else b"id,value\n" + rows)
    with path.open("rb") as file:
        budget = Budget(in_all=5_000_000) if packed else Budget(per_file=200_000)
        found = describe_separated(file, path.name, budget)
    assert found["rows_estimated"] is True
    assert found["rows_count"] == pytest.approx(count, rel=0.25)
    assert found["columns"] == ["id", "value"]


def test_the_budget_is_shared(folder: Any) -> None:
    budget = Budget(per_file=10, in_all=15)
    assert [budget.take(100), budget.take(100), budget.take(100)] == [10, 5, 0]
    budget.give_back(7)
    assert budget.take(100) == 7


def test_many_small_packed_tables_are_all_read(folder: Any) -> None:
    tables = {f"{n}.csv.gz": gzip.compress(b"id,value\n1,2\n", mtime=0) for n in range(5)}
    found = folder.found(TABLES, folder.occurrence("x", tables))
    assert "notes" not in found
    said = {"columns": ["id", "value"], "columns_count": 2, "rows_count": 1, "column_types": ["integer", "integer"]}
    assert [one["properties"] for one in found["snapshots"]] == [said] * 5


def _spent() -> Budget:
    budget = Budget()
    budget.take(Budget.PER_FILE)
    budget.take(Budget.PER_FILE)
    assert budget.take(1) == 0
    return budget


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("count", [1, 200_000])
def test_with_nothing_left_of_the_budget_the_begin_is_read(tmp_path: Path, packed: bool, count: int) -> None:
    rows = b"".join(b"%06d,%f\n" % (n, n / 7) for n in range(count))
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(b"id,value\n" + rows) if packed else b"id,value\n" + rows)
    with path.open("rb") as file:
        found = describe_separated(file, path.name, _spent())
    assert found["columns"] == ["id", "value"]
    assert found["rows_count"] == pytest.approx(count, rel=0.25)
    assert ("rows_estimated" in found) is (count > 1)


def test_with_nothing_left_of_the_budget_a_torn_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(",".join(f"column{n}" for n in range(20_000)) + "\n")
    with (tmp_path / "t.csv").open("rb") as file, pytest.raises(TableError, match="64 MiB of tables of this command"):
        describe_separated(file, "t.csv", _spent())


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("t.csv", b'a,b\n"' + b"x" * 200_000, "t.csv: row 1: field larger than field limit (131072)"),
        ("t.csv", b"x" * 2_000_000, "t.csv: row 1: a line is longer than 1,048,576 characters"),
        ("t.csv", b"\x89PNG\r\n\0\0", "t.csv: it is binary, no table of text"),
        ("t.csv.gz", b"no gzip", "t.csv.gz: Not a gzipped file"),
        ("t.csv.gz", gzip.compress(b"a,b\n" * 1000, mtime=0)[:30], "t.csv.gz: Compressed file ended"),
        ("t.parquet", b"PAR1", "t.parquet: it is no Parquet: it does not end with the magic number"),
        ("t.parquet", b"PAR1" + b"x" * 8 + b"\x04\0\0\0PAR1", "t.parquet: it is no Parquet: "),
        ("t.parquet", b"PAR1" + b"\xff\xff\xff\x7fPAR1", "t.parquet: its footer has 2,147,483,647 bytes"),
        ("a.npy", b"\x80\x04.", "a.npy: it is no NPY: the magic number is missing"),
        ("a.npy", b"\x93NUMPY\x01\x00\xff\xff", "a.npy: its header of 65,535 bytes is torn, or longer than 10,000"),
        ("a.npy", b"\x93NUMPY\x01\x00\x05\x00{'a':", "a.npy: its header cannot be read"),
        ("a.npy", b"\x93NUMPY\x07\x00\x05\x00{'a':", "a.npy: it is an NPY of version 7, and 1 to 3 are known"),
        ("a.npz", b"PK", "a.npz: it is no NPZ: the list of its members is missing"),
        ("m.safetensors", b"\xff" * 16, "m.safetensors: it is no safetensors: its header would have"),
        ("m.safetensors", b"\x02\0\0\0\0\0\0\0[]", "m.safetensors: it is no safetensors: its header is no object"),
        ("m.safetensors", b"\x08\0\0\0\0\0\0\0{", "m.safetensors: it is no safetensors: its header is torn or no JSON"),
    ],
)
def test_what_is_none_is_a_note(path: str, content: bytes, said: str, folder: Any) -> None:
    assert note(folder, path, content).startswith(said)


def test_parquet(folder: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pd.DataFrame({"id": range(3), "name": list("abc"), "v": 0.5}).to_parquet(tmp_path / "t.parquet")
    found = described(folder, "t.parquet", tmp_path / "t.parquet")
    assert (found["columns"], found["rows_count"], found["row_groups_count"]) == (["id", "name", "v"], 3, 1)
    assert found["column_types"][::2] == ["int64", "double"]
    assert "arrow" in found["created_by"]


def test_without_pyarrow_it_is_said_what_to_install(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = note(folder, "t.parquet", b"PAR1" + b"x" * 8 + b"\x04\0\0\0PAR1")
    assert said == "t.parquet: to read Parquet, install pyarrow: pip install 'provgraph[parquet]'"


def test_npy(folder: Any) -> None:
    found = described(folder, "a.npy", saved(np.zeros((3, 4), dtype="f4", order="F")))
    assert found == {"dtype": "float32", "shape": [3, 4], "values_count": 12, "fortran_order": True}
    fields = described(folder, "a.npy", saved(np.zeros(3, dtype=[("a", "i4"), ("b", "U5"), ("ä", "f8", (2,))])))
    assert (fields["columns"], fields["column_types"]) == (["a", "b", "ä"], ["int32", "str", "float64"])
    assert described(folder, "a.npy", saved(np.array(5)))["shape"] == []


class _Fires:
    """Leaves a file where it is unpickled."""

    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('unpickled')",))


def test_objects_are_not_unpickled(folder: Any) -> None:
    data = saved(np.array([_Fires(), 1], dtype=object), allow_pickle=True)
    assert described(folder, "a.npy", data) == {"dtype": "object", "shape": [2], "values_count": 2}


def test_npz(folder: Any) -> None:
    file = io.BytesIO()
    np.savez_compressed(file, x=np.zeros((2, 3)), y=np.arange(5, dtype="i2"))
    found = described(folder, "a.npz", file.getvalue())
    assert (found["arrays_count"], found["arrays"]) == (2, ["x: float64 (2, 3)", "y: int16 (5,)"])
    assert json.loads(found["arrays_json"])["y"] == {"dtype": "int16", "shape": [5], "values_count": 5}
    torn = io.BytesIO()
    with zipfile.ZipFile(torn, "w") as archive:
        archive.writestr("x.npy", b"no array")
        archive.writestr("read.me", b"text")
    assert described(folder, "a.npz", torn.getvalue())["arrays"] == ["x: ? ()"]


def test_safetensors(folder: Any) -> None:
    header = json.dumps({
        "__metadata__": {"format": "pt"},
        "wte": {"dtype": "F32", "shape": [10, 3], "data_offsets": [0, 120]},
        "b": {"dtype": "BF16", "shape": [], "data_offsets": [120, 122]},
    }).encode()  # fmt: skip
    found = described(folder, "m.safetensors", struct.pack("<Q", len(header)) + header + b"\0" * 122)
    assert found == {
        "tensors": ["wte: F32 (10, 3)", "b: BF16 ()"],
        "tensors_count": 2,
        "parameters_count": 31,
        "metadata_json": '{"format": "pt"}',
    }


def test_real_tables(shared_testdata: Path, folder: Any) -> None:
    files = [file for file in sorted((shared_testdata / "shell-pipelines").rglob("*.csv")) if file.stat().st_size]
    assert files
    for file in files:
        found = folder.found(TABLES, folder.occurrence("x", {file.name: file}))
        assert found.get("notes") or found["snapshots"][0]["properties"]["rows_count"] >= 0, file


@FUZZED
@given(
    data=st.binary(max_size=300),
    ending=st.sampled_from([".csv", ".tsv", ".csv.gz", ".parquet", ".npy", ".npz", ".safetensors"]),
)
def test_any_bytes_are_findings(data: bytes, ending: str, folder: Any) -> None:
    folder.found(TABLES, folder.occurrence("x", {f"t{ending}": data}))


@FUZZED
@given(parts=st.lists(st.sampled_from(['"', ",", "\n", "\r", "a", "1", ";", "\t", "\0", "é", '""', " "]), max_size=80))
def test_any_marks_are_a_table_or_a_note(parts: list[str], folder: Any) -> None:
    found = folder.found(TABLES, folder.occurrence("x", {"t.csv": "".join(parts)}))
    assert found.get("notes") or found["snapshots"][0]["properties"]["rows_count"] >= 0


def _torn(data: bytes, edits: list[tuple[int, int]], end: int) -> bytes:
    torn = bytearray(data)
    for place, value in edits:
        torn[place % len(torn)] = value
    return bytes(torn[: len(torn) - end])


_EDITS = st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), max_size=8)


@FUZZED
@given(edits=_EDITS, end=st.integers(0, 20))
def test_damaged_arrays(edits: list[tuple[int, int]], end: int, folder: Any) -> None:
    file = io.BytesIO()
    np.savez(file, x=np.zeros((2, 3)), y=np.arange(5))
    for path, data in (("a.npz", file.getvalue()), ("a.npy", saved(np.zeros((2, 2)))[:128])):
        folder.found(TABLES, folder.occurrence("x", {path: _torn(data, edits, end)}))


@FUZZED
@given(edits=_EDITS, end=st.integers(0, 20))
def test_damaged_parquet(edits: list[tuple[int, int]], end: int, folder: Any) -> None:
    pytest.importorskip("pyarrow")
    file = io.BytesIO()
    pd.DataFrame({"id": range(3), "name": list("abc")}).to_parquet(file)
    data = file.getvalue()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    in_footer = [(footer + place % (len(data) - footer), value) for place, value in edits]
    folder.found(TABLES, folder.occurrence("x", {"t.parquet": _torn(data, in_footer, end)}))
