"""A ProvGraph asked like a store: what makes references and questions work on ``--graph FILE``."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import cached_property

from provgraph.events.series_rows import Joined
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.merged import merged_into
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.reader import ActivityFilter, SnapshotRow
from provgraph.graph.region import WholeRegion
from provgraph.model.members import decode
from provgraph.model.vocabulary import UNNUMBERED
from provgraph.queries.lineage import lineage
from provgraph.queries.times import in_order


class GraphAsReader:
    """Implements ``GraphReader`` over a graph in memory. Cost: each question looks at all vertices, once."""

    def __init__(self, graph: ProvGraph) -> None:
        self.graph = graph

    def vertex(self, uid: str) -> Vertex | None:
        """The vertex with this uid."""
        return self.graph.vertex(uid)

    def vertices(self, uids: Collection[str]) -> list[Vertex]:
        """The vertices with these uids, sorted by uid."""
        return [self.graph[uid] for uid in sorted(set(uids)) if uid in self.graph]

    def edges_of(self, uid: str, limit: int | None = None) -> list[Edge]:
        """All edges that start or end at a vertex."""
        own = self.graph.out_edges(uid) + self.graph.in_edges(uid)
        return sorted(own, key=lambda edge: (edge.type, edge.source, edge.target, edge.uid))[:limit]

    def uids_with_prefix(self, prefix: str, limit: int = 10) -> list[str]:
        """Uids that start so."""
        return self.graph.uids_with_prefix(prefix, limit)

    def named(self, name: str) -> list[str]:
        """Uids of the vertices that are displayed so, or whose ``name`` is this."""
        return [v.uid for v in self.graph if display_name(v) == name or v.properties.get("name") == name]

    @cached_property
    def _snapshots(self) -> dict[str, list[SnapshotRow]]:
        gone = {source for relation, source, _ in self.graph.edge_ends() if relation == "wasInvalidatedBy"}
        found: dict[str, list[SnapshotRow]] = {}
        for v in self.graph:
            if "Snapshot" in v.labels and isinstance(v.properties.get("path"), str):
                found.setdefault(v.properties["path"], []).append(_row(v, v.uid in gone))
        for rows in found.values():
            rows.sort(key=lambda row: (in_order(row.created_at), row.sequence, row.uid))
        return found

    def snapshots(self, path: str) -> list[SnapshotRow]:
        """The snapshots of a path, oldest first."""
        return self._snapshots.get(path, [])

    def snapshots_matching(self, glob: str) -> list[SnapshotRow]:
        """The snapshots whose path matches a glob."""
        pattern = re.compile(glob_pattern(glob), re.DOTALL)
        return [row for path in sorted(self._snapshots) if pattern.fullmatch(path) for row in self._snapshots[path]]

    def snapshots_with_digest(self, sha256: str) -> list[SnapshotRow]:
        """The snapshots with these bytes, newest first."""
        rows = [row for rows in self._snapshots.values() for row in rows if row.sha256 == sha256]
        return sorted(rows, key=lambda row: (in_order(row.created_at), row.sequence, row.uid), reverse=True)

    def collections_with_member(self, path: str) -> list[SnapshotRow]:
        """A graph's document carries no members."""
        return []

    def members(self, uid: str) -> Iterator[tuple[str, str | None]]:
        """The members that a collection's own property lists, if one does."""
        chunk = self.graph[uid].properties.get("members_chunk") if uid in self.graph else None
        for member in decode(chunk) if isinstance(chunk, str) else ():
            yield member[0], member[1]

    def series(self, uid: str, name: str | None = None) -> dict[str, Joined]:
        """A graph's document carries no series, but those that Cypher sees: as properties, thinned."""
        return {}

    def paths_like(self, path: str, limit: int = 5) -> list[str]:
        """Paths and names that look like ``path``, best first."""
        names = sorted({*self._snapshots, *(display_name(v) for v in self.graph)})
        return get_close_matches(path, names, n=limit, cutoff=0.5)

    def activities(self, filter: ActivityFilter) -> list[Vertex]:
        """Activities, newest first."""
        found = [v for v in self.graph if "Activity" in v.labels and self._kept(v, filter)]
        found.sort(key=_started, reverse=True)
        return found[: filter.limit]

    def _kept(self, v: Vertex, filter: ActivityFilter) -> bool:
        started = in_order(str(v.properties.get("started_at", "")))
        if (filter.since and started < filter.since) or (filter.until and started > filter.until):
            return False
        if (not filter.unseen and not UNNUMBERED.isdisjoint(v.labels)) or (filter.own and v.mark):
            return False
        text = f"{v.properties.get('name', '')}\n{v.properties.get('command', '')}"
        if filter.grep and not re.search(filter.grep, text):
            return False
        return not filter.agent or filter.agent in self._agents_of(v.uid)

    def _agents_of(self, uid: str) -> Iterable[str]:
        for edge in self.graph.out_edges(uid):
            if edge.type == "wasAssociatedWith":
                agent = self.graph[edge.target].properties
                yield from (str(agent.get("name", "")), str(agent.get("email", "")))

    def nth_activity(self, n: int) -> Vertex | None:
        """The n-th newest command."""
        found = self.activities(ActivityFilter(unseen=False, own=True))
        return found[n - 1] if 1 <= n <= len(found) else None

    def agents_named(self, name: str) -> list[Vertex]:
        """Agents with this name or e-mail address; one that was merged into another one is that one."""
        agents = [v for v in self.graph if "Agent" in v.labels]
        into = merged_into(agents)
        called = {
            into.get(v.uid, v.uid)
            for v in agents
            if name.lower() in (str(v.properties.get(k, "")).lower() for k in ("name", "email"))
        }
        return [v for v in agents if v.uid in called]

    def ancestors(
        self,
        uids: Sequence[str],
        *,
        downstream: bool = False,
        depth: int | None = None,
        revisions: bool = False,
        environment: bool = False,
    ) -> ProvGraph:
        """What ``uids`` came from, or what came from them."""
        return lineage(
            self.graph, uids, downstream=downstream, depth=depth, revisions=revisions, environment=environment
        )

    walk = ancestors
    """All is in memory: nothing is saved by looking at less."""

    def whole(self) -> ProvGraph:
        """The graph."""
        return self.graph

    def region(self) -> WholeRegion:
        """The graph."""
        return WholeRegion(self.graph)

    def commits(self, prefix: str) -> list[Vertex]:
        """The versions of commits whose ids begin so."""
        versions = (v for v in self.graph if "Version" in v.labels)
        return [v for v in versions if str(v.properties.get("commit", "")).startswith(prefix)]

    def labels(self) -> dict[str, int]:
        """Every label, with its number of vertices."""
        return self.graph.label_counts()

    def property_keys(self) -> dict[str, set[str]]:
        """Every property key, with the labels or relations that it stands on."""
        found: dict[str, set[str]] = {}
        for v in self.graph:
            for key in v.properties:
                found.setdefault(key, set()).update(v.labels)
        for edge in self.graph.edges:
            for key in edge.properties:
                found.setdefault(key, set()).add(edge.type)
        return dict(sorted(found.items()))

    def relations(self) -> dict[str, int]:
        """Every relation, with its number of edges."""
        return self.graph.relation_counts()


def glob_pattern(glob: str) -> str:
    """A shell glob over paths as a regular expression: ``*`` and ``?`` do not cross ``/``, ``**`` does."""
    parts = re.split(r"(\*\*/?|\*|\?|\[[^\]]+\])", glob)
    out = []
    for part in parts:
        if part == "**/":
            out.append("(?:.*/)?")
        elif part == "**":
            out.append(".*")
        elif part == "*":
            out.append("[^/]*")
        elif part == "?":
            out.append("[^/]")
        elif part.startswith("[") and part.endswith("]") and len(part) > 2:
            inner = part[1:-1].replace("\\", "\\\\")
            out.append("[^" + inner[1:] + "]" if inner[0] in "!^" else "[" + inner + "]")
        else:
            out.append(re.escape(part))
    return "".join(out)


def _started(v: Vertex) -> tuple[str, str]:
    return in_order(str(v.properties.get("started_at", ""))), v.uid


def _row(v: Vertex, gone: bool) -> SnapshotRow:
    p = v.properties
    sequence = p.get("sequence")
    return SnapshotRow(
        uid=v.uid,
        path=p["path"],
        sequence=sequence if isinstance(sequence, int) else 0,
        sha256=p.get("sha256"),
        created_at=str(p.get("created_at", "")),
        origin=str(p.get("origin", "")),
        seq=0,
        invalidated=gone,
        labels=v.labels,
    )
