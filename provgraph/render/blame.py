"""``blame`` as text: one line of the file a line, before it what changed it last."""

from typing import Final

from provgraph.graph.blame import Blame, BlamedLine
from provgraph.graph.naming import display_name
from provgraph.render.text import Colour, Page, clip, clip_middle, pad, printable, width
from provgraph.render.times import Clock

_MOST = {"snapshot": 24, "activity": 28, "who": 20}
_COMMIT = 8
_COLOURS: Final[tuple[Colour, ...]] = ("entity", "activity", "agent", "faint", "faint")


def blame_text(blame: Blame, page: Page, clock: Clock) -> str:
    """``train.py@3  clean.py #14  Alice  2026-11-21 12:00:03  1a2b3c4d  12│ the line itself``.

    Lines of the file are never cut. Columns that say nothing for this file are left out.
    """
    rows = [_cells(line, clock) for line in blame.lines]
    widths = [max((width(row[place]) for row in rows), default=0) for place in range(5)]
    for place, key in enumerate(_MOST):
        widths[place] = min(widths[place], _MOST[key])
    digits = len(str(len(blame.lines)))
    shown = []
    for line, row in zip(blame.lines, rows, strict=True):
        parts = [
            page.paint(pad(clip_middle(text, columns) if place < 2 else clip(text, columns), columns), colour)
            for place, (text, columns, colour) in enumerate(zip(row, widths, _COLOURS, strict=True))
            if columns
        ]
        number = page.paint(f"{line.number:>{digits}}│", "faint")
        shown.append("  ".join([*parts, f"{number} {_line_text(line.text)}"]).rstrip())
    return "\n".join(shown)


def _cells(line: BlamedLine, clock: Clock) -> tuple[str, str, str, str, str]:
    change = line.change
    name = "" if change is None else display_name(change.snapshot) + ("" if change.exact else " ~")
    activity = None if change is None else change.activity
    commit = "" if line.commit is None else line.commit.commit[:_COMMIT]
    did = "before the record" if change else "" if commit else "not recorded"
    if activity is not None:
        did = display_name(activity)
    return printable(name), printable(did), printable(", ".join(line.agents)), clock.show(line.at), commit


def _line_text(text: str) -> str:
    """The line with its tabs; everything else that could move the cursor is escaped."""
    return "\t".join(printable(part) for part in text.removesuffix("\r").split("\t"))
