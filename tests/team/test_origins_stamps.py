"""Whatever the order in which the events of several origins arrive, vertices and edges are the same."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from provgraph.events import Event
from provgraph.model.identity import Namespace, uuid7
from provgraph.stores import graph_tables
from provgraph.stores.encoding import loads
from provgraph.stores.projection import Projection

PROJECT = uuid7()
NAMESPACE = Namespace(PROJECT)
ORIGINS = sorted(uuid7() for _ in range(3))
PEOPLE = [NAMESPACE.person(f"{name}@example.org") for name in "xy"]
VERSIONS = [NAMESPACE.version(commit) for commit in ("c1", "c2")]
FIRST = [NAMESPACE.vertex(origin, 1, 0) for origin in ORIGINS]
"""The first vertex of each origin, a snapshot that everybody may annotate."""

VALUES = st.integers(0, 3) | st.sampled_from(["a", "b"]) | st.none()
TIMES = st.integers(0, 3).map(lambda second: f"2026-11-20T12:00:0{second}+00:00")


@st.composite
def shared_vertex(draw: st.DrawFn) -> list[Any]:
    """A person, or an explicit version, as some origin records it."""
    uid = draw(st.sampled_from([*PEOPLE, *VERSIONS]))
    labels = ["Agent", "Person"] if uid in PEOPLE else ["Entity", "Version"]
    keys = st.sampled_from(["name", "message", "kind"])
    return [labels, draw(st.dictionaries(keys, VALUES.filter(lambda v: v is not None), max_size=2)), uid]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """(kind, body) of one event."""
    kind = draw(
        st.sampled_from(
            ["properties.annotated", "agents.merged", "provenance.declared", "version.made", "activity.progressed"]
        )
    )
    if kind == "agents.merged":
        uid, other = draw(st.permutations(PEOPLE))
        return kind, {"set": [[uid, {"same_as": draw(st.sampled_from([other, None]))}]]}
    if kind == "properties.annotated":
        uid = draw(st.sampled_from([*FIRST, *PEOPLE, *VERSIONS]))
        changes = st.dictionaries(st.sampled_from(["note", "name", "x"]), VALUES, min_size=1, max_size=2)
        return kind, {"set": [[uid, draw(changes)]]}
    if kind == "activity.progressed":  # of a vertex that it began, or that the clone began of which it is a copy
        keys, held = st.sampled_from(["note", "ended_at", "path"]), st.integers(0, 3) | st.none()
        properties = draw(st.dictionaries(st.sampled_from(["at", "n"]), st.integers(0, 3), max_size=2))
        used = ["used", draw(st.sampled_from(FIRST)), FIRST[0], properties]
        return kind, {"set": [[draw(st.sampled_from(FIRST)), draw(st.dictionaries(keys, held))]], "edges": [used]}
    vertices = [draw(shared_vertex()), [["Activity", "Command"], {"x": draw(st.integers(0, 3)), "name": "own"}]]
    edges: list[list[Any]] = [["used", 1, draw(st.sampled_from(FIRST)), {"role": draw(st.sampled_from(["", "r"]))}]]
    if vertices[0][2] in VERSIONS:
        properties = draw(st.dictionaries(st.sampled_from(["n", "m"]), st.integers(0, 3), max_size=2))
        edges.append(["wasDerivedFrom", draw(st.sampled_from([0, vertices[0][2]])), VERSIONS[0], properties])
        edges.append(["hadMember", VERSIONS[1], draw(st.sampled_from(FIRST)), properties])
    elif draw(st.booleans()):
        edges.append(["wasAssociatedWith", 1, 0])
    return kind, {"vertices": vertices, "edges": edges}


@st.composite
def histories(draw: st.DrawFn) -> list[list[Event]]:
    """What two or three origins recorded, each in its order. Their clocks are nobody's concern."""
    found = []
    for place in range(draw(st.integers(2, 3))):
        origin = ORIGINS[place]
        first = {"vertices": [[["Entity", "Snapshot"], {"path": "f", "sequence": 1, "note": "recorded"}]]}
        said = [("activity.ended", first), *draw(st.lists(bodies(), max_size=5))]
        found.append(
            [
                Event(0, NAMESPACE.event(origin, seq), origin, seq, kind, 1, draw(TIMES), body)
                for seq, (kind, body) in enumerate(said, 1)
            ]
        )
    return found


def interleaved(histories: Sequence[Sequence[Event]], order: Sequence[int]) -> list[Event]:
    """One journal of all, each origin's events in their order."""
    left = [list(events) for events in histories]
    found: list[Event] = []
    for choice in order:
        waiting = [events for events in left if events]
        found.append(waiting[choice % len(waiting)].pop(0))
    return [
        Event(seq, e.uid, e.origin, e.origin_seq, e.kind, e.schema, e.time, e.body) for seq, e in enumerate(found, 1)
    ]


def graph_of(events: Sequence[Event], steps: int, own: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Vertices and edges without row ids, as one clone's projection has them."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    graph_tables.create(db)
    for start in range(0, len(events), steps):
        Projection(db, NAMESPACE, lambda: {own: 1 << 60}).apply(events[start : start + steps])
    labels = {id: sorted(loads(text)) for id, text in db.execute("SELECT id, labels FROM labelset")}
    vertices = {
        uid.hex(): (labels.get(labelset), loads(text))
        for uid, labelset, text in db.execute("SELECT uid, labels, properties FROM vertex")
    }
    query = (
        "SELECT r.name, a.uid, b.uid, e.role, e.properties FROM edge e JOIN relation r ON r.id = e.type "
        "JOIN vertex a ON a.id = e.source JOIN vertex b ON b.id = e.target"
    )
    edges = {json.dumps([t, s.hex(), o.hex(), role]): loads(text) for t, s, o, role, text in db.execute(query)}
    return vertices, edges


def annotated(origin: int, seq: int, second: int, uid: str, **properties: Any) -> Event:
    body = {"set": [[uid, properties]]}
    at = f"2026-11-20T12:00:0{second}+00:00"
    return Event(0, NAMESPACE.event(ORIGINS[origin], seq), ORIGINS[origin], seq, "properties.annotated", 1, at, body)


def person(origin: int, seq: int, second: int, name: str) -> Event:
    body = {"vertices": [[["Agent", "Person"], {"name": name}, PEOPLE[0]]]}
    at = f"2026-11-20T12:00:0{second}+00:00"
    return Event(0, NAMESPACE.event(ORIGINS[origin], seq), ORIGINS[origin], seq, "activity.begun", 1, at, body)


SAME_NAME_AGAIN = [[person(0, 1, 1, "x"), person(0, 2, 3, "x")], [person(1, 1, 2, "y")]]
"""The same value at a later time counts as later."""
TAKEN_AWAY = [[annotated(0, 1, 2, PEOPLE[0], note=None)], [annotated(1, 1, 1, PEOPLE[0], note="old")]]


@pytest.mark.repeats
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.lists(st.integers(0, 5), min_size=30, max_size=30), st.integers(1, 4))
@example(SAME_NAME_AGAIN, [0] * 30, 1)
@example(TAKEN_AWAY, [0] * 30, 2)
def test_the_order_of_arrival_does_not_matter(found: list[list[Event]], order: list[int], steps: int) -> None:
    one = interleaved(found, [0] * sum(map(len, found)))
    other = interleaved(found, order[: len(one)])
    last = interleaved(found[::-1], [0] * len(one))
    expected = graph_of(one, len(one), ORIGINS[0])
    assert graph_of(other, steps, ORIGINS[1]) == expected
    assert graph_of(last, 1, ORIGINS[-1]) == expected


@pytest.mark.repeats
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.lists(st.integers(0, 5), min_size=30, max_size=30), st.integers(0, 4))
def test_steps_of_any_size_give_the_same_rows(found: list[list[Event]], order: list[int], upto: int) -> None:
    """Also where an origin was left at a fork, and goes on as another clone's."""
    events = interleaved(found, order[: sum(map(len, found))])
    lineage = {ORIGINS[1]: 1 << 60, ORIGINS[0]: upto}

    def rows(steps: int) -> str:
        db = sqlite3.connect(":memory:", isolation_level=None)
        graph_tables.create(db)
        for start in range(0, len(events), steps):
            Projection(db, NAMESPACE, lambda: lineage).apply(events[start : start + steps])
        return graph_tables.digest(db)

    whole = rows(len(events))
    assert rows(1) == whole
    assert rows(3) == whole


def test_two_copies_of_a_clone_end_the_command_that_ran_when_they_parted() -> None:
    def said(origin: int, seq: int, second: int, kind: str, body: dict[str, Any]) -> Event:
        at = f"2026-11-20T12:00:0{second}+00:00"
        return Event(0, NAMESPACE.event(ORIGINS[origin], seq), ORIGINS[origin], seq, kind, 1, at, body)

    begun = said(0, 1, 1, "activity.begun", {"vertices": [[["Activity", "Command"], {"name": "c"}]]})
    ends = [
        said(origin, 2 - origin, second, "activity.ended", {"set": [[FIRST[0], {"exit_status": origin}]]})
        for origin, second in ((0, 5), (1, 3))
    ]
    found = [
        graph_of(interleaved(history, order), 1, ORIGINS[0])[0][FIRST[0].replace("-", "")][1]
        for history in ([[begun, ends[0]], [ends[1]]],)
        for order in ([0, 0, 0], [0, 1, 0], [1, 0, 0])
    ]
    assert found == [{"name": "c", "exit_status": 1}] * 3, "a copy's word, which bears a stamp"


def test_what_was_annotated_wins_over_what_was_recorded() -> None:
    recorded = [person(0, 1, 1, "recorded"), person(0, 2, 9, "recorded later")]
    note = [annotated(1, 1, 2, PEOPLE[0], name="annotated")]
    for history in ([recorded, note], [note, recorded]):
        vertices, _ = graph_of(interleaved(history, [0] * 3), 1, ORIGINS[0])
        assert vertices[PEOPLE[0].replace("-", "")][1] == {"name": "annotated"}


def test_the_later_annotation_wins_then_the_larger_origin_then_the_larger_number() -> None:
    def value(*events: Event) -> Any:
        ordered = interleaved([[e for e in events if e.origin == o] for o in ORIGINS], [0] * len(events))
        return graph_of(ordered, 1, ORIGINS[0])[0][FIRST[0].replace("-", "")][1].get("k")

    assert value(annotated(0, 1, 2, FIRST[0], k="later"), annotated(1, 1, 1, FIRST[0], k="sooner")) == "later"
    assert value(annotated(0, 1, 1, FIRST[0], k="0"), annotated(1, 1, 1, FIRST[0], k="1")) == "1"
    assert value(annotated(0, 1, 1, FIRST[0], k="a"), annotated(0, 2, 1, FIRST[0], k="b")) == "b"
