"""Captures to push, and whether a server holds them: all of them, once, verbatim."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from provgraph.events import Event
from provgraph.events.batches import batches
from provgraph.stores import EmbeddedStore

AT = "2026-11-20T12:00:00+00:00"


def capture(store: EmbeddedStore, commands: int, files: int = 3) -> None:
    """Journal commands that each read what the one before wrote."""
    before: list[str] = []
    for number in range(commands):
        with store.journal.batch() as batch:
            event = batch.event("activity.ended", AT)
            activity = event.vertex(
                ["Activity", "Command"],
                {"name": "train", "command": f"train {number}", "started_at": AT, "number": number},
            )
            person = store.namespace.person("ada@example.org")
            event.vertex(["Agent", "Person"], {"name": "Ada", "email": "ada@example.org"}, person)
            event.edge("wasAssociatedWith", activity, person)
            for uid in before:
                event.edge("used", activity, uid, at=AT)
            before = []
            for file in range(files):
                path = f"out/{file}.csv"
                artifact = event.vertex(["Entity", "Artifact"], {"path": path}, store.namespace.artifact(path))
                uid = event.vertex(["Entity", "Snapshot"], {"path": path, "created_at": AT, "size_bytes": number})
                event.edge("specializationOf", uid, artifact)
                event.edge("wasGeneratedBy", uid, activity, at=AT)
                before.append(uid)


def push(
    team: Any, store: EmbeddedStore, elements: int = 15_000, before: Callable[[int], object] = lambda _: None
) -> int:
    """Send what the server lacks; returns in how many batches. ``before`` is told the number of each."""
    received, sent = team.received(), 0
    for origin, last in store.journal.lasts().items():
        if received.get(origin, 0) < last:
            for batch in batches(store.journal.of_origin(origin, received.get(origin, 0)), elements=elements):
                before(sent)
                team.send(batch)
                sent += 1
    return sent


def at_home(store: EmbeddedStore) -> tuple[Counter[Any], Counter[Any]]:
    """Vertices and edges as the journal's events say, read without the projection."""
    vertices: set[tuple[str, tuple[str, ...]]] = set()
    edges: set[tuple[str, str, str, str]] = set()
    for event in store.events():
        uids = []
        for place, row in enumerate(event.body.get("vertices", ())):
            uids.append(row[2] if len(row) > 2 else store.namespace.vertex(event.origin, event.origin_seq, place))
            vertices.add((uids[-1], tuple(sorted(row[0]))))
        for (
            type,
            *ends,
        ) in (row[:3] for row in event.body.get("edges", ())):
            source, target = (uids[end] if isinstance(end, int) else end for end in ends)
            edges.add((type, source, target, ""))
    return Counter(vertices), Counter(edges)


def at_server(server: Any, project: str) -> tuple[Counter[Any], Counter[Any]]:
    """The same, as the server says, each as often as it is there."""
    from neo4j import GraphDatabase

    with GraphDatabase.driver(server.url, auth=(server.user, server.password)) as driver, driver.session() as session:
        nodes = session.run("MATCH (n {project: $of}) RETURN n.uid, labels(n)", of=project).values()
        rows = session.run(
            "MATCH (a {project: $of})-[r]->(b) RETURN type(r), a.uid, b.uid, coalesce(r.role, '')", of=project
        ).values()
    return Counter((uid, tuple(sorted(labels))) for uid, labels in nodes), Counter(map(tuple, rows))


def complete(server: Any, remote: Any, store: EmbeddedStore) -> None:
    """What the server holds is what the journal says: everything, once, verbatim."""
    from provgraph.stores.neo4j import TeamStore

    assert at_server(server, store.project) == at_home(store)
    with TeamStore(remote, store.project) as team:
        assert team.received() == store.journal.lasts()
        fetched = [event for origin in team.received() for events in team.fetch_origin(origin) for event in events]
    mine = [event for origin in store.journal.lasts() for event, _ in store.journal.of_origin(origin)]
    assert verbatim(fetched) == verbatim(mine)


def verbatim(events: list[Event]) -> list[Event]:
    """Events in one order, without the number that each journal gives anew."""
    return sorted((replace(event, seq=0) for event in events), key=lambda event: (event.origin, event.origin_seq))
