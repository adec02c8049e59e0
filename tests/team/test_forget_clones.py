"""What one clone forgot goes from another that pulls the tombstone."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from forget_search import envelopes, holding

from provgraph.errors import CorruptError
from provgraph.stores import EmbeddedStore, init_project, open_store
from provgraph.stores.purge_bodies import GONE, Removal
from provgraph.stores.purging import apply_tombstones, named, pending_tombstones, purge

AT = "2026-11-20T12:00:00+00:00"
PROJECT = "0b7f9f7e-1111-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def clones(tmp_path: Path) -> Iterator[tuple[EmbeddedStore, EmbeddedStore]]:
    """Two clones of one project; the second has what the first recorded, and the same bytes by itself."""
    stores = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        stores.append(init_project(str(tmp_path / name), join=PROJECT))
    first, second = stores
    record(first, "data.txt", "the Zq7one of Zq7two")
    second.objects.put_bytes(b"the Zq7one of Zq7two")
    pull(second, first)
    yield first, second
    for store in stores:
        store.close()


def record(store: EmbeddedStore, path: str, text: str) -> str:
    stored = store.objects.put_bytes(text.encode())
    with store.journal.batch() as batch:
        event = batch.event("activity.ended", AT)
        activity = event.vertex(
            ["Activity", "Command"],
            {"name": "c #1", "command": f"echo {text}", "started_at": AT, "capture": "seccomp", "host": "box"},
        )
        person = event.vertex(
            ["Agent", "Person"], {"name": "Ada Byron", "email": "ada@x.org"}, store.namespace.person("ada@x.org")
        )
        event.edge("wasAssociatedWith", activity, person)
        artifact = event.vertex(["Entity", "Artifact"], {"path": path}, store.namespace.artifact(path))
        properties = {
            "path": path, "sequence": 1, "created_at": AT, "sha256": stored.sha256, "size_bytes": len(text),
            "restorable": True,
        }  # fmt: skip
        snapshot = event.vertex(["Entity", "Snapshot"], properties)
        event.edge("specializationOf", snapshot, artifact)
        event.edge("wasGeneratedBy", snapshot, activity, at=AT)
    return snapshot


def pull(here: EmbeddedStore, there: EmbeddedStore) -> None:
    """What a pull does: new events verbatim, then what the tombstones among them name, as it is there."""
    known = here.journal.lasts()
    here.journal.append_foreign(
        event
        for origin in there.journal.lasts()
        if origin != here.origin
        for event, _ in there.journal.of_origin(origin, known.get(origin, 0))
    )
    tombstones = pending_tombstones(here)
    wanted = {name for tombstone in tombstones for name in named(tombstone, here.journal.lasts())}
    bodies = {(e.origin, e.origin_seq): e.body for e in there.events() if (e.origin, e.origin_seq) in wanted}
    apply_tombstones(here, tombstones, bodies)
    assert pending_tombstones(here) == []


def forget(store: EmbeddedStore, pattern: str, **more: Any) -> None:
    removal = Removal("pattern", ((re.compile(pattern), GONE),), **more)
    assert purge(store, removal, by="Bob", at=AT).finished


def elements(store: EmbeddedStore) -> Any:
    graph = store.reader.whole()
    vertices = sorted((v.uid, v.labels, sorted((k, str(x)) for k, x in v.properties.items())) for v in graph.vertices)
    edges = sorted((e.type, e.source, e.target, str(sorted(e.properties.items()))) for e in graph.edges)
    return vertices, edges


def root(store: EmbeddedStore) -> Path:
    return Path(store.root)


def test_a_clone_purges_its_copies(clones: tuple[EmbeddedStore, EmbeddedStore]) -> None:
    first, second = clones
    uid = first.reader.snapshots("data.txt")[0].uid
    digest = first.reader.snapshots("data.txt")[0].sha256
    assert digest is not None and digest in second.objects
    before = envelopes(root(second))
    forget(first, "Zq7one", digests=frozenset({digest}), contents=frozenset({uid}))
    pull(second, first)
    assert holding(root(second), "Zq7one", digest) == holding(root(first), "Zq7one", digest) == []
    assert envelopes(root(second))[: len(before)] == before
    assert elements(second) == elements(first)
    assert second.journal.meta().get("purging") is None


def test_a_clone_that_never_had_the_events_drops_the_bytes(
    clones: tuple[EmbeddedStore, EmbeddedStore], tmp_path: Path
) -> None:
    first, _ = clones
    (tmp_path / "three").mkdir()
    with init_project(str(tmp_path / "three"), join=PROJECT) as third:
        stored = third.objects.put_bytes(b"the Zq7one of Zq7two")
        uid = first.reader.snapshots("data.txt")[0].uid
        forget(first, "Zq7one", digests=frozenset({stored.sha256 or ""}), contents=frozenset({uid}))
        pull(third, first)
        assert str(stored.sha256) not in third.objects
        assert holding(root(third), "Zq7one", stored.sha256 or "") == []


def test_two_clones_that_forget_at_once_bring_nothing_back(clones: tuple[EmbeddedStore, EmbeddedStore]) -> None:
    first, second = clones
    forget(first, "Zq7one")
    forget(second, "Zq7two")
    pull(second, first)
    pull(first, second)
    for store in clones:
        assert not [one for one in holding(root(store), "Zq7one", "Zq7two") if not one.startswith(("obj", "content"))]
        with open_store(store.root, write=False) as opened:
            assert opened.digest() == store.digest()
    assert [v.properties.get("command") for v in first.reader.whole().vertices if "Activity" in v.labels] == ["***"]


def test_a_version_that_is_another_event_is_refused(clones: tuple[EmbeddedStore, EmbeddedStore]) -> None:
    first, second = clones
    forget(first, "Zq7one")
    tombstone = next(event for event in first.events() if event.kind == "content.purged")
    bodies = {(event.origin, event.origin_seq): event.body for event in first.events()}
    name = next(named(tombstone, first.journal.lasts()))
    before = holding(root(second), "Zq7one")
    with pytest.raises(CorruptError, match="another event"):
        apply_tombstones(second, [replace(tombstone, seq=0)], bodies | {name: {"facts": {}}})
    assert holding(root(second), "Zq7one") == before


def test_a_tombstone_that_names_more_than_there_is(clones: tuple[EmbeddedStore, EmbeddedStore]) -> None:
    """Whoever wrote it: what is not here costs nothing."""
    first, second = clones
    forget(first, "Zq7one")
    tombstone = next(event for event in first.events() if event.kind == "content.purged")
    facts = {"what": "pattern", "by": "Bob", "events": {first.origin: [[1, 1 << 62]], "none": [[1, 1 << 62]]}}
    bodies = {(event.origin, event.origin_seq): event.body for event in first.events()}
    far = [replace(tombstone, seq=0, body={**tombstone.body, "facts": facts})]
    assert len(list(named(far[0], second.journal.lasts()))) == second.journal.last_of(first.origin)
    assert apply_tombstones(second, far, bodies) > 0
    assert not [one for one in holding(root(second), "Zq7one") if not one.startswith(("obj", "content"))]
