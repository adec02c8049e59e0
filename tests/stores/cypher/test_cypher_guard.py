"""What is refused before it runs; and that nothing a query says changes the graph."""

import contextlib
from typing import Any

import grafeo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.errors import CypherError, ProvGraphError
from provgraph.stores.cypher import CypherCache
from provgraph.stores.cypher.engine import Engine
from provgraph.stores.cypher.feed import Feed
from provgraph.stores.cypher.guard import check
from provgraph.stores.cypher.tokens import tokens

WRITES = [
    "CREATE (n:Entity)",
    "create (n)",
    "CrEaTe\n\t(n)",
    "/* harmless */ CREATE (n)",
    "// harmless\nCREATE (n)",
    "MATCH (n) CREATE (m)",
    "MATCH (n) SET n.x = 1",
    "MATCH (n) SET n:Label",
    "MATCH (n)/**/SET/**/n += {x: 1}",
    "MATCH (n) WHERE n.a = 'x' SET n.x = 1 RETURN n",
    "MATCH (n {set: 1}) SET n.set = 2",
    "MATCH (n) REMOVE n.path",
    "MATCH (n) DELETE n",
    "MATCH (n) DETACH DELETE n",
    "MATCH (n) NODETACH DELETE n",
    "MERGE (n:Entity {uid: 'x'}) ON CREATE SET n.a = 1",
    "MATCH (n) CALL { WITH n SET n.x = 1 } RETURN n",
    "MATCH (n) CALL (n) { DELETE n }",
    "UNWIND [1] AS x CREATE (n)",
    "MATCH (n) FOREACH (x IN [1] | SET n.x = x)",
    "RETURN [x IN [1] | x] MERGE (n)",
    "MATCH (n) RETURN n UNION CREATE (n) RETURN n",
    "CREATE INDEX FOR (n:Entity) ON (n.path)",
    "DROP INDEX x",
    "CREATE CONSTRAINT FOR (n:Entity) REQUIRE n.uid IS UNIQUE",
    "ALTER DATABASE x",
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "load csv with headers from '/etc/passwd' as line return line",
    "MATCH (n) LOAD CSV FROM '/etc/passwd' AS l RETURN l",
    "EXPLAIN CREATE (n)",
    "PROFILE MATCH (n) SET n.x = 1",
    "INSERT (:Entity)",
    "RETURN 'a\\'' CREATE (n)",
    'RETURN "it\'s" CREATE (n)',
    "RETURN 1 AS `a` CREATE (n)",
    "RETURN 1 SET n.x = 1",
    "MATCH (n) WITH * SET n.x = 1",
    "MATCH (n) WITH * CREATE (m)",
    "MATCH (n) WITH * LOAD CSV FROM '/etc/passwd' AS l RETURN l",
    "MATCH (a) ((x)-->(y))+ LOAD CSV FROM '/etc/passwd' AS l RETURN l",
    "MATCH (a) ((x)-->(y))* SET a.x = 1",
    "MATCH (n) WHERE n:% DELETE n",
]

OTHERS = [
    ("CALL grafeo.pagerank()", "db.labels"),
    ("MATCH (n) WITH * CALL grafeo.pagerank() YIELD score RETURN score", "db.labels"),
    ("CALL db.createLabel('X')", "db.labels"),
    ("CALL apoc.create.node(['X'], {}) YIELD node RETURN node", "db.labels"),
    ("SHOW INDEXES", "db.labels"),
    ("USE other MATCH (n) RETURN n", "PROVDB_PROJECT"),
    ("MATCH (n:Entity|Activity) RETURN n", "WHERE n:Entity OR n:Activity"),
    ("MATCH (n) WHERE n:Entity|Activity RETURN n", "WHERE n:Entity OR n:Activity"),
    ("MATCH (n:Entity&Snapshot) RETURN n", "(n:Entity:Snapshot)"),
    ("MATCH (n:!Entity) RETURN n", "WHERE NOT n:Label"),
    ("MATCH (a) ((x)-[:used]->(y)){1,5} (b) RETURN b", "*1..5"),
    ("MATCH (a)-[:used]->{1,5}(b) RETURN b", "*1..5"),
    ("MATCH (a) RETURN duration.between(a.started_at, a.ended_at)", "epochMillis"),
    ("RETURN apoc.text.join(['a'], '-')", "apoc.text.join"),
    ("MATCH (a) UNWIND [(a)-[:used]->(e) | e.path] AS p RETURN p", "name it with WITH"),
    ("RETURN COLLECT { MATCH (n) RETURN n.uid }", "collect"),
    ("MATCH p = SHORTEST 1 (a)-[*]-(b) RETURN p", "shortestPath"),
    ("MATCH p = ()-[]->() RETURN {nodes: nodes(p), edges: relationships(p)}", "call one of them something else"),
    ("", "--examples"),
    ("// only a comment", "--examples"),
    ("RETURN 'abc", "does not end"),
    ("RETURN `abc", "does not end"),
    ("RETURN 1 /* abc", "does not end"),
    ("\\u0043REATE (n)", "backslash"),
    ("RETURN $missing", "--param missing=VALUE"),
]

READS = [
    "MATCH (n) RETURN n.create, n.set, n.`delete`, n.load",
    "MATCH (n:Create)-[:set|delete]->(m {merge: 1}) RETURN m",
    "MATCH (n) WHERE n.path = 'CREATE (n)' RETURN n",
    "MATCH (n) WHERE n.path = $create RETURN n",
    "// CREATE (n)\nMATCH (n) RETURN n /* SET n.x = 1 */",
    "MATCH (n) RETURN {set: 1, delete: n.x} AS m",
    "MATCH (`create`) RETURN `create`.path",
    "MATCH (n) RETURN n.path AS `set`",
    "MATCH (n) CALL { MATCH (m) RETURN count(m) AS c } RETURN c",
    "MATCH (n) RETURN [x IN labels(n) WHERE x <> 'Entity' | x] AS l",
    "MATCH (start)-[r]->(end) RETURN start.path, end.path",
    "EXPLAIN MATCH (n) RETURN n",
    "MATCH (n) RETURN count(n);",
]


@pytest.mark.parametrize("query", WRITES)
def test_what_writes_is_refused(query: str) -> None:
    with pytest.raises(CypherError, match="only reads"):
        check(tokens(query))


@pytest.mark.parametrize(("query", "instead"), OTHERS)
def test_what_does_not_run_on_both_stores_names_what_does(query: str, instead: str, shared_cache: CypherCache) -> None:
    with pytest.raises(CypherError) as refused:
        shared_cache.run(query)
    assert instead in str(refused.value)


@pytest.mark.parametrize("query", READS)
def test_what_reads_runs(query: str, shared_cache: CypherCache) -> None:
    shared_cache.run(query, {"create": "x"})


@pytest.mark.parametrize(
    "query",
    [
        "MATCH (n) RETURN nope(n)",
        "MATCH (n) WHERE RETURN n",
        "RETURN 1 AS a, 2 AS a",
        "MATCH (n) RETURN m",
        "RETURN 1/0",
    ],
)
def test_an_error_of_the_engine_is_told_in_our_words(query: str, shared_cache: CypherCache) -> None:
    with pytest.raises(CypherError, match="does not run") as failed:
        shared_cache.run(query)
    assert "GRAFEO" not in str(failed.value)
    assert "provdb cypher --examples" in str(failed.value)


def _digest(engine: Engine) -> Any:
    """Everything in the engine's graph."""
    database = engine._database
    nodes = [repr(row) for row in database.execute_cypher("MATCH (n) RETURN n")]
    edges = [repr(row) for row in database.execute_cypher("MATCH ()-[r]->() RETURN r")]
    return sorted(nodes), sorted(edges), database.detailed_stats()["node_count"]


@pytest.fixture
def engine(graph: Any) -> Engine:
    graph.add(
        {"a": (["Activity"], {"name": "a", "values": [0.1, 0.2]}), "e": (["Entity"], {"path": "e"})},
        [("used", "a", "e", {"role": "x"})],
    )
    return Engine(Feed(graph.store.folder / "graph.db", graph.store.project))


def test_the_graph_stays_as_it_is_even_where_nothing_refuses(engine: Engine) -> None:
    engine.answer("MATCH (n) RETURN n", {}, None)
    before = _digest(engine)
    # Past the guard, which is the first line of defence: a transaction that is rolled back is the second.
    for query in WRITES:
        with contextlib.suppress(grafeo.GrafeoError, KeyError):  # some run, some return what the projection has not
            engine.answer(query, {}, None)
    assert _digest(engine) == before


@given(st.lists(st.sampled_from([*"(){}[]:.,|'\"`/*\n$-> ", "CREATE", "set", "MATCH", "n", "RETURN", "CALL", "x"])))
def test_any_text_is_refused_or_free_of_writing_clauses(pieces: list[str]) -> None:
    query = " ".join(pieces)
    try:
        words = tokens(query)
        check(words)
    except ProvGraphError:
        return
    # Nothing is lost between words, and a word that writes is never where a clause begins.
    assert all(query.startswith(token.text, token.start) for token in words)
    for place, token in enumerate(words):
        if token.word in ("CREATE", "SET") and place:
            assert words[place - 1].text in (*".:|$([,-/>", "{")
