"""The whole graph of a store, from a cache that is kept current by the numbers of events.

``.provdb/cache/graph.arrays`` holds the rows of ``graph.db`` as arrays as they were after some event; what later
events brought is read from the tables. A cache that is damaged, or of another journal, is made anew in silence.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from provgraph.errors import CorruptError
from provgraph.graph.array_table import ArrayTable
from provgraph.graph.arrays import Adjacency, Arrays
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.collector import without_collector
from provgraph.model.identity import Namespace
from provgraph.stores import array_file, graph_rows
from provgraph.stores.connection import connect
from provgraph.stores.files import CACHE, GRAPH
from provgraph.stores.graph_columns import Columns, Keeping, Unreplaced
from provgraph.stores.graph_elements import Connections, StoreElements
from provgraph.stores.graph_rows import ABSENT, GraphRows
from provgraph.stores.graph_tables import SCHEMA_VERSION
from provgraph.stores.marks import read_marks

FILE: Final = "graph.arrays"
_SHAPE: Final = 1
"""Of what this module keeps; another one is thrown away."""
_SMALL: Final = 20_000
"""Rows up to which the cache is written anew after every change."""
_PART: Final = 50
"""In a larger graph: one row in so many must have changed."""
_FIELDS: Final = ("uids", "order", "kinds", "labels", "relations", "sources", "targets")


class GraphCache:
    """The whole graph of the database that ``db`` is a connection to, as values that need no store.

    All values of one file share a connection, and those of one state their arrays: a notebook may hold hundreds.

    Parameters:
        known: whether the event with a number and a uid is one of this journal's.
        properties: the properties of a vertex from their JSON text.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        known: Unreplaced,
        namespace: Namespace,
        properties: Callable[[str], dict[str, Any]],
    ) -> None:
        self._db, self._known, self._namespace, self._properties = db, known, namespace, properties
        self._file, self._connections = _own_connections(db)
        self._last: GraphRows | None = None

    def whole(self) -> ProvGraph:
        """The graph as it is now.

        Raises:
            CorruptError: the tables name rows that are not there.
        """
        if self._file is None:
            _, self._connections = _own_connections(self._db)
        folder = None if self._file is None else self._file.parent / CACHE
        stamp = {"shape": _SHAPE, "tables": SCHEMA_VERSION, "project": str(self._namespace.project)}
        keeping = Keeping(folder, stamp, self._known)
        own = self._connections()
        with without_collector(), _reading(own):
            try:
                rows = self._last = _rows(own, keeping, self._last)
                marks = read_marks(own)
            except (ValueError, LookupError, TypeError) as error:
                said = f"{self._file or GRAPH} is damaged ({error}); `provdb doctor --rebuild` makes it anew"
                raise CorruptError(said) from error
        columns = Columns(self._connections, (len(rows.kinds), len(rows.relations)), keeping, self._properties)
        elements = StoreElements(rows, self._connections, self._namespace, self._properties, columns, marks)
        arrays = rows.arrays()
        table, notes = _present(ArrayTable(elements, arrays), arrays)
        return ProvGraph.of_table(table, notes=notes)


def _present(table: ArrayTable, arrays: Arrays) -> tuple[ArrayTable, list[str]]:
    """Without rows that are no vertices yet, their edges, and edges of relations that this version does not know."""
    vertices, edges = arrays.kinds != ABSENT, arrays.relations != ABSENT
    if vertices.all() and edges.all():
        return table, []
    unknown = int((~edges & (arrays.sources != ABSENT)).sum())
    edges_of = "edge left out, of a relation" if unknown == 1 else "edges left out, of relations"
    notes = [f"{unknown} {edges_of} that this version does not know"] if unknown else []
    return table.part(vertices, edges), notes


def _own_connections(db: sqlite3.Connection) -> tuple[Path | None, Connections]:
    """The file of ``db`` and connections of the values' own to it; to a copy of what is only in memory."""
    name = db.execute("PRAGMA database_list").fetchone()[2]
    if not name:
        own = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        db.backup(own)
        return None, Connections(lambda: own)
    path = Path(name)
    return path, Connections(lambda: connect(path, write=False))


@contextlib.contextmanager
def _reading(db: sqlite3.Connection) -> Iterator[None]:
    """One state of all tables, whatever others write meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


def _rows(db: sqlite3.Connection, keeping: Keeping, last: GraphRows | None) -> GraphRows:
    """The rows now; ``last``: those of the time before."""
    seq, event = graph_rows.watermark(db)
    if last is not None and (last.seq, last.event) == (seq, event):
        return last
    kept = None if keeping.folder is None else read_kept(keeping.folder / FILE, keeping.stamp)
    if kept is not None and (kept.seq, kept.event) == (seq, event):
        return kept
    if kept is not None and kept.seq < seq and keeping.known(kept.seq, kept.event):
        changed = graph_rows.changed_since(db, kept.seq)
        rows = graph_rows.read_since(db, kept) if changed * 2 < kept.size else graph_rows.read_all(db)
        worth = rows.size <= _SMALL or changed * _PART >= rows.size
    else:
        rows, worth = graph_rows.read_all(db), True
    if not graph_rows.sound(rows):
        raise ValueError("it names rows that are not there")
    if worth and keeping.folder is not None and array_file.writable(keeping.folder):
        keep(keeping.folder / FILE, keeping.stamp, rows)
    return rows


def read_kept(path: Path, stamp: Mapping[str, Any]) -> GraphRows | None:
    """What a cache has; None where there is none, or nothing that bears the stamp. Nothing is copied."""
    file = array_file.read(path)
    if file is None or file.head.get("stamp") != stamp:
        return None
    try:
        head, arrays = file.head, file.arrays
        labelsets = tuple((int(id), tuple(labels)) for id, labels in head["labelsets"])
        adjacencies = {
            reverse: Adjacency(*(arrays[f"{field}{int(reverse)}"] for field in Adjacency._fields))
            for reverse in (False, True)
        }
        values = {name: arrays[name] for name in _FIELDS}
        rows = GraphRows(int(head["seq"]), head["event"], labelsets, adjacencies=adjacencies, **values)
        return rows if graph_rows.sound(rows) else None
    except (KeyError, ValueError, TypeError):
        return None


def keep(path: Path, stamp: Mapping[str, Any], rows: GraphRows) -> None:
    """Write a cache, where that is possible."""
    head = {
        "stamp": dict(stamp),
        "seq": rows.seq,
        "event": rows.event,
        "labelsets": [[id, list(labels)] for id, labels in rows.labelsets],
    }
    arrays: dict[str, np.ndarray[Any, Any]] = {name: getattr(rows, name) for name in _FIELDS}
    for reverse, adjacency in rows.adjacencies.items():
        for field, array in adjacency._asdict().items():
            arrays[f"{field}{int(reverse)}"] = array
    array_file.write(path, head, arrays)
