"""Curves as text: a line of blocks in a table's cell, a plot of dots in a terminal. As wide as there is room."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from provgraph.render.text import Page, clip

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille character, by row and column."""
_BLANK: Final = 0x2800
_LABEL: Final = 10
"""Columns of the numbers beside a plot."""
_WIDEST: Final = 120
"""Columns of a plot, on the widest page."""


def number(value: float) -> str:
    """A value in few characters: six digits, as most logs print."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = f"{value:.6g}"
    return text if len(text) <= _LABEL else f"{value:.3g}"


def sparkline(values: Sequence[float], columns: int) -> str:
    """Values as blocks, in at most so many columns: the mean of those that share one; a blank where none is finite."""
    groups = _shared(values, min(columns, len(values)))
    means = [sum(value / len(group) for value in group) if group else math.nan for group in groups]
    known = [mean for mean in means if math.isfinite(mean)]
    if not known:
        return ""
    low, high = min(known), max(known)
    return "".join(_block(mean, low, high) for mean in means)


def _block(mean: float, low: float, high: float) -> str:
    if not math.isfinite(mean):
        return " "
    part = _part(mean, low, high)
    return _BLOCKS[min(len(_BLOCKS) - 1, int(part * len(_BLOCKS)))]


def _part(value: float, low: float, high: float) -> float:
    """Where a value lies between two, from 0 to 1; also where their difference is beyond all floats."""
    if high == low:
        return 0.5
    return (value / 2 - low / 2) / (high / 2 - low / 2)


def _shared(values: Sequence[float], columns: int) -> list[list[float]]:
    """The finite values of each column, in order."""
    groups: list[list[float]] = [[] for _ in range(max(0, columns))]
    for place, value in enumerate(values):
        if columns > 0 and math.isfinite(value):
            groups[place * columns // len(values)].append(value)
    return groups


@dataclass(frozen=True, slots=True)
class Curve:
    """What a plot draws: points in their order, and the steps under both ends.

    Attributes:
        positions: where on the way from the first to the last point each stands; they only grow.
        count: of all points, of which these stand for all.
    """

    name: str
    positions: Sequence[int]
    values: Sequence[float]
    first_step: int
    last_step: int
    count: int


def plot(curve: Curve, page: Page, rows: int) -> list[str]:
    """A curve as lines of text: its name, a grid of dots with the scale on the left, the steps under both ends."""
    columns = max(1, min(page.columns, _WIDEST) - _LABEL - 3)
    known = [value for value in curve.values if math.isfinite(value)]
    heading = page.paint(clip(_heading(curve, known), page.columns), "strong")
    if not known:
        return [heading]
    low, high = min(known), max(known)
    grid = _grid(curve, low, high, columns, rows)
    scale = {0: high, rows - 1: low} if rows > 1 else {0: high}
    if rows >= 5:
        scale[rows // 2] = high - (high - low) * (rows // 2) / (rows - 1) if math.isfinite(high - low) else 0.0
    lines = [heading]
    for row, dots in enumerate(grid):
        label = number(scale[row]) if row in scale else ""
        drawn = "".join(chr(_BLANK + bits) for bits in dots).rstrip(chr(_BLANK))
        lines.append(page.paint(f"{label:>{_LABEL}} ┤", "faint") + page.paint(drawn, "entity"))
    ends = f"{curve.first_step}", f"{curve.last_step}"
    between = max(1, columns - len(ends[0]) - len(ends[1]))
    lines.append(page.paint(clip(f"{'':>{_LABEL}}  {ends[0]}{' ' * between}{ends[1]}", page.columns), "faint"))
    return lines


def _heading(curve: Curve, known: Sequence[float]) -> str:
    last = number(curve.values[-1]) if curve.values else ""
    odd = "" if len(known) == len(curve.values) else ", not all of them finite"
    return f"{curve.name}  {last}  ({curve.count:,} point{'' if curve.count == 1 else 's'}{odd})"


def _grid(curve: Curve, low: float, high: float, columns: int, rows: int) -> list[list[int]]:
    """Bits of braille characters: each dot's column is spanned from its least to its greatest value, and joined."""
    grid = [[0] * columns for _ in range(rows)]
    wide, high_dots = 2 * columns, 4 * rows
    span = max(1, curve.positions[-1] - curve.positions[0])
    before: tuple[int, int] | None = None
    for position, value in zip(curve.positions, curve.values, strict=True):
        if not math.isfinite(value):
            before = None
            continue
        x = (position - curve.positions[0]) * (wide - 1) // span
        y = round((1 - _part(value, low, high)) * (high_dots - 1))
        for column, row in _line(before, (x, y)):
            grid[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
        before = x, y
    return grid


def _line(start: tuple[int, int] | None, end: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots from one point to another, both included."""
    if start is None:
        return [end]
    (x0, y0), (x1, y1) = start, end
    steps = max(abs(x1 - x0), abs(y1 - y0), 1)
    return [(x0 + (x1 - x0) * n // steps, y0 + (y1 - y0) * n // steps) for n in range(steps + 1)]
