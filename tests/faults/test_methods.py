"""Every capture method through ingestion to answered questions; and what must never be written anywhere."""

import shutil
import sys
import zlib

import pytest

METHODS = ["seccomp", "stat", "strace"]
TRAIN = """
import json, sys
config = json.load(open("config.json"))
rows = [float(line) for line in open("data.csv")]
json.dump({"mean": sum(rows) / len(rows) * config["scale"]}, open("model.json", "w"))
print("trained")
"""


def _prepared(lab) -> None:
    lab.write("raw.csv", "3\n1\n2\n")
    lab.write("config.json", '{"scale": 2}')
    lab.write("train.py", TRAIN)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kept", [False, True], ids=["plain", "output kept"])
def test_lineage_by_each_method(lab, sound, method, kept):
    if method == "strace" and not shutil.which("strace"):
        pytest.skip("no strace here")
    _prepared(lab)
    options = ["run", "--capture", method, *(["--keep-output"] if kept else []), "--"]
    lab.run(*options, "sort", "raw.csv", "-o", "data.csv")
    trained = lab.run(*options, sys.executable, "train.py")
    assert trained.stdout == "trained\n"
    lab.run(*options, "cp", "model.json", "best.json")
    graph = sound(lab)
    best = graph.generator(graph.snapshots("best.json")[0])
    train = graph.generator(graph.snapshots("model.json")[0])
    assert graph.vertices[train]["capture"] == method
    assert graph.used(best) == {"model.json"}
    assert {"train.py", "config.json", "data.csv"} <= graph.used(train)
    assert graph.generated(train) == {"model.json"}
    answer = lab.run("lineage", "best.json").stdout
    for name in ("model.json@1", "data.csv@1", "config.json@1", "train.py@1", "raw.csv@1"):
        assert name in answer
    assert lab.run("lineage", "--path", "raw.csv", "best.json").returncode == 0
    if kept:
        ((output,),) = [[value] for value in [graph.vertices[train]]]
        assert "trained" in str(output)


def test_the_fallback_of_other_systems(lab, sound):
    """PROVDB_CAPTURE=stat: also reads, writes and deletes of shell scripts, and pipelines as one activity."""
    _prepared(lab)
    stat = {"PROVDB_CAPTURE": "stat"}
    lab.run("-c", "sort raw.csv | uniq > data.csv", env=stat)
    lab.run(sys.executable, "train.py", env=stat)
    lab.run("rm", "raw.csv", env=stat)
    graph = sound(lab)
    train = graph.generator(graph.snapshots("model.json")[0])
    first = graph.generator(graph.snapshots("data.csv")[0])
    assert graph.used(train) == {"train.py", "config.json", "data.csv"}
    assert {graph.vertices[uid]["capture"] for uid in (train, first)} == {"stat"}
    assert graph.used(first) == {"raw.csv"}
    (raw,) = graph.snapshots("raw.csv")
    assert graph.targets("wasInvalidatedBy", raw)
    assert "raw.csv@1" in lab.run("lineage", "model.json").stdout


SECRET = "Zq8vKp3xW7nTf2Lr9Yb4"
LINES = [
    ["sh", "-c", f"true --password={SECRET}"],
    ["true", f"--token={SECRET}"],
    ["true", "--api-key", SECRET],
    ["true", f"https://alice:{SECRET}@example.org/data"],
    ["true", "-H", f"Authorization: Bearer {SECRET}"],
    ["sh", "-c", f"DB_PASSWORD={SECRET} true"],
    ["-c", f"true --password={SECRET}; true --token {SECRET} | cat; AWS_SECRET_ACCESS_KEY={SECRET} true"],
    ["run", "--keep-output", "--", "sh", "-c", f"echo password={SECRET}; echo token: {SECRET} >&2"],
    ["run", "--capture", "stat", "--", "true", f"--password={SECRET}"],
    ["run", "--tag", f"token={SECRET}", "--note", f"password={SECRET}", "--", "true"],
    ["sh", "-c", f"sh -c 'true --password={SECRET}'"],
    ["env", f"MY_API_KEY={SECRET}", "true"],
]
ENVIRONMENT = {
    "WANDB_API_KEY": SECRET,
    "PGPASSWORD": SECRET,
    "DATABASE_URL": f"postgres://bob:{SECRET}@db/x",
    "PYTHONHASHSEED": "0",
}


def test_secrets_are_written_nowhere(lab, sound):
    for words in LINES:
        lab.run(*words, env=ENVIRONMENT)
        assert _holding(lab.root / ".provdb") == [], words
    lab.write("in", "1\n")
    lab.run("record", "--used", "in", "--generated", "in", "--command", f"fetch --password={SECRET}", "--note", "x")
    graph = sound(lab)
    assert len(graph.of("Command")) >= len(LINES)
    assert _holding(lab.root / ".provdb") == []
    for words in (["log", "--json"], ["show", "%1"], ["cypher", "MATCH (a:Activity) RETURN a", "--json"]):
        assert SECRET not in lab.run(*words).stdout
    target = lab.root.parent / "backup.tar"
    lab.run("doctor", "--backup", str(target))
    assert SECRET.encode() not in target.read_bytes()


def _holding(store) -> list[str]:
    """The files of a store that hold the secret, packed or not."""
    found = []
    for path in store.rglob("*"):
        if not path.is_file():
            continue
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        if path.parent.parent.name == "objects" and data.endswith(b"\x01"):
            data = zlib.decompress(data[:-1])
        if SECRET.encode() in data:
            found.append(str(path))
    return found


def test_events_in_the_journal_hold_no_secret(lab):
    """The journal packs its events: they are read back one by one."""
    from provgraph.stores import open_store

    for words in LINES:
        lab.run(*words, env=ENVIRONMENT)
    lab.settle()
    with open_store(str(lab.root), write=False) as store:
        told = [str(event.body) for event in store.events()]
    assert told
    assert not [text for text in told if SECRET in text]
