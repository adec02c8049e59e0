"""What a server says of itself, for ``doctor``."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from provgraph.stores.neo4j import migrations

if TYPE_CHECKING:
    from provgraph.stores.neo4j.connection import Connection

_RELEASE: Final = """
CALL dbms.components() YIELD name, versions, edition WHERE name = 'Neo4j Kernel' RETURN versions[0], edition"""
"""A later release names its versions of Cypher beside itself."""
_CLOCK: Final = "RETURN datetime.realtime().epochMillis"
_SCHEMA: Final = "OPTIONAL MATCH (s:ProvgraphSchema {uid: 'schema'}) RETURN s.version, s.program"


@dataclass(frozen=True, slots=True)
class About:
    """A server.

    ``schema`` is the version of what migrations made, 0 where none ran yet, ``wanted`` the one that this program knows;
    ``ahead_s`` how far its clock is ahead of this one, right to within ``round_trip_s``.
    """

    release: str
    edition: str
    schema: int
    wanted: int
    program: str | None
    ahead_s: float
    round_trip_s: float


def about(connection: "Connection") -> About:
    """Ask a server.

    Raises:
        RemoteError: it does not answer.
    """
    with connection.session() as session:
        release, edition = session.run(_RELEASE).single(strict=True).values()
        version, program = session.run(_SCHEMA).single(strict=True).values()
        asked = datetime.now(UTC)
        (millis,) = session.run(_CLOCK).single(strict=True).values()
        answered = datetime.now(UTC)
    trip_s = (answered - asked).total_seconds()
    ahead_s = millis / 1000 - (asked.timestamp() + trip_s / 2)
    return About(release, edition, version or 0, migrations.VERSION, program, ahead_s, trip_s)
