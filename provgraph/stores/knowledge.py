"""What ingestion asks: the newest states by the projection, identities on this disk by the local tables.

Of what was recorded, only what this disk recorded counts: what is on a colleague's disk is no state of a file here.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from provgraph.errors import CorruptError
from provgraph.events.ports import Baseline, Known, Resumed, Stat
from provgraph.events.series import Standing
from provgraph.model import members as member_chunks
from provgraph.stores.encoding import column
from provgraph.stores.journal import Journal
from provgraph.stores.lineage import uid_text
from provgraph.stores.local import Local
from provgraph.stores.reader import uid_bytes
from provgraph.stores.series import Standings
from provgraph.stores.side_tables import member_key

_OF: Final = (
    "SELECT v.uid, a.path, b.uid, s.sequence, s.sha256, s.size, s.mode, s.invalidated & 1, g.uid, s.content, "
    "s.created_at FROM artifact a JOIN snapshot s ON {} JOIN vertex v ON v.id = s.vertex "
    "JOIN vertex b ON b.id = a.vertex LEFT JOIN vertex g ON g.id = s.generator "
)
_KNOWN: Final = _OF.format("s.vertex = a.newest")
_SNAPSHOT: Final = _OF.format("s.artifact = a.vertex")
_UID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Knowledge:
    """The knowledge port (`events.ports.KnowledgePort`) on the embedded store.

    Parameters:
        db: the projection.
        local: the local tables.
        journal: where the members of collections lie.
        root: the project's folder.
        catch_up: brings the projection up to date.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        local: Local,
        journal: Journal,
        root: str,
        catch_up: Callable[[], object] = lambda: None,
    ) -> None:
        self.db, self.local, self.journal, self.root = db, local, journal, root
        self._digests: tuple[tuple[int, int], list[str | None]] | None = None
        self._references: dict[bytes, bytes] = {}
        self._decoded: tuple[tuple[int, int], dict[str, str | None]] | None = None
        self._standings = Standings(db, catch_up)

    def known(self, path: str) -> Known | None:
        """The newest snapshot of the artifact at ``path``. Cost: 20 µs."""
        # By path: what lies outside has one artifact for each machine that saw it.
        where = "WHERE a.path = ? ORDER BY s.vertex DESC LIMIT 1"
        row = self.db.execute(_KNOWN + where, (column(path),)).fetchone()
        if row is None:
            return None
        return self._known(row, self.local.presence(row[0]))

    def known_below(self, folder: str) -> list[Known]:
        """The newest, not invalidated snapshots of all artifacts below ``folder`` ('' is the whole project), by path.

        Cost: 8 µs each.
        """
        where, values = "WHERE (a.path < '/' OR a.path >= '0')", tuple[str, ...]()
        if not self._is_root(folder):
            prefix = column(folder).rstrip("/")
            where, values = "WHERE a.path > ? AND a.path < ?", (f"{prefix}/", f"{prefix}0")
        rows = self.db.execute(f"{_KNOWN} {where} AND NOT s.invalidated & 1 ORDER BY a.path", values).fetchall()
        found = self.local.presences() if len(rows) > 50 else {}
        return [self._known(row, found.get(row[0]) if found else self.local.presence(row[0])) for row in rows]

    def deleted(self) -> list[str]:
        """The paths in the project whose newest snapshot is invalidated. Cost: 1 µs each."""
        query = (
            "SELECT a.path FROM artifact a JOIN snapshot s ON s.vertex = a.newest "
            "WHERE (a.path < '/' OR a.path >= '0') AND s.invalidated & 1 ORDER BY a.path"
        )
        return [path for (path,) in self.db.execute(query)]

    def _is_root(self, folder: str) -> bool:
        return folder in ("", ".", self.root)

    def _known(self, row: tuple[Any, ...], presence: tuple[Stat, str] | None) -> Known:
        uid, path, artifact, sequence, sha256, size, mode, invalidated, generator, content, created_at = row
        stat, seen_at = presence or (None, created_at)
        return Known(
            uid=uid_text(uid),
            artifact=uid_text(artifact),
            path=path,
            sequence=sequence,
            sha256=sha256.hex() if sha256 else None,
            size=size,
            mode=mode,
            stat=stat,
            invalidated=bool(invalidated),
            generator=uid_text(generator) if generator else None,
            content=content,
            seen_at=seen_at,
        )

    def unhashed(self) -> list[Known]:
        """The newest snapshots whose content waits to be hashed, by path."""
        where = "WHERE s.content = 'unhashed' AND NOT s.invalidated & 1 ORDER BY a.path"
        return [self._known(row, self.local.presence(row[0])) for row in self.db.execute(_KNOWN + where).fetchall()]

    def baseline(self, path: str) -> Baseline | None:
        """What a walk saw of a file that has no snapshot."""
        found = self.local.baseline(path)
        return None if found is None else Baseline(*found)

    def baseline_below(self, folder: str) -> Iterator[tuple[str, Baseline]]:
        """The same for all below a folder, by path. Cost: 4 µs each."""
        for path, stat, seen_at in self.local.baseline_below("" if self._is_root(folder) else folder):
            yield path, Baseline(stat, seen_at)

    def restat(self, rows: Iterable[tuple[str, Stat]], at: str) -> None:
        """Note under which identity snapshots' present contents are found on disk (local, not history).

        Rows are (uid of a snapshot, stat), or (path, stat) for the newest snapshot of the artifact there. Call it
        after the batch that brings the snapshots.
        """
        found = []
        for name, stat in rows:
            raw = uid_bytes(name) if _UID.fullmatch(name) else None
            if raw is None:
                raw = self._newest(name)
            if raw is not None:
                found.append((raw, stat))
        self.local.present(found, at)

    def _newest(self, path: str) -> bytes | None:
        query = (
            "SELECT v.uid FROM artifact a JOIN vertex v ON v.id = a.newest WHERE a.path = ? "
            "ORDER BY a.newest DESC LIMIT 1"
        )
        row = self.db.execute(query, (column(path),)).fetchone()
        return None if row is None else row[0]

    def digest_of(self, stat: Stat) -> str | None:
        """The SHA-256 read earlier from a file with this identity."""
        entry = self.local.digest_entry(stat)
        if entry is None or len(entry) == 32:
            return None if entry is None else entry.hex()
        seq, place, number = int.from_bytes(entry[:4]), entry[4], int.from_bytes(entry[5:])
        if self._digests is None or self._digests[0] != (seq, place):
            try:
                chunk = self.journal.event(seq).body["facts"]["members"][place]["chunk"]
                self._digests = (seq, place), [row[1] for row in member_chunks.decode(chunk)]
            except (CorruptError, LookupError, ValueError):
                return None  # a journal that is another one: the file is read again
        digests = self._digests[1]
        return digests[number] if number < len(digests) else None

    def remember_digests(self, rows: Iterable[tuple[Stat, str]]) -> None:
        """Keep digests for ``digest_of``."""
        entries = ((stat, bytes.fromhex(sha256)) for stat, sha256 in rows)
        self.local.remember((stat, self._references.get(sha256, sha256)) for stat, sha256 in entries)

    def journaled(self, seq: int, place: int, chunk: str) -> None:
        """A large collection is in the journal: its digests need not be kept a second time. Cost: 3 µs a member."""
        if seq >= 1 << 32 or place > 255:
            return
        head = seq.to_bytes(4) + place.to_bytes(1)
        members = enumerate(member_chunks.decode(chunk))
        self._references = {bytes.fromhex(row[1]): head + n.to_bytes(3) for n, row in members if row[1] and n < 1 << 24}
        self.local.refer(self._references)

    def walked_at(self) -> str | None:
        """When a walk last looked at the whole project, ISO 8601 UTC; None where none did."""
        return self.local.walked_at()

    def member_generator(self, path: str, sha256: str | None, after: str = "") -> str | None:
        """uid of the activity that generated the newest collection in which ``path`` has this content.

        ``after``: uid of a snapshot; of the collections, only those that came after it.
        One that a command generated comes before one that was only gathered from others.
        Cost: one look-up where no collection holds the path; else one chunk, which is kept for the next question.
        """
        query = (
            "SELECT g.uid, c.seq, c.place, s.path FROM member m JOIN collection c ON c.list = m.list "
            "JOIN snapshot s ON s.vertex = c.vertex JOIN vertex g ON g.id = s.generator "
            "JOIN labelset l ON l.id = g.labels JOIN origin o ON o.id = s.origin AND o.own "
            "WHERE m.key = ? AND s.vertex > ? "
            "ORDER BY l.labels LIKE '%\"Gathering\"%', s.vertex DESC"
        )
        shown = column(path)
        row = self.db.execute("SELECT id FROM vertex WHERE uid = ?", (uid_bytes(after),)).fetchone() if after else None
        earliest = 0 if row is None else row[0]
        for generator, seq, place, folder in self.db.execute(query, (member_key(shown), earliest)).fetchall():
            members = self._members(seq, place, folder)
            if shown in members and members[shown] == sha256:
                return uid_text(generator)
        return None

    def _members(self, seq: int, place: int, folder: str) -> dict[str, str | None]:
        if self._decoded is None or self._decoded[0] != (seq, place):
            chunk = self.journal.event(seq).body["facts"]["members"][place]["chunk"]
            prefix = "" if folder in ("", ".") else folder.rstrip("/") + "/"
            self._decoded = (seq, place), {prefix + column(row[0]): row[1] for row in member_chunks.decode(chunk)}
        return self._decoded[1]

    def members(self, uid: str) -> Iterator[tuple[str, str | None]]:
        """(path as ``Known.path``, SHA-256) of a Collection snapshot's members, by path."""
        query = (
            "SELECT c.seq, c.place, s.path FROM collection c JOIN vertex v ON v.id = c.vertex "
            "JOIN snapshot s ON s.vertex = c.vertex WHERE v.uid = ?"
        )
        row = self.db.execute(query, (uid_bytes(uid),)).fetchone()
        if row is not None:
            yield from self._members(*row).items()

    def collections_near(self, folder: str) -> list[Known]:
        """The newest Collection snapshot of each folder at, below or above ``folder``, by path."""
        query = (
            "SELECT v.uid, s.path, b.uid, s.sequence, s.sha256, s.size, s.mode, s.invalidated & 1, g.uid, s.content, "
            "s.created_at FROM snapshot s JOIN vertex v ON v.id = s.vertex LEFT JOIN vertex b ON b.id = s.artifact "
            "LEFT JOIN vertex g ON g.id = s.generator WHERE s.vertex IN (SELECT max(n.vertex) FROM collection c "
            "JOIN snapshot n ON n.vertex = c.vertex JOIN origin o ON o.id = n.origin AND o.own GROUP BY n.path) "
            "ORDER BY s.path"
        )
        rows = self.db.execute(query).fetchall()
        return [self._known(row, self.local.presence(row[0])) for row in rows if self._near(row[1], column(folder))]

    def _near(self, one: str, other: str) -> bool:
        first, second = ("" if self._is_root(name) else name.rstrip("/") + "/" for name in (one, other))
        if "" in (first, second):  # the project itself: near all that is inside of it
            return not (first or second).startswith("/")
        return first.startswith(second) or second.startswith(first)

    def spools(self, names: Sequence[str]) -> dict[str, Resumed]:
        """What was journaled of activities, by the spool file that they came from."""
        query = (
            "SELECT v.uid, f.uid, a.number, p.closed, p.t FROM spool p JOIN vertex v ON v.id = p.newest "
            "JOIN vertex f ON f.id = p.first LEFT JOIN activity a ON a.vertex = p.first WHERE p.name = ?"
        )
        found = {}
        for name in names:
            row = self.db.execute(query, (column(name),)).fetchone()
            if row is not None:
                found[name] = Resumed(uid_text(row[0]), uid_text(row[1]), row[2] or 0, bool(row[3]), row[4])
        return found

    def next_activity_number(self) -> int:
        """One more than the commands journaled so far on this disk (a new origin of a copied folder counts on)."""
        of_each = "(SELECT max(number) FROM activity WHERE origin = o.id)"
        query = f"SELECT coalesce(max({of_each}), 0) + 1 FROM origin o WHERE o.own"
        return int(self.db.execute(query).fetchone()[0])

    def agent(self, label: str, name: str) -> str | None:
        """uid of an agent that is no person with an e-mail address, as this disk knows it."""
        query = (
            "SELECT v.uid, l.labels FROM agent a JOIN vertex v ON v.id = a.vertex JOIN labelset l ON l.id = v.labels "
            "JOIN origin o ON o.id = v.origin AND o.own WHERE a.name = ? AND a.email IS NULL ORDER BY a.vertex"
        )
        for uid, labels in self.db.execute(query, (column(name),)):
            if f'"{label}"' in labels:
                return uid_text(uid)
        return None

    def has_vertex(self, uid: str) -> bool:
        """Whether anybody has recorded a vertex with this uid."""
        query = "SELECT 1 FROM vertex WHERE uid = ? AND labels IS NOT NULL"
        return self.db.execute(query, (uid_bytes(uid),)).fetchone() is not None

    def has_edge(self, type: str, source: str, target: str | None = None) -> bool:
        """Whether anybody has recorded such an edge, in whatever role; to anything where no target is given."""
        query = (
            "SELECT 1 FROM edge e JOIN vertex a ON a.id = e.source AND a.uid = ? "
            "JOIN relation r ON r.id = e.type AND r.name = ?"
        )
        values = [uid_bytes(source), type]
        if target is not None:
            query += " JOIN vertex b ON b.id = e.target AND b.uid = ?"
            values.append(uid_bytes(target))
        return self.db.execute(query + " LIMIT 1", values).fetchone() is not None

    def derived_from(self, uid: str) -> list[str]:
        """uids of what a vertex was derived from, directly."""
        query = (
            "SELECT b.uid FROM edge e JOIN vertex a ON a.id = e.source AND a.uid = ? "
            "JOIN relation r ON r.id = e.type AND r.name = 'wasDerivedFrom' JOIN vertex b ON b.id = e.target"
        )
        return [uid_text(row[0]) for row in self.db.execute(query, (uid_bytes(uid),))]

    def snapshot_with(self, path: str, sha256: str) -> str | None:
        """uid of the newest snapshot of the artifact at ``path`` with this content, this disk's before others'."""
        query = (
            "SELECT v.uid FROM artifact a JOIN snapshot s ON s.artifact = a.vertex JOIN vertex v ON v.id = s.vertex "
            "JOIN origin o ON o.id = s.origin WHERE a.path = ? AND s.sha256 = ? ORDER BY o.own DESC, s.vertex DESC"
        )
        row = self.db.execute(query, (column(path), bytes.fromhex(sha256))).fetchone()
        return None if row is None else uid_text(row[0])

    def committed(self, path: str, sha256: str) -> Known | None:
        """The snapshot of ``path`` with this content that a commit holds, else any; the newest of several."""
        query = _SNAPSHOT + (
            "JOIN origin o ON o.id = s.origin WHERE a.path = ? AND s.sha256 = ? ORDER BY EXISTS "
            "(SELECT 1 FROM edge e JOIN relation r ON r.id = e.type AND r.name = 'hadMember' JOIN vertex n "
            "ON n.id = e.source AND json_extract(n.properties, '$.kind') = 'explicit' WHERE e.target = s.vertex) DESC, "
            "o.own DESC, s.vertex DESC LIMIT 1"
        )
        row = self.db.execute(query, (column(path), bytes.fromhex(sha256))).fetchone()
        return None if row is None else self._known(row, None)

    def newest_version(self) -> str | None:
        """uid of the newest implicit version on this disk; commits have a chain of their own."""
        query = (
            "SELECT v.uid FROM version n JOIN vertex v ON v.id = n.vertex WHERE n.own IS NOT NULL "
            "ORDER BY n.own DESC, n.vertex DESC LIMIT 1"
        )
        row = self.db.execute(query).fetchone()
        return None if row is None else uid_text(row[0])

    def variable(self, path: str, session: str) -> tuple[Known, str | None] | None:
        """The newest snapshot of a notebook's variable in one kernel session, and its fingerprint."""
        query = (
            "SELECT v.uid, s.path, b.uid, s.sequence, s.sha256, s.size, s.mode, s.invalidated & 1, g.uid, s.content, "
            "s.created_at, json_extract(v.properties, '$.fingerprint') FROM snapshot s "
            "JOIN vertex v ON v.id = s.vertex JOIN vertex b ON b.id = s.artifact "
            "JOIN origin o ON o.id = s.origin AND o.own LEFT JOIN vertex g ON g.id = s.generator "
            "WHERE s.path = ? AND json_extract(v.properties, '$.session') = ? ORDER BY s.vertex DESC LIMIT 1"
        )
        row = self.db.execute(query, (column(path), session)).fetchone()
        return None if row is None else (self._known(row[:-1], None), row[-1])

    def series(self, uid: str) -> Mapping[str, Standing]:
        """What is known of a vertex's series, by name. Within a batch: up to date with all that was journaled.

        Cost: what was added since the last time; 0.5 s for 1,000,000 points.
        """
        raw = uid_bytes(uid)
        return {} if raw is None else self._standings.of(raw)
