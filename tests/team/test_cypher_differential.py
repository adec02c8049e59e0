"""Random histories, the same questions asked of both stores: equal answers, in every bit."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from cypher_samples import QUESTIONS, Both, both_stores, history, parameters, same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from team_samples import capture

from provgraph.stores.cypher_properties import seen

SEEDS = range(6)


@pytest.fixture(scope="module", params=SEEDS)
def histories(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, neo4j_server: Any
) -> Iterator[Any]:
    """A history of its own for each seed, and chance that goes on from it."""
    from neo4j_server import remote_of

    chance = random.Random(request.param)
    with both_stores(tmp_path_factory.mktemp("history"), remote_of(neo4j_server)) as both:
        history(chance, both.graph, chance.randrange(4, 16))
        capture(both.graph.store, 2)
        both.send()
        yield both, [parameters(chance, both.graph) for _ in range(3)]


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_both_stores_give_one_answer(number: int, histories: Any) -> None:
    both, givens = histories
    for given_values in givens:
        both(QUESTIONS[number], given_values)


def test_questions_are_of_many_kinds() -> None:
    assert len(set(QUESTIONS)) == len(QUESTIONS) >= 33


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, neo4j_server: Any) -> Iterator[Both]:
    """An empty graph that tests add to."""
    from neo4j_server import remote_of

    with both_stores(tmp_path_factory.mktemp("empty"), remote_of(neo4j_server)) as made:
        yield made


TRICKS = [
    "x`) DETACH DELETE n //", "`", "``", "a`b", "') RETURN 1 //", "\\u0060", "\\u0027) DETACH DELETE (n", "\\",
    "*/ CREATE (n) /*",
    "$x", "$`provgraph_project`", "n {.*}", "'; DROP", '"', "\n", "//", "ü", "\u200b", "\udcff",
    "a b", "MATCH", "project",
]  # fmt: skip
TEXT = st.sampled_from(TRICKS) | st.text(st.characters(exclude_categories=[]), min_size=1, max_size=8)
SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**70), 2**70) | st.floats() | TEXT
PROPERTIES = st.dictionaries(TEXT, SCALARS | st.lists(SCALARS | st.none(), max_size=4), max_size=5)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(labels=st.lists(TEXT, max_size=2), properties=PROPERTIES, on_edge=PROPERTIES)
def test_whatever_looks_like_cypher_stays_what_it_is(
    both: Both, labels: list[str], properties: dict[str, Any], on_edge: dict[str, Any]
) -> None:
    on_edge = {key: value for key, value in on_edge.items() if key not in ("type", "source", "target", "self", "role")}
    number = both.graph.store.journal.last_seq()
    mine = [
        "Entity",
        "Artifact",
        *dict.fromkeys(label for label in labels if label not in ("Activity", "Agent", "Entity")),
    ]
    one, other = f"one {number}", f"other {number}"
    both.graph.add({one: (mine, properties), other: (["Entity"], {})}, [("wasDerivedFrom", one, other, on_edge)])
    both.send()
    given_values = {"uid": both.uid(one)}
    found = both("MATCH (n {uid: $uid}) RETURN properties(n) AS p", given_values)
    ((held,),) = found.rows
    assert same(held, {**seen(properties), "uid": both.uid(one), "project": both.graph.store.project})
    ((held,),) = both("MATCH ({uid: $uid})-[r]->() RETURN properties(r) AS p", given_values).rows
    assert same(held, seen(on_edge, vertex=False))
    ((vertex, edge),) = both.server("MATCH (n {uid: $uid})-[r]->() RETURN n, r", given_values).rows
    assert same(dict(vertex.properties), properties)
    assert set(vertex.labels) == set(mine)
    assert same(dict(edge.properties), on_edge)
    for key in properties:
        both("MATCH (n {uid: $uid}) RETURN n[$key] AS v", given_values | {"key": key})
    assert both("MATCH (n {uid: $uid}) UNWIND labels(n) AS l RETURN l", given_values).rows


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | SCALARS.filter(lambda v: type(v) is not int or -(2**63) <= v < 2**63),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "b c", "é", "x\\u0060"]), inner, max_size=2)
        ),
        max_leaves=6,
    )
)
def test_parameters_come_back_as_they_went(both: Both, value: Any) -> None:
    ((found, listed),) = both.server("RETURN $v AS v, [$v, 1] AS l", {"v": value}).rows
    assert same(found, value)
    assert same(listed, [value, 1])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT)
def test_texts_in_the_query_are_texts(both: Both, text: str) -> None:
    quoted = "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    assert both.server(f"RETURN {quoted} AS t").rows == ((text,),)
    double = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert both.server(f"RETURN {double} AS t").rows == ((text,),)


def test_late_vertices_and_removed_properties(both: Both) -> None:
    graph = both.graph
    graph.add({"early": (["Activity"], {"name": "early"})}, [("used", "early", "late")])
    both.send()
    query = (
        "MATCH (a:Activity {name: 'early'}) OPTIONAL MATCH (a)-[:used]->(e) RETURN a.name AS a, e.path AS e, e.x AS x"
    )
    assert both(query).rows == (("early", None, None),)
    assert both("MATCH (n {uid: $uid}) RETURN n", {"uid": both.uid("late")}).rows == ()
    graph.add({"late": (["Entity", "Snapshot"], {"path": "late.csv", "x": [1, "a"]})})
    both.send()
    assert both(query).rows == (("early", "late.csv", None),)
    graph.add(changes={"late": {"x": 5, "path": None}})
    both.send()
    assert both(query).rows == (("early", None, 5),)
    assert both("MATCH (n {uid: $uid}) UNWIND keys(n) AS k RETURN k ORDER BY k", {"uid": both.uid("late")}).rows == (
        ("project",),
        ("uid",),
        ("x",),
    )


def test_times_in_every_spelling_are_one_time(both: Both) -> None:
    both.graph.add(
        {"t": (["Activity"], {"started_at": "2026-11-20T13:00:00.5+01:00", "ended_at": "later", "name": "t"})}
    )
    both.send()
    query = "MATCH (a {name: 't'}) RETURN a.started_at AS s, a.ended_at AS e, a.started_at.epochMillis AS m"
    ((started, ended, _),) = both(query).rows
    assert started.isoformat() == "2026-11-20T12:00:00.500000+00:00"
    assert ended == "later"


KNOWN = [
    ("'1' = 1", True, False),
    ("1 + 'a'", None, "1a"),
    ("[1] + 2", None, [1, 2]),
    ("toString(1.0)", "1", "1.0"),
    ("toString(1e20)", "100000000000000000000", "1.0E20"),
    ("toInteger('1.9')", None, 1),
    ("round(-1.5)", -2.0, -1.0),
    ("[1, 2, 3][..-1]", [1, 2, 3], [1, 2]),
    ("split('abc', '')", ["", "a", "b", "c", ""], ["a", "b", "c"]),
    ("null IN []", None, False),
    ("[1, null] = [1, null]", True, None),
    ("[1, 2] < [1, 3]", None, True),
    ("all(x IN [1, null] WHERE x > 0)", False, None),
    ("9007199254740993 = 9007199254740992.0", False, True),
    ("datetime('2026-11-20T10:00Z') = datetime('2026-11-20T11:00+01:00')", True, False),
]


@pytest.mark.parametrize(("expression", "embedded", "server"), KNOWN)
def test_where_the_engines_are_known_to_differ(expression: str, embedded: object, server: object, both: Both) -> None:
    """The documentation names them; where one is mended, this says so."""
    query = f"RETURN {expression} AS x"
    assert same(both.embedded(query).rows[0][0], embedded)
    assert same(both.server(query).rows[0][0], server)


@pytest.mark.parametrize(
    "query",
    [
        "UNWIND [] AS x RETURN sum(x) AS s",
        "UNWIND [null] AS x RETURN sum(x) + 1 AS s",
        "UNWIND [1, 2.5] AS x RETURN sum(x), 2 * sum(x)",
        "UNWIND [1, 1, 2] AS x RETURN sum(DISTINCT x) AS s",
        "UNWIND [1, 2, 3] AS x RETURN x % 2 AS k, sum(x) AS s ORDER BY s DESC",
        "UNWIND [1, 2, 3] AS x WITH x % 2 AS k, sum(x + (x * 2)) AS s WHERE s > 6 RETURN k, s",
        "MATCH (n:Nope) RETURN sum(n.a), coalesce(sum(n.b), 0), count(n) AS `sum(`",
        "WITH {sum: 1} AS sum RETURN sum.sum AS s",
    ],
)
def test_sums_of_nothing_are_nought(query: str, both: Both) -> None:
    both(query)
