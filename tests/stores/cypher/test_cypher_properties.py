"""What Cypher sees of recorded properties, and the way back."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cypher_samples import same
from hypothesis import given
from hypothesis import strategies as st

from provgraph.stores.cypher import CypherCache
from provgraph.stores.cypher.values import hide_name, show
from provgraph.stores.cypher_properties import (
    from_server,
    recorded,
    seen,
    server_changes,
    sources,
    to_server,
)

KEYS = ["a", "a_json", "a_json_json", "_json", "", "x\0y", "\udcff", "\U0010e004", "uid", "project", "at", "started_at"]
TIMES = ["2026-11-20T12:00:00.000000+00:00", "2026-11-20T12:00:00.123456+00:00", "yesterday", "2026-11-20"]
SCALARS = (
    st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1])
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=5)
    | st.sampled_from(["1 ", "[1, 2] ", " ", "{}  ", *TIMES])
)
VALUES = SCALARS | st.lists(SCALARS | st.none(), max_size=4)
PROPERTIES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)
NAMES = st.text(st.characters(exclude_categories=[]), max_size=6) | st.sampled_from(
    ["", "\0", "\U0010e004", "\U0010e005"]
)


@given(PROPERTIES, st.booleans())
def test_what_was_recorded_can_be_told_from_what_is_seen(properties: dict[str, Any], vertex: bool) -> None:
    visible = seen(properties, vertex=vertex)
    assert same(recorded(visible, vertex=vertex), properties)
    assert same(from_server(to_server(properties, vertex=vertex), vertex=vertex), properties)


@given(PROPERTIES)
def test_both_stores_can_hold_what_is_seen(properties: dict[str, Any]) -> None:
    for key, value in to_server(properties).items():
        assert key not in ("", "uid", "project", "origin", "restorable")
        assert "\0" not in key
        key.encode()
        items = value if isinstance(value, list) else [value]
        assert len(set(map(type, items))) <= 1
        for item in items:
            assert isinstance(item, bool | int | float | str | datetime)
            if isinstance(item, str):
                item.encode()
            if isinstance(item, int):
                assert -(2**63) <= item < 2**63


@given(PROPERTIES, PROPERTIES)
def test_changes_lead_from_one_to_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    held = to_server(before)
    for key, value in server_changes(before, after).items():
        if value is None:
            del held[key]
        else:
            held[key] = value
    assert same(from_server(held), after)
    assert not server_changes(after, after)


@given(NAMES, NAMES)
def test_names_are_hidden_one_to_one(one: str, other: str) -> None:
    assert show(hide_name(one)) == one
    assert (hide_name(one) == hide_name(other)) == (one == other)


@pytest.mark.parametrize(
    ("properties", "visible"),
    [
        ({"x": [1, "a", None]}, {"x_json": '[1,"a",null] '}),
        ({"x": [1, 0.5]}, {"x_json": "[1,0.5] "}),
        ({"x": 2**64}, {"x_json": "18446744073709551616 "}),
        ({"x": [1, None], "x_json": "mine"}, {"x_json": "mine", "x_json_json": "[1,null]  "}),
        ({"uid": "u", "project": 1}, {"uid_json": '"u" ', "project_json": "1 "}),
        ({"at": "2026-11-20T13:00:00+01:00"}, {"at": datetime(2026, 11, 20, 12, tzinfo=UTC)}),
        ({"at": "noon", "time": "2026-11-20T13:00:00+01:00"}, {"at": "noon", "time": "2026-11-20T13:00:00+01:00"}),
        ({"at": "0001-01-01T00:00:00+14:00"}, {"at": "0001-01-01T00:00:00+14:00"}),
        ({"x": None, "y": []}, {"y": []}),
    ],
)
def test_what_is_seen(properties: dict[str, Any], visible: dict[str, Any]) -> None:
    assert same(seen(properties), visible)


def test_edges_keep_the_names_that_vertices_need() -> None:
    assert seen({"uid": "u"}, vertex=False) == {"uid": "u"}


def test_which_recorded_keys_may_be_seen_as_one() -> None:
    assert list(sources("a_json_json")) == ["a_json_json", "a_json", "a"]
    assert list(sources("_json")) == ["_json", ""]


def test_keys_of_cypher_s_own(graph: Any, cache: CypherCache) -> None:
    """Whoever recorded a vertex under a number is its origin; what several may write has none."""
    with graph.store.journal.batch() as batch:
        numbered = batch.event("provenance.declared", TIMES[0]).vertex(["Entity"], {"project": "mine", "uid": 3})
    graph.add({"shared": (["Entity", "Artifact"], {"origin": "elsewhere"})})
    query = "MATCH (n {uid: $uid}) RETURN properties(n)"
    ((held,),) = cache.run(query, {"uid": numbered}).rows
    project, origin = graph.store.project, graph.store.origin
    assert held == {"uid": numbered, "project": project, "origin": origin, "project_json": '"mine" ', "uid_json": "3 "}
    ((held,),) = cache.run(query, {"uid": graph.uid("shared")}).rows
    assert held == {"uid": graph.uid("shared"), "project": project, "origin_json": '"elsewhere" '}
    assert cache.run("MATCH (n {project: $p}) RETURN count(n), count(n.origin)", {"p": project}).rows == ((2, 1),)
    assert cache.run("MATCH (n) WHERE n.uid_json = '3 ' RETURN n.uid").rows == ((numbered,),)


def test_a_value_that_changes_its_form(graph: Any, cache: CypherCache) -> None:
    graph.add({"a": (["Activity"], {"x": 1}), "e": (["Entity"], {})}, [("used", "a", "e", {"y": 1})])
    for n in range(20):  # so that what follows is few
        graph.add({f"v{n}": (["Entity"], {})})
    query = "MATCH (a:Activity)-[r]->() RETURN a.x, a.x_json, r.y, r.y_json, properties(r)"
    assert cache.run(query).rows == ((1, None, 1, None, {"y": 1}),)
    graph.add(changes={"a": {"x": [1, "b"]}})
    graph.add({}, [("used", "a", "e", {"y": [1, "b"]})])
    assert cache.run(query).rows == ((None, '[1,"b"] ', None, '[1,"b"] ', {"y_json": '[1,"b"] '}),)
    graph.add({}, [("used", "a", "e", {"y": 2})])
    graph.add(changes={"a": {"x": "c"}})
    assert cache.run(query).rows == (("c", None, 2, None, {"y": 2}),)
    assert cache.run("MATCH (a:Activity) RETURN a.x_json").notes == ()
