"""A made-up life cycle as a ProvGraph in memory, whose uids and properties are made when somebody looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from life_cycles import LifeCycle

from provgraph.graph.array_table import ArrayTable
from provgraph.graph.arrays import ACTIVITY, AGENT, ENTITY, RELATION_CODES, RELATION_NAMES, Arrays, Column
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph

LABELS = (("Entity", "Snapshot"), ("Activity", "Command"), ("Agent", "Person"))


def graph_of(made: LifeCycle, prefix: str = "") -> ProvGraph:
    """The life cycle's graph. Positions are those of the life cycle; the uid of vertex v is ``prefix`` + ``uid(v)``."""
    return ProvGraph.of_table(ArrayTable(_Elements(made, prefix), arrays_of(made)))


def arrays_of(made: LifeCycle) -> Arrays:
    """The life cycle's arrays: all its edges, agents' among them."""
    activity, agent = made.entities, made.entities + made.activities
    every = np.arange(made.activities, dtype=np.int32)
    workers = made.worked[made.generated[1]] + agent
    ends = {
        "used": (made.used[0] + activity, made.used[1]),
        "wasGeneratedBy": (made.generated[0], made.generated[1] + activity),
        "wasAssociatedWith": (every + activity, made.worked + agent),
        "wasAttributedTo": (made.generated[0], workers),
        "wasDerivedFrom": (made.derived[0], made.derived[1]),
    }
    kinds = np.repeat(np.array([ENTITY, ACTIVITY, AGENT], np.int8), (made.entities, made.activities, made.agents))
    relations = np.repeat(
        np.array([RELATION_CODES[name] for name in ends], np.int8), [len(pair[0]) for pair in ends.values()]
    )
    sources, targets = (np.concatenate([pair[i] for pair in ends.values()]).astype(np.int32) for i in (0, 1))
    return Arrays(kinds, kinds.astype(np.int32), LABELS, relations, sources, targets)


def uid(vertex: int) -> str:
    """The uid of a vertex."""
    return f"{vertex:08x}"


class _Elements:
    """Implements ``array_table.Elements``."""

    def __init__(self, made: LifeCycle, prefix: str) -> None:
        self.made, self.prefix = made, prefix

    def _uid(self, vertex: int) -> str:
        return self.prefix + uid(vertex)

    def uids(self, vertices: npt.NDArray[np.int32]) -> list[str]:
        return [self._uid(vertex) for vertex in vertices.tolist()]

    def position(self, uid: str) -> int | None:
        vertex = int(uid.removeprefix(self.prefix), 16)
        return vertex if vertex < self.made.vertices else None

    def places_with_prefix(self, prefix: str) -> Iterator[int]:
        return (vertex for vertex in range(self.made.vertices) if self._uid(vertex).startswith(prefix))

    def ranks(self) -> npt.NDArray[np.int32] | None:
        return None

    def vertices(self, places: Sequence[int]) -> list[Vertex]:
        return [self._vertex(place) for place in places]

    def _vertex(self, place: int) -> Vertex:
        made = self.made
        if place < made.entities:
            return Vertex(self._uid(place), LABELS[0], {"path": f"results/part-{place}.csv", "sequence": 1})
        number = place - made.entities
        if number >= made.activities:
            return Vertex(self._uid(place), LABELS[2], {"name": f"Person {number - made.activities}"})
        utility = f"step{made.utility[number]}.py"
        command = f"python {utility} --variant {made.variant[number]}"
        properties = {"name": f"{utility} #{number}", "utility": utility, "command": command}
        return Vertex(self._uid(place), LABELS[1], properties)

    def edges(self, places: Sequence[int]) -> list[Edge]:
        arrays = arrays_of(self.made)
        ends = zip(*(a[list(places)].tolist() for a in (arrays.relations, arrays.sources, arrays.targets)), strict=True)
        return [
            Edge(RELATION_NAMES[relation], self._uid(source), self._uid(target), {}, f"e{place}")
            for place, (relation, source, target) in zip(places, ends, strict=True)
        ]

    def column(self, key: str) -> Column:
        made = self.made
        codes = np.full(made.vertices, -1, np.int32)
        mine = slice(made.entities, made.entities + made.activities)
        if key == "utility":
            codes[mine] = made.utility
            return Column(codes, tuple(f"step{n}.py" for n in range(int(made.utility.max(initial=0)) + 1)))
        variants = int(made.variant.max(initial=0)) + 1
        codes[mine] = made.utility * variants + made.variant
        pairs = ((n // variants, n % variants) for n in range(int(codes.max(initial=0)) + 1))
        return Column(codes, tuple(f"python step{u}.py --variant {v}" for u, v in pairs))

    def edge_column(self, key: str) -> Column:
        return Column(np.full(self.made.edges, -1, np.int32), ())
