"""The Python twins of the commands, on a real store."""

import os
from pathlib import Path

import pytest
from graph_samples import Sample

import provgraph
from provgraph.errors import NoProjectError, QuestionError, UnknownReferenceError
from provgraph.graph.naming import display_name
from provgraph.session.project import Project


@pytest.fixture
def project(sample: Sample, home: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("PROVDB_PROJECT", raising=False)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Carol")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "carol@example.org")
    return provgraph.open(sample.root)


def names(graph: provgraph.ProvGraph) -> set[str]:
    return {display_name(v) for v in graph}


def test_open_finds_the_nearest_project(sample: Sample, tmp_path: Path) -> None:
    below = sample.root / "a/b"
    below.mkdir(parents=True)
    assert provgraph.open(below).root == str(sample.root)
    with pytest.raises(NoProjectError, match="provdb init"):
        provgraph.open(tmp_path)


def test_init_twice_is_the_same_project(place: Path) -> None:
    with provgraph.init(place) as first, provgraph.init(place) as second:
        assert first.store().project == second.store().project


def test_log(project: Project) -> None:
    rows = project.log()
    assert [row["name"] for row in rows.to_dicts()] == [
        "train.py #5", "unrecorded change of config.yaml", "evaluate.py #4", "train.py #3", "split.py #2",
        "prepare.py #1",
    ]  # fmt: skip
    assert [row["n"] for row in rows.to_dicts()] == [1, None, 2, 3, 4, 5]
    assert {row["agent"] for row in project.log(agent="Bob").to_dicts()} == {"Bob"}
    assert [row["n"] for row in project.log(grep="train").to_dicts()] == [1, 3], "numbers are those of the whole log"
    assert len(project.log(limit=2)) == 2
    assert len(project.log(since="2026-11-20T09:15Z", until="2026-11-20T09:30Z")) == 1
    with pytest.raises(QuestionError, match="no regular expression"):
        project.log(grep="(")
    with pytest.raises(QuestionError, match="no time"):
        project.log(since="yesterday")


def test_lineage_keeps_its_question(project: Project, sample: Sample) -> None:
    graph = project.lineage("model.pkl")
    assert {"train.py #5", "config.yaml@2", "raw.csv@1", "Bob"} <= names(graph)
    assert graph.query is not None and graph.query["roots"] == [sample.uids["model.pkl@2"]]
    assert names(project.lineage("raw.csv", downstream=True, depth=1)) == {
        "raw.csv@1",
        "prepare.py #1",
        "clean.csv@1",
        "Alice",
    }
    with pytest.raises(QuestionError, match="lineage of what"):
        project.lineage()
    with pytest.raises(UnknownReferenceError):
        project.lineage("nothing")


def test_ways(project: Project) -> None:
    found = project.ways("raw.csv", "metrics.json")
    assert found.count == 2
    assert {e.type for way in found.ways for e in way.edges} == {"used", "wasGeneratedBy"}


def test_show(project: Project) -> None:
    found = project.show("model.pkl")
    assert found.name == "model.pkl@2"
    assert [(r.edge.type, display_name(r.other)) for r in found.relations if r.outgoing] == [
        ("specializationOf", "model.pkl"), ("wasDerivedFrom", "model.pkl@1"), ("wasGeneratedBy", "train.py #5"),
    ]  # fmt: skip
    assert [name for _, name, _ in found.snapshots] == ["model.pkl@1", "model.pkl@2"]


def test_restore(project: Project, tmp_path: Path) -> None:
    assert project.restore("model.pkl@1") == b"model one"
    output = tmp_path / "back/old.pkl"
    project.restore("model.pkl@1", output)
    assert output.read_bytes() == b"model one" and output.stat().st_mode & 0o777 == 0o644
    with pytest.raises(QuestionError, match="is there already"):
        project.restore("model.pkl@2", output)
    project.restore("model.pkl@2", output, force=True)
    assert output.read_bytes() == b"model two"
    assert os.listdir(output.parent) == ["old.pkl"]
    with pytest.raises(QuestionError, match="only the snapshot of a file"):
        project.restore("%1", output, force=True)


def test_bytes_that_are_gone_are_named(project: Project, sample: Sample) -> None:
    with sample.open() as store:
        digest = store.reader.vertex(sample.uids["model.pkl@1"]).properties["sha256"]
        store.objects.remove(digest)
    with pytest.raises(QuestionError, match=r"bytes of model.pkl@1 are not in this store") as caught:
        project.restore("model.pkl@1")
    assert caught.value.exit_status == 1


def test_record_links_what_is_known_and_enters_what_is_new(project: Project, sample: Sample) -> None:
    (sample.root / "report.txt").write_text("all is well")
    activity = project.record(
        used=["model.pkl", "test.csv@1", "https://user:secret@example.org/extra.csv"], generated=["report.txt"],
        params={"lr": 0.1}, metrics={"f1": 0.9}, name="spark job", tags={"team": "blue"},
    )  # fmt: skip
    assert display_name(activity) == "spark job #6"
    assert activity.properties["param_lr"] == 0.1 and activity.properties["metric_f1"] == 0.9
    graph = project.lineage("report.txt")
    assert {"report.txt@1", "spark job #6", "model.pkl@2", "https://example.org/extra.csv@1", "Carol"} <= names(graph)
    assert project.log(limit=1)[0][2] == "spark job #6"
    assert project.restore("report.txt") == b"all is well"


def test_what_is_declared_is_scrubbed(project: Project) -> None:
    used = "https://example.org/x?token=abcd1234efgh5678&page=2"
    found = project.record(used=[used], command="mysql --password=hunter2 db", note="password=hunter2")
    assert found.properties["command"] == "mysql --password=<scrubbed> db"
    assert "hunter2" not in found.properties["note"]
    assert "https://example.org/x?token=<scrubbed>&page=2@1" in names(project.lineage("%1"))


def test_who_declares_is_who_git_says(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings").write_text("[user]\n\tname = Dora\n\temail = dora@example.org\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "settings"))
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name)
    project.record(generated=["model.pkl"])
    assert "Dora" in names(project.lineage("model.pkl"))


def test_rule_5_a_used_file_that_changed_unseen_is_entered_first(project: Project, sample: Sample) -> None:
    (sample.root / "config.yaml").write_text("lr: 9\n")
    project.record(used=["config.yaml"], generated=[], name="look")
    graph = project.lineage("config.yaml@3")
    assert {"unrecorded change", "config.yaml@2", "config.yaml@3"} <= names(graph)
    assert names(project.lineage("%1", depth=1)) >= {"look #6", "config.yaml@3"}


def test_rule_3_declaring_a_generation_makes_a_new_snapshot(project: Project, sample: Sample) -> None:
    project.record(generated=["model.pkl"], command="java -jar trainer.jar")
    assert {"model.pkl@3", "java #6"} <= names(project.lineage("model.pkl"))
    assert "model.pkl@2" not in names(project.lineage("model.pkl"))
    assert "model.pkl@2" in names(project.lineage("model.pkl", revisions=True))


def test_an_input_met_before_gets_its_origin_after_the_fact(project: Project) -> None:
    project.record(generated=["raw.csv"], name="download", ended_at="2026-11-20T08:00Z")
    assert {"raw.csv@1", "download #6"} <= names(project.lineage("raw.csv"))


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({}, "nothing was declared"),
        ({"generated": ["gone.txt"]}, "there is no such file"),
        ({"used": ["nowhere.txt"]}, "nothing recorded is called"),
        ({"used": ["."]}, "is a folder"),
        ({"used": ["%1"]}, "is no file"),
        ({"used": ["model.pkl"], "started_at": "2026-01-02", "ended_at": "2026-01-01"}, "cannot start"),
        ({"used": ["model.pkl"], "tags": {"command": "x"}}, "property of the base"),
    ],
)
def test_declarations_that_are_refused_write_nothing(project: Project, declared: dict[str, object], says: str) -> None:
    before = len(project.log())
    with pytest.raises(QuestionError, match=says):
        project.record(**declared)  # type: ignore[arg-type]
    assert len(project.log()) == before


def test_annotate(project: Project) -> None:
    vertex = project.annotate("model.pkl", {"stage": "prod", "score": 0.5, "nested": {"a": [1]}})
    assert vertex.properties["stage"] == "prod" and vertex.properties["score"] == 0.5
    assert vertex.properties["nested_json"] == '{"a": [1]}'
    assert "stage" not in project.annotate("model.pkl", stage=None).properties
    for key in ("path", "sha256", "name", "uid", "exit_status"):
        with pytest.raises(QuestionError, match="property of the base"):
            project.annotate("model.pkl", {key: 1})


def test_status(project: Project, sample: Sample) -> None:
    (sample.root / "train.csv").write_text("1\n3\n")
    found = project.status()
    assert found.activities == 5 and found.last is not None and found.last["name"] == "train.py #5"
    assert [row["changed"] for row in found.unrecorded] == [["train.csv"]]
    assert found.running == () and found.pending == 0 and found.failures == ()


def test_run_records_and_returns_the_activity(project: Project, sample: Sample) -> None:
    activity = project.run(["cp", "model.pkl", "copy.pkl"], name="copy", tags={"why": "test"})
    assert activity.properties["exit_status"] == 0
    assert activity.properties["why"] == "test"
    assert {"copy.pkl@1", "model.pkl@2"} <= names(project.lineage("copy.pkl"))


def test_run_keeps_the_types_of_tags_and_refuses_keys_of_the_base(project: Project, sample: Sample) -> None:
    found = project.run(["true"], tags={"seed": 3, "text": "3", "dry": True})
    assert [found.properties[key] for key in ("seed", "text", "dry")] == [3, "3", True]
    with pytest.raises(QuestionError, match="property of the base"):
        project.run(["touch", "ran"], tags={"exit_status": 0})
    assert not (sample.root / "ran").exists()
