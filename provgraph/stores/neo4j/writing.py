"""Writes one batch of events into a project's share of the database, within one transaction.

The project is locked, so nobody else changes its vertices meanwhile: what is there already is read, what it comes to
is decided here (`folding`), and only the difference is written. What is new, nearly everything, is created without
being looked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import RemoteError
from provgraph.model.vocabulary import kind_of
from provgraph.stores.cypher.values import show
from provgraph.stores.cypher_properties import from_server, server_changes, to_server
from provgraph.stores.encoding import dumps, loads
from provgraph.stores.neo4j import lines, series, statements
from provgraph.stores.neo4j.edge_writing import EdgeWriter
from provgraph.stores.neo4j.folding import EdgeKey, EdgeWrite, Folded, Known, Settled, Write, settle
from provgraph.stores.neo4j.statements import KINDS
from provgraph.stores.projection import FIXED

if TYPE_CHECKING:
    import neo4j

    from provgraph.model.identity import Namespace

_PAGE: Final = 5_000
"""Rows a statement: the server plans and locks no more at once."""
_OWN: Final = ("uid", "project", "origin")


class Writer:
    """Writes a batch. Used once.

    Parameters:
        transaction: in which the project is locked.
        namespace: the project's uids.
        folded: what the batch comes to.
        awaited: how many vertices are there of which only an edge or an annotation has come.
        doubtful: whether vertices may be there that only this batch should bring.
    """

    def __init__(
        self,
        transaction: "neo4j.Transaction",
        namespace: "Namespace",
        folded: Folded,
        awaited: int,
        *,
        doubtful: bool = False,
    ) -> None:
        self._transaction, self._namespace, self._folded = transaction, namespace, folded
        self.awaited, self._doubtful = awaited, doubtful
        self._known: dict[str, Known] = {}
        self._settled: dict[str, Settled] = {}
        self._new: dict[str, str] = {}
        """Kinds of the vertices that this batch makes."""
        self._stamps: dict[str, Mapping[str, str]] = {}

    def write(self) -> None:
        """Write vertices, edges, stamps, members and series."""
        self._look_up()
        self._settle()
        self._create_vertices()
        self._change_vertices()
        EdgeWriter(self).write()
        self._put(statements.PUT_STAMPS, [[uid, dumps(dict(kept))] for uid, kept in sorted(self._stamps.items())])
        self._put_members()
        for page in series.pages(self._folded.series):
            self._run(series.PUT, rows=page)

    # -- what is there

    def _look_up(self) -> None:
        """Read every vertex that the batch writes to and that may be there already."""
        here = self._folded.vertices
        wanted: dict[str, list[str]] = defaultdict(list)
        for uid, writes in here.items():
            labels = writes[0].labels
            if self.awaited or self._doubtful or labels is None:
                wanted[""].append(uid)
            elif not writes[0].numbered:
                wanted[kind_of(labels).value].append(uid)
        wanted[""] += {uid for uid in self._folded.members if uid not in here}
        wanted[""] += {key[1] for key in self._folded.edges if key[1] not in here}
        for kind, uids in wanted.items():
            self.find(uids, (kind,) if kind else KINDS)

    def find(self, uids: Iterable[str], kinds: Iterable[str] = KINDS) -> None:
        """Read vertices into ``known``.

        Raises:
            RemoteError: one that is another project's.
        """
        wanted = sorted(set(uids) - self._known.keys())
        for kind in kinds:
            for uid, labels, properties in self.ask(statements.look_up(kind), uids=wanted):
                project = properties.get("project")
                if project not in (None, self._namespace.project):
                    raise RemoteError(f"the vertex {uid} is another project's ({project})", passing=False)
                held = {key: value for key, value in properties.items() if key not in _OWN}
                shown = tuple(map(show, labels)) if project else ()
                self._known[uid] = Known(kind, shown, str(properties.get("origin", "")), from_server(held))

    def ask(self, statement: str, *, uids: Sequence[Any]) -> "Iterator[neo4j.Record]":
        """The answer to a question about some uids (or rows of them)."""
        name = "rows" if uids and isinstance(uids[0], list) else "uids"
        for start in range(0, len(uids), _PAGE):
            values = {name: uids[start : start + _PAGE], "project": self._namespace.project}
            yield from self._transaction.run(statement, values)

    def stamps_of(self, uids: Sequence[str]) -> dict[str, dict[str, str]]:
        """The stamps of vertices or edges that have some."""
        return {uid: loads(text) for uid, text in self.ask(statements.STAMPS, uids=sorted(uids))}

    # -- vertices

    def _settle(self) -> None:
        vertices, origin = self._folded.vertices, self._folded.origin
        there = [uid for uid, known in self._known.items() if _contestable(vertices.get(uid, ()), known)]
        stamps = self.stamps_of(there)
        for uid, writes in vertices.items():
            known = self._known.get(uid)
            if known is None and len(writes) == 1 and writes[0].numbered:
                write = writes[0]  # nearly all of them
                self._settled[uid] = Settled(tuple(write.labels or ()), origin, write.properties, {})
                continue
            before = stamps.get(uid, {})
            settled = self._settled[uid] = settle(writes, origin, known, before)
            self.keep_stamps(uid, before, settled.stamps)

    def keep_stamps(self, uid: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Note stamps that must be written."""
        if before != after:
            self._stamps[uid] = after

    def _create_vertices(self) -> None:
        groups: dict[tuple[tuple[str, ...], bool], tuple[list[str], list[Mapping[str, Any]]]] = {}
        early: list[list[Any]] = []
        for uid, settled in self._settled.items():
            if uid in self._known:
                continue
            if not settled.labels:  # annotated before it has come
                self._new[uid] = KINDS[0]
                early.append([uid, to_server(settled.properties)])
                continue
            group = groups.setdefault((settled.labels, bool(settled.home)), ([], []))
            group[0].append(uid)
            group[1].append(settled.properties)
        for (labels, numbered), (uids, held) in groups.items():
            self._new |= dict.fromkeys(uids, kind_of(labels).value)
            self._create(labels, numbered, uids, held)
        self.await_vertices(KINDS[0], early)

    def _create(self, labels: tuple[str, ...], numbered: bool, uids: list[str], held: list[Mapping[str, Any]]) -> None:
        """Create vertices with the same labels: those of one shape as lines, the others as rows."""
        others: list[int] = []
        for keys, places in lines.by_keys(held, vertex=True):
            found = None if keys is None else lines.fields(keys, [held[place] for place in places])
            if found is None or not lines.separable([uids[place] for place in places]):
                others += places
                continue
            statement = lines.create_vertices(labels, found[0], numbered=numbered)
            for text in lines.parameters(lines.vertex_lines([uids[place] for place in places], found[1])):
                self._run(statement, text=text)
        columns = statements.columns_of(labels)
        rows = [[uids[place], *statements.cells(held[place], columns, vertex=True)] for place in others]
        rest = statements.fill(rows)
        self._put(statements.create_vertices(labels, numbered=numbered, rest=rest), sorted(rows, key=_uid))

    def await_vertices(self, kind: str, rows: list[list[Any]]) -> None:
        """Make vertices that no event has brought yet."""
        self._put(statements.create_placeholders(kind), sorted(rows, key=_uid))
        self.awaited += len(rows)

    def _change_vertices(self) -> None:
        groups: dict[tuple[str, str, tuple[str, ...]], list[list[Any]]] = defaultdict(list)
        for uid, known in self._known.items():
            settled = self._settled.get(uid)
            if settled is None:
                continue
            changes = server_changes(known.properties, settled.properties)
            kind = known.kind
            if settled.labels and not known.labels:  # it has come
                kind = kind_of(settled.labels).value
                self._known[uid] = known._replace(kind=kind)
                self.awaited = max(0, self.awaited - 1)
                changes["project"] = self._namespace.project
                if settled.home:
                    changes["origin"] = settled.home
            added = tuple(sorted(set(settled.labels) - set(known.labels)))
            if changes or added:
                groups[known.kind, kind, added].append([uid, changes])
        for (kind, new_kind, added), rows in groups.items():
            self._put(statements.change_vertices(kind, new_kind, added), sorted(rows, key=_uid))

    def _put_members(self) -> None:
        rows = []
        for uid, chunk in sorted(self._folded.members.items()):
            settled, known = self._settled.get(uid), self._known.get(uid)
            properties = settled.properties if settled else known.properties if known else {}
            rows.append([uid, statements.members_path(str(properties.get("path", ""))), chunk])
        for row in rows:  # each may be many megabytes
            self._put(statements.PUT_MEMBERS, [row])

    # -- what edges ask

    @property
    def edges(self) -> Mapping[EdgeKey, Sequence[EdgeWrite]]:
        """The batch's edges."""
        return self._folded.edges

    def kind(self, uid: str) -> str | None:
        """The kind of a vertex that was read or made."""
        known = self._known.get(uid)
        return known.kind if known else self._new.get(uid)

    def is_new(self, uid: str) -> bool:
        """Whether this batch made it."""
        return uid in self._new

    def is_contested(self, uid: str) -> bool:
        """Whether others than the batch's origin may give a vertex edges: it did not record the vertex itself."""
        settled, known = self._settled.get(uid), self._known.get(uid)
        home = settled.home if settled else known.home if known else ""
        return home != self._folded.origin

    def edge_uid(self, key: EdgeKey) -> str:
        """The uid of an edge."""
        return self._namespace.edge(*key)

    def create(self, statement: str, rows: Sequence[Any]) -> int:
        """Make edges of rows; returns how many."""
        made = 0
        for start in range(0, len(rows), _PAGE):
            made += self._run(statement, rows=rows[start : start + _PAGE])
        return made

    def create_lines(self, statement: str, found: Sequence[str]) -> int:
        """Make edges of lines; returns how many."""
        return sum(self._run(statement, text=text) for text in lines.parameters(found))

    def made_known(self, uid: str, kind: str) -> None:
        """Note a vertex that was made for an edge."""
        self._known[uid] = Known(kind, (), "", {})

    def put(self, statement: str, rows: Sequence[Any]) -> None:
        """Run a statement that returns nothing."""
        self._put(statement, rows)

    def _put(self, statement: str, rows: Sequence[Any]) -> None:
        for start in range(0, len(rows), _PAGE):
            self._run(statement, rows=rows[start : start + _PAGE])

    def _run(self, statement: str, **parameters: Any) -> int:
        """Run a statement; returns how many edges it made."""
        constants = {"project": self._namespace.project, "origin": self._folded.origin}
        summary = self._transaction.run(statement, constants | parameters).consume()
        return int(summary.counters.relationships_created)


def _contestable(writes: Sequence[Write], known: Known) -> bool:
    """Whether stamps may decide about some writes."""
    fixed = "Artifact" in known.labels and all(
        FIXED.issuperset(write.properties) and write.labels is not None for write in writes
    )
    same = all(known.properties.get(key) == value for write in writes for key, value in write.properties.items())
    return bool(writes) and not (fixed and same)


def _uid(row: Sequence[Any]) -> str:
    return str(row[0])
