"""Real commands in two clones: what a colleague did is part of the answers, and never of what is noticed here."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from laboratory import Lab
from two_clones import pull_between

from provgraph.model.identity import Namespace
from provgraph.session.transfers import notice_transfers
from provgraph.stores import open_store


@pytest.fixture
def labs(tmp_path: Path, make_provdb: Callable[..., Any]) -> Iterator[tuple[Lab, Lab]]:
    """Ada's and Bea's folder, one project."""
    (tmp_path / "ada").mkdir()
    (tmp_path / "bea").mkdir()
    ada = Lab(make_provdb(tmp_path / "ada", GIT_AUTHOR_NAME="Ada", GIT_AUTHOR_EMAIL="ada@example.org"))
    bea = Lab(make_provdb(tmp_path / "bea", GIT_AUTHOR_NAME="Bea", GIT_AUTHOR_EMAIL="bea@example.org"))
    ada.run("init", "--share")
    with open_store(str(ada.root), write=False) as store:
        bea.run("init", "--join", store.project)
    yield ada, bea
    for lab in (ada, bea):
        lab.run("status", check=None)


def give_files(source: Lab, target: Lab) -> None:
    """What git or scp does: bytes, without a word of where they came from."""
    for file in source.root.iterdir():
        if file.is_file() and not file.name.startswith("."):
            shutil.copy(file, target.root / file.name)


def pull(target: Lab, source: Lab) -> int:
    source.settle()
    target.settle()
    return pull_between(target.root, source.root)


def named_of_others(lab: Lab) -> list[tuple[str, str]]:
    """(kind of an event of this clone, what it names of what other clones recorded)."""
    theirs: dict[str, str] = {}
    found = []
    with open_store(str(lab.root), write=False) as store:
        namespace, own = Namespace(store.project), store.origin
        for event in store.events():
            if event.origin != own:
                for place, row in enumerate(event.body.get("vertices", ())):
                    if len(row) == 2:
                        uid = namespace.vertex(event.origin, event.origin_seq, place)
                        theirs[uid] = f"{row[0][-1]} {row[1].get('path', '')}@{row[1].get('sequence', '')}"
        for event in store.events():
            if event.origin == own:
                uids = [row[0] for row in event.body.get("set", ())]
                uids += [end for row in event.body.get("edges", ()) for end in row[1:3] if isinstance(end, str)]
                found += [(event.kind, theirs[uid]) for uid in uids if uid in theirs]
    return found


def test_a_colleagues_states_are_never_taken_for_states_here(labs: tuple[Lab, Lab]) -> None:
    ada, bea = labs
    ada.write("data.csv", "3\n1\n2\n")
    ada.run("sh", "-c", "sort data.csv > sorted.csv")
    ada.write("data.csv", "9\n8\n7\n")
    ada.run("sh", "-c", "sort data.csv > sorted.csv; cp sorted.csv kept.csv; rm kept.csv")
    bea.write("sorted.csv", "other bytes\n")
    bea.write("kept.csv", "kept here\n")
    assert pull(bea, ada) > 0
    bea.run("sh", "-c", "cat sorted.csv kept.csv > both.csv; echo more >> sorted.csv")
    bea.write("data.csv", "5\n")
    bea.run("sh", "-c", "sort data.csv > sorted.csv")
    bea.write("sorted.csv", "edited\n")
    bea.run("status")
    bea.settle()
    assert named_of_others(bea) == []
    with open_store(str(bea.root), write=False) as store:
        own = [row for row in store.reader.snapshots("sorted.csv") if row.own]
        assert [row.sequence for row in own] == [1, 2, 3, 4]
        assert [row.sequence for row in store.reader.snapshots("sorted.csv") if not row.own] == [1, 2]
        numbers = [v.properties["number"] for v in store.reader.activities(_own_commands())]
        assert sorted(numbers) == [1, 2]
        assert store.graph.execute("SELECT * FROM violation").fetchall() == []
    graph = bea.graph()
    unseen = [uid for uid in graph.of("Unseen") if graph.targets("used", uid)]
    changed = {graph.vertices[uid]["path"] for one in unseen for uid in graph.sources("wasGeneratedBy", one)}
    assert len(unseen) == 2 and changed == {"data.csv", "sorted.csv"}  # Ada's, and Bea's at the end: nothing else
    assert graph.is_acyclic()


def _own_commands() -> Any:
    from provgraph.graph.reader import ActivityFilter

    return ActivityFilter(unseen=False, own=True)


def test_a_file_that_came_over_is_joined_and_the_answers_cross_the_clones(labs: tuple[Lab, Lab]) -> None:
    ada, bea = labs
    ada.write("data.csv", "3\n1\n2\n")
    ada.run("sh", "-c", "sort data.csv > sorted.csv")
    ada.settle()
    give_files(ada, bea)
    bea.run("sh", "-c", "head -n 1 sorted.csv > first.csv")
    pull(bea, ada)
    assert named_of_others(bea) == []
    with open_store(str(bea.root), write=True) as store:
        assert notice_transfers(store) == 1
        assert notice_transfers(store) == 0
        short = store.clones().mark(next(origin for origin in store.clones().names if origin != store.origin))
    pull(ada, bea)
    tree = bea.run("lineage", "first.csv", "--times", "utc").stdout
    assert f"{short}:sorted.csv@1" in tree and f"{short}:data.csv@1" in tree and "(Ada," in tree and "(Bea," in tree
    log = bea.provdb.json("log")
    names = [row[2] for row in log["rows"]]
    assert f"{short}:sh #1" in names and "sh #1" in names and "transfer of sorted.csv" in names
    shown = bea.provdb.json("show", f"{short}:sorted.csv@1")
    assert shown["name"] == f"{short}:sorted.csv@1"
    assert bea.run("show", "%1").stdout.startswith("sh #1")
    theirs = ada.provdb.json("lineage", "first.csv")
    ours = bea.provdb.json("lineage", "first.csv")
    assert _without_restorable(theirs["vertices"]) == _without_restorable(ours["vertices"])
    assert theirs["edges"] == ours["edges"]
    # What goes on here goes on from the state here.
    bea.run("sh", "-c", "echo 4 >> sorted.csv")
    bea.run("status")
    assert {kind for kind, _ in named_of_others(bea)} == {"transfer.noticed"}


def _without_restorable(vertices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for vertex in vertices:
        vertex["properties"].pop("restorable", None)
    return vertices


def test_declared_provenance_and_annotations_in_two_clones(labs: tuple[Lab, Lab]) -> None:
    ada, bea = labs
    ada.write("a.csv", "1\n")
    ada.run("record", "--generated", "a.csv", "--param", "lr=1")
    bea.write("a.csv", "2\n")
    pull(bea, ada)
    bea.run("record", "--used", "a.csv", "--generated", "a.csv", "--param", "lr=2")
    assert named_of_others(bea) == []
    with open_store(str(bea.root), write=False) as store:
        foreign = [row for row in store.reader.snapshots("a.csv") if not row.own]
    bea.run("annotate", foreign[0].uid, "note=looks wrong")
    pull(ada, bea)
    assert ada.provdb.json("show", "a.csv@1")["vertex"]["properties"]["note"] == "looks wrong"
    assert bea.run("doctor", check=None).returncode in (0, 1)
    for lab in labs:
        with open_store(str(lab.root), write=True) as store:
            digest = store.digest()
            assert store.rebuild() == digest
