"""Questions that the embedded store answers."""

import contextlib
import re
import sqlite3
from collections.abc import Callable

import pytest

from provgraph.graph.reader import ActivityFilter
from provgraph.stores import EmbeddedStore, open_store
from provgraph.stores.globs import glob_pattern

AT = "2026-11-20T12:00:0{}+00:00"
Command = Callable[..., dict[str, str]]


@pytest.fixture
def chain(store: EmbeddedStore, command: Command) -> dict[str, str]:
    """prepare → data.csv → train → out/model.pkl (twice) → report → report.md; uids by name."""
    one = command("prepare", writes=("data.csv",), at=AT.format(1))
    two = command("train", reads=(one["data.csv"],), writes=("out/model.pkl",), at=AT.format(2))
    three = command("train", reads=(one["data.csv"],), writes=("out/model.pkl",), at=AT.format(3))
    four = command("report", reads=(three["out/model.pkl"],), writes=("report.md",), at=AT.format(4))
    return {
        "prepare": one[""], "data": one["data.csv"], "train1": two[""], "model1": two["out/model.pkl"],
        "train2": three[""], "model2": three["out/model.pkl"], "report": four[""], "md": four["report.md"],
        "ada": store.namespace.person("ada@x.org"),
    }  # fmt: skip


def names(store: EmbeddedStore, chain: dict[str, str], **options: object) -> set[str]:
    start = str(options.pop("start", chain["md"]))
    graph = store.reader.ancestors([start], **options)  # type: ignore[arg-type]
    back = {uid: name for name, uid in chain.items()}
    return {back[vertex["uid"]] for vertex in graph.to_json()["vertices"]}


def test_ancestors(store: EmbeddedStore, chain: dict[str, str]) -> None:
    """Rule 12: used and wasGeneratedBy alone, then the agents."""
    everything = {"md", "report", "model2", "train2", "data", "prepare", "ada"}
    assert names(store, chain) == everything
    assert names(store, chain, revisions=True) == everything | {"model1", "train1"}
    assert names(store, chain, depth=1) == {"md", "report", "model2", "ada"}
    assert names(store, chain, depth=2) == {"md", "report", "model2", "train2", "data", "ada"}
    assert names(store, chain, depth=0) == {"md"}
    assert names(store, chain, start=chain["data"], downstream=True) == {
        "data", "train1", "train2", "model1", "model2", "report", "md", "ada",
    }  # fmt: skip
    assert store.reader.ancestors(["00000000-0000-0000-0000-000000000000"]).to_json()["vertices"] == []


def test_two_edges_to_one_vertex_are_walked(store: EmbeddedStore, chain: dict[str, str]) -> None:
    """Edges may differ in their role alone: what a command read itself, and inherited from the one before a pipe."""
    with store.journal.batch() as batch:
        batch.event("activity.progressed", AT.format(5)).edge(
            "used", chain["report"], chain["model2"], role="inherited"
        )
    walk = store.reader.walk([chain["report"]])
    assert [edge.role for edge in walk.out_edges(chain["report"]) if edge.type == "used"].count("inherited") == 1
    assert walk[chain["model2"]].properties["path"] == "out/model.pkl"


def test_environments_are_left_out(store: EmbeddedStore, chain: dict[str, str]) -> None:
    with store.journal.batch() as batch:
        event = batch.event("activity.progressed", AT.format(5))
        environment = event.vertex(
            ["Entity", "Snapshot", "Environment"], {"path": ".venv", "sequence": 1, "created_at": AT.format(0)}
        )
        event.edge("used", chain["report"], environment)
    chain["environment"] = environment
    assert "environment" not in names(store, chain) and "environment" not in names(store, chain, depth=1)
    assert "environment" in names(store, chain, environment=True)
    assert names(store, chain, start=environment) == {"environment"}


def test_snapshots(store: EmbeddedStore, chain: dict[str, str]) -> None:
    rows = store.reader.snapshots("out/model.pkl")
    assert [(row.uid, row.sequence) for row in rows] == [(chain["model1"], 1), (chain["model2"], 2)]
    assert [row.uid for row in store.reader.snapshots_matching("out/*.pkl")] == [chain["model1"], chain["model2"]]
    assert store.reader.snapshots_matching("*.pkl") == []
    assert {row.path for row in store.reader.snapshots_matching("**/*")} == {"data.csv", "out/model.pkl", "report.md"}
    assert store.reader.paths_like("model.pkl")[0] == "out/model.pkl"
    assert store.reader.paths_like("dota.csv") == ["data.csv"]
    assert store.reader.uids_with_prefix(chain["md"][:8]) == [chain["md"]]
    assert store.reader.uids_with_prefix("nonsense") == []


def test_activities(store: EmbeddedStore, chain: dict[str, str]) -> None:
    found = [vertex.properties["name"] for vertex in store.reader.activities(ActivityFilter())]
    assert found == ["report", "train", "train", "prepare"]
    assert len(store.reader.activities(ActivityFilter(grep="tr.in", limit=1))) == 1
    assert len(store.reader.activities(ActivityFilter(agent="ADA@x.org", since=AT.format(3)))) == 2
    assert store.reader.activities(ActivityFilter(agent="Eve")) == []
    second = store.reader.nth_activity(2)
    assert second is not None and second.uid == chain["train2"]
    assert store.reader.nth_activity(5) is None and store.reader.nth_activity(0) is None
    assert [agent.properties["name"] for agent in store.reader.agents_named("ada")] == ["Ada"]


def test_what_is_known_to_ingestion(store: EmbeddedStore, chain: dict[str, str]) -> None:
    known = store.knowledge.known("out/model.pkl")
    assert known is not None and (known.uid, known.generator) == (chain["model2"], chain["train2"])
    stat = (2049, 1 << 63, 3, 17 * 10**17, 17 * 10**17, 0o100644)
    store.knowledge.restat([("out/model.pkl", stat), (chain["md"], stat)], AT.format(6))
    for path in ("out/model.pkl", "report.md"):
        known = store.knowledge.known(path)
        assert known is not None and (known.stat, known.seen_at) == (stat, AT.format(6))
    assert [known.path for known in store.knowledge.known_below("out")] == ["out/model.pkl"]
    assert len(store.knowledge.known_below("")) == len(store.knowledge.known_below(store.root)) == 3
    store.knowledge.remember_digests([(stat, "ab" * 32)])
    assert store.knowledge.digest_of(stat) == "ab" * 32
    assert store.knowledge.digest_of((*stat[:5], 0)) == "ab" * 32, "the mode is no part of a content's identity"
    assert store.knowledge.digest_of((1, *stat[1:])) is None
    with store.journal.batch() as batch:
        batch.event("activity.progressed", AT.format(7)).edge("wasInvalidatedBy", chain["model2"], chain["report"])
    assert store.knowledge.known_below("out") == []
    assert store.knowledge.deleted() == ["out/model.pkl"]


def test_what_a_walk_saw(store: EmbeddedStore) -> None:
    stat = (1, 2, 3, 4, 5, 6)
    store.local.see([("a/b", stat), ("a.c", stat), ("n\udcff", stat)], AT.format(1))
    found = store.knowledge.baseline("a/b")
    assert found is not None and (found.stat, found.seen_at) == (stat, AT.format(1))
    assert [path for path, _ in store.knowledge.baseline_below("a")] == ["a/b"]
    assert [path for path, _ in store.knowledge.baseline_below("")] == ["a.c", "a/b", "n%FF"]


def test_a_local_file_of_an_earlier_version_has_a_column_more(store: EmbeddedStore) -> None:
    with contextlib.closing(sqlite3.connect(store.folder / "local.db")) as db:
        db.execute("ALTER TABLE baseline ADD COLUMN absent INTEGER")
    store.local.see([("a", (1, 2, 3, 4, 5, 6))], AT.format(1))
    assert store.knowledge.baseline("a") is not None


def test_a_lost_local_file_is_no_loss(store: EmbeddedStore, chain: dict[str, str]) -> None:
    store.close()
    for path in store.folder.glob("local.db*"):
        path.write_bytes(b"gone")
    with open_store(store.root, write=True) as again:
        assert again.reader.vertex(chain["md"]) is not None
        assert again.knowledge.baseline("a") is None


def test_a_spool_file_left_behind(store: EmbeddedStore) -> None:
    with store.journal.batch() as batch:
        event = batch.event("activity.begun", AT.format(1))
        uid = event.vertex(["Activity", "Command"], {"started_at": AT.format(1), "number": 7})
        event.facts["spool"] = "one"
    assert set(store.journal.resume(["one", "two"])) == {"one"}
    with store.journal.batch() as batch:
        batch.event("activity.ended", AT.format(1)).facts |= {"spool": "one", "t": 42, "closed": True}
    found = store.journal.resume(["one"])["one"]
    assert (found.uid, found.first_uid, found.number, found.closed, found.t) == (uid, uid, 7, True, 42)


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("*.pkl", "a.pkl", True), ("*.pkl", "d/a.pkl", False), ("**/*.pkl", "a.pkl", True),
        ("**/*.pkl", "d/e/a.pkl", True), ("d/**", "d/e/f", True), ("?.c", "a.c", True), ("?.c", "/.c", False),
        ("[ab].c", "b.c", True), ("[!ab].c", "b.c", False), ("a[", "a[", True), ("a.c", "abc", False),
        ("*", "a\nb", True),
    ],
)  # fmt: skip
def test_globs(glob: str, path: str, matches: bool) -> None:
    assert (re.fullmatch(glob_pattern(glob), path) is not None) is matches


def test_a_uid_with_a_line_end_is_none(store: EmbeddedStore, chain: dict[str, str]) -> None:
    uid = next(iter(chain.values()))
    assert store.reader.vertex(uid) is not None
    assert store.reader.vertex(f"{uid}\r") is None
    assert store.reader.vertex(f" {uid}") is None
