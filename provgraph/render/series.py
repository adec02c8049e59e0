"""Series on a page: a table with a line for each, and their curves."""

from collections.abc import Iterable

from provgraph.events.series import Standing
from provgraph.graph.comparison import Comparison, SeriesDifference
from provgraph.graph.series import AllSeries, Series
from provgraph.render.differences import MARKS
from provgraph.render.plots import Curve, number, plot, sparkline
from provgraph.render.tables import Column, table
from provgraph.render.text import Page, clip, printable

FEW = 3
"""So many curves are drawn where nobody said which."""
ROWS = 8
_COLUMNS = (
    Column("series"), Column("points", right=True, least=6), Column("steps", least=5), Column("last", right=True),
    Column("min", right=True), Column("max", right=True), Column(""),
)  # fmt: skip
_SPARK = 24


def series_text(found: AllSeries, page: Page, *, named: bool) -> str:
    """All series in a table; under it the curves of those that were named, or of a few."""
    blocks = [series_table(found.values(), page)]
    drawn = list(found.values()) if named or len(found) <= FEW else []
    blocks += ["\n".join(plot(curve_of(one.name, one.standing), page, ROWS)) for one in drawn if len(one) > 1]
    return "\n\n".join(blocks)


def series_table(found: Iterable[Series], page: Page) -> str:
    """A line for each series: how many points, which steps, the last value, the least, the greatest."""
    rows = []
    for series in found:
        standing = series.standing
        first, last = int(series.steps[0]), int(series.steps[-1])
        rows.append([
            (series.name, "strong"), f"{standing.count:,}", f"{first}–{last}" if len(series) > 1 else f"{first}",
            number(standing.last), number(standing.min), number(standing.max), sparkline(standing.values, _SPARK),
        ])  # fmt: skip
    return table(_COLUMNS, rows, page)  # type: ignore[arg-type]


def series_differences_text(found: Comparison, page: Page, *, everything: bool) -> str:
    """Series of two vertices side by side; of those that are the same, only the names, unless all is wanted."""
    shown = [one for one in found.series if everything or one.state != "equal"]
    lines = []
    if shown:
        columns = [
            Column("", least=1), Column("series"), Column("points", right=True), Column("last", right=True),
            Column("largest difference"),
        ]  # fmt: skip
        rows = [[MARKS[one.state], one.name, *_sides(one), _largest(one)] for one in shown]
        lines.append(table(columns, rows, page))
    same = [printable(one.name) for one in found.series if one.state == "equal"]
    if same and not everything:
        lines.append(page.paint(clip(f"= series {', '.join(same)}", page.columns), "faint"))
    return "\n".join(lines)


def _sides(one: SeriesDifference) -> tuple[str, str]:
    sides = [side for side in (one.first, one.second) if side is not None]
    return " → ".join(f"{side.count:,}" for side in sides), " → ".join(number(side.last) for side in sides)


def _largest(one: SeriesDifference) -> str:
    if one.state != "differs" or not one.common:
        return "" if one.state != "differs" else "no step in common"
    if one.largest is None or one.step is None:
        return "at no step finite on both sides"
    return f"{one.largest:+.6g} at {one.step}" if one.largest else "none at the steps of both"


def curve_of(name: str, standing: Standing) -> Curve:
    """What is drawn of a series: the points that stand for all."""
    steps = standing.steps
    return Curve(printable(name), standing.positions, standing.values, steps[0], steps[-1], standing.count)
