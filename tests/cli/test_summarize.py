"""``provdb summarize`` with real commands: the run that is not like the others is found, and said why."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from provgraph import schemas
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.summary import Summary

TRAIN = """
import sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
text = open("data.csv").read() + open("solver.cfg").read()
open("model.bin", "w").write(f"{len(text)} {options}")
"""
SCORE = 'text = open("model.bin").read(); open("score.txt", "w").write(f"{len(text)} {text}")\n'
RUNS = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the trainings are, for all tests here."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture
def trained(folder: Path, make_provdb: Callable[..., Any]) -> Any:
    """Ten trainings: the fourth with another option, the seventh with another solver.cfg, the ninth not scored."""
    provdb = make_provdb(folder)
    if not (folder / ".provdb").is_dir():
        train(folder, provdb)
    return provdb


def train(folder: Path, provdb: Any) -> None:
    provdb("init")
    (folder / "train.py").write_text(TRAIN)
    (folder / "score.py").write_text(SCORE)
    (folder / "data.csv").write_text("a,b\n")
    (folder / "solver.cfg").write_text("step = 1\n")
    for n in range(1, RUNS + 1):
        if n == 7:
            provdb("-c", "cp solver.cfg before.cfg && echo 'step = 9' > solver.cfg")
        if n == 8:
            provdb("-c", "cp before.cfg solver.cfg")
        provdb("python3", "train.py", "--lr", "0.9" if n == 4 else "0.1", "--seed", str(n))
        if n != 9:
            provdb("python3", "score.py")
    provdb("status")


def reasons(document: dict[str, Any]) -> dict[str, list[str]]:
    return {segment["name"]: segment["reasons"] for segment in document["segments"]}


def test_the_odd_ones_are_found_with_the_right_words(trained: Any) -> None:
    document = trained.json("summarize", "--to", "model.bin@*")
    Draft202012Validator(schemas.schema("summary")).validate(document)
    assert [segment["name"] for segment in document["segments"]] == [f"model.bin@{n}" for n in range(1, RUNS + 1)]
    why = reasons(document)
    assert "the only one of 10 with --lr 0.9" in why["model.bin@4"]
    assert "the only one of 10 that used solver.cfg@2" in why["model.bin@7"]
    assert why["model.bin@1"] == []
    assert Summary.from_json(document).to_json() == document


def test_text_says_what_how_and_what_is_odd(trained: Any) -> None:
    done = trained("summarize", "--to", "score.txt@*", "--width", "80")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("9 segments, ")
    assert " groups, " in lines[0]
    assert "compaction" in lines[0]
    assert lines[1].startswith("medium: --keep activity=utility,script --keep entity=path")
    assert any(line.startswith("python3 train.py") and "all 9" in line for line in lines)
    assert "What is odd" in lines
    assert "    the only one of 9 that used solver.cfg@2" in lines


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_text_fits_the_page(trained: Any, width: int) -> None:
    done = trained("summarize", "--to", "model.bin@*", "--resolution", "fine", "--width", str(width))
    assert max(map(len, done.stdout.splitlines())) <= max(width, 42)


@pytest.mark.parametrize("resolution", ["coarse", "medium", "fine"])
def test_every_resolution_finds_them(trained: Any, resolution: str) -> None:
    why = reasons(trained.json("summarize", "--to", "model.bin@*", "--resolution", resolution))
    assert any("--lr 0.9" in reason for reason in why["model.bin@4"])
    assert any("solver.cfg@2" in reason for reason in why["model.bin@7"])


def test_what_to_keep_is_the_askers(trained: Any) -> None:
    document = trained.json(
        "summarize", "--to", "model.bin@*", "--keep", "activity=script", "--keep", "Entity=path", "--hops", "1"
    )
    assert document["query"]["keep"] == {"activity": ["script"], "entity": ["path"]}
    assert document["query"]["hops"] == 1
    assert any(group["kept"] == {"script": "train.py"} for group in document["groups"])


def test_files_and_pipes(trained: Any) -> None:
    for n in (1, 2, 3, 4):
        trained.shell(f"provdb segment --from data.csv --to model.bin@{n} --json > {n}.json")
    piped = trained.shell(
        "provdb segment --from data.csv --to model.bin@5 --json | provdb summarize 1.json 2.json 3.json 4.json - --json"
    )
    document = json.loads(piped.stdout)
    assert [segment["name"] for segment in document["segments"]] == [
        "1.json", "2.json", "3.json", "4.json", "standard input",
    ]  # fmt: skip
    assert "the only one of 5 with --lr 0.9" in reasons(document)["4.json"]


def test_a_graph_file_needs_no_project(trained: Any, tmp_path: Path) -> None:
    whole = trained("lineage", "model.bin@*", "--json").stdout
    (tmp_path / "graph.json").write_text(whole)
    document = trained.json("summarize", "--graph", "graph.json", "--to", "model.bin@*", cwd=tmp_path)
    assert len(document["segments"]) == RUNS
    assert "the only one of 10 with --lr 0.9" in reasons(document)["model.bin@4"]


def test_sources_for_all_and_in_pairs(trained: Any) -> None:
    one = trained.json("summarize", "--from", "data.csv", "--to", "model.bin@1", "--to", "model.bin@2")
    assert len(one["segments"]) == 2
    pairs = trained.json(
        "summarize", "--from", "data.csv", "--to", "model.bin@1", "--from", "train.py", "--to", "model.bin@2"
    )
    names = {group["name"]: group["segments"] for group in pairs["groups"] if group["kind"] == "Entity"}
    assert pairs["query"]["pairwise"]
    assert names["model.bin"] == 2
    wrong = trained("summarize", "--from", "a", "--from", "b", "--to", "c", "--to", "d", "--to", "e", check=2)
    assert "2 sources and 3 destinations are no pairs" in wrong.stderr


def test_boundary_options_are_those_of_segment(trained: Any) -> None:
    document = trained.json("summarize", "--to", "score.txt@*", "--exclude", "Activity.script=train.py")
    assert "python3 train.py" not in {group["name"] for group in document["groups"]}
    assert document["query"]["exclude"] == ["Activity.script=train.py"]


def test_python_is_the_commands_twin(trained: Any) -> None:
    import provgraph

    document = trained.json("summarize", "--from", "data.csv", "--to", "model.bin@*")
    with provgraph.open(trained.root) as project:
        found = project.summarize(["model.bin@*"], ["data.csv"])
        segments = [project.segment(["data.csv"], [f"model.bin@{n}"]) for n in range(1, RUNS + 1)]
    assert found.to_json()["groups"] == document["groups"]
    assert provgraph.summarize(segments).to_json()["segments"] == document["segments"]


def test_pictures(trained: Any) -> None:
    svg = trained("summarize", "--to", "model.bin@*", "--svg", "-").stdout
    assert svg.lstrip().startswith("<")
    assert "train.py" in svg
    assert "train.py" in trained("summarize", "--to", "model.bin@*", "--dot").stdout
    assert "train.py" in trained("summarize", "--to", "model.bin@*", "--mermaid").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "a summary of what? name snapshots with --to"),
        (["model.bin"], "snapshots are named with --to: --to 'model.bin'"),
        (["nothing.json"], "nothing.json cannot be read"),
        (["--to", "nothing"], "nothing recorded is called 'nothing'"),
        (["--to", "model.bin", "--keep", "file=path"], "'file'; there are activity, entity and agent"),
        (["--to", "model.bin", "--keep", "path"], "write KIND=KEY,KEY"),
        (["--to", "model.bin", "--hops", "-1"], "-1"),
        (["--to", "model.bin", "--resolution", "best"], "there are coarse, medium, fine"),
        (["one.json", "--to", "model.bin"], "leave one of the two out"),
        (["one.json", "--no-similar"], "--no-similar makes segments"),
        (["-", "-"], "standard input (-) can be read once"),
        (["--to", "model.bin", "--json", "--dot"], "ask for one at a time"),
    ],
)
def test_mistakes_are_named_with_the_next_step(trained: Any, words: list[str], message: str) -> None:
    done = trained("summarize", *words, check=2)
    assert message in done.stderr
    assert done.stdout == ""


def test_half_a_file_and_another_document(trained: Any, tmp_path: Path) -> None:
    whole = trained("segment", "--from", "data.csv", "--to", "model.bin@1", "--json").stdout
    half, other = tmp_path / "half.json", tmp_path / "log.json"
    half.write_text(whole[: len(whole) // 2])
    other.write_text(trained("log", "--json").stdout)
    assert "half.json: this is no JSON" in trained("summarize", half, check=2).stderr
    assert "provgraph/rows/1" in trained("summarize", other, check=2).stderr


def test_what_is_said_of_every_segment_is_said_once(trained: Any) -> None:
    done = trained("summarize", "--to", "model.bin@*", "--from", "data.csv", "--since", "2100-01-01")
    said = [line for line in done.stderr.splitlines() if "no destination reaches a source" in line]
    assert len(said) == 1
    assert said[0].startswith(f"provdb: model.bin@1, model.bin@2, model.bin@3 and {RUNS - 3} more segments: ")


def test_segments_without_anything_are_nothing_found(make_provdb: Callable[..., Any], place: Path) -> None:
    (place / "empty.json").write_text(json.dumps(ProvGraph([], []).to_json()))
    done = make_provdb(place)("summarize", "empty.json", "empty.json", check=1)
    assert done.stdout.startswith("2 segments, 0 vertices → 0 groups")
