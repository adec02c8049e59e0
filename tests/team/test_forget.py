"""`provdb forget`: what is gone is gone from every byte of the store, and the history around it stays whole."""

import hashlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from forget_search import envelopes, holding
from graph_samples import Sample, make_sample
from laboratory import Lab

import provgraph
from provgraph.schemas import schema
from provgraph.stores import open_store
from provgraph.stores.purging import tombstones

SECRET = "Zq7planted"
PATTERN = r"Zq7\w+"


@pytest.fixture
def sample(place: Path) -> Sample:
    return make_sample(place)


@pytest.fixture
def lab(project: Path, provdb: Any) -> Lab:
    return Lab(provdb)


def plant(lab: Lab) -> None:
    """A secret in every place that a recorded command has, and in files beside."""
    lab.write(f"in/{SECRET}.csv", "a,b\n1,2\n")
    lab.write("plain.txt", f"the password is {SECRET}\n")
    lab.write(
        "work.py",
        f"""
        import sys
        print("printed {SECRET}")
        rows = open("in/{SECRET}.csv").read()
        open("out.txt", "w").write(rows + open("plain.txt").read())
        """,
    )
    lab.run(
        "run", "--keep-output", "--name", f"n {SECRET}", "--note", f"a note on {SECRET}", "--tag", f"{SECRET}=1",
        "--tag", f"k=v {SECRET}", "--", sys.executable, "work.py", f"--user=me:{SECRET}", f"it's {SECRET}",
        env={"HF_HOME": f"/nowhere/{SECRET}"},
    )  # fmt: skip
    lab.run("-c", f"cat plain.txt > copy.txt && echo {SECRET} > echoed.txt")
    lab.run("annotate", "out.txt", f"my_{SECRET}=yes", f'deep={{"a": ["{SECRET}"]}}')
    lab.run("record", "--used", "out.txt", "--generated", "copy.txt", "--param", f"p={SECRET}", "--metric", "m=3")
    (lab.root / f"in/{SECRET}.csv").unlink()
    lab.run("status")
    store = lab.root / ".provdb"
    for log in ("ingester.log", "ingester.log.1", "capture.log"):
        (store / log).write_text(f"2026 failed on {SECRET}\nfine\n")
    record = {"record": "start", "argv": ["x", SECRET]}
    (store / "spool/0199-dead.jsonl.failed").write_text(json.dumps(record) + "\n{torn " + SECRET)
    (store / "spool/pre/0199-dead.1").write_text(f"old {SECRET}")
    lab.run("cypher", "MATCH (n) RETURN count(n)")
    lab.run("segment", "--to", "out.txt")  # fills the cache


def test_a_planted_secret_is_nowhere_afterwards(place: Path, provdb: Any) -> None:
    (place / f"never-used-{SECRET}").write_text("")
    provdb("init")
    lab = Lab(provdb)
    plant(lab)
    places = holding(lab.root, SECRET)
    for kind in ("event", "content", "rows of graph", "rows of local", "ingester.log.1", "capture.log", "spool/pre/"):
        assert any(place.startswith(kind) for place in places), kind
    before = envelopes(lab.root)
    tree = lab.run("lineage", "copy.txt", "--json").stdout

    document = lab.provdb.json("forget", "--pattern", PATTERN, "--contents", "--yes")

    jsonschema.validate(document, schema("forgotten"))
    assert document["done"] and document["finished"] and document["contents"] >= 3 and not document["left"]
    assert holding(lab.root, SECRET) == []
    assert SECRET not in json.dumps(document)
    (lab.root / ".provdb/spool/0199-dead.jsonl.failed").unlink()
    after = envelopes(lab.root)
    assert after[: len(before)] == before and [event[3] for event in after[len(before) :]] == ["content.purged"]
    assert lab.provdb.json("doctor")["healthy"]
    again = json.loads(lab.run("lineage", "copy.txt", "--json").stdout)
    assert [vertex["uid"] for vertex in again["vertices"]] == [v["uid"] for v in json.loads(tree)["vertices"]]
    assert len(again["edges"]) == len(json.loads(tree)["edges"])
    assert lab.provdb.rows("MATCH (a:Command) WHERE a.note = 'a note on ***' RETURN a.exit_status") == [[0]]
    assert lab.run("segment", "--to", "out.txt").stdout
    gone = lab.run("restore", "plain.txt", "-o", "-", check=1)
    assert "were forgotten at 20" in gone.stderr and "by Alice" in gone.stderr
    assert lab.run("forget", "--pattern", PATTERN, "--contents", "--yes", check=1).stdout == ""
    assert "once something was removed for good" in lab.run("doctor").stdout
    lab.run("cat", "work.py")
    assert lab.provdb.json("doctor")["healthy"]


def test_without_contents_the_bytes_of_files_stay(lab: Lab) -> None:
    lab.write("plain.txt", f"{SECRET}\n")
    lab.run("cat", "plain.txt", stdout=subprocess.PIPE)
    lab.run("annotate", "plain.txt", f"x={SECRET}")
    lab.run("forget", "--pattern", PATTERN, "--yes")
    assert [place for place in holding(lab.root, SECRET) if not place.startswith(("content objects", "objects"))] == []
    assert lab.run("restore", "plain.txt", "-o", "-").stdout == f"{SECRET}\n"


def test_a_snapshot_loses_bytes_and_digest_with_all_that_share_them(sample: Sample, provdb: Any) -> None:
    text = (sample.root / "model.pkl").read_text()
    with sample.open() as store:
        digest = store.reader.vertex(sample.uids["model.pkl@2"]).properties["sha256"]
    (sample.root / "twin.pkl").write_text(text)
    provdb("record", "--generated", "twin.pkl", "--command", "cp model.pkl twin.pkl")
    told = provdb.json("forget", "model.pkl@2", "--dry-run")
    assert told["shared"] == ["twin.pkl@1"] and not told["done"] and told["contents"] == 1
    assert "model.pkl" in told["on_disk"]
    assert holding(sample.root, digest)

    provdb("forget", "model.pkl@2", "--yes")

    assert holding(sample.root, digest, digest.upper()) == []
    assert not (sample.root / f".provdb/objects/{digest[:2]}/{digest[2:]}").exists()
    for path in ("model.pkl@2", "twin.pkl"):
        shown = provdb.json("show", path)["vertex"]["properties"]
        assert shown["content"] == "purged" and "sha256" not in shown and "size_bytes" not in shown
        assert shown["purged_by"] == "Alice" and shown["purged_at"]
    assert provdb("restore", "model.pkl@1", "-o", "-").stdout != ""
    assert "train.py #5" in provdb("lineage", "model.pkl@2").stdout
    assert provdb.json("doctor")["healthy"]


def test_an_activity_loses_its_words_and_keeps_its_place(lab: Lab) -> None:
    lab.write("work.py", "import sys; print('out', sys.argv[1]); open('made.txt', 'w').write('x')\n")
    lab.run(
        "run", "--keep-output", "--note", f"n {SECRET}", "--tag", f"t={SECRET}", "--", sys.executable, "work.py", SECRET
    )
    before = lab.provdb.json("show", "%1")["vertex"]
    lab.run("forget", "%1", "--yes")
    assert holding(lab.root, SECRET) == []
    after = lab.provdb.json("show", "%1")["vertex"]
    assert after["uid"] == before["uid"] and after["properties"]["name"] == "forgotten #1"
    assert {"command", "argv", "note", "t", "options", "operands", "stdout_json"}.isdisjoint(after["properties"])
    for key in ("started_at", "ended_at", "exit_status", "number", "capture"):
        assert after["properties"][key] == before["properties"][key]
    assert "wasGeneratedBy forgotten #1" in lab.run("lineage", "made.txt").stdout
    assert lab.provdb.json("doctor")["healthy"]


def test_a_person_becomes_a_pseudonym(place: Path, make_provdb: Any) -> None:
    ada = make_provdb(place, GIT_AUTHOR_NAME="Ada Lovelace", GIT_AUTHOR_EMAIL="ada@engine.example")
    bob = make_provdb(place)
    ada("init")
    (place / "a.txt").write_text("a")
    ada("run", "--note", "ask Ada Lovelace <ADA@engine.example>", "--", "cp", "a.txt", "b.txt")
    ada("run", "--", "cp", "/dev/null", "c.txt")
    bob("cp", "b.txt", "d.txt")
    ada("annotate", "b.txt", "stage=prod")
    uid = ada.rows("MATCH (p:Person {email: 'ada@engine.example'}) RETURN p.uid")[0][0]
    before = bob.json("lineage", "d.txt")

    document = bob.json("forget", "--agent", "Ada Lovelace", "--yes")

    assert document["by"] == "Alice" and document["what"] == "agent"
    assert holding(place, "Ada Lovelace", "ada@engine", uid, uid.replace("-", "")) == []
    after = bob.json("lineage", "d.txt")
    assert len(after["vertices"]) == len(before["vertices"]) and len(after["edges"]) == len(before["edges"])
    people = bob.rows("MATCH (p:Person)<-[:wasAssociatedWith]-(c:Command) RETURN p.name, count(c) ORDER BY p.name")
    assert people == [["Alice", 1], ["forgotten-1", 2]]
    assert len(bob.json("log", "--agent", "forgotten-1")["rows"]) == 2
    assert bob.json("doctor")["healthy"]
    # Who works on is somebody else from then on: the pseudonym is not undone.
    ada("cp", "a.txt", "e.txt")
    assert sorted(bob.rows("MATCH (p:Person) RETURN p.name")) == [["Ada Lovelace"], ["Alice"], ["forgotten-1"]]
    ada("forget", "--agent", "ada@engine.example", "--yes")
    assert holding(place, "Ada Lovelace", "ada@engine") == []
    assert sorted(bob.rows("MATCH (p:Person) RETURN p.name")) == [["Alice"], ["forgotten-1"], ["forgotten-2"]]


def test_who_is_merged_goes_under_all_names(place: Path, make_provdb: Any) -> None:
    work = make_provdb(place, GIT_AUTHOR_NAME="Ada Lovelace", GIT_AUTHOR_EMAIL="ada@engine.example")
    home = make_provdb(place, GIT_AUTHOR_NAME="Ada at Home", GIT_AUTHOR_EMAIL="countess@home.example")
    other = make_provdb(place)
    other("init")
    for number, clone in enumerate((work, home, other)):
        clone("sh", "-c", f"echo {number} > {number}.txt")
    refused = other("forget", "--agent", "Nobody Else", "--yes", check=2)
    assert "nobody is called" in refused.stderr
    other("agents", "merge", "ada@engine.example", "countess@home.example")
    other("forget", "--agent", "countess@home.example", "--yes")
    assert holding(place, "Lovelace", "engine.example", "home.example", "Ada at") == []
    assert len(other.json("log", "--agent", "forgotten-1")["rows"]) == 2
    assert other.json("doctor")["healthy"]


def test_who_forgets_himself_is_not_in_the_tombstone(sample: Sample, provdb: Any) -> None:
    document = provdb.json("forget", "--agent", "alice@example.org", "--yes")
    assert document["by"] == "forgotten-1"
    assert holding(sample.root, "alice@example") == []
    with sample.open() as store:
        tomb = list(tombstones(store.journal))
        assert [one.body["facts"]["by"] for one in tomb] == ["forgotten-1"]
        assert tomb[0].uid == document["tombstone"]


def test_a_changed_path_gets_a_uid_that_is_no_digest_of_it(lab: Lab) -> None:
    lab.write("patient-4711.csv", "x")
    lab.run("cp", "patient-4711.csv", "out.csv")
    lab.run("cp", "out.csv", "again.csv")
    artifact = lab.provdb.rows("MATCH (a:Artifact {path: 'patient-4711.csv'}) RETURN a.uid")[0][0]
    told = lab.run("forget", "--pattern", r"patient-\d+", "--yes")
    assert "patient-4711.csv would bring it back" in told.stderr
    assert holding(lab.root, "patient-47", artifact, artifact.replace("-", "")) == []
    assert "***.csv@1" in lab.run("lineage", "again.csv").stdout
    rows = lab.provdb.rows("MATCH (s:Snapshot {path: '***.csv'})-[:specializationOf]->(a:Artifact) RETURN a.path")
    assert rows == [["***.csv"]]
    lab.run("status")
    assert lab.provdb.json("doctor")["healthy"]


def test_members_of_collections_lose_names_and_digests(lab: Lab) -> None:
    lab.run(
        "sh",
        "-c",
        "mkdir many; i=0; while [ $i -lt 1100 ]; do echo $i > many/member-$i-x; i=$((i+1)); done",
        timeout=300,
    )
    lab.settle()
    secret = hashlib.sha256(b"777\n").hexdigest()
    lab.run("forget", "--pattern", "member-777", "--yes")
    assert not [place for place in holding(lab.root, "member-777") if place.startswith(("event", "journal", "graph"))]
    assert lab.provdb.json("doctor")["healthy"]
    assert holding(lab.root, secret)
    with open_store(str(lab.root), write=False) as store:
        collection = next(row for row in store.reader.snapshots("many") if "Collection" in row.labels)
        assert "***-x" in dict(store.reader.members(collection.uid))
        uid = collection.uid
    lab.run("forget", uid, "--yes")
    assert not [place for place in holding(lab.root, secret) if place.startswith(("event", "journal", "graph"))]


def test_a_command_that_still_runs_is_told_about(lab: Lab, wait_for: Any) -> None:
    running = lab.start("sh", "-c", f"echo {SECRET} > made; read line", stdin=subprocess.PIPE)
    try:
        wait_for(lambda: SECRET in lab.run("status").stdout)
        told = lab.run("forget", "--pattern", PATTERN, "--yes", check=None)
        assert "still running, and recording it: sh -c" in told.stderr and SECRET not in told.stderr
        assert lab.run("forget", "%1", "--yes", check=2).stderr.endswith("forget it when it has ended\n")
    finally:
        running.communicate("\n", timeout=60)
    assert running.returncode == 0
    lab.settle()
    assert "made" in lab.run("log").stdout or lab.run("lineage", "made").stdout
    lab.run("forget", "--pattern", PATTERN, "--contents", "--yes")
    assert holding(lab.root, SECRET) == []
    assert lab.provdb.json("doctor")["healthy"]


def test_it_asks_on_a_terminal_and_refuses_without_one(sample: Sample, provdb: Any) -> None:
    refused = provdb("forget", "model.pkl", check=2)
    assert "give --yes" in refused.stderr
    assert "nothere.txt" in provdb("forget", "nothere.txt", check=2).stderr
    assert "name one thing to forget" in provdb("forget", check=2).stderr
    assert "nothing here matches" in provdb("forget", "--pattern", "Zq7nowhere", check=1).stderr
    front, back = pty.openpty()
    for answer, status in (("n\n", 1), ("y\n", 0)):
        os.write(front, answer.encode())
        done = provdb("forget", "model.pkl", stdin=back, check=status)
        assert "remove for good?" in done.stderr and "would go: from" in done.stderr
        kept = provdb("restore", "model.pkl", "-o", "-", check=None).returncode == 0
        assert kept is bool(status)
    os.close(front)
    os.close(back)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name one thing to forget"),
        (["model.pkl", "--agent", "Bob"], "name one thing to forget"),
        (["model.pkl", "--contents"], "--contents goes with --pattern"),
        (["--pattern", "a("], "no regular expression"),
        (["--pattern", "x*"], "would match everything"),
        (["--agent", "Nobody"], "nobody is called 'Nobody'; `provdb agents list`"),
        (["agent:Bob"], "forgotten with --agent"),
        (["nosuch.txt"], "nosuch.txt"),
    ],
)
def test_a_wrong_question_changes_nothing(sample: Sample, provdb: Any, words: list[str], said: str) -> None:
    before = envelopes(sample.root)
    assert said in provdb("forget", *words, "--yes", check=2).stderr
    assert envelopes(sample.root) == before


def test_the_pattern_may_come_from_standard_input(sample: Sample, provdb: Any) -> None:
    provdb("annotate", "model.pkl", f"x={SECRET}")
    provdb("forget", "--pattern", "-", "--yes", input=f"{PATTERN}\n")
    assert holding(sample.root, SECRET) == []


def test_python_twin(sample: Sample, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    with provgraph.open(sample.root) as project:
        project.annotate("model.pkl", {"x": SECRET})
        told = project.forget(pattern=PATTERN, dry_run=True)
        assert told.keys == {"x": 1} and not told.done
        assert not project.forget(pattern=PATTERN, ask=lambda found: False).done
        assert project.forget(pattern=PATTERN).done
        assert project.show("model.pkl").vertex.properties["x"] == "***"
    assert holding(sample.root, SECRET) == []


def test_a_program_that_is_open_meanwhile_answers_anew(
    sample: Sample, provdb: Any, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    query = "MATCH (a:Artifact) WHERE a.path ENDS WITH '.pkl' RETURN a.path"
    with provgraph.open(sample.root) as project:
        assert project.cypher(query).rows == (("model.pkl",),)
        assert len(project.segment(destinations=["model.pkl"])) > 5
        provdb("forget", "--pattern", "model", "--yes")
        assert project.cypher(query).rows == (("***.pkl",),)
        found = project.segment(destinations=["***.pkl"])
        assert {v.properties["path"] for v in found if "Snapshot" in v.labels} >= {"***.pkl", "config.yaml"}


def test_a_pattern_leaves_what_is_ours_alone(sample: Sample, provdb: Any) -> None:
    """Labels, relations, times, numbers and uids are no texts of people's."""
    before = provdb.json("lineage", "model.pkl")
    provdb("forget", "--pattern", r"2026|Entity|Command|used|seccomp|[0-9a-f]{4}-|^\d+$", "--yes", check=None)
    after = provdb.json("lineage", "model.pkl")
    for one, other in zip(before["vertices"], after["vertices"], strict=True):
        assert one["uid"] == other["uid"] and one["labels"] == other["labels"]
        for key in ("started_at", "created_at", "number", "sequence", "capture", "sha256", "exit_status"):
            assert one["properties"].get(key) == other["properties"].get(key)
    assert [(e["type"], e["source"], e["target"]) for e in before["edges"]] == [
        (e["type"], e["source"], e["target"]) for e in after["edges"]
    ]
