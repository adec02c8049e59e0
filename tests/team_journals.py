"""Events of several origins of one project, and graphs as both stores have them, for comparing."""

import random
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from provgraph.events import Event
from provgraph.model.identity import Namespace, uuid7
from provgraph.stores import graph_tables
from provgraph.stores.cypher.values import show
from provgraph.stores.cypher_properties import to_server
from provgraph.stores.encoding import column, dumps, loads
from provgraph.stores.neo4j import chunks
from provgraph.stores.projection import Projection

AT = "2026-11-20T12:00:00+00:00"
Graph = tuple[dict[str, Any], dict[Any, Any]]


def event(
    project: str, origin: str, number: int, body: dict[str, Any], kind: str = "activity.ended", at: str = AT
) -> Event:
    return Event(number, Namespace(project).event(origin, number), origin, number, kind, 1, at, body)


def plain(properties: dict[str, Any]) -> str:
    """Properties as text that tells 1 from 1.0 and NaN from nothing."""
    return dumps(
        {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in sorted(properties.items())}
    )


def embedded(project: str, events: Iterable[Event]) -> Graph:
    """The graph of events in the order given, as the embedded projection has it and Cypher sees it."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    graph_tables.create(db)
    numbered = [Event(seq, *(getattr(e, name) for name in Event.__slots__[1:])) for seq, e in enumerate(events, 1)]
    Projection(db, Namespace(project)).apply(numbered)
    return embedded_tables(project, db)


def embedded_tables(project: str, db: sqlite3.Connection) -> Graph:
    vertices, uids = {}, {}
    query = (
        "SELECT v.id, v.uid, l.labels, v.properties, o.uid FROM vertex v JOIN labelset l ON l.id = v.labels "
        "LEFT JOIN origin o ON o.id = v.origin"
    )
    for number, raw, labels, text, origin in db.execute(query):
        uid = uids[number] = _text(raw)
        properties = to_server(loads(text)) | {"uid": uid, "project": project} | ({"origin": origin} if origin else {})
        vertices[uid] = (sorted(loads(labels)), plain(properties))
    edges = {}
    query = "SELECT r.name, e.source, e.target, e.role, e.properties FROM edge e JOIN relation r ON r.id = e.type"
    for name, source, target, role, text in db.execute(query):
        if source in uids and target in uids:
            edges[name, uids[source], uids[target], role] = plain(to_server(loads(text), vertex=False))
    return vertices, edges


def unbrought(project: str, events: Iterable[Event]) -> int:
    """How many vertices edges and changes name that no event brings."""
    namespace, brought, named = Namespace(project), set(), set()
    for e in events:
        for place, row in enumerate(e.body.get("vertices", ())):
            brought.add(row[2] if len(row) > 2 else namespace.vertex(e.origin, e.origin_seq, place))
        for row in e.body.get("edges", ()):
            named |= {end for end in row[1:3] if isinstance(end, str)}
        named |= {row[0] for row in e.body.get("set", ())}
    return len(named - brought)


def _text(raw: bytes) -> str:
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def served(team: Any) -> Graph:
    """The graph of a project as the server has it. An edge that is there twice fails."""
    vertices, edges = {}, {}
    for kind in ("Entity", "Activity", "Agent"):
        query = f"MATCH (n:{kind} {{project: $project}}) RETURN n.uid, labels(n), properties(n)"
        for uid, labels, properties in team.run(query, project=team.project):
            assert uid not in vertices
            vertices[uid] = (sorted(map(show, labels)), plain(_native(properties)))
        query = (
            f"MATCH (a:{kind} {{project: $project}})-[r]->(b {{project: $project}}) "
            "RETURN type(r), a.uid, b.uid, properties(r)"
        )
        for type, source, target, properties in team.run(query, project=team.project):
            key = (show(type), source, target, column(str(show(str(properties.get("role", ""))))))
            assert key not in edges, f"{key} is there twice"
            edges[key] = plain(_native(properties))
    return vertices, edges


def chunks_of(team: Any) -> list[tuple[int, list[Event]]]:
    """(number, events) of what lies in the server, in the order in which it came."""
    query = "MATCH (c:ProvgraphChunk {of: $of}) RETURN c.number, c.origin, c.first, c.data ORDER BY c.number"
    rows = team.run(query, of=team.project)
    return [(number, chunks.decode(data, origin, first, team.namespace)) for number, origin, first, data in rows]


def assert_same(found: Graph, expected: Graph) -> None:
    """As ``==``, with a message that a person can read."""
    for mine, theirs, what in zip(found, expected, ("vertex", "edge"), strict=True):
        for key in sorted({*mine, *theirs}, key=repr):
            assert mine.get(key) == theirs.get(key), f"{what} {key}: {mine.get(key)} instead of {theirs.get(key)}"


def _native(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value.to_native() if hasattr(value, "to_native") else value for key, value in properties.items()}


def push(team: Any, events: Sequence[Event], rng: random.Random, largest: int = 5) -> None:
    """Send events, in the order given, in batches of random sizes; those that are there are left to the server."""
    waiting = list(events)
    while waiting:
        count = rng.randint(1, largest)
        batch = [waiting[0]]
        for following in waiting[1:count]:
            if (following.origin, following.origin_seq) != (batch[-1].origin, batch[-1].origin_seq + 1):
                break
            batch.append(following)
        team.send(batch)
        del waiting[: len(batch)]


def shuffled(histories: Sequence[Sequence[Event]], rng: random.Random) -> list[Event]:
    """The events of several origins in some order that keeps each origin's own."""
    waiting = [list(history) for history in histories if history]
    found = []
    while waiting:
        chosen = rng.choice(waiting)
        found.append(chosen.pop(0))
        waiting = [history for history in waiting if history]
    return found


def histories(project: str, rng: random.Random, origins: int = 3, events: int = 6) -> list[list[Event]]:
    """What several clones recorded, each knowing some of what the others did: what real origins may write, and more.

    Each gives edges to and sets properties of its own vertices and of shared ones, now and then also of others', as a
    copy of their clone does; all annotate whatever there is.
    """
    namespace = Namespace(project)
    shared = [
        *((["Entity", "Artifact"], namespace.artifact(f"f{n}"), {"path": f"f{n}"}) for n in range(3)),
        (["Agent", "Person"], namespace.person("ada@x.org"), {"email": "ada@x.org"}),
        (["Entity", "Version"], namespace.version("c0ffee"), {"kind": "explicit", "commit": "c0ffee"}),
    ]
    names = sorted(uuid7() for _ in range(origins))
    sizes = {name: rng.randint(1, events) for name in names}
    kinds = {
        (name, number): [rng.choice(_LABELS) for _ in range(rng.randint(0, 3))]
        for name in names
        for number in range(1, sizes[name] + 1)
    }
    brought = {
        name: [
            namespace.vertex(name, number, place)
            for number in range(1, sizes[name] + 1)
            for place in range(len(kinds[name, number]))
        ]
        for name in names
    }
    everything = [uid for uids in brought.values() for uid in uids]
    found = []
    for name in names:
        mine: list[str] = []
        history = []
        for number in range(1, sizes[name] + 1):
            rows: list[Any] = [[labels, _properties(rng)] for labels in kinds[name, number]]
            mine += [namespace.vertex(name, number, place) for place in range(len(rows))]
            for labels, uid, fixed in rng.sample(shared, rng.randint(0, 2)):
                more = {} if "Artifact" in labels else _properties(rng)
                rows.append([labels, more | fixed, uid])
            copied = names if rng.random() < 0.2 else []
            known = [uid for other in copied if other != name for uid in brought[other]]
            sources: list[Any] = [*range(len(rows)), *mine, *known, *(uid for _, uid, _ in shared)]
            targets: list[Any] = [*sources, *everything]
            edges = []
            for _ in range(rng.randint(0, 4)):
                row = [rng.choice(_RELATIONS), rng.choice(sources), rng.choice(targets)]
                properties = rng.choice(
                    [{}, {"at": AT}, {"role": "in"}, {"role": rng.choice("ab"), "n": rng.randint(0, 3)}]
                )
                edges.append([*row, properties] if properties else row)
            annotates = rng.random() < 0.3
            settable = (
                [*everything, *(uid for _, uid, _ in shared)]
                if annotates
                else [*mine, *known, shared[3][1], shared[4][1]]
            )
            changes = [[rng.choice(settable), _changes(rng)] for _ in range(rng.randint(0, 2))]
            kind = rng.choice(["properties.annotated", "agents.merged"]) if annotates else "activity.ended"
            body = {"set": changes} if annotates else {"vertices": rows, "edges": edges, "set": changes}
            at = f"2026-11-20T12:00:{rng.randint(0, 9):02d}+00:00"
            history.append(event(project, name, number, body, kind, at))
        found.append(history)
    return found


_LABELS = [
    ["Entity", "Snapshot"], ["Entity"], ["Entity", "Snapshot", "Environment"], ["Activity", "Command"],
    ["Activity", "Levitation"], ["Agent", "SoftwareAgent"],
]  # fmt: skip
_RELATIONS = ["used", "wasGeneratedBy", "wasDerivedFrom", "specializationOf", "wasAssociatedWith", "invented"]
VALUES = [
    1, -3, 0, True, 2.5, float("nan"), float("inf"), 1 << 70, 2**63 - 1, -(2**63), "x", "", "a`b\\u0060",
    "\udcff é 🙂 \0",
    [1, 2], [1.5], ["a", "\udc80"], [1, None], [1, "a"], [], [1, 2.0], AT, "2026-11-20T12:00:00.5+00:00", "no time",
    [1 << 64], '{"a": [1, {}]}', "2026-13-20T12:00:00+00:00", "x" * 300,
    "a\x1fb", "\x1e", ["\x1d", ""], [""], -0.0, 1e300, 5e-324, False,
]  # fmt: skip
_KEYS = [
    "name", "x", "started_at", "at", "path", "number", "x_json", "uid", "project", "origin", "of", "restorable", "a`b",
    "", "\0", "\\u0060", "n}) DETACH DELETE n //", "é", "\udc81",
]  # fmt: skip


def _properties(rng: random.Random) -> dict[str, Any]:
    return {rng.choice(_KEYS): rng.choice(VALUES) for _ in range(rng.randint(0, 4))}


def _changes(rng: random.Random) -> dict[str, Any]:
    return {rng.choice(_KEYS): rng.choice([*VALUES, None, None, None]) for _ in range(rng.randint(1, 3))}
