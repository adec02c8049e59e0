"""Read-only Cypher at a team's server, with the embedded store's answers.

The way of a query: ``tokens`` → ``cypher_guard`` (refuse what writes or reaches outside) → ``cypher_procedures`` (lists
of names of the project alone) → ``cypher_patterns`` and ``cypher_scoping`` (every pattern of a vertex is bound to the
project) → the server, in a read transaction, if it calls the plan a reading one → ``cypher_values`` → rows, with
``cypher_names``.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from provgraph.errors import CypherError
from provgraph.graph.rows import Rows
from provgraph.stores.cypher.mentions import Mentions, mentions
from provgraph.stores.cypher.tokens import tokens
from provgraph.stores.cypher.values import show
from provgraph.stores.neo4j import cypher_names
from provgraph.stores.neo4j.cypher_guard import check
from provgraph.stores.neo4j.cypher_patterns import matching
from provgraph.stores.neo4j.cypher_procedures import answered
from provgraph.stores.neo4j.cypher_scoping import Scoped, scoped
from provgraph.stores.neo4j.cypher_values import ENDS, Answer, parameters

if TYPE_CHECKING:
    import neo4j

    from provgraph.stores.neo4j.connection import Connection

TIMEOUT_S: Final = 60.0
_READS: Final = "r"
_EXPLAIN: Final = "EXPLAIN "
_PLACE: Final = re.compile(r"\(line (\d+), column (\d+) \(offset: (\d+)\)\)")
_TIMED_OUT: Final = ("TransactionTimedOut", "TransactionTimedOutClientConfiguration", "LockClientStopped")
_MEMORY: Final = ("MemoryPoolOutOfMemoryError", "TransactionOutOfMemoryError", "OutOfMemoryError")


class Team(Protocol):
    """What is needed of a team's store."""

    @property
    def project(self) -> str:
        """The project's uid."""

    @property
    def connection(self) -> "Connection":
        """The way to the server."""


class ServerCypher:
    """Asks a team's server."""

    def __init__(self, team: Team) -> None:
        self._team = team

    def run(
        self,
        query: str,
        params: Mapping[str, Any] | None = None,
        timeout_s: float | None = TIMEOUT_S,
        *,
        all_projects: bool = False,
    ) -> Rows:
        """The answer of a query that reads, from this project alone unless ``all_projects`` says otherwise.

        Parameters:
            query: Cypher; see the page *Cypher* of the documentation for what both stores understand.
            params: values for ``$name``: None, text, numbers, booleans, date-times, lists, maps.
            timeout_s: seconds after which the server ends the query; None for no limit of ours.

        Raises:
            CypherError: the query writes, does not run, needs too much time or memory, or has a value that the server
                does not have.
            RemoteError: the server went away.
        """
        with self._team.connection.session() as session:
            return run(session, self._team.project, query, params, timeout_s=timeout_s, all_projects=all_projects)


def run(
    session: "neo4j.Session",
    project: str,
    query: str,
    params: Mapping[str, Any] | None = None,
    *,
    timeout_s: float | None = TIMEOUT_S,
    all_projects: bool = False,
) -> Rows:
    """The same in a session of the driver."""
    from neo4j.exceptions import Neo4jError

    given = dict(params or {})
    words = tokens(query)
    if words and words[-1].text == ";":
        query, words = query[: words[-1].start], words[:-1]
    check(words)
    matching(words, query)
    named = mentions(words, given)
    query, words = answered(query, words)
    asked = scoped(query, words, given, all_projects=all_projects)
    values = {**parameters(words, given), **asked.texts}
    if not all_projects:
        values[asked.project] = project
    asking = _Asking(project, asked, values, timeout_s)
    try:
        return asking.rows(session, named if not all_projects else None)
    except Neo4jError as error:
        _refuse(error, asked, timeout_s, asking.sent_before)


class _Asking:
    def __init__(self, project: str, asked: Scoped, values: dict[str, Any], timeout_s: float | None) -> None:
        self._project, self._asked, self._values, self._timeout_s = project, asked, values, timeout_s
        self.sent_before = 0
        """How many characters of ours stood before the text when it was sent last."""

    def rows(self, session: "neo4j.Session", named: Mentions | None) -> Rows:
        from neo4j import unit_of_work

        return session.execute_read(unit_of_work(timeout=self._limit())(self._work), named)

    def _limit(self) -> float | None:
        """To the server, no time at all is no limit."""
        return None if self._timeout_s is None else max(self._timeout_s, 0.001)

    def _work(self, transaction: "neo4j.ManagedTransaction", named: Mentions | None) -> Rows:
        text = self._asked.text
        self.sent_before = len(_EXPLAIN)
        plan = transaction.run(_EXPLAIN + text, self._values).consume()
        self.sent_before = 0
        if plan.query_type != _READS:
            raise CypherError("the server calls this a query that changes the graph, and `cypher` only reads")
        result = transaction.run(text, self._values)
        columns = tuple(show(self._asked.original(name)) for name in result.keys())  # noqa: SIM118 - iterating a result gives records
        records = [record.values() for record in result]
        answer = Answer(self._project)

        def ask(query: str, values: dict[str, Any]) -> Sequence[Sequence[Any]]:
            return [record.values() for record in transaction.run(query, values)]

        missing = answer.unknown_ends(records)
        if missing:
            answer.know(ask(ENDS, {"ids": missing}))
        rows = tuple(tuple(answer.value(cell) for cell in record) for record in records)
        notes = () if named is None else tuple(cypher_names.notes(named, ask, self._project))
        return Rows(columns, rows, notes)


def _refuse(error: "neo4j.exceptions.Neo4jError", asked: Scoped, timeout_s: float | None, before: int) -> NoReturn:
    """Raise what a server said of a query in our words; what it said of itself is passed on.

    Raises:
        CypherError: the query does not run, or needs too much.
    """
    code = str(error.code or "")
    name = code.rpartition(".")[2]
    if name in _TIMED_OUT:
        limit = f"after {timeout_s:g} s" if timeout_s is not None else "by the server's own limit"
        raise CypherError(
            f"the query was ended {limit}; bound its paths (`*1..10`), begin at a vertex that is named by uid or path, "
            "or give it more time with `--timeout SECONDS` (timeout_s= in Python)"
        ) from None
    if name in _MEMORY:
        raise CypherError(
            "the query needs more memory than the server gives to one; return fewer rows (LIMIT, count), or bound its "
            "paths"
        ) from None
    if not code.startswith("Neo.ClientError.Statement."):
        raise error
    message = str(error.message or error).split("\n", 1)[0].strip()
    raise CypherError(
        f"the query does not run: {_placed(message, asked, before)}. "
        "`provdb cypher --examples` shows queries that do, the page Cypher of the documentation what both stores read"
    ) from None


def _placed(message: str, asked: Scoped, before: int) -> str:
    """The server's message without what we put into the text; places are those of the user's."""
    found = _PLACE.search(message)
    if found:
        line, column = asked.place(max(int(found[3]) - before, 0))
        message = message[: found.start()] + f"at line {line}, column {column}" + message[found.end() :]
    return show(message).rstrip(".")
