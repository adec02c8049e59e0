"""Rules 20 and 22 to 23 of docs/semantics.md: properties and identity."""

import base64
import os
import shutil
import subprocess

from provgraph.stores import open_store


def test_rule_20_paths_that_are_no_utf8(lab):
    raw = b"caf\xe9 \n'\".txt"
    with open(os.fsencode(lab.root) + b"/" + raw, "wb") as file:
        file.write(b"x\n")
    subprocess.run(
        [os.fsencode(word) for word in (shutil.which("provdb") or "provdb", "cat")] + [raw],
        cwd=lab.root,
        env=lab.provdb.environment,
        check=True,
        capture_output=True,
    )
    graph = lab.graph()
    (uid,) = graph.targets("used", graph.of("Command")[0])[:1] or [None]
    snapshot = next(
        vertex for vertex in graph.vertices.values() if "Snapshot" in vertex["labels"] and "path_bytes" in vertex
    )
    assert snapshot["path"] == "caf%E9 \n'\".txt"
    assert base64.b64decode(snapshot["path_bytes"]) == raw
    assert uid is not None


def test_rule_22_a_project_keeps_its_identity_a_copy_gets_an_origin(lab, tmp_path):
    lab.run("true")
    lab.settle()
    with open_store(str(lab.root), write=False) as store:
        project, origin = store.project, store.origin
    copy = tmp_path / "copy"
    shutil.copytree(lab.root, copy, symlinks=True, copy_function=shutil.copy2, ignore=shutil.ignore_patterns("bell"))
    lab.run("true", cwd=copy)
    lab.run("status", cwd=copy, check=None)
    with open_store(str(copy), write=False) as store:
        assert store.project == project
        assert store.origin != origin
        assert {event.origin for event in store.events()} == {origin, store.origin}


def test_rule_22_clones_of_one_repository_are_one_project(provdb, repository, tmp_path):
    provdb("init")
    clone = tmp_path / "clone"
    provdb.command(["git", "clone", "-q", str(repository), str(clone)])
    provdb("init", cwd=clone)
    with open_store(str(repository), write=False) as one, open_store(str(clone), write=False) as other:
        assert one.project == other.project
        assert one.origin != other.origin


def test_rule_23_the_projection_is_rebuilt_from_the_journal(lab):
    lab.write("in", "1\n")
    lab.run("sh", "-c", "cat in > out; mv out moved")
    lab.write("in", "2\n")
    lab.run("sh", "-c", "cat in > out; rm moved")
    lab.settle()
    with open_store(str(lab.root), write=True) as store:
        before = store.digest()
        store.rebuild()
        assert store.digest() == before
    lab.run("doctor", "--rebuild")
    with open_store(str(lab.root), write=False) as store:
        assert store.digest() == before


def test_a_store_made_anew_is_not_robbed_by_the_ingester_of_the_removed_one(lab):
    lab.run("touch", "a")
    lab.provdb("log")
    shutil.rmtree(lab.root / ".provdb")
    lab.provdb("init")
    lab.run("touch", "b")
    assert [row[2] for row in lab.provdb.json("log")["rows"]] == ["touch #1"]
