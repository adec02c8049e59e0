"""What the Cypher engine is fed with: numbered vertices and edges, read from the projection in one transaction."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from provgraph.errors import StoreError
from provgraph.graph.elements import Edge, Vertex
from provgraph.model.identity import Namespace
from provgraph.stores.connection import connect
from provgraph.stores.encoding import column, loads
from provgraph.stores.files import OBJECTS

_IN: Final = 500
_DIGEST: Final = 64
"""Characters of a SHA-256."""

VertexRow = tuple[int, bytes, int, str, int]
"""(number, uid, number of the set of labels, properties as JSON text or '{}' where none was asked for, number of the
origin that recorded it or 0)."""
EdgeRow = tuple[int, int, int, int, str]
"""(number, number of the relation, of the source, of the target, properties as above)."""


class Stamp(NamedTuple):
    """Which state of the projection a reader sees: ``build`` changes with the file, ``seq`` and ``event`` with time."""

    build: str
    seq: int
    event: str


def uid_text(uid: bytes) -> str:
    """16 bytes as the text of a uid."""
    h = uid.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


class Feed:
    """The projection, for reading. Between ``begin`` and ``end`` everything belongs to one state.

    A vertex that an edge names but no event has brought yet is left out, and its edges with it.

    Parameters:
        path: ``graph.db``.
        project: the project's uid, for the uids of edges.
    """

    def __init__(self, path: Path, project: str) -> None:
        self._path, self._namespace = path, Namespace(project)
        self._objects = path.parent / OBJECTS
        self._db: sqlite3.Connection | None = None
        self._build = ""

    @property
    def project(self) -> str:
        """The project's uid."""
        return self._namespace.project

    @property
    def _connection(self) -> sqlite3.Connection:
        assert self._db is not None, "begin() comes first"
        return self._db

    def begin(self) -> Stamp:
        """Begin to read one state.

        Raises:
            StoreError, CorruptError: the projection cannot be read.
        """
        try:
            stat = os.stat(self._path)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read: {error.strerror}; type `provdb doctor`") from error
        build = f"{stat.st_dev}:{stat.st_ino}"
        if self._db is None or build != self._build:
            self.close()
            self._db, self._build = connect(self._path, write=False), build
        self._db.execute("BEGIN")
        # A purge changes rows that no later event names.
        purges = self._db.execute("SELECT events FROM event_kind WHERE kind = 'content.purged'").fetchone()
        build = f"{build}:{0 if purges is None else purges[0]}"
        rows = dict(self._db.execute("SELECT key, value FROM meta WHERE key IN ('seq', 'event')"))
        return Stamp(build, int(rows.get("seq", "0")), rows.get("event", ""))

    def end(self) -> None:
        """Let go of it."""
        if self._db is not None and self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Close the database."""
        if self._db is not None:
            self._db.close()
        self._db = None

    def labels(self) -> dict[int, tuple[str, ...]]:
        """Every set of labels, by number."""
        return {number: tuple(loads(text)) for number, text in self._select("SELECT id, labels FROM labelset")}

    def relations(self) -> dict[int, str]:
        """Every relation, by number."""
        return dict(self._select("SELECT id, name FROM relation"))

    def origins(self) -> dict[int, str]:
        """Every origin's uid, by number."""
        return dict(self._select("SELECT id, uid FROM origin"))

    def owners(self, keys: frozenset[str]) -> dict[str, set[str]]:
        """The labels and relations on which each of ``keys`` stands; keys that stand nowhere are left out."""
        names = {column(key): key for key in keys}
        found: dict[str, set[str]] = {}
        for part in _parts(names):
            query = f"SELECT key, owner FROM property_key WHERE key IN ({_marks(part)})"
            for key, owner in self._select(query, part):
                found.setdefault(names[key], set()).add(owner)
        return found

    def vertices(self, after: int = -1, *, properties: bool = True) -> Iterator[VertexRow]:
        """Vertices that an event after ``after`` brought or touched, by number."""
        text = "properties" if properties else "'{}'"
        where = "AND seq > ?" if after >= 0 else ""
        query = f"SELECT id, uid, labels, {text}, origin FROM vertex WHERE labels IS NOT NULL {where} ORDER BY id"
        return self._select(query, (after,) if where else ())

    def edges(self, after: int = -1, *, properties: bool = True) -> Iterator[EdgeRow]:
        """Edges that an event after ``after`` brought or touched, by number."""
        text = "properties" if properties else "'{}'"
        where = "WHERE seq > ?" if after >= 0 else ""
        query = f"SELECT id, type, source, target, {text} FROM edge {where} ORDER BY id"
        return self._select(query, (after,) if where else ())

    def vertices_numbered(self, numbers: Iterable[int]) -> dict[int, Vertex]:
        """Whole vertices by number."""
        labels, found = self.labels(), {}
        for part in _parts(numbers):
            query = f"SELECT id, uid, labels, properties FROM vertex WHERE id IN ({_marks(part)})"
            for number, uid, labelset, text in self._select(query, part):
                properties = loads(text)
                if "restorable" in properties:
                    properties["restorable"] = self.restorable(properties)
                found[number] = Vertex(uid_text(uid), labels[labelset], properties)
        return found

    def restorable(self, properties: Mapping[str, Any]) -> Any:
        """Whether this store has the bytes, which changes without an event (rule 24)."""
        digest = properties.get("sha256")
        if isinstance(digest, str) and len(digest) == _DIGEST:
            return os.path.exists(f"{self._objects}/{digest[:2]}/{digest[2:]}")
        return properties["restorable"]

    def edges_numbered(self, numbers: Iterable[int]) -> dict[int, Edge]:
        """Whole edges by number."""
        relations, found = self.relations(), {}
        for part in _parts(numbers):
            query = (
                "SELECT e.id, e.type, s.uid, t.uid, e.role, e.properties FROM edge e JOIN vertex s ON s.id = e.source "
                f"JOIN vertex t ON t.id = e.target WHERE e.id IN ({_marks(part)})"
            )
            for number, type, source, target, role, text in self._select(query, part):
                ends = uid_text(source), uid_text(target)
                uid = self._namespace.edge(relations[type], *ends, role)
                found[number] = Edge(relations[type], *ends, loads(text), uid)
        return found

    def _select(self, query: str, values: Iterable[object] = ()) -> Iterator[tuple]:  # type: ignore[type-arg]
        return self._connection.execute(query, tuple(values))


def _marks(values: list[object]) -> str:
    return ",".join("?" * len(values))


def _parts(values: Iterable[object]) -> Iterator[list[object]]:
    ordered = list(values)
    for start in range(0, len(ordered), _IN):
        yield ordered[start : start + _IN]
