"""A lineage that is read as one goes along it: what a tree needs that draws a few of a hundred thousand vertices."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import Final

from provgraph.graph.elements import Edge, Vertex
from provgraph.stores.lineage import RESPONSIBLE, Row, Steps, within

MakeVertices = Callable[[Sequence[Row]], list[Vertex]]
MakeEdge = Callable[[int, bytes, bytes, str, str], Edge]
"""The edge of (relation id, uid of the source, uid of the target, role, JSON text of the properties)."""

_COLUMNS: Final = "e.type, e.role, e.properties, v.id, v.uid, v.labels, v.properties, v.origin"


class LineageWalk:
    """Implements ``graph.reader.Neighbourhood`` on the tables. Keep it no longer than the question: it holds no lock.

    Parameters:
        steps: which edges the lineage goes over.
        depth: how many activities far; None is all the way.
        make_vertices, make_edge: turn rows into values.

    Cost: counting what is reached, 1.5 µs a vertex; then one query for each vertex that is looked at.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        steps: Steps,
        depth: int | None,
        make_vertices: MakeVertices,
        make_edge: MakeEdge,
    ) -> None:
        self._db, self._steps, self._make_vertices, self._make_edge = db, steps, make_vertices, make_edge
        self._near: Collection[int] | None = None
        self._seen: dict[str, tuple[Row, Vertex]] = {}
        if depth is None:
            self._count = int(db.execute(f"{steps.walk} SELECT count(*) FROM walk").fetchone()[0])
        else:
            self._near = within(db, steps, depth)
            self._count = len(self._near)
        marks = ",".join(map(str, steps.roots)) or "NULL"
        found = db.execute(f"SELECT id, uid, labels, properties, origin FROM vertex WHERE id IN ({marks})")
        self._keep(found.fetchall())
        self._count -= sum("Agent" in vertex.labels for _, vertex in self._seen.values())  # only a root can be one

    @property
    def reached(self) -> int:
        """How many vertices the lineage has, agents left out."""
        return self._count

    def __getitem__(self, uid: str) -> Vertex:
        return self._seen[uid][1]

    def out_edges(self, uid: str) -> list[Edge]:
        """Edges that start at a vertex: upstream those of the lineage, and those to its agents."""
        found = self._edges(uid, "source", "target", f"e.type {RESPONSIBLE}")
        if self._steps.here == "source":
            found += self._ahead(uid)
        return _sorted(found)

    def in_edges(self, uid: str) -> list[Edge]:
        """Edges that end at a vertex: downstream those of the lineage."""
        return _sorted(self._ahead(uid)) if self._steps.here == "target" else []

    def _ahead(self, uid: str) -> list[Edge]:
        steps = self._steps
        return self._edges(uid, steps.here, steps.there, steps.condition, self._near)

    def _edges(
        self, uid: str, here: str, there: str, condition: str, near: Collection[int] | None = None
    ) -> list[Edge]:
        (id, own, *_), _vertex = self._seen[uid]
        query = (
            f"SELECT {_COLUMNS} FROM edge e JOIN vertex v ON v.id = e.{there} "
            f"WHERE e.{here} = ? AND {condition} AND v.labels IS NOT NULL"
        )
        rows = [row for row in self._db.execute(query, (id,)) if near is None or row[3] in near]
        self._keep([row[3:] for row in rows])
        ends = ((own, row[4]) if here == "source" else (row[4], own) for row in rows)
        return [
            self._make_edge(row[0], source, target, row[1], row[2])
            for row, (source, target) in zip(rows, ends, strict=True)
        ]

    def _keep(self, rows: Sequence[Row]) -> None:
        unique = list({row[0]: row for row in rows}.values())  # edges of different roles lead to one vertex
        for row, vertex in zip(unique, self._make_vertices(unique), strict=True):
            self._seen.setdefault(vertex.uid, (row, vertex))


def _sorted(edges: list[Edge]) -> list[Edge]:
    return sorted(edges, key=lambda edge: (edge.type, edge.source, edge.target, edge.uid))
