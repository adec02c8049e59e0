"""Series that are still coming: as lines, and as a picture that stays in its place on a terminal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from provgraph.events.series import Standing
from provgraph.events.series_rows import NO_TIME, Points
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.render.json_text import one_line
from provgraph.render.plots import number, plot, sparkline
from provgraph.render.series import curve_of
from provgraph.render.text import Page, clip, pad, printable, width
from provgraph.render.times import Clock, duration, parsed

_LEAST, _MOST = 3, 10
"""Rows of a curve."""
_AROUND: Final = 2
"""Lines of a curve besides its rows."""
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""What is between is shown at once, by terminals that know it."""


def point_lines(new: Mapping[str, Points], *, as_json: bool) -> Iterator[str]:
    """A line for each point: name, step, value; or an object. What came together is in the order of the names."""
    for name, points in new.items():
        times: Sequence[int] = points.times or ()
        for place, (step, value) in enumerate(zip(points.steps, points.values, strict=True)):
            if not as_json:
                yield f"{printable(name)} {step} {value!r}"
                continue
            time = times[place] if times else NO_TIME
            told = {} if time == NO_TIME else {"time": time}
            yield one_line({"series": name, "step": step, "value": value, **told})


def frame(
    vertex: Vertex, series: Mapping[str, Standing], page: Page, lines: int, clock: Clock, *, ended: bool
) -> list[str]:
    """What is shown now, in less than so many lines: curves where there is room for all, else a line for each."""
    shown = [_status(vertex, page, clock, ended=ended)]
    room = max(1, lines - 2)
    rows = room // len(series) - _AROUND if series else 0
    if not series:
        shown.append(page.paint(clip("no points" if ended else "no points yet", page.columns), "faint"))
    elif rows >= _LEAST:
        for name, standing in series.items():
            shown += plot(curve_of(name, standing), page, min(rows, _MOST))
    else:
        shown += _short(series, page)[:room]
    return shown


def _status(vertex: Vertex, page: Page, clock: Clock, *, ended: bool) -> str:
    """Who it is and how it stands."""
    properties = vertex.properties
    if not ended:
        started = parsed(properties.get("started_at"))
        since = duration((clock.now - started).total_seconds()) if started else ""
        state = f"running {since}".rstrip() + "  Ctrl-C stops looking, not the command"
    elif properties.get("interrupted"):
        state = "interrupted"
    else:
        status, took = properties.get("exit_status"), duration(properties.get("duration_s"))
        state = "ended" + (f", exit {status}" if status is not None else "") + (f", {took}" if took else "")
    name = printable(display_name(vertex))
    left = page.columns - width(name) - 2
    if left < 8:
        return page.paint(clip(name, page.columns), "strong")
    return page.paint(name, "strong") + "  " + page.paint(clip(state, left), "faint")


def _short(series: Mapping[str, Standing], page: Page) -> list[str]:
    """A line for each series."""
    names = {name: clip(printable(name), max(8, page.columns // 3)) for name in series}
    wide = max(map(width, names.values()))
    shown = []
    for name, standing in series.items():
        told = f"{pad(names[name], wide)}  {number(standing.last):>10}  "
        line = told + sparkline(standing.values, max(0, min(40, page.columns - width(told))))
        shown.append(clip(line, page.columns))
    return shown


class Screen:
    """Lines that are replaced where they stand, in one write, without clearing what stays the same.

    Parameters:
        write: to a terminal.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._lines = 0

    def show(self, lines: Sequence[str]) -> None:
        """Show lines in place of the ones before."""
        parts = [_BEGIN, f"\x1b[{self._lines}F" if self._lines else "\x1b[?25l"]
        parts += [f"{line}\x1b[K\n" for line in lines]
        parts += ["\x1b[J", _END]
        self._write("".join(parts))
        self._lines = len(lines)

    def leave(self) -> None:
        """Leave what is shown where it is, and give the cursor back."""
        if self._lines:
            self._write("\x1b[?25h")
