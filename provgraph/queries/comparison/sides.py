"""A graph as the alignment sees it: keys, neighbours, levels."""

from collections import Counter, deque
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from provgraph.graph.elements import Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import ANCESTRY
from provgraph.queries.comparison.keys import Key, key_of

Way = tuple[str, bool]
"""A relation, and whether it is followed from source to target."""
Near = tuple[str, bool, Key]
"""A relation, its direction, and the key of what stands at the other end."""

_ROOTS: Final = ("roots", "destinations")


class Side:
    """One of two graphs that are aligned. Cost: a pass over its vertices and edges.

    Parameters:
        agents: keys of agents, in the place of those that they have by themselves.
    """

    def __init__(self, graph: ProvGraph, agents: Mapping[str, Key]) -> None:
        self.graph, self._agents = graph, agents
        self.vertices: dict[str, Vertex] = {vertex.uid: vertex for vertex in graph}
        self.near: dict[str, dict[Way, dict[str, None]]] = {uid: {} for uid in self.vertices}
        for relation, source, target in graph.edge_ends():
            self.near[source].setdefault((relation, True), {})[target] = None
            self.near[target].setdefault((relation, False), {})[source] = None
        self.keys: dict[str, Key] = {uid: self._key(vertex) for uid, vertex in self.vertices.items()}
        self.free = Counter(self.keys.values())
        self.mates: dict[str, str] = {}

    def _key(self, vertex: Vertex) -> Key:
        if "Agent" in vertex.labels and vertex.uid in self._agents:
            return self._agents[vertex.uid]
        key = key_of(vertex)
        if "Unseen" in vertex.labels and not key[-1]:  # it goes by what it changed
            made = self.near[vertex.uid].get(("wasGeneratedBy", False), {})
            return "unseen", *sorted(str(self.vertices[uid].properties.get("path", uid)) for uid in made)
        return key

    def dependents(self, uid: str) -> list[tuple[str, str]]:
        """(relation, uid) of what depends on a vertex over an ancestry edge."""
        ways = self.near[uid]
        return [(relation, end) for relation in ANCESTRY for end in ways.get((relation, False), ())]

    def surroundings(self, uid: str) -> frozenset[Near]:
        """What stands next to a vertex, by keys."""
        return frozenset(
            (relation, outgoing, self.keys[end])
            for (relation, outgoing), ends in self.near[uid].items()
            for end in ends
        )

    def order(self, uid: str) -> tuple[Any, ...]:
        """By time, then by number: how those of one key are put side by side."""
        properties = self.vertices[uid].properties
        when = properties.get("created_at") or properties.get("started_at") or ""
        number = properties.get("sequence", properties.get("number"))
        return str(when), number if isinstance(number, int) else 0, uid

    def asked(self) -> list[str]:
        """What the graph was asked for: the roots of a lineage, the destinations of a segment, else its sinks."""
        query: Mapping[str, Any] = self.graph.query or {}
        for name in _ROOTS:
            found = query.get(name)
            if isinstance(found, list | tuple):
                known = [uid for uid in found if isinstance(uid, str) and uid in self.vertices]
                if known:
                    return known
        return [
            uid
            for uid, ways in self.near.items()
            if "Entity" in self.vertices[uid].labels and not any((name, False) in ways for name in ANCESTRY)
        ]

    @cached_property
    def levels(self) -> dict[str, int]:
        """How many ancestry edges deep a vertex lies at most; 0 for what came from nothing. In a cycle: as found."""
        causes = {uid: sum(len(ways.get((name, True), ())) for name in ANCESTRY) for uid, ways in self.near.items()}
        found = {uid: 0 for uid, number in causes.items() if not number}
        waiting = deque(sorted(found, key=self.order))
        while waiting:
            uid = waiting.popleft()
            for name in ANCESTRY:
                for effect in self.near[uid].get((name, False), ()):
                    found[effect] = max(found.get(effect, 0), found[uid] + 1)
                    causes[effect] -= 1
                    if not causes[effect]:
                        waiting.append(effect)
        last = max(found.values(), default=0) + 1
        return {uid: found.get(uid, last) for uid in self.near}
