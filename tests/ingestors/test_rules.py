"""What rules take from command lines and files."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingestor_samples import occurrence, series

from provgraph.ingestors import rules as module
from provgraph.ingestors.port import Following, Ingestor, Moment, findings_document
from provgraph.ingestors.rules import rule_ingestors
from provgraph.model.ingestor_rules import parse_rules
from provgraph.schemas import validator


def ingestors(text: str) -> list[Any]:
    entries = tomllib.loads(f"[[rule]]\nname = 'r'\n{text}")["rule"]
    return list(rule_ingestors(parse_rules("c", entries)))


def found(rule: str, folder: Path, files: dict[str, str | bytes], **more: Any) -> dict[str, Any]:
    given = occurrence(folder, files, **more)
    (one, *_) = ingestors(rule)
    assert isinstance(one, Ingestor)
    assert one.match.explain(given)
    document = findings_document(one.ingest(given), "ingest") or {}
    if document:
        validator("findings")(document)
    return {key: value for key, value in document.items() if key != "schema"}


LOG = "epoch 1 loss 0.5\nnoise\nepoch 2 loss 0.25\n"


def test_the_last_match_counts(tmp_path: Path) -> None:
    rule = "files = ['*.log']\nregex = 'loss (?P<loss>\\S+)'\nprefix = 'metric_'"
    assert found(rule, tmp_path, {"a.log": LOG}) == {"activity": {"metric_loss": 0.25}}
    assert found(rule + "\nto = 'file'", tmp_path, {"a.log": LOG}) == {
        "snapshots": [{"path": "a.log", "properties": {"metric_loss": 0.25}}]
    }


def test_a_series_has_all_matches(tmp_path: Path) -> None:
    rule = "files = ['*.log']\nregex = 'epoch (?P<step>\\d+) loss (?P<loss>\\S+)'\nseries = true"
    assert series(found(rule, tmp_path, {"a.log": LOG})) == {"loss": [(1, 0.5), (2, 0.25)]}
    counted = "files = ['*.log']\nregex = 'loss (?P<loss>\\S+)'\nseries = true"
    assert series(found(counted, tmp_path, {"a.log": LOG})) == {"loss": [(0, 0.5), (1, 0.25)]}
    other = "files = ['*.log']\nregex = 'epoch (?P<e>\\d+) loss (?P<loss>\\S+)'\nseries = true\nstep = 'e'\nto = 'file'"
    assert found(other, tmp_path, {"a.log": LOG})["series"][0]["of"] == {"path": "a.log"}


def test_a_step_out_of_range_costs_its_own_point_alone(tmp_path: Path) -> None:
    rule = "files = ['*.log']\nregex = 'round (?P<step>\\S+) quality (?P<quality>\\S+)'\nseries = true"
    large = 2**63 - 1
    steps = ["1", "99999999999999999999", "1e300", "-9223372036854775809", str(large), "9" * 400, "2"]
    lines = [f"round {step} quality {number}" for number, step in enumerate(steps)]
    told = found(rule, tmp_path, {"a.log": "\n".join(lines)})
    assert series(told) == {"quality": [(1, 0), (large, 4), (2, 6)]}
    assert told["notes"] == [
        "a.log: quality: the step 99999999999999999999 has more than 64 bits",
        "a.log: quality: the step 1e300 has more than 64 bits",
        "a.log: quality: the step -9223372036854775809 has more than 64 bits",
        "a.log: quality: a number of more than 308 digits is none that can be kept",
    ]


def test_the_command_line_is_read_where_there_are_no_files(tmp_path: Path) -> None:
    rule = "command = 'train'\nregex = '--lr (?P<lr>\\S+)'\nprefix = 'param_'"
    assert found(rule, tmp_path, {}, command="python train.py --lr 1e-3") == {"activity": {"param_lr": 0.001}}
    assert found(rule, tmp_path, {}, command="python train.py") == {}


CONFIG = {"optimizer": {"lr": 1e-4, "name": "adam"}, "layers": [{"size": 3}, {"size": 5}], "deep": {"a": {"b": [1]}}}
HISTORY = {"history": [{"epoch": 2, "loss": 0.5}, {"epoch": 4, "loss": 0.25}]}


@pytest.mark.parametrize(("form", "data"), [
    ("json", json.dumps(CONFIG)),
    ("yaml", "optimizer: {lr: 1e-4, name: adam}\nlayers:\n- size: 3\n- size: 5\ndeep: {a: {b: [1]}}\n"),
    ("toml", "layers = [{size = 3}, {size = 5}]\ndeep.a.b = [1]\n[optimizer]\nlr = 1e-4\nname = 'adam'\n"),
])  # fmt: skip
def test_paths_into_documents(tmp_path: Path, form: str, data: str) -> None:
    paths = "lr = 'optimizer.lr', sizes = 'layers[*].size', last = 'layers[-1].size', deep = 'deep', no = 'x.y'"
    rule = f"files = ['c.*']\n{form} = {{ {paths} }}"
    assert found(rule, tmp_path, {f"c.{form}": data})["activity"] == {
        "lr": 1e-4, "sizes": [3, 5], "last": 5, "deep": {"a": {"b": [1]}},
    }  # fmt: skip
    every = f"files = ['c.*']\n{form} = 'optimizer.*'\nprefix = 'param_'"
    assert found(every, tmp_path, {f"c.{form}": data})["activity"] == {"param_lr": 1e-4, "param_name": "adam"}


def test_series_out_of_documents(tmp_path: Path) -> None:
    rule = "files = ['h.json']\njson = 'history[*].loss'\nstep = 'history[*].epoch'\nseries = true"
    assert series(found(rule, tmp_path, {"h.json": json.dumps(HISTORY)})) == {"loss": [(2, 0.5), (4, 0.25)]}
    lines = "".join(json.dumps(one) + "\n" for one in HISTORY["history"]) + "no json\n"
    document = found("files = ['h.jsonl']\njsonl = 'loss'\nstep = 'epoch'\nseries = true", tmp_path, {"h.jsonl": lines})
    assert series(document) == {"loss": [(2, 0.5), (4, 0.25)]}
    assert "no JSON" in document["notes"][0]


def test_types(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a.txt": "v=1 w=yes\n"}
    rule = "files = ['*.txt']\nregex = 'v=(?P<v>\\S+) w=(?P<w>\\S+)'\n"
    assert found(rule, tmp_path, files) == {"activity": {"v": 1, "w": "yes"}}
    assert found(rule + "type = 'text'", tmp_path, files) == {"activity": {"v": "1", "w": "yes"}}
    assert found(rule + "type = 'boolean'", tmp_path, files) == {"activity": {"v": True, "w": True}}
    numbers = found(rule + "type = 'number'", tmp_path, files)
    assert numbers == {"activity": {"v": 1}, "notes": ["a.txt: w: 'yes' is no number"]}


def test_of_several_files_the_first_counts(tmp_path: Path) -> None:
    rule = "files = ['*.log']\nregex = 'loss (?P<loss>\\S+)'\n"
    files: dict[str, str | bytes] = {"a.log": "loss 1", "b.log": "loss 2"}
    document = found(rule, tmp_path, files)
    assert document["activity"] == {"loss": 1}
    assert "a.log and b.log both have loss" in document["notes"][0]
    both = found(rule + "to = 'file'", tmp_path, files)
    assert [one["properties"] for one in both["snapshots"]] == [{"loss": 1}, {"loss": 2}]


def test_numbers_that_json_cannot_say(tmp_path: Path) -> None:
    rule = "files = ['*.log']\nregex = 'loss (?P<loss>\\S+)'\nseries = true"
    assert series(found(rule, tmp_path, {"a.log": "loss nan\nloss -inf\nloss 1"})) == {
        "loss": [(0, "NaN"), (1, "-Infinity"), (2, 1.0)]
    }


def test_what_is_too_large_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILE_BYTES", 20)
    rule = "files = ['*.log']\nregex = 'loss (?P<loss>\\S+)'\n"
    document = found(rule, tmp_path, {"a.log": "loss 1\n" * 10})
    assert document["activity"] == {"loss": 1}
    assert "only the first" in document["notes"][0]
    long = found(rule, tmp_path, {"a.log": "x" * 20_000})
    assert long == {"notes": ["a.log: only the first 0 MiB were read"]}


def test_long_lines_are_left_out(tmp_path: Path) -> None:
    rule = "files = ['*.log']\nregex = 'loss (?P<loss>\\S+)'\n"
    document = found(rule, tmp_path, {"a.log": "loss " + "1" * 20_000 + "\nloss 2\n"})
    assert document == {
        "activity": {"loss": 2},
        "notes": ["a.log: 1 lines are too long to be log lines and were left out"],
    }


def test_bytes_that_nobody_has_are_said(tmp_path: Path) -> None:
    given = occurrence(tmp_path, {"a.log": "loss 1"})
    (tmp_path / "a.log").unlink()
    (one,) = ingestors("files = ['*.log']\nregex = 'loss (?P<loss>\\S+)'")
    assert "a.log" in one.ingest(given)["notes"][0]


def test_a_changed_rule_has_another_version() -> None:
    first, second = (ingestors(f"files = ['{glob}']\nregex = '(?P<a>.)'")[0] for glob in ("*.a", "*.b"))
    assert first.version != second.version
    assert first.version == ingestors("files = ['*.a']\nregex = '(?P<a>.)'")[0].version


def test_a_series_of_lines_is_followed_too(tmp_path: Path) -> None:
    rule, live = ingestors("files = ['*.log']\nregex = 'epoch (?P<step>\\d+) loss (?P<loss>\\S+)'\nseries = true")
    assert (rule.moment, live.moment, live.name) == (Moment.AFTER, Moment.DURING, "r-live")
    assert isinstance(live, Following)
    given = occurrence(tmp_path, {"a.log": LOG})
    follower = live.follow(given, given.generated[0])
    pieces = [follower.feed(piece) for piece in (b"epoch 1 lo", b"ss 0.5\nepoch 2 loss 0.2", b"5\n", b"")]
    assert [series(piece) for piece in pieces] == [{}, {"loss": [(1, 0.5)]}, {"loss": [(2, 0.25)]}, {}]


REGEX = "files = ['*.log']\nregex = 'e (?P<step>\\S*) l (?P<l>\\S*)( x=(?P<x>.))?'\n"
RULES = [
    REGEX, REGEX + "series = true", REGEX + "type = 'integer'", REGEX + "to = 'file'\ntype = 'boolean'",
    *(f"files = ['*.log']\n{form} = {{ a = 'a[*].b', c = 'c.*' }}" for form in ("json", "jsonl", "yaml", "toml")),
    "files = ['*.log']\njsonl = ['l', 'x']\nstep = 'e'\nseries = true",
]  # fmt: skip
TEXT = st.lists(
    st.sampled_from(
        [
            "e 1 l 2",
            "e x l y",
            "e 1e999 l nan",
            "\n",
            "\r",
            '{"l": 1, "e": 2.5}',
            '{"a": [{"b": 1}]}',
            "c: {d: 1}\n",
            "\x00",
            "ä",
        ]
    )
    | st.text(max_size=5)
)


@pytest.mark.parametrize("rule", RULES)
@given(data=st.binary(max_size=80) | TEXT.map(lambda parts: "".join(parts).encode("utf-8", "replace")))
def test_no_content_breaks_a_rule(rule: str, data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    found(rule, tmp_path_factory.mktemp("fuzz"), {"a.log": data})
