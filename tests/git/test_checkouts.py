"""A checkout, merge or rebase is what changed the files that it changed; rewrites keep their links."""

import os
import time

import pytest
from two_clones import pull_between

from provgraph.ingest.notice import git_is_at_work
from provgraph.session.ingester import ingestion_lock


def _what_made(graph, path):
    """The command that generated the newest snapshot of a path; "" where nobody saw it."""
    return graph.vertices[graph.generator(graph.snapshots(path)[-1])].get("command", "")


@pytest.fixture
def branches(hooked):
    """main and feature differ in a.csv; common.csv and the notes are the same. a.csv is known."""
    hooked.commit("One", a_csv="1\n", common_csv="c\n")
    hooked.run("cat", "a.csv")
    hooked.git("checkout", "--quiet", "-b", "feature")
    hooked.commit("Two", a_csv="2\n", new_csv="n\n")
    hooked.git("checkout", "--quiet", "main")
    return hooked


def test_a_checkout_generates_what_it_changes(branches):
    graph = branches.graph()
    checkout = graph.command("git checkout --quiet main")
    assert graph.generated(checkout) == {"a.csv"}
    first, second, third = graph.snapshots("a.csv")
    assert graph.targets("wasDerivedFrom", third, prov_type="Revision") == [second]
    assert graph.vertices[third]["sha256"] == graph.vertices[first]["sha256"]
    assert graph.targets("wasInvalidatedBy", graph.snapshots("new.csv")[0]) == [checkout]
    assert graph.vertices[checkout]["utility"] == "git"
    assert graph.vertices[checkout]["capture"] == "git"
    assert len(graph.of("Unseen")) == 4, "only what the editor did"
    branches.notice()
    assert len(branches.graph().of("Unseen")) == 4


def test_a_checkout_that_changes_nothing_is_no_activity(hooked):
    hooked.commit("One", a="1\n")
    hooked.git("checkout", "--quiet", "-b", "other")
    hooked.git("switch", "--quiet", "main")
    assert not hooked.graph().of("Command")


def test_files_that_no_command_touched_have_their_old_content_from_git(repository):
    repository.provdb.command(["rm", "-r", ".provdb"])
    repository.commit("One", a_csv="1\n")
    repository.provdb.command(["git", "checkout", "--quiet", "-b", "feature"])
    repository.commit("Two", a_csv="two\n")
    repository.provdb("init")
    repository.run("git-hooks", "install")
    repository.git("checkout", "--quiet", "main")
    graph = repository.graph()
    old, new = graph.snapshots("a.csv")
    assert graph.vertices[old]["size_bytes"] == 4
    assert repository.run("restore", "a.csv@1").stdout == "two\n"
    assert graph.generator(old) is None
    assert graph.generated(graph.command("git checkout")) == {"a.csv"}
    assert graph.targets("wasDerivedFrom", new, prov_type="Revision") == [old]


def test_restoring_single_files(branches):
    branches.write("a.csv", "spoilt\n")
    branches.git("checkout", "--quiet", "--", "a.csv")
    graph = branches.graph()
    assert _what_made(graph, "a.csv").startswith("git checkout --quiet --")
    branches.write("a.csv", "spoilt again\n")
    branches.write("common.csv", "mine\n")
    branches.git("restore", "a.csv")
    branches.notice()
    graph = branches.graph()
    assert _what_made(graph, "a.csv") == "git restore a.csv"
    assert graph.generator(graph.snapshots("common.csv")[-1]) in graph.of("Unseen")


def test_fast_forward_merge_squash_and_pull(branches, tmp_path):
    branches.git("merge", "--quiet", "feature")
    graph = branches.graph()
    assert graph.generated(graph.command("git merge --quiet feature")) == {"a.csv", "new.csv"}
    clone = tmp_path / "clone"
    branches.git("clone", "--quiet", ".", str(clone))
    (clone / "a.csv").write_text("3\n")
    branches.git("commit", "--quiet", "--all", "--message", "Three", cwd=clone)
    branches.git("pull", "--quiet", str(clone), "main")
    graph = branches.graph()
    pull = graph.command("git pull")
    assert graph.generated(pull) == {"a.csv"}
    three = branches.version(graph, branches.git("rev-parse", "HEAD").strip())
    assert branches.members(graph, three) == {"a.csv@5"}
    branches.git("checkout", "--quiet", "-b", "more")
    branches.commit("Four", a_csv="4\n")
    branches.git("checkout", "--quiet", "main")
    branches.git("merge", "--quiet", "--squash", "more")
    assert _what_made(branches.graph(), "a.csv") == "git merge --quiet --squash more"


def test_a_merge_commit_has_two_parents(recorded):
    lab, git = recorded
    one = lab.commit("One", a="1\n")
    git("checkout", "--quiet", "-b", "side")
    lab.write("b", "b\n")
    git("add", "b")
    git("commit", "--quiet", "--message", "Side")
    side = lab.git("rev-parse", "HEAD").strip()
    git("checkout", "--quiet", "main")
    lab.write("c", "c\n")
    git("add", "c")
    git("commit", "--quiet", "--message", "Main")
    main = lab.git("rev-parse", "HEAD").strip()
    git("merge", "--quiet", "--no-edit", "side")
    merge = lab.git("rev-parse", "HEAD").strip()
    graph = lab.graph()
    version = lab.version(graph, merge)
    assert set(graph.targets("wasDerivedFrom", version)) == {lab.version(graph, main), lab.version(graph, side)}
    assert lab.members(graph, version) == {f"b@{len(graph.snapshots('b'))}"}
    assert _what_made(graph, "b") == "git merge --quiet --no-edit side"
    assert one in {vertex.get("commit") for vertex in graph.vertices.values()}
    assert graph.is_acyclic()


def test_amend_rebase_and_squash_keep_the_links(recorded):
    lab, git = recorded

    def commit(message, **files):
        for name, text in files.items():
            lab.write(name, text)
        git("add", "--all")
        git("commit", "--quiet", "--message", message)
        return lab.git("rev-parse", "HEAD").strip()

    def links(graph, new):
        found = graph.targets("wasDerivedFrom", graph.one("Version", commit=new), prov_type="Rewrite")
        return {graph.vertices[uid]["commit"] for uid in found}

    commit("Base", a="1\n")
    before = commit("Draft", b="1\n")
    git("commit", "--quiet", "--amend", "--message", "Better")
    amended = lab.git("rev-parse", "HEAD").strip()
    assert links(lab.graph(), amended) == {before}

    git("checkout", "--quiet", "-b", "topic", "HEAD~1")
    first, second = commit("First", c="1\n"), commit("Second", d="1\n")
    environment = {"GIT_SEQUENCE_EDITOR": "sed -i 2s/pick/fixup/"}
    git("rebase", "--quiet", "--interactive", "main", env=environment)
    squashed = lab.git("rev-parse", "HEAD").strip()
    graph = lab.graph()
    assert first in links(graph, squashed)
    if os.path.exists(lab.root / ".git/provdb"):
        assert links(graph, squashed) >= {first, second}, "and what git made on the way"
    assert _what_made(graph, "b").startswith("git rebase")
    assert graph.is_acyclic()


def test_stash_and_reset_by_the_prefix(hooked):
    hooked.commit("One", a="1\n")
    hooked.run("cat", "a")
    hooked.write("a", "2\n")
    hooked.run("git", "stash")
    graph = hooked.graph()
    assert _what_made(graph, "a") == "git stash"
    hooked.run("git", "stash", "pop")
    assert _what_made(hooked.graph(), "a") == "git stash pop"
    hooked.run("git", "reset", "--hard")
    assert _what_made(hooked.graph(), "a") == "git reset --hard"
    hooked.write("a", "3\n")
    hooked.git("reset", "--quiet", "--hard")
    hooked.notice()
    graph = hooked.graph()
    assert graph.generator(graph.snapshots("a")[-1]) in graph.of("Command"), "the same bytes: no change"


def test_a_reset_that_nobody_tells_of_is_an_unrecorded_change(hooked):
    hooked.commit("One", a="1\n")
    hooked.commit("Two", a="2\n")
    hooked.git("reset", "--quiet", "--hard", "HEAD~1")
    hooked.notice()
    graph = hooked.graph()
    assert graph.generator(graph.snapshots("a")[-1]) in graph.of("Unseen")


def test_a_checkout_within_a_recorded_command_is_that_commands(branches):
    branches.run("sh", "-c", "git checkout --quiet feature; git checkout --quiet main")
    graph = branches.graph()
    command = graph.command("git checkout --quiet feature; ")
    assert _what_made(graph, "a.csv") == graph.vertices[command]["command"]
    assert len(graph.of("Command", utility="git")) == 1, "the checkout that made the branches"
    assert not [
        uid for uid in graph.targets("used", command) if "provgraph" in str(graph.vertices[uid].get("path", ""))
    ]


def test_worktrees_share_hooks_and_commits(hooked, tmp_path):
    hooked.commit("One", a="1\n")
    beside = tmp_path / "beside"
    hooked.git("worktree", "add", "--quiet", "-b", "wt", str(beside))
    (beside / "b").write_text("b\n")
    hooked.git("add", "b", cwd=beside)
    hooked.git("commit", "--quiet", "--message", "Beside", cwd=beside)
    graph = hooked.graph()
    version = hooked.version(graph, hooked.git("rev-parse", "wt").strip())
    assert graph.vertices[version]["files_changed"] == 0, "its files are not the project's"
    assert not graph.of("Command")
    inside = hooked.root / "trees/inside"
    hooked.git("worktree", "add", "--quiet", str(inside), "wt~1", "--detach")
    graph = hooked.graph()
    assert graph.generated(graph.command("git worktree add")) == {"trees/inside/a"}


def test_submodules(hooked, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    hooked.git("init", "--quiet", "--initial-branch=main", cwd=other)
    (other / "lib.py").write_text("1\n")
    hooked.git("add", "lib.py", cwd=other)
    hooked.git("commit", "--quiet", "--message", "Library", cwd=other)
    hooked.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "lib")
    hooked.git("commit", "--quiet", "--message", "With a library")
    outer = hooked.git("rev-parse", "HEAD").strip()
    assert hooked.provdb.json("git-hooks", "install")["repositories"][1]["path"] == str(hooked.root / "lib")
    hooked.write("lib/lib.py", "2\n")
    hooked.git("commit", "--quiet", "--all", "--message", "Better library", cwd=hooked.root / "lib")
    inner = hooked.git("rev-parse", "HEAD", cwd=hooked.root / "lib").strip()
    graph = hooked.graph()
    assert hooked.members(graph, hooked.version(graph, outer)) == {".gitmodules@1"}
    version = hooked.version(graph, inner)
    assert hooked.members(graph, version) == {"lib/lib.py@1"} | hooked.members(graph, version)
    assert graph.vertices[version]["repository"] == "lib"
    hooked.git("submodule", "--quiet", "update", "--checkout")
    assert hooked.git("rev-parse", "HEAD", cwd=hooked.root / "lib").strip() != inner
    graph = hooked.graph()
    assert "lib/lib.py" in graph.generated(graph.command("git submodule --quiet update"))


def test_two_clones_record_one_version(hooked, tmp_path, make_provdb):
    hooked.run("init", "--share")
    commit = hooked.commit("One", a="1\n")
    clone = tmp_path / "clone"
    hooked.git("clone", "--quiet", ".", str(clone))
    there = make_provdb(clone)
    there("init")
    there("git-hooks", "install")
    there.command(["git", "checkout", "--quiet", "-b", "x"])
    query = "MATCH (v:Version {kind: 'explicit'})-[:wasGeneratedBy]->(c:Commit) RETURN v.commit, c.name"
    here = hooked.provdb.json("cypher", query)["rows"]
    assert here == there.json("cypher", query)["rows"] == [[commit, f"commit {commit[:8]}"]]
    uids = [one.json("show", commit)["vertex"]["uid"] for one in (hooked.provdb, there)]
    assert uids[0] == uids[1]
    hooked.settle()
    assert pull_between(hooked.root, clone)
    assert hooked.provdb.rows(query) == [[commit, f"commit {commit[:8]}"]]
    assert hooked.provdb.rows("MATCH (c:Commit)-[:wasAssociatedWith]->(p) RETURN p.email") == [["alice@example.org"]]
    assert hooked.run("doctor").returncode == 0
    assert f"commit {commit[:8]}" in hooked.run("log").stdout, "without the name of a clone before it"


def test_an_old_git_command_line_has_no_secrets(hooked):
    hooked.commit("One", a="1\n")
    hooked.run("cat", "a")
    hooked.git("checkout", "--quiet", "-b", "side")
    hooked.commit("Two", a="2\n")
    hooked.git("checkout", "--quiet", "main")
    hooked.git("-c", "http.extraHeader=Authorization: Bearer abcdefghijklmnop123456", "merge", "--quiet", "side")
    command = next(vertex for vertex in hooked.graph().vertices.values() if "merge" in str(vertex.get("command")))
    assert "abcdefghijklmnop123456" not in str(command)


def test_no_git_on_the_path_of_the_ingester(branches):
    """What cannot be asked is not recorded; nothing fails."""
    empty = branches.root / "bin"
    empty.mkdir()
    branches.settle()
    with ingestion_lock(os.fspath(branches.root), 10) as held:  # so that nobody ingests who finds git
        assert held
        branches.provdb.command(["git", "checkout", "--quiet", "feature"])
    assert branches.run("status", env={"PATH": str(empty)}).returncode == 0
    assert not list((branches.root / ".provdb/spool").glob("*.jsonl*"))
    assert not (branches.root / ".provdb/ingester.log").exists()
    graph = branches.graph()
    assert "git checkout --quiet feature" not in {graph.vertices[uid]["command"] for uid in graph.of("Command")}


def test_the_stat_walk_and_hooks_tell_of_one_checkout(branches):
    branches.run("git", "checkout", "--quiet", "feature", env={"PROVDB_CAPTURE": "stat"})
    graph = branches.graph()
    checkouts = [uid for uid in graph.of("Command") if "checkout --quiet feature" in graph.vertices[uid]["command"]]
    assert len(checkouts) == 1
    assert graph.vertices[checkouts[0]]["capture"] == "stat"
    assert "a.csv" in graph.generated(checkouts[0])


def test_what_somebody_changes_after_a_checkout_is_not_gits(branches):
    """Nobody ingests until both have happened."""
    branches.provdb.command(
        ["sh", "-c", "git checkout --quiet feature; sleep 0.05; echo 2 > a.csv; echo later > new.csv"]
    )
    branches.notice()
    graph = branches.graph()
    feature = [uid for uid in graph.of("Command") if "checkout --quiet feature" in graph.vertices[uid]["command"]]
    assert all(graph.generated(uid) <= {"a.csv", "new.csv"} for uid in feature)
    assert graph.generator(graph.snapshots("new.csv")[-1]) in graph.of("Unseen")


@pytest.mark.parametrize(("name", "age_s", "at_work"), [
    ("index", 0, True), ("index", 5, False), ("index", -3600, False),
    ("index.lock", 5, True), ("index.lock", 120, False), ("index.lock", -3600, False),
])  # fmt: skip
def test_for_how_long_git_is_at_work(repository, name, age_s, at_work):
    """A lock that a killed command left, or a clock that was ahead, must not stop the noticing of changes."""
    for other in ("index", "index.lock"):
        (repository.root / ".git" / other).unlink(missing_ok=True)
    file = repository.root / ".git" / name
    file.write_text("")
    now = time.time()
    os.utime(file, (now - age_s, now - age_s))
    assert git_is_at_work(str(repository.root)) is at_work


def test_what_git_brings_back_came_from_what_was_committed(recorded):
    lab, git = recorded
    lab.write("a.csv", "1\n")
    lab.run("sh", "-c", "cat a.csv > model")
    lab.git("add", "--all")
    git("commit", "--quiet", "--message", "One")
    git("checkout", "--quiet", "-b", "feature")
    lab.write("a.csv", "2\n")
    lab.run("sh", "-c", "cat a.csv > model")
    git("commit", "--quiet", "--all", "--message", "Two")
    git("checkout", "--quiet", "main")
    git("checkout", "--quiet", "feature")
    git("checkout", "--quiet", "main")
    graph = lab.graph()
    first, second, third, fourth, fifth = graph.snapshots("model")
    for copy, source in ((third, first), (fourth, second), (fifth, first)):
        assert graph.targets("used", graph.generator(copy)).count(source) == 1
        assert graph.targets("wasDerivedFrom", copy, prov_type="Copy") == [source], "the committed one, no later copy"
    names = {v["properties"].get("command") for v in lab.provdb.json("lineage", "model")["vertices"]}
    assert "sh -c 'cat a.csv > model'" in names


def test_what_was_never_committed_is_brought_back_from_the_disk_alone(hooked):
    hooked.write("a.csv", "1\n")
    hooked.run("cat", "a.csv")
    hooked.write("a.csv", "")
    hooked.git("add", "--all")
    hooked.git("commit", "--quiet", "--message", "Empty")
    hooked.write("a.csv", "1\n")
    hooked.run("cat", "a.csv")
    hooked.git("checkout", "--quiet", "--", "a.csv")
    graph = hooked.graph()
    assert not graph.targets("used", graph.generator(graph.snapshots("a.csv")[-1])), "an empty file proves nothing"


def test_of_an_interactive_rebase_the_end_counts(hooked):
    for number in range(1, 5):
        with (hooked.root / "a.csv").open("a") as file:
            file.write(f"{number}\n")
        hooked.run("sh", "-c", "wc -l < a.csv > n.txt")
        hooked.git("add", "--all")
        hooked.git("commit", "--quiet", "--message", f"c{number}")
    before = hooked.graph()
    environment = {"GIT_SEQUENCE_EDITOR": "sed -i -e 2s/pick/squash/ -e 3s/pick/squash/", "GIT_EDITOR": "true"}
    hooked.git("rebase", "--quiet", "--interactive", "HEAD~3", env=environment)
    time.sleep(0.6)
    hooked.notice()
    graph = hooked.graph()
    for path in ("a.csv", "n.txt"):
        assert len(graph.snapshots(path)) == len(before.snapshots(path)), "the files are as they were"
    assert len(graph.of("Unseen")) == len(before.of("Unseen"))
    environment = {"GIT_SEQUENCE_EDITOR": "sed -i 2d", "GIT_EDITOR": "true"}
    hooked.commit("Other", b="1\n")
    hooked.commit("Another", c="1\n")
    hooked.git("rebase", "--quiet", "--interactive", "HEAD~3", env=environment)
    time.sleep(0.6)
    hooked.notice()
    graph = hooked.graph()
    rebase = graph.command("git rebase")
    assert graph.targets("wasInvalidatedBy", graph.snapshots("b")[-1]) == [rebase], "dropped with its commit"
    assert graph.is_acyclic()
