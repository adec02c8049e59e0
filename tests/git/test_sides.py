"""What git put together of both sides came from both; what was deleted and is there again is noticed."""

import subprocess
import time

import pytest


def _told(lab, path):
    """(text, snapshot, activity) of each line of a file, as ``blame`` says."""
    lines = lab.provdb.json("blame", path)["lines"]
    return [(line["text"], line["snapshot_name"], line["activity_name"]) for line in lines]


def _commit(lab, message):
    lab.settle()
    lab.git("add", "--all")
    lab.git("commit", "--quiet", "--message", message)


def _on_both_sides(lab, git):
    """main and side change a.txt in different places, each by a recorded command. main is checked out."""
    lab.run("sh", "-c", "seq 1 9 > a.txt")
    _commit(lab, "Base")
    git("checkout", "--quiet", "-b", "side")
    lab.run("sed", "-i", "s/9/nine/", "a.txt")
    _commit(lab, "Side")
    git("checkout", "--quiet", "main")
    lab.run("sed", "-i", "s/1/one/", "a.txt")
    _commit(lab, "Main")


@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick"])
def test_a_file_of_both_sides_came_from_both(recorded, how):
    lab, git = recorded
    _on_both_sides(lab, git)
    if how == "rebase":
        git("checkout", "--quiet", "side")
    git(how, *(["--no-edit"] if how == "merge" else []), "main" if how == "rebase" else "side")
    graph = lab.graph()
    newest = graph.snapshots("a.txt")[-1]
    activity = graph.generator(newest)
    assert graph.vertices[activity]["command"].startswith(f"git {how}")
    lineage = {v["properties"].get("command") for v in lab.provdb.json("lineage", "a.txt")["vertices"]}
    assert "sed -i s/1/one/ a.txt" in lineage
    if how != "cherry-pick":  # which commit was picked is nowhere said
        assert "sed -i s/9/nine/ a.txt" in lineage
        told = _told(lab, "a.txt")
        assert [line[0] for line in told] == ["one", *"2345678", "nine"]
        assert [told[place][2].split(" #")[0] for place in (0, 1, 8)] == ["sed", "sh", "sed"]
        assert told[0][2] != told[8][2]
    assert graph.is_acyclic()
    assert lab.run("doctor").returncode == 0


def test_a_fast_forward_puts_nothing_together(recorded):
    lab, git = recorded
    _on_both_sides(lab, git)
    git("checkout", "--quiet", "-b", "more")
    lab.write("a.txt", "all new\n")
    lab.run("cat", "a.txt")
    _commit(lab, "More")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "more")
    graph = lab.graph()
    merge = graph.generator(graph.snapshots("a.txt")[-1])
    roles = {edge.get("role") for (kind, start, _, _), edge in graph.edges.items() if (kind, start) == ("used", merge)}
    assert "committed" in roles
    assert "merged" not in roles


@pytest.mark.parametrize("how", ["cherry-pick", "revert"])
def test_what_a_cherry_pick_and_a_revert_change_is_theirs(hooked, how):
    hooked.commit("One", a="1\n")
    hooked.git("checkout", "--quiet", "-b", "side")
    hooked.commit("Two", a="2\n", b="b\n")
    if how == "cherry-pick":
        hooked.git("checkout", "--quiet", "main")
        hooked.git("cherry-pick", "side")
    else:
        hooked.git("revert", "--no-edit", "HEAD")
    hooked.notice()
    graph = hooked.graph()
    activity = graph.command(f"git {how}")
    assert "a" in graph.generated(activity)
    assert graph.generator(graph.snapshots("a")[-1]) == activity
    if how == "revert":
        assert graph.targets("wasInvalidatedBy", graph.snapshots("b")[-1]) == [activity]
    assert {vertex.get("commit") for vertex in graph.vertices.values()} > {hooked.git("rev-parse", "HEAD").strip()}


def test_what_was_typed_to_resolve_a_conflict_is_not_gits(hooked):
    hooked.commit("Base", a="base\n", b="b\n")
    hooked.run("cat", "a", "b")
    hooked.git("checkout", "--quiet", "-b", "side")
    hooked.commit("Other", b="other b\n")
    hooked.commit("Side", a="side\n")
    hooked.git("checkout", "--quiet", "main")
    hooked.commit("Main", a="main\n")
    hooked.git("checkout", "--quiet", "side")
    hooked.git("rebase", "main", check=1)
    hooked.write("a", "typed\n")
    time.sleep(0.05)
    hooked.git("add", "a")
    hooked.git("rebase", "--continue", env={"GIT_EDITOR": "true"})
    hooked.notice()
    graph = hooked.graph()
    typed = graph.snapshots("a")[-1]
    unseen = graph.generator(typed)
    assert unseen in graph.of("Unseen")
    assert graph.used(unseen) == {"a"}
    assert _told(hooked, "a")[0][2] == "unrecorded change"


def test_what_a_rebase_takes_away_and_brings_back(hooked):
    hooked.commit("Base", a="base\n")
    hooked.git("checkout", "--quiet", "-b", "side")
    hooked.commit("Side", a="side\n")
    hooked.run("sh", "-c", "echo x > x.txt")
    _commit(hooked, "Later")
    hooked.git("checkout", "--quiet", "main")
    hooked.commit("Main", a="main\n")
    hooked.git("checkout", "--quiet", "side")
    hooked.git("rebase", "main", check=1)
    hooked.notice()
    graph = hooked.graph()
    assert graph.targets("wasInvalidatedBy", graph.snapshots("x.txt")[-1])
    hooked.write("a", "typed\n")
    hooked.git("add", "a")
    time.sleep(1.1)  # the reflog knows the second in which it began
    hooked.git("rebase", "--continue", env={"GIT_EDITOR": "true"})
    graph = hooked.graph()
    newest = graph.snapshots("x.txt")[-1]
    assert not graph.targets("wasInvalidatedBy", newest)
    assert graph.vertices[graph.generator(newest)]["command"] == "git rebase --continue"
    assert hooked.provdb.json("status")["unrecorded"] is not None
    assert hooked.run("restore", "x.txt").stdout == "x\n"
    assert "sh -c 'echo x > x.txt'" in str(hooked.provdb.json("lineage", "x.txt"))


def test_a_file_that_was_deleted_and_is_there_again(repository):
    repository.run("sh", "-c", "echo old > a.txt; echo b > b.txt")
    repository.run("rm", "a.txt", "b.txt")
    repository.write("a.txt", "new\n")
    assert "a.txt" in repository.run("status").stdout
    graph = repository.graph()
    old, new = graph.snapshots("a.txt")
    unseen = graph.generator(new)
    assert unseen in graph.of("Unseen")
    assert not graph.targets("used", unseen)
    assert not graph.targets("wasDerivedFrom", new)
    assert graph.vertices[old]["sha256"] != graph.vertices[new]["sha256"]
    assert len(graph.snapshots("b.txt")) == 1
    assert repository.run("restore", "a.txt").stdout == "new\n"
    assert _told(repository, "a.txt") == [("new", "a.txt@2", "unrecorded change")]
    repository.notice()
    assert len(repository.graph().snapshots("a.txt")) == 2, "noticed once"
    (repository.root / "a.txt").unlink()
    (repository.root / "a.txt").mkdir()
    repository.notice()
    repository.notice()
    assert len(repository.graph().of("Unseen")) == 2, "a folder in its place is no file"


def test_the_same_bytes_again_are_a_state_of_their_own(repository):
    repository.run("sh", "-c", "echo same > a.txt")
    repository.run("rm", "a.txt")
    repository.write("a.txt", "same\n")
    repository.notice()
    graph = repository.graph()
    assert graph.generator(graph.snapshots("a.txt")[-1]) in graph.of("Unseen")
    assert len(graph.snapshots("a.txt")) == 2


def test_lines_that_no_snapshot_has_are_credited_to_none(repository):
    """A command that still runs has added a line: until it ends, the file on disk is no recorded state."""
    repository.run("sh", "-c", "echo one > a.txt")
    repository.settle()
    running = repository.start(
        "sh", "-c", "echo two >> a.txt; echo; cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        running.stdout.readline()
        assert _told(repository, "a.txt") == [("one", "a.txt@1", "sh #1"), ("two", None, None)]
    finally:
        running.communicate("", timeout=60)
    assert [line[1] for line in _told(repository, "a.txt")] == ["a.txt@1", "a.txt@2"]


def test_another_commit_of_a_submodule_removes_no_file(hooked, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    hooked.git("init", "--quiet", "--initial-branch=main", cwd=other)
    hooked.git("commit", "--quiet", "--allow-empty", "--message", "Library", cwd=other)
    hooked.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "lib")
    hooked.commit("With a library", sub="a file\n")
    hooked.git("commit", "--quiet", "--allow-empty", "--message", "Better", cwd=hooked.root / "lib")
    bumped = hooked.commit("Bump")
    version = hooked.graph().vertices[hooked.version(hooked.graph(), bumped)]
    assert (version.get("removed"), version["files_changed"]) == (None, 0)
    hooked.git("rm", "--quiet", "sub")
    hooked.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    replaced = hooked.commit("A folder in its place")
    version = hooked.graph().vertices[hooked.version(hooked.graph(), replaced)]
    assert version["removed"] == ["sub"], "the file that was there"


def test_what_git_commits_on_the_way_of_a_fixup_is_no_version(hooked):
    hooked.commit("Base", a="0\n")
    for number in "123":
        hooked.commit(f"Step {number}", a=number)
    environment = {"GIT_SEQUENCE_EDITOR": "sed -i -e 2s/pick/squash/ -e 3s/pick/squash/", "GIT_EDITOR": "true"}
    hooked.git("rebase", "--quiet", "--interactive", "HEAD~3", env=environment)
    messages = [vertex["message"] for vertex in hooked.graph().vertices.values() if vertex.get("kind") == "explicit"]
    assert not [message for message in messages if message.startswith("# This is a combination")]
    graph = hooked.graph()
    squashed = hooked.version(graph, hooked.git("rev-parse", "HEAD").strip())
    found = graph.targets("wasDerivedFrom", squashed, prov_type="Rewrite")
    assert {graph.vertices[uid]["message"] for uid in found} >= {"Step 1", "Step 2", "Step 3"}
