"""Ancestors and descendants at a server: level by level, in batches, as ``stores.lineage`` finds them in tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import Kind
from provgraph.stores.neo4j.reader_explorer import Explorer, Found, end_of
from provgraph.stores.neo4j.reader_values import graph_of, uid_of

if TYPE_CHECKING:
    from provgraph.stores.neo4j.reader import Neo4jReader

_TOGETHER: Final = 256
"""Vertices whose properties are read with one that is looked at."""


class Walk:
    """The edges that a lineage goes over (rule 12).

    Parameters:
        thorough: whether properties are read on the way.
    """

    def __init__(
        self, reader: "Neo4jReader", *, downstream: bool, revisions: bool, environment: bool, thorough: bool = True
    ) -> None:
        self.reader, self.downstream, self._environment = reader, downstream, environment
        self.explorer = Explorer(reader, downstream=downstream, revisions=revisions, thorough=thorough)
        self.roots: dict[str, Found] = {}

    def reach(self, uids: Iterable[str], depth: int | None) -> dict[str, Found]:
        """What is found, agents left out but for those that were asked for; ``depth`` counts activities."""
        self.roots = {found.uid: found for found in self.explorer.roots(uids)}
        reached = dict(self.roots)
        level = {uid: int(found.kind is Kind.ACTIVITY) for uid, found in reached.items()}
        while level:
            following: dict[str, int] = {}
            kinds: dict[str, Kind] = {}
            for uid, far in level.items():
                for kind, _, _, other, _ in self.steps(reached[uid]):
                    distance = far + (kind is Kind.ACTIVITY)
                    if other not in reached and (depth is None or distance <= depth):
                        following[other] = min(distance, following.get(other, distance))
                        kinds[other] = kind
            # From an entity it takes two levels to the last activity's own ones, from an activity one less.
            left = {} if depth is None else {"levels": 2 * (depth - min(following.values(), default=0)) + 1}
            self.explorer.expand(kinds, **left)
            level = {uid: far for uid, far in following.items() if self._enters(uid)}
            reached.update((uid, self.explorer.found[uid]) for uid in level)
        return reached

    def _enters(self, uid: str) -> bool:
        found = self.explorer.found.get(uid)
        if found is None:
            return False
        return self._environment or uid in self.roots or "Environment" not in found.labels

    def steps(self, found: Found) -> list[tuple[Kind, str, str, str, Any]]:
        """(kind of the other end, type, this end, other end, item) of each edge that leads on from a vertex."""
        steps: list[tuple[Kind, str, str, str, Any]] = []
        if found.kind is not Kind.AGENT:
            other = Kind.ENTITY if found.kind is Kind.ACTIVITY else Kind.ACTIVITY
            type = "used" if (found.kind is Kind.ACTIVITY) != self.downstream else "wasGeneratedBy"
            steps += [(other, type, found.uid, end_of(item), item) for item in found.ahead]
        steps += [(Kind.ENTITY, "wasDerivedFrom", found.uid, end_of(item), item) for item in found.revisions]
        return steps

    def graph(self, uids: Sequence[str], depth: int | None) -> ProvGraph:
        """What is found and the agents of it, with all properties."""
        reached = self.reach(_known_uids(uids), depth)
        edges = [edge for found in reached.values() for edge in self.ahead(found, reached)]
        agents = [edge for found in reached.values() for edge in self.to_agents(found)]
        others = self.reader.vertices({edge.target for edge in agents} - reached.keys())
        there = reached.keys() | {agent.uid for agent in others}
        vertices = [self.vertex(found) for found in reached.values()] + others
        return graph_of(vertices, [*edges, *(edge for edge in agents if edge.target in there)])

    def vertex(self, found: Found) -> Vertex:
        """A vertex that was read thoroughly."""
        return self.reader.vertex_of(found.uid, found.labels, found.properties)

    def ahead(self, found: Found, reached: Mapping[str, object]) -> list[Edge]:
        """The lineage's edges that lead on from a vertex to what was reached."""
        edges = []
        for _, type, here, there, item in self.steps(found):
            if there in reached:
                source, target = (there, here) if self.downstream else (here, there)
                edges.append(self.reader.edge(type, source, target, item[1]))
        return edges

    def to_agents(self, found: Found) -> list[Edge]:
        """The edges of responsibility."""
        type = "wasAssociatedWith" if found.kind is Kind.ACTIVITY else "wasAttributedTo"
        return [self.reader.edge(type, found.uid, uid, properties) for uid, properties in found.agents]


class RemoteWalk:
    """Implements ``graph.reader.Neighbourhood``: it is known what is reached, and properties are read when looked at.

    Cost: a query for each few hundred vertices that are looked at.
    """

    def __init__(
        self,
        reader: "Neo4jReader",
        uids: Sequence[str],
        depth: int | None,
        *,
        downstream: bool,
        revisions: bool,
        environment: bool,
    ) -> None:
        options = {"downstream": downstream, "revisions": revisions, "environment": environment}
        self._plan, self._walk = Walk(reader, thorough=False, **options), Walk(reader, **options)
        self._reader, self._downstream = reader, downstream
        self._reached = self._plan.reach(_known_uids(uids), depth)
        self._agents: dict[str, Vertex] = {}
        self._read(self._plan.roots)

    @property
    def reached(self) -> int:
        """How many vertices the lineage has, agents left out."""
        return sum(found.kind is not Kind.AGENT for found in self._reached.values())

    def __getitem__(self, uid: str) -> Vertex:
        agent = self._agents.get(uid)
        return self._walk.vertex(self._thorough(uid)) if agent is None else agent

    def out_edges(self, uid: str) -> list[Edge]:
        """Edges that start at a vertex: upstream those of the lineage, and those to its agents."""
        if uid not in self._reached:
            return []
        found = self._thorough(uid)
        edges = self._walk.to_agents(found)
        return _sorted(edges if self._downstream else edges + self._walk.ahead(found, self._reached))

    def in_edges(self, uid: str) -> list[Edge]:
        """Edges that end at a vertex: downstream those of the lineage."""
        if uid not in self._reached or not self._downstream:
            return []
        return _sorted(self._walk.ahead(self._thorough(uid), self._reached))

    def _thorough(self, uid: str) -> Found:
        if uid not in self._walk.explorer.found:
            self._read(self._near(uid))
        return self._walk.explorer.found[uid]

    def _near(self, uid: str) -> list[str]:
        """A vertex and those around it that were not read yet, nearest first."""
        near, read = {uid: None}, self._walk.explorer.found
        for one in _growing(near):
            for *_, other, _ in self._plan.steps(self._reached[one]):
                if other in self._reached and other not in read and len(near) < _TOGETHER:
                    near.setdefault(other)
        return list(near)

    def _read(self, uids: Iterable[str]) -> None:
        wanted = {uid: self._reached[uid].kind for uid in uids}
        self._walk.explorer.expand(wanted, levels=1)
        agents = {end_of(item) for uid in wanted for item in self._reached[uid].agents} - self._agents.keys()
        self._agents |= {agent.uid: agent for agent in self._reader.vertices(agents)}


def _growing(near: dict[str, None]) -> Iterable[str]:
    """The keys of a dict in their order, also those that come meanwhile."""
    place = 0
    while place < len(near):
        for uid in list(near)[place:]:
            place += 1
            yield uid


def _known_uids(uids: Iterable[str]) -> list[str]:
    return [found for uid in uids if (found := uid_of(uid)) is not None]


def _sorted(edges: list[Edge]) -> list[Edge]:
    return sorted(edges, key=lambda edge: (edge.type, edge.source, edge.target, edge.uid))
