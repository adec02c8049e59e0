"""Laws of series: however points come in pieces, whatever they are, the same series and the same thinned points."""

import base64
import math
import random
import struct
import zlib
from array import array
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provgraph.events.envelope import EventBuilder
from provgraph.events.series import (
    THINNED,
    Points,
    Standing,
    add_points,
    bucket_size,
    extended,
    properties_of,
    settle_series,
)
from provgraph.events.series_rows import NO_TIME, Joined, Piece, decode, encode, joined, rows_of
from provgraph.model.identity import Namespace, uuid7

AT = "2026-11-20T12:00:00.000000+00:00"
UID = "00000000-0000-4000-8000-000000000001"
VALUES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.integers(-5, 5).map(float), st.sampled_from([0.0, -0.0])
)
STEPS = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(0, 30))


def builder(number: int = 1) -> EventBuilder:
    return EventBuilder(Namespace(uuid7()), uuid7(), number, "series.logged", AT)


def same(one: Any, other: Any) -> bool:
    """Equal bit for bit, NaN and the sign of zero included."""
    return repr(one) == repr(other)


def pieces_of(events: Sequence[EventBuilder]) -> list[Piece]:
    return [
        Piece(row.name, e.origin, e.origin_seq, place, e.time, row.first, row.steps, row.values, row.times, row.by)
        for e in events
        for place, row in enumerate(rows_of(e.body.get("facts", {})))
    ]


def cut(points: Points, places: Sequence[int]) -> list[Points]:
    ends = sorted({*(place % (len(points.values) + 1) for place in places), len(points.values)})
    return [
        Points(
            points.steps[start:end], points.values[start:end], None if points.times is None else points.times[start:end]
        )
        for start, end in zip([0, *ends], ends, strict=False)
    ]


@st.composite
def series(draw: st.DrawFn) -> Points:
    """Short ones value by value; long ones from a seed."""
    if draw(st.booleans()):
        rows = draw(st.lists(st.tuples(STEPS, VALUES), max_size=60))
        steps, values = [s for s, _ in rows], [v for _, v in rows]
    else:
        rng, count = random.Random(draw(st.integers(0, 1 << 30))), draw(st.integers(900, 9000))
        steps = [
            rng.randrange(count) if draw_odd else n for n, draw_odd in ((n, rng.random() < 0.1) for n in range(count))
        ]
        values = [rng.choice([rng.gauss(0, 1), rng.gauss(0, 1), math.nan, math.inf, 1.0]) for _ in range(count)]
    times = draw(st.none() | st.just([10**18 + n for n in range(len(steps))]))
    return Points(steps, values, times)


@settings(deadline=None)
@given(points=series(), places=st.lists(st.integers(0, 10**6), max_size=6))
def test_pieces_make_the_series_and_the_thinned_points_do_not_depend_on_them(points: Points, places: list[int]) -> None:
    events: list[EventBuilder] = []
    known: dict[str, Standing] = {}
    for part in cut(points, places):
        events.append(builder(len(events) + 1))
        known |= add_points(events[-1], UID, {"loss": part}, known)
    if not points.values:
        assert not known
        assert all(not event.body for event in events)
        return
    origin = events[0].origin
    for event in events:
        event.origin = origin
    whole = extended(None, points)
    assert same(known["loss"], whole)
    found = pieces_of(events)
    random.Random(1).shuffle(found)
    one = joined([*found, *found[:2]])["loss"].points if len(found) < 2 else joined(found)["loss"].points
    assert list(one.steps) == list(points.steps)
    assert same(list(one.values), list(points.values))
    assert points.times is None or list(one.times or ()) == list(points.times)
    last = builder()
    settle_series(last, UID, known)
    assert same(last.body["set"][0][1], properties_of("loss", whole))


@pytest.mark.repeats
@settings(deadline=None)
@given(points=series())
def test_what_thinning_keeps(points: Points) -> None:
    if not points.values:
        return
    standing, count = extended(None, points), len(points.values)
    assert standing.count == count
    assert same(standing.last, points.values[-1])
    assert len(standing.values) <= THINNED
    assert list(standing.positions) == sorted(set(standing.positions))
    for position, step, value in zip(standing.positions, standing.steps, standing.values, strict=True):
        assert points.steps[position] == step
        assert same(points.values[position], value)
    if count <= THINNED:
        assert len(standing.values) == count
    size = bucket_size(count)
    kept_of = defaultdict[int, list[float]](list)
    for position, value in zip(standing.positions, standing.values, strict=True):
        kept_of[position // size].append(value)
    for start in range(0, count, size):
        bucket, kept = list(points.values[start : start + size]), kept_of[start // size]
        assert same((bucket[0], bucket[-1]), (kept[0], kept[-1]))
        numbers = [value for value in bucket if not math.isnan(value)]
        assert not numbers or {min(numbers), max(numbers)} <= set(kept)
    numbers = [value for value in points.values if not math.isnan(value)]
    assert same(standing.min, min(numbers)) if numbers else math.isnan(standing.min)
    assert same(standing.max, max(numbers)) if numbers else math.isnan(standing.max)


@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 1999, 2000, 2001, 4000, 10**5, 10**6 + 7])
def test_never_more_than_a_thousand_points(count: int) -> None:
    size = bucket_size(count)
    assert size & (size - 1) == 0
    assert count <= THINNED if size == 1 else -(-count // size) * 4 <= THINNED


@given(st.lists(VALUES), st.lists(STEPS))
def test_arrays_come_back_bit_for_bit(values: list[float], steps: list[int]) -> None:
    assert decode(encode(array("d", values))) == struct.pack(f"<{len(values)}d", *values)
    assert decode(encode(array("q", steps))) == struct.pack(f"<{len(steps)}q", *steps)
    assert encode(array("q", [7] * 1000)).startswith("~")


def test_the_same_event_twice_is_the_same_as_once() -> None:
    one, two = builder(1), builder(2)
    two.origin = one.origin
    known = add_points(one, UID, {"loss": Points([0, 1], [1.0, 2.0])}, {})
    add_points(two, UID, {"loss": Points([2], [3.0])}, known)
    once = joined(pieces_of([one, two]))
    assert joined(pieces_of([one, two, two, one, two])) == once
    assert list(once["loss"].points.values) == [1.0, 2.0, 3.0]


def test_a_whole_series_takes_the_place_of_what_was_followed_live() -> None:
    events = [builder(n) for n in range(1, 5)]
    for event in events[1:]:
        event.origin = events[0].origin
    known = add_points(events[0], UID, {"loss": Points([0, 20], [2.0, 1.0])}, {}, by="log")
    known |= add_points(events[1], UID, {"loss": Points([40], [0.5])}, known, by="log")
    again = add_points(
        events[2], UID, {"loss": Points([0, 20, 40, 60], [2.0, 1.0, 0.5, 0.4])}, known, by="log", whole=True
    )
    assert list(joined(pieces_of(events))["loss"].points.steps) == [0, 20, 40, 60]
    assert again["loss"].count == 4
    assert events[2].body["set"][0][1]["metric_loss_values"] == [2.0, 1.0, 0.5, 0.4]
    add_points(events[3], UID, {"loss": Points([0], [9.0])}, again, by="log", whole=True)
    assert list(joined(pieces_of(events))["loss"].points.values) == [9.0]


def test_what_the_program_told_wins_over_what_was_read_out_of_its_log() -> None:
    events = [builder(n) for n in range(1, 4)]
    for event in events[1:]:
        event.origin = events[0].origin
    read = add_points(events[0], UID, {"loss": Points([0], [2.0])}, {}, by="log")
    assert add_points(builder(), UID, {"loss": Points([0], [2.1])}, read, by="another") == {}
    told = add_points(events[1], UID, {"loss": Points([0], [2.01])}, read)
    assert add_points(events[2], UID, {"loss": Points([0, 1], [2.0, 1.0])}, told, by="log", whole=True) == {}
    found = joined(pieces_of(events))["loss"]
    assert (list(found.points.values), found.by) == ([2.01], "")


def test_no_points_at_all_take_a_series_away() -> None:
    events = [builder(n) for n in range(1, 4)]
    for event in events[1:]:
        event.origin = events[0].origin
    known = add_points(events[0], UID, {"loss": Points([0], [2.0])}, {}, by="log")
    assert add_points(builder(), UID, {"loss": Points([], [])}, known, by="log") == {}
    add_points(events[1], UID, {"loss": Points([], [])}, known, by="log", whole=True)
    assert joined(pieces_of(events)) == {}
    assert set(events[1].body["set"][0][1].values()) == {None}
    add_points(events[2], UID, {"loss": Points([0], [1.0])}, {}, by="log")
    assert list(joined(pieces_of(events))["loss"].points.values) == [1.0]


def test_steps_that_are_not_told_are_counted_and_times_may_be_missing() -> None:
    one, two = builder(1), builder(2)
    two.origin = one.origin
    steps: Any = [None, None, 7]
    known = add_points(one, UID, {"a": Points(steps, [1.0, 2.0, 3.0])}, {})
    more: Any = [None]
    add_points(two, UID, {"a": Points(more, [4.0], [10**18])}, known)
    found = joined(pieces_of([one, two]))["a"].points
    assert list(found.steps) == [0, 1, 7, 3]
    assert list(found.times or ()) == [NO_TIME, NO_TIME, NO_TIME, 10**18]


@pytest.mark.parametrize(
    "points",
    [
        Points([0], [1.0, 2.0]),
        Points([0], [1.0], [1, 2]),
        Points([1 << 63], [1.0]),
        Points([0.5], [1.0]),  # type: ignore[list-item]
        Points([True], ["much"]),  # type: ignore[list-item]
        Points([0], [None]),  # type: ignore[list-item]
    ],
)
def test_what_is_no_point_is_refused_and_nothing_is_added(points: Points) -> None:
    event = builder()
    with pytest.raises(ValueError, match="series loss"):
        add_points(event, UID, {"loss": points}, {})
    assert event.body == {}


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=12), st.randoms()
)
def test_pieces_of_several_clones_in_any_order(rows: list[tuple[int, int, int]], rng: random.Random) -> None:
    """Clocks go back, and clones each write from where they think that the series ends."""
    numbers = [0, 0, 0]
    found = []
    for origin, second, first in rows:
        numbers[origin] += 1
        raw = struct.pack("<q", numbers[origin])
        at = f"2026-11-20T12:00:0{second}+00:00"
        found.append(Piece("a", f"o{origin}", numbers[origin], 0, at, first, raw, raw, None, ""))
    expected = joined(found)
    rng.shuffle(found)
    assert joined(found) == expected


def test_damaged_rows_are_passed_over() -> None:
    sound = {
        "vertex": UID,
        "name": "a",
        "first": 0,
        "steps": encode(array("q", [1])),
        "values": encode(array("d", [1.0])),
    }
    bomb = "~" + base64.b64encode(zlib.compress(b"\0" * (1 << 24))).decode()
    broken: list[Any] = [
        None, 3, {}, {**sound, "steps": "x"}, {**sound, "values": encode(array("d", [1.0, 2.0]))},
        {**sound, "first": -1}, {**sound, "first": True}, {**sound, "vertex": "'; DROP"}, {**sound, "name": 3},
        {**sound, "times": "AAAA"}, {**sound, "steps": bomb, "values": bomb}, {**sound, "steps": "~AAAA"},
    ]  # fmt: skip
    assert [row.name for row in rows_of({"series": [*broken, sound]})] == ["a"]
    assert list(rows_of({"series": {"a": 1}})) == []


def test_long_series_are_several_rows() -> None:
    event = builder()
    add_points(event, UID, {"a": Points(range(150_000), [0.0] * 150_000)}, {})
    assert [row["count"] for row in event.facts["series"]] == [65536, 65536, 18928]
    (found,) = joined(pieces_of([event])).values()
    assert isinstance(found, Joined)
    assert list(found.points.steps) == list(range(150_000))


def test_the_lists_that_cypher_sees_are_not_written_with_every_point() -> None:
    known, written = dict[str, Standing](), 0
    for n in range(2000):
        event = builder()
        known |= add_points(event, UID, {"a": Points([n], [float(n)])}, known)
        written += "metric_a_values" in event.body["set"][0][1]
    assert written < 80
