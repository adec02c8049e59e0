"""The 54 kinds of question by which engines were compared, each on both stores, with an answer worked out by hand.

Where the embedded engine cannot, its error names the spelling that both read, and that one is asked too.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cypher_samples import Ask, Both, at, both_stores, runs

from provgraph.errors import CypherError
from provgraph.graph import Edge, Vertex
from provgraph.graph.rows import Path


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, neo4j_server: Any) -> Iterator[Both]:
    """The runs of ``cypher_samples``, in both stores."""
    from neo4j_server import remote_of

    with both_stores(tmp_path_factory.mktemp("runs"), remote_of(neo4j_server)) as made:
        runs(made.graph)
        made.send()
        yield made


@pytest.fixture(params=["embedded", "server"])
def ask(request: pytest.FixtureRequest, both: Both) -> Ask:
    """One of the stores."""
    found: Ask = getattr(both, request.param)
    return found


TRAIN = "MATCH (a:Command {name: 'train.py #2'}) "
UPSTREAM = "-[:used|wasGeneratedBy*1..10]->"

MATRIX: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "01 label, relation, WHERE": (
        "MATCH (a:Activity)-[:used]->(e:Entity) WHERE e.path = 'table.csv' RETURN a.name ORDER BY a.name",
        [("train.py #2",), ("train.py #4",)],
    ),
    "02 several relations, type(r)": (
        ("MATCH (a:Activity {name: 'train.py #4'})-[r:used|wasAssociatedWith]->(x) "
        "RETURN type(r), coalesce(x.path, x.name) AS what ORDER BY what"),
        [("wasAssociatedWith", "Bob"), ("used", "config.json"), ("used", "table.csv")],
    ),
    "03 a length, two relations": (
        f"MATCH (m {{path: 'metrics.json'}}){UPSTREAM}(x:Entity) RETURN x.path ORDER BY x.path",
        [("model.pkl",), ("raw.csv",), ("table.csv",)],
    ),
    "04 any length": (
        "MATCH (m {path: 'metrics.json'})-[:used|wasGeneratedBy*]->(x) RETURN count(DISTINCT x)",
        [(6,)],
    ),
    "05 from length zero": (
        "MATCH (m {path: 'metrics.json'})-[*0..2]->(x) RETURN DISTINCT coalesce(x.path, x.name) AS what ORDER BY what",
        [("Alice",), ("evaluate.py #3",), ("metrics.json",), ("model.pkl",)],
    ),
    "06 shortestPath": (
        "MATCH p = shortestPath((m {path: 'metrics.json'})-[*]->(r {path: 'raw.csv'})) RETURN length(p)",
        [(6,)],
    ),
    "07 allShortestPaths": (
        "MATCH p = allShortestPaths((m {path: 'metrics.json'})-[*]->(r {path: 'raw.csv'})) RETURN length(p)",
        [(6,)],
    ),
    "08 OPTIONAL MATCH": (
        ("MATCH (e:Snapshot) OPTIONAL MATCH (e)-[:wasGeneratedBy]->(a) "
        "WITH e, a WHERE a IS NULL RETURN e.path ORDER BY e.path"),
        [("config.json",), ("raw.csv",)],
    ),
    "09 WITH, aggregation, WHERE": (
        "MATCH (a:Activity)-[:used]->(e) WITH e, count(a) AS users WHERE users > 1 RETURN e.path, users",
        [("table.csv", 2)],
    ),
    "10 collect": (
        ("MATCH (a)-[:wasAssociatedWith]->(p:Person) WITH p, a ORDER BY a.name "
        "RETURN p.name AS who, collect(a.name) ORDER BY who"),
        [("Alice", ["evaluate.py #3", "prepare.py #1", "train.py #2"]), ("Bob", ["train.py #4"])],
    ),
    "12 list comprehension": (
        f"{TRAIN}RETURN [v IN a.metric_values WHERE v > 0.6 | v * 2], [w IN a.argv | toUpper(w)]",
        [([1.4], ["PYTHON", "TRAIN.PY"])],
    ),
    "13 properties(n)": (
        "MATCH (p:Person {name: 'Bob'}) RETURN properties(p).email",
        [("bob@example.org",)],
    ),
    "14 labels(n)": ("MATCH (p {name: 'Bob'}) RETURN labels(p)", [(["Agent", "Person"],)]),
    "15 keys(n)": (
        "MATCH (p {name: 'Bob'}) UNWIND keys(p) AS k RETURN k ORDER BY k",
        [("email",), ("name",), ("project",), ("uid",)],
    ),
    "16 coalesce": (f"{TRAIN}RETURN coalesce(a.nothing, a.param_lr)", [(0.1,)]),
    "17 CASE": (
        "MATCH (a:Command) RETURN CASE WHEN a.exit_status = 0 THEN 'ok' ELSE 'failed' END AS s, count(*) ORDER BY s",
        [("failed", 1), ("ok", 3)],
    ),
    "18 regular expression": ("MATCH (e) WHERE e.path =~ '.*\\\\.json' RETURN count(e)", [(2,)]),
    "19 STARTS WITH, CONTAINS": (
        "MATCH (e:Snapshot) WHERE e.path STARTS WITH 'model' AND e.path CONTAINS '.p' RETURN e.sequence",
        [(1,), (2,)],
    ),
    "20 datetime() compared": (
        "MATCH (a:Command) WHERE a.started_at >= datetime('2026-11-20T11:00:00Z') RETURN a.name ORDER BY a.started_at",
        [("evaluate.py #3",), ("train.py #4",)],
    ),
    "21 datetime minus duration": (
        "MATCH (a:Command) WHERE a.started_at > datetime('2026-11-20T13:00:00Z') - duration('PT90M') RETURN a.name",
        [("train.py #4",)],
    ),
    "22 a stored date-time": (f"{TRAIN}RETURN a.started_at", [(datetime(2026, 11, 20, 10, tzinfo=UTC),)]),
    "22b the zone does not matter": (
        (
            f"{TRAIN}WITH a, datetime('2026-11-20T10:59:00+01:00') AS t RETURN a.started_at > t, a.started_at <= t, "
            "a.started_at = datetime('2026-11-20T10:00Z'), a.started_at.hour"
        ),
        [(True, False, True, 10)],
    ),
    "23 map projection": (f"{TRAIN}RETURN a {{.name, lr: a.param_lr}}", [({"name": "train.py #2", "lr": 0.1},)]),
    "24 map projection .*": ("MATCH (p:Person {name: 'Bob'}) RETURN p {.*}.email AS mail", [("bob@example.org",)]),
    "25 EXISTS { pattern }": (
        "MATCH (e:Snapshot) WHERE NOT EXISTS { (e)<-[:used]-() } RETURN e.path, e.sequence ORDER BY e.path",
        [("metrics.json", 1), ("model.pkl", 2)],
    ),
    "26 EXISTS { MATCH WHERE }": (
        "MATCH (e:Snapshot) WHERE EXISTS { MATCH (e)<-[:used]-(a) WHERE a.exit_status = 1 } RETURN e.path",
        [("config.json",), ("table.csv",)],
    ),
    "27 COUNT { }": (
        "MATCH (e:Snapshot) WHERE COUNT { (e)<-[:used]-() } = 2 RETURN e.path",
        [("table.csv",)],
    ),
    "28 CALL { WITH a … }": (
        ("MATCH (p:Person) CALL { WITH p MATCH (a)-[:wasAssociatedWith]->(p) RETURN count(a) AS n } "
        "RETURN p.name, n ORDER BY n"),
        [("Bob", 1), ("Alice", 3)],
    ),
    "29 CALL (a) { … }": (
        ("MATCH (p:Person) CALL (p) { MATCH (a)-[:wasAssociatedWith]->(p) RETURN max(a.duration_s) AS s } "
        "RETURN p.name, s ORDER BY s"),
        [("Alice", 60.0), ("Bob", 90.0)],
    ),
    "30 pattern predicate": ("MATCH (e:Snapshot) WHERE (e)-[:wasDerivedFrom]->() RETURN e.sequence", [(2,)]),
    "31 pattern comprehension": (
        "MATCH (a {name: 'train.py #4'}) WITH [(a)-[:used]->(e) | e.path] AS l UNWIND l AS p RETURN p ORDER BY p",
        [("config.json",), ("table.csv",)],
    ),
    "38 ORDER BY, SKIP, LIMIT": (
        "MATCH (a:Command) RETURN a.name ORDER BY a.started_at DESC SKIP 1 LIMIT 2",
        [("evaluate.py #3",), ("train.py #2",)],
    ),
    "39 UNION": (
        "MATCH (p:Person) RETURN p.name AS n UNION MATCH (e {path: 'raw.csv'}) RETURN e.path AS n",
        [("Alice",), ("Bob",), ("raw.csv",)],
    ),
    "40 RETURN p": (
        "MATCH p = (m {path: 'metrics.json'})-[:wasGeneratedBy]->() WITH p AS w RETURN length(w), nodes(w)[0].path",
        [(1, "metrics.json")],
    ),
    "41 nodes(p), relationships(p)": (
        ("MATCH p = (m {path: 'metrics.json'})-[*2]->(x {path: 'model.pkl'}) "
        "RETURN [n IN nodes(p) | coalesce(n.path, n.name)], [r IN relationships(p) | type(r)]"),
        [(["metrics.json", "evaluate.py #3", "model.pkl"], ["wasGeneratedBy", "used"])],
    ),
    "42 all(x IN nodes(p))": (
        ("MATCH p = (m {path: 'metrics.json'})-[:used|wasGeneratedBy*]->(r {path: 'raw.csv'}) "
        "WHERE all(x IN nodes(p) WHERE x.exit_status IS NULL OR x.exit_status = 0) RETURN length(p)"),
        [(6,)],
    ),
    "43 reduce, range": ("RETURN reduce(s = 0, x IN range(1, 4) | s + x)", [(10,)]),
    "44 several labels": ("MATCH (e:Entity:Snapshot) RETURN count(e)", [(6,)]),
    "45 one of two labels": ("MATCH (n) WHERE n:Snapshot OR n:Person RETURN count(n)", [(8,)]),
    "47 elementId(n)": ("MATCH (a {name: 'Bob'}), (b {name: 'Bob'}) RETURN elementId(a) = elementId(b)", [(True,)]),
    "48 a key with values of several types": (
        "MATCH (a) WHERE a.param_lr >= 1 RETURN a.name, a.param_lr",
        [("train.py #4", 1)],
    ),
    "49 a key that few have": ("MATCH (a) WHERE a.metric_accuracy > 0.7 RETURN a.name", [("evaluate.py #3",)]),
    "53 undirected, startNode": (
        "MATCH (e {path: 'config.json'})-[r]-(x) RETURN startNode(r).name, endNode(r).path, x.name",
        [("train.py #4", "config.json", "train.py #4")],
    ),
    "54 aggregates": (
        ("MATCH (a:Command) RETURN count(*), count(a.param_lr), count(DISTINCT a.exit_status), min(a.duration_s), "
        "max(a.started_at), avg(a.duration_s), sum(a.duration_s)"),
        [(4, 2, 2, 1.5, datetime(2026, 11, 20, 12, tzinfo=UTC), 38.5, 154.0)],
    ),
}  # fmt: skip


PARAMETERS: dict[str, tuple[str, dict[str, Any], list[tuple[Any, ...]]]] = {
    "11 UNWIND $list": (
        "UNWIND $paths AS p MATCH (e:Snapshot {path: p}) RETURN e.size_bytes", {"paths": ["raw.csv"]}, [(100,)],
    ),
    "50 a list as parameter": (
        "MATCH (a:Command) WHERE a.metric_values = $v RETURN a.name LIMIT $n", {"v": [0.5, 0.7], "n": 1},
        [("train.py #2",)],
    ),
    "52 n[$key]": ("MATCH (e {path: 'raw.csv'}) RETURN e[$key]", {"key": "size_bytes"}, [(100,)]),
}  # fmt: skip

WRITES: dict[str, str] = {
    "32 MERGE": "MERGE (n:Entity {uid: 'x'}) ON CREATE SET n.a = 1 ON MATCH SET n.a = 2 RETURN n",
    "33 SET +=": "MATCH (n {path: 'raw.csv'}) SET n += {added: 1} RETURN n",
    "34 REMOVE, SET a label": "MATCH (n {path: 'raw.csv'}) REMOVE n.sequence SET n:Changed RETURN n",
    "35 DETACH DELETE": "MATCH (n {path: 'raw.csv'}) DETACH DELETE n",
    "36 UNWIND, MERGE": "UNWIND [{uid: 'x'}] AS row MERGE (n:Entity {uid: row.uid}) SET n += row",
    "37 UNWIND, MERGE an edge": "UNWIND ['x'] AS u MATCH (a {uid: u}), (b {uid: u}) MERGE (a)-[:used]->(b)",
    "51 FOREACH": "MATCH (n {path: 'raw.csv'}) FOREACH (x IN [1] | SET n.x = x)",
}

ONE_STORE: dict[str, tuple[str, str, str, list[tuple[Any, ...]]]] = {
    "45 label expression": (
        "MATCH (n:Snapshot|Person) RETURN count(n)", "WHERE n:Snapshot OR n:Person",
        "MATCH (n) WHERE n:Snapshot OR n:Person RETURN count(n)", [(8,)],
    ),
    "46 quantified path": (
        "MATCH (m {path: 'metrics.json'}) ((x)-[:used|wasGeneratedBy]->(y)){1,5} (e:Entity) RETURN DISTINCT e.path",
        "-[:used|wasGeneratedBy*1..5]->",
        "MATCH (m {path: 'metrics.json'})-[:used|wasGeneratedBy*1..5]->(e:Entity) RETURN DISTINCT e.path",
        [("model.pkl",), ("table.csv",)],
    ),
}  # fmt: skip
"""Query, what the embedded store's error names, the spelling that both read, the answer."""


def _check(query: str, found: Any, expected: list[tuple[Any, ...]]) -> None:
    if "ORDER BY" in query:
        assert list(found.rows) == expected
    else:
        assert sorted(found.rows, key=repr) == sorted(expected, key=repr)


@pytest.mark.parametrize("kind", MATRIX)
def test_kind_of_query(kind: str, ask: Ask) -> None:
    query, expected = MATRIX[kind]
    _check(query, ask(query), expected)


@pytest.mark.parametrize("kind", PARAMETERS)
def test_kind_with_parameters(kind: str, ask: Ask) -> None:
    query, given, expected = PARAMETERS[kind]
    _check(query, ask(query, given), expected)


@pytest.mark.parametrize("kind", WRITES)
def test_kind_that_writes(kind: str, ask: Ask) -> None:
    with pytest.raises(CypherError, match="only reads"):
        ask(WRITES[kind])
    assert ask("MATCH (n {path: 'raw.csv'}) RETURN keys(n) = keys(n), n.sequence, n.x, n.added").rows == (
        (True, 1, None, None),
    )


@pytest.mark.parametrize("kind", ONE_STORE)
def test_kind_that_the_embedded_engine_lacks(kind: str, both: Both) -> None:
    query, names, instead, expected = ONE_STORE[kind]
    with pytest.raises(CypherError) as refused:
        both.embedded(query)
    assert "does not run on the embedded store" in str(refused.value)
    assert names in str(refused.value)
    _check(query, both.server(query), expected)
    _check(instead, both(instead), expected)


def test_every_kind_is_here() -> None:
    kinds = {kind[:2] for kind in (*MATRIX, *PARAMETERS, *WRITES, *ONE_STORE)}
    assert kinds == {f"{number:02}" for number in range(1, 55)}


def test_a_date_time_as_parameter(both: Both, ask: Ask) -> None:
    query = "MATCH (a:Command) WHERE a.started_at > $t RETURN a.name"
    assert ask(query, {"t": datetime(2026, 11, 20, 11, 30, tzinfo=UTC)}).rows == (("train.py #4",),)
    # Without a zone it is the user's own time.
    local = datetime(2026, 11, 20, 11, 30, tzinfo=UTC).astimezone().replace(tzinfo=None)
    assert ask(query, {"t": local}).rows == (("train.py #4",),)


def test_vertices_edges_and_paths_are_whole(both: Both, ask: Ask) -> None:
    query = "MATCH p = (m:Snapshot {path: 'metrics.json'})-[:wasGeneratedBy]->(a) RETURN m, a, p, relationships(p), [m]"
    ((metrics, activity, path, edges, listed),) = ask(query).rows
    assert metrics == both.graph.store.reader.vertex(both.uid("metrics1"))
    assert isinstance(activity, Vertex)
    assert activity.properties["metric_accuracy"] == 0.9
    assert activity.properties["started_at"] == at(11)
    assert path == Path((metrics, activity), tuple(edges))
    assert listed == [metrics]
    (edge,) = edges
    assert isinstance(edge, Edge)
    assert edge in both.graph.store.reader.edges_of(both.uid("metrics1"))


def test_paths_of_no_length_and_the_same_vertex_twice(both: Both, ask: Ask) -> None:
    ((path, one, two),) = ask("MATCH p = (m {path: 'raw.csv'})-[:used*0..0]->(n) RETURN p, m, n").rows
    assert one == two
    assert path == Path((one,), ())


def test_the_rows_are_a_document(both: Both, ask: Ask) -> None:
    rows = ask(f"{TRAIN}RETURN a.started_at AS t, a.metric_values AS v, a")
    document = rows.to_json()
    assert document["columns"] == ["t", "v", "a"]
    assert document["rows"][0][:2] == ["2026-11-20T10:00:00+00:00", [0.5, 0.7]]
    assert document["rows"][0][2]["uid"] == both.uid("train1")


def test_procedures_that_list_names(ask: Ask) -> None:
    labels = [label for (label,) in ask("CALL db.labels()").rows]
    assert sorted(labels) == ["Activity", "Agent", "Command", "Entity", "Person", "Snapshot"]
    types = {name for (name,) in ask("CALL db.relationshipTypes() YIELD relationshipType RETURN *").rows}
    assert types == {"used", "wasGeneratedBy", "wasAssociatedWith", "wasDerivedFrom"}
    keys = {key for (key,) in ask("CALL db.propertyKeys()").rows}
    assert keys >= {"uid", "project", "path", "param_lr", "at", "role"}
    assert not keys & {"of", "last", "data", "stamp"}
    found = ask("CALL db.labels() YIELD label AS name WHERE name STARTS WITH 'A' RETURN name ORDER BY name").rows
    assert found == (("Activity",), ("Agent",))
