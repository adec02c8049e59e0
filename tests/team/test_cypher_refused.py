"""Nothing that is asked at a server changes it, reaches outside of it, or runs what the guard did not read."""

from collections.abc import Iterator
from typing import Any

import pytest
from cypher_samples import Both, both_stores, runs

from provgraph.errors import CypherError
from provgraph.stores.cypher.tokens import tokens
from provgraph.stores.neo4j.cypher import _Asking
from provgraph.stores.neo4j.cypher_guard import check
from provgraph.stores.neo4j.cypher_scoping import Scoped, scoped

WRITES = [
    "CREATE (n:Entity)",
    "create (n)",
    "CrEaTe\n\t(n)",
    "/* harmless */ CREATE (n)",
    "// harmless\nCREATE (n)",
    "// harmless\rCREATE (n)",
    "MATCH (n) CREATE (m)",
    "MATCH (n) SET n.x = 1",
    "MATCH (n) SET n:Label",
    "MATCH (n)/**/SET/**/n += {x: 1}",
    "MATCH (n) REMOVE n.path",
    "MATCH (n) DELETE n",
    "MATCH (n) DETACH DELETE n",
    "MATCH (n) NODETACH DELETE n",
    "MERGE (n:Entity {uid: 'x'}) ON CREATE SET n.a = 1",
    "MATCH (n) CALL { WITH n SET n.x = 1 } RETURN n",
    "MATCH (n) CALL (n) { SET n.x = 1 } RETURN n",
    "MATCH (n) CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 10 ROWS",
    "MATCH (n) CALL (n) { DETACH DELETE n } IN 4 CONCURRENT TRANSACTIONS",
    "UNWIND [1] AS x CREATE (n)",
    "MATCH (n) WITH * CREATE (m)",
    "MATCH (n) WHERE n:% SET n.x = 1",
    "MATCH ((a)-->(b))+ SET a.x = 1",
    "MATCH (n) FOREACH (x IN [1] | SET n.x = x)",
    "MATCH (n) RETURN n UNION CREATE (n) RETURN n",
    "RETURN COUNT { CREATE (n) RETURN n }",
    "CREATE INDEX FOR (n:Entity) ON (n.x)",
    "DROP INDEX x IF EXISTS",
    "CREATE CONSTRAINT x FOR (n:Entity) REQUIRE n.x IS UNIQUE",
    "CREATE USER x SET PASSWORD 'abcdefgh'",
    "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'",
    "RENAME USER neo4j TO x",
    "GRANT ROLE admin TO x",
    "CREATE DATABASE x",
    "INSERT (:Entity)",
    "RETURN 'a\\'' CREATE (n)",
    "RETURN '\\u0027 CREATE (n) //'\nCREATE (n)",
    "RETURN 1 AS `a` CREATE (n)",
    "EXPLAIN CREATE (n)",
    "PROFILE MATCH (n) SET n.x = 1",
]

OUTSIDE = [
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "LOAD CSV WITH HEADERS FROM 'http://localhost:1/x' AS line RETURN line",
    "MATCH (n) WITH * LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "MATCH (n) WHERE n:% LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "MATCH ((a)-->(b))+ LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "RETURN 1LOAD CSV FROM 'file:///etc/passwd' AS line",
    "CALL { LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line } RETURN line",
    "CALL dbms.listConfig()",
    "CALL dbms.components() YIELD name RETURN name",
    "call `dbms`.`listConfig`()",
    "CALL `dbms.listConfig`()",
    "MATCH (n) WITH * CALL dbms.listConfig() YIELD name RETURN name",
    "CALL db.labels.x()",
    "CALL db.index.fulltext.queryNodes('x', 'y') YIELD node RETURN node",
    "CALL db.createLabel('X')",
    "CALL apoc.cypher.run('MATCH (n) RETURN n', {}) YIELD value RETURN value",
    "OPTIONAL CALL dbms.listConfig() YIELD name RETURN name",
    "CALL tx.getMetaData()",
    "RETURN apoc.cypher.runFirstColumnMany('MATCH (n) RETURN n', {})",
    "RETURN `apoc`.`cypher`.runFirstColumnMany('MATCH (n) RETURN n', {})",
    "RETURN `apoc.cypher.runFirstColumnMany`('MATCH (n) RETURN n', {})",
    "RETURN apoc . cypher /* x */ . runFirstColumnMany ('MATCH (n) RETURN n', {})",
    "RETURN graph.names()",
    "RETURN graph.byName('system')",
    "RETURN db.nameFromElementId('4:x:1')",
    "RETURN genai.vector.encode('x', 'OpenAI', {})",
    "USE system MATCH (n) RETURN n",
    "USE graph.byName('system') MATCH (n) RETURN n",
    "CALL { USE system MATCH (n) RETURN n } RETURN n",
    "MATCH (n) RETURN n UNION USE system MATCH (n) RETURN n",
    "SHOW DATABASES",
    "SHOW USERS",
    "SHOW TRANSACTIONS YIELD * RETURN *",
    "TERMINATE TRANSACTIONS 'x'",
    "CYPHER 25 MATCH (n) RETURN n",
    "CYPHER runtime=slotted MATCH (n) RETURN n",
    "EXPLAIN MATCH (n) RETURN n",
    "PROFILE MATCH (n) RETURN n",
    "MATCH (n) RETURN n; MATCH (m) RETURN m",
    "MATCH (n)\u2014[r]\u2014(m) RETURN m",
    "MATCH (n)<-\u00ad-(m) RETURN m",
    "MATCH (n) RETURN n.`a\\u0060`",
    "MATCH (n:`A\\u0060) DETACH DELETE (n`) RETURN n",
    "RETURN $`a\\u0060`",
    "L\u0130MIT 1",
    "\u017fHOW DATABASES",
    "MATCH (n:$($label)) RETURN n",
    "MATCH (n $map) RETURN n",
    "STOP DATABASE neo4j",
    "DRYRUN REALLOCATE DATABASES",
]

FINE = [
    "RETURN 1 AS x // a comment\rCREATE (n)",
    "MATCH (n) RETURN n.create, n.set, n.`delete`, n.load, n.use",
    "MATCH (n:Create)-[:set|delete]->(m {merge: 1}) RETURN m",
    "MATCH (n) WHERE n.path = 'CREATE (n)' RETURN n",
    "// CREATE (n)\nMATCH (n) RETURN n /* SET n.x = 1 */",
    "MATCH (`create`) RETURN `create`.path",
    "MATCH (n) RETURN n.path AS `set`",
    "MATCH (start)-[r]->(end) RETURN start.path, end.path",
    "MATCH (n) RETURN count(n);",
    "MATCH (a:Activity) RETURN duration.between(a.started_at, a.started_at), datetime.truncate('day', a.started_at)",
    "RETURN point.distance(point({x: 0, y: 0}), point({x: 1, y: 0})) AS d",
    "RETURN date() = date(), time.truncate('hour', time('12:30Z')), localdatetime.truncate('day') IS NULL",
    "RETURN 0x1F, 0o17, 1.5e3, .5, 1e-3",
    "WITH [1, 2] AS transactions UNWIND transactions AS x WITH x WHERE x IN [1] RETURN x",
    "MATCH (größe:Snapshot) RETURN größe.path",
    "RETURN 'a\\u00e4\\n\\'' AS t, \"it's\" AS u",
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, neo4j_server: Any) -> Iterator[Both]:
    """The runs, to ask what must not be asked."""
    from neo4j_server import remote_of

    with both_stores(tmp_path_factory.mktemp("refused"), remote_of(neo4j_server)) as made:
        runs(made.graph)
        made.send()
        yield made


def _digest(both: Both) -> Any:
    """What the server holds of the project, and how much in all that nobody else touches."""
    nodes = both.server("MATCH (n) RETURN n.uid AS uid, labels(n) AS l, properties(n) AS p ORDER BY uid").rows
    edges = both.server(
        "MATCH (a)-[r]->(b) RETURN a.uid AS a, b.uid AS b, type(r) AS t, properties(r) AS p ORDER BY a, b, t"
    ).rows
    with both.team.connection.session() as session:
        strangers = session.run("MATCH (n) WHERE n.uid IS NULL OR size(labels(n)) = 0 RETURN count(n)").single()
        users = session.run("MATCH (n:Entity {uid: 'x'}) RETURN count(n)").single()
    return repr((nodes, edges, strangers.value(), users.value()))


@pytest.mark.parametrize("query", WRITES)
def test_what_writes_is_refused_and_changes_nothing(query: str, both: Both) -> None:
    before = _digest(both)
    with pytest.raises(CypherError):
        both.server(query)
    assert _digest(both) == before


@pytest.mark.parametrize("query", OUTSIDE)
def test_what_reaches_outside_is_refused_before_it_is_sent(query: str, both: Both) -> None:
    with pytest.raises(CypherError) as refused:
        both.server(query, {"a\\u0060": 1, "label": "Entity", "map": {}})
    assert "the query does not run" not in str(refused.value), "the server has seen it"


@pytest.mark.parametrize("query", FINE)
def test_what_reads_runs(query: str, both: Both) -> None:
    both.server(query)


PAST_THE_GUARD = [query for query in WRITES if not query.startswith(("EXPLAIN", "PROFILE", "ALTER", "RENAME", "GRANT"))]


@pytest.mark.parametrize("query", PAST_THE_GUARD)
def test_the_server_refuses_what_the_guard_would_not_know(query: str, both: Both) -> None:
    """The second line of defence: the plan's kind, and the read transaction."""
    from neo4j.exceptions import Neo4jError

    before = _digest(both)
    asked = Scoped(query, {}, "provgraph_project", query, ((0, 0),))
    with both.team.connection.session() as session, pytest.raises((CypherError, Neo4jError)):
        _Asking(both.graph.store.project, asked, {}, 10.0).rows(session, None)
    assert _digest(both) == before


@pytest.mark.parametrize("query", PAST_THE_GUARD)
def test_a_read_transaction_alone_refuses_it_too(query: str, both: Both) -> None:
    from neo4j.exceptions import Neo4jError

    before = _digest(both)
    with pytest.raises(Exception) as refused, both.team.connection.session() as session:  # noqa: PT011 - RemoteError
        session.execute_read(lambda transaction: transaction.run(query).consume())
    assert isinstance(refused.value.__cause__ or refused.value, Neo4jError)
    assert _digest(both) == before


def test_an_endless_question_is_ended(both: Both) -> None:
    query = "UNWIND range(1, 1000000) AS x UNWIND range(1, 1000000) AS y RETURN count(x + y)"
    with pytest.raises(CypherError, match=r"ended after 0\.5 s.*--timeout"):
        both.team.cypher(query, timeout_s=0.5)
    assert both.server("RETURN 1").rows == ((1,),)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("MATCH (n) RETURN nope(n)", "does not run"),
        ("MATCH (n) WHERE RETURN n", "does not run"),
        ("MATCH (n) RETURN m", "does not run.*at line 1, column 18"),
        ("MATCH (n)\nWHERE n.x = 1\nRETURN m", "does not run.*at line 3, column 8"),
        ("RETURN 1/0", "does not run"),
        ("MATCH (a", r"does not run: the \( at line 1, column 7 is not closed.*--examples"),
        ("MATCH (a)\nRETURN a]", r"does not run: the \] at line 2, column 9 closes nothing.*--examples"),
        ("RETURN $missing", "--param missing=VALUE"),
        ("", "--examples"),
        ("CALL db.labels() RETURN 1", "YIELD label"),
        ("CALL db.labels() YIELD nope RETURN 1", "YIELD label"),
        ("MATCH (n) CALL db.labels()", "YIELD label"),
    ],
)
def test_errors_are_told_in_our_words(query: str, reason: str, both: Both) -> None:
    with pytest.raises(CypherError, match=reason) as failed:
        both.server(query)
    assert "provgraph_" not in str(failed.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [(b"bytes", "no bytes"), ({1, 2}, "no set"), (2**64, "beyond 64 bits"), ({1: 2}, "no text"), ([2**64], "64 bits")],
)
def test_parameters_that_a_server_does_not_have(value: object, reason: str, both: Both) -> None:
    with pytest.raises(CypherError, match=reason):
        both.server("RETURN $v", {"v": value})


def test_columns_are_called_as_they_were_written(both: Both) -> None:
    query = "MATCH (n:Person {name: 'Bob'}) RETURN COUNT { (n)<-[]-() }, n.name, 'a\\tb', size([(n)<--(a) | a.name])"
    assert both.server(query).columns == ("COUNT { (n)<-[]-() }", "n.name", "'a\\tb'", "size([(n)<--(a) | a.name])")


def _prepared(query: str) -> Scoped:
    words = tokens(query)
    check(words)
    return scoped(query, words, ())


@pytest.mark.parametrize("query", [*WRITES, *OUTSIDE])
def test_the_guard_alone_knows(query: str) -> None:
    """Without a server, too."""
    with pytest.raises(CypherError):
        _prepared(query)
