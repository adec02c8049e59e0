"""What was forgotten comes to no server again: not to a wiped one, not to one that knows, not after a broken pull."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from team_journals import chunks_of, embedded_tables, served
from two_clones import AT, run_command

from provgraph.errors import RemoteError
from provgraph.events.batches import batches
from provgraph.model.identity import uuid7
from provgraph.session import syncing
from provgraph.session.project import Project
from provgraph.session.syncing import Pushing
from provgraph.stores.neo4j import TeamStore
from provgraph.stores.purge_bodies import GONE, Removal
from provgraph.stores.purging import pending_tombstones, purge

pytestmark = pytest.mark.usefixtures("folders")
SECRET = "Zq7secret"


def record(project: Project, name: str, writes: tuple[str, ...] = ()) -> None:
    run_command(project.store(write=True), name, writes=writes)


def everything(team: TeamStore) -> str:
    """What the server has of the project."""
    rows = team.run("MATCH (n) WHERE n.project = $p OR n.of = $p RETURN properties(n)", p=team.project)
    return str([{k: v for k, v in row[0].items() if k != "data"} for row in rows]) + str(chunks_of(team))


def wipe(team: TeamStore) -> None:
    """The project goes from the server, as after a disk was lost."""
    with team.connection.session(write=True) as session:
        query = "MATCH (n) WHERE n.project = $uid OR n.of = $uid OR n.uid = $uid DETACH DELETE n"
        session.run(query, uid=team.project).consume()


def same(team: TeamStore, project: Project) -> None:
    store = project.store()
    assert served(team) == embedded_tables(store.project, store.graph)
    assert {(e.origin, e.origin_seq): e.body for _, found in chunks_of(team) for e in found} == {
        (e.origin, e.origin_seq): e.body for e in store.events()
    }


def one_event_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "batches", lambda events: batches(events, elements=1))


def break_off(monkeypatch: pytest.MonkeyPatch, pull: Callable[[], Any]) -> None:
    """A pull that is killed when all events are here, and nothing was forgotten yet."""

    def killed(*_: object) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(syncing, "obey", killed)
        with pytest.raises(KeyboardInterrupt):
            pull()


def test_what_was_never_sent_meets_the_old_uid_of_what_was_forgotten(
    clone: Callable[[str], Project], team: TeamStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event from before the forget, and sent in another batch than the tombstone, calls the file by its new uid."""
    one_event_a_batch(monkeypatch)
    alice = clone("alice")
    record(alice, "one", (f"{SECRET}.csv",))
    alice.push()
    record(alice, "two", (f"{SECRET}.csv",))
    alice.forget(pattern=SECRET)
    alice.push()
    assert SECRET not in everything(team)
    same(team, alice)


def test_what_is_forgotten_while_it_is_sent(
    clone: Callable[[str], Project], team: TeamStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_event_a_batch(monkeypatch)
    alice = clone("alice")
    for number in range(4):
        record(alice, f"c{number}", (f"{SECRET}.csv",))
    alice.close()
    sent: list[int] = []

    def forget_now(done: int, _total: int) -> None:
        sent.append(done)
        if len(sent) == 3:
            with Project(alice.root) as other:
                other.forget(pattern=SECRET)

    with Project(alice.root) as pushing:
        syncing.push(pushing, "team", forget_now)
        pushing.push()  # what is read while the history is rewritten may be from before
    assert len(sent) > 3
    assert SECRET not in everything(team)
    same(team, alice)


def test_wiped_server_that_a_clone_refilled_which_did_not_know(
    clone: Callable[[str], Project], team: TeamStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_event_a_batch(monkeypatch)
    alice, bob = clone("alice"), clone("bob")
    record(alice, SECRET, (f"{SECRET}.csv",))
    alice.push()
    bob.pull()
    alice.forget(pattern=SECRET)
    record(alice, "later", (f"{SECRET}2.csv", "plain.csv"))
    alice.push()
    wipe(team)
    bob.push()
    assert f"{SECRET}.csv" in everything(team), "he has not heard of it"
    alice.forget(pattern=SECRET)
    alice.push()
    assert SECRET not in everything(team)
    assert bob.pull().forgotten
    alice.pull()
    same(team, alice)
    same(team, bob)


def test_server_that_knows_what_was_forgotten_takes_nothing_older(
    clone: Callable[[str], Project], team: TeamStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The push that refills it breaks off between the tombstone and what that names; others push meanwhile."""
    one_event_a_batch(monkeypatch)
    alice, bob = sorted((clone("alice"), clone("bob")), key=lambda project: project.store().origin)
    record(bob, SECRET, (f"{SECRET}.csv",))
    bob.push()
    alice.pull()
    alice.forget(pattern=SECRET)
    alice.push()
    wipe(team)
    (last,) = (event.origin_seq for event in alice.store().events() if event.kind == "content.purged")

    def cut(done: int, _total: int) -> None:
        if team.received().get(alice.store().origin, 0) == last:
            raise RemoteError("cut")

    with pytest.raises(RemoteError, match="cut"):
        syncing.push(alice, "team", cut)
    assert bob.store().origin not in team.received()
    with pytest.raises(RemoteError, match=r"colleague has forgotten.*provdb pull") as caught:
        bob.push()
    assert not caught.value.passing
    pulled = bob.pull()
    assert pulled.forgotten == 0
    assert any("tombstone" in note for note in pulled.notes)
    assert pending_tombstones(bob.store()), "it waits for what stands there now"
    with pytest.raises(RemoteError, match="tombstone of a colleague's waits"):
        bob.push()
    assert SECRET not in everything(team)
    alice.push()
    assert bob.pull().forgotten
    bob.push()
    alice.pull()
    for project in (alice, bob):
        assert SECRET not in str([event.body for event in project.store().events()])
        same(team, project)


def test_pull_that_was_killed_before_it_forgot(
    clone: Callable[[str], Project], team: TeamStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = clone("alice"), clone("bob")
    record(alice, SECRET, (f"{SECRET}.csv",))
    alice.push()
    bob.pull()
    alice.forget(pattern=SECRET)
    alice.push()
    break_off(monkeypatch, bob.pull)
    bob.close()
    assert pending_tombstones(bob.store())
    record(bob, "mine")
    bob.push()
    assert pending_tombstones(bob.store()) == []
    assert SECRET not in str([event.body for event in bob.store().events()])
    same(team, bob)


def test_pull_that_was_killed_and_a_server_that_was_wiped(
    clone: Callable[[str], Project], team: TeamStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = clone("alice"), clone("bob")
    record(alice, SECRET, (f"{SECRET}.csv",))
    alice.push()
    bob.pull()
    alice.forget(pattern=SECRET)
    alice.push()
    break_off(monkeypatch, bob.pull)
    bob.close()
    wipe(team)
    with pytest.raises(RemoteError, match="nothing was sent"):
        bob.push()
    assert "nothing was sent" in str(bob.remotes.list()[0].failure)
    assert bob.pull().forgotten == 0
    assert team.received() == {}
    alice.push()
    assert bob.pull().forgotten
    bob.push()
    same(team, bob)


def test_watch_forgets_what_is_forgotten_meanwhile(clone: Callable[[str], Project], team: TeamStore) -> None:
    """A connection that stays: each push looks for tombstones anew."""
    alice = clone("alice")
    record(alice, SECRET, (f"{SECRET}.csv",))
    with Project(alice.root) as watching, Pushing(watching, "team") as pushing:
        pushing.send_new()
        record(alice, "two", (f"{SECRET}.csv",))
        alice.close()
        store = alice.store(write=True)
        renamed = {store.namespace.artifact("none"): uuid7()}
        purge(store, Removal("pattern", ((re.compile(SECRET), GONE),), renamed=renamed), by="Ada", at=AT)
        alice.close()
        pushing.send_new()
    assert SECRET not in everything(team)
    same(team, alice)
