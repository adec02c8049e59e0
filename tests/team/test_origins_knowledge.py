"""What ingestion asks is of this disk; what people ask is of all clones, each under its name."""

import shutil
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from two_clones import find_file, pull, run_command, two_clones

from provgraph.errors import UnknownReferenceError
from provgraph.graph.naming import display_name
from provgraph.graph.reader import ActivityFilter
from provgraph.queries.history import history
from provgraph.queries.places import Places
from provgraph.queries.references import resolve
from provgraph.stores import EmbeddedStore, init_project, open_store

Clones = tuple[EmbeddedStore, EmbeddedStore]


@pytest.fixture
def clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clones]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with two_clones(tmp_path) as found:
        yield found


def places(store: EmbeddedStore) -> Places:
    return Places(zone=UTC, origin=store.origin, origins=store.clones().by_name)


def at(minute: int) -> str:
    return f"2026-11-20T12:{minute:02}:00+00:00"


def test_knowledge_is_of_this_disk(clones: Clones) -> None:
    a, b = clones
    own = run_command(b, "test", writes=("shared",), at=at(1), person="b")
    run_command(a, "train", writes=("model", "shared"), at=at(2))
    run_command(a, "train", writes=("model", "shared"), at=at(3))
    pull(b, a)
    known = b.knowledge
    assert known.known("model") is None
    shared = known.known("shared")
    assert shared is not None and (shared.uid, shared.sequence, shared.generator) == (own["shared"], 1, own[""])
    assert [found.path for found in known.known_below("")] == ["shared"]
    assert known.next_activity_number() == 2
    assert known.agent("SoftwareAgent", "train") is None
    assert known.agent("SoftwareAgent", "test") is not None
    assert known.newest_version() == own["version"]
    assert known.unhashed() == []


def test_what_a_colleague_deleted_is_still_here(clones: Clones) -> None:
    a, b = clones
    model = run_command(b, "train", writes=("model",), person="b")["model"]
    pull(a, b)
    with a.journal.batch() as batch:
        event = batch.event("activity.ended", at(5))
        rm = event.vertex(
            ["Activity", "Command"], {"name": "rm #1", "number": 1, "started_at": at(5), "ended_at": at(5)}
        )
        event.edge("wasInvalidatedBy", model, rm)
    pull(b, a)
    known = b.knowledge.known("model")
    assert known is not None and not known.invalidated
    assert b.reader.snapshots("model")[0].invalidated


def test_paths_are_the_newest_of_all_and_numbers_are_mine(clones: Clones) -> None:
    a, b = clones
    for minute in (1, 3, 5):
        run_command(a, "train", writes=("model",), at=at(minute))
    mine = [run_command(b, "test", writes=("model",), at=at(minute), person="b")["model"] for minute in (2, 4)]
    theirs = [row.uid for row in a.reader.snapshots("model")]
    pull(b, a)
    pull(a, b)
    short = a.origin[-6:]
    there = places(b)

    def one(reference: str) -> str:
        (uid,) = resolve(b.reader, reference, there).uids
        return uid

    assert one("model") == theirs[2]
    assert one("model@2") == mine[1] and one("model@-1") == mine[1] and one("model@-2") == mine[0]
    assert one("model@3") == theirs[2]  # nobody else has a third
    assert one(f"{short}:model@1") == theirs[0] and one(f"{short}:model@-1") == theirs[2] and one(f"{short}:model")
    assert one(f"{a.origin}:model@2") == theirs[1]
    assert one("model@2026-11-20T12:04Z") == mine[1]
    assert resolve(b.reader, "model@*", there).uids == (theirs[0], mine[0], theirs[1], mine[1], theirs[2])
    with pytest.raises(UnknownReferenceError, match=f"there is {short}:model@1 … {short}:model@3"):
        one("model@7")
    with pytest.raises(UnknownReferenceError, match="there is no model@-3"):
        one("model@-3")
    assert [row.uid for row in a.reader.snapshots("model")] == [row.uid for row in b.reader.snapshots("model")]
    assert [row.own for row in b.reader.snapshots("model")] == [False, True, False, True, False]


def test_commands_count_for_each_clone(clones: Clones) -> None:
    a, b = clones
    first = run_command(b, "test", at=at(1), person="b")[""]
    run_command(a, "train", at=at(2))
    second = run_command(b, "test", at=at(3), person="b")[""]
    newest = run_command(a, "train", at=at(4))[""]
    pull(b, a)
    assert resolve(b.reader, "%1", places(b)).uids == (second,)
    assert resolve(b.reader, "%2", places(b)).uids == (first,)
    with pytest.raises(UnknownReferenceError, match="no command %3"):
        resolve(b.reader, "%3", places(b))
    rows = history(b.reader, ActivityFilter()).to_dicts()
    short = a.origin[-6:]
    assert [(row["n"], row["name"]) for row in rows] == [
        (None, f"{short}:train #2"), (1, "test #2"), (None, f"{short}:train #1"), (2, "test #1"),
    ]  # fmt: skip
    assert resolve(b.reader, f"{short}:train #2", places(b)).uids == (newest,)
    assert resolve(b.reader, "test #1", places(b)).uids == (first,)


def test_names_say_whose_a_vertex_is_wherever_it_comes_from(clones: Clones) -> None:
    a, b = clones
    model = run_command(a, "train", writes=("model",), at=at(1))
    pull(b, a)
    report = run_command(b, "test", reads=(model["model"],), writes=("report",), at=at(2), person="b")
    short = a.origin[-6:]
    expected = {"report@1", "test #1", f"{short}:model@1", f"{short}:train #1", "Ada", "Bea", "test", "train"}
    found = b.reader.ancestors([report["report"]])
    assert {display_name(vertex) for vertex in found} == expected
    assert {display_name(found[vertex.uid]) for vertex in found} == expected
    whole = b.reader.whole()
    assert expected < {display_name(vertex) for vertex in whole}
    walk = b.reader.walk([report["report"]])
    assert display_name(walk[report["report"]]) == "report@1"
    assert {display_name(v) for v in b.reader.vertices(list(model.values()))} >= {
        f"{short}:model@1",
        f"{short}:train #1",
    }
    assert {display_name(v) for v in found.induced([model["model"]])} == {f"{short}:model@1"}
    assert "mark" not in found[model["model"]].to_json()


def test_a_clone_of_a_copied_folder_goes_on_where_it_was_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "old").mkdir()
    with init_project(str(tmp_path / "old")) as old:
        before = run_command(old, "train", writes=("model",), at=at(1))
    shutil.copytree(tmp_path / "old", tmp_path / "new", symlinks=True, ignore=shutil.ignore_patterns("bell"))
    with open_store(str(tmp_path / "old"), write=True) as old, open_store(str(tmp_path / "new"), write=True) as new:
        assert old.origin != new.origin
        after = run_command(old, "train", writes=("model",), at=at(2))
        mine = run_command(new, "test", writes=("model",), at=at(3))
        assert new.journal.lineage() == {new.origin: (1 << 63) - 1, old.origin: 3}
        pull(new, old)
        pull(old, new)
        short = old.origin[-6:]
        known = new.knowledge.known("model")
        assert known is not None and (known.uid, known.sequence) == (mine["model"], 2)
        assert new.knowledge.next_activity_number() == 3
        assert [row.own for row in new.reader.snapshots("model")] == [True, False, True]
        assert resolve(new.reader, "model@1", places(new)).uids == (before["model"],)
        assert resolve(new.reader, "model@2", places(new)).uids == (mine["model"],)
        assert resolve(new.reader, f"{short}:model@2", places(new)).uids == (after["model"],)
        assert display_name(new.reader.vertices([after["model"]])[0]) == f"{short}:model@2"
        assert display_name(new.reader.vertices([before["model"]])[0]) == "model@1"
        theirs = old.knowledge.known("model")
        assert theirs is not None and theirs.uid == after["model"]
        assert [row.own for row in old.reader.snapshots("model")] == [True, True, False]
        for store in (old, new):
            digest = store.digest()
            assert store.rebuild() == digest


def test_what_a_copy_deleted_is_still_in_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "old").mkdir()
    with init_project(str(tmp_path / "old")) as old:
        found = find_file(old, "data")
    shutil.copytree(tmp_path / "old", tmp_path / "new", symlinks=True, ignore=shutil.ignore_patterns("bell"))
    with open_store(str(tmp_path / "old"), write=True) as old, open_store(str(tmp_path / "new"), write=True) as new:
        with new.journal.batch() as batch:
            event = batch.event("activity.ended", at(5))
            rm = event.vertex(["Activity", "Command"], {"name": "rm #1", "number": 1, "started_at": at(5)})
            event.edge("wasInvalidatedBy", found, rm)
            event.edge("wasGeneratedBy", found, rm)
        pull(old, new)
        here, there = old.knowledge.known("data"), new.knowledge.known("data")
        assert here is not None and not here.invalidated and here.generator is None
        assert there is not None and there.invalidated and there.generator == rm


def test_programs_of_several_clones_are_one_to_whoever_asks(clones: Clones) -> None:
    a, b = clones
    mine, theirs = run_command(b, "train", at=at(1), person="b")[""], run_command(a, "train", at=at(2))[""]
    pull(b, a)
    assert len(b.reader.agents_named("train")) == 2
    assert len(resolve(b.reader, "agent:train", places(b)).uids) == 1
    assert [v.uid for v in b.reader.activities(ActivityFilter(agent="train"))] == [theirs, mine]
