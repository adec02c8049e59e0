"""How the databases of a store are opened."""

import os
import sqlite3
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from provgraph.client.project import network_file_system
from provgraph.errors import CorruptError, StoreError

BUSY_S: Final = 60.0
"""How long a writer waits for another one."""
_ROOM_BYTES: Final = 65_536
_MALFORMED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def connect(
    path: Path, *, write: bool = True, synchronous: Literal["FULL", "NORMAL"] = "FULL", create: bool = False
) -> sqlite3.Connection:
    """A connection in autocommit mode: transactions are begun by hand, with BEGIN IMMEDIATE.

    Where the file lies on a network file system the journal mode is DELETE, since WAL needs shared memory; elsewhere
    it is WAL. A store on read-only media, or on a disk that is too full for the shared memory, is read as immutable.

    Raises:
        StoreError: there is no such file (and ``create`` is False), or it cannot be opened.
        CorruptError: it is no database.
    """
    mode = "rwc" if create else "rw" if write else "ro"
    uri = f"file:{quote(str(path))}?mode={mode}"
    immutable = "&immutable=1"
    if not write and not _folder_writable(path.parent):
        uri += immutable
    try:
        try:
            return _open(uri, path, synchronous if write else None)
        except sqlite3.OperationalError as error:
            if write or malformed(error) or not _disk_full(path) or _has_log(path):
                raise
            return _open(uri + immutable, path, None)
    except sqlite3.DatabaseError as error:
        if malformed(error):
            raise CorruptError(f"{path} is damaged ({error}); type `provdb doctor`") from error
        why = "the disk is full" if _disk_full(path) else error
        raise StoreError(f"{path} cannot be opened: {why}") from error


def _open(uri: str, path: Path, synchronous: str | None) -> sqlite3.Connection:
    """A connection that has read the file once; for writing where ``synchronous`` is given."""
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, cached_statements=256)
    try:
        if synchronous is not None:
            _set_modes(connection, path, synchronous)
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _disk_full(path: Path) -> bool:
    """Whether there is no room for the log and the shared memory of a database."""
    space = os.statvfs(path.parent)
    return space.f_bavail * space.f_frsize < _ROOM_BYTES


def _has_log(path: Path) -> bool:
    """Whether a writer that was killed left something that is not in the file yet."""
    try:
        return os.path.getsize(f"{path}-wal") > 0
    except FileNotFoundError:
        return False


def _set_modes(connection: sqlite3.Connection, path: Path, synchronous: str) -> None:
    mode = "DELETE" if network_file_system(str(path.parent)) else "WAL"
    if connection.execute("PRAGMA journal_mode").fetchone()[0].upper() != mode:
        connection.execute(f"PRAGMA journal_mode={mode}")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA journal_size_limit=1048576")


def _folder_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def malformed(error: sqlite3.Error) -> bool:
    """Whether an error says that a database file is damaged (and not that it is busy, or the disk full)."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _MALFORMED
