"""What ingestion does when it is killed, when many commands run at once, and when what it finds is broken."""

import random
import sys
import time

import pytest
from processes import end_ingesters

from provgraph.stores import open_store


@pytest.mark.slow
def test_an_ingester_killed_at_random_moments_loses_and_doubles_nothing(lab):
    rng = random.Random(20261121)
    lab.write("in", "0\n")
    for number in range(40):
        lab.run("sh", "-c", f"cat in > out.{number}; echo {number} >> log")
        time.sleep(rng.uniform(0, 0.15))
        end_ingesters(lab.root)
    graph = lab.graph()
    commands = graph.of("Command")
    assert len(commands) == 40
    for number in range(40):
        (snapshot,) = graph.snapshots(f"out.{number}")
        activity = graph.generator(snapshot)
        assert f"out.{number}" in graph.vertices[activity]["command"]
        assert graph.vertices[activity]["exit_status"] == 0
        assert "in" in graph.used(activity)
    sequences = [graph.vertices[uid]["sequence"] for uid in graph.snapshots("log")]
    assert sequences == list(range(1, 41))
    assert len({graph.vertices[uid]["number"] for uid in commands}) == 40
    assert graph.is_acyclic()
    assert not list((lab.root / ".provdb/spool").glob("*.jsonl"))
    with open_store(str(lab.root), write=True) as store:
        before = store.digest()
        assert store.rebuild() == before


def test_16_commands_at_once(lab):
    lab.write("in", "0\n")
    running = [lab.start("sh", "-c", f"cat in > out.{number}") for number in range(16)]
    assert [process.wait(60) for process in running] == [0] * 16
    graph = lab.graph()
    assert len(graph.of("Command")) == 16
    for number in range(16):
        activity = graph.generator(graph.snapshots(f"out.{number}")[0])
        assert graph.used(activity) == {"in"}
        assert graph.generated(activity) == {f"out.{number}"}
    assert len(graph.snapshots("in")) == 1
    assert graph.is_acyclic()


def test_a_spool_file_that_cannot_be_ingested_blocks_nothing(lab):
    lab.run("true")
    lab.settle()
    spool = lab.root / ".provdb/spool"
    (spool / "01900000-0000-7000-8000-000000000000.jsonl").write_text('{"record":"start"}\nnonsense\n')
    lab.write("in", "1\n")
    lab.run("cat", "in")
    graph = lab.graph()
    assert graph.used(graph.command("cat in")) == {"in"}
    report = lab.run("doctor", check=None)
    assert "01900000" in report.stdout + report.stderr


def test_a_question_reads_its_own_writes_at_once(lab):
    for number in range(5):
        lab.run("sh", "-c", f"echo {number} > out")
        snapshots = lab.provdb.json("lineage", "out")
        assert any(vertex["properties"].get("sequence") == number + 1 for vertex in snapshots["vertices"])


def test_results_of_commands_that_follow_each_other_at_once(lab):
    """Each output is overwritten by the next command before anybody could look at it."""
    script = "\n".join(
        f"{sys.executable} -m provgraph sh -c 'cat a > b; echo {number} > a; echo {number} >> c'" for number in range(8)
    )
    lab.write("a", "start\n")
    lab.provdb.shell(script)
    graph = lab.graph()
    for name in ("a", "b", "c"):
        snapshots = graph.snapshots(name)
        assert not [uid for uid in snapshots if "content" in graph.vertices[uid]], name
        commands = [graph.generator(uid) for uid in snapshots]
        assert len(set(commands)) == len(commands)
    assert len(graph.snapshots("a")) == 9
    assert len(graph.snapshots("c")) == 8
    assert len(graph.of("Unseen")) == 1, "the first a; all else was seen"
