"""The kinds of query by which engines were compared, where they read: each with an answer worked out by hand.

raw <-used- prepare <-gen- table <-used- train1 <-gen- model1 <-used- evaluate1 <-gen- metrics1
                           table <-used- train2 <-gen- model2        train2 -used-> config
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from provgraph.graph import Edge, Vertex
from provgraph.graph.rows import Path
from provgraph.stores.cypher import CypherCache


def _at(hour: int) -> str:
    return f"2026-11-20T{hour:02}:00:00+00:00"


@pytest.fixture(scope="module")
def runs(shared_graph: Any) -> Any:
    """The graph above, with two people."""
    activity, snapshot = ["Activity", "Command"], ["Entity", "Snapshot"]
    shared_graph.add(
        {
            "raw": (snapshot, {"path": "raw.csv", "sequence": 1, "size_bytes": 100, "created_at": _at(8)}),
            "prepare": (activity, {"name": "prepare.py #1", "started_at": _at(9), "duration_s": 2.5, "exit_status": 0}),
            "table": (snapshot, {"path": "table.csv", "sequence": 1, "size_bytes": 80, "created_at": _at(9)}),
            "config": (snapshot, {"path": "config.json", "sequence": 1, "size_bytes": 10, "created_at": _at(8)}),
            "train1": (
                activity,
                {"name": "train.py #2", "started_at": _at(10), "duration_s": 60.0, "exit_status": 0, "param_lr": 0.1,
                 "argv": ["python", "train.py"], "metric_values": [0.5, 0.7]},
            ),
            "train2": (
                activity,
                {"name": "train.py #4", "started_at": _at(12), "duration_s": 90.0, "exit_status": 1, "param_lr": 1},
            ),
            "model1": (snapshot, {"path": "model.pkl", "sequence": 1, "size_bytes": 500, "created_at": _at(10)}),
            "model2": (snapshot, {"path": "model.pkl", "sequence": 2, "size_bytes": 700, "created_at": _at(12)}),
            "evaluate1": (
                activity,
                {"name": "evaluate.py #3", "started_at": _at(11), "duration_s": 1.5, "exit_status": 0,
                 "metric_accuracy": 0.9},
            ),
            "metrics1": (snapshot, {"path": "metrics.json", "sequence": 1, "size_bytes": 20, "created_at": _at(11)}),
            "alice": (["Agent", "Person"], {"name": "Alice", "email": "alice@example.org"}),
            "bob": (["Agent", "Person"], {"name": "Bob", "email": "bob@example.org"}),
        },
        [
            ("used", "prepare", "raw", {"at": _at(9)}),
            ("wasGeneratedBy", "table", "prepare"),
            ("used", "train1", "table", {"role": "training"}),
            ("used", "train2", "table"),
            ("used", "train2", "config"),
            ("wasGeneratedBy", "model1", "train1"),
            ("wasGeneratedBy", "model2", "train2"),
            ("used", "evaluate1", "model1"),
            ("wasGeneratedBy", "metrics1", "evaluate1"),
            ("wasDerivedFrom", "model2", "model1", {"prov_type": "Revision"}),
            ("wasAssociatedWith", "prepare", "alice"),
            ("wasAssociatedWith", "train1", "alice"),
            ("wasAssociatedWith", "evaluate1", "alice"),
            ("wasAssociatedWith", "train2", "bob"),
        ],
    )  # fmt: skip
    return shared_graph


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
        [("email",), ("name",), ("uid",)],
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
        f"{TRAIN}RETURN a.started_at = datetime('2026-11-20T11:00:00+01:00'), a.started_at.hour",
        [(True, 10)],
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
    "42 all(x IN nodes(p))": (
        ("MATCH p = (m {path: 'metrics.json'})-[:used|wasGeneratedBy*]->(r {path: 'raw.csv'}) "
        "WHERE all(x IN nodes(p) WHERE x.exit_status IS NULL OR x.exit_status = 0) RETURN length(p)"),
        [(6,)],
    ),
    "43 reduce, range": ("RETURN reduce(s = 0, x IN range(1, 4) | s + x)", [(10,)]),
    "44 several labels": ("MATCH (e:Entity:Snapshot) RETURN count(e)", [(6,)]),
    "45 one of two labels": ("MATCH (n) WHERE n:Snapshot OR n:Person RETURN count(n)", [(8,)]),
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


@pytest.mark.parametrize("kind", MATRIX)
def test_kind_of_query(kind: str, runs: Any, shared_cache: CypherCache) -> None:
    query, expected = MATRIX[kind]
    found = shared_cache.run(query)
    if "ORDER BY" in query:
        assert list(found.rows) == expected
    else:
        assert sorted(found.rows, key=repr) == sorted(expected, key=repr)


def test_parameters_in_lists_keys_and_limits(runs: Any, shared_cache: CypherCache) -> None:
    found = shared_cache.run(
        "UNWIND $paths AS p MATCH (e:Snapshot {path: p}) RETURN e.size_bytes", {"paths": ["raw.csv"]}
    )
    assert found.rows == ((100,),)
    found = shared_cache.run("MATCH (e {path: 'raw.csv'}) RETURN e[$key]", {"key": "size_bytes"})
    assert found.rows == ((100,),)
    found = shared_cache.run(
        "MATCH (a:Command) WHERE a.metric_values = $v RETURN a.name LIMIT $n", {"v": [0.5, 0.7], "n": 1}
    )
    assert found.rows == (("train.py #2",),)


def test_a_date_time_as_parameter(runs: Any, shared_cache: CypherCache) -> None:
    query = "MATCH (a:Command) WHERE a.started_at > $t RETURN a.name"
    assert shared_cache.run(query, {"t": datetime(2026, 11, 20, 11, 30, tzinfo=UTC)}).rows == (("train.py #4",),)
    # Without a zone it is the user's own time.
    local = datetime(2026, 11, 20, 11, 30, tzinfo=UTC).astimezone().replace(tzinfo=None)
    assert shared_cache.run(query, {"t": local}).rows == (("train.py #4",),)


def test_vertices_edges_and_paths_are_whole(runs: Any, shared_cache: CypherCache) -> None:
    query = "MATCH p = (m:Snapshot {path: 'metrics.json'})-[:wasGeneratedBy]->(a) RETURN m, a, p, relationships(p), [m]"
    ((metrics, activity, path, edges, listed),) = shared_cache.run(query).rows
    assert metrics == runs.store.reader.vertex(runs.uid("metrics1"))
    assert isinstance(activity, Vertex)
    assert activity.properties["metric_accuracy"] == 0.9
    assert activity.properties["started_at"] == _at(11)
    assert path == Path((metrics, activity), tuple(edges))
    assert listed == [metrics]
    (edge,) = edges
    assert isinstance(edge, Edge)
    assert edge in runs.store.reader.edges_of(runs.uid("metrics1"))


def test_paths_of_no_length_and_the_same_vertex_twice(runs: Any, shared_cache: CypherCache) -> None:
    ((path, one, two),) = shared_cache.run("MATCH p = (m {path: 'raw.csv'})-[:used*0..0]->(n) RETURN p, m, n").rows
    assert one == two
    assert path == Path((one,), ())


def test_the_rows_are_a_document(runs: Any, shared_cache: CypherCache) -> None:
    rows = shared_cache.run(f"{TRAIN}RETURN a.started_at AS t, a.metric_values AS v, a")
    document = rows.to_json()
    assert document["columns"] == ["t", "v", "a"]
    assert document["rows"][0][:2] == ["2026-11-20T10:00:00+00:00", [0.5, 0.7]]
    assert document["rows"][0][2]["uid"] == runs.uid("train1")


def test_a_ladder_of_diamonds_takes_no_time(graph: Any, cache: CypherCache) -> None:
    steps = 60
    vertices: dict[str, Any] = {"e0a": (["Entity", "Snapshot"], {}), "e0b": (["Entity", "Snapshot"], {})}
    edges = []
    for n in range(1, steps + 1):
        vertices[f"a{n}"] = (["Activity", "Command"], {"name": f"step {n}"})
        for side in "ab":
            vertices[f"e{n}{side}"] = (["Entity", "Snapshot"], {})
            edges += [("used", f"a{n}", f"e{n - 1}{side}"), ("wasGeneratedBy", f"e{n}{side}", f"a{n}")]
    graph.add(vertices, edges)
    query = f"MATCH (a {{name: 'step {steps}'}})-[:used|wasGeneratedBy*]->(m) RETURN count(DISTINCT m)"
    # 2 ** 60 paths, if they were walked one by one
    assert cache.run(query, timeout_s=20).rows == ((2 * steps + steps - 1,),)


def test_procedures_that_list_names(runs: Any, shared_cache: CypherCache) -> None:
    labels = {label for (label,) in shared_cache.run("CALL db.labels()").rows}
    assert labels >= {"Activity", "Command", "Entity", "Snapshot", "Person"}
    types = {name for (name,) in shared_cache.run("CALL db.relationshipTypes() YIELD relationshipType RETURN *").rows}
    assert types >= {"used", "wasGeneratedBy", "wasAssociatedWith"}
    keys = {key for (key,) in shared_cache.run("CALL db.propertyKeys()").rows}
    assert keys >= {"uid", "path", "param_lr", "at"}
