"""Questions to a team's server: the reader's port over one project of a Neo4j database.

Every query keeps to the project: by the property ``project`` of the vertices that it begins at; edges never leave it.
Everything is read in read transactions. Uids are looked up by index, one label after the other, since the constraint
that makes them unique is one for each kind.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from provgraph.events.series_rows import Joined, joined
from provgraph.graph.clones import Clones
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.reader import ActivityFilter, Neighbourhood, SnapshotRow
from provgraph.model.identity import Namespace
from provgraph.model.vocabulary import Kind
from provgraph.stores.cypher.values import show
from provgraph.stores.cypher_properties import OWN, SUFFIX, from_server
from provgraph.stores.encoding import column
from provgraph.stores.globs import glob_pattern, literal_prefix
from provgraph.stores.neo4j import reader_lineage
from provgraph.stores.neo4j import series as series_nodes
from provgraph.stores.neo4j.reader_agents import Agents
from provgraph.stores.neo4j.reader_members import decoded, folders_of
from provgraph.stores.neo4j.reader_values import (
    HERE,
    PAGE,
    Reads,
    for_each_kind,
    graph_of,
    labels_in_order,
    recorded,
    uid_of,
)
from provgraph.stores.paths import alike

if TYPE_CHECKING:
    from provgraph.stores.neo4j.reader_region import ServerRegion

_FEW: Final = 1_000
"""Activities that one query reads where a pattern of the question is tried here."""
_NEVER: Final = "datetime({year: 1})"
"""Before every time, so that what has none comes last."""
_SNAPSHOT: Final = (
    "RETURN n.uid, n.path, n.sequence, n.sha256, n.created_at, n.origin, "
    "EXISTS { (n)-[:wasInvalidatedBy]->() }, labels(n)"
)
_VERTEX: Final = "n.uid, labels(n), properties(n)"


_VERTICES: Final = for_each_kind(
    f"UNWIND $uids AS uid MATCH (n:KIND {{uid: uid}}) WHERE {HERE} RETURN n.uid AS uid, labels(n) AS labels, "
    "properties(n) AS properties"
)
_OUT: Final = for_each_kind(
    f"MATCH (n:KIND {{uid: $uid}})-[e]->(m) WHERE {HERE} RETURN type(e) AS type, n.uid AS source, m.uid AS target, "
    "properties(e) AS properties"
)
_IN: Final = for_each_kind(
    f"MATCH (n:KIND {{uid: $uid}})<-[e]-(m) WHERE {HERE} RETURN type(e) AS type, m.uid AS source, n.uid AS target, "
    "properties(e) AS properties"
)


class Neo4jReader:
    """The reader's port (`graph.reader.GraphReader`) on a team's server.

    Parameters:
        reads: asks the server.
        project: the project's uid.
        clones: who asks: the origins of this disk, and the short names of the others.
    """

    def __init__(self, reads: Reads, project: str, clones: Clones | None = None) -> None:
        self.reads, self.project, self.clones = reads, project, clones or Clones()
        self.namespace = Namespace(project)
        self.agents = Agents(self)

    def run(self, query: str, /, **parameters: Any) -> Sequence[Any]:
        """The records of a query, which may name ``$project``."""
        return self.reads.run(query, project=self.project, **parameters)

    # -- vertices and edges

    def vertex(self, uid: str) -> Vertex | None:
        """The vertex with this uid."""
        found = self.vertices([uid])
        return found[0] if found else None

    def vertices(self, uids: Collection[str]) -> list[Vertex]:
        """The vertices with these uids, sorted by uid."""
        wanted = sorted({found for uid in uids if (found := uid_of(uid)) is not None})
        made: list[Vertex] = []
        for start in range(0, len(wanted), PAGE):
            made += [self.made(*record) for record in self.run(_VERTICES, uids=wanted[start : start + PAGE])]
        return sorted(made, key=lambda vertex: vertex.uid)

    def made(self, uid: str, labels: Iterable[str], properties: Mapping[str, Any]) -> Vertex:
        """A vertex of what the server says."""
        return self.vertex_of(uid, labels_in_order(labels), properties)

    def vertex_of(self, uid: str, labels: tuple[str, ...], properties: Mapping[str, Any]) -> Vertex:
        """The same, where the labels are in order already."""
        origin = properties.get("origin")
        if "Agent" in labels:
            mark = self.agents.mark(uid)
        else:
            mark = self.clones.mark(origin) if self.clones.own and isinstance(origin, str) else ""
        return Vertex(uid, labels, recorded(properties), mark)

    def edge(self, type: str, source: str, target: str, properties: Mapping[str, Any]) -> Edge:
        """An edge of what the server says."""
        found = from_server(properties, vertex=False)
        role = column(str(found.get("role", "")))
        return Edge(type, source, target, found, self.namespace.edge(type, source, target, role))

    def edges_of(self, uid: str, limit: int | None = None) -> list[Edge]:
        """All edges that start or end at a vertex, sorted by (type, source, target)."""
        found, rows = uid_of(uid), list[Any]()
        if found is None:
            return []
        for query in (_OUT, _IN):
            if limit is None:
                rows += self.run(query, uid=found)
            else:
                # Edges that differ in their role alone come together: their order is that of their uids.
                first = (
                    f"CALL {{ {query} }} WITH type, source, target, collect(properties) AS twins "
                    "ORDER BY type, source, target LIMIT $limit UNWIND twins AS properties "
                    "RETURN type, source, target, properties"
                )
                rows += self.run(first, uid=found, limit=limit)
        edges = {edge.uid: edge for edge in (self.edge(*row) for row in rows)}  # a loop is in both
        ordered = sorted(edges.values(), key=lambda edge: (edge.type, edge.source, edge.target, edge.uid))
        return ordered if limit is None else ordered[:limit]

    def uids_with_prefix(self, prefix: str, limit: int = 10) -> list[str]:
        """Uids that start so, sorted."""
        begin = prefix.lower()
        digits = begin.replace("-", "")
        if not digits or len(digits) > 32 or set(digits) - set("0123456789abcdef"):
            return []
        query = for_each_kind(
            f"MATCH (n:KIND) WHERE n.uid STARTS WITH $prefix AND {HERE} RETURN n.uid AS uid ORDER BY uid LIMIT $limit"
        )
        return sorted(row[0] for row in self.run(query, prefix=begin, limit=limit))[:limit]

    # -- snapshots

    def _snapshots(self, where: str, **parameters: Any) -> list[SnapshotRow]:
        query = f"MATCH (n:Snapshot:Entity) WHERE {where} AND {HERE} {_SNAPSHOT}"
        return sorted((self._snapshot(*row) for row in self.run(query, **parameters)), key=_age)

    def _snapshot(
        self,
        uid: str,
        path: object,
        sequence: object,
        sha256: object,
        created_at: object,
        origin: object,
        invalidated: bool,
        labels: list[str],
    ) -> SnapshotRow:
        values = {"path": path, "sha256": sha256, "created_at": created_at, "origin": origin}
        texts = {key: value for key, value in from_server(values, vertex=False).items() if isinstance(value, str)}
        uid_of_origin = texts.get("origin", "")
        return SnapshotRow(
            uid=uid,
            path=texts.get("path", ""),
            sequence=sequence if isinstance(sequence, int) else 0,
            sha256=_digest(texts.get("sha256")),
            created_at=texts.get("created_at", ""),
            origin=uid_of_origin,
            seq=0,
            invalidated=invalidated,
            labels=labels_in_order(labels),
            own=not self.clones.own or uid_of_origin in self.clones.own,
        )

    def snapshots(self, path: str) -> list[SnapshotRow]:
        """The snapshots of the artifact at ``path`` (from the project's root, or absolute), oldest first."""
        return self._snapshots("n.path = $path" if path else "coalesce(n.path, '') = $path", path=column(path))

    def snapshots_matching(self, glob: str) -> list[SnapshotRow]:
        """The snapshots whose path matches a shell glob (``*`` does not cross ``/``, ``**`` does)."""
        text = column(glob)
        pattern, prefix, values = re.compile(glob_pattern(text)), literal_prefix(text), dict[str, str]()
        where = "true"
        if prefix:
            where, values["prefix"] = "n.path STARTS WITH $prefix", prefix
        if "[" not in text:  # Java's sets of characters are other ones
            where, values["pattern"] = f"{where} AND coalesce(n.path, '') =~ $pattern", f"(?s){glob_pattern(text)}"
        rows = [row for row in self._snapshots(where, **values) if pattern.fullmatch(row.path)]
        return sorted(rows, key=lambda row: row.path)

    def snapshots_with_digest(self, sha256: str) -> list[SnapshotRow]:
        """The snapshots with these bytes, newest first."""
        digest = _digest(sha256)
        return self._snapshots("n.sha256 = $sha256", sha256=digest)[::-1] if digest is not None else []

    def collections_with_member(self, path: str) -> list[SnapshotRow]:
        """The Collection snapshots that hold ``path``, newest first. Cost: their members are read."""
        folders = folders_of(column(path))
        query = (
            "MATCH (c:ProvgraphMembers) WHERE c.of = $project AND c.path IN $folders "
            "MATCH (n:Snapshot:Entity {uid: c.uid}) RETURN c.uid, c.path, n.sha256"
        )
        found, lists = set[str](), dict[tuple[str, str], bool]()
        for uid, folder, sha256 in self.run(query, folders=folders):
            key = folder, sha256 if isinstance(sha256, str) else uid  # equal digests are equal members
            if key not in lists:
                inside = path[len(folder.rstrip("/")) + 1 :] if folder not in ("", ".") else path
                lists[key] = any(member == inside for member, _ in self.members(uid))
            if lists[key]:
                found.add(uid)
        rows = self._snapshots("n.uid IN $uids", uids=sorted(found))[::-1]
        return [row for row in rows if not row.path or column(path).startswith(row.path.rstrip("/") + "/")]

    def members(self, uid: str) -> Iterator[tuple[str, str | None]]:
        """The (path, SHA-256) pairs of a Collection snapshot, by path; the digest is None where it was never read."""
        rows = self.run("MATCH (c:ProvgraphMembers {uid: $uid}) WHERE c.of = $project RETURN c.data", uid=uid_of(uid))
        for (data,) in rows[:1]:
            for path, sha256, *_ in decoded(data):
                yield path, sha256

    def series(self, uid: str, name: str | None = None) -> dict[str, Joined]:
        """A vertex's series by name, whole; only the one of that name where it is given."""
        return joined(series_nodes.read(self.run, uid_of(uid), name))

    def paths_like(self, path: str, limit: int = 5) -> list[str]:
        """Known artifact paths that look like ``path``, best first."""
        rows = self.run("MATCH (n:Artifact) WHERE n.project = $project RETURN DISTINCT n.path")
        paths = sorted(from_server({"path": row[0] or ""})["path"] for row in rows)
        return alike(column(path), paths, limit)

    # -- activities and agents

    def activities(self, filter: ActivityFilter) -> list[Vertex]:  # the port's name
        """Activities, newest first by ``started_at``; parts of a split one are listed once, as the first part."""
        wanted = re.compile(filter.grep) if filter.grep is not None else None
        found: list[Vertex] = []
        if filter.limit == 0:
            return found
        for vertex in self._newest(filter, filter.limit if wanted is None else None):
            text = (str(vertex.properties.get(key, "")) for key in ("name", "command")) if wanted else ()
            if _within(vertex, filter) and (wanted is None or any(wanted.search(part) for part in text)):
                found.append(vertex)
                if len(found) == filter.limit:  # before another page is asked for
                    break
        return found

    def _newest(self, filter: ActivityFilter, limit: int | None) -> Iterator[Vertex]:
        where, values = ["n.whole IS NULL"], dict[str, Any]()
        if filter.since is not None:  # what bears a text instead of a time is compared here, not there
            where.append("NOT coalesce(n.started_at < datetime($since), n.started_at IS NULL)")
            values["since"] = filter.since
        if filter.until is not None:
            where.append("NOT coalesce(n.started_at >= datetime($until), false)")
            values["until"] = filter.until
        if not filter.unseen:
            where.append("NOT n:Unseen AND NOT n:Gathering AND NOT n:Commit")
        if filter.own and self.clones.own:
            where.append("n.origin IN $own")
            values["own"] = sorted(self.clones.own)
        if filter.agent is not None:
            where.append("EXISTS { (n)-[:wasAssociatedWith]->(a:Agent) WHERE a.uid IN $agents }")
            values["agents"] = [agent.uid for agent in self.agents.called(filter.agent)]
        query = (
            f"MATCH (n:Activity) WHERE n.project = $project AND {' AND '.join(where)} "
            f"WITH n, coalesce(n.started_at, {_NEVER}) AS at, coalesce(n.number, 0) AS number "
            "ORDER BY at DESC, number DESC, n.uid DESC "
        )
        if filter.limit is None:
            for row in self.run(f"{query} RETURN {_VERTEX}", **values):
                yield self.made(*row)
            return
        skip, page = 0, min(limit or _FEW, PAGE)
        while True:
            rows = self.run(f"{query} SKIP $skip LIMIT $page RETURN {_VERTEX}", skip=skip, page=page, **values)
            for row in rows:
                yield self.made(*row)
            if len(rows) < page:
                return
            skip, page = skip + page, PAGE

    def nth_activity(self, n: int) -> Vertex | None:
        """``%n``: the n-th newest command of this disk (1 is the newest); unseen changes do not count."""
        if n < 1:
            return None
        found = self.activities(ActivityFilter(unseen=False, own=True, limit=n))
        return found[n - 1] if len(found) >= n else None

    def commits(self, prefix: str) -> list[Vertex]:
        """The explicit versions of commits whose ids begin so, by uid."""
        query = f"MATCH (n:Version) WHERE n.commit STARTS WITH $prefix AND {HERE} RETURN {_VERTEX} ORDER BY n.uid"
        return [self.made(*row) for row in self.run(query, prefix=prefix)]

    def agents_named(self, name: str) -> list[Vertex]:
        """Agents with this name or e-mail address; one that was merged into another one is that one."""
        found = self.agents.called(name)
        return [agent for agent in found if agent.uid not in self.agents.one]

    # -- walks

    def ancestors(
        self,
        uids: Sequence[str],
        *,
        downstream: bool = False,
        depth: int | None = None,
        revisions: bool = False,
        environment: bool = False,
    ) -> ProvGraph:
        """What ``uids`` came from (or what came from them), with the agents of what was found (rule 12).

        ``depth`` counts activities. Cost: a query for each level, or for many where they are narrow.
        """
        walk = reader_lineage.Walk(self, downstream=downstream, revisions=revisions, environment=environment)
        return walk.graph(uids, depth)

    def walk(
        self,
        uids: Sequence[str],
        *,
        downstream: bool = False,
        depth: int | None = None,
        revisions: bool = False,
        environment: bool = False,
    ) -> Neighbourhood:
        """The same, of which properties are read when they are looked at."""
        return reader_lineage.RemoteWalk(
            self, uids, depth, downstream=downstream, revisions=revisions, environment=environment
        )

    def whole(self) -> ProvGraph:
        """The whole graph of the project. Cost: all of it comes over the network; ``region`` is for questions."""
        vertices, edges = list[Vertex](), list[Edge]()
        for kind in Kind:
            rows = self.run(f"MATCH (n:{kind}) WHERE n.project = $project RETURN {_VERTEX}")
            vertices += [self.made(*row) for row in rows]
            query = f"MATCH (n:{kind})-[e]->(m) WHERE n.project = $project RETURN type(e), n.uid, m.uid, properties(e)"
            edges += [self.edge(*row) for row in self.run(query)]
        return graph_of(vertices, edges)

    def region(self) -> "ServerRegion":
        """A part of the graph that is read as a question goes along."""
        from provgraph.stores.neo4j.reader_region import ServerRegion  # numpy, which few questions need

        return ServerRegion(self)

    # -- what there is

    def labels(self) -> dict[str, int]:
        """Every label in use, with its number of vertices."""
        query = for_each_kind(
            "MATCH (n:KIND) WHERE n.project = $project WITH labels(n) AS labels, count(*) AS number "
            "UNWIND labels AS label RETURN label, sum(number) AS number"
        )
        counts: dict[str, int] = {}
        for label, number in self.run(query):
            counts[show(label)] = counts.get(show(label), 0) + number
        return dict(sorted(counts.items()))

    def property_keys(self) -> dict[str, set[str]]:
        """Every property key in use, with the labels (or relations) that it stands on. Cost: all vertices are read."""
        return {column(key): owners for key, owners in self.recorded_keys().items()}

    def recorded_keys(self) -> dict[str, set[str]]:
        """The same by the keys as they were recorded, which a column of SQLite could not hold."""
        keys: dict[str, set[str]] = {}
        vertices = (
            f"MATCH (n:KIND) WHERE n.project = $project WITH DISTINCT labels(n) AS owners, {_keys_of('n')} AS keys"
        )
        edges = (
            "MATCH (n:KIND)-[e]->() WHERE n.project = $project "
            f"WITH DISTINCT [type(e)] AS owners, {_keys_of('e')} AS keys"
        )
        for query, own in ((vertices, OWN), (edges, frozenset[str]())):
            for owners, found in self.run(for_each_kind(f"{query} RETURN owners, keys")):
                for key in set(found) - own:
                    keys.setdefault(_recorded_key(show(key)), set()).update(map(show, owners))
        return dict(sorted(keys.items()))

    def relations(self) -> dict[str, int]:
        """Every relation in use, with its number of edges."""
        query = for_each_kind(
            "MATCH (n:KIND)-[e]->() WHERE n.project = $project RETURN type(e) AS type, count(*) AS number"
        )
        counts: dict[str, int] = {}
        for type, number in self.run(query):
            counts[type] = counts.get(type, 0) + number
        return dict(sorted(counts.items()))


def _keys_of(element: str) -> str:
    """The keys of an element; behind one whose text stands for another value, the spaces at the end of that text."""
    return (
        f"[k IN keys({element}) | CASE WHEN NOT k ENDS WITH '{SUFFIX}' THEN k "
        f"WHEN {element}[k] ENDS WITH '  ' THEN k + '  ' WHEN {element}[k] ENDS WITH ' ' THEN k + ' ' ELSE k END]"
    )


def _recorded_key(key: str) -> str:
    """The key that was recorded, of one of `_keys_of`."""
    bare = key.rstrip(" ")
    spaces = len(key) - len(bare)
    return bare[: len(bare) - len(SUFFIX) * spaces] if spaces and bare.endswith(SUFFIX * spaces) else key


def _age(row: SnapshotRow) -> tuple[str, int, str, str]:
    return row.created_at, row.sequence, row.origin, row.uid


def _digest(text: str | None) -> str | None:
    try:
        return bytes.fromhex(text).hex() or None if text else None
    except ValueError:
        return None


def _within(vertex: Vertex, filter: ActivityFilter) -> bool:
    started = vertex.properties.get("started_at")
    at = started if isinstance(started, str) else ""
    return (filter.since is None or at >= filter.since) and (filter.until is None or at < filter.until)
