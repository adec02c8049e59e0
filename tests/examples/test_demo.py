"""The demo, run for real, and whether its questions get the right answers."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn", reason="the demo needs scikit-learn: scripts/environment.sh demo")


def run_demo(checkout: Path, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    home = tmp_path / "caller"
    home.mkdir()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **environment}
    done = subprocess.run(
        [checkout / "examples/demo/run.sh", tmp_path / "demo"],
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n--- standard error\n{done.stderr}"
    assert not list(home.iterdir()), "the demo touched the user's own HOME"
    return done


@pytest.fixture(scope="module", params=["default", "stat"])
def demo(
    request: pytest.FixtureRequest, checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, str]:
    """The folder of a finished demo, what it printed, and how it was captured."""
    tmp_path = tmp_path_factory.mktemp("demo")
    method = {"PROVDB_CAPTURE": "stat"} if request.param == "stat" else {}
    done = run_demo(checkout, tmp_path, **method)
    return tmp_path / "demo", done.stdout, request.param


@pytest.fixture
def ask(demo: tuple[Path, str, str], make_provdb: Callable[..., Any]) -> Any:
    """The command, in the demo's project, with the demo's HOME."""
    folder = demo[0]
    return make_provdb(folder / "digits", HOME=str(folder / "home"))


def names(document: dict[str, Any]) -> set[str]:
    """How a reader would call the vertices of a graph."""
    found = set()
    for vertex in document["vertices"]:
        properties = vertex["properties"]
        if "Snapshot" in vertex["labels"]:
            found.add(f"{properties['path']}@{properties['sequence']}")
        else:
            found.add(properties.get("name", ""))
    return found


def test_lineage_of_the_second_model(ask: Any) -> None:
    document = ask.json("lineage", "model.pkl@2")
    found = names(document)
    assert {"model.pkl@2", "config.json@2", "config.json@1", "work/train.csv@1", "work/prepared.csv@1"} <= found
    assert "data/digits.csv@1" in found
    assert {"train.py@1", "prepare.py@1", "split.py@1", "split.json@1"} <= found
    assert {"Alice", "Bob"} <= found
    assert "model.pkl@1" not in found, "the model that was overwritten is no ancestor"
    assert not {name for name in found if name.startswith(("metrics.json", "classes.txt", "evaluate.py"))}


def test_the_configuration_changed_unseen(ask: Any) -> None:
    document = ask.json("lineage", "model.pkl@2")
    by_uid = {vertex["uid"]: vertex for vertex in document["vertices"]}
    changed = next(
        v["uid"]
        for v in document["vertices"]
        if v["properties"].get("path") == "config.json" and v["properties"].get("sequence") == 2
    )
    makers = [
        by_uid[e["target"]] for e in document["edges"] if e["type"] == "wasGeneratedBy" and e["source"] == changed
    ]
    assert [sorted(maker["labels"]) for maker in makers] == [["Activity", "Unseen"]]
    unseen = makers[0]["uid"]
    assert not [e for e in document["edges"] if e["type"] == "wasAssociatedWith" and e["source"] == unseen]


def test_each_training_is_its_own_persons(ask: Any) -> None:
    rows = ask.rows(
        'MATCH (m:Snapshot {path: "model.pkl"})-[:wasGeneratedBy]->(t:Activity)-[:wasAssociatedWith]->(p:Person) '
        "RETURN m.sequence, p.name, t.utility ORDER BY m.sequence"
    )
    carols = [[number, "Carol"] for number in (3, 4, 5, 6)]
    assert [row[:2] for row in rows] == [[1, "Alice"], [2, "Bob"], *carols]


def test_better_configuration_is_named(ask: Any) -> None:
    rows = ask.rows(
        'MATCH (e:Activity)-[:used]->(:Snapshot {path: "model.pkl"})-[:wasGeneratedBy]->(:Activity)'
        '-[:used]->(c:Snapshot {path: "config.json"}) WHERE e.metric_accuracy IS NOT NULL '
        "RETURN c.sequence, e.metric_accuracy ORDER BY c.sequence"
    )
    (first, bad), (second, good) = rows
    assert (first, second) == (1, 2)
    assert bad < good <= 1


def test_old_configuration_can_be_restored(ask: Any) -> None:
    assert json.loads(ask("restore", "config.json@1", "-o", "-").stdout)["C"] == 0.2
    assert json.loads(ask("restore", "config.json@2", "-o", "-").stdout)["C"] == 10


def test_pipeline_is_one_activity_of_four_programs(ask: Any) -> None:
    rows = ask.rows(
        'MATCH (s:Snapshot {path: "classes.txt"})-[:wasGeneratedBy]->(a:Activity)-[:used]->(x:Snapshot) '
        "WHERE NOT x:Environment RETURN a.command, x.path"
    )
    assert [row[1] for row in rows] == ["work/train.csv"]


def test_the_readmes_questions(demo: tuple[Path, str, str], ask: Any, checkout: Path) -> None:
    """What the README shows for the demo's project can be copied from there, and says what it promises."""
    block = (checkout / "README.md").read_text().partition("tests/examples/test_demo.py runs it there -->")[2]
    lines = re.findall(r"^\$ provdb (.*)$", block.partition("\n```\n")[0], re.MULTILINE)
    said = {line: ask(*shlex.split(line)).stdout for line in lines}
    assert len(said) == 5
    if demo[2] == "default":  # the comparison of folders cannot tell which command of a line read what
        assert "test_share  0.25 → 0.5" in said["compare model.pkl@5 model.pkl@6 --lineage"]
        assert "config.json@6 (similar)" in said["segment --from work/train.csv --to model.pkl"]
        assert "the only one of 6 that used work/train.csv@2" in said["summarize --to 'model.pkl@*'"]
    for picture in ("segment.svg", "summary.svg"):
        assert (demo[0] / "digits" / picture).read_text().startswith("<svg")


def test_printed_answers(demo: tuple[Path, str, str]) -> None:
    _, text, _ = demo
    for shown in ("alice$ provdb python train.py", "bob$ provdb python train.py", "config.json@2", "unrecorded change"):
        assert shown in text
    assert "Where to go next" in text


def test_method_is_on_each_activity(demo: tuple[Path, str, str], ask: Any) -> None:
    methods = {row[0] for row in ask.rows("MATCH (a:Command) RETURN DISTINCT a.capture")}
    if demo[2] == "stat":
        assert methods == {"stat"}
    else:
        assert methods <= {"seccomp", "stat"}


def test_foreign_folder_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years of work")
    script = checkout / "examples/demo/run.sh"
    done = subprocess.run([script, tmp_path / "mine"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert (tmp_path / "mine/thesis.tex").read_text() == "years of work"
    assert shutil.which("git"), "git is part of what the demo shows"
