"""`provdb forget` and a real server: what is gone here is gone there after the next push, and the graphs stay equal."""

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from forget_search import holding
from team_journals import AT, chunks_of, embedded_tables, event, histories, push, served, shuffled
from two_clones import run_command

from provgraph.errors import NewerStoreError
from provgraph.graph.reader import ActivityFilter
from provgraph.model import members
from provgraph.model.identity import uuid7
from provgraph.session.forgetting import forget_there
from provgraph.session.project import Project
from provgraph.stores import EmbeddedStore, init_project
from provgraph.stores.neo4j import TeamStore, migrations
from provgraph.stores.neo4j.purging import purge as purge_there
from provgraph.stores.purge_bodies import GONE, Removal
from provgraph.stores.purging import applied, apply_tombstones, named, pending_tombstones, purge, tombstones

_EARLIER = "01900000-0000-7000-8000-000000000001"
"""An origin that comes before all that are made now."""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedStore]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    with init_project(str(tmp_path / "here"), join=uuid7()) as opened:
        yield opened


@pytest.fixture
def team(team_remote: Callable[..., Any], store: EmbeddedStore) -> Iterator[TeamStore]:
    with TeamStore(team_remote(), store.project, write=True) as opened:
        opened.migrate()
        yield opened


def everything(team: TeamStore) -> str:
    """All that the database has of a project, as text: vertices, edges, and what is ours, unpacked."""
    mine = "n.project = $p OR n.of = $p OR n.uid = $p"
    rows = [
        *team.run(f"MATCH (n) WHERE {mine} RETURN labels(n), properties(n)", p=team.project),
        *team.run(f"MATCH (n)-[r]->() WHERE {mine} RETURN type(r), properties(r)", p=team.project),
    ]
    shown = [json.dumps(list(row), ensure_ascii=False, default=str) for row in rows]
    return "\n".join([*shown, *(json.dumps(e.body, ensure_ascii=False) for _, found in chunks_of(team) for e in found)])


def send(team: TeamStore, store: EmbeddedStore) -> None:
    """What a push does."""
    received = team.received()
    for origin in store.journal.lasts():
        batch = [event for event, _ in store.journal.of_origin(origin, received.get(origin, 0))]
        if batch:
            forget_there(store, team, batch)
            team.send(batch, applied(store.journal))


@pytest.mark.parametrize("seed", range(30))
def test_random_histories_stay_equal(store: EmbeddedStore, team: TeamStore, seed: int) -> None:
    rng = random.Random(seed)
    found = shuffled(histories(store.project, rng, origins=3), rng)
    store.journal.append_foreign(found)
    push(team, found, rng)
    send(team, store)
    assert served(team) == embedded_tables(store.project, store.graph)
    pattern = rng.choice([r"x", "é", r"f\d", "ada", "a`b", r"[ab]", "no time|🙂"])
    purge(store, Removal("pattern", ((re.compile(pattern), GONE),)), by="Bob", at=AT)
    send(team, store)
    assert served(team) == embedded_tables(store.project, store.graph)
    assert _chunks(team) == {(event.origin, event.origin_seq): event.body for event in store.events()}
    assert purge_there(team, store.journal, list(tombstones(store.journal))) == 0


def _chunks(team: TeamStore) -> dict[Any, Any]:
    return {(event.origin, event.origin_seq): event.body for _, found in chunks_of(team) for event in found}


def record(store: EmbeddedStore) -> str:
    """A command, a person, a secret in many places."""
    stored = store.objects.put_bytes(b"SECRET bytes")
    with store.journal.batch() as batch:
        event = batch.event("activity.ended", AT)
        activity = event.vertex(
            ["Activity", "Command"],
            {
                "name": "c #1", "number": 1, "command": "echo SECRET", "argv": ["echo", "SECRET"], "started_at": AT,
                "capture": "seccomp", "host": "adasbox", "SECRETkey": 1, "x_json": '{"a": "SECRET"}',
            },
        )  # fmt: skip
        uid = store.namespace.person("ada@x.org")
        person = event.vertex(["Agent", "Person"], {"name": "Ada Byron", "email": "ada@x.org"}, uid)
        event.edge("wasAssociatedWith", activity, person, role="SECRET role", note="by SECRET")
        path = {"path": "in/SECRET.csv"}
        artifact = event.vertex(["Entity", "Artifact"], path, store.namespace.artifact("in/SECRET.csv"))
        properties = {**path, "sequence": 1, "created_at": AT, "sha256": stored.sha256, "size_bytes": 12}
        snapshot = event.vertex(["Entity", "Snapshot"], properties)
        event.edge("specializationOf", snapshot, artifact)
        event.edge("wasGeneratedBy", snapshot, activity, at=AT)
    with store.journal.batch() as batch:
        event = batch.event("properties.annotated", AT)
        event.facts["by"] = "Ada Byron"
        event.set(uid, phone="SECRET 555", team="x")
        event.set(snapshot, SECRETnote="SECRET")
    return snapshot


def test_a_secret_goes_from_the_server_with_the_next_push(store: EmbeddedStore, team: TeamStore) -> None:
    record(store)
    send(team, store)
    assert "SECRET" in everything(team)
    purge(store, Removal("pattern", ((re.compile("SECRET"), GONE),)), by="Bob", at=AT)
    send(team, store)
    text = everything(team).replace("SECRET role", "")  # a role is part of what an edge is
    assert "SECRET" not in text
    assert served(team) == embedded_tables(store.project, store.graph)
    assert store.journal.lasts() == team.received()


def test_a_content_loses_its_digest_there(store: EmbeddedStore, team: TeamStore) -> None:
    uid = record(store)
    digest = store.reader.snapshots("in/SECRET.csv")[0].sha256 or ""
    send(team, store)
    assert digest in everything(team)
    purge(store, Removal("vertex", digests=frozenset({digest}), contents=frozenset({uid})), by="Bob", at=AT)
    send(team, store)
    assert digest not in everything(team)
    assert served(team) == embedded_tables(store.project, store.graph)
    found = team.run("MATCH (s:Snapshot {uid: $uid}) RETURN s.content, s.purged_by", uid=uid)
    assert found == [["purged", "Bob"]]


def test_a_person_goes_with_address_uid_and_sender(store: EmbeddedStore, team: TeamStore) -> None:
    record(store)
    send(team, store)
    uid, fresh = store.namespace.person("ada@x.org"), uuid7()
    substitutions = tuple((re.compile(text), "forgotten-1") for text in ("ada@x.org", "Ada Byron"))
    removal = Removal("agent", substitutions, agents={uid: "forgotten-1"}, renamed={uid: fresh})
    purge(store, removal, by="forgotten-1", at=AT)
    send(team, store)
    text = everything(team)
    assert not [needle for needle in ("Ada Byron", "ada@x.org", uid) if needle in text]
    assert served(team) == embedded_tables(store.project, store.graph)
    query = "MATCH (p:Person {uid: $uid})<-[:wasAssociatedWith]-(a:Command) RETURN p.name, a.name"
    assert team.run(query, uid=fresh) == [["forgotten-1", "c #1"]]


def test_what_an_earlier_origin_said_of_what_gets_another_uid(store: EmbeddedStore, team: TeamStore) -> None:
    """Chunks are purged by origin: this one names vertices by old uids; the chunk that renames comes later."""
    record(store)
    artifact, person = store.namespace.artifact("in/SECRET.csv"), store.namespace.person("ada@x.org")
    changes = [[artifact, {"note": "SECRET"}], [person, {"nick": "SECRET"}]]
    edge = ["wasAttributedTo", artifact, person, {"note": "SECRET"}]
    store.journal.append_foreign(
        [
            event(store.project, _EARLIER, 1, {"edges": [edge]}),
            event(store.project, _EARLIER, 2, {"set": changes}, "properties.annotated"),
        ]
    )
    send(team, store)
    assert store.origin > _EARLIER
    patterns = tuple((re.compile(text), GONE) for text in ("SECRET", "ada@x.org"))
    purge(store, Removal("pattern", patterns, renamed={person: uuid7()}), by="Bob", at=AT)
    send(team, store)
    text = everything(team).replace("SECRET role", "")
    assert not [needle for needle in ("SECRET", "ada@x.org", artifact, person) if needle in text]
    assert served(team) == embedded_tables(store.project, store.graph)


def test_members_are_found_by_no_path_that_went(store: EmbeddedStore, team: TeamStore) -> None:
    long = "x" * 9_000
    with store.journal.batch() as batch:
        recorded = batch.event("activity.ended", AT)
        for path in ("SECRET/img", "SECRET/" + long):
            chunk = members.encode([("a", None, 1)])
            folder = recorded.vertex(["Entity", "Collection"], {"path": path})
            recorded.facts.setdefault("members", []).append({"vertex": folder, "chunk": chunk})
    send(team, store)
    purge(store, Removal("pattern", ((re.compile("SECRET"), GONE),)), by="Bob", at=AT)
    send(team, store)
    rows = team.run("MATCH (m:ProvgraphMembers {of: $p}) RETURN m.path ORDER BY m.path", p=team.project)
    assert rows == [[""], ["***/img"]]


def test_an_older_program_leaves_a_newer_database_alone(
    store: EmbeddedStore, team: TeamStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(store)
    send(team, store)
    purge(store, Removal("pattern", ((re.compile("SECRET"), GONE),)), by="Bob", at=AT)
    before = everything(team)
    with monkeypatch.context() as older:
        for function in (migrations.check, migrations.understand):
            older.setattr(function, "__defaults__", (0,))
        with pytest.raises(NewerStoreError, match="newer provgraph"):
            purge_there(team, store.journal, list(tombstones(store.journal)))
        with TeamStore(team.remote, store.project) as unopened:
            for ask in (unopened.received, lambda: list(unopened.fetch_origin(store.origin))):
                with pytest.raises(NewerStoreError, match="newer provgraph"):
                    ask()
            with pytest.raises(NewerStoreError, match="newer provgraph"):
                unopened.reader.activities(ActivityFilter())
            with pytest.raises(NewerStoreError, match="newer provgraph"):
                unopened.cypher("MATCH (n) RETURN n")
    assert everything(team) == before


def test_what_somebody_else_wrote_since_stays(store: EmbeddedStore, team: TeamStore, tmp_path: Path) -> None:
    snapshot = record(store)
    send(team, store)
    (tmp_path / "there").mkdir()
    with init_project(str(tmp_path / "there"), join=store.project) as other:
        other.journal.append_foreign(event for event, _ in store.journal.of_origin(store.origin))
        with other.journal.batch() as batch:
            batch.event("properties.annotated", AT.replace(":00+", ":30+")).set(snapshot, SECRETnote="mine", other=2)
        send(team, other)
    purge(store, Removal("pattern", ((re.compile(r"SECRET$"), GONE),)), by="Bob", at=AT)
    send(team, store)
    found = team.run("MATCH (s:Snapshot {uid: $uid}) RETURN s.SECRETnote, s.other", uid=snapshot)
    assert found == [["mine", 2]]


def test_two_clones_by_the_commands(place: Path, tmp_path: Path, make_provdb: Any, neo4j_server: Any) -> None:
    """Forget in one, push, pull in the other: gone from both and from the server between them."""
    secrets = {"PROVDB_NEO4J_USER": neo4j_server.user, "PROVDB_NEO4J_PASSWORD": neo4j_server.password}
    (tmp_path / "two").mkdir()
    one, two = make_provdb(place, **secrets), make_provdb(tmp_path / "two", **secrets)
    one("init")
    two("init", "--join", one.json("status")["project"])
    for clone in (one, two):
        clone("remote", "add", "team", neo4j_server.url)
    (place / "in.txt").write_text("Zq7planted\n")
    (tmp_path / "two/in.txt").write_text("Zq7planted\n")
    one("sh", "-c", "cat in.txt > out.txt; echo Zq7planted")
    two("cat", "in.txt")
    one("push")
    two("pull")
    assert holding(tmp_path / "two", "Zq7planted")
    one("forget", "--pattern", r"Zq7\w+", "--contents", "--yes")
    pushed = one.json("push")
    assert pushed["events"] >= 1
    two("pull")
    assert holding(place, "Zq7planted") == holding(tmp_path / "two", "Zq7planted") == []
    for clone in (one, two):
        assert clone.json("doctor")["healthy"]
    assert [v["uid"] for v in one.json("lineage", "out.txt")["vertices"]] == [
        v["uid"] for v in one.json("lineage", "out.txt", "--at", "team")["vertices"]
    ]


@pytest.mark.parametrize("pulls", [False, True])
@pytest.mark.parametrize("first", [0, 1])
def test_two_clones_that_forget_different_things_at_once(
    clone: Callable[[str], Project], team_remote: Any, uid: str, first: int, pulls: bool
) -> None:
    """Whoever pushes first, and whether or not the other pulls before it pushes."""
    bob, alice = clone("bob"), clone("alice")
    for name in ("echo Zq7A Zq7B", "true Zq7A"):
        run_command(bob.store(write=True), name)
    bob.push()
    alice.pull()
    alice.forget(pattern="Zq7A")
    bob.forget(pattern="Zq7B")
    one, other = ((bob, alice), (alice, bob))[first]
    one.push()
    if pulls:
        other.pull()
    other.push()
    with TeamStore(team_remote(), uid) as team:
        assert not [needle for needle in ("Zq7A", "Zq7B") if needle in everything(team)]
        for project in (one, other, one):
            project.pull()
            project.push()
            project.close()
        assert not [needle for needle in ("Zq7A", "Zq7B") if needle in everything(team)]
        for project in (bob, alice):
            assert holding(Path(project.root), "Zq7A", "Zq7B") == []
            store = project.store()
            assert served(team) == embedded_tables(uid, store.graph)
            assert _chunks(team) == {(event.origin, event.origin_seq): event.body for event in store.events()}


def test_what_one_forgets_after_the_other_is_not_more_than_it_was(
    store: EmbeddedStore, team: TeamStore, tmp_path: Path
) -> None:
    """Only what was forgotten at once is merged: a pseudonym, a property's new name stay, of who knows of the other."""
    record(store)
    send(team, store)
    (tmp_path / "there").mkdir()
    with init_project(str(tmp_path / "there"), join=store.project) as other:
        _take(other, team)
        purge(store, Removal("pattern", ((re.compile("adasbox"), GONE),)), by="Bob", at=AT)
        send(team, store)
        _take(other, team)
        substitutions = tuple((re.compile(text), "forgotten-1") for text in ("ada@x.org", "Ada Byron"))
        person = store.namespace.person("ada@x.org")
        removal = Removal("agent", substitutions, agents={person: "forgotten-1"}, renamed={person: uuid7()})
        purge(other, removal, by="Carl", at=AT)
        purge(other, Removal("pattern", ((re.compile("SECRET"), GONE),)), by="Carl", at=AT)
        send(team, other)
        _take(store, team)
        for clone in (store, other):
            assert served(team) == embedded_tables(store.project, clone.graph)
        assert team.run("MATCH (p:Person {project: $p}) RETURN p.name", p=store.project) == [["forgotten-1"]]
        assert "***key" in everything(team)


def test_a_person_is_forgotten_while_another_forgets_a_word(
    store: EmbeddedStore, team: TeamStore, tmp_path: Path
) -> None:
    record(store)
    send(team, store)
    person = store.namespace.person("ada@x.org")
    (tmp_path / "there").mkdir()
    with init_project(str(tmp_path / "there"), join=store.project) as other:
        _take(other, team)
        substitutions = tuple((re.compile(text), "forgotten-1") for text in ("ada@x.org", "Ada Byron"))
        removal = Removal("agent", substitutions, agents={person: "forgotten-1"}, renamed={person: uuid7()})
        purge(store, removal, by="Carl", at=AT)
        purge(other, Removal("pattern", ((re.compile("SECRET"), GONE),)), by="Bob", at=AT)
        send(team, store)
        send(team, other)
        text = everything(team).replace("SECRET role", "")
        assert not [needle for needle in ("Ada Byron", "ada@x.org", "SECRET") if needle in text]
        for origin_seq in (1, 2, 3):  # the other's tombstone names a uid that it did not know to be gone
            assert person not in json.dumps(_chunks(team).get((store.origin, origin_seq)))
        for clone in (store, other):
            _take(clone, team)
            assert served(team) == embedded_tables(store.project, clone.graph)


def _take(store: EmbeddedStore, team: TeamStore) -> None:
    """What a pull does."""
    received, known = team.received(), store.journal.lasts()
    for origin in received:
        if origin != store.origin:
            for found in team.fetch_origin(origin, known.get(origin, 0)):
                store.journal.append_foreign(found)
    pending = pending_tombstones(store)
    there = _chunks(team)
    apply_tombstones(
        store, pending, {name: there[name] for event in pending for name in named(event, received)}, received
    )
