"""The region of a question at a server: only what its walks come to is read, level by level, up to its boundary."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from provgraph.graph.arrays import ACTIVITY, AGENT, ENTITY
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.region import Within
from provgraph.model.vocabulary import Kind
from provgraph.stores.neo4j.reader_explorer import Explorer, Found
from provgraph.stores.neo4j.reader_known import ServerKnown
from provgraph.stores.neo4j.reader_table import Drawing, drawn, with_edges
from provgraph.stores.neo4j.reader_values import HERE, PAGE, uid_of

if TYPE_CHECKING:
    from provgraph.stores.neo4j.reader import Neo4jReader

_SLACK: Final = 1
"""Activities that are read beyond what a distance asks for: the operator counts them itself."""
_GENERATED: Final = (
    f"UNWIND $uids AS uid MATCH (n:Activity {{uid: uid}}) WHERE {HERE} "
    "MATCH (n)<-[:wasGeneratedBy]-(m) RETURN collect(DISTINCT m.uid)"
)
_BETWEEN: Final = (
    f"UNWIND $uids AS uid MATCH (n:KIND {{uid: uid}}) WHERE {HERE} "
    "MATCH (n)-[e:RELATIONS]->(m) WHERE SKIPPED RETURN type(e), collect([n.uid, m.uid])"
)
_OTHERS: Final = {
    Kind.ENTITY: "wasDerivedFrom|wasInvalidatedBy|specializationOf|alternateOf|hadMember",
    Kind.ACTIVITY: "wasInformedBy",
    Kind.AGENT: "actedOnBehalfOf",
}
_CODES: Final = {Kind.ENTITY: ENTITY, Kind.ACTIVITY: ACTIVITY, Kind.AGENT: AGENT}


class ServerRegion:
    """Implements ``graph.region.Region``.

    Cost: a query for each 10,000 vertices, and where the walk is narrow for many levels. Of a vertex its labels, the
    properties that the boundary looks at, and its edges of ancestry and responsibility are read; the rest when somebody
    looks at it.
    """

    def __init__(self, reader: "Neo4jReader", other: "ServerRegion | None" = None) -> None:
        self._reader = reader
        self.known: ServerKnown = ServerKnown(reader) if other is None else other.known
        self._other = other
        self._boundary: Within | None = None
        self._past = Explorer(reader)
        self._future = Explorer(reader, downstream=True)
        self._verdicts: dict[str, bool] = {}
        self._judged, self._asked = 0, False
        self._cut: dict[str, list[str]] = {}
        """Where ancestry edges within the boundary lead, of vertices of which some are not."""
        self._others: list[tuple[str, str, str]] = []
        """Edges of other relations; those that differ in their role alone are there twice."""
        self._soon: list[str] = []
        """What the segment holds."""
        self._walked: set[str] = set()
        self._generated: set[str] = set()
        self._graph: tuple[ProvGraph, ProvGraph] | None = None
        """That of the drawing, and the same with the edges of other relations."""

    def within(self, boundary: Within, keys: Collection[str] = ()) -> None:
        """Where to stop."""
        self._boundary = boundary
        wanted = frozenset(boundary.keys | {*keys})
        if self._other is not None and self._other._past.keys == wanted:  # noqa: SLF001 - one of its own kind
            self._past, self._future = self._other._past, self._other._future  # noqa: SLF001
        else:
            self._past = Explorer(self._reader, keys=wanted)
            self._future = Explorer(self._reader, downstream=True)
            if self._other is not None:
                self._other._past, self._other._future = self._past, self._future  # noqa: SLF001

    def again(self) -> "ServerRegion":
        """Another question's region: what was read is not read twice."""
        return ServerRegion(self._reader, self)

    # -- the boundary

    def _judge(self) -> None:
        """Ask the boundary about all that was read since the last time."""
        new = self._past.order[self._judged :]
        boundary, first, self._judged = self._boundary, not self._asked, len(self._past.order)
        self._asked = True
        if not new and not first:  # the first time, what is wrong with it is said even of nothing
            return
        if boundary is None or boundary.leaves_all:
            out = boundary is not None and not boundary.environment
            self._verdicts.update((found.uid, not (out and "Environment" in found.labels)) for found in new)
            return
        ends = {uid: kind for found in new for uid, kind in _leading(found)}
        own = {found.uid for found in new}
        beyond = [Found(uid, (kind.value,), kind, [], [], []) for uid, kind in ends.items() if uid not in own]
        drawing = drawn(self._reader, [*new, *beyond], self._past.keys)
        vertices, edges = boundary.judged(drawing.graph)
        for found in new:
            self._verdicts[found.uid] = bool(vertices[drawing.place[found.uid]])
        if not edges.all():
            self._cut_edges(drawing, edges)

    def _cut_edges(self, drawing: Drawing, edges: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> None:
        arrays = drawing.graph.arrays
        ancestry = arrays.with_relations(("used", "wasGeneratedBy"))
        touched = np.unique(arrays.sources[ancestry & ~edges])
        kept: dict[int, list[int]] = {int(place): [] for place in touched}
        for place in np.flatnonzero(ancestry & edges & np.isin(arrays.sources, touched)).tolist():
            kept[int(arrays.sources[place])].append(int(arrays.targets[place]))
        for source, targets in kept.items():
            self._cut[drawing.uids[source]] = [drawing.uids[target] for target in targets]

    def inside(self, uids: Iterable[str]) -> set[str]:
        """Those of the vertices that there are, and that are within the boundary."""
        wanted = [found for uid in uids if (found := uid_of(uid)) is not None]
        roots = self._past.roots(wanted)
        self._judge()
        return {found.uid for found in roots if self._verdicts[found.uid]}

    # -- walks

    def past(self, uids: Iterable[str], activities: int | None = None) -> Collection[str]:
        """Read what ancestry walks within the boundary reach."""
        reached = self.inside(uids)
        level = {uid: int(self._past.found[uid].kind is Kind.ACTIVITY) for uid in reached}
        while level:
            following: dict[str, int] = {}
            kinds: dict[str, Kind] = {}
            for uid, far in level.items():
                for other, kind in self._leading(uid):
                    distance = far + (kind is Kind.ACTIVITY)
                    if other not in reached and (activities is None or distance <= activities + _SLACK):
                        following[other], kinds[other] = distance, kind
            self._past.expand(kinds, **({} if activities is None else {"levels": 2 * activities + 2}))
            self._judge()
            level = {uid: far for uid, far in following.items() if self._verdicts.get(uid)}
            reached.update(level)
        self._walked |= reached
        return reached

    def roots(self) -> list[str]:
        """What the walks into the past ended at so far."""
        return [uid for uid in self._walked if not any(self._verdicts.get(other) for other, _ in self._leading(uid))]

    def _leading(self, uid: str) -> list[tuple[str, Kind]]:
        """Where the ancestry edges within the boundary lead."""
        found = self._past.found[uid]
        if uid not in self._cut:
            return _leading(found)
        kind = Kind.ENTITY if found.kind is Kind.ACTIVITY else Kind.ACTIVITY
        return [(other, kind) for other in self._cut[uid]]

    def future(self, uids: Iterable[str], activities: int) -> None:
        """Read what is downstream of vertices, so many activities far."""
        reached = self.inside(uids)
        level = {uid: int(self._past.found[uid].kind is Kind.ACTIVITY) for uid in reached}
        self._future.roots(level)
        while level:
            following: dict[str, int] = {}
            kinds: dict[str, Kind] = {}
            for uid, far in level.items():
                for other, kind in _leading(self._future.found[uid]):
                    distance = far + (kind is Kind.ACTIVITY)
                    if other not in reached and distance <= activities + _SLACK:
                        following[other], kinds[other] = distance, kind
            inside = self._among(kinds)
            self._future.expand({uid: kind for uid, kind in kinds.items() if uid in inside}, levels=1)
            level = {uid: far for uid, far in following.items() if uid in inside and uid in self._future.found}
            reached.update(level)

    def _among(self, kinds: dict[str, Kind]) -> set[str]:
        """Those of the vertices that are within the boundary."""
        self._past.expand(kinds, levels=1)
        self._judge()
        return {uid for uid in kinds if self._verdicts.get(uid)}

    def beside(self) -> None:
        """Read what the activities found so far generated."""
        made = [uid for uid in self._walked - self._generated if self._past.found[uid].kind is Kind.ACTIVITY]
        siblings: dict[str, Kind] = {}
        for part in _pages(made):
            for (uids,) in self._reader.run(_GENERATED, uids=part):
                siblings.update(dict.fromkeys(uids, Kind.ENTITY))
        self._generated.update(made)
        self._among(siblings)

    def between(self, uids: Iterable[str]) -> None:
        """Read the edges of every relation between vertices that were found."""
        self._others, self._soon, self._graph = [], list(uids), None
        chosen = {uid: found.kind for uid in self._soon if (found := self._past.found.get(uid)) is not None}
        artifacts = any("Artifact" in self._past.found[uid].labels for uid in chosen)
        agents = {agent.uid: Kind.AGENT for agent in self.known.agents()}
        for kind, relations in _OTHERS.items():
            # Each snapshot leads to its artifact, which is in hardly any region.
            skipped = "true" if artifacts or kind is not Kind.ENTITY else "NOT m:Artifact"
            query = _BETWEEN.replace("KIND", kind).replace("RELATIONS", relations).replace("SKIPPED", skipped)
            for part in _pages([uid for uid, its in (chosen | agents).items() if its is kind]):
                for type, pairs in self._reader.run(query, uids=part):
                    self._others += [(type, source, target) for source, target in pairs]

    # -- the graph

    @property
    def graph(self) -> ProvGraph:
        """All that was read, and the agents of it."""
        drawing = self._drawing()
        if not self._soon:
            return drawing.graph
        if self._graph is None or self._graph[0] is not drawing.graph:
            self._graph = drawing.graph, with_edges(drawing, self._others, self._soon).graph
        return self._graph[1]

    def _drawing(self) -> Drawing:
        """Without the edges of other relations: regions that read together share it."""
        explorer = self._past
        if explorer.drawing is None or explorer.drawing[0] != len(explorer.order):
            explorer.drawing = len(explorer.order), drawn(self._reader, explorer.order, explorer.keys)
        found: Drawing = explorer.drawing[1]
        return found


def _leading(found: Found) -> list[tuple[str, Kind]]:
    if found.kind is Kind.AGENT:
        return []
    kind = Kind.ENTITY if found.kind is Kind.ACTIVITY else Kind.ACTIVITY
    return [(uid, kind) for uid in found.ahead]


def _pages(uids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(uids), PAGE):
        yield uids[start : start + PAGE]
