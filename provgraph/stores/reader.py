"""Questions to the embedded store: the reader's port over the tables of ``graph.db``."""

import re
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import StoreError
from provgraph.events.series_rows import Joined, joined
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.reader import ActivityFilter, SnapshotRow
from provgraph.graph.region import WholeRegion
from provgraph.model import members as member_chunks
from provgraph.model.collector import without_collector
from provgraph.model.identity import Namespace
from provgraph.stores import lineage
from provgraph.stores import series as series_table
from provgraph.stores.encoding import column, loads
from provgraph.stores.globs import glob_pattern, literal_prefix
from provgraph.stores.journal import Journal
from provgraph.stores.lineage import Row, uid_text
from provgraph.stores.lineage_walk import LineageWalk
from provgraph.stores.marks import Marks, merged_agents, read_marks
from provgraph.stores.paths import alike
from provgraph.stores.side_tables import member_key

if TYPE_CHECKING:
    from provgraph.stores.graph_cache import GraphCache

_SNAPSHOT: Final = (
    "SELECT v.uid, s.path, s.sequence, s.sha256, s.created_at, o.uid, s.seq, s.invalidated, v.labels, o.own "
    "FROM snapshot s JOIN vertex v ON v.id = s.vertex JOIN origin o ON o.id = s.origin "
)
_ORDER: Final = "s.created_at, s.sequence, o.uid, v.uid"
_NEWEST_FIRST: Final = "s.created_at DESC, s.sequence DESC, o.uid DESC, v.uid DESC"
_VERTEX: Final = "v.id, v.uid, v.labels, v.properties, v.origin"
_ACTIVITY: Final = f"SELECT {_VERTEX} FROM activity t INDEXED BY activity_started JOIN vertex v ON v.id = t.vertex "
_OWN_ACTIVITY: Final = "t.origin IN (SELECT id FROM origin WHERE own)"
_ACTIVITIES_ORDER: Final = "t.started_at DESC, coalesce(t.number, 0) DESC, v.uid DESC"
_EDGE: Final = (
    "SELECT e.type, a.uid, b.uid, e.role, e.properties FROM edge e "
    "JOIN vertex a ON a.id = e.source JOIN vertex b ON b.id = e.target "
)
_PART: Final = 500

Held = Callable[[str], bool]


def _starts(uids: Sequence[str]) -> list[bytes]:
    return [raw for uid in uids if (raw := uid_bytes(uid)) is not None]


def uid_bytes(uid: str) -> bytes | None:
    """A uid's 16 bytes; None for what is no uid."""
    digits = uid.replace("-", "")
    try:
        return bytes.fromhex(digits) if len(digits) == 32 else None  # fromhex alone takes blanks and line ends too
    except ValueError:
        return None


def properties_of(text: str, held: Held) -> dict[str, Any]:
    """A vertex's properties from their JSON; ``restorable`` is what this store says of itself (rule 24)."""
    properties: dict[str, Any] = loads(text)
    if "restorable" in properties and isinstance(digest := properties.get("sha256"), str):
        properties["restorable"] = held(digest)
    return properties


class SqliteReader:
    """The reader's port (`graph.reader.GraphReader`) on the embedded store.

    Parameters:
        db: the projection.
        journal: where the members of collections lie.
        namespace: the project's uids.
        held: whether the object store has a digest's bytes; decides ``restorable``, which is never shared (rule 24).
    """

    def __init__(self, db: sqlite3.Connection, journal: Journal, namespace: Namespace, held: Held) -> None:
        self.db, self.journal, self.namespace, self.held = db, journal, namespace, held
        self._labelsets: dict[int, tuple[str, ...]] = {}
        self._relations: dict[int, str] = {}
        self._cache: GraphCache | None = None

    # -- vertices and edges

    def vertex(self, uid: str) -> Vertex | None:
        """The vertex with this uid."""
        found = self.vertices([uid])
        return found[0] if found else None

    def vertices(self, uids: Collection[str]) -> list[Vertex]:
        """The vertices with these uids, sorted by uid."""
        wanted = sorted({raw for uid in uids if (raw := uid_bytes(uid)) is not None})
        rows: list[Row] = []
        for start in range(0, len(wanted), _PART):
            part = wanted[start : start + _PART]
            marks = ",".join("?" * len(part))
            query = f"SELECT {_VERTEX} FROM vertex v WHERE uid IN ({marks}) AND labels IS NOT NULL ORDER BY uid"
            rows += self.db.execute(query, part)
        return self._vertices(rows)

    def _vertices(self, rows: Sequence[Row], marks: Marks | None = None) -> list[Vertex]:
        marks = read_marks(self.db) if marks is None else marks
        return list(lineage.make_vertices(rows, self._labels_for(rows), self._properties, marks).values())

    def _properties(self, text: str, labels: tuple[str, ...]) -> dict[str, Any]:
        return properties_of(text, self.held)

    def _labels_for(self, rows: Sequence[Row]) -> dict[int, tuple[str, ...]]:
        if any(row[2] not in self._labelsets for row in rows):
            found = self.db.execute("SELECT id, labels FROM labelset")
            self._labelsets = {id: tuple(loads(labels)) for id, labels in found}
        return self._labelsets

    def _labels(self, labelset: int) -> tuple[str, ...]:
        return self._labels_for([(0, b"", labelset, "", 0)])[labelset]

    def _relation_names(self) -> dict[int, str]:
        self._relations = dict(self.db.execute("SELECT id, name FROM relation"))
        return self._relations

    def edges_of(self, uid: str, limit: int | None = None) -> list[Edge]:
        """All edges that start or end at a vertex, sorted by (type, source, target)."""
        raw = uid_bytes(uid)
        row = self.db.execute("SELECT id FROM vertex WHERE uid = ?", (raw,)).fetchone()
        if row is None:
            return []
        query = f"{_EDGE} WHERE e.source = ? UNION {_EDGE} WHERE e.target = ?"
        names = self._relation_names()
        edges = [self._edge(names, *found) for found in self.db.execute(query, row * 2)]
        edges.sort(key=lambda edge: (edge.type, edge.source, edge.target, edge.uid))
        return edges if limit is None else edges[:limit]

    def _edge(self, names: dict[int, str], type: int, source: bytes, target: bytes, role: str, text: str) -> Edge:
        first, second = uid_text(source), uid_text(target)
        return Edge(names[type], first, second, loads(text), self.namespace.edge(names[type], first, second, role))

    def changes(self, after: int) -> tuple[int, Iterator[Vertex], Iterator[Edge]]:
        """(number of the newest event, vertices, edges) that events after ``after`` brought or touched, by row."""
        newest = int((self.db.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone() or ("0",))[0])
        return newest, self._changed_vertices(after), self._changed_edges(after)

    def _changed_vertices(self, after: int) -> Iterator[Vertex]:
        query = f"SELECT {_VERTEX} FROM vertex v WHERE seq > ? AND labels IS NOT NULL ORDER BY id"
        cursor = self.db.execute(query, (after,))
        while rows := cursor.fetchmany(1000):
            yield from self._vertices(rows)

    def _changed_edges(self, after: int) -> Iterator[Edge]:
        names = self._relation_names()
        for row in self.db.execute(f"{_EDGE} WHERE e.seq > ? ORDER BY e.id", (after,)):
            yield self._edge(names, *row)

    def uids_with_prefix(self, prefix: str, limit: int = 10) -> list[str]:
        """Uids that start so, sorted."""
        digits = prefix.lower().replace("-", "")
        if not digits or len(digits) > 32 or set(digits) - set("0123456789abcdef"):
            return []
        low, high = bytes.fromhex(digits.ljust(32, "0")), bytes.fromhex(digits.ljust(32, "f"))
        query = "SELECT uid FROM vertex WHERE uid BETWEEN ? AND ? AND labels IS NOT NULL ORDER BY uid"
        found = (uid_text(row[0]) for row in self.db.execute(query, (low, high)))
        # Dashes stand at fixed places: a prefix that has them elsewhere is none.
        return [uid for uid, _ in zip((u for u in found if u.startswith(prefix.lower())), range(limit), strict=False)]

    # -- snapshots

    def _snapshots(self, where: str, values: Sequence[Any]) -> list[SnapshotRow]:
        return [self._snapshot(*row) for row in self.db.execute(_SNAPSHOT + where, values)]

    def _snapshot(
        self,
        uid: bytes,
        path: str,
        sequence: int,
        sha256: bytes | None,
        created_at: str,
        origin: str,
        seq: int,
        invalidated: int,
        labels: int,
        own: int,
    ) -> SnapshotRow:
        digest, names = sha256.hex() if sha256 else None, self._labels(labels)
        return SnapshotRow(
            uid_text(uid), path, sequence, digest, created_at, origin, seq, bool(invalidated), names, bool(own)
        )

    def snapshots(self, path: str) -> list[SnapshotRow]:
        """The snapshots of the artifact at ``path`` (from the project's root, or absolute), oldest first."""
        return self._snapshots(f"WHERE s.path = ? ORDER BY {_ORDER}", (column(path),))

    def snapshots_matching(self, glob: str) -> list[SnapshotRow]:
        """The snapshots whose path matches a shell glob (``*`` does not cross ``/``, ``**`` does)."""
        pattern, prefix = re.compile(glob_pattern(column(glob))), literal_prefix(column(glob))
        where = f"WHERE s.path >= ? AND substr(s.path, 1, ?) = ? ORDER BY s.path, {_ORDER}"
        rows = self._snapshots(where, (prefix, len(prefix), prefix))
        return [row for row in rows if pattern.fullmatch(row.path)]

    def snapshots_with_digest(self, sha256: str) -> list[SnapshotRow]:
        """The snapshots with these bytes, newest first."""
        try:
            digest = bytes.fromhex(sha256)
        except ValueError:
            return []
        return self._snapshots(f"WHERE s.sha256 = ? ORDER BY {_NEWEST_FIRST}", (digest,))

    def collections_with_member(self, path: str) -> list[SnapshotRow]:
        """The Collection snapshots that hold ``path``, newest first."""
        where = (
            "JOIN collection c ON c.vertex = s.vertex JOIN member m ON m.list = c.list "
            f"WHERE m.key = ? ORDER BY {_NEWEST_FIRST}"
        )
        rows = self._snapshots(where, (member_key(path),))
        return [row for row in rows if not row.path or column(path).startswith(row.path.rstrip("/") + "/")]

    def members(self, uid: str) -> Iterator[tuple[str, str | None]]:
        """The (path, SHA-256) pairs of a Collection snapshot, by path; the digest is None where it was never read.

        Paths are those from the collection's folder. Cost: one event, then 1 µs a member.
        """
        query = "SELECT c.seq, c.place FROM collection c JOIN vertex v ON v.id = c.vertex WHERE v.uid = ?"
        row = self.db.execute(query, (uid_bytes(uid),)).fetchone()
        if row is None:
            return
        chunk = self.journal.event(row[0]).body["facts"]["members"][row[1]]["chunk"]
        for path, sha256, *_ in member_chunks.decode(chunk):
            yield path, sha256

    def series(self, uid: str, name: str | None = None) -> dict[str, Joined]:
        """A vertex's series by name, whole; only the one of that name where it is given. Cost: 30 ms for 10⁶ points."""
        raw = uid_bytes(uid)
        return {} if raw is None else joined(series_table.read(self.db, raw, name))

    def paths_like(self, path: str, limit: int = 5) -> list[str]:
        """Known artifact paths that look like ``path``, best first."""
        wanted = column(path)
        paths = [row[0] for row in self.db.execute("SELECT DISTINCT path FROM artifact ORDER BY path")]
        return alike(wanted, paths, limit)

    # -- activities and agents

    def activities(self, filter: ActivityFilter) -> list[Vertex]:  # the port's name
        """Activities, newest first; parts of a split one are listed once, as the first part."""
        where, values = ["t.whole IS NULL"], list[str]()
        if filter.since is not None:
            where.append("t.started_at >= ?")
            values.append(filter.since)
        if filter.until is not None:
            where.append("t.started_at < ?")
            values.append(filter.until)
        if not filter.unseen:
            where.append("NOT t.unseen")
        if filter.own:
            where.append(_OWN_ACTIVITY)
        if filter.agent is not None:
            marks = ",".join(str(id) for id in self._agent_ids(filter.agent)) or "NULL"
            where.append(
                "EXISTS (SELECT 1 FROM edge e JOIN relation r ON r.id = e.type AND r.name = 'wasAssociatedWith' "
                f"WHERE e.source = t.vertex AND e.target IN ({marks}))"
            )
        query = f"{_ACTIVITY} WHERE {' AND '.join(where)} ORDER BY {_ACTIVITIES_ORDER}"
        cursor, found = self.db.execute(query, values), list[Vertex]()
        wanted = re.compile(filter.grep) if filter.grep is not None else None
        while rows := cursor.fetchmany(200):
            for vertex in self._vertices(rows):
                if filter.limit is not None and len(found) >= filter.limit:
                    return found
                text = (str(vertex.properties.get(key, "")) for key in ("name", "command")) if wanted else ()
                if wanted is None or any(wanted.search(part) for part in text):
                    found.append(vertex)
        return found

    def nth_activity(self, n: int) -> Vertex | None:
        """``%n``: the n-th newest command of this disk (1 is the newest); unseen changes do not count."""
        query = (
            f"{_ACTIVITY} WHERE t.whole IS NULL AND NOT t.unseen AND {_OWN_ACTIVITY} "
            f"ORDER BY {_ACTIVITIES_ORDER} LIMIT 1 OFFSET ?"
        )
        rows = self.db.execute(query, (n - 1,)).fetchall() if n > 0 else []
        return self._vertices(rows)[0] if rows else None

    def _agent_ids(self, name: str) -> list[int]:
        """Whoever has this name or address, with all whom they are the same as."""
        rows = self.db.execute("SELECT vertex, name, email FROM agent ORDER BY vertex").fetchall()
        wanted, one = name.casefold(), merged_agents(self.db)
        named = {
            one.get(id, id) for id, mine, email in rows if wanted in ((mine or "").casefold(), (email or "").casefold())
        }
        return [row[0] for row in rows if one.get(row[0], row[0]) in named]

    def agents_named(self, name: str) -> list[Vertex]:
        """Agents with this name or e-mail address; one that was merged into another one is that one."""
        one = merged_agents(self.db)
        ids = ",".join(map(str, sorted({one.get(id, id) for id in self._agent_ids(name)})))
        query = f"SELECT {_VERTEX} FROM vertex v WHERE id IN ({ids}) ORDER BY uid"
        return self._vertices(self.db.execute(query).fetchall())

    def commits(self, prefix: str) -> list[Vertex]:
        """The explicit versions of commits whose ids begin so, by uid. Cost: a look at each version."""
        query = (
            f"SELECT {_VERTEX} FROM version n JOIN vertex v ON v.id = n.vertex "
            "WHERE substr(json_extract(v.properties, '$.commit'), 1, ?) = ? ORDER BY v.uid"
        )
        return self._vertices(self.db.execute(query, (len(prefix), prefix)).fetchall())

    # -- walks

    def lineage_rows(
        self,
        uids: Sequence[str],
        *,
        downstream: bool = False,
        depth: int | None = None,
        revisions: bool = False,
        environment: bool = False,
    ) -> lineage.LineageRows:
        """As ``ancestors``, as rows of which nothing is parsed."""
        return lineage.lineage_rows(
            self.db, _starts(uids), downstream=downstream, depth=depth, revisions=revisions, environment=environment
        )

    def walk(
        self,
        uids: Sequence[str],
        *,
        downstream: bool = False,
        depth: int | None = None,
        revisions: bool = False,
        environment: bool = False,
    ) -> LineageWalk:
        """As ``ancestors``, of which only what is looked at is read. Cost: one recursive query that counts."""
        steps = lineage.steps_from(
            self.db, _starts(uids), downstream=downstream, revisions=revisions, environment=environment
        )
        names = self._relation_names()
        make_vertices = partial(self._vertices, marks=read_marks(self.db))
        return LineageWalk(self.db, steps, depth, make_vertices, lambda *row: self._edge(names, *row))

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

        ``depth`` counts activities. Cost: one recursive query, linear in the answer. Properties are parsed when asked.
        """
        with without_collector():
            rows = self.lineage_rows(
                uids, downstream=downstream, depth=depth, revisions=revisions, environment=environment
            )
            labels, relations = self._labels_for(rows.vertices), self._relation_names()
            texts = {row[0]: lineage.uid_text(row[1]) for row in rows.vertices}
            marks = read_marks(self.db)
            found = ((row[0], marks.of(row[0], row[4], labels[row[2]])) for row in rows.vertices) if marks else ()
            marked = {texts[id]: mark for id, mark in found if mark}
            return ProvGraph.from_rows(
                (
                    (texts[id], labels[number], self._lazy(text, labels[number]))
                    for id, _, number, text, _ in rows.vertices
                ),
                (
                    (relations[type], texts[source], texts[target], self._lazy(text, ()), "")
                    for type, source, target, _, text in rows.edges
                ),
                edge_uid=self.namespace.edge,
                marks=marked,
            )

    def whole(self) -> ProvGraph:
        """The whole graph, for what walks all of it: properties are read when somebody looks.

        The value outlives the store. Cost: from the cache in ``.provdb/cache``, 1 s for 10,000,000 edges and more, and
        1 µs for each row that changed; without it 0.5 µs an edge.
        """
        if self._cache is None:
            from provgraph.stores.graph_cache import GraphCache  # numpy, which few questions need

            properties = partial(properties_of, held=self.held)
            self._cache = GraphCache(self.db, self._has_event, self.namespace, properties)
        return self._cache.whole()

    def region(self) -> WholeRegion:
        """The whole graph."""
        return WholeRegion(self.whole())

    def _has_event(self, seq: int, uid: str | None) -> bool:
        """Whether an event is one of this journal's; of a store that was closed meanwhile, none is."""
        try:
            return self.journal.uid_at(seq) == uid
        except StoreError:
            return False

    def _lazy(self, text: str, labels: tuple[str, ...]) -> str | lineage.LazyProperties:
        """JSON text as it is where ``json.loads`` is all that it takes."""
        if '"$' not in text and '"restorable":' not in text:
            return text
        return lineage.LazyProperties(lambda: self._properties(text, labels))

    # -- what there is

    def labels(self) -> dict[str, int]:
        """Every label in use, with its number of vertices."""
        counts: dict[str, int] = {}
        query = "SELECT labels, count(*) FROM vertex WHERE labels IS NOT NULL GROUP BY labels ORDER BY labels"
        for labelset, count in self.db.execute(query):
            for label in self._labels(labelset):
                counts[label] = counts.get(label, 0) + count
        return dict(sorted(counts.items()))

    def property_keys(self) -> dict[str, set[str]]:
        """Every property key in use, with the labels (or relations) that it stands on."""
        keys: dict[str, set[str]] = {}
        for key, owner in self.db.execute("SELECT key, owner FROM property_key ORDER BY key, owner"):
            keys.setdefault(key, set()).add(owner)
        return keys

    def relations(self) -> dict[str, int]:
        """Every relation in use, with its number of edges."""
        query = "SELECT r.name, count(*) FROM edge e JOIN relation r ON r.id = e.type GROUP BY r.name ORDER BY r.name"
        return dict(self.db.execute(query))
