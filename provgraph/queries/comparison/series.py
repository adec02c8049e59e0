"""Series of two vertices side by side: lengths, last values, the largest difference at a step that both have."""

import math

import numpy as np
import numpy.typing as npt

from provgraph.graph.comparison import SeriesDifference, SeriesSide
from provgraph.graph.elements import Vertex
from provgraph.graph.reader import GraphReader
from provgraph.graph.series import Series


def series_differences(reader: GraphReader, first: Vertex, second: Vertex) -> tuple[SeriesDifference, ...]:
    """All series of both, what differs first, then by name."""
    ones, others = reader.series(first.uid), reader.series(second.uid)
    found = []
    for name in sorted({*ones, *others}):
        one = Series.of(name, ones[name]) if name in ones else None
        other = Series.of(name, others[name]) if name in others else None
        found.append(_difference(name, one, other))
    return tuple(sorted(found, key=lambda one: (one.state == "equal", one.name)))


def keys_of(name: str) -> frozenset[str]:
    """The properties that say the same of a series as its points do."""
    return frozenset(f"metric_{name}_{part}" for part in ("last", "min", "max", "count", "steps", "values"))


def _difference(name: str, one: Series | None, other: Series | None) -> SeriesDifference:
    if one is None or other is None:
        return SeriesDifference(name, "second" if one is None else "first", _side(one), _side(other))
    equal = np.array_equal(one.steps, other.steps) and np.array_equal(one.values, other.values, equal_nan=True)
    common, largest, step = _largest(one, other)
    return SeriesDifference(name, "equal" if equal else "differs", _side(one), _side(other), common, largest, step)


def _side(series: Series | None) -> SeriesSide | None:
    if series is None:
        return None
    standing = series.standing
    steps = int(series.steps[0]), int(series.steps[-1])
    return SeriesSide(standing.count, steps, standing.last, standing.min, standing.max)


def _largest(one: Series, other: Series) -> tuple[int, float | None, int | None]:
    """How many steps both have; the largest difference (second minus first) at one of them, and the step.

    Of a step that occurs several times its last value counts; what is not finite on both sides is passed over.
    """
    (steps, values), (steps_too, values_too) = _last_of_each(one), _last_of_each(other)
    common, here, there = np.intersect1d(steps, steps_too, assume_unique=True, return_indices=True)
    if not len(common):
        return 0, None, None
    with np.errstate(all="ignore"):
        change = values_too[there] - values[here]
    sizes = np.where(np.isfinite(change), np.abs(change), -1.0)
    place = int(sizes.argmax())
    largest = float(change[place])
    return len(common), *((largest, int(common[place])) if math.isfinite(largest) else (None, None))


def _last_of_each(series: Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    steps, places = np.unique(series.steps[::-1], return_index=True)
    return steps, series.values[::-1][places]
