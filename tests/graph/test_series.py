"""Series as NumPy arrays: what NumPy says of long ones is what counting them one by one says."""

import math
import random

import numpy as np
import pytest

from provgraph.events.series import Points, extended
from provgraph.graph import series
from provgraph.graph.elements import Vertex
from provgraph.graph.series import AllSeries, Series

RUN = Vertex("u", ("Activity",), {"name": "train #1"})


def made(values: list[float], times: list[int] | None = None) -> Series:
    told = None if times is None else np.array(times, np.int64).view("datetime64[ns]")
    return Series("loss", np.arange(len(values), dtype=np.int64), np.array(values, np.float64), told)


@pytest.mark.parametrize("seed", range(8))
def test_long_series_are_thinned_as_short_ones(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "_FEW", 1000)
    rng = random.Random(seed)
    odd = [math.nan, math.inf, -math.inf] if seed % 2 else [1.0]
    values = [rng.choice(odd) if rng.random() < 0.02 else rng.gauss(0, 1) for _ in range(rng.randint(1001, 20_000))]
    expected = extended(None, Points(range(len(values)), values))
    assert repr(made(values).standing) == repr(expected)


def test_a_series_of_nothing_but_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "_FEW", 1000)
    values = [math.nan] * 3000
    assert repr(made(values).standing) == repr(extended(None, Points(range(3000), values)))


def test_as_json_and_as_rows() -> None:
    found = AllSeries(RUN, {}, ["a note"])
    found._series["loss"] = made([0.5, math.nan], [10**18, -(1 << 63)])
    document = found.to_json()
    assert document["series"][0]["times"] == [10**18, None]
    assert document["notes"] == ["a note"]
    assert next(iter(found.rows())) == ("loss", 0, 0.5, "2001-09-09T01:46:40.000000+00:00")
    assert list(found.rows())[1][3] is None
    assert repr(found) == "<series of train #1: loss (2)>"
    assert "loss: 2 points" in repr(found["loss"])
    frame = found.to_pandas()
    assert list(frame.columns) == ["series", "step", "value", "time"]
    assert str(frame["time"].dt.tz) == "UTC"
    assert frame["time"].isna().tolist() == [False, True]
    assert list(AllSeries(RUN, {}).to_pandas().columns) == ["series", "step", "value"]
