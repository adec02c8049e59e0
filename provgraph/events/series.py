"""Series: what a metric was, step by step. How their points lie in events, and what is known of them at any moment.

An event that brings points has them in its facts, as two or three binary arrays each, and sets what Cypher sees::

    {"series": [{"vertex": uid, "name": "loss", "first": 1000, "count": 50,
                 "steps": ARRAY, "values": ARRAY, "times": ARRAY?, "by": "caffe"?}]}

*From index ``first`` on, the series is these points.* So points follow those that are there (``first`` is how many
these are), or take their place (``first`` is 0 where an ingestor has read the whole log once more), and the same event
twice is the same as once. Nothing is sorted and nothing is dropped: steps may repeat or go back, as they do where a run
was restarted; NaN and infinities stay what they are.

An ARRAY is base64 of little-endian int64 (steps, times) or float64 (values); behind ``~`` compressed by zlib.
"""

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from provgraph.events.envelope import EventBuilder
from provgraph.events.series_rows import ROW_POINTS, Points, encode

THINNED: Final = 1_000
"""Points that Cypher sees of a series, at most."""
_BUCKETS: Final = THINNED // 4


class Checked(NamedTuple):
    """Points as arrays of 64-bit numbers."""

    steps: "array[int]"
    values: "array[float]"
    times: "array[int] | None"


class Standing(NamedTuple):
    """What is known of a series so far."""

    count: int  # type: ignore[assignment]
    last: float
    min: float
    """NaN where all values are; else NaN does not count."""
    max: float
    positions: tuple[int, ...]
    """Of the points that stand for all."""
    steps: tuple[int, ...]
    """Their steps, ``THINNED`` at most."""
    values: tuple[float, ...]
    by: str = ""
    """The ingestor that read them; empty where the program told them itself."""


def add_points(
    event: EventBuilder,
    vertex: str,
    points: Mapping[str, Points],
    before: Mapping[str, Standing],
    *,
    by: str = "",
    whole: bool = False,
) -> dict[str, Standing]:
    """Add points to the series of a vertex, and set what Cypher sees of them.

    Parameters:
        vertex: its uid. points: by the name of the series. before: what is known of the vertex's series
            (``KnowledgePort.series``, asked within the batch).
        by: the ingestor that read them. What a program told itself wins over what was read out of its log: such a
            series gets nothing from an ingestor; of two ingestors that follow a log, the first to name it is heard.
        whole: these are all points of their series, in place of what is there; none take the series away.

    Returns:
        What is known of the series that got points: what ``before`` is for the next event of the same batch.

    Raises:
        ValueError: a step that is no integer of 64 bits, a value that is no number, or lengths that differ.
    """
    rows: list[dict[str, Any]] = []
    known: dict[str, Standing] = {}
    changes: dict[str, Any] = {}
    for text, given in points.items():
        name = text.encode("utf-8", "backslashreplace").decode()  # without lone surrogates, which no column can hold
        earlier = before.get(name)
        if earlier is not None and not _may_add(earlier, by, whole):
            continue
        if not len(given.values):
            if whole and earlier is not None:  # there is no such series any more
                rows += [no_points(vertex, name)]
                changes.update(dict.fromkeys(properties_of(name, earlier)))
            continue
        start = None if whole or (earlier is not None and earlier.by != by) else earlier
        first = 0 if start is None else start.count
        checked = check_points(name, given, first)
        rows += _rows(vertex, name, first, checked, by)
        known[name] = extended(start, checked, by)
        lists = whole or _level(first) < _level(known[name].count)
        changes.update(properties_of(name, known[name], lists=lists))
    if rows:
        event.facts.setdefault("series", []).extend(rows)
        event.set(vertex, **changes)
    return known


def no_points(vertex: str, name: str) -> dict[str, Any]:
    """The row of an event's facts by which there is no such series any more."""
    return {"vertex": vertex, "name": name, "first": 0, "count": 0, "steps": "", "values": ""}


def settle_series(event: EventBuilder, vertex: str, before: Mapping[str, Standing]) -> None:
    """Set what Cypher sees of a vertex's series when no more points will come: all of it.

    While they come, ``_steps`` and ``_values`` are written anew each time that a series has grown by an eighth.
    """
    changes: dict[str, Any] = {}
    for name, standing in before.items():
        changes.update(properties_of(name, standing, lists=True))
    if changes:
        event.set(vertex, **changes)


def properties_of(name: str, standing: Standing, *, lists: bool = True) -> dict[str, Any]:
    """What Cypher sees of a series: the last value, statistics, and with ``lists`` up to ``THINNED`` points."""
    key = f"metric_{name}"
    found: dict[str, Any] = {
        key: standing.last,
        f"{key}_last": standing.last,
        f"{key}_min": standing.min,
        f"{key}_max": standing.max,
        f"{key}_count": standing.count,
    }
    if lists:
        found |= {f"{key}_steps": list(standing.steps), f"{key}_values": list(standing.values)}
    return found


def _may_add(earlier: Standing, by: str, whole: bool) -> bool:
    return not by or earlier.by == by or (bool(earlier.by) and whole)


def _level(count: int) -> int:
    """Grows by one with each eighth that a count grows by; with each point up to sixteen."""
    bits = count.bit_length()
    return count if bits <= 4 else 8 * (bits - 3) + (count >> (bits - 4))


def check_points(name: str, points: Points, first: int) -> "Checked":
    """The same points as arrays of 64-bit numbers; steps that are None are counted.

    Raises:
        ValueError: as for ``add_points``.
    """
    values, times = points.values, points.times
    if len(points.steps) != len(values) or (times is not None and len(times) != len(values)):
        raise ValueError(f"the series {name} has {len(points.steps)} steps for {len(values)} values")
    try:
        steps = array("q", points.steps)
    except (TypeError, OverflowError):
        steps = array("q", [_step(name, s, first + i) for i, s in enumerate(points.steps)])
    try:
        return Checked(steps, array("d", values), None if times is None else array("q", times))
    except (TypeError, OverflowError) as error:
        raise ValueError(f"the series {name} has a value or a time that is no number of 64 bits ({error})") from None


def _step(name: str, step: Any, position: int) -> int:
    if step is None:
        return position
    if isinstance(step, int) and -(1 << 63) <= step < 1 << 63:
        return step
    raise ValueError(f"the series {name} has the step {step!r}, and a step is an integer of 64 bits")


# -- what is known of a series


def extended(before: Standing | None, points: Points | Checked, by: str = "") -> Standing:
    """What is known of a series once some points follow those that were there.

    It does not depend on the pieces in which the points came. Cost: 0.2 µs a point.
    """
    first = 0 if before is None else before.count
    count = first + len(points.values)
    low, high = (math.nan, math.nan) if before is None else (before.min, before.max)
    numbers = [value for value in points.values if not math.isnan(value)]
    if numbers:
        least, greatest = min(numbers), max(numbers)
        low = least if math.isnan(low) else min(low, least)
        high = greatest if math.isnan(high) else max(high, greatest)
    held: list[tuple[int, int, float]] = []
    if before is not None:
        held += zip(before.positions, before.steps, before.values, strict=True)
    held += zip(range(first, count), points.steps, points.values, strict=True)
    kept = thinned(held, count)
    last = points.values[-1] if len(points.values) else math.nan if before is None else before.last
    return Standing(
        count, last, low, high, tuple(p for p, _, _ in kept), tuple(s for _, s, _ in kept),
        tuple(v for _, _, v in kept), by,
    )  # fmt: skip


def bucket_size(count: int) -> int:
    """How many points of a series of ``count`` stand in one bucket, which keeps four of them: 1, or a power of two."""
    if count <= THINNED:
        return 1
    return 1 << (-(-count // _BUCKETS) - 1).bit_length()


def thinned(points: Sequence[tuple[int, int, float]], count: int) -> list[tuple[int, int, float]]:
    """Of each bucket the first point, the last, the least and the greatest (the first of equal ones); in order.

    Buckets are aligned, and two of them make one of the next size: what was thinned before gives the same as all would.
    """
    size = bucket_size(count)
    if size == 1:
        return list(points)
    kept: list[tuple[int, int, float]] = []
    start = 0
    while start < len(points):
        bucket, end = points[start][0] // size, start
        least: tuple[int, int, float] | None = None
        greatest: tuple[int, int, float] | None = None
        while end < len(points) and points[end][0] // size == bucket:
            point = points[end]
            value = point[2]
            if not math.isnan(value):
                least = point if least is None or value < least[2] else least
                greatest = point if greatest is None or value > greatest[2] else greatest
            end += 1
        chosen = {point[0]: point for point in (points[start], points[end - 1], least, greatest) if point is not None}
        kept += (chosen[position] for position in sorted(chosen))
        start = end
    return kept


def _rows(vertex: str, name: str, first: int, points: Checked, by: str) -> Iterator[dict[str, Any]]:
    for start in range(0, len(points.values), ROW_POINTS):
        part = slice(start, start + ROW_POINTS)
        row: dict[str, Any] = {"vertex": vertex, "name": name, "first": first + start}
        row |= {"count": len(points.values[part]), "steps": encode(points.steps[part])}
        row["values"] = encode(points.values[part])
        if points.times is not None:
            row["times"] = encode(points.times[part])
        if by:
            row["by"] = by
        yield row


__all__ = [
    "THINNED", "Checked", "Points", "Standing", "add_points", "bucket_size", "check_points", "extended",
    "no_points", "properties_of", "settle_series", "thinned",
]  # fmt: skip
