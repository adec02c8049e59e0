"""What changed inside a configuration file."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provgraph.ingestors.configuration import FORMATS, INGESTOR, LISTED, MAX_BYTES


def changed(folder: Any, path: str, before: Any, after: Any) -> dict[str, Any]:
    occurrence = folder.occurrence("python train.py", {path: after}, before={path: before})
    found: dict[str, Any] = folder.properties(INGESTOR, occurrence, path)
    return found


@pytest.mark.parametrize(
    ("path", "before", "after", "changes"),
    [
        ("c.yaml", "layer: {pool: MAX}\nlr: 1e-3", "layer: {pool: AVG}\nlr: 1e-3", ["layer.pool: MAX → AVG"]),
        ("c.yaml", "lr: 1e-3", "lr: 1e-4", ["lr: 0.001 → 0.0001"]),
        ("c.json", '{"rate": 0.1, "layers": [64, 64]}', '{"rate": 0.1, "layers": [64, 128]}', ["layers[1]: 64 → 128"]),
        ("p.toml", "[tool]\nx = 1", "[tool]\nx = true\nd = 2020-01-01", ["tool.x: 1 → true", "+ tool.d: 2020-01-01"]),
        ("s.ini", "[a]\nx = 1\n[b]\ny = q", "[a]\nx = 2\nz", ["a.x: 1 → 2", "+ a.z: null", "- b.y: q"]),
        (
            "net.prototxt",
            'layer { name: "p1" pooling_param { pool: MAX } }',
            'layer { name: "d" type: "Data" } layer { name: "p1" pooling_param { pool: AVE } }',
            ["layer.p1.pooling_param.pool: MAX → AVE", "+ layer.d.type: Data"],
        ),
        ("c.yml", "a: 1", "a: '1'\nb: ' x'", ['a: 1 → "1"', '+ b: " x"']),
        ("c.yml", "- {name: a, v: 1}\n- {name: b, v: 2}", "- {name: b, v: 3}\n- {name: a, v: 1}", ["b.v: 2 → 3"]),
        ("c.json", '{"a.b": 1}', '{"a.b": 2}', ['"a.b": 1 → 2']),
    ],
)  # fmt: skip
def test_changes(path: str, before: str, after: str, changes: list[str], folder: Any) -> None:
    found = changed(folder, path, before, after)
    assert found["changes"] == changes
    assert found["changes_count"] == len(changes)


def test_values_keep_their_types(folder: Any) -> None:
    found = changed(folder, "c.json", '{"a": 1, "b": "x", "d": null}', '{"a": 2.5, "c": [true], "d": {}}')
    assert json.loads(found["changes_json"]) == {
        "changed": {"a": [1, 2.5], "d": [None, {}]},
        "added": {"c[0]": True},
        "removed": {"b": "x"},
    }


def test_written_otherwise_but_the_same(folder: Any) -> None:
    assert changed(folder, "c.json", '{"a": 1}', '{ "a":1 }') == {"changes_count": 0}


def test_of_what_a_command_changed_the_new_state_is_described(folder: Any) -> None:
    occurrence = folder.occurrence("sed -i", {"c.json": "[1]"}, {"c.json": "[2]"}, {"c.json": "[0]"})
    (one,) = folder.found(INGESTOR, occurrence)["snapshots"]
    assert one["properties"]["changes"] == ["[0]: 0 → 2"]


def test_first_and_unchanged_ones_are_passed_over(folder: Any) -> None:
    assert set(folder.found(INGESTOR, folder.occurrence("x", {"c.json": "{}"}))) == {"schema"}
    assert changed(folder, "c.json", '{"a": 1}', '{"a": 1}') == {}


def test_secrets_are_not_told(folder: Any) -> None:
    before, after = "db: {password: hunter2}\napi_key: abc1", "db: {password: hunter3}\napi_key: abc1"
    found = changed(folder, "c.yaml", before, after)
    assert found["changes"] == ["db.password: <scrubbed> → <scrubbed>"]
    assert "hunter" not in json.dumps(found)
    assert "abc1" not in json.dumps(changed(folder, "c.ini", "[a]\n", "[a]\napi_token = abc1234567"))


@pytest.mark.parametrize(
    ("path", "before", "after", "change"),
    [
        ("c.ini", "[secrets]\nvalue = s3cr3t1", "[secrets]\nvalue = s3cr3t2", "secrets.value: {0} → {0}"),
        ("c.yaml", "auth: {token: {value: s3cr3t1}}", "auth: {token: {value: s3cr3t2}}", "auth.token.value: {0} → {0}"),
        ("c.json", '{"secrets": ["s3cr3t1"]}', '{"secrets": ["s3cr3t2"]}', "secrets[0]: {0} → {0}"),
        ("c.json", '{"my password": {"it.is": "s3cr3t1"}}', "{}", '- "my password"."it.is": {0}'),
        ("c.yaml", "{}", "db: [{name: password, is: s3cr3t1}]", "+ db.password.is: {0}"),
        ("c.yaml", "token: {dim: 64}", "token: {dim: 32}", "token.dim: 64 → 32"),
    ],
)
def test_what_stands_below_a_secret_name_is_not_told(
    path: str, before: str, after: str, change: str, folder: Any
) -> None:
    found = changed(folder, path, before, after)
    assert found["changes"] == [change.format("<scrubbed>")]
    assert "s3cr3t" not in json.dumps(found)


def test_many_changes_are_bounded(folder: Any) -> None:
    found = changed(folder, "c.json", "{}", json.dumps({f"k{n}": "x" * 1000 for n in range(1000)}))
    assert found["changes_count"] == 1000
    assert len(found["changes"]) == LISTED
    assert len(json.loads(found["changes_json"])["added"]) == LISTED
    assert max(len(line) for line in found["changes"]) < 300


def test_real_solvers(caffe_files: Path, folder: Any) -> None:
    solvers = caffe_files / "bvlc/examples/cifar10"
    found = changed(
        folder, "s.prototxt", solvers / "cifar10_full_solver.prototxt", solvers / "cifar10_full_solver_lr1.prototxt"
    )
    assert found["changes"] == ["base_lr: 0.001 → 0.0001", "max_iter: 60000 → 65000", "snapshot: 10000 → 5000"]


@pytest.mark.parametrize(
    ("path", "content", "note"),
    [
        ("c.json", "{", "c.json: it is no JSON"),
        ("c.json", "[" * 100_000, "c.json: it is nested too deeply"),
        ("c.yaml", "a: [1", "c.yaml: it is no YAML"),
        ("c.yaml", "&a [*a]", "c.yaml: it is nested more than 100 deep"),
        ("c.toml", "a", "c.toml: it is no TOML"),
        ("c.ini", "password=hunter2", "c.ini: it is no INI: line 1 stands before the first [section]"),
        ("c.ini", "[a]\nx\n y", "c.ini: it is no INI: an indented line follows a key without a value"),
        ("c.ini", "[a]\n x\n =1", "c.ini: it is no INI: line 3 cannot be read"),
        ("c.ini", b"[a]\nx=\xff", "c.ini: it is no UTF-8 at byte 6"),
        ("c.prototxt", "a: {", "c.prototxt: line 1, column 4"),
        ("c.json", b" " * (MAX_BYTES + 1), "c.json: it is larger than 1 MiB"),
        ("c.json", json.dumps(list(range(60_000))), "c.json: it has more than 50,000 values"),
    ],
)
def test_what_is_none_is_a_note(path: str, content: Any, note: str, folder: Any) -> None:
    found = folder.found(INGESTOR, folder.occurrence("x", {path: content}, before={path: b"#"}))
    (said,) = found["notes"]
    good = {"ini": b"[a]\n", "json": b"{}"}.get(path.rpartition(".")[2], b"")
    (after,) = folder.found(INGESTOR, folder.occurrence("x", {path: good}, before={path: content}))["notes"]
    assert note in (said[: len(note)], after[: len(note)])
    assert "hunter2" not in said + after


def test_references_that_multiply_are_bounded(folder: Any) -> None:
    bomb = "a: &a [1,2,3,4,5,6,7,8,9]\n" + "".join(
        f"{y}: &{y} [{','.join(['*' + x] * 9)}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found = folder.found(INGESTOR, folder.occurrence("x", {"c.yaml": bomb}, before={"c.yaml": "a: 1"}))
    assert found["notes"] == ["c.yaml: it has more than 50,000 values"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ending=st.sampled_from(sorted(FORMATS)),
    data=st.binary(max_size=200),
    text=st.text(alphabet='{}[]:,"ab1.\n-&*= #<', max_size=100),
)
def test_anything_is_findings(ending: str, data: bytes, text: str, folder: Any) -> None:
    path = f"c{ending}"
    folder.found(INGESTOR, folder.occurrence("x", {path: data}, before={path: text}))


_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=_JSON, other=_JSON)
def test_documents_that_differ_have_changes(one: Any, other: Any, folder: Any) -> None:
    found = changed(folder, "c.json", json.dumps(one), json.dumps(other))
    told = json.loads(found.get("changes_json", "{}"))
    assert sum(len(values) for values in told.values()) == min(found.get("changes_count", 0), LISTED)
