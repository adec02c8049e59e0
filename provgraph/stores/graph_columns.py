"""Columns of properties, read from ``graph.db`` once, kept in the cache, and kept current by what changed since."""

import hashlib
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from provgraph.graph.arrays import Column
from provgraph.graph.row_arrays import identity_of
from provgraph.stores import array_file
from provgraph.stores.encoding import dumps, loads
from provgraph.stores.graph_rows import Ints, watermark

Table = Literal["vertex", "edge"]
Unreplaced = Callable[[int, str | None], bool]
"""Whether the event with this number and uid is one of this journal's."""
_MADE_NOW: Final = frozenset({"restorable"})
"""Properties that are never as the table has them, since they depend on what this store holds."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:-]+")
_ARROW: Final = sqlite3.sqlite_version_info >= (3, 38, 0)
"""Whether SQLite takes a property out of JSON as JSON; before 3.38 Python must."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where columns are kept: a folder (None: nowhere), and whether what lies there belongs to this journal."""

    folder: Path | None
    stamp: dict[str, Any]
    known: Unreplaced


class Columns:
    """The columns of one state of the tables: ``counts`` vertex and edge rows.

    Parameters:
        connection: gives the connection to read with.
        properties: the properties of a vertex from its JSON text.
    """

    def __init__(
        self,
        connection: Callable[[], sqlite3.Connection],
        counts: tuple[int, int],
        keeping: Keeping,
        properties: Callable[[str], dict[str, Any]],
    ) -> None:
        self._connection, self._keeping, self._properties = connection, keeping, properties
        self._lock = threading.Lock()
        self._counts: dict[Table, int] = {"vertex": counts[0], "edge": counts[1]}

    def of_vertices(self, key: str) -> Column:
        """A property of all vertex rows. Cost: 1 µs a row the first time; later what changed."""
        return self._column("vertex", key)

    def of_edges(self, key: str) -> Column:
        """A property of all edge rows; likewise."""
        return self._column("edge", key)

    def _column(self, table: Table, key: str) -> Column:
        with self._lock:
            return self._made(table, key)

    def _made(self, table: Table, key: str) -> Column:
        db, count = self._connection(), self._counts[table]
        if key in _MADE_NOW and table == "vertex":
            made = _Building(np.full(count, -1, np.int32), [])
            made.take((id, self._properties(text).get(key, _NOTHING)) for id, text in _having(db, table, key, 0))
            return made.column()
        # One state of the table, whose event is what the file will say.
        db.execute("BEGIN")
        try:
            seq, event = watermark(db)
            rows = max(count, int(db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]))
            kept, old = self._read(table, key, seq, event, rows)
            made = kept or _Building(np.full(count, -1, np.int32), [])
            changed = made.update(db, table, key, old, rows)
        finally:
            db.execute("COMMIT")
        # A value that nothing has any more may have been removed for good: it must not stay in the file.
        if made.forget_unused() or kept is None or changed * 50 > count:
            self._write(table, key, made, seq, event)
        return made.column(count)

    def _path(self, table: Table, key: str) -> Path | None:
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        return None if self._keeping.folder is None else self._keeping.folder / f"column-{table}-{name}.arrays"

    def _read(self, table: Table, key: str, seq: int, event: str | None, rows: int) -> "tuple[_Building | None, int]":
        """What is kept of a column of at most ``rows`` rows, and after which event; None where it is nothing to use."""
        path = self._path(table, key)
        found = None if path is None else array_file.read(path)
        if found is None or found.head.get("stamp") != self._keeping.stamp or found.head.get("key") != dumps(key):
            return None, 0
        try:
            old, uid = int(found.head["seq"]), found.head["event"]
            codes, values = found.arrays["codes"], loads(found.arrays["values"].tobytes())
        except (KeyError, ValueError, TypeError):
            return None, 0
        if (old, uid) != (seq, event) and not (old < seq and self._keeping.known(old, uid)):
            return None, 0
        made = _Building(codes, values)
        return (made, old) if made.sound(rows) else (None, 0)

    def _write(self, table: Table, key: str, made: "_Building", seq: int, event: str | None) -> None:
        path = self._path(table, key)
        if path is not None:
            head = {"stamp": self._keeping.stamp, "key": dumps(key), "seq": seq, "event": event}
            values = np.frombuffer(dumps(made.values).encode(), np.uint8)
            array_file.write(path, head, {"codes": made.codes, "values": values})


class _Nothing:
    """No value: the property is absent."""


_NOTHING: Final = _Nothing()


class _Building:
    """A column that rows are put into."""

    def __init__(self, codes: Ints, values: list[Any]) -> None:
        self.codes, self.values = codes, values
        self._known: dict[object, int] = {}

    def column(self, count: int | None = None) -> Column:
        """What is there, of the first rows."""
        return Column(self.codes[:count], tuple(self.values))

    def sound(self, rows: int) -> bool:
        """Whether it has at most so many rows, and a value for each code."""
        codes, values = self.codes, self.values
        if codes.ndim != 1 or codes.dtype != np.int32 or len(codes) > rows or not isinstance(values, list):
            return False
        return not len(codes) or bool(codes.min() >= -1 and codes.max() < len(values))

    def update(self, db: sqlite3.Connection, table: Table, key: str, seq: int, rows: int) -> int:
        """Read those of ``rows`` rows that changed after event ``seq`` (0: all); returns how many."""
        longer = np.full(rows, -1, np.int32)
        longer[: len(self.codes)] = self.codes
        self.codes = longer
        changed = [id - 1 for (id,) in db.execute(f"SELECT id FROM {table} WHERE seq > ?", (seq,))] if seq else []
        if not seq:
            self.take(_found(db, table, key, 0))
        elif changed:
            self.codes[changed] = -1
            self.take(_found(db, table, key, seq))
        return len(changed)

    def forget_unused(self) -> bool:
        """Drop the values that no row has any more; whether there were any."""
        used = np.bincount(self.codes + 1, minlength=len(self.values) + 1)[1:] > 0
        if used.all():
            return False
        places = np.concatenate(([-1], np.where(used, np.cumsum(used) - 1, -1))).astype(np.int32)
        self.codes = places[self.codes + 1]
        self.values = [value for value, has in zip(self.values, used.tolist(), strict=True) if has]
        self._known = {}
        return True

    def take(self, rows: Iterable[tuple[int, Any]]) -> None:
        """Put in (row id, value) pairs; values that are text of JSON come as ``_Text``."""
        if not self._known:
            self._known = {identity_of(value): code for code, value in enumerate(self.values)}
        texts: dict[str, int] = {}
        places, codes = [], []
        for id, value in rows:
            if value is _NOTHING or value is None:
                continue
            code = texts.get(value) if value.__class__ is str else None
            if code is None:
                code = self._code(loads(value) if value.__class__ is str else value)
                if value.__class__ is str:
                    texts[value] = code
            places.append(id - 1)
            codes.append(code)
        self.codes[places] = codes

    def _code(self, value: Any) -> int:
        name = identity_of(value)
        code = self._known.get(name)
        if code is None:
            code = self._known[name] = len(self.values)
            self.values.append(value)
        return code


def _having(db: sqlite3.Connection, table: Table, key: str, seq: int, what: str = "properties") -> Iterator[Any]:
    """(id, ``what``) of rows after event ``seq`` whose text has the key (or an inner object of theirs has)."""
    quoted = dumps("$" + key if key[:1] == "$" else key)
    since = f"seq > {seq} AND " if seq else ""
    return db.execute(f"SELECT id, {what} FROM {table} WHERE {since}instr(properties, ?)", (quoted + ":",))


def _found(db: sqlite3.Connection, table: Table, key: str, seq: int) -> Iterator[tuple[int, Any]]:
    """(row id, JSON text of the value) of rows after event ``seq``."""
    if _ARROW and _PLAIN.fullmatch(key):
        return _having(db, table, key, seq, f"properties -> '$.\"{key}\"'")
    return _picked(_having(db, table, key, seq), key)


def _picked(rows: Iterable[tuple[int, str]], key: str) -> Iterator[tuple[int, Any]]:
    for id, text in rows:
        properties = loads(text)
        if key in properties:
            yield id, dumps(properties[key])
