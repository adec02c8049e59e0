"""Values come back bit for bit, or are refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from cypher_samples import same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provgraph.errors import CypherError
from provgraph.stores.cypher import CypherCache
from provgraph.stores.cypher.values import hide, iso_duration, show
from provgraph.stores.cypher_properties import seen

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=12)
MARKS = ["\U0010e000", "\U0010e001{}", "\U0010e002", "\U0010e0032026-01-01T00:00:00+00:00", "\udcff", "\x00"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**60), 10**60)
    | st.floats()
    | ANY_TEXT
    | st.sampled_from(
        ["\U0010e000", "\U0010e001{}", "\U0010e002", "\U0010e0032026-01-01T00:00:00+00:00", "\udcff", "\x00"]
    )
)
LISTS = st.lists(st.floats(), max_size=6) | st.lists(SCALARS, max_size=6) | st.lists(st.integers(), max_size=6)
PROPERTIES = st.dictionaries(
    st.sampled_from(
        [
            "a",
            "b c",
            "é",
            "x-y",
            "back`tick",
            "_id",
            "metric_values",
            "\udcff",
            "$float",
            "path",
            "path_json",
            "uid",
            "origin",
        ]
    ),
    SCALARS.filter(lambda value: value is not None) | LISTS,
    max_size=5,
)


@given(ANY_TEXT)
def test_hidden_text_can_be_encoded_and_shown_again(text: str) -> None:
    hidden = hide(text)
    hidden.encode("utf-8")
    assert show(hidden) == text


@given(ANY_TEXT, ANY_TEXT)
def test_hiding_is_one_to_one_and_keeps_parts(one: str, two: str) -> None:
    assert (hide(one) == hide(two)) == (one == two)
    assert hide(one + two) == hide(one) + hide(two)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PROPERTIES, min_size=1, max_size=8))
def test_properties_come_back_bit_for_bit(graph: Any, cache: CypherCache, held: list[dict[str, Any]]) -> None:
    names = [f"v{graph.store.journal.last_seq()}-{n}" for n in range(len(held))]
    graph.add({name: (["Entity", "Artifact"], properties) for name, properties in zip(names, held, strict=True)})
    for name, properties in zip(names, held, strict=True):
        query = "MATCH (n {uid: $uid}) RETURN n, properties(n) AS p"
        ((whole, found),) = cache.run(query, {"uid": graph.uid(name)}).rows
        assert same(dict(whole.properties), properties)
        visible = seen(properties)
        assert same(found, {**visible, "uid": graph.uid(name), "project": graph.store.project})
        for key, value in visible.items():
            query = "MATCH (n {uid: $uid}) RETURN n[$key]"
            assert same(cache.run(query, {"uid": graph.uid(name), "key": key}).rows[0][0], value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b c", "é"]), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES)
def test_parameters_come_back_bit_for_bit(shared_cache: CypherCache, value: Any) -> None:
    ((found, listed),) = shared_cache.run("RETURN $v AS v, [$v, 1] AS l", {"v": value}).rows
    assert same(found, value)
    assert same(listed, [value, 1])


ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-7, minutes=-30))])


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.datetimes(timezones=ZONES).filter(lambda value: value.year > 1))
def test_date_times_keep_their_zone(shared_cache: CypherCache, value: datetime) -> None:
    ((found, listed),) = shared_cache.run("RETURN $t AS t, [$t] AS l", {"t": value}).rows
    assert found == value
    assert found.utcoffset() == value.utcoffset()
    assert listed == [value]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**70, 10**37, -(10**37)])
def test_integers_beyond_64_bits_are_exact(number: int, shared_cache: CypherCache) -> None:
    assert shared_cache.run("RETURN $n AS n, $n > 5 AS g", {"n": number}).rows == ((number, number > 5),)


def test_long_lists(graph: Any, cache: CypherCache) -> None:
    values = [n * 0.1 for n in range(1_000)]
    graph.add({"a": (["Activity"], {"metric_loss_values": values})})
    query = "MATCH (a) WHERE a.metric_loss_values = $v RETURN a.metric_loss_values AS v, a.metric_loss_values[3] AS x"
    assert cache.run(query, {"v": values}).rows == ((values, 0.1 * 3),)


def test_a_text_that_is_not_unicode_is_found(graph: Any, cache: CypherCache) -> None:
    graph.add({"e": (["Entity", "Artifact"], {"path": "caf\udce9.csv"})})
    query = "MATCH (e) WHERE e.path = $p AND e.path ENDS WITH '.csv' AND e.path CONTAINS '\udce9' RETURN e.path"
    assert cache.run(query, {"p": "caf\udce9.csv"}).rows == (("caf\udce9.csv",),)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"bytes", "no bytes"),
        ({1, 2}, "no set"),
        (1 + 2j, "no complex"),
        (10**38, "more than 38 digits"),
        ({1: 2}, "no text"),
        ([2**64, [0.5]], "beyond 64 bits"),
        ({"a`b": [0.5]}, "back-quote"),
    ],
)
def test_what_cypher_does_not_have_is_refused(value: Any, reason: str, shared_cache: CypherCache) -> None:
    with pytest.raises(CypherError, match=reason):
        shared_cache.run("RETURN $v", {"v": value})


def test_dates_and_durations(shared_cache: CypherCache) -> None:
    query = "RETURN $d AS d, date('2026-11-20') AS e, $s AS s, duration('P1M2DT3.5S') AS t"
    found = shared_cache.run(query, {"d": date(2026, 1, 2), "s": timedelta(days=1, seconds=1.5)}).rows
    assert found == ((date(2026, 1, 2), date(2026, 11, 20), "PT86401.5S", "P1M2DT3.5S"),)


@pytest.mark.parametrize(
    ("parts", "text"),
    [((0, 0, 0), "PT0S"), ((1, 2, 0), "P1M2D"), ((0, 0, -1_500_000_000), "PT-1.5S"), ((0, 0, 1), "PT0.000000001S")],
)
def test_durations_are_iso_8601(parts: tuple[int, int, int], text: str) -> None:
    assert iso_duration(*parts) == text
