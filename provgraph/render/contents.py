"""Differences between contents as lines: diffs, values of documents, rows and cells of tables."""

import json
from collections.abc import Sequence
from typing import Final

from provgraph.graph.comparison import Change, Content, TableDifference
from provgraph.render.text import Page, clip, printable, width

FEW: Final = 40
"""Lines of a diff, and values, that are shown."""
_SAME: Final = 12


def content_lines(found: Content, page: Page, *, everything: bool = False, few: int = FEW) -> list[str]:
    """The difference in the form that it has; never wider than the page, but for values."""
    if found.state == "equal":
        return ["the content is the same"] if found.digests[0] else []
    if found.form in ("text", "notebook"):
        return _text(found, page, None if everything else few)
    if found.form == "document":
        lines = [found.reason] if found.reason else value_lines(found.changes, page, None if everything else few)
        more = found.changes_count - min(len(found.changes), found.changes_count if everything else few)
        return [*lines, *([f"… and {more:,} more"] if more > 0 else [])]
    if found.table is not None:
        return _table(found, found.table, page, few)
    return [clip(line, page.columns) for line in _sizes(found)]


def value_lines(changes: Sequence[Change], page: Page, few: int | None = _SAME) -> list[str]:
    """``learning_rate  0.1 → 0.2``, a line for each value."""
    shown = changes[:few]
    widest = max((width(printable(change.path)) for change in shown), default=0)
    lines = []
    for change in shown:
        key = printable(change.path) or "(the whole)"
        key += " " * (min(widest, 40) - width(key))
        if change.state == "differs":
            text = f"≠ {key}  {_value(change.first)} → {_value(change.second)}"
        elif change.state == "first":
            text = page.paint(clip(f"- {key}  {_value(change.first)}", page.columns), "bad")
            lines.append(text)
            continue
        else:
            text = page.paint(clip(f"+ {key}  {_value(change.second)}", page.columns), "good")
            lines.append(text)
            continue
        if width(text) > page.columns:
            lines += [f"≠ {key}", page.paint(f"  - {_value(change.first)}", "bad")]
            lines.append(page.paint(f"  + {_value(change.second)}", "good"))
        else:
            lines.append(text)
    return lines


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return printable(text if len(text) <= 500 else f"{text[:500]}…")


def _text(found: Content, page: Page, few: int | None) -> list[str]:
    counted = f"{found.lines_added:,} {_lines(found.lines_added)} added, {found.lines_removed:,} removed"
    if found.form == "notebook":
        counted = f"cells' sources: {counted}"
    lines = [page.paint(counted, "faint")] if found.lines else []
    if found.reason:
        lines.append(found.reason)
    for line in found.lines[:few]:
        colour = {"+": "good", "-": "bad", "@": "faint"}.get(line[:1], "plain")
        lines.append(page.paint(clip(_tabbed(line), page.columns), colour))  # type: ignore[arg-type]
    more = found.left_out + len(found.lines) - len(found.lines[:few])
    return [*lines, *([f"… and {more:,} more {_lines(more)} (--all shows them)"] if more else [])]


def _tabbed(line: str) -> str:
    return printable(line[:1] + line[1:].expandtabs(8))


def _lines(number: int) -> str:
    return "line" if number == 1 else "lines"


def _table(content: Content, found: TableDifference, page: Page, few: int) -> list[str]:
    key = "by their order" if found.key is None else f"matched by {printable(found.key)}"
    rows = (
        f"{found.rows_first:,} → {found.rows_second:,} rows"
        if found.rows_first != found.rows_second
        else (f"{found.rows_first:,} rows")
    )
    counted = f"{found.rows_added:,} added, {found.rows_removed:,} removed, {found.rows_changed:,} changed"
    told = [f"{rows} ({key}): {counted}"]
    if width(told[0]) > page.columns:
        told = [f"{rows} ({key})", f"  {counted}"]
    lines = [page.paint(line, "faint") for line in told]
    if content.reason:
        lines.append(content.reason)
    lines += [page.paint(f"- column {printable(name)}", "bad") for name in found.columns_removed]
    lines += [page.paint(f"+ column {printable(name)}", "good") for name in found.columns_added]
    if found.columns_moved:
        lines.append("the columns stand in another order")
    if found.cells_changed > len(found.cells[: max(4, few // 4)]):
        most = ", ".join(f"{printable(name)} {count:,}" for name, count in found.cells_by_column[:6])
        rest = len(found.cells_by_column) - 6
        lines.append(f"{found.cells_changed:,} cells differ: {most}{f' and {rest:,} columns more' if rest > 0 else ''}")
    label = "row" if found.key is None else printable(found.key)
    for cell in found.cells[: max(4, few // 4)]:
        where = f"{label} {printable(cell.row)}, {printable(cell.column)}"
        lines.append(f"≠ {where}: {_cell(cell.first)} → {_cell(cell.second)}")
    if found.cells_changed > len(found.cells[: max(4, few // 4)]):
        lines.append(f"≠ … and {found.cells_changed - len(found.cells[: max(4, few // 4)]):,} more cells")
    for mark, shown, count, colour in (
        ("-", found.removed, found.rows_removed, "bad"),
        ("+", found.added, found.rows_added, "good"),
    ):
        kept = shown[: max(3, few // 8)]
        lines += [page.paint(f"{mark} {', '.join(map(_cell, row))}", colour) for row in kept]  # type: ignore[arg-type]
        if count > len(kept):
            lines.append(f"{mark} … and {count - len(kept):,} more rows")
    return [clip(line, page.columns) if "\x1b" not in line else line for line in lines]


def _cell(text: str) -> str:
    return printable(text) if text.strip() == text and text else f'"{printable(text)}"'


def _sizes(found: Content) -> list[str]:
    sizes = " | ".join("unknown size" if size is None else f"{size:,} bytes" for size in found.sizes)
    digests = " | ".join("no digest" if digest is None else f"{digest[:12]}…" for digest in found.digests)
    what = "binary" if found.form == "binary" else "contents differ" if found.state == "differs" else "nobody can tell"
    return [f"{what}: {sizes}, SHA-256 {digests}", *([printable(found.reason)] if found.reason else [])]
