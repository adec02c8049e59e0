"""Curves as text: whatever the values, never wider or higher than the page, and what is drawn is what there is."""

import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.events.series import Points, Standing, extended
from provgraph.graph.elements import Vertex
from provgraph.render.following import Screen, frame, point_lines
from provgraph.render.plots import Curve, number, plot, sparkline
from provgraph.render.series import curve_of
from provgraph.render.text import Page, width
from provgraph.render.times import Clock

VALUES = st.lists(st.floats() | st.integers(-3, 3).map(float), min_size=1, max_size=200)
NAMES = st.text(min_size=1, max_size=40)
CLOCK = Clock(datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC))
RUN = Vertex("u", ("Activity",), {"name": "train.py #1", "started_at": "2026-11-20T12:00:00+00:00"})


def standing(values: list[float]) -> Standing:
    return extended(None, Points(range(len(values)), values))


@given(VALUES, st.integers(20, 130), st.integers(1, 12), NAMES)
def test_a_plot_fits_its_page(values: list[float], columns: int, rows: int, name: str) -> None:
    lines = plot(curve_of(name, standing(values)), Page(columns), rows)
    finite = [value for value in values if math.isfinite(value)]
    assert len(lines) == (rows + 2 if finite else 1)
    assert all(width(line) <= columns for line in lines)
    if finite:
        assert any(0x2800 < ord(char) < 0x2900 for line in lines for char in line)


@given(VALUES, st.integers(0, 40))
def test_a_sparkline_fits_and_has_a_block_for_each_column(values: list[float], columns: int) -> None:
    line = sparkline(values, columns)
    assert len(line) in (0, min(columns, len(values)))
    assert set(line) <= set(" ▁▂▃▄▅▆▇█")


def test_what_is_drawn() -> None:
    assert sparkline([0.0, 1.0, 2.0, 3.0], 4) == "▁▃▆█"
    assert sparkline([0.0, math.nan, 3.0], 3) == "▁ █"
    assert sparkline([1e308, -1e308], 2) == "█▁"
    assert sparkline([math.nan], 3) == ""
    up = plot(curve_of("a", standing([0.0, 1.0])), Page(30), 1)
    assert up[1].startswith("         1 ┤")
    assert [number(value) for value in (math.nan, math.inf, -math.inf, 0.1, 1e-9, 123456789.0)] == [
        "NaN", "∞", "-∞", "0.1", "1e-09", "1.23e+08",
    ]  # fmt: skip
    falling = plot(Curve("loss", (0, 1), (1.0, 0.0), 0, 20, 2), Page(33), 4)
    drawn = [line[12:].replace("\u2800", " ") for line in falling[1:5]]
    assert [len(line) - len(line.lstrip()) for line in drawn] == [0, 5, 10, 16]
    assert falling[5].split() == ["0", "20"]


@given(st.dictionaries(NAMES, VALUES, max_size=12), st.integers(20, 130), st.integers(3, 50), st.booleans())
def test_a_frame_fits_the_terminal(series: dict[str, list[float]], columns: int, lines: int, ended: bool) -> None:
    known = {name: standing(values) for name, values in series.items()}
    shown = frame(RUN, known, Page(columns), lines, CLOCK, ended=ended)
    assert len(shown) < max(lines, 3)
    assert all(width(line) <= columns and "\n" not in line for line in shown)


def test_how_it_stands() -> None:
    assert "running 5.00 s" in frame(RUN, {}, Page(80), 24, CLOCK, ended=False)[0]
    done = Vertex("u", ("Activity",), {**RUN.properties, "exit_status": 3, "duration_s": 2.0})
    assert frame(done, {}, Page(80), 24, CLOCK, ended=True)[0] == "train.py #1  ended, exit 3, 2.00 s"
    cut = Vertex("u", ("Activity",), {**RUN.properties, "interrupted": True})
    assert frame(cut, {}, Page(80), 24, CLOCK, ended=True)[0] == "train.py #1  interrupted"


def test_a_screen_replaces_its_lines_in_one_write() -> None:
    writes: list[str] = []
    screen = Screen(writes.append)
    screen.show(["a", "b"])
    screen.show(["c"])
    screen.leave()
    assert len(writes) == 3
    assert writes[0].endswith("a\x1b[K\nb\x1b[K\n\x1b[J\x1b[?2026l")
    assert "\x1b[2F" in writes[1]
    assert writes[2] == "\x1b[?25h"
    Screen(writes.append).leave()
    assert len(writes) == 3


@pytest.mark.parametrize("name", ["loss", "a\nb\x1b[31m"])
def test_lines_of_points(name: str) -> None:
    new = {name: Points([1, 2], [0.5, math.nan], [10, -(1 << 63)])}
    (first, second) = point_lines(new, as_json=False)
    assert first.endswith(" 1 0.5")
    assert second.endswith(" 2 nan")
    assert "\x1b" not in first
    found = [json.loads(line) for line in point_lines(new, as_json=True)]
    assert found == [
        {"series": name, "step": 1, "value": 0.5, "time": 10},
        {"series": name, "step": 2, "value": "NaN"},
    ]
