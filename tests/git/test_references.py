"""Commits and tags where a vertex is named, and as the ends of lineages and segments."""

import json
import time

import pytest


@pytest.fixture
def tagged(hooked):
    """v1.0 has a.csv@1 and model@1, v2.0 has a.csv@2 and the same model; then a.csv changes once more."""
    hooked.write("a.csv", "1\n")
    hooked.run("sh", "-c", "cat a.csv > model")
    hooked.git("add", "--all")
    hooked.git("commit", "--quiet", "--message", "One")
    hooked.git("tag", "v1.0")
    hooked.write("a.csv", "2\n")
    time.sleep(1.1)  # git's times are whole seconds; what ran in that of "Two" would count as after it, too
    hooked.run("cat", "a.csv")
    hooked.git("commit", "--quiet", "--all", "--message", "Two")
    hooked.git("tag", "--annotate", "--message", "Second", "v2.0")
    hooked.write("a.csv", "3\n")
    hooked.run("cat", "a.csv")
    return hooked


def _name(lab, *words):
    vertex = lab.provdb.json("show", *words)["vertex"]["properties"]
    return f"{vertex['path']}@{vertex['sequence']}"


def test_a_file_as_of_a_commit_or_tag(tagged):
    assert _name(tagged, "a.csv") == "a.csv@3"
    assert _name(tagged, "a.csv@v1.0") == "a.csv@1"
    assert _name(tagged, "a.csv@v2.0") == "a.csv@2"
    assert _name(tagged, "model@v2.0") == "model@1", "what an earlier commit brought"
    commit = tagged.git("rev-parse", "v1.0").strip()
    assert _name(tagged, f"a.csv@{commit}") == _name(tagged, f"a.csv@{commit[:9]}") == "a.csv@1"
    assert _name(tagged, "a.csv@HEAD~1") == "a.csv@1"
    assert _name(tagged, "a.csv@main") == "a.csv@2"
    assert tagged.run("restore", "a.csv@v1.0").stdout == "1\n"
    done = tagged.run("show", "a.csv@v9", check=2)
    assert "no number, time, commit or tag" in done.stderr


def test_a_file_that_is_not_in_a_commit(tagged):
    tagged.write("late", "x\n")
    tagged.run("cat", "late")
    assert "late is not in v1.0" in tagged.run("show", "late@v1.0", check=2).stderr


def test_a_state_that_nobody_recorded(tagged):
    tagged.write("a.csv", "between\n")
    tagged.git("add", "a.csv")
    tagged.write("a.csv", "3\n")
    tagged.git("commit", "--quiet", "--message", "Between")
    done = tagged.run("show", "a.csv@HEAD")
    assert "was not recorded" in done.stderr


def test_versions_themselves(tagged):
    commit = tagged.git("rev-parse", "v1.0").strip()
    for reference in ("v1.0", commit, commit[:8], "main~1"):
        assert tagged.provdb.json("show", reference)["vertex"]["properties"]["commit"] == commit
    shown = tagged.run("show", "v1.0").stdout
    assert "One" in shown
    assert "a.csv@1" in shown
    different = tagged.run("compare", "v1.0", "v2.0").stdout
    assert "a.csv@1" in different
    assert "a.csv@2" in different
    assert "model" not in different
    assert "no version was recorded" in tagged.run("show", _commit_before(tagged), check=2).stderr


def _commit_before(lab):
    lab.provdb.command(
        ["git", "commit", "--quiet", "--allow-empty", "--message", "Silent"], env={"PROVDB_DISABLE": "1"}
    )
    return lab.git("rev-parse", "HEAD").strip()


def test_versions_are_ends_of_lineages_and_segments(tagged):
    document = tagged.provdb.json("lineage", "v1.0")
    paths = {v["properties"].get("path") for v in document["vertices"] if "Snapshot" in v["labels"]}
    assert paths == {"a.csv", "model"}
    assert "stands for the 2 recorded files" in tagged.run("lineage", "v1.0").stderr
    document = tagged.provdb.json("segment", "--from", "v1.0", "--to", "model")
    names = {v["properties"].get("command") for v in document["vertices"]}
    assert "sh -c 'cat a.csv > model'" in names
    tagged.run("sh", "-c", "cat model a.csv > report")
    since = tagged.provdb.json("segment", "--to", "report", "--since", "v2.0")
    commands = {v["properties"].get("command") for v in since["vertices"]} - {None}
    assert commands >= {"sh -c 'cat model a.csv > report'"}
    assert "sh -c 'cat a.csv > model'" not in commands
    later = tagged.provdb.json("segment", "--to", "model", "--until", "v1.0")
    assert "sh -c 'cat a.csv > model'" in {v["properties"].get("command") for v in later["vertices"]}


def test_log_since_a_tag(tagged):
    rows = tagged.provdb.json("log", "--since", "v2.0")["rows"]
    assert rows
    assert not [row for row in rows if "model" in str(row)]
    assert [row for row in tagged.provdb.json("log", "--until", "v2.0")["rows"] if "model" in str(row)]


def test_lineage_within_versions(tagged):
    tagged.run("sh", "-c", "cat model a.csv > report")
    document = tagged.provdb.json("lineage", "report", "--since", "v2.0")
    commands = {v["properties"].get("command") for v in document["vertices"]} - {None}
    assert commands == {"sh -c 'cat model a.csv > report'"}
    assert "model" in {v["properties"].get("path") for v in document["vertices"]}
    everything = tagged.provdb.json("lineage", "report")
    assert "sh -c 'cat a.csv > model'" in {v["properties"].get("command") for v in everything["vertices"]}
    text = tagged.run("lineage", "report", "--since", "v2.0").stdout
    assert "cat a.csv" not in text


def test_globs_as_of_a_version(tagged):
    document = tagged.provdb.json("lineage", "*@v1.0")
    paths = {(v["properties"].get("path"), v["properties"].get("sequence")) for v in document["vertices"]}
    assert {("a.csv", 1), ("model", 1)} <= paths


def test_the_log_and_the_status(tagged):
    rows = tagged.provdb.json("log")
    found = [dict(zip(rows["columns"], row, strict=True)) for row in rows["rows"]]
    commits = [row for row in found if row["name"].startswith("commit ")]
    assert {row["command"] for row in commits} == {"One", "Two"}
    assert {row["state"] for row in commits} == {"committed"}
    assert {row["n"] for row in commits} == {None}
    assert next(row for row in found if row["n"] == 1)["command"] == "cat a.csv"
    assert tagged.provdb.json("show", "%1")["vertex"]["properties"]["command"] == "cat a.csv"
    status = tagged.provdb.json("status")
    assert status["commits"] == 2
    assert status["git"]["hooks"] == "recording"
    assert status["git"]["recorded"] is True
    assert "2 commits" in tagged.run("status").stdout


def test_status_says_what_git_lacks(repository):
    repository.provdb.command(["git", "commit", "--quiet", "--allow-empty", "--message", "x"])
    repository.run("true")
    status = repository.provdb.json("status")
    assert status["git"] == {
        "commit": repository.git("rev-parse", "HEAD").strip(), "branch": "main", "recorded": False, "hooks": "absent"
    }  # fmt: skip
    assert any("git-hooks install" in line for line in status["next"])


def test_references_in_a_graph_that_came_as_a_file(tagged, tmp_path):
    graph = tagged.provdb.json("segment", "--to", "model", "--expand", "9")
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    done = tagged.provdb("lineage", "--graph", str(tmp_path / "graph.json"), "model@v1.0", check=2)
    assert "no number, time, commit or tag" in done.stderr
