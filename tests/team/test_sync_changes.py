"""What changes under a push or a pull: the configuration, the journal's past, what was forgotten, whose the lock is."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes import eventually
from two_clones import find_file, run_command

from provgraph.errors import RemoteError, TrustError
from provgraph.session import ingester
from provgraph.session.forgetting import at_rest
from provgraph.session.project import Project
from provgraph.session.syncing import Pushing, note_failure
from provgraph.session.watching import watch
from provgraph.stores import EmbeddedStore, init_project
from provgraph.stores.neo4j import TeamStore

pytestmark = pytest.mark.usefixtures("folders")


def at(minute: int) -> str:
    return f"2026-11-20T12:{minute:02}:00+00:00"


def journal(project: Project, name: str, minute: int, content: str = "weights") -> str:
    return run_command(project.store(write=True), name, writes=(f"{name}.out",), at=at(minute), content=content)[""]


# -- the configuration


def test_trust_is_asked_for_when_the_address_is_read(clone: Callable[[str], Project]) -> None:
    """A project that was opened when its configuration was trusted sends nothing to an address that came later."""
    alice = clone("alice")
    journal(alice, "one", 1)
    assert alice.store(write=True).trusted
    file = Path(alice.root, ".provdb/config.toml")
    text = file.read_text()
    url = alice.remotes.resolve("team").url
    file.write_text(text.replace(url, "bolt://localhost:1"))
    for act in (alice.push, alice.pull, lambda: alice.remotes.resolve("team")):
        with pytest.raises(TrustError, match=r"localhost:1.*provdb trust"):
            act()
    file.write_text(text)
    assert alice.push().events


def test_watch_that_comes_back_sends_nothing_to_a_new_address(clone: Callable[[str], Project]) -> None:
    alice = clone("alice")
    said: list[str] = []

    def cut(_done: object) -> None:
        file = Path(alice.root, ".provdb/config.toml")
        file.write_text(file.read_text().replace(alice.remotes.resolve("team").url, "bolt://localhost:1"))
        raise RemoteError("cut")

    with pytest.raises(TrustError, match=r"localhost:1.*provdb trust"):
        watch(alice, "team", cut, said.append, lambda: bool(said))


def test_failure_of_a_remote_that_is_gone_is_only_raised(clone: Callable[[str], Project]) -> None:
    alice = clone("alice")
    alice.remotes.remove("team")
    note_failure(alice, "team", RemoteError("away"))
    note_failure(alice, "never", RemoteError("away"))


# -- watching


def test_watch_sends_what_came_while_it_sent(clone: Callable[[str], Project], team: TeamStore) -> None:
    alice = clone("alice")
    root, over, failed = alice.root, threading.Event(), []
    alice.close()

    def once(_done: object) -> None:
        with Project(root) as other:
            if "second" not in str(other.log().rows):
                journal(other, "second", 2)

    def run() -> None:
        try:
            with Project(root) as watching:
                watch(watching, None, once, lambda _text: None, over.is_set)
        except BaseException as error:  # noqa: BLE001 - the test tells
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        eventually(lambda: failed or team.received().get(alice.store().origin, 0) == 3, timeout_s=20)
    finally:
        over.set()
        thread.join(60)
    assert not failed


def test_transfers_are_looked_for_where_there_may_be_some(clone: Callable[[str], Project]) -> None:
    alice, bob = clone("alice"), clone("bob")
    journal(alice, "model", 1)
    alice.push()
    bob.pull()
    asked: list[str] = []

    def looks() -> int:
        found = sum("AND NOT p.own JOIN vertex m" in text for text in asked)
        asked.clear()
        return found

    with Pushing(bob, "team") as pushing:
        pushing.send_new()
        journal(bob, "other", 2, "else")
        bob.store(write=True).graph.set_trace_callback(asked.append)
        assert pushing.send_new().events == 1
        assert looks() == 0, "nothing new can be a colleague's"
        find_file(bob.store(write=True), "model.out", at(3), "weights")
        assert pushing.send_new().events == 2, "the file, and where it came from"
        assert looks()
        pushing.send_new()
        journal(alice, "late", 4, "late")
        find_file(bob.store(write=True), "late.out", at(5), "late")
        pushing.send_new()
        alice.push()
        bob.pull()
        pushing.send_new()
    assert len([e for e in bob.store().events() if e.kind == "transfer.noticed"]) == 2


# -- the past


def roll_back(project: Project, kept: Path) -> None:
    project.close()
    store = Path(project.root, ".provdb")
    for name in [*store.glob("journal.db*"), *store.glob("graph.db*")]:
        name.unlink()
    for name in kept.glob("journal.db*"):
        shutil.copy2(name, store / name.name)


def keep(project: Project, folder: Path) -> Path:
    project.close()
    folder.mkdir()
    for name in Path(project.root, ".provdb").glob("journal.db*"):
        shutil.copy2(name, folder / name.name)
    return folder


@pytest.mark.parametrize("since", [1, 2, 3])
def test_old_journal_that_has_gone_on_is_noticed(
    clone: Callable[[str], Project], tmp_path: Path, team: TeamStore, uid: str, neo4j_server: Any, since: int
) -> None:
    """Fewer, as many, or more events than were lost: their numbers are the lost ones' in any case."""
    alice = clone("alice")
    journal(alice, "first", 1)
    kept = keep(alice, tmp_path / "kept")
    lost = {journal(alice, f"lost{number}", 10 + number) for number in range(2)}
    alice.push()
    there, before = team.received(), team.cypher("MATCH (a:Activity) RETURN a.uid, a.name ORDER BY a.uid").rows
    roll_back(alice, kept)
    for number in range(since):
        journal(alice, f"since{number}", 20 + number)
    here = alice.store().journal.lasts()
    for act in (alice.push, alice.pull):
        with pytest.raises(RemoteError, match=r"older copy.*provdb init --join"):
            act()
    assert "older copy" in str(alice.remotes.list()[0].failure)
    assert alice.store().journal.lasts() == here, "no new origin, nothing taken"
    assert team.received() == there
    assert team.cypher("MATCH (a:Activity) RETURN a.uid, a.name ORDER BY a.uid").rows == before
    # What the message says to do.
    alice.close()
    shutil.move(Path(alice.root, ".provdb"), tmp_path / "aside")
    command = [sys.executable, "-m", "provgraph"]
    for words in (["init", "--join", uid], ["remote", "add", "team", neo4j_server.url], ["pull"]):
        subprocess.run([*command, *words], cwd=alice.root, check=True, capture_output=True)
    assert lost <= {row[0] for row in alice.cypher("MATCH (a:Activity) RETURN a.uid").rows}
    assert alice.push().events == 2, "the beginning of a new clone"


# -- what was forgotten


def test_pull_fetches_no_forgotten_event_twice(
    clone: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = clone("alice"), clone("bob")
    journal(alice, "Zq7secret", 1)
    alice.push()
    bob.pull()
    alice.forget(pattern="Zq7secret")
    alice.push()
    fetched: list[tuple[str, int]] = []
    real = TeamStore.fetch_origin

    def noting(self: TeamStore, origin: str, after: int = 0) -> Any:
        fetched.append((origin, after))
        return real(self, origin, after)

    monkeypatch.setattr(TeamStore, "fetch_origin", noting)
    carol = clone("carol")
    assert carol.pull().forgotten == 0
    origin = alice.store().origin
    assert [place for place in fetched if place[0] == origin] == [(origin, 0)], "what came was purged already"
    assert bob.pull().forgotten == 1
    for project in (bob, carol):
        assert "Zq7secret" not in str([event.body for event in project.store().events()])
        fetched.clear()
        assert project.pull().forgotten == 0
        assert not [place for place in fetched if place[0] == origin]


def test_what_is_forgotten_during_a_pull_is_forgotten_here(
    clone: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that was taken a moment before it was purged there, and the tombstone a moment after."""
    alice, bob = clone("alice"), clone("bob")
    journal(alice, "Zq7secret", 1)
    alice.push()
    real = TeamStore.received

    def late(self: TeamStore) -> dict[str, int]:
        found = real(self)
        monkeypatch.setattr(TeamStore, "received", real)
        fetch = TeamStore.fetch_origin

        def forgetting(store: TeamStore, origin: str, after: int = 0) -> Any:
            monkeypatch.setattr(TeamStore, "fetch_origin", fetch)
            events = [event for chunk in fetch(store, origin, after) for event in chunk]
            alice.forget(pattern="Zq7secret")
            alice.push()
            yield events
            yield from fetch(store, origin, events[-1].origin_seq)

        monkeypatch.setattr(TeamStore, "fetch_origin", forgetting)
        return found

    monkeypatch.setattr(TeamStore, "received", late)
    assert bob.pull().forgotten == 1
    assert "Zq7secret" not in str([event.body for event in bob.store().events()])


# -- the ingester


def can_be_had(root: str) -> bool:
    with ingester.ingestion_lock(root) as held:
        return held


def test_ingester_that_has_work_lets_go_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who rewrites the history comes to it, however much there is to ingest."""
    init_project(str(tmp_path)).close()
    over = threading.Event()
    monkeypatch.setattr(ingester, "unfinished", lambda _root: 0 if over.is_set() else 1)
    monkeypatch.setattr(ingester, "_AWAY_S", 1.0)  # twenty looks at the lock, however busy the machine is
    begun: list[str] = []
    real = ingester.wire

    def noting(store: EmbeddedStore) -> Any:
        begun.append(store.root)
        return real(store)

    monkeypatch.setattr(ingester, "wire", noting)
    thread = threading.Thread(target=ingester.run, args=(str(tmp_path),))
    thread.start()
    try:
        for _ in range(3):
            eventually(lambda: not can_be_had(str(tmp_path)))
            begun.clear()
            with at_rest(str(tmp_path)):
                assert len(begun) <= 1, "it left when it was first asked to"
    finally:
        over.set()
        ingester.ring(str(tmp_path), ingester.LEAVE)
        thread.join(60)
    assert not thread.is_alive()
