"""The side tables of ``graph.db``: what references, listings and ingestion ask for, taken out of vertices and edges."""

import hashlib
import sqlite3
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from provgraph.model import members as member_chunks
from provgraph.model.vocabulary import UNNUMBERED
from provgraph.stores.encoding import column
from provgraph.stores.graph_tables import RELATION_IDS

if TYPE_CHECKING:
    from provgraph.stores.projection import Projection, VertexState

EdgeRow = tuple[int, int, int, str, str, int]

_SPECIALIZATION: Final = RELATION_IDS["specializationOf"]
_GENERATION: Final = RELATION_IDS["wasGeneratedBy"]
_INVALIDATION: Final = RELATION_IDS["wasInvalidatedBy"]

_SNAPSHOT: Final = (
    "INSERT INTO snapshot (vertex, path, sequence, sha256, size, mode, content, created_at, origin, seq) "
    "VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (vertex) DO UPDATE SET path = excluded.path, "
    "sequence = excluded.sequence, sha256 = excluded.sha256, size = excluded.size, mode = excluded.mode, "
    "content = excluded.content, created_at = excluded.created_at"
)
_ACTIVITY: Final = (
    "INSERT INTO activity VALUES (?,?,?,?,?,?) ON CONFLICT (vertex) DO UPDATE SET number = excluded.number, "
    "started_at = excluded.started_at, whole = excluded.whole, unseen = excluded.unseen"
)
_ARTIFACT: Final = (
    "INSERT INTO artifact (vertex, path) VALUES (?, ?) ON CONFLICT (vertex) DO UPDATE SET path = excluded.path"
)
_AGENT: Final = (
    "INSERT INTO agent VALUES (?, ?, ?, ?) ON CONFLICT (vertex) DO UPDATE SET name = excluded.name, "
    "email = excluded.email, same_as = excluded.same_as"
)
_VERSION: Final = (
    "INSERT INTO version VALUES (?, ?, ?) ON CONFLICT (vertex) DO UPDATE SET own = coalesce(own, excluded.own)"
)
_IS_OWN: Final = "(SELECT own FROM origin WHERE id = snapshot.origin)"


class Homes:
    """Whose the journal's events are, by their numbers in it: each stretch of one origin's is a row of ``span``."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.since = 0
        self._own: dict[int, bool] = {}
        row = db.execute("SELECT origin FROM span ORDER BY first DESC LIMIT 1").fetchone()
        self._last: int | None = None if row is None else row[0]

    def note(self, seq: int, origin: int, own: bool) -> None:
        """The next event is of this origin."""
        if not self._own:
            self.since = seq
        self._own[seq] = own
        if origin != self._last:
            self._db.execute("INSERT INTO span VALUES (?, ?)", (seq, origin))
            self._last = origin

    def own(self, seq: int) -> bool:
        """Whether an event is of this disk."""
        found = self._own.get(seq)
        if found is None:
            query = (
                "SELECT o.own FROM span s JOIN origin o ON o.id = s.origin WHERE s.first <= ? "
                "ORDER BY s.first DESC LIMIT 1"
            )
            found = self._own[seq] = bool(self._db.execute(query, (seq,)).fetchone()[0])
        return found


def member_key(path: str) -> int:
    """The key of a member in the index: 8 bytes of BLAKE2b over its path (from the project's root), signed."""
    digest = hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def write(projection: "Projection", states: "Collection[VertexState]", edges: Sequence[EdgeRow], homes: Homes) -> None:
    """Bring the side tables up to date with the vertices that a chunk touched and the edges that it brought."""
    rows: dict[str, list[tuple[Any, ...]]] = {_ARTIFACT: [], _SNAPSHOT: [], _ACTIVITY: [], _AGENT: []}
    versions = []
    for state in states:
        if not state.dirty or state.labels is None:
            continue
        labels = projection.labels_of(state.labels)
        if "Snapshot" in labels:
            rows[_SNAPSHOT].append(_snapshot(state))
        elif "Artifact" in labels:
            rows[_ARTIFACT].append((state.id, column(str(state.properties.get("path", "")))))
        elif "Activity" in labels:
            rows[_ACTIVITY].append(_activity(state, labels))
        elif "Agent" in labels:
            rows[_AGENT].append((state.id, _text(state, "name"), _text(state, "email"), _uid(state, "same_as")))
        elif "Version" in labels:
            explicit = state.properties.get("kind") == "explicit"  # commits have a chain of their own
            versions.append((state.id, state.origin, None if explicit else state.own))
    for statement, values in rows.items():
        projection.db.executemany(statement, values)
    projection.db.executemany(_VERSION, versions)
    # Edges that came before the row that they speak of: once more.
    columns = "type, source, target, role, '', born"
    earlier = f"SELECT {columns} FROM edge WHERE (source = ? OR target = ?) AND born < ? ORDER BY id"
    late = [
        row
        for state in states
        if state.relabelled
        for row in projection.db.execute(earlier, (state.id, state.id, homes.since))
    ]
    _write_edges(projection.db, [*late, *edges], homes)


def _write_edges(db: sqlite3.Connection, edges: Sequence[EdgeRow], homes: Homes) -> None:
    artifacts = [(edge[2], edge[1]) for edge in edges if edge[0] == _SPECIALIZATION]
    # The first edge counts, in whatever steps they came.
    db.executemany("UPDATE snapshot SET artifact = ? WHERE vertex = ? AND artifact IS NULL", artifacts)
    db.executemany(
        "UPDATE artifact SET newest = max(coalesce(newest, 0), ?) WHERE vertex = ? "
        f"AND EXISTS (SELECT 1 FROM snapshot WHERE vertex = ? AND {_IS_OWN})",
        [(snapshot, artifact, snapshot) for artifact, snapshot in artifacts],
    )
    db.executemany(
        f"UPDATE snapshot SET generator = ? WHERE vertex = ? AND generator IS NULL AND (? OR NOT {_IS_OWN})",
        [(edge[2], edge[1], homes.own(edge[5])) for edge in edges if edge[0] == _GENERATION],
    )
    db.executemany(
        "UPDATE snapshot SET invalidated = invalidated | ? WHERE vertex = ?",
        [(1 if homes.own(edge[5]) else 2, edge[1]) for edge in edges if edge[0] == _INVALIDATION],
    )


def _text(state: "VertexState", key: str) -> str | None:
    value = state.properties.get(key)
    return column(value) if isinstance(value, str) else None


def _uid(state: "VertexState", key: str) -> bytes | None:
    text = state.properties.get(key)
    try:
        return bytes.fromhex(text.replace("-", "")) if isinstance(text, str) else None
    except ValueError:
        return None


def _integer(state: "VertexState", key: str) -> int | None:
    value = state.properties.get(key)
    return value if isinstance(value, int) and -(1 << 63) <= value < 1 << 63 else None


def _snapshot(state: "VertexState") -> tuple[Any, ...]:
    sha256 = _text(state, "sha256")
    try:
        digest = bytes.fromhex(sha256) if sha256 else None
    except ValueError:
        digest = None
    return (
        state.id,
        _text(state, "path") or "",
        _integer(state, "sequence") or 0,
        digest,
        _integer(state, "size_bytes"),
        _integer(state, "mode"),
        _text(state, "content"),
        _text(state, "created_at") or "",
        state.origin,
        state.born,
    )


def _activity(state: "VertexState", labels: tuple[str, ...]) -> tuple[Any, ...]:
    return (
        state.id,
        _integer(state, "number"),
        _text(state, "started_at") or "",
        _uid(state, "whole"),
        not UNNUMBERED.isdisjoint(labels),
        0 if "Commit" in labels else state.origin,  # one in all clones
    )


def write_spools(db: sqlite3.Connection, rows: Sequence[tuple[str, bool, int | None, dict[str, Any]]]) -> None:
    """Note how far each spool file was journaled: (spool, whether it begins a part, its vertex, the event's facts)."""
    for name, begins, vertex, facts in rows:
        if begins:
            db.execute(
                "INSERT INTO spool VALUES (?, ?, ?, 0, 0) ON CONFLICT (name) DO UPDATE SET newest = excluded.newest",
                (column(name), vertex, vertex),
            )
        t = facts.get("t")
        db.execute(
            "UPDATE spool SET closed = max(closed, ?), t = max(t, ?) WHERE name = ?",
            (facts.get("closed") is True, t if isinstance(t, int) else 0, column(name)),
        )


def write_members(db: sqlite3.Connection, state: "VertexState", chunk: str, seq: int, place: int) -> None:
    """Index the members of a collection. Equal lists of paths, as runs over one data set have, are kept once.

    Digests stay in the journal's chunk. Cost: 2 µs a member, 16 bytes on the disk.
    """
    folder = str(state.properties.get("path", ""))
    prefix = "" if folder in ("", ".") else folder.rstrip("/") + "/"
    keys = sorted(member_key(prefix + row[0]) for row in member_chunks.decode(chunk))
    digest = hashlib.sha256(b"".join(key.to_bytes(8, "little", signed=True) for key in keys)).digest()
    found = db.execute("SELECT id FROM member_list WHERE digest = ?", (digest,)).fetchone()
    if found is None:
        found = (db.execute("INSERT INTO member_list (digest) VALUES (?)", (digest,)).lastrowid,)
        db.executemany("INSERT OR IGNORE INTO member VALUES (?, ?)", ((key, found[0]) for key in keys))
    db.execute("INSERT OR REPLACE INTO collection VALUES (?, ?, ?, ?)", (state.id, found[0], seq, place))
