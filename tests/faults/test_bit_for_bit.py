"""Values come back from ``cypher`` as they went in, type and all, or are refused."""

import json
import math
import struct
from typing import Any

import pytest

import provgraph
from provgraph.stores.encoding import loads

VALUES = {
    "zero": 0,
    "negative_zero": -0.0,
    "tenth": 0.1,
    "third": 1 / 3,
    "smallest": 5e-324,
    "largest": 1.7976931348623157e308,
    "whole_float": 3.0,
    "large_float": 1e22,
    "int53": 2**53 + 1,
    "int63": 2**63 - 1,
    "negative63": -(2**63),
    "floats": [0.1, 0.2, 0.30000000000000004, -0.0, 1e-320],
    "mixed_up": [1, 2, 3],
    "ints": [2**53 + 1, -(2**63)],
    "texts": ["", "a", "ä\u2028\U0001f600"],
    "flags": [True, False],
    "flag": True,
    "text_number": "0.1",
    "empty": "",
    "quotes": 'it\'s "quoted" \\ `back`',
    "lines": "a\nb\r\n\tc",
    "nul": "a\x00b",
}


def _same(one, other) -> bool:
    """Equal in type and in every bit."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return struct.pack("d", one) == struct.pack("d", other)
    return type(one) is type(other) and one == other


def test_what_an_annotation_holds(lab):
    lab.run("sh", "-c", "echo 1 > out")
    kept = {}
    with provgraph.open(lab.root) as project:
        for key, value in VALUES.items():
            try:
                project.annotate("out", {key: value})
            except provgraph.ProvGraphError:
                continue
            kept[key] = value
    assert set(VALUES) - set(kept) <= {"nul"}, "only what no column can hold may be refused"
    columns = ", ".join(f"s.{key}" for key in kept)
    (row,) = lab.provdb.rows(f"MATCH (s:Snapshot {{path: 'out'}}) RETURN {columns}")
    differing = {key: (value, found) for (key, value), found in zip(kept.items(), row, strict=True)
                 if not _same(value, found)}  # fmt: skip
    assert not differing
    (shown,) = [
        vertex["properties"] for vertex in lab.provdb.json("lineage", "out")["vertices"]
        if vertex["properties"].get("path") == "out"
    ]  # fmt: skip
    assert not {key: shown.get(key) for key, value in kept.items() if not _same(value, shown.get(key))}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[0.1, NaN]", str(2**64), str(-(2**63) - 1), "1e999"])
def test_what_no_json_or_column_holds_is_refused_or_kept_exactly(lab, text):
    lab.run("sh", "-c", "echo 1 > out")
    done = lab.run("annotate", "out", f"value={text}", check=None)
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert lab.provdb.rows("MATCH (s:Snapshot {path: 'out'}) RETURN s.value IS NULL") == [[True]]
        return
    ((found, as_json),) = lab.provdb.rows("MATCH (s:Snapshot {path: 'out'}) RETURN s.value, s.value_json")
    if found is None:  # what Neo4j could not hold is JSON text on both stores
        found = loads(as_json)
    try:
        wanted = json.loads(text)
    except ValueError:
        wanted = text
    exact = _same(found, wanted) or found == text or (found == wanted and type(found) is type(wanted))
    assert exact or (isinstance(wanted, float) and math.isnan(wanted) and found == "NaN"), (found, wanted)


def test_what_record_declares(lab):
    lab.write("a.csv", "1\n")
    lab.write("b.csv", "2\n")
    document: dict[str, Any] = {
        "used": ["a.csv"],
        "generated": ["b.csv"],
        "params": {"lr": 0.1, "seed": 2**53 + 1, "layers": [64, 32], "betas": [0.9, 0.999], "name": "adam"},
        "metrics": {"f1": 1 / 3, "loss": 5e-324},
    }
    lab.run("record", "-", input=json.dumps(document))
    names = [f"a.param_{key}" for key in document["params"]] + [f"a.metric_{key}" for key in document["metrics"]]
    (row,) = lab.provdb.rows(f"MATCH (a:Activity)-[:used]->(s) RETURN {', '.join(names)}")
    wanted = [*document["params"].values(), *document["metrics"].values()]
    assert all(map(_same, row, wanted)), (row, wanted)


@pytest.mark.parametrize("text", ["NaN", "1e999", '"\\ud800"', "[1, NaN]", '{"a": -Infinity}'])
def test_a_document_with_what_no_json_holds(lab, text):
    lab.write("out", "1\n")
    document = f'{{"params": {{"x": {text}}}, "generated": ["out"], "name": "strange"}}'
    done = lab.run("record", "-", input=document, check=None)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2)
    graph = lab.graph()
    assert len(graph.of("Activity")) == (done.returncode == 0), "recorded whole, or not at all"
    if done.returncode == 0:
        with provgraph.open(lab.root) as project:
            ((found, as_json),) = project.cypher("MATCH (a:Activity) RETURN a.param_x, a.param_x_json").rows
        found = loads(as_json) if found is None else found
        assert repr(found) == repr(json.loads(text)), "NaN is no number, but it stays what it is"


def test_lone_surrogates_in_words_of_a_command(lab):
    """Bytes that are no UTF-8, in argv: they run as they are, and what is recorded can be asked for as JSON."""
    lab.provdb.command([b"provdb", b"sh", b"-c", b"echo 1 > out", b"sh", b"--name=\xff\xfe"], text=False)
    rows = lab.provdb.rows("MATCH (a:Command) RETURN a.argv, a.command")
    (argv, command) = rows[0]
    assert argv[:2] == ["sh", "-c"]
    assert "--name=" in command
    answer = lab.provdb.json("log")
    assert len(answer["rows"]) == 1
    assert "sh #1" in lab.run("lineage", "out").stdout


def test_parameters_go_in_as_they_are(lab):
    for value in (0.1, 2**53 + 1, -(2**63), [0.1, 0.2], ["a", "ä"], 'it\'s "x"', True, 5e-324, -0.0):
        ((found,),) = lab.provdb.rows("RETURN $value AS value", value=value)
        assert _same(found, value), (found, value)
