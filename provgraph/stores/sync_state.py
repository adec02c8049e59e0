"""What this clone knows of a team's server without asking it: what was sent, and when; what went wrong.

Two tables of ``local.db``, made when they are first written. They are a memory, not the truth: lose them, and the next
``push`` learns from the server what it has.
"""

import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from provgraph.stores.local import Local

_TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS server (
        key TEXT PRIMARY KEY, pushed_at TEXT, pulled_at TEXT, failed_at TEXT, failure TEXT
    ) WITHOUT ROWID""",
    """
    CREATE TABLE IF NOT EXISTS sent (
        key TEXT, origin BLOB, last INTEGER NOT NULL, PRIMARY KEY (key, origin)
    ) WITHOUT ROWID""",
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a server. Times are ISO 8601 in UTC, None where it never happened.

    ``failure`` is what the last try to reach it ended with.
    """

    pushed_at: str | None = None
    pulled_at: str | None = None
    failed_at: str | None = None
    failure: str | None = None


class SyncState:
    """The memory of one server, by its address and database: another server under the same name starts anew.

    Parameters:
        local: the clone's local tables; open for writing where something is to be noted.
    """

    def __init__(self, local: Local, url: str, database: str) -> None:
        self._local, self._key = local, f"{url} {database}"

    def known(self) -> Known:
        """What is known of the server."""
        query = "SELECT pushed_at, pulled_at, failed_at, failure FROM server WHERE key = ?"
        rows = self._select(query)
        return Known(*rows[0]) if rows else Known()

    def sent(self) -> dict[str, int]:
        """Origin → number of its newest event that the server was seen to have."""
        rows = self._select("SELECT origin, last FROM sent WHERE key = ?")
        return {str(uuid.UUID(bytes=origin)): last for origin, last in rows}

    def unsent(self, lasts: Mapping[str, int]) -> int:
        """How many of the events here, given by origin and number of the newest, the server was not seen to have."""
        sent = self.sent()
        return sum(max(0, last - sent.get(origin, 0)) for origin, last in lasts.items())

    def acknowledge(self, received: Mapping[str, int]) -> None:
        """Note what the server has of some origins. Only after its commit."""
        rows = [(self._key, uuid.UUID(origin).bytes, last) for origin, last in sorted(received.items())]
        with self._local.writing() as db:
            self._make_tables(db)
            db.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", rows)

    def learned(self, received: Mapping[str, int], here: Mapping[str, int]) -> None:
        """Note what the server said that it has; it may be less than before, where an old backup was restored.

        Parameters:
            received, here: origin → number of its newest event, at the server and in this clone.
        """
        with self._local.writing() as db:
            self._make_tables(db)
            db.execute("DELETE FROM sent WHERE key = ?", (self._key,))
            self.acknowledge({origin: min(received.get(origin, 0), last) for origin, last in here.items()})

    def pushed(self, at: str) -> None:
        """Note that everything was sent."""
        self._set("pushed_at = ?, failed_at = NULL, failure = NULL", at)

    def pulled(self, at: str) -> None:
        """Note that everything was pulled."""
        self._set("pulled_at = ?, failed_at = NULL, failure = NULL", at)

    def failed(self, at: str, failure: str) -> None:
        """Note what went wrong."""
        self._set("failed_at = ?, failure = ?", at, failure)

    def _set(self, assignments: str, *values: object) -> None:
        with self._local.writing() as db:
            self._make_tables(db)
            db.execute("INSERT OR IGNORE INTO server (key) VALUES (?)", (self._key,))
            db.execute(f"UPDATE server SET {assignments} WHERE key = ?", (*values, self._key))

    def _select(self, query: str) -> list[Any]:
        try:
            return self._local.connection.execute(query, (self._key,)).fetchall()
        except sqlite3.OperationalError:  # nothing was ever noted
            return []

    @staticmethod
    def _make_tables(db: sqlite3.Connection) -> None:
        for statement in _TABLES:
            db.execute(statement)
