"""Answers as values: what questions give and faces print, beside ProvGraph and Rows."""

from dataclasses import dataclass
from typing import Any, Literal

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name


@dataclass(frozen=True, slots=True)
class Way:
    """One walk along edges, from effect to cause: ``vertices[i]`` –``edges[i]``→ ``vertices[i + 1]``."""

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways from ``source`` to ``target``: the first few, and how many there are."""

    source: Vertex
    target: Vertex
    ways: tuple[Way, ...]
    count: int | None
    """10¹⁸ stands for that many or more; None where the graph has a cycle between the two: then the ways are those that
    visit no vertex twice."""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ways)

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/ways/1``."""
        return {
            "schema": "provgraph/ways/1",
            "source": self.source.to_json(),
            "target": self.target.to_json(),
            "count": self.count,
            "ways": [
                {"vertices": [v.to_json() for v in way.vertices], "edges": [e.to_json() for e in way.edges]}
                for way in self.ways
            ],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class OutlineLine:
    """One line of a lineage drawn as a tree.

    ``trail`` says for each level above whether the branch there was the last one; a root has none. ``state``: a
    vertex in full; seen ``again`` (a back-reference); ``continued`` as a root of its own further down; ``folded``, not
    drawn further; or ``more``: ``count`` siblings that are left out.
    """

    trail: tuple[bool, ...]
    relation: str
    role: str
    vertex: Vertex | None
    agents: tuple[str, ...]
    state: Literal["full", "again", "continued", "folded", "more"]
    count: int = 0


@dataclass(frozen=True, slots=True)
class Outline:
    """A lineage as lines: each vertex in full once. ``drawn`` of ``total`` vertices (without agents) are there."""

    lines: tuple[OutlineLine, ...]
    drawn: int
    total: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Related:
    """One relation of a vertex, and what stands at its other end."""

    edge: Edge
    other: Vertex
    outgoing: bool

    def to_json(self) -> dict[str, Any]:
        """The shape of a relation in ``provgraph/vertex/1``."""
        return {
            "type": self.edge.type,
            "direction": "out" if self.outgoing else "in",
            "properties": dict(self.edge.properties),
            "uid": self.other.uid,
            "labels": list(self.other.labels),
            "name": display_name(self.other),
        }


@dataclass(frozen=True, slots=True)
class Description:
    """One vertex, as ``show`` has it: its name, properties, relations, and the other snapshots of its path."""

    vertex: Vertex
    name: str
    relations: tuple[Related, ...]
    snapshots: tuple[tuple[str, str, str], ...] = ()
    """(uid, name, created_at) of all snapshots of the same path, oldest first."""
    members: int | None = None
    """How many members a collection has."""
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/vertex/1``."""
        return {
            "schema": "provgraph/vertex/1",
            "name": self.name,
            "vertex": self.vertex.to_json(),
            "relations": [related.to_json() for related in self.relations],
            "snapshots": [{"uid": u, "name": n, "created_at": t} for u, n, t in self.snapshots],
            "members": self.members,
            "notes": list(self.notes),
        }
