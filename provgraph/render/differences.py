"""Properties of two vertices as text: side by side where they fit, command lines word by word."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from provgraph.graph.comparison import Difference
from provgraph.render.contents import value_lines
from provgraph.render.tables import Column, table
from provgraph.render.text import Colour, Page, clip_middle, printable, width
from provgraph.render.times import Clock
from provgraph.render.vertices import property_text

MARKS: Final = {"equal": "=", "differs": "≠", "first": "-", "second": "+"}
COLOURS: Final[dict[str, Colour]] = {"first": "bad", "second": "good", "differs": "strong", "equal": "faint"}
_DIGEST: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NARROW: Final = 60
"""In fewer columns properties stand below each other, not side by side."""


def properties_text(names: tuple[str, str], shown: Sequence[Difference], page: Page, clock: Clock) -> str:
    """Two columns where they fit; what is too wide for its column stands below its key, whole."""
    plain = [d for d in shown if not d.words and not d.changes]
    rows = [[_mark(d), d.key, *_values(d, clock), _change(d)] for d in plain]
    taken = [max([1, *(width(row[place]) for row in rows)]) for place in (1, 4)]
    room = max(8, (page.columns - 1 - sum(taken) - 8) // 2)
    if page.columns < _NARROW:
        return "\n".join(line for d in shown for line in _marked(d, clock, page))
    narrow = [row for row in rows if width(row[2]) <= room and width(row[3]) <= room]
    texts = [_words(d, page) for d in shown if d.words]
    if narrow:
        heads = [clip_middle(printable(name), room) for name in names]
        columns = [Column("", least=1), Column(""), Column(heads[0]), Column(heads[1]), Column("")]
        texts.append(table(columns, _coloured(narrow), page))
    for d in shown:
        row = [_mark(d), d.key, *_values(d, clock), _change(d)]
        if d.changes:
            lines = [f"≠ {printable(d.key)}"]
            texts.append("\n".join([*lines, *("    " + line for line in value_lines(d.changes, page))]))
        elif not d.words and row not in narrow:
            texts.append(_stacked(d, row, page))
    return "\n".join(texts)


def _marked(d: Difference, clock: Clock, page: Page) -> list[str]:
    """A property on lines of its own, where two columns have no room."""
    if d.state == "equal":
        return [f"= {printable(d.key)}  {_values(d, clock)[0]}"]
    lines = property_lines(d, clock, Page(page.columns - 2, page.colour))
    return [f"≠ {lines[0]}" if d.state == "differs" else lines[0], *("  " + line for line in lines[1:])]


def _coloured(rows: Iterable[list[str]]) -> "list[list[tuple[str, Colour] | str]]":
    return [
        [row[0], (row[1], "strong" if row[0] == "≠" else "plain"), row[2], row[3], (row[4], "faint")] for row in rows
    ]


def _mark(d: Difference) -> str:
    return MARKS[d.state]


def _values(d: Difference, clock: Clock) -> tuple[str, str]:
    first = "" if d.state == "second" else _short(printable(property_text(d.key, d.first, clock)))
    second = "" if d.state == "first" else _short(printable(property_text(d.key, d.second, clock)))
    return first, second


def _short(text: str) -> str:
    """Of a digest its beginning tells enough; --json has it whole."""
    return f"{text[:12]}…" if _DIGEST.fullmatch(text) else text


def _change(d: Difference) -> str:
    if d.difference is None or d.state != "differs":
        return ""
    ratio = "" if d.ratio is None else f"× {d.ratio:.4g}"
    if d.group == "measure":
        return ratio
    try:
        change = f"{d.difference:+.6g}"
    except OverflowError:  # an integer beyond all floats
        return ""
    return change + (f" ({ratio})" if ratio else "")


def _stacked(d: Difference, row: Sequence[str], page: Page) -> str:
    lines = [f"{row[0]} {printable(d.key)}"]
    if d.state == "equal":
        return f"{lines[0]}\n    {row[2]}"
    if d.state != "second":
        lines.append("    " + page.paint(f"- {row[2]}", "bad"))
    if d.state != "first":
        lines.append("    " + page.paint(f"+ {row[3]}", "good"))
    return "\n".join(lines)


def _words(d: Difference, page: Page) -> str:
    """``python train.py --config [-a.json-] {+b.json+}``, in the manner of git's word diff."""
    parts: list[str] = []
    marks: list[str] = []
    for mark, word in d.words:
        if marks and marks[-1] == mark != "=":
            parts[-1] += f" {printable(word)}"
        else:
            marks.append(mark)
            parts.append(printable(word))
    drawn = [
        page.paint(f"[-{text}-]", "bad")
        if mark == "-"
        else page.paint(f"{{+{text}+}}", "good")
        if mark == "+"
        else text
        for mark, text in zip(marks, parts, strict=True)
    ]
    return f"≠ {d.key}  {' '.join(drawn)}"


def property_lines(d: Difference, clock: Clock, page: Page) -> list[str]:
    if d.words:
        return [_words(d, page).removeprefix("≠ ")]
    if d.changes:
        return [d.key, *("  " + line for line in value_lines(d.changes, page))]
    first, second = _values(d, clock)
    if d.state != "differs":
        mark = MARKS[d.state]
        return [page.paint(f"{mark} {printable(d.key)}  {first or second}", COLOURS[d.state])]
    change = _change(d)
    line = f"{printable(d.key)}  {first} → {second}" + (f"  {change}" if change else "")
    if width(line) <= page.columns:
        return [line]
    return [printable(d.key), page.paint(f"  - {first}", "bad"), page.paint(f"  + {second}", "good")]
