"""Events sent to a real server: the same graph as the embedded projection's, whoever sends what, when, how often."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from team_journals import (
    AT,
    VALUES,
    assert_same,
    chunks_of,
    embedded,
    event,
    histories,
    push,
    served,
    shuffled,
    unbrought,
)  # fmt: skip

from provgraph.errors import NewerStoreError, RemoteError
from provgraph.events import Event
from provgraph.model import members
from provgraph.model.identity import Namespace, uuid7
from provgraph.stores.cypher_properties import INDEXED
from provgraph.stores.encoding import dumps, loads
from provgraph.stores.neo4j import Behind, TeamStore, lines, migrations


@pytest.fixture
def team(team_remote: Callable[..., Any]) -> Iterator[Callable[..., TeamStore]]:
    """``team(project)``: a project's share of the shared server, ready to be written to."""
    with contextlib.ExitStack() as opened:

        def connect(project: str | None = None) -> TeamStore:
            store = opened.enter_context(TeamStore(team_remote(), project or uuid7(), write=True))
            store.migrate()
            return store

        yield connect


@pytest.mark.parametrize("seed", range(40))
def test_equal_to_the_embedded_projection_in_whatever_order(
    team: Callable[..., TeamStore], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of them with every row in a line of text, as large batches are sent."""
    monkeypatch.setattr(lines, "FEWEST", 1 if seed % 2 else lines.FEWEST)
    rng, store = random.Random(seed), team()
    found = histories(store.project, rng, origins=rng.randint(1, 3))
    push(store, shuffled(found, rng), rng)
    expected = embedded(store.project, shuffled(found, rng))
    again = shuffled(found, rng)
    assert_same(served(store), expected)
    assert store.received() == {history[0].origin: history[-1].origin_seq for history in found}
    assert _awaited(store) == unbrought(store.project, again)
    push(store, again, rng)
    assert_same(served(store), expected)
    assert len(chunks_of(store)) == _number(store)


def _awaited(store: TeamStore) -> int:
    return int(store.run("MATCH (p:ProvgraphProject {uid: $uid}) RETURN p.awaited", uid=store.project)[0][0])


def _number(store: TeamStore) -> int:
    return int(store.run("MATCH (p:ProvgraphProject {uid: $uid}) RETURN p.number", uid=store.project)[0][0])


@pytest.mark.parametrize("seed", range(10))
def test_what_has_not_come_yet_is_joined_when_it_comes(team: Callable[..., TeamStore], seed: int) -> None:
    """Half of the origins are there: the graph is that of their events; edges wait for their ends."""
    rng, store = random.Random(1000 + seed), team()
    found = histories(store.project, rng, origins=4)
    some, rest = found[:2], found[2:]
    push(store, shuffled(some, rng), rng)
    assert_same(served(store), embedded(store.project, shuffled(some, rng)))
    push(store, shuffled(rest, rng), rng)
    assert_same(served(store), embedded(store.project, shuffled(found, rng)))


def test_events_come_back_verbatim_and_in_order(team: Callable[..., TeamStore]) -> None:
    rng, store = random.Random(5), team()
    sent = shuffled(histories(store.project, rng, origins=3, events=9), rng)
    push(store, sent, rng, largest=3)
    chunks = chunks_of(store)
    assert [number for number, _ in chunks] == list(range(1, len(chunks) + 1))
    assert _texts(e for _, found in chunks for e in found) == _texts(sent)
    for origin, last in store.received().items():
        for after in range(last + 1):
            found = [e for part in store.fetch_origin(origin, after) for e in part]
            assert _texts(found) == _texts(e for e in sent if e.origin == origin and e.origin_seq > after)


def _texts(events: Any) -> list[str]:
    return [dumps([e.uid, e.origin, e.origin_seq, e.kind, e.schema, e.time, e.body]) for e in events]


def test_a_batch_must_follow(team: Callable[..., TeamStore]) -> None:
    store, origin = team(), uuid7()
    events = [event(store.project, origin, number, {"vertices": [[["Entity"], {}]]}) for number in range(1, 6)]
    with pytest.raises(Behind, match="up to 0, not 2"):
        store.send(events[2:])
    store.send(events[:3])
    store.send(events[1:3])
    with pytest.raises(Behind, match="up to 3, not 2"):
        store.send(events[2:])
    assert len(served(store)[0]) == 3
    for wrong in ([], [events[0], events[2]], [events[1], events[0]]):
        with pytest.raises(ValueError, match="consecutive"):
            store.send(wrong)


@pytest.mark.parametrize("kept", ["", "ProvgraphOrigin", "ProvgraphProject", "ProvgraphChunk"])
def test_a_database_that_was_mended_by_hand(team: Callable[..., TeamStore], kept: str) -> None:
    """Somebody removed what the server knows of the events, and not what they told: the next push heals it."""
    rng, store = random.Random(13), team()
    found = histories(store.project, rng)
    push(store, shuffled(found, rng), rng)
    with store.connection.session(write=True) as session:
        removed = {"ProvgraphOrigin", "ProvgraphProject", "ProvgraphChunk", "ProvgraphStamp"} - {kept}
        for label in removed:
            session.run(f"MATCH (n:{label}) WHERE n.of = $p OR n.uid = $p DELETE n", p=store.project).consume()
        if kept == "ProvgraphOrigin":
            session.run("MATCH (n:ProvgraphOrigin {of: $p}) SET n.last = 0", p=store.project).consume()
    push(store, shuffled(found, rng), rng)
    assert served(store)[0].keys() == embedded(store.project, shuffled(found, rng))[0].keys()
    assert served(store)[1].keys() == embedded(store.project, shuffled(found, rng))[1].keys()
    assert store.received() == {history[0].origin: history[-1].origin_seq for history in found}
    for history in found:
        assert _texts(e for part in store.fetch_origin(history[0].origin) for e in part) == _texts(history)


def test_chunks_after_the_last_that_is_known_of(team: Callable[..., TeamStore]) -> None:
    store, origin = team(), uuid7()
    events = [event(store.project, origin, number, {"vertices": [[["Entity"], {}]]}) for number in range(1, 5)]
    for one in events:
        store.send([one])
    with store.connection.session(write=True) as session:
        session.run("MATCH (o:ProvgraphOrigin {uid: $uid}) SET o.last = 1", uid=origin).consume()
    store.send(events[1:])
    assert [_texts(found) for found in store.fetch_origin(origin)] == [_texts(events[:1]), _texts(events[1:])]


@pytest.mark.parametrize("fewest", [1, lines.FEWEST])
def test_two_projects_do_not_see_each_other(
    team: Callable[..., TeamStore], fewest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = team(), team()
    rng = random.Random(7)
    for store in (one, two):
        push(store, shuffled(histories(store.project, rng), rng), rng)
    found = served(one)
    assert found[0]
    assert not found[0].keys() & served(two)[0].keys()
    assert one.received().keys().isdisjoint(two.received())
    assert {e.origin for _, events in chunks_of(one) for e in events} == set(one.received())
    foreign = event(two.project, uuid7(), 1, {"set": [[next(iter(found[0])), {"x": 1}]]})
    with pytest.raises(RemoteError, match="another project's"):
        two.send([foreign])
    target = one.run("MATCH (n:Agent|Entity {project: $p}) RETURN n.uid, labels(n) LIMIT 1", p=one.project)[0]
    relation = "specializationOf" if "Entity" in target[1] else "wasAttributedTo"
    monkeypatch.setattr(lines, "FEWEST", fewest)
    edge = [relation, 0, target[0]]
    foreign = event(two.project, uuid7(), 1, {"vertices": [[["Entity"], {}]], "edges": [edge]})
    with pytest.raises(RemoteError, match="another project's"):
        two.send([foreign])
    assert_same(served(one), found)


def test_an_origin_of_another_project_is_refused(team: Callable[..., TeamStore]) -> None:
    one, two, origin = team(), team(), uuid7()
    one.send([event(one.project, origin, 1, {})])
    with pytest.raises(RemoteError, match="another project"):
        two.send([event(two.project, origin, 1, {})])


HOSTILE = [
    "`", "``", "\\u0060", "\\\\u0060", "\\u005Cu0060", "\\", "a\\", "x`) DETACH DELETE (n) //", "$project",
    "}) SET n.x = 1 //", "n}]", "'", '"', "\n", "\0", "\udc80", "🙂", "\U0010e000x", "\U0010e001", "ProvgraphChunk",
    "Provgraph", ":Agent", "é" * 99, "\x1e", "a\x1fb", "\x1d", " ", "a_json",
]  # fmt: skip


@pytest.mark.parametrize("fewest", [1, 100])
def test_whatever_looks_like_cypher_is_data(
    team: Callable[..., TeamStore], fewest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "FEWEST", fewest)
    store, origin = team(), uuid7()
    vertices: list[Any] = [[["Entity", text], {text: text, "x": text}] for text in HOSTILE]
    vertices += [[["Entity"], {"list": HOSTILE, "": HOSTILE[0]}]]
    edges = [
        [f"r{place}" if place % 2 else "used", place, place + 1, {"role": text, text: 1}]
        for place, text in enumerate(HOSTILE)
    ]
    first = event(store.project, origin, 1, {"vertices": vertices, "edges": edges})
    uids = [store.namespace.vertex(origin, 1, place) for place in range(len(HOSTILE))]
    second = event(
        store.project,
        origin,
        2,
        {"set": [[uid, {text: "new", text + "2": text}] for uid, text in zip(uids, HOSTILE, strict=True)]},
        "properties.annotated",
    )
    for found in (first, second):
        store.send([found])
    assert_same(served(store), embedded(store.project, [first, second]))
    assert len(chunks_of(store)) == 2


def test_relations_that_look_like_cypher(team: Callable[..., TeamStore]) -> None:
    """The schema of events lets none in; the writer does not rely on it."""
    store, origin = team(), uuid7()
    edges = [[text, 0, 1] for text in HOSTILE]
    body = {"vertices": [[["Entity"], {}], [["Entity"], {}]], "edges": edges}
    store.send([event(store.project, origin, 1, body)])
    assert {key[0] for key in served(store)[1]} == set(HOSTILE)


@pytest.mark.parametrize("fewest", [1, 100])
def test_values_of_every_type(team: Callable[..., TeamStore], fewest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "FEWEST", fewest)
    store, origin = team(), uuid7()
    keys = ["x", "started_at", "path", "name", "argv", "x_json", "uid"]
    rows = [[["Activity", "Command"], {key: value}] for value in VALUES for key in keys]
    changes = [
        [store.namespace.vertex(origin, 1, place), {key: VALUES[(place * 7) % len(VALUES)] for key in keys}]
        for place in range(len(rows))
    ]
    events = [event(store.project, origin, 1, {"vertices": rows}), event(store.project, origin, 2, {"set": changes})]
    for found in events:
        store.send([found])
    assert_same(served(store), embedded(store.project, events))
    times = store.run(
        "MATCH (n:Activity {project: $p}) WHERE n.started_at < datetime() RETURN count(n)", p=store.project
    )
    assert times[0][0] > 0


@pytest.mark.parametrize("fewest", [1, 100])
def test_what_no_index_can_hold(team: Callable[..., TeamStore], fewest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "FEWEST", fewest)
    store, origin = team(), uuid7()
    long: list[Any] = [
        "p" * 8_001,
        "é" * 4_001,
        "\udcff" * 2_001,
        "🙂" * 2_001,
        "p" * 8_000,
        "é" * 4_000,
        "x" * 100_000,
    ]
    long += [["a" * 500] * 20, list(range(2_000)), [True] * 9_000]
    kinds = [["Entity", "Snapshot"], ["Entity", "Artifact"], ["Activity", "Command"], ["Agent", "Person"]]
    keys = ["path", "sha256", "name", "email", "started_at", "other"]
    rows = [[labels, {key: value}] for labels in kinds for key in keys for value in long]
    body = {"vertices": rows, "facts": {"members": [{"vertex": 0, "chunk": members.encode([])}]}}
    events = [event(store.project, origin, 1, body)]
    store.send(events)
    assert_same(served(store), embedded(store.project, events))


def test_whatever_is_indexed_is_known_as_such() -> None:
    keys = {key for label, *keys in migrations.INDEXES if not label.startswith("Provgraph") for key in keys}
    assert keys == INDEXED | {"project"}


def test_members_of_a_collection(team: Callable[..., TeamStore]) -> None:
    store, origin = team(), uuid7()
    chunk = members.encode([(f"{n}.png", f"{n:064x}", n) for n in range(1000)])
    row = [["Entity", "Snapshot", "Collection"], {"path": "img"}]
    body = {"vertices": [row], "facts": {"members": [{"vertex": 0, "chunk": chunk}]}}
    store.send([event(store.project, origin, 1, body)])
    uid = store.namespace.vertex(origin, 1, 0)
    query = "MATCH (m:ProvgraphMembers {of: $p}) RETURN m.uid, m.path, m.data"
    assert store.run(query, p=store.project) == [[uid, "img", chunk]]
    later = {"facts": {"members": [{"vertex": uid, "chunk": members.encode([])}]}}
    store.send([event(store.project, origin, 2, later)])
    assert store.run(query, p=store.project) == [[uid, "img", members.encode([])]]


def test_an_origin_says_where_it_is(team: Callable[..., TeamStore]) -> None:
    store, origin = team(), uuid7()
    body = {"facts": {"origin": origin, "host": "box", "folder": "work"}}
    store.send([event(store.project, origin, 1, body, "origin.begun")])
    store.send([event(store.project, origin, 2, {})])
    (row,) = store.origins()
    assert (row.uid, row.last, row.host, row.name) == (origin, 2, "box", "work")


def test_migrations_again_and_at_once(team: Callable[..., TeamStore]) -> None:
    store = team()
    assert migrations.migrate(store.connection) == 0
    assert _at_once([store.migrate] * 8) == []
    with pytest.raises(NewerStoreError, match="newer provgraph"):
        migrations.migrate(store.connection, version=0)
    names = {row[0] for row in store.run("SHOW CONSTRAINTS YIELD name")}
    assert {"provgraph_entity_uid", "provgraph_activity_uid", "provgraph_agent_uid", "provgraph_chunk_uid"} <= {
        name.replace("provgraphchunk", "chunk") for name in names
    }


def test_an_agent_that_comes_later_is_known(team: Callable[..., TeamStore]) -> None:
    """A notebook asks the same connection for days."""
    store, origin = team(), uuid7()
    assert store.reader.agents_named("Ada") == []
    store.send([event(store.project, origin, 1, {"vertices": [[["Agent", "Person"], {"name": "Ada"}]]})])
    assert [vertex.properties["name"] for vertex in store.reader.agents_named("Ada")] == ["Ada"]


def _at_once(jobs: list[Callable[[], object]]) -> list[BaseException]:
    errors: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - shown where the threads are waited for
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return errors


def test_eight_send_at_once(team: Callable[..., TeamStore]) -> None:
    """Each its own events, and each also those of another: some are faster, nothing is there twice."""
    rng, project = random.Random(11), uuid7()
    found = histories(project, rng, origins=8, events=12)
    stores = [team(project) for _ in found]

    def sender(place: int) -> Callable[[], None]:
        mine = random.Random(place)
        return lambda: _until_sent(stores[place], [found[place], found[(place + 1) % len(found)]], mine)

    assert _at_once([sender(place) for place in range(len(found))]) == []
    assert_same(served(stores[0]), embedded(project, shuffled(found, rng)))
    numbers = [number for number, _ in chunks_of(stores[0])]
    assert numbers == list(range(1, len(numbers) + 1))


def _until_sent(store: TeamStore, histories: list[list[Event]], rng: random.Random) -> None:
    """What a push does: ask what is there, send the rest in batches, ask again where somebody was faster."""
    while True:
        received = store.received()
        missing = [e for history in histories for e in history if e.origin_seq > received.get(e.origin, 0)]
        if not missing:
            return
        with contextlib.suppress(Behind):
            push(store, missing, rng, largest=3)


CHILD = """
import json, os, random, sys
sys.path[:0] = json.loads(os.environ["TEST_PATH"])
from pathlib import Path
from provgraph.events import Event
from provgraph.stores.encoding import loads
from provgraph.stores.neo4j import Remote, TeamStore
from team.test_writing import _until_sent
events = [Event(*row) for row in loads(Path(sys.argv[2]).read_text())]
remote = Remote("team", *json.loads(os.environ["TEST_REMOTE"]))
with TeamStore(remote, sys.argv[1], write=True) as store:
    print("begun", flush=True)
    _until_sent(store, [events], random.Random(os.getpid()))
"""


@pytest.mark.slow
def test_killed_while_sending(team: Callable[..., TeamStore], tmp_path: Path) -> None:
    store, origin, rng = team(), uuid7(), random.Random(3)
    events = []
    for number in range(1, 90):
        before = [store.namespace.vertex(origin, number - 1, 1)] if number > 1 else []
        vertices = [[["Activity", "Command"], {"number": number}], [["Entity", "Snapshot"], {"path": f"f{number % 9}"}]]
        edges: list[Any] = [["wasGeneratedBy", 1, 0, {"at": AT}], *(["used", 0, uid] for uid in before)]
        events.append(event(store.project, origin, number, {"vertices": vertices, "edges": edges}))
    path = tmp_path / "events.json"
    path.write_text(dumps([[getattr(e, name) for name in Event.__slots__] for e in events]))
    killed = 0
    while store.received().get(origin, 0) < events[-1].origin_seq:
        with _child(store, path) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.4))
            if child.poll() is None:
                os.kill(child.pid, signal.SIGKILL)
                killed += 1
        assert killed < 200
    assert killed > 2
    assert_same(served(store), embedded(store.project, events))
    assert _texts(e for _, found in chunks_of(store) for e in found) == _texts(events)


@contextlib.contextmanager
def _child(store: TeamStore, path: Path) -> Iterator["subprocess.Popen[str]"]:
    remote = store.remote
    environment = os.environ | {
        "TEST_PATH": dumps([str(Path(__file__).resolve().parents[1])]),
        "TEST_REMOTE": dumps([remote.url, remote.user, remote.password]),
    }
    argv = [sys.executable, "-c", CHILD, store.project, str(path)]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as child:
        yield child


def test_what_is_read_back_is_what_was_recorded(team: Callable[..., TeamStore]) -> None:
    from provgraph.stores.cypher_properties import from_server

    store, origin = team(), uuid7()
    rows = [[["Entity"], {"x": value, "path": value}] for value in VALUES]
    store.send([event(store.project, origin, 1, {"vertices": rows})])
    query = "UNWIND $uids AS uid MATCH (n:Entity {uid: uid}) RETURN properties(n)"
    namespace = Namespace(store.project)
    for place, value in enumerate(VALUES):
        (row,) = store.run(query, uids=[namespace.vertex(origin, 1, place)])
        held = {key: found for key, found in row[0].items() if key not in ("uid", "project", "origin")}
        assert dumps(from_server(held)["x"]) == dumps(value)
    assert loads(dumps(VALUES)) is not None
