"""CSV and TSV, also compressed by gzip: the header, what the columns hold, how many rows there are."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

from provgraph.ingestors.tables.bounds import LISTED, NAME, Budget, TableError

_LOOKED_AT: Final = 1_000
"""Rows from which the types are told."""
_LINE: Final = 1 << 20
_FIELD: Final = 1 << 17
_HEAD: Final = 1 << 16
_SPOONFUL: Final = 1 << 10
_DELIMITERS: Final = (",", ";", "\t", "|")
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_INTEGER: Final = re.compile(r"[-+]?\d+\Z", re.ASCII)
_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\Z|[-+]?(?:nan|inf)\Z", re.ASCII | re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_DATETIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?\Z", re.ASCII)
_MISSING: Final = frozenset(("", "na", "n/a", "nan", "null", "none", "-"))
_WIDER: Final = {frozenset(("integer", "number")): "number", frozenset(("date", "datetime")): "datetime"}


def describe_separated(file: BinaryIO, path: str, budget: Budget) -> dict[str, Any]:
    """``columns``, ``column_types``, ``columns_count``, ``rows_count``; ``rows_estimated`` where not all was read.

    The first row names the columns where its cells are all different and none is a number. Of a table for which nothing
    is left of the budget, its begin is read all the same.

    Raises:
        TableError: it is no such text.
    """
    size = os.fstat(file.fileno()).st_size
    packed = path.endswith(".gz")
    content = cast("BinaryIO", gzip.GzipFile(fileobj=cast("BinaryIO", _Spoonfuls(file)))) if packed else file
    head = content.read(_HEAD)
    if not head:
        return {"rows_count": 0, "columns_count": 0}
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    if b"\0" in head and encoding != "utf-16":
        raise TableError("it is binary, no table of text")
    taken = budget.take(Budget.PER_FILE if packed else size)
    if not taken and len(head) == _HEAD and b"\n" not in head:
        raise TableError(f"{Budget.IN_ALL >> 20} MiB of tables of this command were read already")
    allowed = max(taken, len(head))
    window = _Window(content, head, allowed)
    text = io.TextIOWrapper(io.BufferedReader(window), encoding, errors="replace", newline="")
    mark = _delimiter(path, head.decode(encoding, "replace"))
    found = _Reader(mark)
    try:
        found.read(_lines(text))
    except csv.Error as error:
        raise TableError(f"row {found.rows + 1}: {error}") from None
    finally:
        budget.give_back(min(taken, window.left))
    if window.cut:
        read = file.tell() if packed else allowed
        found.estimate(size / max(read, 1))
    return found.properties()


class _Spoonfuls:
    """A packed file, read little by little: where it stands tells how much of it what was unpacked came from."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, _SPOONFUL))


class _Window(io.RawIOBase):
    """The begin of a file, as far as it may be read."""

    def __init__(self, content: BinaryIO, head: bytes, allowed: int) -> None:
        self._content, self._head, self.left = content, head, allowed
        self.cut = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self.left)
        if wanted:
            data = self._head[:wanted] if self._head else self._content.read(wanted)
            self._head = self._head[wanted:]
        else:
            data = b""
            self.cut = self.cut or bool(self._head or self._content.read(1))
        self.left -= len(data)
        buffer[: len(data)] = data
        return len(data)


class _Reader:
    """Reads rows, and sums up what they hold."""

    def __init__(self, mark: str) -> None:
        self.rows = 0
        self._mark = mark
        self._columns: list[str] = []
        self._named = False
        self._kinds: list[str] = []
        self._uneven = 0
        self._estimated = False

    def read(self, lines: Iterator[str]) -> None:
        """Read all rows; blank lines are none.

        Raises:
            csv.Error: a field or a line that is too long.
        """
        csv.field_size_limit(_FIELD)
        reader = csv.reader(lines, delimiter=self._mark)
        first = next((row for row in reader if row), [])
        self._columns = first
        self._named = len(set(first)) == len(first) and not any(_NUMBER.match(cell.strip()) for cell in first)
        self._kinds = [""] * len(first)
        if not self._named:
            self._row(first)
        for row in reader:
            if row:
                self._row(row)
                if self.rows >= _LOOKED_AT:
                    break
        width = len(first)
        for row in reader:
            if row:
                self.rows += 1
                if len(row) != width:
                    self._uneven += 1

    def estimate(self, factor: float) -> None:
        """Only a part was read, and its last row is torn: how many rows there may be in all."""
        self.rows, self._estimated = round(max(self.rows - 1, 0) * factor), True

    def properties(self) -> dict[str, Any]:
        """What was found."""
        found: dict[str, Any] = {"rows_count": self.rows, "columns_count": len(self._columns)}
        if self._named:
            found["columns"] = [name.strip()[:NAME] for name in self._columns[:LISTED]]
        if self.rows:
            found["column_types"] = [kind or "empty" for kind in self._kinds[:LISTED]]
        if self._mark != ",":
            found["delimiter"] = self._mark
        if self._estimated:
            found["rows_estimated"] = True
        if self._uneven:
            found["rows_uneven"] = self._uneven
        return found

    def _row(self, row: list[str]) -> None:
        self.rows += 1
        if len(row) != len(self._columns):
            self._uneven += 1
        for place, cell in enumerate(row[: len(self._kinds)]):
            kind = _kind(cell.strip())
            known = self._kinds[place]
            if kind and kind != known:
                self._kinds[place] = kind if not known else _WIDER.get(frozenset((kind, known)), "text")


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(_LINE):
        if len(line) == _LINE and not line.endswith(("\n", "\r")):
            raise csv.Error(f"a line is longer than {_LINE:,} characters")
        yield line


def _delimiter(path: str, head: str) -> str:
    first = next((line for line in head.splitlines() if line.strip()), "")
    if path.endswith((".tsv", ".tsv.gz", ".tab")):
        return "\t"
    return max(_DELIMITERS, key=first.count)


def _kind(cell: str) -> str:
    """What a cell holds; "" where a value is missing."""
    if len(cell) > 100:
        return "text"
    if cell.lower() in _MISSING:
        return ""
    if _INTEGER.match(cell):
        return "integer"
    if _NUMBER.match(cell):
        return "number"
    if cell.lower() in ("true", "false"):
        return "boolean"
    if _DATE.match(cell):
        return "date"
    return "datetime" if _DATETIME.match(cell) else "text"
