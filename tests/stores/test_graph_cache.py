"""The whole graph of a store: the same from the tables, from the cache, and from a cache that events have overtaken."""

import contextlib
import hashlib
import json
import math
import os
import random
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from provgraph.errors import CorruptError
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import ANCESTRY
from provgraph.stores import EmbeddedStore, array_file, graph_cache, graph_columns, graph_rows, init_project, open_store
from provgraph.stores.reader import SqliteReader

Command = Callable[..., dict[str, str]]
AT = "2026-11-20T12:00:00+00:00"
FILE = ".provdb/cache/graph.arrays"


def plainly(store: EmbeddedStore) -> ProvGraph:
    """The whole graph, read row by row."""
    _, found, edges = store.reader.changes(0)
    vertices = list(found)
    known = {vertex.uid for vertex in vertices}
    return ProvGraph(vertices, [edge for edge in edges if edge.source in known and edge.target in known])


def anew(store: EmbeddedStore) -> ProvGraph:
    """The whole graph, asked as another process would: what this one has in memory does not help."""
    return SqliteReader(store.graph, store.journal, store.namespace, store.objects.__contains__).whole()


def put(path: Path, content: bytes) -> None:
    """As everybody writes here: a file that is mapped into memory is never written to, only replaced."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def copy_cache(begin: Path, end: Path) -> None:
    for path in (begin / ".provdb/cache").iterdir():
        put(end / ".provdb/cache" / path.name, path.read_bytes())


def check(store: EmbeddedStore) -> ProvGraph:
    """The whole graph is what the rows say, in every way to ask."""
    found, expected = anew(store), plainly(store)
    assert store.reader.whole() == expected
    assert json.dumps(found.to_json()) == json.dumps(expected.to_json())
    for uid in expected.uids:
        assert found[uid] == expected[uid]
        assert found.out_edges(uid) == expected.out_edges(uid)
        assert found.in_edges(uid) == expected.in_edges(uid)
        assert found.uid_at(found.position(uid)) == uid  # type: ignore[arg-type]
        assert found.uids_with_prefix(uid[:2]) == expected.uids_with_prefix(uid[:2])
    keys = {key for vertex in expected for key in vertex.properties}
    for key in [*keys, "no such key"]:
        assert column(found, key) == {v.uid: v.properties[key] for v in expected if key in v.properties}
    assert found.label_counts() == store.reader.labels()
    assert found.relation_counts() == expected.relation_counts()
    arrays = found.arrays
    for reverse in (False, True):
        kept, ends = arrays.adjacency(ANCESTRY, reverse=reverse), arrays.targets if reverse else arrays.sources
        assert sorted(kept.edge.tolist()) == np.flatnonzero(arrays.with_relations(ANCESTRY)).tolist()
        for vertex in range(len(found)):
            mine = kept.edge[kept.ptr[vertex] : kept.ptr[vertex + 1]].tolist()
            assert mine == sorted(mine)
            assert all(ends[edge] == vertex for edge in mine)
        assert kept.other.tolist() == (arrays.sources if reverse else arrays.targets)[kept.edge].tolist()
    return found


def column(graph: ProvGraph, key: str) -> dict[str, Any]:
    codes, values = graph.column(key)
    return {graph.uid_at(place): values[code] for place, code in enumerate(codes.tolist()) if code >= 0}


@pytest.fixture
def history(store: EmbeddedStore, command: Command) -> dict[str, str]:
    """prepare → data.csv → train → model.pkl; uids by name."""
    one = command("prepare", writes=("data.csv",))
    two = command("train", reads=(one["data.csv"],), writes=("model.pkl", "log.txt"))
    return {"prepare": one[""], "data": one["data.csv"], "train": two[""], "model": two["model.pkl"]}


@pytest.fixture(params=["written anew", "overtaken"])
def overtaken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that is written anew after every change, as that of a small graph, or never, as that of a large one."""
    if request.param == "overtaken":
        monkeypatch.setattr(graph_cache, "_SMALL", 0)
        monkeypatch.setattr(graph_cache, "_PART", 0)


def test_an_empty_project(store: EmbeddedStore) -> None:
    assert len(check(store)) == 0
    assert check(store).size == 0


@pytest.mark.usefixtures("history")
def test_the_cache_gives_what_the_tables_give(store: EmbeddedStore, folder: Path) -> None:
    made = check(store)
    written = (folder / FILE).stat().st_mtime_ns
    assert check(store) == made
    assert (folder / FILE).stat().st_mtime_ns == written
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("overtaken")
def test_what_events_brought_since_is_there(
    store: EmbeddedStore, command: Command, history: dict[str, str], folder: Path
) -> None:
    check(store)
    for step in range(4):
        check(store)
        command(f"evaluate {step}", reads=(history["model"],), writes=("scores.json", f"new{step}.txt"))
        grown = check(store)
        with store.journal.batch() as batch:
            event = batch.event("properties.annotated", AT)
            event.set(history["model"], metric_f1=step, path=None, n=[step, "a"])
            event.vertex(["Entity", "Dataset"], {}, history["data"])
        annotated = check(store)
        assert annotated[history["model"]].properties["metric_f1"] == step
        assert annotated.count("Dataset") == 1
        assert len(annotated) == len(grown)
    assert (folder / FILE).exists()


@pytest.mark.usefixtures("overtaken", "history")
def test_a_vertex_that_only_an_edge_names_is_none_until_an_event_brings_it(
    store: EmbeddedStore, command: Command
) -> None:
    before, later = check(store), str(uuid.UUID(int=7))
    with store.journal.batch() as batch:
        event = batch.event("activity.ended", AT)
        uid = event.vertex(["Activity", "Command"], {"name": "early"})
        event.edge("used", uid, later)
    named = check(store)
    assert later not in named
    assert (len(named), named.size) == (len(before) + 1, before.size)
    command("other", writes=("x.txt",))
    check(store)
    with store.journal.batch() as batch:
        batch.event("activity.ended", AT).vertex(["Entity", "Snapshot"], {"path": "late", "sequence": 1}, later)
    brought = check(store)
    assert [edge.source for edge in brought.in_edges(later)] == [uid]


def test_edges_that_differ_in_their_role_alone(store: EmbeddedStore, history: dict[str, str]) -> None:
    with store.journal.batch() as batch:
        event = batch.event("properties.annotated", AT)
        for role in ("updated", "inherited", "z"):
            event.edge("used", history["train"], history["data"], role=role, at=AT)
    graph = check(store)
    twins = [edge for edge in graph.out_edges(history["train"]) if edge.target == history["data"]]
    assert {edge.role for edge in twins} == {"", "updated", "inherited", "z"}
    roles = graph.edge_column("role")
    assert sorted(roles.values) == ["inherited", "updated", "z"]
    for place, code in enumerate(roles.codes.tolist()):
        assert graph.edge_at(place).role == (roles.values[code] if code >= 0 else "")


ODD: dict[str, Any] = {
    "restorable": True, "sha256": "ab" * 32, "$float": "nan", "nan": math.inf, "big": 10**30, "one": 1, "yes": True,
    "float": 1.0, "text": 'a "quoted": thing', "words": ["one", '"yes":', "yes"], 'a"b': 1, "ключ": "é",
    "null": [None],
    "name": b"\xff".decode(errors="surrogateescape"), "a.b": [1, 2.0, True, math.nan], "a\\b": "\\", "": "empty",
}  # fmt: skip


@pytest.mark.parametrize("arrow", [True, False])
def test_columns_of_odd_properties(
    store: EmbeddedStore, history: dict[str, str], monkeypatch: pytest.MonkeyPatch, arrow: bool
) -> None:
    monkeypatch.setattr(graph_columns, "_ARROW", arrow and graph_columns._ARROW)
    with store.journal.batch() as batch:
        event = batch.event("properties.annotated", AT)
        event.set(history["model"], **ODD)
        event.set(history["data"], one=True, yes=1, float=1)
    for _ in range(2):  # made, then from the cache
        graph = check(store)
        for key, value in (ODD | {"restorable": False}).items():
            assert repr(column(graph, key)[history["model"]]) == repr(value)
    assert {repr(value) for value in column(graph, "one").values()} == {"1", "True"}


def test_a_value_that_was_removed_is_in_no_file(store: EmbeddedStore, folder: Path, history: dict[str, str]) -> None:
    for value in ("a secret name", None):
        with store.journal.batch() as batch:
            batch.event("properties.annotated", AT).set(history["data"], path=value)
        found = store.reader.whole().column("path")
        kept = b"".join(file.read_bytes() for file in (folder / ".provdb/cache").iterdir())
        assert ("a secret name" in found.values) == (b"a secret name" in kept) == (value is not None)
    check(store)


def test_what_is_restorable_is_asked_of_the_store_each_time(store: EmbeddedStore, history: dict[str, str]) -> None:
    digest = hashlib.sha256(b"data").hexdigest()
    with store.journal.batch() as batch:
        batch.event("properties.annotated", AT).set(history["data"], sha256=digest, restorable=True)
    assert column(store.reader.whole(), "restorable") == {history["data"]: False}
    store.objects.put_bytes(b"data")
    assert column(store.reader.whole(), "restorable") == {history["data"]: True}
    assert store.reader.whole()[history["data"]].properties["restorable"] is True


def test_the_value_outlives_its_store_and_serves_other_threads(
    folder: Path, store: EmbeddedStore, command: Command
) -> None:
    command("train", writes=("model.pkl",))
    store.reader.whole().column("path")
    store.reader.whole().column("name")
    command("between", writes=("between.txt",))
    with open_store(str(folder), write=False) as second:
        graph, plain = second.reader.whole(), plainly(second)
    expected = plain.to_json()
    paths = {v.uid: v.properties["path"] for v in plain if "path" in v.properties}
    names = {v.uid: v.properties["name"] for v in plain if "name" in v.properties}
    assert column(graph, "name") == names  # the cache has it of before, the journal is closed
    found: list[Any] = []
    command("again", writes=("model.pkl", "new.txt"))
    store.reader.whole().column("path")
    thread = threading.Thread(target=lambda: found.append((graph.to_json(), column(graph, "path"))))
    thread.start()
    thread.join()
    assert found[0][0] == graph.to_json() == expected
    assert found[0][1] == column(graph, "path") == paths


@pytest.mark.usefixtures("history")
def test_a_damaged_cache_is_made_anew(store: EmbeddedStore, folder: Path) -> None:
    check(store)
    path, chance = folder / FILE, random.Random(1)
    whole = path.read_bytes()
    damaged = [b"", b"nonsense", whole[:30], whole[: len(whole) // 2], whole[:-1], whole + b"", bytes(len(whole))]
    damaged += [whole.replace(b'"seq":', b'"sek":'), whole.replace(b"arrays 1", b"arrays 9"), b"[]\n" * 100]
    for _ in range(60):
        place = chance.randrange(len(whole))
        damaged.append(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
    for bytes_ in damaged:
        put(path, bytes_)
        check_values(store)
    for column_file in (folder / ".provdb/cache").glob("column-*"):
        put(column_file, column_file.read_bytes()[:-9] + b"\xff" * 9)
    check(store)


def check_values(store: EmbeddedStore) -> None:
    assert anew(store).to_json() == plainly(store).to_json()


def test_a_cache_of_another_journal_is_not_taken(store: EmbeddedStore, command: Command, tmp_path: Path) -> None:
    command("train", writes=("model.pkl",))
    check(store)
    other = tmp_path / "other"
    other.mkdir()
    with init_project(str(other)) as second:
        copy_cache(tmp_path / "project", other)
        check(second)
        copy_cache(tmp_path / "project", other)
        with second.journal.batch() as batch:
            for _ in range(9):
                batch.event("activity.ended", AT).vertex(["Activity"], {"name": "x"})
        check(second)


def test_a_journal_that_was_put_back_to_an_earlier_state(store: EmbeddedStore, command: Command, folder: Path) -> None:
    command("one", writes=("a.txt",))
    backup = folder.with_name("backup")
    shutil.copytree(folder, backup, ignore=shutil.ignore_patterns("bell"))
    command("two", writes=("b.txt",))
    check(store)
    copy_cache(folder, backup)
    with open_store(str(backup), write=True) as earlier:
        check(earlier)
        copy_cache(folder, backup)
        with earlier.journal.batch() as batch:
            for _ in range(3):
                batch.event("activity.ended", AT).vertex(["Activity", "Command"], {"name": "another past"})
        check(earlier)


@pytest.mark.usefixtures("history")
def test_a_rebuilt_projection_has_the_same_rows(store: EmbeddedStore, folder: Path) -> None:
    before, kept = check(store), (folder / FILE).read_bytes()
    store.rebuild()
    assert check(store) == before
    put(folder / FILE, kept)
    assert check(store) == before
    assert (folder / FILE).read_bytes() == kept


@pytest.mark.usefixtures("history")
def test_what_was_kept_of_a_damaged_projection_goes_when_that_is_rebuilt(store: EmbeddedStore) -> None:
    before = check(store)
    store.graph.execute("DELETE FROM edge")
    for kept in (store.folder / "cache").iterdir():
        kept.unlink()
    assert anew(store).size == 0
    store.rebuild()
    assert check(store) == before


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE edge SET target = 9999 WHERE id = 2",
        "UPDATE edge SET source = 0 WHERE id = 2",
        "UPDATE edge SET source = -7 WHERE id = 2",
        "UPDATE vertex SET uid = x'00' WHERE id = 2",
        "UPDATE labelset SET kind = 'Thing' WHERE id = 1",
        "UPDATE labelset SET labels = '[' WHERE id = 1",
    ],
)
def test_tables_that_name_what_is_not_there_are_said_to_be_damaged(
    store: EmbeddedStore, history: dict[str, str], damage: str
) -> None:
    assert history
    store.graph.execute(damage)
    with pytest.raises(CorruptError, match="provdb doctor --rebuild"):
        store.reader.whole()
    store.rebuild()
    check(store)


@pytest.mark.parametrize("name", ["sources", "targets", "kinds", "labels", "order", "other0", "edge1", "ptr0"])
@pytest.mark.parametrize("wrong", [9999, -7])
@pytest.mark.usefixtures("history")
def test_a_cache_whose_sums_are_right_is_not_taken_where_its_numbers_are_wrong(
    store: EmbeddedStore, folder: Path, name: str, wrong: int
) -> None:
    """As one that came with somebody else's store: compiled walks do not look where a number leads."""
    before = check(store)
    kept = array_file.read(folder / FILE)
    assert kept is not None
    kept.arrays[name][-1] = wrong if kept.arrays[name].dtype != np.int8 else 100
    array_file.write(folder / FILE, kept.head, kept.arrays)
    assert graph_cache.read_kept(folder / FILE, kept.head["stamp"]) is None
    assert check(store) == before


@pytest.mark.usefixtures("history")
def test_a_column_whose_sums_are_right_is_not_taken_where_its_numbers_are_wrong(
    store: EmbeddedStore, folder: Path
) -> None:
    check(store)
    for path in (folder / ".provdb/cache").glob("column-*"):
        kept = array_file.read(path)
        assert kept is not None
        if len(kept.arrays["codes"]):
            array_file.write(path, kept.head, {**kept.arrays, "codes": kept.arrays["codes"] + np.int32(99)})
    check(store)
    for path in (folder / ".provdb/cache").glob("column-*"):
        kept = array_file.read(path)
        assert kept is not None
        longer = np.concatenate([kept.arrays["codes"]] * 9 + [np.full(9, -1, np.int32)])
        array_file.write(path, kept.head, {**kept.arrays, "codes": longer})
    check(store)


def test_values_that_are_held_hold_no_files(store: EmbeddedStore, command: Command, history: dict[str, str]) -> None:
    def files() -> int:
        return len(os.listdir("/dev/fd"))

    check(store)
    before = files()
    held = [store.reader.whole() for _ in range(20)]
    assert [graph[history["model"]].properties["path"] for graph in held] == ["model.pkl"] * 20
    assert files() <= before + 1
    command("later", writes=("z.txt",))
    assert len(check(store)) > len(held[0])


@pytest.mark.usefixtures("history")
def test_a_cache_that_was_thrown_away_comes_back(store: EmbeddedStore, folder: Path) -> None:
    cache = folder / ".provdb/cache"
    shutil.rmtree(cache)
    check(store)
    assert (folder / FILE).exists()
    assert cache.stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("history")
def test_where_nothing_can_be_written(store: EmbeddedStore, folder: Path) -> None:
    cache = folder / ".provdb/cache"
    shutil.rmtree(cache)
    cache.write_text("in the way")
    check(store)
    assert cache.read_text() == "in the way"


@pytest.mark.usefixtures("history")
def test_tables_that_are_only_in_memory(store: EmbeddedStore) -> None:
    """As on read-only media where the projection is not what the journal says."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        store.graph.backup(db)
        reader = SqliteReader(db, store.journal, store.namespace, store.objects.__contains__)
        graph = reader.whole()
    assert graph.to_json() == plainly(store).to_json()
    assert column(graph, "path")


def test_many_readers_beside_a_writer(store: EmbeddedStore, command: Command, folder: Path) -> None:
    command("first", writes=("a.txt",))
    rounds: list[int] = []

    def read() -> None:
        with open_store(str(folder), write=False) as mine:
            for _ in range(15):
                graph = mine.reader.whole()
                assert len(graph.column("path").codes) == len(graph)
                assert all(edge.source in graph and edge.target in graph for edge in graph.edges)
                paths = {v.uid: v.properties["path"] for v in graph if "path" in v.properties}
                assert column(graph, "path") == paths
        rounds.append(1)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for step in range(15):
        command(f"step {step}", writes=(f"{step}.txt",))
    for thread in threads:
        thread.join()
    assert len(rounds) == 3
    assert not list((folder / ".provdb/cache").glob(".*.new"))
    check(store)


def test_what_a_killed_writer_left_is_cleared_away(store: EmbeddedStore, folder: Path, command: Command) -> None:
    left = folder / ".provdb/cache/.graph.arrays.1.1.new"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    command("train", writes=("a.txt",))
    check(store)
    assert not left.exists()


def test_edges_of_a_relation_that_this_version_lacks_are_left_out_with_a_note(
    store: EmbeddedStore, history: dict[str, str]
) -> None:
    expected = check(store)
    with store.journal.batch() as batch:
        event = batch.event("properties.annotated", AT)
        event.edge("wasPaintedBy", history["train"], history["data"])
    graph = store.reader.whole()
    assert graph == expected
    assert graph.notes == ("1 edge left out, of a relation that this version does not know",)


@pytest.mark.usefixtures("history")
def test_row_ids_may_have_gaps(store: EmbeddedStore) -> None:
    store.graph.execute("DELETE FROM edge WHERE id IN (2, 3)")
    alone = store.graph.execute(
        "SELECT id FROM vertex WHERE id NOT IN (SELECT source FROM edge UNION SELECT target FROM edge)"
    ).fetchone()
    store.graph.execute("DELETE FROM vertex WHERE id = ?", alone or (-1,))
    check(store)
    check(store)


def test_uids_that_begin_alike_are_in_order() -> None:
    chance = np.random.default_rng(1)
    uids = chance.integers(0, 256, (200, 16), np.uint8)
    uids[:150, :8] = uids[0, :8]
    order = graph_rows.order_of(uids)
    assert [uids[place].tobytes() for place in order] == sorted(uid.tobytes() for uid in uids)
    for place in range(200):
        assert order[graph_rows.first_from(uids, order, uids[place].tobytes())] == place
