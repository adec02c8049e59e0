"""A commit is an activity and an explicit version, once, whoever heard of it."""

import contextlib
import os
import shutil
import time

import pytest

from provgraph.errors import StoreError
from provgraph.ingest import repository as repository_module
from provgraph.ingest.repository import Repository
from provgraph.session.ingester import catch_up, ingestion_lock, wire
from provgraph.stores import open_store


def test_a_commit_is_one_version(recorded):
    lab, git = recorded
    lab.write("a.csv", "1\n")
    lab.run("cat", "a.csv")
    git("add", "--all")
    git("commit", "--quiet", "--message", "First\n\nCo-authored-by: Bob <Bob@Example.org>")
    first = lab.git("rev-parse", "HEAD").strip()
    lab.write("a.csv", "2\n")
    lab.write("b.csv", "b\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Second")
    second = lab.git("rev-parse", "HEAD").strip()
    graph = lab.graph()
    one, two = lab.version(graph, first), lab.version(graph, second)
    assert lab.members(graph, one) == {"a.csv@1"}
    assert lab.members(graph, two) == {"a.csv@2", "b.csv@1"}
    assert graph.targets("wasDerivedFrom", two) == [one]
    assert graph.vertices[one]["message"].startswith("First")
    activity = graph.one("Commit", commit=first)
    assert graph.targets("wasGeneratedBy", one) == [activity]
    assert not graph.targets("used", activity)
    agents = {
        (role, graph.vertices[end]["email"])
        for (kind, start, end, role) in graph.edges
        if kind == "wasAssociatedWith" and start == activity
    }
    assert agents == {("author", "alice@example.org"), ("co-author", "bob@example.org")}
    assert graph.generator(graph.snapshots("a.csv")[1]) in graph.of("Unseen")
    assert graph.is_acyclic()


def test_a_commit_in_a_recorded_command_was_informed_by_it(recorded):
    lab, _ = recorded
    lab.write("a", "1\n")
    lab.run("sh", "-c", "git add a && git commit --quiet --message One")
    lab.settle()
    graph = lab.graph()
    commit = graph.of("Commit")
    assert len(commit) == 1
    assert graph.targets("wasInformedBy", commit[0]) == [graph.command("git commit")]


def test_in_a_line_the_element_that_ran_git_is_the_one(recorded):
    lab, _ = recorded
    lab.write("a", "1\n")
    lab.run("-c", "cat a; git add a; git commit --quiet --message One; git commit --quiet --amend -m Two; cat a")
    lab.settle()
    graph = lab.graph()
    by = {
        graph.vertices[uid]["message"]: [graph.vertices[end]["command"] for end in graph.targets("wasInformedBy", uid)]
        for uid in graph.of("Commit")
    }
    assert by == {"One": ["git commit --quiet --message One"], "Two": ["git commit --quiet --amend -m Two"]}
    two = graph.one("Version", message="Two")
    assert graph.targets("wasDerivedFrom", two, prov_type="Rewrite") == [graph.one("Version", message="One")]


def _beside(lab, script):
    """Commit in another terminal while a recorded command runs, which goes on until that is done."""
    (lab.root / ".gitignore").write_text("go\n.provdb/\n")
    command = lab.start("sh", "-c", script)
    while not (lab.root / "go").exists():
        assert command.poll() is None
        time.sleep(0.01)
    lab.provdb.command(["git", "commit", "--quiet", "--allow-empty", "--message", "Elsewhere"])
    (lab.root / "go").unlink()
    assert command.wait() == 0
    lab.settle()


def test_a_commit_that_was_made_elsewhere_meanwhile_is_not_the_commands(repository):
    _beside(repository, "touch go; while [ -e go ]; do sleep 0.02; done")
    graph = repository.graph()
    assert not graph.targets("wasInformedBy", graph.one("Commit", message="Elsewhere"))


def test_nor_where_the_command_runs_git_too_and_a_hook_tells(hooked):
    _beside(hooked, "touch go; while [ -e go ]; do sleep 0.02; done; git commit --quiet --allow-empty --message Here")
    graph = hooked.graph()
    assert not graph.targets("wasInformedBy", graph.one("Commit", message="Elsewhere"))
    here = graph.targets("wasInformedBy", graph.one("Commit", message="Here"))
    assert here == [graph.command("git commit")]


def test_a_commit_of_what_outlives_a_command_is_recorded(hooked):
    commit = "git commit --quiet --allow-empty --message Late"
    hooked.run("sh", "-c", f"(while [ ! -e go ]; do sleep 0.02; done; {commit}) > /dev/null 2>&1 & exit 0")
    hooked.write("go", "")
    deadline = time.monotonic() + 60
    while not hooked.graph().of("Commit"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    graph = hooked.graph()
    assert graph.targets("wasInformedBy", graph.one("Commit", message="Late")) == [graph.command("git commit")]


def test_commits_are_not_lost_where_the_ingester_stops_before_it_journals_them(repository):
    """The process ends where the commits are about to be journaled; the next one reads the spool once more."""
    root = os.fspath(repository.root)
    with ingestion_lock(root, 10) as held:
        assert held
        repository.run("git", "commit", "--quiet", "--allow-empty", "--message", "One")
        with open_store(root, write=True) as store, contextlib.closing(wire(store)) as ingester:

            def stop():
                raise StoreError("stopped here")

            ingester.commits.journaled = stop  # type: ignore[method-assign]
            with pytest.raises(StoreError):
                _work(ingester)
    graph = repository.graph()
    assert graph.targets("wasInformedBy", graph.one("Commit", message="One")) == [graph.command("git commit")]
    assert repository.run("doctor").returncode == 0


def test_what_large_blobs_hold_is_not_read(hooked, monkeypatch):
    """Whoever clones a repository ingests what others committed: a blob of 20 GB must keep nobody waiting."""
    monkeypatch.setattr(repository_module, "BLOB_BYTES", 1_000)
    monkeypatch.setattr(repository_module, "BLOBS_BYTES", 1_500)
    root = os.fspath(hooked.root)
    for name, size in (("a", 800), ("b", 1_200), ("c", 800), ("d", 300)):
        hooked.write(name, name * size)
    hooked.provdb.command(["git", "add", "a", "b", "c", "d"])
    with ingestion_lock(root, 10) as held:
        assert held
        hooked.provdb.command(["git", "commit", "--quiet", "--message", "Large"])
    catch_up(root, timeout_s=30)
    graph = hooked.graph()
    version = graph.one("Version", message="Large")
    assert hooked.members(graph, version) == {"a@1", "c@1", "d@1"}  # c is what its file on disk would be committed as
    assert graph.vertices[version]["files_unrecorded"] == 1
    blobs = [hooked.git("rev-parse", f"HEAD:{name}").strip() for name in "abcd"]
    asked = Repository(root)
    assert set(asked.hold([*blobs, "0" * 40])) == {blobs[0], blobs[3]}
    assert asked.content(blobs[0], 800) == b"a" * 800
    assert asked.content(blobs[1], 800) is None


def _work(ingester):
    for _ in range(500):
        ingester.step()
        time.sleep(0.01)


def test_a_hook_whose_end_is_not_there_keeps_nobody_waiting(hooked):
    """As where the machine went down: the first of its records is on the disk, and no more will come."""
    root = os.fspath(hooked.root)
    with ingestion_lock(root, 10) as held:
        assert held
        hooked.provdb.command(["git", "commit", "--quiet", "--allow-empty", "--message", "One"])
        (file,) = (hooked.root / ".provdb/spool").glob("*.jsonl")
        file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
    assert catch_up(root, timeout_s=30).commands == 0
    assert not file.exists()
    assert hooked.graph().one("Commit", message="One")


def test_rewrites_that_come_back_close_no_circle(hooked):
    """With fixed times a rebase there and back makes the first commit once more."""
    times = {"GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z"}
    hooked.git("commit", "--quiet", "--allow-empty", "--message", "Base")
    for branch in ("b1", "b2", "b3"):
        hooked.git("checkout", "--quiet", "-b", branch, "main")
        hooked.commit(branch, **{branch: f"{branch}\n"})
    hooked.git("checkout", "--quiet", "-b", "topic", "b1")
    hooked.write("t", "t\n")
    hooked.git("add", "t")
    hooked.git("commit", "--quiet", "--message", "Topic", env=times)
    first, made = hooked.git("rev-parse", "topic").strip(), []
    for old, new in (("b1", "b2"), ("b2", "b3"), ("b3", "b1")):
        hooked.git("rebase", "--quiet", "--committer-date-is-author-date", "--onto", new, old, "topic")
        made.append(hooked.git("rev-parse", "topic").strip())
    assert made[-1] == first
    graph = hooked.graph()
    version = {commit: graph.one("Version", commit=commit) for commit in made}
    assert graph.targets("wasDerivedFrom", version[made[0]], prov_type="Rewrite") == [version[first]]
    assert graph.targets("wasDerivedFrom", version[made[1]], prov_type="Rewrite") == [version[made[0]]]
    assert graph.is_acyclic()
    assert hooked.run("doctor").returncode == 0


def test_mailmap_committer_and_times(hooked):
    hooked.write(".mailmap", "Alice A. <alice@new.example> <alice@example.org>\n")
    environment = {
        "GIT_COMMITTER_NAME": "Carol",
        "GIT_COMMITTER_EMAIL": "Carol@Example.org",
        "GIT_AUTHOR_DATE": "2020-02-03T04:05:06+07:00",
        "GIT_COMMITTER_DATE": "2021-01-01T00:00:00+00:00",
    }
    hooked.git("add", "--all")
    hooked.git("commit", "--quiet", "--message", "Mapped", env=environment)
    graph = hooked.graph()
    activity = graph.of("Commit")[0]
    agents = {
        (role, graph.vertices[end]["name"], graph.vertices[end]["email"])
        for (kind, start, end, role) in graph.edges
        if kind == "wasAssociatedWith" and start == activity
    }
    assert agents == {("author", "Alice A.", "alice@new.example"), ("committer", "Carol", "carol@example.org")}
    assert graph.vertices[activity]["authored_at"] == "2020-02-02T21:05:06.000000+00:00"
    assert graph.vertices[activity]["started_at"] == "2021-01-01T00:00:00.000000+00:00"


def test_what_a_commit_removes(hooked):
    hooked.commit("One", a="1\n", b="2\n")
    hooked.git("rm", "--quiet", "a")
    hooked.git("commit", "--quiet", "--message", "Two")
    graph = hooked.graph()
    two = hooked.version(graph, hooked.git("rev-parse", "HEAD").strip())
    assert graph.vertices[two]["removed"] == ["a"]
    assert not graph.targets("hadMember", two)


def test_a_file_staged_in_another_state_than_on_disk_is_counted(hooked):
    hooked.write("a", "staged\n")
    hooked.git("add", "a")
    hooked.write("a", "later\n")
    hooked.git("commit", "--quiet", "--message", "Staged")
    graph = hooked.graph()
    version = hooked.version(graph, hooked.git("rev-parse", "HEAD").strip())
    assert not graph.targets("hadMember", version)
    assert graph.vertices[version]["files_unrecorded"] == 1
    assert graph.vertices[version]["files_changed"] == 1


def test_line_ends_that_git_converts(hooked):
    hooked.git("config", "core.autocrlf", "true")
    hooked.write("a.txt", b"one\r\ntwo\r\n")
    hooked.git("add", "--all")
    hooked.git("commit", "--quiet", "--message", "Converted")
    graph = hooked.graph()
    version = hooked.version(graph, hooked.git("rev-parse", "HEAD").strip())
    assert hooked.members(graph, version) == {"a.txt@1"}


def test_a_pointer_of_lfs_is_the_file_that_it_points_to(hooked):
    """As git-lfs does it: the filter writes pointers, and the file on disk is the content."""
    (hooked.root / "clean").write_text(
        "#!/bin/sh\ncat > clean.tmp; printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\nsize %s\\n' "
        "$(sha256sum < clean.tmp | cut -c1-64) $(wc -c < clean.tmp); rm clean.tmp\n"
    )
    (hooked.root / "clean").chmod(0o755)
    hooked.git("config", "filter.lfs.clean", "./clean")
    hooked.git("config", "filter.lfs.smudge", "cat")
    hooked.write(".gitattributes", "*.bin filter=lfs\n")
    hooked.write("model.bin", b"\0weights\n")
    hooked.git("add", ".gitattributes", "model.bin")
    hooked.git("commit", "--quiet", "--message", "Weights")
    assert hooked.git("show", "HEAD:model.bin").startswith("version https://git-lfs")
    graph = hooked.graph()
    version = hooked.version(graph, hooked.git("rev-parse", "HEAD").strip())
    assert hooked.members(graph, version) == {".gitattributes@1", "model.bin@1"}
    snapshot = graph.snapshots("model.bin")[0]
    assert graph.vertices[snapshot]["size_bytes"] == len(b"\0weights\n")
    assert graph.edges["hadMember", version, snapshot, ""]["lfs"] is True


def test_many_files_are_looked_at_only_where_they_are_recorded(hooked):
    for number in range(1_002):
        (hooked.root / f"file{number}").write_text(str(number))
    hooked.run("cat", "file7")
    version_of = hooked.commit("Many")
    graph = hooked.graph()
    version = hooked.version(graph, version_of)
    assert hooked.members(graph, version) == {"file7@1"}
    assert graph.vertices[version]["files_changed"] == 1_002
    assert graph.vertices[version]["files_unrecorded"] == 1_001


def test_a_detached_head_and_a_shallow_clone(hooked, tmp_path):
    one = hooked.commit("One", a="1\n")
    hooked.commit("Two", a="2\n")
    hooked.git("checkout", "--quiet", "--detach", one)
    detached = hooked.commit("Detached", b="b\n")
    graph = hooked.graph()
    assert graph.targets("wasDerivedFrom", hooked.version(graph, detached)) == [hooked.version(graph, one)]
    hooked.git("checkout", "--quiet", "main")

    shallow = tmp_path / "shallow"
    hooked.git("clone", "--quiet", "--depth=1", f"file://{hooked.root}", str(shallow))
    hooked.provdb("init", cwd=shallow)
    hooked.provdb("git-hooks", "install", cwd=shallow)
    (shallow / "c").write_text("c\n")
    hooked.git("add", "c", cwd=shallow)
    hooked.git("commit", "--quiet", "--message", "Three", cwd=shallow)
    query = "MATCH (v:Version {kind: 'explicit'})-[:hadMember]->(s) RETURN v.message, s.path"
    rows = hooked.provdb.json("cypher", query, cwd=shallow)["rows"]
    assert [list(row) for row in rows] == [["Three", "c"]]


def test_a_repository_without_reflog(repository):
    repository.git("config", "core.logAllRefUpdates", "false")
    shutil.rmtree(repository.root / ".git/logs", ignore_errors=True)
    repository.run("git-hooks", "install")
    commit = repository.commit("One", a="1\n")
    graph = repository.graph()
    assert repository.members(graph, repository.version(graph, commit)) == {"a@1"}


def test_hostile_messages_and_names(hooked):
    name = "\u00fcml\u00e4ut \x1e\x1f \t.csv"
    hooked.write(name, "1\n")
    hooked.write(b"\xff.bin".decode("utf-8", "surrogateescape"), "2\n")
    hooked.git("add", "--all")
    hooked.git("commit", "--quiet", "--allow-empty-message", "--message", "")
    graph = hooked.graph()
    version = hooked.version(graph, hooked.git("rev-parse", "HEAD").strip())
    assert hooked.members(graph, version) == {f"{name}@1", "%FF.bin@1"}
    hooked.write("b", "b\n")
    hooked.git("add", "b")
    hooked.git("commit", "--quiet", "--message", "a\x1fb\n\n\x07 \u202e --format=%H")
    graph = hooked.graph()
    assert hooked.version(graph, hooked.git("rev-parse", "HEAD").strip())


def test_a_secret_in_a_message_is_not_recorded_and_a_word_can_be_forgotten(hooked):
    secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"
    hooked.write("a", "1\n")
    hooked.git("add", "a")
    hooked.git("commit", "--quiet", "--message", f"Use {secret} for the Nightingale data")
    graph = hooked.graph()
    assert secret not in str(graph.vertices)
    assert "Nightingale" in graph.vertices[graph.one("Version", kind="explicit")]["message"]
    hooked.run("forget", "--pattern", "Nightingale", "--yes")
    graph = hooked.graph()
    assert "Nightingale" not in str(graph.vertices)
    assert graph.one("Version", kind="explicit")
    assert hooked.run("doctor", "--rebuild").returncode == 0


def test_a_subject_in_the_record_of_a_hook_has_no_secrets(hooked):
    (hooked.root / ".provdb/config.toml").write_text('[scrub]\npatterns = ["nightingale-[0-9]+"]\n')
    hooked.run("true")
    with ingestion_lock(os.fspath(hooked.root), 10) as held:
        assert held
        subject = "Use ghp_0123456789abcdefghijklmnopqrstuvwxyzAB for nightingale-42"
        hooked.provdb.command(["git", "commit", "--quiet", "--allow-empty", "--message", subject])
        (record,) = [file.read_text() for file in (hooked.root / ".provdb/spool").glob("*.jsonl")]
    assert "commit (initial): Use" in record
    assert "ghp_0123" not in record
    assert "nightingale-42" not in record


def test_a_hook_that_is_read_twice_brings_nothing_new(hooked):
    commit = hooked.commit("One", a="1\n")
    events = hooked.provdb.json("status")["commits"]
    record = hooked.root / ".git/provdb/record"
    for _ in range(3):
        hooked.provdb.command([str(record), "post-commit"])
    hooked.settle()
    graph = hooked.graph()
    assert hooked.version(graph, commit)
    assert hooked.provdb.json("status")["commits"] == events == 1


def test_the_python_twins(hooked, monkeypatch):
    import provgraph

    monkeypatch.chdir(hooked.root)
    with provgraph.open() as project:
        assert project.git_hooks().recording
        assert not project.remove_git_hooks().recording
        assert project.install_git_hooks().recording
