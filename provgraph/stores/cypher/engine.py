"""The in-process graph that answers one query after another: fed on demand, never written to by a query.

Feeding is what costs: 100,000 vertices and 300,000 edges take half a second bare and six with all properties. So only
the property keys that a query can touch are fed (``mentions``), and whole vertices and edges in an answer are read
from the projection. Nothing is kept on disk, so nothing can be stale or damaged there.
"""

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import grafeo

from provgraph.stores.cypher.elements import Elements
from provgraph.stores.cypher.feed import EdgeRow, Feed, Stamp, VertexRow, uid_text
from provgraph.stores.cypher.picking import Picker, conversion
from provgraph.stores.cypher.values import hide, show
from provgraph.stores.cypher_properties import sources

_BATCH: Final = 20_000
_RELOAD_SHARE: Final = 0.2
"""Where more than this share of the graph is new or changed, feeding anew is faster than following."""


class Engine:
    """One Grafeo database that follows one projection. Not for several threads."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._database: Any = None
        self._stamp: Stamp | None = None
        self._keys: frozenset[str] | None = frozenset()
        self._forget()

    def _forget(self) -> None:
        self._node_of: dict[int, int] = {}
        self._vertex_of: dict[int, int] = {}
        self._edge_of: dict[int, int] = {}
        self._labels: dict[int, tuple[str, ...]] = {}
        self._relations: dict[int, str] = {}
        self._awaited: set[int] = set()
        """Ends of edges that were passed over: no event has brought these vertices yet."""
        self._on_vertices, self._on_edges = Picker(frozenset()), Picker(frozenset(), vertex=False)

    def answer(
        self, query: str, parameters: Mapping[str, Any], keys: frozenset[str] | None
    ) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
        """Run a query that was checked; ``keys`` are the property keys it can touch (None: all).

        The query runs in a transaction that is rolled back, whatever it is.

        Raises:
            grafeo.GrafeoError: the engine refuses it, or it fails.
            StoreError, CorruptError: the projection cannot be read.
        """
        stamp = self._feed.begin()
        try:
            self._catch_up(stamp, keys)
            transaction = self._database.begin_transaction()
            try:
                result = transaction.execute_cypher(hide(query), dict(parameters))
                columns, rows = tuple(map(show, result.columns)), [tuple(row.values()) for row in result]
            finally:
                transaction.rollback()
            elements = Elements(self._feed, self._vertex_of, self._edge_of)
            elements.fetch(rows)
            return columns, tuple(tuple(elements.value(cell) for cell in row) for row in rows)
        finally:
            self._feed.end()

    def _catch_up(self, stamp: Stamp, keys: frozenset[str] | None) -> None:
        if keys is not None and "restorable" in keys:
            keys |= {"sha256"}  # which decides it
        wanted = None if keys is None or self._keys is None else self._keys | keys
        known = self._stamp
        if (
            known is None
            or wanted != self._keys
            or stamp.build != known.build
            or stamp.seq < known.seq
            or (stamp.seq == known.seq and stamp.event != known.event)
            or (keys is not None and "restorable" in keys)  # it changes without an event
        ):
            self._load(wanted)
        elif stamp.seq > known.seq:
            self._follow(known.seq)
        self._stamp = stamp

    def _load(self, keys: frozenset[str] | None) -> None:
        self._forget()
        self._keys = keys
        self._database = grafeo.GrafeoDB()
        self._labels, self._relations = self._feed.labels(), self._feed.relations()
        on_vertices, on_edges = self._wanted()
        self._on_vertices, self._on_edges = Picker(on_vertices), Picker(on_edges, vertex=False)
        collecting = gc.isenabled()
        gc.disable()  # a million new dicts, and no cycle among them
        try:
            self._add_vertices(self._feed.vertices(properties=bool(self._on_vertices)))
            self._add_edges(self._feed.edges(properties=bool(self._on_edges)))
        finally:
            if collecting:
                gc.enable()
        for pattern, picker in (("(x)", self._on_vertices), ("()-[x]->()", self._on_edges)):
            for mark, key in sorted(picker.marks):
                self._database.execute_cypher(f"MATCH {pattern} WHERE {conversion(mark, key)}")
        if self._asked("uid"):
            self._database.create_property_index("uid")

    def _asked(self, key: str) -> bool:
        return self._keys is None or key in self._keys

    def _wanted(self) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        """The keys to read from vertices, and those from edges."""
        if self._keys is None:
            return None, None
        names = {key: frozenset(sources(key)) for key in self._keys}
        owners = self._feed.owners(frozenset[str]().union(*names.values()))
        relations = frozenset(self._relations.values())
        standing = {key: set[str]().union(*(owners.get(name, ()) for name in names[key])) for key in names}
        return (
            frozenset(key for key, found in standing.items() if found - relations),
            frozenset(key for key, found in standing.items() if found & relations),
        )

    def _follow(self, after: int) -> None:
        vertices, edges = list(self._feed.vertices(after)), list(self._feed.edges(after))
        newest = max(self._node_of, default=0)
        # A vertex that came late may have edges that were passed over: they are older than it.
        late = any(row[0] in self._awaited or (row[0] <= newest and row[0] not in self._node_of) for row in vertices)
        known = len(self._node_of) + len(self._edge_of)
        new_keys = (self._on_vertices.keys, self._on_edges.keys) != self._wanted()
        if late or new_keys or len(vertices) + len(edges) > known * _RELOAD_SHARE:
            self._load(self._keys)
            return
        self._labels, self._relations = self._feed.labels(), self._feed.relations()
        self._on_vertices.marks.clear()
        self._on_edges.marks.clear()
        self._add_vertices(row for row in vertices if row[0] > newest)
        self._change_vertices([row for row in vertices if row[0] <= newest])
        self._take_edges(edges)
        nodes = [self._node_of[row[0]] for row in vertices]
        sources = sorted({self._node_of[row[2]] for row in edges if row[2] in self._node_of})
        # A vertex is found by its internal id at once, an edge only from its source.
        for pattern, picker, ids in (
            ("(x) WHERE id(x) = i", self._on_vertices, nodes),
            ("(s)-[x]->() WHERE id(s) = i", self._on_edges, sources),
        ):
            for mark, key in sorted(picker.marks):
                statement = f"UNWIND $ids AS i MATCH {pattern} AND {conversion(mark, key)}"
                self._database.execute_cypher(statement, {"ids": ids})

    def _add_vertices(self, rows: Iterable[VertexRow]) -> None:
        waiting: dict[int, list[VertexRow]] = defaultdict(list)
        for row in rows:
            group = waiting[row[2]]
            group.append(row)
            if len(group) == _BATCH:
                self._put_vertices(waiting.pop(row[2]))
        for group in waiting.values():
            self._put_vertices(group)

    def _put_vertices(self, group: list[VertexRow]) -> None:
        labels = [hide(label) for label in self._labels[group[0][2]]]
        ids = self._database.batch_create_nodes_with_props(labels, self._vertex_properties(group))
        for id, row in zip(ids, group, strict=True):
            self._node_of[row[0]], self._vertex_of[id] = id, row[0]

    def _add_edges(self, rows: Iterable[EdgeRow]) -> None:
        node, types = self._node_of, {number: hide(name) for number, name in self._relations.items()}
        for batch in _batches(rows):
            known = [row for row in batch if row[2] in node and row[3] in node]
            if len(known) < len(batch):
                self._awaited.update(end for row in batch for end in row[2:4] if end not in node)
            made: list[tuple[Any, ...]]
            if self._on_edges:
                properties = self._on_edges.pick([row[4] for row in known])
                made = [
                    (node[source], node[target], types[type], held)
                    for (_, type, source, target, _), held in zip(known, properties, strict=True)
                ]
            else:
                made = [(node[source], node[target], types[type]) for _, type, source, target, _ in known]
            ids = self._database.batch_create_edges(made)
            self._edge_of.update(zip(ids, (row[0] for row in known), strict=True))

    def _take_edges(self, rows: list[EdgeRow]) -> None:
        newest = max(self._edge_of.values(), default=0)
        self._add_edges(row for row in rows if row[0] > newest)
        touched = {row[0]: row for row in rows if row[0] <= newest}
        if not touched:
            return
        found = {number: id for id, number in self._edge_of.items() if number in touched}
        known = [row for number, row in touched.items() if number in found]
        for row, held in zip(known, self._on_edges.pick([row[4] for row in known]), strict=True):
            id = found[row[0]]
            # Merged properties stay, but one of another type may stand under another name.
            for key in set(self._database.get_edge(id).keys()) - held.keys():
                self._database.remove_edge_property(id, key)
            for key, value in held.items():
                self._database.set_edge_property(id, key, value)

    def _change_vertices(self, rows: list[VertexRow]) -> None:
        database = self._database
        for row, properties in zip(rows, self._vertex_properties(rows), strict=True):
            id = self._node_of[row[0]]
            node = database.get_node(id)
            for key in set(node.keys()) - properties.keys():
                database.remove_node_property(id, key)
            for key, value in properties.items():
                database.set_node_property(id, key, value)
            for label in {hide(label) for label in self._labels[row[2]]} - set(node.labels):
                database.add_node_label(id, label)

    def _vertex_properties(self, rows: list[VertexRow]) -> list[dict[str, Any]]:
        properties = self._on_vertices.pick([row[3] for row in rows])
        if self._asked("uid"):
            for row, held in zip(rows, properties, strict=True):
                held["uid"] = uid_text(row[1])
        for held in properties if self._asked("project") else ():
            held["project"] = self._feed.project
        if self._asked("origin"):
            origins = self._feed.origins()
            for row, held in zip(rows, properties, strict=True):
                if row[4] in origins:
                    held["origin"] = origins[row[4]]
        for held in properties if self._asked("restorable") else ():
            if "restorable" in held:
                held["restorable"] = self._feed.restorable(held)
        return properties


def _batches(rows: Iterable[EdgeRow]) -> Iterator[list[EdgeRow]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
