"""A project with something of everything that readers are asked for, and the same events in both stores."""

import dataclasses
import math
import random
import sqlite3
from collections.abc import Callable, Iterable
from itertools import groupby, pairwise
from typing import Any

from provgraph.events import Event
from provgraph.graph.elements import Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.model import members
from provgraph.model.identity import Namespace
from provgraph.stores import EmbeddedStore, graph_tables
from provgraph.stores.neo4j import TeamStore
from provgraph.stores.projection import Projection
from provgraph.stores.reader import SqliteReader

DIGEST = "ab" * 32
ODD = {
    "mixed": [1, 2.5, "x", True], "empty": [], "long": 2**80,
    "nan": math.nan, "infinite": -math.inf, "zero": -0.0, "floats": [0.1, 2.0], "with_null": [1, None],
    "sur\udcffrogate": "b\udcffd", "a`b": "back`quote", "note_json": '{"a": 1}', "uid": "mine", "project": "mine",
    "origin": "mine", "emoji": "🦉", "texts": ["a", "b"], "flags": [True, False], "small": -(2**63), "n": 1, "x y": 1.0,
}  # fmt: skip
"""Properties that one store or the other could get wrong."""


def at(second: int) -> str:
    return f"2026-11-20T12:{second // 60:02}:{second % 60:02}.000000+00:00"


def send(team: TeamStore, events: Iterable[Event]) -> None:
    """All events, in batches of one origin."""
    for _, batch in groupby(events, key=lambda event: event.origin):
        team.send(list(batch))


def fill(store: EmbeddedStore) -> dict[str, str]:
    """Journal a past; returns uids by name."""
    found: dict[str, str] = {}
    ada, bob, tool = _people(store, found)
    _command(store, found, "fetch", 1, (), ("data/raw.csv",), ada)
    _command(store, found, "clean", 2, ("data/raw.csv@1",), ("data/clean.csv",), ada)
    _command(store, found, "train", 3, ("data/clean.csv@1",), ("out/model.pkl", "out/log.txt"), bob)
    _command(store, found, "train", 4, ("data/clean.csv@1",), ("out/model.pkl", "out/log.txt"), bob)
    _command(store, found, "report", 5, ("out/model.pkl@2", "out/log.txt@2"), ("report.md", "ödd name.md"), tool)
    _command(store, found, "report", 5, ("out/model.pkl@2",), ("report.md",), ada)
    _more(store, found)
    _commit(store, found)
    return found


def _people(store: EmbeddedStore, found: dict[str, str]) -> tuple[str, str, str]:
    with store.journal.batch() as batch:
        event, namespace = batch.event("provenance.declared", at(0)), store.namespace
        people = {
            "ada": ("Ada", "ada@x.org"), "bob": ("Bob Ä", "bob@x.org"), "bobby": ("Bobby", "bob@home.org"),
        }  # fmt: skip
        for key, (name, email) in people.items():
            labels = ["Agent", "Person"]
            found[key] = event.vertex(labels, {"name": name, "email": email}, namespace.person(email))
        found["tool"] = event.vertex(["Agent", "SoftwareAgent"], {"name": "tool"})
        event.edge("actedOnBehalfOf", found["tool"], found["ada"])
    with store.journal.batch() as batch:
        batch.event("properties.annotated", at(0)).set(found["bobby"], same_as=found["bob"])
    return found["ada"], found["bob"], found["tool"]


def _command(
    store: EmbeddedStore,
    found: dict[str, str],
    name: str,
    second: int,
    reads: tuple[str, ...],
    writes: tuple[str, ...],
    agent: str,
) -> None:
    with store.journal.batch() as batch:
        event = batch.event("activity.ended", at(second))
        number = store.knowledge.next_activity_number()
        properties = {
            "name": name, "command": f"{name} --at {second}", "utility": name, "started_at": at(second),
            "ended_at": at(second + 1), "exit_status": 0, "number": number, "capture": "seccomp",
            "argv": [name, "--at"],
        }  # fmt: skip
        own = found[f"{name} #{number}"] = event.vertex(["Activity", "Command"], properties)
        event.edge("wasAssociatedWith", own, agent)
        for place, read in enumerate(reads):
            event.edge("used", own, found[read], at=at(second))
            if not place:
                event.edge("used", own, found[read], role="inherited")
        for path in writes:
            before = store.knowledge.known(path)
            artifact = event.vertex(["Entity", "Artifact"], {"path": path}, store.namespace.artifact(path))
            sequence = before.sequence + 1 if before else 1
            digest = DIGEST if path.endswith("log.txt") else f"{number:02x}" * 32
            facts = {
                "path": path,
                "sequence": sequence,
                "created_at": at(second + 1),
                "sha256": digest,
                "size_bytes": 3,
            }
            snapshot = found[f"{path}@{sequence}"] = event.vertex(["Entity", "Snapshot"], facts)
            event.edge("specializationOf", snapshot, artifact)
            event.edge("wasGeneratedBy", snapshot, own, at=at(second + 1))
            event.edge("wasAttributedTo", snapshot, agent)
            if before is not None:
                event.edge("wasDerivedFrom", snapshot, before.uid, prov_type="Revision", sure=[1, 2.5])


def _commit(store: EmbeddedStore, found: dict[str, str]) -> None:
    """An explicit version, of which one parent is known by its name alone."""
    with store.journal.batch() as batch:
        event, commit, parent = batch.event("commit.recorded", at(10)), "abcdef" + "12" * 17, "abc0" + "34" * 18
        own = event.vertex(
            ["Activity", "Commit"],
            {"name": "commit abcdef12", "commit": commit, "started_at": at(4), "ended_at": at(4)},
            store.namespace.commit(commit),
        )
        facts = {"kind": "explicit", "commit": commit, "message": "One\n\nTwo", "created_at": at(4), "activity": own}
        version = event.vertex(["Entity", "Version"], facts, store.namespace.version(commit))
        above = event.vertex(["Entity", "Version"], {"commit": parent}, store.namespace.version(parent))
        found |= {"commit": own, "explicit": version}
        event.edge("wasGeneratedBy", version, own, at=at(4))
        event.edge("wasDerivedFrom", version, above, prov_type="Revision", parent=1)
        event.edge("wasAssociatedWith", own, found["ada"], role="author")
        event.edge("hadMember", version, found["report.md@2"], blob="00ff")


def _more(store: EmbeddedStore, found: dict[str, str]) -> None:
    """An environment, an unseen change, parts of a split command, collections, a version, odd properties."""
    last = found["report.md@2"]
    with store.journal.batch() as batch:
        event = batch.event("change.noticed", at(7))
        facts = {"path": ".venv", "sequence": 1, "created_at": at(0)}
        environment = found["environment"] = event.vertex(["Entity", "Snapshot", "Environment"], facts)
        span = {"started_at": at(5), "ended_at": at(7), "capture": "none"}
        unseen = found["unseen"] = event.vertex(["Activity", "Unseen"], {"name": "unrecorded change", **span})
        edited = event.vertex(["Entity", "Snapshot"], {"path": "report.md", "sequence": 3, "created_at": at(7)})
        found["report.md@3"] = edited
        event.edge("used", unseen, last)
        event.edge("wasGeneratedBy", edited, unseen)
        event.edge("wasDerivedFrom", edited, last, missing=True, prov_type="Revision")
        event.edge("wasInvalidatedBy", found["out/log.txt@1"], unseen)
        event.edge("used", found["train #4"], environment)
        first = found["report #5"]
        part = event.vertex(["Activity", "Command"], {"name": "report", "started_at": at(6), "whole": first})
        event.edge("wasInformedBy", part, first)
        event.edge("used", part, edited)
        found["part"] = part
    with store.journal.batch() as batch:
        event = batch.event("activity.ended", at(9))
        gather = event.vertex(["Activity", "Gathering"], {"name": "gather", "started_at": at(9), "capture": "computed"})
        for sequence in (1, 2):
            rows = [("a.png", DIGEST, 3), ("sub/b.png", None, 4), (f"only-{sequence}.png", None, 4)]
            facts = {"path": "img", "sequence": sequence, "created_at": at(8 + sequence), "sha256": f"0{sequence}" * 32}
            labels = ["Entity", "Snapshot", "Collection", "Dataset"]
            found[f"img@{sequence}"] = images = event.vertex(labels, facts)
            event.facts.setdefault("members", []).append({"vertex": sequence, "chunk": members.encode(rows)})
            event.edge("wasGeneratedBy", images, gather)
    with store.journal.batch() as batch:
        event = batch.event("version.made", at(10))
        facts = {"kind": "explicit", "commit": "c0ffee" * 6, "created_at": at(10)}
        version = found["version"] = event.vertex(["Entity", "Version"], facts, store.namespace.version("c0ffee" * 6))
        event.edge("hadMember", version, found["data/clean.csv@1"])
    with store.journal.batch() as batch:
        annotated = {key: value for key, value in ODD.items() if key != "uid"}  # a keyword of its own
        batch.event("properties.annotated", at(11)).set(found["out/model.pkl@2"], **annotated)
        found["odd"] = batch.event("provenance.declared", at(11)).vertex(["Entity", "Snapshot", "Öther"], ODD)
        batch.event("properties.annotated", at(12)).set(
            found["train #4"], metric_acc=0.75, param_lr=1e-3, tags=["x", "ü"]
        )
        batch.event("properties.annotated", at(12)).set(found["train #3"], metric_acc=0.5)


def events_of(graph: ProvGraph, project: str, origin: str, rng: random.Random) -> tuple[list[Event], ProvGraph]:
    """A graph as the events of one origin, and the same graph with the uids that it has then."""
    namespace, vertices = Namespace(project), [_odd(_timed(vertex), rng) for vertex in graph]
    rng.shuffle(vertices)
    cuts = sorted({0, *(rng.randrange(len(vertices)) for _ in range(2)), len(vertices)})
    uids: dict[str, str] = {}
    bodies: list[dict[str, Any]] = []
    for number, (begin, end) in enumerate(pairwise(cuts), 1):
        part = vertices[begin:end]
        uids |= {v.uid: namespace.vertex(origin, number, place) for place, v in enumerate(part)}
        bodies.append({"vertices": [[list(v.labels), dict(v.properties)] for v in part]})
    edges = [[e.type, uids[e.source], uids[e.target], dict(e.properties)] for e in graph.edges]
    rng.shuffle(edges)
    bodies.append({"edges": edges})
    events = [
        Event(number, namespace.event(origin, number), origin, number, "provenance.declared", 1, at(number), body)
        for number, body in enumerate(bodies, 1)
    ]
    from operators.random_graphs import relabelled

    return events, relabelled(ProvGraph(vertices, graph.edges), uids)


def _odd(vertex: Vertex, rng: random.Random) -> Vertex:
    """The same, now and then with properties that are hard to keep; the schema of events has no nested ones yet."""
    more: dict[str, Any] = {}
    if rng.random() < 0.3:
        key = rng.choice([*ODD, "nested"])
        more = {key: ODD.get(key, {"a": [1, {"b": None}], "c": "ü"})} if key not in vertex.properties else {}
    return Vertex(vertex.uid, vertex.labels, {**vertex.properties, **more})


def _timed(vertex: Vertex) -> Vertex:
    """The same with times as recorders write them."""
    times = {key: f"{value[:-6]}.000000+00:00" for key, value in vertex.properties.items() if key.endswith("ed_at")}
    return Vertex(vertex.uid, vertex.labels, {**vertex.properties, **times})


def sqlite_reader(project: str, events: Iterable[Event], journal: Any = None) -> SqliteReader:
    """A reader of events that were never journaled."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    graph_tables.create(db)
    Projection(db, Namespace(project)).apply(events)
    return SqliteReader(db, journal, Namespace(project), lambda _: False)


def attempt(ask: Callable[[], Any]) -> Any:
    """An answer as plain values, or the error in words; without what only one disk can know."""
    from provgraph.errors import ProvGraphError

    try:
        return plain(ask())
    except ProvGraphError as error:
        return type(error).__name__, str(error)


def plain(answer: Any) -> Any:
    if isinstance(answer, ProvGraph):
        return plain(answer.to_json()), getattr(answer, "sources", ()), getattr(answer, "destinations", ())
    if hasattr(answer, "to_json"):
        return plain(answer.to_json()), getattr(answer, "mark", "")
    if dataclasses.is_dataclass(answer):
        return [plain(getattr(answer, field.name)) for field in dataclasses.fields(answer)]
    if isinstance(answer, dict):
        return {key: plain(value) for key, value in answer.items() if key != "restorable"}
    if isinstance(answer, list | tuple):
        return [plain(item) for item in answer]
    if isinstance(answer, float | int):
        return f"{type(answer).__name__} {answer!r}"  # NaN equals itself, 1 is not 1.0
    return answer


def chain(project: str, origin: str, runs: int) -> tuple[list[Event], str]:
    """Runs of which each used what the one before generated; and the uid of the last one's."""
    namespace, part = Namespace(project), 1_000
    events, before = [], ""
    for number, begin in enumerate(range(0, runs, part), 1):
        vertices: list[Any] = []
        edges: list[Any] = []
        for run in range(begin, min(begin + part, runs)):
            activity, entity = len(vertices), len(vertices) + 1
            vertices.append([["Activity", "Command"], {"name": f"run {run}", "utility": f"u{run % 7}"}])
            vertices.append([["Entity", "Snapshot"], {"path": "x", "sequence": run + 1}])
            edges.append(["wasGeneratedBy", entity, activity])
            if before:
                edges.append(["used", activity, before])
            before = namespace.vertex(origin, number, entity)
        body = {"vertices": vertices, "edges": edges}
        uid = namespace.event(origin, number)
        events.append(Event(number, uid, origin, number, "provenance.declared", 1, at(number % 3600), body))
    return events, before
