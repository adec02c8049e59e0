"""Versions of the journal's tables, and the way from each to the next. Never back.

``user_version`` of ``journal.db`` is the version. A migration changes tables, never what an event says: events carry
the version of their own body. The projection and the local tables are never migrated but made anew.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from provgraph.errors import NewerStoreError
from provgraph.stores.connection import connect
from provgraph.stores.journal import SCHEMA_VERSION

Migration = Callable[[sqlite3.Connection], None]

MIGRATIONS: Final[Mapping[int, Migration]] = {}
"""Version → what makes the next version of it, inside a transaction."""


def version_of(db: sqlite3.Connection) -> int:
    """The version of a journal's tables."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def check_version(path: Path, newest: int = SCHEMA_VERSION) -> int:
    """The version of the journal at ``path``, read without changing anything.

    Raises:
        NewerStoreError: a newer program wrote it.
    """
    with contextlib.closing(connect(path, write=False)) as db:
        version = version_of(db)
    if version > newest:
        raise NewerStoreError(
            f"{path} was written by a newer provgraph (tables {version}, this program knows {newest}); "
            "nothing was changed. Install a newer provgraph"
        )
    return version


def migrate(path: Path, migrations: Mapping[int, Migration] = MIGRATIONS, newest: int = SCHEMA_VERSION) -> int:
    """Bring a journal to the newest version, each step in a transaction of its own; returns the number of steps.

    Raises:
        NewerStoreError: a newer program wrote it.
    """
    steps = 0
    if check_version(path, newest) == newest:
        return 0
    with contextlib.closing(connect(path)) as db:
        while True:
            db.execute("BEGIN IMMEDIATE")
            try:
                version = version_of(db)  # inside the transaction: another process may have been faster
                if version >= newest:
                    db.execute("ROLLBACK")
                    return steps
                migrations[version](db)
                db.execute(f"PRAGMA user_version={version + 1}")
                db.execute("COMMIT")
                steps += 1
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise
