"""Graphs to ask in Cypher, in the embedded store and at a server, and what both must answer."""

import math
import random
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from team_samples import push

from provgraph.graph.rows import Rows
from provgraph.model.identity import Namespace
from provgraph.stores import EmbeddedStore, init_project
from provgraph.stores.cypher import CypherCache

AT = "2026-11-20T12:00:00.123456+00:00"
Ask = Callable[..., Rows]
"""``ask(query, params)``."""


class Graph:
    """Writes events into a store; vertices bear names that only the test knows."""

    def __init__(self, store: EmbeddedStore) -> None:
        self.store = store

    def uid(self, name: str) -> str:
        """The uid of the vertex called ``name``."""
        return Namespace(self.store.project).artifact(name)

    def add(
        self,
        vertices: Mapping[str, tuple[Sequence[str], Mapping[str, Any]]] | None = None,
        edges: Sequence[tuple[Any, ...]] = (),
        changes: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """One event: vertices by name, edges (type, name, name[, properties]), properties to set by name."""
        with self.store.journal.batch() as batch:
            event = batch.event("provenance.declared", AT)
            for name, (labels, properties) in (vertices or {}).items():
                event.vertex(labels, properties, self.uid(name))
            for type, source, target, *more in edges:
                event.edge(type, self.uid(source), self.uid(target), **(more[0] if more else {}))
            for name, properties in (changes or {}).items():
                event.set(self.uid(name), **properties)


class Both:
    """One graph, asked in the embedded store and at a server."""

    def __init__(self, graph: Graph, cache: CypherCache, team: Any) -> None:
        self.graph, self.cache, self.team = graph, cache, team
        self.uid = graph.uid

    def send(self) -> None:
        """Bring the server up to date."""
        push(self.team, self.graph.store)

    def embedded(self, query: str, params: Mapping[str, Any] | None = None) -> Rows:
        """The embedded store's answer."""
        return self.cache.run(query, params)

    def server(self, query: str, params: Mapping[str, Any] | None = None) -> Rows:
        """The server's."""
        found: Rows = self.team.cypher(query, params)
        return found

    def __call__(self, query: str, params: Mapping[str, Any] | None = None) -> Rows:
        """The answer of both, which must be the same in every bit; rows in any order unless the query sorts them."""
        one, other = self.embedded(query, params), self.server(query, params)
        assert one.columns == other.columns
        assert one.notes == other.notes
        mine, theirs = list(one.rows), list(other.rows)
        if "ORDER BY" not in query:
            mine, theirs = sorted(mine, key=repr), sorted(theirs, key=repr)
        assert same([list(row) for row in mine], [list(row) for row in theirs]), f"{mine}\n{theirs}"
        return one


@contextmanager
def both_stores(folder: Path, remote: Any) -> Iterator[Both]:
    """An empty graph of a project of its own, in a new store and at a server."""
    from provgraph.stores.neo4j import TeamStore

    folder.mkdir(exist_ok=True)
    with (
        init_project(str(folder)) as store,
        CypherCache(store) as cache,
        TeamStore(remote, store.project, write=True) as team,
    ):
        team.migrate()
        yield Both(Graph(store), cache, team)


def same(one: Any, other: Any) -> bool:
    """Equal in type and in every bit; the zones of date-times need only mean the same."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


# -- a small project, and questions of every kind


def at(hour: int) -> str:
    """A time of the day of these runs, as ingestion writes it."""
    return f"2026-11-20T{hour:02}:00:00.000000+00:00"


def runs(graph: Graph) -> None:
    """Two trainings by two people.

    raw <-used- prepare <-gen- table <-used- train1 <-gen- model1 <-used- evaluate1 <-gen- metrics1
                               table <-used- train2 <-gen- model2        train2 -used-> config
    """
    activity, snapshot = ["Activity", "Command"], ["Entity", "Snapshot"]
    graph.add(
        {
            "raw": (snapshot, {"path": "raw.csv", "sequence": 1, "size_bytes": 100, "created_at": at(8)}),
            "prepare": (activity, {"name": "prepare.py #1", "started_at": at(9), "duration_s": 2.5, "exit_status": 0}),
            "table": (snapshot, {"path": "table.csv", "sequence": 1, "size_bytes": 80, "created_at": at(9)}),
            "config": (snapshot, {"path": "config.json", "sequence": 1, "size_bytes": 10, "created_at": at(8)}),
            "train1": (
                activity,
                {"name": "train.py #2", "started_at": at(10), "duration_s": 60.0, "exit_status": 0, "param_lr": 0.1,
                 "argv": ["python", "train.py"], "metric_values": [0.5, 0.7]},
            ),
            "train2": (
                activity,
                {"name": "train.py #4", "started_at": at(12), "duration_s": 90.0, "exit_status": 1, "param_lr": 1},
            ),
            "model1": (snapshot, {"path": "model.pkl", "sequence": 1, "size_bytes": 500, "created_at": at(10)}),
            "model2": (snapshot, {"path": "model.pkl", "sequence": 2, "size_bytes": 700, "created_at": at(12)}),
            "evaluate1": (
                activity,
                {"name": "evaluate.py #3", "started_at": at(11), "duration_s": 1.5, "exit_status": 0,
                 "metric_accuracy": 0.9},
            ),
            "metrics1": (snapshot, {"path": "metrics.json", "sequence": 1, "size_bytes": 20, "created_at": at(11)}),
            "alice": (["Agent", "Person"], {"name": "Alice", "email": "alice@example.org"}),
            "bob": (["Agent", "Person"], {"name": "Bob", "email": "bob@example.org"}),
        },
        [
            ("used", "prepare", "raw", {"at": at(9)}),
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


# -- random graphs, and questions with parameters


def history(chance: random.Random, graph: Graph, steps: int, prefix: str = "") -> None:
    """A random acyclic history: commands by two people, with parameters, metrics and times; some are recorded late."""
    snapshots: list[str] = []
    paths = [f"{prefix}{name}" for name in ("raw.csv", "table.csv", "model.pkl", "größe.txt", "out/a b.json")]
    sequence = dict.fromkeys(paths, 0)
    people = {"alice": "Alice", "bob": "Bob"}
    vertices: dict[str, Any] = {name: (["Agent", "Person"], {"name": people[name]}) for name in people}
    vertices |= {f"artifact {path}": (["Entity", "Artifact"], {"path": path}) for path in paths}
    edges: list[tuple[Any, ...]] = []
    for step in range(steps):
        name = f"{prefix}run {step}"
        held: dict[str, Any] = {
            "name": name, "number": step, "started_at": at(step % 24), "utility": chance.choice(["python", "sort"]),
            "duration_s": chance.choice([0.5, 1.25, 2.0, 60.0]), "exit_status": chance.choice([0, 0, 0, 1, 2]),
            "argv": [chance.choice(["python", "sort"]), chance.choice(["-u", "x y", "'; DROP"])],
        }  # fmt: skip
        if chance.random() < 0.6:
            held["param_lr"] = chance.choice([0.1, 1, 0.01, "auto"])
        if chance.random() < 0.5:
            held["metric_accuracy"] = chance.randrange(100) / 128
        if chance.random() < 0.3:
            held["metric_values"] = [chance.randrange(100) / 64 for _ in range(3)]
        labels = ["Activity", chance.choice(["Command", "Command", "Unseen"])]
        vertices[name] = (labels, held)
        if labels[1] == "Command":
            edges.append(("wasAssociatedWith", name, chance.choice(list(people))))
        for snapshot in chance.sample(snapshots, min(len(snapshots), chance.randrange(4))):
            more = {"at": at(step % 24)} | (
                {"role": chance.choice(["input", "training"])} if chance.random() < 0.3 else {}
            )
            edges.append(("used", name, snapshot, more))
        for path in chance.sample(paths, chance.randrange(3)):
            sequence[path] += 1
            snapshot = f"{path}@{sequence[path]}"
            held = {"path": path, "sequence": sequence[path], "size_bytes": chance.randrange(1000)}
            vertices[snapshot] = (["Entity", "Snapshot"], held)
            edges += [("wasGeneratedBy", snapshot, name), ("specializationOf", snapshot, f"artifact {path}")]
            if sequence[path] > 1:
                edges.append(("wasDerivedFrom", snapshot, f"{path}@{sequence[path] - 1}", {"prov_type": "Revision"}))
            snapshots.append(snapshot)
    names = list(vertices)
    for start in range(0, len(names), 7):  # events of several sizes, edges with those that bring their first end
        part = names[start : start + 7]
        graph.add({name: vertices[name] for name in part}, [edge for edge in edges if edge[1] in part])
    for name in chance.sample(names, 3):
        graph.add(changes={name: {"note": chance.choice(["seen", "sé\u0301en"]), "rating": chance.randrange(5)}})


def parameters(chance: random.Random, graph: Graph, prefix: str = "") -> dict[str, Any]:
    """Values for the questions below."""
    paths = [f"{prefix}{name}" for name in ("raw.csv", "table.csv", "model.pkl", "größe.txt", "nowhere")]
    return {
        "path": chance.choice(paths), "other": chance.choice(paths), "n": chance.randrange(1, 4),
        "name": f"{prefix}run {chance.randrange(8)}", "x": chance.choice([0.0, 0.25, 0.5]),
        "since": chance.randrange(24), "paths": chance.sample(paths, 2), "uid": graph.uid(f"{paths[0]}@1"),
        "key": chance.choice(["path", "name", "nothing", "exit_status"]), "text": chance.choice(["r", "run", "ö", ""]),
    }  # fmt: skip


QUESTIONS = [
    "MATCH (n) RETURN n.uid AS uid, n.path AS path, n.name AS name",
    "MATCH (n) UNWIND labels(n) AS label RETURN label, count(*) AS n",
    "MATCH (n) UNWIND keys(n) AS key RETURN key, count(*) AS n",
    "MATCH ()-[r]->() RETURN type(r) AS type, count(*) AS n, count(r.role) AS roles, min(r.at) AS first",
    "MATCH (s:Snapshot {path: $path}) RETURN s.sequence AS s ORDER BY s",
    "MATCH (s:Entity:Snapshot {path: $path})-[r]->(x) WHERE x:Entity:Snapshot OR x:Activity RETURN x.uid AS x",
    "MATCH (s:Snapshot {path: $path})-[:wasGeneratedBy]->(a)-[:used]->(o) RETURN a.name AS a, o.uid AS o",
    "MATCH (s:Snapshot {path: $path})-[:used|wasGeneratedBy*]->(o) RETURN DISTINCT o.uid AS o",
    "MATCH (s {uid: $uid})-[:used|wasGeneratedBy*1..4]->(o) RETURN DISTINCT o.uid AS o",
    "MATCH (s {uid: $uid})<-[:used|wasGeneratedBy*0..3]-(o) RETURN DISTINCT o.uid AS o",
    "MATCH (s:Snapshot {path: $path})-[r]-(o) RETURN type(r) AS r, startNode(r).uid AS a, endNode(r).uid AS b",
    "MATCH (a:Activity) WHERE a.exit_status <> 0 OR a.param_lr IS NULL RETURN a.name AS name, a.utility AS utility",
    "MATCH (a:Activity) WHERE a.started_at >= datetime('2026-11-20T00:00Z') + duration({hours: $since}) RETURN a.name",
    "MATCH (a:Activity) RETURN a.started_at AS at, a.started_at.hour AS hour, a.argv AS argv, a.param_lr AS lr",
    "MATCH (a:Activity) WHERE a.metric_accuracy > $x RETURN count(*) AS n, sum(a.number) AS s, max(a.duration_s) AS m",
    "MATCH (a:Activity) WHERE a.param_lr >= 1 RETURN a.name AS name, a.param_lr AS lr",
    (
        "MATCH (a:Activity) OPTIONAL MATCH (a)-[:wasAssociatedWith]->(p:Person) "
        "RETURN coalesce(p.name, '-') AS who, count(a) AS n"
    ),
    "MATCH (e:Snapshot) OPTIONAL MATCH (a)-[:used]->(e) WITH e, count(a) AS n WHERE n >= $n RETURN e.uid, n",
    "MATCH (e:Snapshot) WHERE NOT EXISTS { (e)<-[:used]-() } RETURN e.path AS path, e.sequence AS s",
    "MATCH (e:Snapshot) WHERE EXISTS { MATCH (e)<-[:used]-(a) WHERE a.exit_status = 0 } RETURN e.uid AS e",
    "MATCH (e:Snapshot) WHERE COUNT { (e)<-[:used]-() } > 1 RETURN e.uid AS e",
    "MATCH (e:Snapshot) WHERE (e)-[:wasDerivedFrom]->() AND NOT (e)<-[:used]-() RETURN e.uid AS e",
    "MATCH (e:Snapshot) RETURN e.uid AS e, COUNT { (e)-[:wasGeneratedBy]->(:Command) } AS n",
    "MATCH (p:Person) CALL { WITH p MATCH (a)-[]->(p) RETURN max(a.duration_s) AS s } RETURN p.name, s",
    "MATCH (p:Person) CALL (p) { MATCH (a)-[:wasAssociatedWith]->(p) RETURN count(a) AS n } RETURN p.name, n",
    "MATCH (a {name: $name}) WITH [(a)-[:used]->(e) | e.path] AS paths UNWIND paths AS p RETURN p, count(*) AS n",
    "UNWIND $paths AS p MATCH (s:Snapshot {path: p}) RETURN p, count(s) AS n, max(s.sequence) AS newest",
    "MATCH (s:Snapshot) WHERE s.path STARTS WITH $text OR s.path CONTAINS $text RETURN s.uid AS s",
    "MATCH (s:Snapshot) WHERE s.path =~ '.*\\\\.(csv|pkl)' RETURN count(s) AS n",
    "MATCH (n) WHERE n[$key] IS NOT NULL RETURN n.uid AS n, n[$key] AS value",
    "MATCH (a:Activity) RETURN a {.name, .exit_status, lr: a.param_lr} AS m",
    "MATCH (a:Activity) RETURN CASE WHEN a.exit_status = 0 THEN 'ok' ELSE 'no' END AS how, count(*) AS n ORDER BY how",
    "MATCH (s:Snapshot) RETURN s.path AS p, s.sequence AS s ORDER BY p DESC, s SKIP 1 LIMIT 5",
    "MATCH (s {path: $path}) RETURN s.uid AS x UNION MATCH (s {path: $other}) RETURN s.uid AS x",
    (
        "MATCH p = shortestPath((a:Snapshot {path: $path})-[:used|wasGeneratedBy*]->(b:Snapshot {path: $other})) "
        "WHERE a <> b RETURN a.uid AS a, b.uid AS b, length(p) AS n"
    ),
    (
        "MATCH p = (a:Snapshot {path: $path})-[:used|wasGeneratedBy*1..4]->(b) "
        "WHERE all(x IN nodes(p) WHERE x.exit_status IS NULL OR x.exit_status = 0) RETURN length(p) AS n, b.uid AS b"
    ),
    "MATCH (a:Activity)-[r:used {role: 'input'}]->(s) RETURN a.name AS a, s.uid AS s, r.at AS at",
    "MATCH (n) WHERE n:Unseen OR n:Person RETURN n.uid AS n",
    "MATCH (a:Activity) RETURN [v IN a.metric_values WHERE v > $x | v * 2] AS v, size(a.argv) AS n, a.name AS name",
    "MATCH (n {uid: $uid}) RETURN n",
    "MATCH p = (a {uid: $uid})-[r:wasGeneratedBy]->(b) RETURN p, r, b",
    "MATCH (n) WHERE n.note IS NOT NULL RETURN n.uid AS n, n.note AS note, n.rating AS rating",
    "MATCH (n) RETURN count(n) AS n, count(DISTINCT n.project) AS projects, count(n.origin) AS origins",
]
"""Questions that both stores read."""
