"""What this machine knows that is no history: lose ``local.db``, and nothing is lost but time.

Tables, for whoever reads the file without this package (`capture` does, with the standard library alone)::

    digest(key, sha256)     stat cache: key = file identity, see ``identity_key``; sha256 = 32 bytes, or 8 that say
                            where in the journal a collection's member has it (number of the event: 4, place of the
                            chunk: 1, of the member: 3, all big-endian): a data set's digests are on the disk once.
                            A file's bytes are held where ``objects/ab/cdef…`` of its digest exists.
    baseline(path, device, inode, size, mtime_ns, ctime_ns, mode, seen)
                            files that no activity touched, as a walk saw them; path = UTF-8, from the root, as ``path``
                            of a vertex is written (other bytes percent-escaped); seen = an id in ``moment``
    present(vertex, device, inode, size, mtime_ns, ctime_ns, mode, seen)
                            under which identity a snapshot (16 bytes of uid) lies on the disk now
    moment(id, at)          times, ISO 8601 UTC, each written once
    server(…), sent(…)      what teams' servers have got, see ``sync_state``
    figure(key, value)      counters: ``objects_bytes`` is the space that the object store takes;
                            ``walked`` is the ``moment`` of the last walk over the whole project
"""

import contextlib
import hashlib
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from provgraph.errors import CorruptError, StoreError
from provgraph.stores.connection import connect, malformed
from provgraph.stores.encoding import column

SCHEMA_VERSION: Final = 1
Stat = tuple[int, int, int, int, int, int]

_STAT: Final = "device INTEGER, inode INTEGER, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, mode INTEGER"
TABLES: Final = f"""
CREATE TABLE digest (key INTEGER PRIMARY KEY, sha256 BLOB NOT NULL);
CREATE TABLE baseline (path BLOB PRIMARY KEY, {_STAT}, seen INTEGER) WITHOUT ROWID;
CREATE TABLE present (vertex BLOB PRIMARY KEY, {_STAT}, seen INTEGER) WITHOUT ROWID;
CREATE TABLE moment (id INTEGER PRIMARY KEY, at TEXT NOT NULL UNIQUE);
CREATE TABLE figure (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
# Named, for a file of an earlier version has a column more.
_SEE: Final = (
    "INSERT OR REPLACE INTO baseline (path, device, inode, size, mtime_ns, ctime_ns, mode, seen) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_MASK: Final = (1 << 64) - 1
_IDENTITY: Final = struct.Struct("<5Q")


def identity_key(stat: Stat) -> int:
    """The key of the stat cache: 8 bytes of BLAKE2b over device, inode, size, mtime, ctime, as a signed integer."""
    packed = _IDENTITY.pack(*(number & _MASK for number in stat[:5]))
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little", signed=True)


def path_bytes(path: str) -> bytes:
    """A path as the tables have it: sorted by bytes, as SQLite compares."""
    return column(path).encode()


def _signed(number: int) -> int:
    return number if number < 1 << 63 else number - (1 << 64)


class Local:
    """The local tables. A damaged or missing file is made anew.

    Parameters:
        path: the database file.
        write: open it for writing; else a missing file is an empty one.
    """

    def __init__(self, path: Path, *, write: bool) -> None:
        self.path, self.write = path, write
        self._moments: dict[str, int] = {}
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        if not self.write and not self.path.exists():
            return _fresh(sqlite3.connect(":memory:", isolation_level=None))
        try:
            db = connect(self.path, write=self.write, synchronous="NORMAL", create=self.write)
            if db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
                return db
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0 and self.write:
                return _fresh(db)
            db.close()
        except (CorruptError, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not malformed(error):
                raise StoreError(f"{self.path} cannot be read: {error}") from error
        if not self.write:
            return _fresh(sqlite3.connect(":memory:", isolation_level=None))
        remove_database(self.path)
        return _fresh(connect(self.path, synchronous="NORMAL", create=True))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self._db.in_transaction:  # a part of a larger one
            yield self._db
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            self._moments.clear()
            if isinstance(error, sqlite3.DatabaseError):  # most likely the disk is full
                raise StoreError(f"{self.path} could not be written: {error}") from error
            raise

    def writing(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        """A transaction on the raw database, for other modules' tables."""
        return self._writing()

    @property
    def connection(self) -> sqlite3.Connection:
        """The raw database, for reading other modules' tables."""
        return self._db

    def _moment(self, at: str) -> int:
        found = self._moments.get(at)
        if found is None:
            self._db.execute("INSERT OR IGNORE INTO moment (at) VALUES (?)", (at,))
            found = int(self._db.execute("SELECT id FROM moment WHERE at = ?", (at,)).fetchone()[0])
            self._moments[at] = found
        return found

    def digest_entry(self, stat: Stat) -> bytes | None:
        """What the stat cache has for a file with this identity: a digest, or a reference. Cost: 4 µs."""
        row = self._db.execute("SELECT sha256 FROM digest WHERE key = ?", (identity_key(stat),)).fetchone()
        return None if row is None else bytes(row[0])

    def remember(self, rows: Iterable[tuple[Stat, bytes]]) -> None:
        """Keep digests or references for ``digest_entry``."""
        packed = sorted((identity_key(stat), entry) for stat, entry in rows)
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO digest VALUES (?, ?)", packed)

    def refer(self, references: Mapping[bytes, bytes]) -> None:
        """Replace digests by references to where the journal has them, and give the space back."""
        found = self._db.execute("SELECT key, sha256 FROM digest WHERE length(sha256) = 32")
        rows = [(references[sha256], key) for key, sha256 in found if sha256 in references]
        with self._writing() as db:
            db.executemany("UPDATE digest SET sha256 = ? WHERE key = ?", rows)
        if rows:
            with contextlib.suppress(sqlite3.OperationalError):  # another process reads: the next time, then
                self._db.execute("VACUUM")

    def see(self, rows: Iterable[tuple[str, Stat]], at: str) -> None:
        """Note what a walk saw: (path from the root, stat)."""
        with self._writing() as db:
            seen = self._moment(at)
            packed = sorted((path_bytes(path), *map(_signed, stat), seen) for path, stat in rows)
            db.executemany(_SEE, packed)

    def baseline(self, path: str) -> tuple[Stat, str] | None:
        """(stat, seen at) of a file as a walk saw it."""
        rows = list(self._baselines("b.path = ?", (path_bytes(path),)))
        return rows[0][1:] if rows else None

    def baseline_below(self, folder: str) -> Iterator[tuple[str, Stat, str]]:
        """(path, stat, seen at) of all files below a folder ('' is the whole project), by path."""
        if not folder:
            return self._baselines("1", ())
        prefix = path_bytes(folder)
        return self._baselines("b.path > ? AND b.path < ?", (prefix + b"/", prefix + b"0"))

    def _baselines(self, where: str, values: tuple[Any, ...]) -> Iterator[tuple[str, Stat, str]]:
        query = (
            "SELECT b.path, b.device, b.inode, b.size, b.mtime_ns, b.ctime_ns, b.mode, s.at FROM baseline b "
            f"JOIN moment s ON s.id = b.seen WHERE {where} ORDER BY b.path"
        )
        for path, *stat, seen in self._db.execute(query, values).fetchall():
            yield path.decode(), _stat(stat), seen

    def present(self, rows: Iterable[tuple[bytes, Stat]], at: str) -> None:
        """Note under which identity snapshots lie on the disk: (16 bytes of uid, stat)."""
        with self._writing() as db:
            seen = self._moment(at)
            packed = ((vertex, *map(_signed, stat), seen) for vertex, stat in rows)
            db.executemany("INSERT OR REPLACE INTO present VALUES (?,?,?,?,?,?,?,?)", packed)

    def presence(self, vertex: bytes) -> tuple[Stat, str] | None:
        """(stat, seen at) of a snapshot on the disk."""
        for _, found in self._presences("WHERE p.vertex = ?", (vertex,)):
            return found
        return None

    def presences(self) -> dict[bytes, tuple[Stat, str]]:
        """All that ``presence`` knows. Cost: 1.5 µs each."""
        return dict(self._presences("", ()))

    def _presences(self, where: str, values: tuple[Any, ...]) -> Iterator[tuple[bytes, tuple[Stat, str]]]:
        query = (
            "SELECT p.vertex, p.device, p.inode, p.size, p.mtime_ns, p.ctime_ns, p.mode, m.at "
            f"FROM present p JOIN moment m ON m.id = p.seen {where}"
        )
        for vertex, *stat, seen in self._db.execute(query, values):
            yield vertex, (_stat(stat), seen)

    def figure(self, key: str) -> int | None:
        """A counter."""
        row = self._db.execute("SELECT value FROM figure WHERE key = ?", (key,)).fetchone()
        return None if row is None else int(row[0])

    def set_figure(self, key: str, value: int) -> None:
        """Set a counter."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO figure VALUES (?, ?)", (key, value))

    def add_figure(self, key: str, delta: int) -> None:
        """Add to a counter that is there."""
        with self._writing() as db:
            db.execute("UPDATE figure SET value = value + ? WHERE key = ?", (delta, key))

    def walked_at(self) -> str | None:
        """When a walk last looked at the whole project."""
        row = self._db.execute(
            "SELECT m.at FROM figure f JOIN moment m ON m.id = f.value WHERE f.key = 'walked'"
        ).fetchone()
        return None if row is None else str(row[0])

    def walked(self, at: str) -> None:
        """Note that a walk has looked at the whole project."""
        with self._writing():
            self.set_figure("walked", self._moment(at))

    def close(self) -> None:
        """Close the database."""
        self._db.close()


def _stat(values: list[int]) -> Stat:
    device, inode, size, mtime, ctime, mode = values
    return device & _MASK, inode & _MASK, size, mtime, ctime, mode


def _fresh(db: sqlite3.Connection) -> sqlite3.Connection:
    db.execute("BEGIN IMMEDIATE")
    if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        for statement in TABLES.split(";"):
            if statement.strip():
                db.execute(statement)
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    db.execute("COMMIT")
    return db


def remove_database(path: Path) -> None:
    """Remove a database that can be made anew, with its write-ahead log."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
