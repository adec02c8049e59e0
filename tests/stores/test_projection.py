"""The projection follows from the journal alone."""

import math
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from provgraph.events import Event
from provgraph.model import members
from provgraph.model.identity import Namespace, uuid7
from provgraph.stores import EmbeddedStore, graph_tables, open_store
from provgraph.stores.connection import connect
from provgraph.stores.projection import Projection

AT = "2026-11-20T12:00:00+00:00"
PROJECT, ORIGIN = uuid7(), uuid7()
UIDS = [Namespace(PROJECT).artifact(f"f{number}") for number in range(6)]

PROPERTIES = st.dictionaries(
    st.sampled_from(["path", "name", "sequence", "sha256", "created_at", "started_at", "number", "$x", "email"]),
    st.one_of(st.integers(-3, 1 << 70), st.text(max_size=3), st.floats(), st.just("ab" * 32)),
    max_size=4,
)
KINDS = [
    ["Entity", "Artifact"], ["Entity", "Snapshot"], ["Entity"], ["Entity", "Snapshot", "Environment"],
    ["Entity", "Version"], ["Activity", "Command"],
]  # fmt: skip
PLACE = st.sampled_from(UIDS)
TYPES = st.sampled_from(
    ["used", "wasGeneratedBy", "wasDerivedFrom", "specializationOf", "wasInvalidatedBy", "invented"]
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A body of an event about a few vertices, some of which nothing has brought yet."""
    vertices = [
        [[*KINDS[place], *draw(st.sampled_from([[], ["Dataset"]]))], draw(PROPERTIES), UIDS[place]]
        if (place := draw(st.integers(0, 9))) < len(UIDS)
        else [draw(st.sampled_from(KINDS)), draw(PROPERTIES)]
        for _ in range(draw(st.integers(0, 3)))
    ]
    ends: st.SearchStrategy[Any] = PLACE | st.integers(0, len(vertices) - 1) if vertices else PLACE
    edges = [
        [
            draw(TYPES),
            draw(ends),
            draw(ends),
            {"role": draw(st.sampled_from(["", "a"])), "n": draw(st.integers(0, 9))},
        ]
        for _ in range(draw(st.integers(0, 4)))
    ]
    changes = [[draw(PLACE), {"x": draw(st.none() | st.integers())}] for _ in range(draw(st.integers(0, 1)))]
    return {"vertices": vertices, "edges": edges, "set": changes}


def applied(events: list[Event], parts: int) -> str:
    """The digest after applying events, ``parts`` at a time."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    graph_tables.create(db)
    for start in range(0, len(events), parts):
        Projection(db, Namespace(PROJECT)).apply(events[start : start + parts])
    return graph_tables.digest(db)


def _of(vertices: list[Any], edges: list[Any]) -> dict[str, Any]:
    return {"vertices": vertices, "edges": [[*edge, {"role": "", "n": 0}] for edge in edges], "set": []}


TWO_ARTIFACTS = [
    _of([[KINDS[1], {"path": "f"}, UIDS[1]]], [["specializationOf", UIDS[1], UIDS[0]]]),
    _of([[KINDS[0], {"path": "g"}, UIDS[2]]], [["specializationOf", UIDS[1], UIDS[2]]]),
    _of([[KINDS[0], {"path": "f"}, UIDS[0]]], []),
]
"""A snapshot of two artifacts, the first of which comes last: which one counts must not depend on the steps."""


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(bodies(), min_size=1, max_size=8))
@example(TWO_ARTIFACTS)
def test_steps_of_any_size_give_the_same_rows(found: list[dict[str, Any]]) -> None:
    events = [
        Event(seq, Namespace(PROJECT).event(ORIGIN, seq), ORIGIN, seq, "activity.ended", 1, AT, body)
        for seq, body in enumerate(found, 1)
    ]
    whole = applied(events, len(events))
    assert applied(events, 1) == whole
    assert applied(events, 3) == whole


def test_rebuilt_row_for_row(store: EmbeddedStore, command: Callable[..., dict[str, str]]) -> None:
    """Rule 23: the projection of a journal is one."""
    last: tuple[str, ...] = ()
    for number in range(30):
        uids = command(f"c{number}", reads=last, writes=(f"f{number % 7}", f"g{number}"))
        last = (uids[f"g{number}"],)
    digest = store.digest()
    assert store.rebuild() == digest


@pytest.mark.parametrize("damage", ["gone", "no database", "torn", "another journal's", "other tables"])
def test_a_bad_projection_is_made_anew(
    store: EmbeddedStore, command: Callable[..., dict[str, str]], folder: Path, damage: str
) -> None:
    for number in range(200):
        uid = command(f"c{number} {'x' * 100}")[""]
    digest = store.digest()
    store.graph.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    path = folder / ".provdb/graph.db"
    if damage == "gone":
        path.unlink()
    elif damage == "no database":
        path.write_bytes(b"this is no database" * 1000)
    elif damage == "torn":
        path.write_bytes(path.read_bytes()[:3000] + bytes(3000))
    else:
        db = connect(path)
        if damage == "other tables":
            db.execute("PRAGMA user_version=99")
        else:
            db.execute("UPDATE meta SET value = 'x' WHERE key = 'event'")
        db.close()
    with open_store(str(folder), write=False) as again:
        assert again.reader.vertex(uid) is not None
        assert again.digest() == digest


def test_an_unknown_kind_is_shown_and_counted(store: EmbeddedStore) -> None:
    seq = store.journal.last_seq() + 1
    body = {"vertices": [[["Activity", "Levitation"], {"name": "up"}]], "facts": {"height": 3}}
    event = Event(seq, store.namespace.event(store.origin, seq), store.origin, seq, "levitation.seen", 1, AT, body)
    Projection(store.graph, store.namespace).apply([event])
    query = "SELECT events, known FROM event_kind WHERE kind = 'levitation.seen'"
    assert store.graph.execute(query).fetchall() == [(1, False)]
    assert store.reader.labels()["Levitation"] == 1


def test_the_later_properties_win(store: EmbeddedStore) -> None:
    with store.journal.batch() as batch:
        event = batch.event("activity.begun", AT)
        activity = event.vertex(["Activity", "Command"], {"name": "a", "note": "x", "started_at": AT})
        entity = event.vertex(["Entity"], {})
        event.edge("used", activity, entity, at=AT)
        event.edge("used", activity, entity, role="exec")
    with store.journal.batch() as batch:
        event = batch.event("activity.ended", AT)
        event.set(activity, name="b", note=None, loss=math.inf)
        event.edge("used", activity, entity, how="twice")
    vertex = store.reader.vertex(activity)
    assert vertex is not None and dict(vertex.properties) == {"name": "b", "started_at": AT, "loss": math.inf}
    plain, exec_ = store.reader.edges_of(activity)
    if plain.role:
        plain, exec_ = exec_, plain
    assert (plain.properties, exec_.properties) == ({"at": AT, "how": "twice"}, {"role": "exec"})
    assert plain.uid == store.namespace.edge("used", activity, entity)


def test_a_cycle_is_written_down(store: EmbeddedStore, command: Callable[..., dict[str, str]]) -> None:
    """Rule 4: acyclicity over used, wasGeneratedBy and wasDerivedFrom."""
    one = command("one", writes=("a",))
    two = command("two", reads=(one["a"],), writes=("b",))
    assert store.graph.execute("SELECT count(*) FROM violation").fetchone() == (0,)
    with store.journal.batch() as batch:
        batch.event("activity.progressed", AT).edge("used", one[""], two["b"])
    assert store.graph.execute("SELECT count(*) FROM violation").fetchone() == (1,)
    assert store.digest() == store.rebuild()


def test_digests_of_a_large_collection_are_kept_once(store: EmbeddedStore) -> None:
    rows = [(f"{number:05d}.png", f"{number + 1:064x}", 10) for number in range(6000)]
    stats = [((1, number, 10, 5, 5, 0o100644), sha256) for number, (_, sha256, _) in enumerate(rows)]
    store.knowledge.remember_digests(stats[:3000])
    with store.journal.batch() as batch:
        event = batch.event("activity.progressed", AT)
        event.vertex(["Entity", "Snapshot", "Collection"], {"path": "img", "sequence": 1, "created_at": AT})
        event.facts["members"] = [{"vertex": 0, "chunk": members.encode(rows)}]
    store.knowledge.remember_digests(stats[3000:])
    assert store.projection_error is None
    assert all(len(store.local.digest_entry(stat) or b"") == 8 for stat, _ in stats)
    assert all(store.knowledge.digest_of(stat) == sha256 for stat, sha256 in stats)


def test_members_of_a_collection(store: EmbeddedStore) -> None:
    """Rule 17: members are addressable, and equal lists of paths are indexed once."""
    rows = [(f"{number:05d}.png", f"{number + 1:064x}", 10) for number in range(2000)]
    uids = []
    for sequence in (1, 2):
        with store.journal.batch() as batch:
            event = batch.event("activity.progressed", AT)
            maker = event.vertex(["Activity", "Command"], {"started_at": AT, "name": "make"})
            uid = event.vertex(
                ["Entity", "Snapshot", "Collection"],
                {"path": "img", "sequence": sequence, "created_at": AT, "sha256": members.digest(rows)},
            )
            artifact = event.vertex(["Entity", "Artifact"], {"path": "img"}, store.namespace.artifact("img"))
            event.edge("specializationOf", uid, artifact)
            event.edge("wasGeneratedBy", uid, maker)
            event.facts["members"] = [{"vertex": 1, "chunk": members.encode(rows)}]
            uids.append(uid)
    assert store.projection_error is None
    assert [row.uid for row in store.reader.collections_with_member("img/00042.png")] == uids[::-1]
    assert store.reader.collections_with_member("img/nothing.png") == []
    assert dict(store.reader.members(uids[0])) == {path: sha256 for path, sha256, _ in rows}
    assert dict(store.knowledge.members(uids[0]))["img/00042.png"] == rows[42][1]
    assert store.knowledge.member_generator("img/00042.png", rows[42][1]) == maker
    assert store.knowledge.member_generator("img/00042.png", "ff" * 32) is None
    assert store.knowledge.member_generator("img/00042.png", rows[42][1], after=uids[0]) == maker
    assert store.knowledge.member_generator("img/00042.png", rows[42][1], after=uids[1]) is None
    assert [known.uid for known in store.knowledge.collections_near("img/below")] == [uids[1]]
    assert [known.uid for known in store.knowledge.collections_near(".")] == [uids[1]]
    assert store.graph.execute("SELECT count(*) FROM member").fetchone() == (2000,)
    assert store.digest() == store.rebuild()
