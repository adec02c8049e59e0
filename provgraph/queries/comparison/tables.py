"""Tables (CSV, TSV) row by row and cell by cell."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from provgraph.graph.comparison import Cell, TableDifference
from provgraph.queries.comparison.lines import steps

FEW: Final = 20
"""Rows and cells that are shown of each sort, unless all are asked for."""
_SLACK: Final = 2
_DELIMITERS: Final = (",", ";", "\t")

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it stands in a file: its columns' names, and its rows, all as long as these."""

    columns: tuple[str, ...]
    rows: list[Row]


def read_table(text: str, delimiter: str | None = None) -> Table | None:
    """The table in a text, None where it is none: quotes that do not end, or rows of different lengths.

    Its first row names the columns where its cells are all different and none is a number.
    """
    head = text[: text.find("\n") + 1 or len(text)]
    mark = delimiter or max(_DELIMITERS, key=head.count)
    try:
        rows = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True) if row]
    except csv.Error:
        return None
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        return None
    named = len(set(rows[0])) == len(rows[0]) and not any(_is_number(cell) for cell in rows[0])
    columns = rows[0] if named else tuple(f"column {number}" for number in range(1, len(rows[0]) + 1))
    return Table(columns, rows[1:] if named else rows)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def table_difference(first: Table, second: Table, few: int = FEW) -> TableDifference:
    """What differs: columns by their names; rows by the first column where it tells them apart, else by their order.

    Not by the first column where it leaves many more rows to be told of: an index that is numbered anew tells nothing.
    """
    common = [name for name in first.columns if name in set(second.columns)]
    ours = _picked(first, common)
    theirs = _picked(second, common)
    by_order = _by_order(ours, theirs)
    keyed = common and first.columns[0] == second.columns[0] and _is_key(ours) and _is_key(theirs)
    by_key = _by_key(ours, theirs) if keyed else None
    taken = by_key if by_key is not None and by_key.weight <= 2 * by_order.weight + _SLACK else by_order
    counts = Counter(i for _, a, b in taken.changed for i in range(len(a)) if a[i] != b[i])
    every = (Cell(name, common[i], a[i], b[i]) for name, a, b in taken.changed for i in range(len(a)) if a[i] != b[i])
    moved = common != [name for name in second.columns if name in set(first.columns)]
    return TableDifference(
        key=first.columns[0] if taken is by_key else None,
        rows_first=len(first.rows),
        rows_second=len(second.rows),
        rows_added=len(taken.added),
        rows_removed=len(taken.removed),
        rows_changed=len(taken.changed),
        cells_changed=counts.total(),
        columns_added=tuple(name for name in second.columns if name not in common),
        columns_removed=tuple(name for name in first.columns if name not in common),
        columns_moved=moved,
        added=tuple(second.rows[place] for place in taken.added[:few]),
        removed=tuple(first.rows[place] for place in taken.removed[:few]),
        cells=tuple(islice(every, few)),
        cells_by_column=tuple(
            (common[i], cells) for i, cells in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ),
    )


@dataclass(frozen=True, slots=True)
class _Matching:
    added: list[int]
    removed: list[int]
    changed: list[tuple[str, Row, Row]]

    @property
    def weight(self) -> int:
        return len(self.added) + len(self.removed) + len(self.changed)


def _picked(table: Table, columns: Sequence[str]) -> list[Row]:
    if list(table.columns) == list(columns):
        return table.rows
    places = [table.columns.index(name) for name in columns]
    return [tuple(row[place] for place in places) for row in table.rows]


def _is_key(rows: Sequence[Row]) -> bool:
    return len({row[0] for row in rows}) == len(rows)


def _by_key(first: Sequence[Row], second: Sequence[Row]) -> _Matching:
    ours = {row[0]: row for row in first}
    theirs = {row[0] for row in second}
    return _Matching(
        [place for place, row in enumerate(second) if row[0] not in ours],
        [place for place, row in enumerate(first) if row[0] not in theirs],
        [(row[0], ours[row[0]], row) for row in second if row[0] in ours and ours[row[0]] != row],
    )


def _by_order(first: Sequence[Row], second: Sequence[Row]) -> _Matching:
    added: list[int] = []
    removed: list[int] = []
    changed: list[tuple[str, Row, Row]] = []
    for equal, a, b in steps(first, second):
        if equal:
            continue
        shared = min(a[1] - a[0], b[1] - b[0])
        changed += [(str(a[0] + n + 1), first[a[0] + n], second[b[0] + n]) for n in range(shared)]
        removed += range(a[0] + shared, a[1])
        added += range(b[0] + shared, b[1])
    return _Matching(added, removed, changed)
