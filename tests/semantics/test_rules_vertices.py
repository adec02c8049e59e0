"""Rules 1 to 8 of docs/semantics.md: what becomes a vertex."""

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest


def test_rule_1_a_symlink_is_used_with_its_target(lab):
    lab.write("data.csv", "1\n")
    os.symlink("data.csv", lab.root / "link.csv")
    (lab.root / "folder").mkdir()
    lab.run("cat", "link.csv")
    graph = lab.graph()
    activity = graph.command("cat")
    assert graph.used(activity) == {"link.csv", "data.csv"}
    link = graph.snapshots("link.csv")[0]
    assert graph.vertices[link]["size_bytes"] == len("data.csv")
    assert graph.targets("specializationOf", link) == [graph.one("Artifact", path="link.csv")]
    assert not graph.of("Artifact", path="folder")


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler; apt-get install gcc")
def test_rule_2_a_compiler_reads_back_what_it_wrote(lab):
    lab.write("m.c", "int main(void) { return 0; }\n")
    lab.run("sh", "-c", "cc -c m.c -o m.o && cc m.o -o m")
    graph = lab.graph()
    activity = graph.of("Command")[0]
    assert "m.c" in graph.used(activity)
    assert "m.o" not in graph.used(activity)
    assert graph.generated(activity) == {"m.o", "m"}
    assert graph.is_acyclic()


def test_rule_2_last_state_only_and_scratch_is_counted(lab):
    lab.run("sh", "-c", "echo 1 > a; echo 2 > a; echo 3 > a; echo x > tmp; rm tmp")
    graph = lab.graph()
    activity = graph.of("Command")[0]
    assert len(graph.snapshots("a")) == 1
    assert graph.vertices[activity]["scratch_files"] == 1
    assert graph.vertices[activity]["intermediate_writes"] >= 1
    assert not graph.of("Artifact", path="tmp")


def test_rule_2_a_checkpoint_that_another_opens(lab):
    lab.write(
        "train.py",
        """
        import time, pathlib
        for epoch in (5, 10):
            pathlib.Path("checkpoint").write_text(f"epoch {epoch}")
            pathlib.Path(f"ready.{epoch}").write_text("")
            while not pathlib.Path(f"go.{epoch}").exists():
                time.sleep(0.01)
        """,
    )
    training = lab.start(sys.executable, "train.py")
    _wait_for(lab.root / "ready.5")
    lab.run("cp", "checkpoint", "kept")
    lab.settle()
    lab.write("go.5", "")
    lab.write("go.10", "")
    assert training.wait(30) == 0
    graph = lab.graph()
    train, copy = graph.command("train.py"), graph.command("cp checkpoint")
    first, last = graph.snapshots("checkpoint")
    assert graph.generator(first) == graph.generator(last) == train
    assert first in graph.targets("used", copy)
    assert graph.targets("wasDerivedFrom", last, prov_type="Revision") == [first]
    assert (lab.root / "kept").read_text() == "epoch 5"
    assert graph.targets("wasDerivedFrom", graph.snapshots("kept")[0], prov_type="Copy") == [first]
    assert graph.is_acyclic()


def test_rule_2_what_outlives_the_command_belongs_to_it(lab, wait_for):
    lab.run("sh", "-c", "(while [ ! -e go ]; do sleep 0.02; done; echo late > late.txt) > /dev/null 2>&1 &")
    returned = datetime.now(UTC)
    lab.write("go", "")
    wait_for(lambda: not list((lab.root / ".provdb/spool").glob("*.jsonl")), "the end of the daemon")
    graph = lab.graph()
    activity = graph.of("Command")[0]
    assert graph.generator(graph.snapshots("late.txt")[0]) == activity
    ended = datetime.fromisoformat(graph.vertices[activity]["ended_at"])
    assert ended <= returned
    started = datetime.fromisoformat(graph.vertices[activity]["started_at"])
    assert graph.vertices[activity]["duration_s"] <= (returned - started).total_seconds()


def test_rule_3_each_generation_is_a_new_snapshot(lab):
    for _ in range(3):
        lab.run("sh", "-c", "echo same > out")
    graph = lab.graph()
    snapshots = graph.snapshots("out")
    assert [graph.vertices[uid]["sequence"] for uid in snapshots] == [1, 2, 3]
    assert len({graph.vertices[uid]["sha256"] for uid in snapshots}) == 1
    assert len({graph.generator(uid) for uid in snapshots}) == 3


def test_rule_4_what_a_nested_command_touches_is_its_own(lab):
    lab.write("in.txt", "1\n")
    lab.write("outer.txt", "2\n")
    prefix = f"{sys.executable} -m provgraph"
    lab.run("sh", "-c", f"cat outer.txt | {prefix} sh -c 'cat - in.txt > inner'; echo end > own")
    graph = lab.graph()
    inner = next(uid for uid in graph.of("Command") if graph.generated(uid) == {"inner"})
    outer = next(uid for uid in graph.of("Command") if uid != inner)
    assert graph.generated(outer) == {"own"}
    assert "in.txt" in graph.used(inner)
    assert "in.txt" not in graph.used(outer)
    assert "outer.txt" in graph.used(outer)
    assert graph.targets("wasInformedBy", inner) == [outer]
    assert graph.targets("used", inner, role="inherited") == graph.snapshots("outer.txt")


def test_rule_4_two_processes_that_play_ping_pong(lab):
    lab.write(
        "player.py",
        """
        import pathlib, sys, time
        mine, theirs = map(pathlib.Path, sys.argv[1:3])

        def play(text):
            mine.with_suffix(".new").write_text(text)
            mine.with_suffix(".new").replace(mine)

        for turn in range(4):
            if sys.argv[3] == "first" or turn:
                play(f"{sys.argv[3]} {turn}")
            while not (theirs.exists() and int(theirs.read_text().split()[1]) >= turn):
                time.sleep(0.02)
            if sys.argv[3] == "second" and turn == 0:
                play("second 0")
        """,
    )
    first = lab.start(sys.executable, "player.py", "ping", "pong", "first")
    second = lab.start(sys.executable, "player.py", "pong", "ping", "second")
    assert first.wait(60) == 0
    assert second.wait(60) == 0
    graph = lab.graph()
    assert graph.is_acyclic()
    parts = [uid for uid in graph.of("Command") if "whole" in graph.vertices[uid]]
    assert parts, "each read what the other wrote after it had written: at least one was split"
    for part in parts:
        whole = graph.vertices[part]["whole"]
        assert graph.vertices[part]["name"] == graph.vertices[whole]["name"]
        assert graph.targets("wasInformedBy", part)


def test_rule_5_unseen_changes(lab):
    lab.write("config", "a = 1\n")
    lab.run("cat", "config")
    lab.settle()
    lab.write("config", "a = 2\n")
    lab.run("cat", "config")
    graph = lab.graph()
    old, new = graph.snapshots("config")
    unseen = graph.generator(new)
    vertex = graph.vertices[unseen]
    assert "Unseen" in vertex["labels"]
    assert vertex["capture"] == "none"
    assert vertex["started_at"] <= vertex["ended_at"]
    assert graph.targets("used", unseen) == [old]
    assert not graph.targets("wasAssociatedWith", unseen)
    assert graph.targets("wasDerivedFrom", new, missing=True) == [old]
    assert graph.targets("used", graph.of("Command")[-1]).count(new) == 1


def test_rule_5_appeared_vanished_and_unchanged(lab):
    lab.write("kept", "1\n")
    lab.write("gone", "2\n")
    lab.run("cat", "kept", "gone")
    lab.settle()
    (lab.root / "gone").unlink()
    later = time.time() + 100
    os.utime(lab.root / "kept", (later, later))
    lab.notice()
    graph = lab.graph()
    assert len(graph.snapshots("kept")) == 1
    invalidated = graph.targets("wasInvalidatedBy", graph.snapshots("gone")[0])
    assert len(invalidated) == 1
    assert "Unseen" in graph.vertices[invalidated[0]]["labels"]
    appeared = graph.generator(graph.snapshots("kept")[0])
    assert "Unseen" in graph.vertices[appeared]["labels"], "it came after init and nobody saw how"
    assert not graph.targets("used", appeared)


def test_rule_6_versions_are_differences(lab):
    lab.write("in", "1\n")
    lab.run("cp", "in", "out")
    lab.run("true")
    lab.run("rm", "out")
    graph = lab.graph()
    versions = graph.of("Version")
    assert [graph.vertices[uid]["kind"] for uid in versions] == ["implicit"] * 3
    before, after, last = versions
    assert graph.targets("hadMember", before) == graph.snapshots("in")
    assert graph.targets("hadMember", after) == graph.snapshots("out")
    assert graph.targets("wasDerivedFrom", after) == [before]
    assert graph.vertices[last]["removed"] == ["out"]
    assert graph.vertices[last]["activity"] == graph.command("rm out")


def test_rule_6_what_a_walk_noticed_is_in_a_version(lab):
    lab.write("in", "1\n")
    lab.write("gone", "1\n")
    lab.run("cat", "in", "gone")
    lab.write("in", "2\n")
    (lab.root / "gone").unlink()
    lab.notice()
    lab.run("cat", "in")
    graph = lab.graph()
    before, noticed = graph.of("Version")
    assert graph.targets("hadMember", noticed) == graph.snapshots("in")[1:]
    assert graph.targets("wasDerivedFrom", noticed) == [before]
    assert graph.vertices[noticed]["removed"] == ["gone"] and "activity" not in graph.vertices[noticed]


def test_rule_7_people_by_address_and_programs(lab):
    lab.run("true")
    lab.run("true", env={"GIT_AUTHOR_NAME": "A. Lice", "GIT_AUTHOR_EMAIL": "ALICE@example.org"})
    lab.run("true", env={"GIT_AUTHOR_NAME": "Bob", "GIT_AUTHOR_EMAIL": "bob@example.org"})
    graph = lab.graph()
    assert {graph.vertices[uid]["email"] for uid in graph.of("Person")} == {"alice@example.org", "bob@example.org"}
    program = graph.one("SoftwareAgent", name="true")
    for activity in graph.of("Command"):
        assert program in graph.targets("wasAssociatedWith", activity, role="program")
    first, second, third = (set(graph.targets("wasAssociatedWith", uid)) - {program} for uid in graph.of("Command"))
    assert first == second != third


def test_rule_7_without_git_the_system_user(lab):
    nobody = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"))
    lab.run("true", env=nobody)
    lab.run("true", env=nobody)
    graph = lab.graph()
    assert len(graph.of("Person")) == 1
    assert "email" not in graph.vertices[graph.of("Person")[0]]


def test_rule_8_an_environment_is_what_is_installed(lab):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", lab.root / ".venv"], check=True)
    lab.write("train.py", "import json, csv, decimal\nprint('hello')\n")
    lab.run(".venv/bin/python", "train.py")
    lab.run(".venv/bin/python", "train.py")
    lab.write(
        "install.py",
        """
        import pathlib, sysconfig
        folder = pathlib.Path(sysconfig.get_paths()["purelib"]) / "tiny-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Name: tiny\\nVersion: 1.0\\n")
        """,
    )
    lab.settle()  # what is installed is read by the ingester: not after the next installation
    lab.run(".venv/bin/python", "install.py")
    graph = lab.graph()
    first, second = graph.snapshots(".venv")
    trainings = [uid for uid in graph.of("Command") if "train.py" in graph.vertices[uid]["command"]]
    for training in trainings:
        assert graph.used(training) == {"train.py"}, "a handful of edges, not one for each module"
        environments = [
            uid for uid in graph.targets("used", training) if "Environment" in graph.vertices[uid]["labels"]
        ]
        assert environments == [first]
    assert graph.generator(second) == graph.command("install.py")
    assert '"tiny": "1.0"' in graph.vertices[second]["distributions_json"]


def _wait_for(path, seconds=30.0):
    limit = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < limit, f"{path} did not appear"
        time.sleep(0.01)
