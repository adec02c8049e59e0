"""One project's share of a team's database: what it has got, what it is sent, what is taken from it."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from provgraph.errors import RemoteError
from provgraph.events import Event
from provgraph.model.identity import Namespace
from provgraph.stores.encoding import loads
from provgraph.stores.neo4j import chunks, migrations
from provgraph.stores.neo4j.connection import Connection
from provgraph.stores.neo4j.failures import Behind, forgotten
from provgraph.stores.neo4j.folding import Folded, fold
from provgraph.stores.neo4j.remote import Remote
from provgraph.stores.neo4j.writing import Writer

if TYPE_CHECKING:
    import neo4j

    from provgraph.graph.clones import Clones
    from provgraph.graph.reader import GraphReader
    from provgraph.graph.rows import Rows

PATIENCE_S: Final = 15.0
"""How long a batch is tried again where the server says that another try may succeed."""
MEMORY_PATIENCE_S: Final = 2.0
"""The same where it has too little memory: others may give some back, or there will never be enough."""
_PAGE: Final = 200
_STREAM: Final = 2
"""Chunks that are on their way at once: each may hold 8 MB."""

# The value is of no interest: writing it takes the lock. What is read afterwards is what others have committed.
_LOCK: Final = (
    "MERGE (p:ProvgraphProject {uid: $project}) ON CREATE SET p.number = 0, p.awaited = 0 SET p.locked = timestamp()"
)
_STATE: Final = (
    "MATCH (p:ProvgraphProject {uid: $project}) OPTIONAL MATCH (o:ProvgraphOrigin {uid: $origin}) "
    "OPTIONAL MATCH (s:ProvgraphSchema {uid: 'schema'}) "
    "RETURN p.number, p.awaited, o.last, o.of, s.version, coalesce(p.purges, [])"
)
_END: Final = (
    "MATCH (p:ProvgraphProject {uid: $project}) MERGE (o:ProvgraphOrigin {uid: $origin}) "
    "SET p.number = $number, p.awaited = $awaited, p.name = coalesce(p.name, $name), "
    "o.of = $project, o.last = $last, o.host = coalesce($host, o.host), o.name = coalesce($name, o.name) "
    "CREATE (:ProvgraphChunk {uid: $chunk, of: $project, number: $number, origin: $origin, first: $first, "
    "last: $last, data: $data})"
)
_LEFT_OVER: Final = "MATCH (c:ProvgraphChunk {origin: $origin}) WHERE c.first > $present AND c.of = $project DELETE c"
_RECEIVED: Final = "MATCH (o:ProvgraphOrigin {of: $project}) RETURN o.uid, o.last, o.host, o.name ORDER BY o.uid"
_FETCH_ORIGIN: Final = (
    "MATCH (c:ProvgraphChunk {origin: $origin}) WHERE c.first > $after AND c.of = $project "
    "RETURN c.first, c.data ORDER BY c.first LIMIT $page"
)
_HOLDING: Final = (
    "MATCH (c:ProvgraphChunk {origin: $origin}) WHERE c.first <= $number <= c.last AND c.of = $project RETURN c.first"
)


@dataclass(frozen=True, slots=True)
class OriginRow:
    """An origin that the server knows: the number of its newest event there, its machine and folder where known."""

    uid: str
    last: int
    host: str | None = None
    name: str | None = None


class TeamStore:
    """One project's share of one database. A context manager; usable from several threads.

    Parameters:
        remote: the server.
        project: the project's uid.
        database: of the server; what ``remote`` says by default.
        write: whether anything will be written.
        clones: who asks, for names in answers.

    Raises:
        RemoteError: the server cannot be reached or refuses; within 5 s.
        QuestionError: its address is refused.
    """

    def __init__(
        self,
        remote: Remote,
        project: str,
        *,
        database: str | None = None,
        write: bool = False,
        clones: "Clones | None" = None,
    ) -> None:
        if database is not None and database != remote.database:
            remote = Remote(remote.name, remote.url, remote.user, remote.password, database, remote.insecure)
        self.remote, self.project, self.namespace, self.clones = remote, project, Namespace(project), clones
        self._write, self._understood = write, False
        self._connection = Connection(remote)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @property
    def connection(self) -> Connection:
        """The way to the server."""
        return self._connection

    # -- writing

    def migrate(self) -> None:
        """Bring the database's constraints and indexes up to date. Idempotent; costs one question where they are.

        Raises:
            NewerStoreError: a newer program made them. Nothing was changed.
        """
        migrations.migrate(self._connection)
        self._understood = True

    def _understand(self) -> None:
        """Before the first question: that no newer program made the database what it is."""
        if not self._understood:
            migrations.understand(self._connection)
            self._understood = True

    def send(self, events: Sequence[Event], obeyed: Mapping[str, int] | None = None) -> None:
        """Write consecutive events of one origin and all that follows from them, in one transaction.

        Nothing happens where the server has them all.

        Parameters:
            obeyed: by origin, up to which of its tombstones the sender has forgotten what they name; left out, nobody
                asks what was forgotten.

        Raises:
            Forgotten: one is named by a tombstone that the sender does not know of.
            Behind: the server's last event of the origin is another one than the one before the first of these.
            RemoteError: it went away, refuses, or is full. The batch is there as a whole or not at all.
            ValueError: the events are none, or not consecutive.
        """
        if not events or any(
            event.origin != events[0].origin or event.origin_seq != events[0].origin_seq + place
            for place, event in enumerate(events)
        ):
            raise ValueError("a batch is one or more consecutive events of one origin")
        folded = fold(events, self.namespace)
        data = chunks.encode(events, self.namespace)

        from neo4j.exceptions import ConstraintError

        try:
            self._persevere(lambda transaction: self._send(transaction, events, folded, data, obeyed))
        except RemoteError as error:
            if not isinstance(error.__cause__, ConstraintError):
                raise
            # Vertices that the server should not have: somebody removed its events, and not what they told.
            self._persevere(lambda transaction: self._send(transaction, events, folded, data, obeyed, doubtful=True))

    def _send(
        self,
        transaction: "neo4j.Transaction",
        events: Sequence[Event],
        folded: Folded,
        data: bytes,
        obeyed: Mapping[str, int] | None,
        *,
        doubtful: bool = False,
    ) -> None:
        first, last, origin = events[0].origin_seq, events[-1].origin_seq, events[0].origin
        names = {"project": self.project, "origin": origin}
        transaction.run(_LOCK, names).consume()
        state = transaction.run(_STATE, names).single(strict=True)
        number, awaited, present, of, version, purges = state
        if not migrations.check(version, self.remote.place):
            raise RemoteError(f"the database at {self.remote.place} was emptied in the meantime: push again")
        if of not in (None, self.project):
            raise RemoteError(f"the origin {origin} belongs to another project at {self.remote.place}", passing=False)
        if (present or 0) >= last:
            return
        if (present or 0) != first - 1:
            raise Behind(f"{self.remote.place} has the events of {origin} up to {present or 0}, not {first - 1}")
        if obeyed is not None:
            self._check_forgotten(events, purges, obeyed)
        if not present or doubtful:  # of a project that was removed half
            transaction.run(_LEFT_OVER, names | {"present": present or 0}).consume()
        writer = Writer(transaction, self.namespace, folded, awaited, doubtful=doubtful)
        writer.write()
        values = {
            "number": number + 1,
            "awaited": writer.awaited,
            "chunk": chunks.chunk_uid(origin, first),
            "first": first,
            "last": last,
            "data": data,
            "host": folded.about.get("host"),
            "name": folded.about.get("folder"),
        }
        transaction.run(_END, names | values).consume()

    def _check_forgotten(self, events: Sequence[Event], purges: Sequence[str], obeyed: Mapping[str, int]) -> None:
        """That no tombstone that was noted at the server names what is sent, unless the sender has obeyed it."""
        origin, first, last = events[0].origin, events[0].origin_seq, events[-1].origin_seq
        for by, number, named in map(loads, purges):
            if number > obeyed.get(by, 0):
                for begin, end in named.get(origin, ()):
                    if begin <= last and end >= first:
                        raise forgotten(self.remote, origin, max(begin, first))

    def _persevere(self, work: Callable[["neo4j.Transaction"], None]) -> None:
        """Do some work in a transaction, again where that may help: it finds out what was committed before."""
        from neo4j.exceptions import ServiceUnavailable, SessionExpired, TransientError

        began, pause, lost = time.monotonic(), 0.05, False
        while True:
            try:
                with self._connection.session(write=True) as session, session.begin_transaction() as transaction:
                    work(transaction)
                    transaction.commit()
                return
            except RemoteError as error:
                cause = error.__cause__
                once = isinstance(cause, ServiceUnavailable | SessionExpired) and not lost
                patience = MEMORY_PATIENCE_S if "OutOfMemory" in str(getattr(cause, "code", "")) else PATIENCE_S
                in_time = time.monotonic() < began + patience
                again = in_time and isinstance(cause, TransientError) and cause.is_retryable()
                if not once and not again:
                    raise
                lost |= once
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            pause = min(2 * pause, 1.0)

    def transact(self, work: Callable[["neo4j.Transaction"], None]) -> None:
        """Do some work in a transaction; again, where the server says that another try may succeed."""
        self._persevere(work)

    # -- reading events

    def received(self) -> dict[str, int]:
        """The number of the newest event that the server has of each origin."""
        return {row.uid: row.last for row in self.origins()}

    def origins(self) -> list[OriginRow]:
        """The origins that the server knows, by uid."""
        return [OriginRow(*record) for record in self._read(_RECEIVED)]

    def fetch_origin(self, origin: str, after: int = 0) -> Iterator[list[Event]]:
        """The events of one origin after its number ``after``, in order, chunk by chunk.

        Raises:
            CorruptError: a chunk is damaged.
        """
        begin = [record[0] for record in self._read(_HOLDING, origin=origin, number=after + 1)]
        at, more = min(begin, default=after + 1) - 1, True
        while more:
            more = False
            for first, data in self._read(_FETCH_ORIGIN, origin=origin, after=at):
                at, more = first, True
                found = chunks.decode(data, origin, first, self.namespace)
                yield [event for event in found if event.origin_seq > after]

    def _read(self, statement: str, **parameters: Any) -> Iterator[Sequence[Any]]:
        """The records of an answer, read as they are asked for."""
        self._understand()
        with self._connection.session(fetch_size=_STREAM if "c.data" in statement else 1000) as session:
            for record in session.run(statement, {"project": self.project, "page": _PAGE, **parameters}):
                yield record.values()

    # -- questions

    def run(self, query: str, /, **parameters: Any) -> Sequence[Any]:
        """All records of one query in a read transaction; what `Neo4jReader` asks with."""
        self._understand()
        with self._connection.session() as session:
            return [record.values() for record in session.run(query, parameters)]

    @property
    def reader(self) -> "GraphReader":
        """What a question asks: each time another one, for a reader remembers the agents that it has seen."""
        from provgraph.stores.neo4j.reader import Neo4jReader

        return Neo4jReader(self, self.project, self.clones)

    def cypher(
        self,
        query: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = 60.0,
        all_projects: bool = False,
    ) -> "Rows":
        """The answer of a query that reads.

        Raises:
            CypherError: it writes, does not run, or needs too much time.
        """
        from provgraph.stores.neo4j.cypher import ServerCypher

        self._understand()
        return ServerCypher(self).run(query, params, timeout_s, all_projects=all_projects)
