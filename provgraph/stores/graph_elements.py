"""What the positions of a store's whole graph stand for: uids in memory, properties in ``graph.db`` till asked for."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from provgraph.graph.arrays import RELATION_NAMES, Column
from provgraph.graph.elements import Edge, Vertex
from provgraph.model.identity import Namespace
from provgraph.stores.encoding import loads
from provgraph.stores.graph_columns import Columns
from provgraph.stores.graph_rows import GraphRows, first_from
from provgraph.stores.lineage import LazyProperties, uid_text
from provgraph.stores.marks import Marks

Properties = Callable[[str], dict[str, Any]]
"""The properties of a vertex from its JSON text."""
_UID_DIGITS: Final = 32


class Connections:
    """Read-only connections of values' own, one for each thread: the values outlive the store they came from."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect, self._local = connect, threading.local()

    def __call__(self) -> sqlite3.Connection:
        """This thread's connection."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._connect()
        return db


class _Texts:
    """The properties of a batch of vertices, read all at once when the first is looked at."""

    def __init__(self, db: Connections, ids: Sequence[int]) -> None:
        self._db, self._ids = db, ids
        self._texts: dict[int, str] | None = None

    def __getitem__(self, id: int) -> str:
        if self._texts is None:
            query = f"SELECT id, properties FROM vertex WHERE id IN ({_listed(self._ids)})"
            self._texts = dict(self._db().execute(query))
        return self._texts[id]


class StoreElements:
    """Implements ``graph.array_table.Elements``; positions are places of rows (row id - 1).

    Properties are those of the moment at which they are read: an annotation that came after the graph was read shows.
    """

    def __init__(
        self,
        rows: GraphRows,
        db: Connections,
        namespace: Namespace,
        properties: Properties,
        columns: Columns,
        marks: Marks,
    ) -> None:
        self._marks = marks
        self._rows, self._db, self._namespace, self._properties = rows, db, namespace, properties
        self._columns = columns
        self._labelsets = [labels for _, labels in rows.labelsets]

    def uids(self, vertices: npt.NDArray[np.integer]) -> list[str]:
        """The uids of vertices."""
        raw = self._rows.uids[vertices].tobytes()
        return [uid_text(raw[start : start + 16]) for start in range(0, len(raw), 16)]

    def _uid(self, place: int) -> str:
        return uid_text(self._rows.uids[place].tobytes())

    def position(self, uid: str) -> int | None:
        """The vertex with a uid."""
        for place in self.places_with_prefix(uid):
            return place if self._uid(place) == uid else None
        return None

    def places_with_prefix(self, prefix: str) -> Iterator[int]:
        """The vertices whose uid starts so, by uid."""
        digits = prefix.replace("-", "")
        if len(digits) > _UID_DIGITS or not set(digits) <= set("0123456789abcdef"):
            return
        low = bytes.fromhex(digits.ljust(_UID_DIGITS, "0"))
        if not uid_text(low).startswith(prefix):  # dashes at other places
            return
        high, order = bytes.fromhex(digits.ljust(_UID_DIGITS, "f")), self._rows.order
        for rank in range(first_from(self._rows.uids, order, low), len(order)):
            place = int(order[rank])
            if self._rows.uids[place].tobytes() > high:
                return
            yield place

    @cached_property
    def _ranks(self) -> npt.NDArray[np.int32]:
        order = self._rows.order
        ranks = np.empty(len(order), np.int32)
        ranks[order] = np.arange(len(order), dtype=np.int32)
        return ranks

    def ranks(self) -> npt.NDArray[np.int32] | None:
        """The place of each vertex among all by uid."""
        return self._ranks

    def vertices(self, places: Sequence[int]) -> list[Vertex]:
        """Vertices; their properties are read when the first of them is looked at."""
        chosen = np.array(places, np.int32)
        texts = _Texts(self._db, [place + 1 for place in places])
        origins = self._origins(places)
        return [
            Vertex(
                uid,
                self._labelsets[label],
                LazyProperties(self._loading(texts, place + 1)),
                self._marks.of(place + 1, origins.get(place + 1, 0), self._labelsets[label]),
            )
            for uid, label, place in zip(self.uids(chosen), self._rows.labels[chosen].tolist(), places, strict=True)
        ]

    def _origins(self, places: Sequence[int]) -> dict[int, int]:
        """The origins of rows, where there are several clones at all."""
        if not self._marks.clones:
            return {}
        ids = _listed([place + 1 for place in places])
        return dict(self._db().execute(f"SELECT id, origin FROM vertex WHERE id IN ({ids})"))

    def _loading(self, texts: _Texts, id: int) -> Callable[[], dict[str, Any]]:
        return lambda: self._properties(texts[id])

    def edges(self, places: Sequence[int]) -> list[Edge]:
        """Edges, read now: their uids take their roles."""
        chosen = np.array(places, np.int32)
        query = f"SELECT id, role, properties FROM edge WHERE id IN ({_listed([place + 1 for place in places])})"
        found = {id - 1: (role, text) for id, role, text in self._db().execute(query)}
        rows = self._rows
        made = []
        for place, relation, source, target in zip(
            places,
            rows.relations[chosen].tolist(),
            self.uids(rows.sources[chosen]),
            self.uids(rows.targets[chosen]),
            strict=True,
        ):
            role, text = found[place]
            name = RELATION_NAMES[relation]
            uid = self._namespace.edge(name, source, target, role)
            made.append(Edge(name, source, target, MappingProxyType(loads(text)), uid))
        return made

    def column(self, key: str) -> Column:
        """A property of all vertices."""
        return self._columns.of_vertices(key)

    def edge_column(self, key: str) -> Column:
        """A property of all edges."""
        return self._columns.of_edges(key)


def _listed(ids: Sequence[int]) -> str:
    return ",".join(map(str, ids))
