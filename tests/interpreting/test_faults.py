"""An ingestor that fails, hangs, eats memory, says too much or lies costs a record on the activity and nothing else."""

import json
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from processes import eventually, ingesters

from provgraph.session.interpreting import catalogue
from provgraph.session.interpreting.catalogue import Catalogue
from provgraph.stores import open_store

LIE = """
worker = sys.modules["__main__"]
send = worker.send
def lie(fd, _answer):
    worker.send = send
    send(fd, worker.packed({}))
worker.send = lie
"""
"""Has its process say once what the process itself never would."""
FAULTS = {
    "raises": ("raise RuntimeError('boom')", "RuntimeError: boom"),
    "exits": ("sys.exit(3)", "SystemExit: 3"),
    "ends its process": ("os._exit(7)", "ended with status 7"),
    "crashes": ("os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
    "is ended by a signal without a name": ("os.kill(os.getpid(), signal.SIGRTMIN + 6)", "ended by signal 40"),
    "lies about what it read": (LIE.format({"findings": None, "read": 3}), "said something else than an answer"),
    "lies about what was left out": (LIE.format({"left_out": [{}]}), "said something else than an answer"),
    "lies about what it found": (LIE.format({"findings": [1]}), "not an object"),
    "hangs": ("while True: time.sleep(1)", "took over 5 s"),
    "is busy forever": ("while True: pass", "took over 5 s"),
    "wants all memory": ("held = bytearray(1 << 40)", "memory"),
    "eats memory": ("held = []\nwhile True: held.append(bytearray(1 << 20))", "memory"),
    "says too much": ("found.activity(long='x' * 300_000)", "over the limit of 200,000"),
    "returns no findings": ("return [1, 2]", "ingest returned a list; it must return a Findings"),
    "returns what is no JSON": ("found.activity(x=object())", "a value is of the type object"),
    "has no schema": ("return {'activity': {}}", "must contain ['schema']"),
    "has an unknown part": ("return {'schema': 'provgraph/findings/1', 'more': 1}", "must not contain {'more'}"),
    "names an unknown file": ("found.snapshot('nowhere.txt', x=1)", "neither used nor generated"),
    "sets what is not its own": ("found.activity(exit_status=1)", "property of the base"),
    "counts for others": ("found.snapshot('b.txt', sha256='0' * 64)", "property of the base"),
    "has an unknown relation": ("found.edge('liked', 'activity', 'a.txt')", "no relation 'liked'"),
    "turns the past": ("found.edge('used', 'activity', 'b.txt')", "used what it generated"),
    "deletes what is there": ("found.edge('wasInvalidatedBy', 'a.txt', 'activity')", "only provdb says so"),
    "gives inputs a past": ("found.edge('wasDerivedFrom', 'a.txt', 'b.txt')", "whose past is known"),
    "makes a circle": (
        """
        found.vertex('k', ['Entity']).edge('used', 'activity', {'key': 'k'})
        found.edge('wasDerivedFrom', {'key': 'k'}, 'b.txt')
        """,
        "its own ancestor",
    ),
    "poses as provdb": ("found.vertex('k', ['Entity', 'Version'])", "only provdb itself makes"),
    "is of two kinds": ("found.vertex('k', ['Entity', 'Agent'])", "exactly one of"),
    "has a crooked series": ("found.series('activity', 'loss', [1], [1.0, 2.0])", "1 steps for 2 values"),
    "is deep": ("x = []\nfor _ in range(100_000): x = [x]\nfound.activity(x=x)", "Recursion"),
}


def test_a_fault_is_a_record(lab):
    """All of them at once, and one after them that does its work."""
    lab.configure(time_s=5, memory_bytes=400 << 20, output_bytes=200_000)
    for number, (body, _) in enumerate(FAULTS.values()):
        lab.ingestor(f"bad-{number}", body, trust=False)
    lab.ingestor("good", "found.activity(good=len(generated))")
    lab.write("a.txt", "words of a file\n")
    done = lab.run("cp", "a.txt", "b.txt")
    assert (done.stdout, done.stderr) == ("", "")
    lab.settle()
    shown = lab.shown()
    failed = dict(entry.split(": ", 1) for entry in shown["ingestors_failed"])
    told = {fault: failed.get(f"bad-{number}", "nothing") for number, fault in enumerate(FAULTS)}
    wrong = {fault: (said, FAULTS[fault][1]) for fault, said in told.items() if FAULTS[fault][1] not in said}
    assert not wrong
    assert shown["good"] == 1
    assert [entry.split()[0] for entry in shown["ingestors"]] == ["good"]
    assert lab.graph().is_acyclic()
    for event in lab.events():
        if event.body["facts"]["ingestor"] != "good":
            assert set(event.body) == {"set", "facts"}
            assert [set(properties) for _, properties in event.body["set"]] == [{"ingestors_failed"}]


def test_one_that_cannot_be_loaded(lab):
    lab.write(".provdb/ingestors/broken.py", "import nonsense_that_is_not_there\n")
    lab.ingestor("good", "found.activity(good=1)")
    assert lab.copy()["good"] == 1


HARM = {
    "ends": ("import os\nos._exit(0)\n", "its process ended with status 0 while it was loaded"),
    "works forever": ("while True:\n    pass\n", "took over 3 s of processor time to load"),
    "waits forever": ("import time\nwhile True: time.sleep(1)\n", "it took over 5 s while it was loaded"),
}


@pytest.mark.parametrize(("code", "told"), HARM.values(), ids=HARM)
def test_one_that_harms_whoever_loads_it(lab, code, told):
    """It is left out and named; the command is recorded, and all others run."""
    lab.configure(time_s=5)
    lab.write(".provdb/ingestors/deadly.py", code)
    lab.ingestor("good", "found.activity(good=1)")
    lab.write("t.py", "print(1)\n")
    lab.python("t.py", "--lr", "0.1")
    lab.settle()
    shown = lab.shown()
    assert (shown["exit_status"], shown["param_lr"]) == (0, 0.1)
    shown = lab.copy()
    assert (shown["exit_status"], shown["good"]) == (0, 1)
    [failure] = lab.provdb.json("ingestors", "list")["unusable"]
    assert (failure["name"], failure["where"]) == ("deadly", ".provdb/ingestors/deadly.py")
    assert told in failure["error"]
    assert "deadly cannot be loaded" in lab.provdb("ingestors", "show", "deadly", check=2).stderr


LISTS = (
    "{'ingestors': 1, 'failures': []}",
    "{'ingestors': [], 'failures': [[1]]}",
    "{**told, 'ingestors': [{**one, 'match': {**one['match'], 'command': 3}} for one in told['ingestors']]}",
)
LIAR = """
import sys

worker = sys.modules["__main__"]
if hasattr(worker, "send"):
    send = worker.send

    def lie(fd, answer):
        told = worker.json.loads(bytes(answer[8:]))
        send(fd, worker.packed({said} if "ingestors" in told else told))

    worker.send, worker.json = lie, __import__("json")
"""


def test_where_nobody_knows_whose_code_does_harm(lab):
    """Rules and programs run, for none of their code runs when they are loaded."""
    lab.write(".provdb/ingestors/liar.py", LIAR.format(said=LISTS[0]))
    says = json.dumps({"schema": "provgraph/findings/1", "notes": ["ran"]})
    program = lab.write(".provdb/ingestors/program.sh", f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o700)
    lab.write(".provdb/ingestors/program.toml", 'utility = "cp"\n')
    config = lab.root / ".provdb/config.toml"
    rule = "\n[[ingestors.rule]]\nname = 'rule'\nutility = 'cp'\nregex = '(?P<first>cp)'\n"
    config.write_text(config.read_text() + rule)
    lab.ingestor("good", "found.activity(good=1)")
    shown = lab.copy()
    assert "good" not in shown
    assert shown["first"] == "cp"
    assert shown["ingestor_notes"] == ["program: ran"]


@pytest.fixture
def late(lab):
    """An ingestor that cannot be loaded yet; none of the project's files changes when it can."""
    there = lab.root.parent / "installed"
    file = lab.ingestor("late", "found.activity(late=1)")
    head = f"if not __import__('os').path.exists({str(there)!r}): raise ImportError('not yet')\n"
    file.write_text(head + file.read_text())
    lab.provdb("trust", ".")
    assert "late" not in lab.copy()
    return there


def test_what_could_not_be_loaded_is_tried_again_where_somebody_asks(lab, late):
    assert "not yet" in lab.provdb("ingestors", "show", "late", check=2).stderr
    late.touch()
    assert lab.provdb.json("ingestors", "show", "late")
    assert lab.copy()["late"] == 1


def test_what_could_not_be_loaded_is_tried_again_soon(lab, late, monkeypatch):
    for key, value in lab.provdb.environment.items():
        monkeypatch.setenv(key, value)
    with open_store(str(lab.root), write=False) as store:
        late.touch()
        early, again = Catalogue(store), Catalogue(store, anew=True)
        assert "late" not in [one.name for one in early.described()], "it is not asked for every command"
        monkeypatch.setattr(catalogue, "time", SimpleNamespace(time=lambda: 1e10, monotonic=time.monotonic))
        early.try_again()
        assert "late" in [one.name for one in early.described()]
        assert early.failures == []
        assert "late" in [one.name for one in again.described()]
        for one in (early, again):
            one.process.close()


@pytest.mark.parametrize("said", LISTS)
def test_a_list_of_ingestors_that_is_none(lab, said):
    """What comes with provgraph runs all the same, also where the next one reads what was kept of the list."""
    lab.write(".provdb/ingestors/liar.py", LIAR.format(said=said))
    lab.provdb("trust", ".")
    lab.write("t.py", "print(1)\n")
    lab.python("t.py", "--lr", "0.1")
    lab.settle()
    shown = lab.shown()
    assert (shown["exit_status"], shown["param_lr"]) == (0, 0.1)
    told = lab.provdb("ingestors", "list").stdout
    assert "something else than which ingestors there are" in told
    assert told.startswith("python ")


def test_a_pattern_that_never_ends(lab):
    lab.ingestor("endless", "found.activity(x=1)", "Match(command='(a+)+$')")
    lab.run("echo", "a" * 60 + "!")
    assert "over 0.5 s" in lab.shown()["ingestors_failed"][0]


def test_what_is_read_where_it_lies_must_stay_what_it_is(lab):
    """A file outside the project, whose bytes are not kept, changes while an ingestor reads it: it is asked anew."""
    outside = lab.root.parent / "outside.txt"
    outside.write_text("one")
    lab.run("cat", outside)
    lab.settle()
    lab.ingestor(
        "reader",
        f"""
        [file] = [file for file in used if file.path.endswith("outside.txt")]
        if file.content is None:
            found.activity(held=False)
        else:
            text = file.open().read().decode()
            Path({str(outside)!r}).write_text("two, and longer")
            found.activity(text=text)
    """,
        "Match(utility='cat')",
    )
    lab.provdb("ingestors", "replay")
    replayed = lab.shown()
    outside.write_text("three")
    lab.run("cat", outside)
    for shown in (replayed, lab.shown()):
        assert shown["held"] is False
        assert "text" not in shown
        assert "ingestors_failed" not in shown


def test_contents_beyond_the_limit_are_left_out(lab):
    lab.configure(content_bytes=1000)
    lab.ingestor("sizes", "found.activity(kept=[file.content is not None for file in (*generated, *used)])")
    lab.write("a.txt", os.urandom(3000))
    lab.run("cp", "a.txt", "b.txt")
    shown = lab.shown()
    assert shown["kept"] == [False, False]
    assert "too much to be unpacked" in shown["ingestor_notes"][0]


def test_the_ingester_is_killed_between_end_and_findings(lab):
    """The spool file stays until the findings are journaled, so they are made anew: once."""
    lab.configure(time_s=60)
    lab.ingestor(
        "slow",
        f"""
        with open({str(lab.root / "runs")!r}, "a") as file:
            file.write(f"{{os.getpid()}} ")
        while not (here / "go").exists():
            time.sleep(0.01)
        found.activity(found=True).vertex("v", ["Entity", "Model"], name="once")
    """,
    )
    lab.write("a.txt", "a")
    lab.run("cp", "a.txt", "b.txt")
    runs = lab.root / "runs"
    eventually(lambda: runs.exists() and runs.read_text().endswith(" "), "the ingestor's run")
    assert lab.events("activity.ended")
    [victim] = ingesters(lab.root)
    os.kill(victim, signal.SIGKILL)
    [worker] = [int(word) for word in runs.read_text().split()]
    eventually(lambda: not os.path.exists(f"/proc/{worker}"), "the end of the ingestor's process")
    assert list((lab.root / ".provdb/spool").glob("*.jsonl"))
    (lab.root / "go").touch()
    assert lab.shown()["found"] is True
    assert len(lab.events()) == 1
    assert len(lab.graph().of("Model", name="once")) == 1
    assert len(runs.read_text().split()) == 2
    assert not list((lab.root / ".provdb/spool").glob("*.jsonl"))
    assert not list((lab.root / ".provdb/cache").glob("contents-*"))


def test_a_crash_after_the_findings_finds_nothing_twice(lab):
    """Only the spool file was left behind."""
    lab.ingestor("one", "found.activity(n=1).vertex('v', ['Entity', 'Model'], name='once')")
    kept: list[tuple[Path, bytes]] = []

    def keep() -> bool:
        kept[:] = [(path, path.read_bytes()) for path in (lab.root / ".provdb/spool").glob("*.jsonl")]
        return bool(kept) and b'"closed"' in kept[0][1]

    lab.write("a.txt", "a")
    lab.ingestor("gate", "while not (here / 'go').exists(): time.sleep(0.01)")
    lab.run("cp", "a.txt", "b.txt")
    eventually(keep, "the closed spool file")
    (lab.root / "go").touch()
    lab.settle()
    eventually(lambda: not ingesters(lab.root), "the ingester's leaving")
    kept[0][0].write_bytes(kept[0][1])
    lab.settle()
    assert lab.shown()["n"] == 1
    assert len(lab.graph().of("Model", name="once")) == 1
    assert not kept[0][0].exists()
