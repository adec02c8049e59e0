"""What the database must have before anything is written: constraints, indexes, and a version of it all.

Statements say IF NOT EXISTS, so several people may bring one database up to date at once, and again after one was
interrupted. The version is written last.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import NewerStoreError

if TYPE_CHECKING:
    import neo4j

    from provgraph.stores.neo4j.connection import Connection

VERSION: Final = 2

_UNIQUE: Final = (
    "Entity", "Activity", "Agent", "ProvgraphSchema", "ProvgraphProject", "ProvgraphOrigin", "ProvgraphChunk",
    "ProvgraphMembers", "ProvgraphStamp",
)  # fmt: skip
INDEXES: Final = (
    ("Entity", "project"), ("Activity", "project"), ("Agent", "project"),
    ("Snapshot", "path"), ("Snapshot", "sha256"), ("Artifact", "path"),
    ("Activity", "started_at"),
    ("Agent", "email"), ("Agent", "name"),
    ("ProvgraphChunk", "of", "number"), ("ProvgraphChunk", "origin", "first"),
    ("ProvgraphMembers", "of", "path"),
)  # fmt: skip


def _constraint(label: str) -> str:
    name = f"provgraph_{label.lower()}_uid"
    return f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE n.uid IS UNIQUE"


def _index(label: str, *keys: str) -> str:
    name = f"provgraph_{label.lower()}_{'_'.join(keys)}"
    return f"CREATE INDEX {name} IF NOT EXISTS FOR (n:{label}) ON ({', '.join('n.' + key for key in keys)})"


MIGRATIONS: Final[Mapping[int, tuple[str, ...]]] = {
    1: (*map(_constraint, _UNIQUE), *(_index(*row) for row in INDEXES)),
    2: (_constraint("ProvgraphSeries"), _index("ProvgraphSeries", "vertex")),
}
"""The statements that make a version of the one before it, each a transaction of its own."""

_READ: Final = "OPTIONAL MATCH (s:ProvgraphSchema {uid: 'schema'}) RETURN s.version, s.program"
_WRITE: Final = (
    "MERGE (s:ProvgraphSchema {uid: 'schema'}) ON CREATE SET s.version = 0 "
    "WITH s WHERE s.version < $version SET s.version = $version, s.program = $program"
)
_AWAIT: Final = "CALL db.awaitIndexes(300)"
_TRIES: Final = 8


def migrate(connection: "Connection", version: int = VERSION) -> int:
    """Bring a database to a version; returns the number of steps. Idempotent.

    Raises:
        NewerStoreError: a newer program made it what it is. Nothing was changed.
        RemoteError: the server refuses, or went away.
    """
    present = understand(connection, version)
    if present == version:
        return 0
    with connection.session(write=True) as session:
        for step in range(present + 1, version + 1):
            for statement in MIGRATIONS[step]:
                _run(session, statement)
            _run(session, _AWAIT)
            _run(session, _WRITE, version=step, program=_program())
    return version - present


def check(found: int | None, place: str, newest: int = VERSION) -> int:
    """The version of a database, where this program knows it; 0 where it has none.

    Raises:
        NewerStoreError: a newer program wrote it.
    """
    if found is not None and found > newest:
        raise NewerStoreError(
            f"the database at {place} was set up by a newer provgraph (version {found}, this program knows {newest}); "
            "nothing was changed. Install a newer provgraph"
        )
    return found or 0


def understand(connection: "Connection", newest: int = VERSION) -> int:
    """Ask a database for its version; as ``check``."""
    with connection.session() as session:
        record = session.run(_READ).single(strict=True)
    return check(record[0], connection.remote.place, newest)


def _run(session: "neo4j.Session", statement: str, **parameters: Any) -> None:
    """Run a statement in a transaction of its own; once more where somebody else does the same just now."""
    from neo4j.exceptions import ClientError, TransientError

    for _ in range(_TRIES):
        with suppress(TransientError):
            try:
                session.run(statement, parameters).consume()
            except ClientError as error:
                if "AlreadyExists" not in str(error.code):
                    raise
            return
    session.run(statement, parameters).consume()


def _program() -> str:
    import provgraph

    return f"provgraph {provgraph.__version__}"
