"""The schemas are 2020-12, and what is compiled agrees with jsonschema."""

import copy
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.errors import InputError
from provgraph.schemas import SchemaError, names, schema, validator

UID = "01234567-89ab-cdef-0123-456789abcdef"
STAT = [1, 2, 3, 4, 5, 6]
EVENT = {
    "origin_seq": 1, "kind": "activity.ended", "schema": 1, "time": "2026-01-01T00:00:00.5+00:00",
    "body": {
        "vertices": [[["Entity", "Snapshot"], {"path": "a", "n": 1, "list": [1.5, "x", True]}, UID], [["Agent"], {}]],
        "edges": [["used", 0, UID, {"at": "x"}], ["wasDerivedFrom", UID, 1]],
        "set": [[UID, {"a": None}]],
        "facts": {"anything": {"goes": []}},
    },
}  # fmt: skip
RECORDS: list[dict[str, Any]] = [
    {"record": "start", "schema": 1, "activity": UID, "t": 1, "time": 2, "argv": ["a"], "cwd": "/", "pid": 3, "uid": 0,
     "host": "h", "capture": "seccomp", "env": {"A": "b"}, "redirections": [{"fd": 0, "path": "/x", "mode": "r"}]},
    {"record": "progress", "ops": [
        ["r", 1, "/a", STAT], ["r", 1, "/a", STAT, "exec"], ["w", 1, "/b", None, "create", None],
        ["w", 1, "/b", STAT, "truncate", "pre/x.1"],
        ["d", 1, "/b", STAT, "held"], ["m", 1, "/a", "/b", STAT, None, None],
        ["l", 1, "/a", "/b", STAT], ["x", 1, 33, ["ls"]], ["v", 1, "/usr"], ["g", 1, "memory"],
    ]},
    {"record": "end", "t": 1, "time": 2, "exit_status": 0, "signal": None, "cpu_s": 0.5},
    {"record": "closed", "t": 1, "time": 2},
    {"record": "lost", "t": 1, "time": 2},
    {"record": "start", "schema": 1, "activity": UID, "t": 1, "time": 2, "argv": [], "cwd": "/p", "pid": 3, "uid": 4,
     "host": "h", "capture": "audit", "env": {}, "kind": "cell", "inside": True, "parent": UID,
     "about": {"source": "1"}},
    {"record": "progress", "ops": [["u", 1, "x"], ["b", 2, "x", {"type": "int"}], ["n", 3, "x"], ["Z", 4, 5]]},
    {"record": "said", "t": 1, "time": 2, "params": {"lr": 1},
     "metrics": [["loss", None, 0.5, 3], ["loss", 1, "NaN", 4]],
     "properties": {"a": 1}, "tags": {"b": [2]}, "note": "n", "used": ["/a", "http://b"], "generated": []},
    {"record": "end", "t": 1, "time": 2, "exit_status": 1, "error": {"type": "KeyError", "message": "x"}},
    {"record": "of a newer program", "t": 1, "time": 2},
]  # fmt: skip
SAMPLES = [("event", EVENT), *(("spool", record) for record in RECORDS)]
WRONG: list[Any] = [None, True, -1, 1.5, "", "x", [], {}, ["x"], {"a": {}}, UID, "Entity"]


@cache
def reference(name: str) -> jsonschema.Draft202012Validator:
    """jsonschema's own validator."""
    return jsonschema.Draft202012Validator(schema(name))


def agree(name: str, value: Any) -> bool:
    """Whether a value is valid; fails where the two disagree."""
    expected = reference(name).is_valid(value)
    try:
        validator(name)(value)
        found = True
    except SchemaError:
        found = False
    assert found is expected, (name, value)
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += places(item, (*path, key))
    return found


@pytest.mark.parametrize("name", names())
def test_is_a_2020_12_schema(name: str) -> None:
    document = schema(name)
    jsonschema.Draft202012Validator.check_schema(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    validator(name)


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_good_ones_pass(name: str, sample: Any) -> None:
    assert agree(name, sample)


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_changed_ones_are_judged_alike(name: str, sample: Any) -> None:
    refused = 0
    for place in places(sample):
        for wrong in (*WRONG, KeyError):
            value = copy.deepcopy(sample)
            inner = value
            for key in place[:-1]:
                inner = inner[key]
            if wrong is KeyError:
                del inner[place[-1]]
            else:
                inner[place[-1]] = wrong
            refused += not agree(name, value)
    assert refused


@given(st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda x: st.lists(x, max_size=3)))
def test_nonsense_is_judged_alike(value: Any) -> None:
    agree("event", value)
    agree("spool", value)
    agree("event", {**EVENT, "body": {"vertices": value}})


def test_an_error_says_where() -> None:
    bad = copy.deepcopy(EVENT)
    bad["body"]["edges"][1][0] = "was derived from"  # type: ignore[index]
    with pytest.raises(SchemaError, match=r"body\.edges\[1\]\[0\]"):
        validator("event")(bad)
    with pytest.raises(InputError, match="no schema"):
        schema("nonsense")
