"""Series as answers: a metric's steps, values and times as NumPy arrays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from provgraph.events.series import Standing, bucket_size, extended, thinned
from provgraph.events.series_rows import NO_TIME, Joined, Points
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name

if TYPE_CHECKING:
    import pandas as pd

_FEW: Final = 5_000
"""Points that are counted one by one."""
COLUMNS: Final = ("series", "step", "value", "time")


@dataclass(frozen=True, eq=False)
class Series:
    """One series, whole, in the order in which it was logged: steps may repeat and go back.

    Attributes:
        name: of the metric.
        steps: int64. values: float64; NaN and infinities are what was logged.
        times: datetime64[ns], UTC, NaT where one was not told; None where none was.
        ingestor: what read the points out of a log; empty where the program told them itself.
    """

    name: str
    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    times: npt.NDArray[np.datetime64] | None = None
    ingestor: str = ""

    @classmethod
    def of(cls, name: str, joined: Joined) -> "Series":
        """A series as a store has it. Cost: 10 ms for 1,000,000 points."""
        times = None if joined.times is None else np.frombuffer(joined.times, "<i8").astype(np.int64)
        return cls(
            name,
            np.frombuffer(joined.steps, "<i8").astype(np.int64),
            np.frombuffer(joined.values, "<f8").astype(np.float64),
            None if times is None else times.view("datetime64[ns]"),
            joined.by,
        )

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<Series {self.name}: {len(self):,} points, last {self.values[-1] if len(self) else 'none'}>"

    @cached_property
    def standing(self) -> Standing:
        """Count, last, least and greatest value, and the points that stand for all. Cost: 30 ms for 10⁶ points."""
        count = len(self)
        if count <= _FEW:
            return extended(None, Points(self.steps.tolist(), self.values.tolist()), self.ingestor)
        places = _candidates(self.values, bucket_size(count))
        points = zip(places.tolist(), self.steps[places].tolist(), self.values[places].tolist(), strict=True)
        positions, steps, values = zip(*thinned(list(points), count), strict=True)
        low, high = float(np.fmin.reduce(self.values)), float(np.fmax.reduce(self.values))
        return Standing(count, float(self.values[-1]), low, high, positions, steps, values, self.ingestor)

    def to_pandas(self) -> "pd.DataFrame":
        """A DataFrame with the columns ``step``, ``value`` and, where times were told, ``time`` (UTC).

        Raises:
            ModuleNotFoundError: pandas is not installed; the message says how to get it.
        """
        pandas = _pandas()
        columns: dict[str, Any] = {"step": self.steps, "value": self.values}
        if self.times is not None:
            columns["time"] = pandas.to_datetime(self.times, utc=True)
        return pandas.DataFrame(columns)

    def to_json(self) -> dict[str, Any]:
        """The shape of a series in ``provgraph/series/1``; times are Unix nanoseconds."""
        found: dict[str, Any] = {"name": self.name, "count": len(self), "ingestor": self.ingestor or None}
        found |= {"steps": self.steps.tolist(), "values": self.values.tolist()}
        if self.times is not None:
            found["times"] = [None if time == NO_TIME else time for time in self.times.view(np.int64).tolist()]
        return found


class AllSeries(Mapping[str, Series]):
    """The series of one vertex, by name.

    Attributes:
        vertex: whose they are. notes: what a reader should know beside them.
    """

    def __init__(self, vertex: Vertex, found: Mapping[str, Joined], notes: Sequence[str] = ()) -> None:
        self.vertex, self.notes = vertex, tuple(notes)
        self._series = {name: Series.of(name, joined) for name, joined in sorted(found.items())}

    def __getitem__(self, name: str) -> Series:
        return self._series[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def __repr__(self) -> str:
        told = ", ".join(f"{series.name} ({len(series):,})" for series in self._series.values())
        return f"<series of {display_name(self.vertex)}: {told or 'none'}>"

    def rows(self) -> Iterator[tuple[str, int, float, str | None]]:
        """(series, step, value, time in ISO 8601 UTC) of every point."""
        for series in self._series.values():
            times = [None] * len(series) if series.times is None else list(map(_iso, series.times))
            yield from (
                (series.name, step, value, time)
                for step, value, time in zip(series.steps.tolist(), series.values.tolist(), times, strict=True)
            )

    def to_pandas(self) -> "pd.DataFrame":
        """A DataFrame of all points: ``series``, ``step``, ``value``, and where times were told ``time`` (UTC).

        Raises:
            ModuleNotFoundError: pandas is not installed; the message says how to get it.
        """
        pandas = _pandas()
        frames = [series.to_pandas().assign(series=series.name) for series in self._series.values()]
        if not frames:
            return pandas.DataFrame(columns=list(COLUMNS[:3]))
        found = pandas.concat(frames, ignore_index=True)
        return found[[column for column in COLUMNS if column in found]]

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/series/1``."""
        return {
            "schema": "provgraph/series/1",
            "name": display_name(self.vertex),
            "vertex": self.vertex.uid,
            "series": [series.to_json() for series in self._series.values()],
            "notes": list(self.notes),
        }


def _candidates(values: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.int64]:
    """Places among which are all that thinning keeps: four of each bucket, all of one that is not finite."""
    whole = len(values) // size
    buckets = values[: whole * size].reshape(whole, size)
    odd = np.flatnonzero(~np.isfinite(buckets).all(axis=1))
    starts = np.arange(whole, dtype=np.int64) * size
    four = [starts, starts + size - 1, starts + buckets.argmin(axis=1), starts + buckets.argmax(axis=1)]
    every = (odd[:, None] * size + np.arange(size)).ravel()
    return np.unique(np.concatenate([*four, every, np.arange(whole * size, len(values))]))


def _iso(time: np.datetime64) -> str | None:
    return None if np.isnat(time) else f"{np.datetime_as_string(time, unit='us')}+00:00"


def _pandas() -> Any:
    try:
        import pandas as pd
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError("to_pandas() needs pandas: install it with `pip install pandas`") from missing
    return pd
