"""The engine's graph is the projection's, at once and after every change; answers equal a plain walk."""

import random
from typing import Any

import pytest

from provgraph.stores.cypher import CypherCache
from provgraph.stores.cypher.engine import Engine
from provgraph.stores.cypher.feed import Feed

EVERYTHING = (
    "MATCH (n) RETURN n.uid AS uid, labels(n) AS labels, properties(n) AS held ORDER BY uid",
    (
        "MATCH (a)-[r]->(b) RETURN a.uid AS source, b.uid AS target, type(r) AS type, properties(r) AS held "
        "ORDER BY source, target, type"
    ),
)
ACTIVITY, SNAPSHOT = ["Activity", "Command"], ["Entity", "Snapshot"]
AT = "2026-11-20T12:00:00.123456+00:00"


def _everything(engine: Engine) -> list[Any]:
    return [engine.answer(query, {}, None) for query in EVERYTHING]


def _fresh(graph: Any) -> Engine:
    return Engine(Feed(graph.store.folder / "graph.db", graph.store.project))


def _random_event(graph: Any, random: random.Random, step: int) -> None:
    """New vertices and edges, changes of old ones, edges that are recorded again."""
    old = [f"{kind}{n}" for n in range(step) for kind in "ae"]
    vertices: dict[str, Any] = {
        f"a{step}": (ACTIVITY, {"name": f"run {step}", "started_at": AT, "metric_values": [0.1 * step, 0.5]}),
        f"e{step}": (SNAPSHOT, {"path": f"f{step}", "sequence": step}),
    }
    edges: list[Any] = [("wasGeneratedBy", f"e{step}", f"a{step}", {"at": AT})]
    used = random.sample(range(step), min(step, 3))
    edges += [("used", f"a{step}", f"e{n}", {"at": AT} if n % 2 else {}) for n in used]
    changes: dict[str, Any] = {}
    for name in random.sample(old, min(len(old), 2)):
        changes[name] = {"note": f"{step}", "sequence": None, "seen_values": [step / 7, 0.25]}
    if step > 2:
        edges.append(("wasGeneratedBy", "e1", "a1", {"at": AT, "noted": step, "noted_values": [step / 3]}))
    graph.add(vertices, edges, changes)
    if step == 7:
        graph.add({"e0": (["Entity", "Snapshot", "Collection"], {"members_count": 3})})


@pytest.mark.parametrize("seed", range(3))
def test_following_equals_feeding_anew(graph: Any, seed: int) -> None:
    chance = random.Random(seed)
    for step in range(12):
        _random_event(graph, chance, step)
    follower, narrow = _fresh(graph), _fresh(graph)
    _everything(follower)
    path_of = "MATCH (n:Snapshot) RETURN n.path AS p ORDER BY p"
    narrow.answer(path_of, {}, frozenset({"path"}))
    loads: list[object] = []
    load = follower._load

    def counted(keys: frozenset[str] | None) -> None:
        loads.append(keys)
        load(keys)

    follower._load = counted  # type: ignore[method-assign]
    for step in range(12, 24):
        _random_event(graph, chance, step)
        assert _everything(follower) == _everything(_fresh(graph))
        assert narrow.answer(path_of, {}, frozenset({"path"})) == _fresh(graph).answer(path_of, {}, None)
    assert len(loads) < 6, "it followed, mostly"


def test_a_vertex_that_comes_after_its_edges(graph: Any, cache: CypherCache) -> None:
    graph.add({"a": (ACTIVITY, {"name": "a"})}, [("used", "a", "late")])
    query = "MATCH (a)-[:used]->(e) RETURN e.path"
    assert cache.run(query).rows == ()
    assert cache.run("MATCH (n) WHERE n.uid = $uid RETURN n", {"uid": graph.uid("late")}).rows == ()
    for n in range(20):
        graph.add({f"x{n}": (SNAPSHOT, {"path": f"x{n}"})})
    cache.run(query)
    graph.add({"late": (SNAPSHOT, {"path": "late.csv"})})
    assert cache.run(query).rows == (("late.csv",),)


def test_the_newest_vertex_comes_after_its_edges(graph: Any, cache: CypherCache) -> None:
    for n in range(20):
        graph.add({f"x{n}": (SNAPSHOT, {"path": f"x{n}"})})
    graph.add({"a": (ACTIVITY, {"name": "a"})}, [("used", "a", "late")])
    query = "MATCH (a)-[:used]->(e) RETURN e.path"
    assert cache.run(query).rows == ()
    graph.add({"late": (SNAPSHOT, {"path": "late.csv"})})
    assert cache.run(query).rows == (("late.csv",),)


def test_keys_are_fed_when_they_are_asked_for(graph: Any, cache: CypherCache) -> None:
    graph.add({"a": (ACTIVITY, {"name": "a", "host": "h", "odd key": 1, "é": 2, "$x": 3, 'q"': 4})})
    assert cache.run("MATCH (a:Activity) RETURN count(a)").rows == ((1,),)
    assert cache.run("MATCH (a:Activity) RETURN a.host").rows == (("h",),)
    assert cache.run("MATCH (a:Activity {name: 'a'}) RETURN a.`odd key`, a.é, a.`$x`, a.`q\"`").rows == ((1, 2, 3, 4),)
    assert cache.run("MATCH (a:Activity) RETURN a['host'], a[$k], a['ho' + 'st']", {"k": "name"}).rows == (
        ("h", "a", "h"),
    )
    assert cache.run("MATCH (a:Activity) RETURN [k IN keys(a) WHERE k STARTS WITH 'h' | a[k]]").rows == ((["h"],),)
    assert cache.run("MATCH (a:Activity) RETURN a {.host, .*}['name']").rows == (("a",),)
    assert cache.run("WITH {k: 'host'} AS m MATCH (a:Activity) RETURN a[m.k]").rows == (("h",),)


def test_maps_that_look_like_elements(graph: Any, cache: CypherCache) -> None:
    graph.add({"a": (ACTIVITY, {"nodes": 3, "edges": [1], "_type": "x", "months": 1, "days": 2})})
    assert cache.run("MATCH (a:Activity) RETURN a {.nodes, .edges} AS m").rows == (({"nodes": 3, "edges": [1]},),)
    held = {"nodes": 3, "edges": [1], "_type": "x", "months": 1, "days": 2, "uid": graph.uid("a")}
    held["project"] = graph.store.project
    assert cache.run("MATCH (a:Activity) RETURN properties(a)").rows == ((held,),)


def test_columns_and_errors_are_in_the_user_s_text(graph: Any, cache: CypherCache) -> None:
    assert cache.run("RETURN 1 AS `caf\udce9`").columns == ("caf\udce9",)


def test_a_rebuilt_projection_is_followed(graph: Any, cache: CypherCache) -> None:
    graph.add({"a": (ACTIVITY, {"name": "a"})})
    assert cache.run("MATCH (a:Activity) RETURN a.name").rows == (("a",),)
    graph.store.rebuild()
    graph.add({"b": (ACTIVITY, {"name": "b"})})
    assert cache.run("MATCH (a:Activity) RETURN a.name ORDER BY a.name").rows == (("a",), ("b",))


def test_restorable_is_what_this_store_has(graph: Any, cache: CypherCache) -> None:
    kept = graph.store.objects.put_bytes(b"kept").sha256
    graph.add(
        {
            "here": (SNAPSHOT, {"path": "here", "sha256": kept, "restorable": True}),
            "gone": (SNAPSHOT, {"path": "gone", "sha256": "0" * 64, "restorable": True}),
        }
    )
    query = "MATCH (e:Snapshot) RETURN e.path AS p, e.restorable, e ORDER BY p"
    rows = cache.run(query).rows
    assert [row[:2] for row in rows] == [("gone", False), ("here", True)]
    assert [row[2].properties["restorable"] for row in rows] == [False, True]


def test_labels_relations_and_keys_of_any_spelling(graph: Any, cache: CypherCache) -> None:
    graph.add(
        {"a": (["Activity", "My Label"], {"name": "a"}), "e": (["Entity", "Größe"], {"path": "e"})},
        [("order", "a", "e")],
    )
    assert cache.run("MATCH (a:`My Label`)-[r:order]->(e:Größe) RETURN type(r), labels(a)").rows == (
        ("order", ["Activity", "My Label"]),
    )


def _walk(edges: list[tuple[str, str, str]], start: str, relations: set[str], depth: int | None = None) -> set[str]:
    """What is reached from ``start`` over one edge or more: the plain evaluation."""
    found: set[str] = set()
    front, steps = {start}, 0
    while front and (depth is None or steps < depth):
        front = {target for type, source, target in edges if type in relations and source in front}
        fresh = front - found
        found |= front
        front, steps = (fresh if depth is None else front), steps + 1
    return found


@pytest.mark.parametrize("seed", range(8))
def test_answers_equal_a_plain_walk(graph: Any, cache: CypherCache, seed: int) -> None:
    chance = random.Random(seed)
    activities, entities = [f"a{n}" for n in range(12)], [f"e{n}" for n in range(24)]
    edges = set()
    for n, name in enumerate(activities):  # acyclic: what is generated is newer than what is used
        for entity in chance.sample(entities[: 2 * n + 1], min(2 * n + 1, chance.randrange(4))):
            edges.add(("used", name, entity))
        for entity in entities[2 * n + 1 : 2 * n + 3]:
            edges.add(("wasGeneratedBy", entity, name))
    ordered = sorted(edges)
    graph.add(
        {name: (ACTIVITY if name[0] == "a" else SNAPSHOT, {"name": name}) for name in activities + entities}, ordered
    )
    both = {"used", "wasGeneratedBy"}
    for start in chance.sample(entities + activities, 6):
        found = cache.run("MATCH (s {name: $s})-[:used|wasGeneratedBy*]->(x) RETURN DISTINCT x.name", {"s": start}).rows
        assert {name for (name,) in found} == _walk(ordered, start, both)
        found = cache.run(
            "MATCH (s {name: $s})-[:used|wasGeneratedBy*1..3]->(x) RETURN DISTINCT x.name", {"s": start}
        ).rows
        assert {name for (name,) in found} == _walk(ordered, start, both, 3)
        found = cache.run("MATCH (x)-[:used|wasGeneratedBy*]->(s {name: $s}) RETURN DISTINCT x.name", {"s": start}).rows
        turned = [(type, target, source) for type, source, target in ordered]
        assert {name for (name,) in found} == _walk(turned, start, both)
        found = cache.run("MATCH (s {name: $s})-[:used]->(x) RETURN x.name", {"s": start}).rows
        assert sorted(name for (name,) in found) == sorted(t for type, s, t in ordered if type == "used" and s == start)
    used = cache.run("MATCH (e:Entity) OPTIONAL MATCH (a)-[:used]->(e) RETURN e.name, count(a)").rows
    assert dict(used) == {e: sum(1 for type, _, t in ordered if type == "used" and t == e) for e in entities}


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
