"""Text for terminals: nothing that moves a cursor, widths, colour only where it belongs."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from provgraph.render.tables import Column, table
from provgraph.render.text import Page, clip, clip_middle, page, printable, width
from provgraph.render.times import Clock, duration

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[31mred", "\\e[31mred"),
        ("caf\udce9", "caf\\xe9"),
        ("\u202egpj", "\\u202egpj"),
        ("é✓", "é✓"),
    ],
)
def test_printable(raw: str, shown: str) -> None:
    assert printable(raw) == shown


def test_width_and_clipping() -> None:
    assert width("日本") == 4 and width("e\u0301") == 1
    assert clip("abcdef", 4) == "abc…" and clip("abc", 4) == "abc"
    assert width(clip("日本語です", 5)) <= 5
    assert width(clip_middle("results/2026/model.pkl", 12)) == 12


def test_colour_only_on_a_terminal_and_never_with_no_color() -> None:
    assert page(True, {"TERM": "xterm"}).colour
    assert not page(False, {"TERM": "xterm"}).colour
    assert not page(True, {"NO_COLOR": "1", "TERM": "xterm"}).colour
    assert not page(True, {"TERM": "dumb"}).colour
    assert Page(80, False).paint("x", "good") == "x"
    assert Page(80, True).paint("x", "good") == "\x1b[32mx\x1b[0m"


def test_tables_fit_the_page() -> None:
    rows = [["name" * 10, "command " * 30, "1"], ["n", "c", "22"]]
    text = table([Column("a"), Column("b", least=10), Column("n", right=True, least=2)], rows, Page(60))
    assert all(width(line) <= 60 for line in text.splitlines())
    assert text.splitlines()[2].endswith("22")


@pytest.mark.parametrize(
    ("style", "shown"),
    [("utc", "2026-11-21 09:30:00Z"), ("local", "2026-11-21 11:30:00"), ("relative", "2 hours ago")],
)
def test_times(style: str, shown: str) -> None:
    clock = Clock(NOW, style, timezone(timedelta(hours=2)))  # type: ignore[arg-type]
    assert clock.show("2026-11-21T09:30:00+00:00") == shown


def test_short_times_leave_out_today() -> None:
    clock = Clock(NOW, "local", UTC)
    assert clock.short("2026-11-21T09:30:00+00:00") == "09:30"
    assert clock.short("2026-11-20T09:30:00+00:00") == "2026-11-20 09:30"
    assert clock.short(None) == ""


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.031, "0.03 s"), (1.92, "1.92 s"), (12.34, "12.3 s"), (75, "1 min 15 s"), (7500, "2 h 05 min"), (None, "")],
)
def test_durations(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown
