"""Tables of plain text, as wide as the page where they can be."""

from collections.abc import Sequence
from dataclasses import dataclass

from provgraph.render.text import Colour, Page, clip, clip_middle, pad, printable, width


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, whether it is set to the right, and how little room it can do with."""

    heading: str
    right: bool = False
    least: int = 8
    middle: bool = False
    """Cut out of the middle rather than off the end."""


Cell = tuple[str, Colour]


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], page: Page, headings: bool = True) -> str:
    """Rows under headings, two blanks between columns. Columns too wide for the page are cut, the widest first."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    widths = [
        max([width(column.heading) if headings else 0, *(width(row[i][0]) for row in cells)])
        for i, column in enumerate(columns)
    ]
    _fit(widths, columns, page.columns)
    lines = []
    if headings:
        titles = [pad(clip(c.heading, w), w, c.right) for c, w in zip(columns, widths, strict=True)]
        lines.append(page.paint("  ".join(titles).rstrip(), "faint"))
    for row in cells:
        parts = []
        for column, columns_wide, (text, colour) in zip(columns, widths, row, strict=True):
            cut = clip_middle(text, columns_wide) if column.middle else clip(text, columns_wide)
            blanks = " " * (columns_wide - width(cut))
            painted = page.paint(cut, colour)
            parts.append(blanks + painted if column.right else painted + blanks)
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def _cell(cell: Cell | str) -> Cell:
    return (printable(cell), "plain") if isinstance(cell, str) else (printable(cell[0]), cell[1])


def _fit(widths: list[int], columns: Sequence[Column], room: int) -> None:
    over = sum(widths) + 2 * (len(widths) - 1) - room
    while over > 0:
        spare = [w - c.least for w, c in zip(widths, columns, strict=True)]
        most = max(spare, default=0)
        if most <= 0:
            return
        place = spare.index(most)
        rest = sorted(spare)[-2] if len(spare) > 1 else 0
        step = min(over, max(1, most - max(rest, 0)))
        widths[place] -= step
        over -= step
