"""``push``, ``pull`` and ``--watch`` between clones on a real server."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes import eventually
from team_journals import chunks_of
from troubled_network import network

import provgraph
from provgraph.errors import NewerStoreError, RemoteError, StoreError
from provgraph.schemas import registry
from provgraph.session import background
from provgraph.session.locking import project_lock
from provgraph.session.project import Project
from provgraph.session.syncing import LOCK, Pushed
from provgraph.session.watching import watch
from provgraph.stores import init_project
from provgraph.stores.neo4j import TeamStore, migrations

AT = "2026-11-21T12:00:00+00:00"


pytestmark = pytest.mark.usefixtures("folders")


def journal(project: Project, commands: int = 1, vertices: int = 3) -> None:
    """Record some commands, each of which wrote files."""
    store = project.store(write=True)
    for _ in range(commands):
        with store.journal.batch() as batch:
            event = batch.event("provenance.declared", AT)
            number = event.origin_seq
            run = event.vertex(
                ["Activity", "Command"], {"name": f"run {number}", "command": f"run {number}", "started_at": AT,
                                          "ended_at": AT, "exit_status": 0, "number": number},
            )  # fmt: skip
            for place in range(vertices):
                path = f"out/{store.origin[-4:]}-{number}-{place}"
                made = event.vertex(["Entity", "Snapshot"], {"path": path, "sequence": 1, "created_at": AT})
                event.edge("wasGeneratedBy", made, run)


def events(project: Project) -> dict[str, int]:
    return project.store().journal.lasts()


def uids(project: Project) -> set[str]:
    return {row[0] for row in project.cypher("MATCH (n:Activity) RETURN n.uid").rows}


def test_there_and_back(clone: Callable[[str], Project], team: TeamStore) -> None:
    alice, bob = clone("alice"), clone("bob")
    journal(alice, 3)
    done = alice.push()
    assert not registry.explain("pushed", done.to_json())
    assert done.events == 5 and done.unsent == 0 and len(done.origins) == 1
    assert team.received() == events(alice)
    assert alice.push().events == 0
    journal(bob, 2)
    taken = bob.pull()
    assert not registry.explain("pulled", taken.to_json())
    assert taken.events == 5
    assert bob.pull().events == 0
    assert bob.push("team").events == 4, "alice's events are there already"
    assert alice.pull().events == 4
    assert events(alice) == events(bob) == team.received()
    assert uids(alice) == uids(bob)
    there = Project(alice.root, at="team")
    assert uids(there) == uids(alice)
    assert {row[1] for row in there.log().rows} == {row[1] for row in alice.log().rows}
    there.close()


def test_pulled_events_are_verbatim(clone: Callable[[str], Project]) -> None:
    alice, bob = clone("alice"), clone("bob")
    journal(alice, 2)
    alice.push()
    bob.pull()
    origin = alice.store().origin
    fields = ("uid", "origin", "origin_seq", "kind", "schema", "time", "body")
    one, other = ([e for e, _ in p.store().journal.of_origin(origin)] for p in (alice, bob))
    assert [[getattr(e, f) for f in fields] for e in one] == [[getattr(e, f) for f in fields] for e in other]


def test_how_far_behind(clone: Callable[[str], Project]) -> None:
    alice = clone("alice")
    journal(alice)
    (before,) = alice.remotes.list()
    assert (before.unsent, before.pushed_at, before.pulled_at) == (3, None, None)
    alice.push()
    journal(alice, 2)
    (after,) = alice.remotes.list()
    assert after.unsent == 2 and after.pushed_at and not after.pulled_at
    alice.pull()
    assert alice.remotes.list()[0].pulled_at
    findings = {f.text for f in alice.doctor().findings if f.check == "remote"}
    assert "it lacks 2 events that are here" in findings
    alice.push()
    texts = [f.text for f in alice.doctor().findings if f.check == "remote"]
    assert any(
        re.match(r"answers: Neo4j \d+\.\d+\.\d+ community, ", text) and text.endswith("not encrypted") for text in texts
    )
    assert f"its schema is up to date (version {migrations.VERSION})" in texts
    assert "its clock agrees with this one" in texts
    assert "both sides have the same events" in texts


def test_lost_memory_costs_nothing_but_a_question(clone: Callable[[str], Project], team: TeamStore) -> None:
    alice = clone("alice")
    journal(alice, 2)
    alice.push()
    alice.close()
    for name in Path(alice.root, ".provdb").glob("local.db*"):
        name.unlink()
    assert alice.remotes.list()[0].unsent == 4
    done = alice.push()
    assert done.events == 0 and alice.remotes.list()[0].unsent == 0
    assert team.received() == events(alice)


def test_server_that_lost_everything_gets_it_back_from_anybody(
    clone: Callable[[str], Project], team: TeamStore, uid: str
) -> None:
    alice, bob = clone("alice"), clone("bob")
    journal(alice, 3)
    alice.push()
    bob.pull()
    wipe(team, uid)
    assert team.received() == {}
    assert bob.remotes.list()[0].unsent == 2, "as far as bob remembers"
    done = bob.push()
    assert done.events == 7 and len(done.origins) == 2
    assert team.received() == events(bob)
    assert alice.pull().events == 2
    assert alice.push().events == 0


def wipe(team: TeamStore, uid: str) -> None:
    with team.connection.session(write=True) as session:
        session.run(
            "MATCH (n) WHERE n.project = $uid OR n.of = $uid OR n.uid = $uid DETACH DELETE n", uid=uid
        ).consume()


def test_copied_folder(clone: Callable[[str], Project], tmp_path: Path, team: TeamStore) -> None:
    alice = clone("alice")
    journal(alice, 2)
    alice.push()
    alice.close()
    subprocess.run(["cp", "-a", alice.root, str(tmp_path / "copy")], check=True)
    copy = Project(str(tmp_path / "copy"))
    with pytest.raises(StoreError, match="provdb trust"):
        copy.push()
    copy.trust()
    journal(copy)
    journal(alice)
    alice.push()
    copy.push()
    assert alice.pull().events == 2 and copy.pull().events == 1
    assert events(alice) == events(copy) == team.received()
    assert uids(alice) == uids(copy)
    copy.close()


def test_journal_put_back_in_its_place(clone: Callable[[str], Project], tmp_path: Path, team: TeamStore) -> None:
    """A backup restored over the store, in the very folder: what it lost comes back, under its own numbers."""
    alice = clone("alice")
    journal(alice, 2)
    alice.close()
    store = Path(alice.root, ".provdb")
    for name in store.glob("journal.db*"):
        shutil.copy2(name, tmp_path / name.name)
    journal(alice, 3)
    alice.push()
    everything = uids(alice)
    first = alice.store().origin
    alice.close()
    for name in [*store.glob("journal.db*"), *store.glob("graph.db*")]:
        name.unlink()
    for name in tmp_path.glob("journal.db*"):
        shutil.copy2(name, store / name.name)
    done = alice.push()
    assert any("as after a backup was restored" in note for note in done.notes)
    assert alice.store().origin != first
    assert alice.pull().events == 3
    assert everything <= uids(alice)
    journal(alice)
    alice.push()
    assert team.received() == events(alice)


def test_killed_push_goes_on(clone: Callable[[str], Project], team: TeamStore, uid: str) -> None:
    alice = clone("alice")
    journal(alice, 24, vertices=1500)  # five batches
    alice.close()
    script = f"from provgraph.session.project import Project; Project({alice.root!r}).push()"
    origin = alice.store().origin
    for at_least in (1, 7, 12):
        process = subprocess.Popen([sys.executable, "-c", script])
        eventually(lambda n=at_least, p=process: team.received().get(origin, 0) >= n or p.poll() is not None)
        process.send_signal(signal.SIGKILL)
        process.wait()
    last = team.received()[origin]
    done = alice.push()
    assert done.events == 26 - last
    assert team.received() == events(alice)
    assert [event.origin_seq for _, chunk in chunks_of(team) for event in chunk] == list(range(1, 27))
    ((entities, edges),) = team.cypher(
        "MATCH (s:Snapshot)-[e:wasGeneratedBy]->(:Activity) RETURN count(s), count(e)"
    ).rows
    assert entities == edges == 24 * 1500
    assert len(team.cypher("MATCH (a:Activity) RETURN a.uid").rows) == 24


def test_one_at_a_time(clone: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provgraph.session.syncing.LOCK_WAIT_S", 0.2)
    alice = clone("alice")
    said: list[str] = []
    alice.progress = said.append
    with project_lock(alice.root, LOCK) as held:
        assert held
        for act in (alice.push, alice.pull):
            with pytest.raises(StoreError, match="another push or pull"):
                act()
    assert any("waiting for it" in text for text in said)
    assert alice.push().events == 2


def test_newer_database_is_left_alone(
    clone: Callable[[str], Project], team: TeamStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This program is made an older one, which knows no version of the database's schema."""
    alice = clone("alice")
    alice.push()
    before = team.run("MATCH (n) WHERE n.of = $p OR n.project = $p RETURN count(n)", p=team.project)
    journal(alice)
    with monkeypatch.context() as older:
        for function in (migrations.check, migrations.understand, migrations.migrate):
            older.setattr(function, "__defaults__", (0,))
        with pytest.raises(NewerStoreError, match="newer provgraph"):
            alice.push()
        warned = [f for f in alice.doctor().findings if f.subject == "team" and f.state == "warning"]
    assert warned
    assert "newer provgraph" in str(alice.remotes.list()[0].failure)
    assert team.run("MATCH (n) WHERE n.of = $p OR n.project = $p RETURN count(n)", p=team.project) == before


def test_watch_sends_what_comes(clone: Callable[[str], Project], team: TeamStore) -> None:
    alice = clone("alice")
    journal(alice)
    alice.close()
    sent: list[Pushed] = []
    said: list[str] = []
    over = threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with Project(alice.root) as watching:
                watch(watching, None, sent.append, said.append, over.is_set)
        except BaseException as error:  # noqa: BLE001 - the test tells
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        for number in (3, 4, 5):
            eventually(lambda n=number: failed or sum(done.events for done in sent) == n)
            assert not failed
            assert team.received() == events(alice)
            journal(alice)
            alice.close()
    finally:
        over.set()
        thread.join(60)
    assert not said


def test_watch_outlives_the_server(clone: Callable[[str], Project], neo4j_server: Any) -> None:
    """It goes as a server that is killed does: connections break, and nobody listens."""
    alice = clone("alice")
    alice.remotes.remove("team")
    with network(neo4j_server.port) as before:
        port = before.port
        alice.remotes.add("team", f"bolt://127.0.0.1:{port}")
        alice.close()
        process = subprocess.Popen(
            [sys.executable, "-m", "provgraph", "push", "--watch", "--json"],
            cwd=alice.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout and process.stderr
        try:
            assert json.loads(process.stdout.readline())["events"] == 2
            before.close()
            journal(alice)
            alice.close()
            assert "sending to team" in process.stderr.readline()
            assert "trying again" in process.stderr.readline()
            with network(neo4j_server.port, port):
                assert json.loads(process.stdout.readline())["events"] == 1
                assert "is back" in process.stderr.readline()
                process.send_signal(signal.SIGINT)
                rest = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, rest
    assert "ended" in rest[1]


def test_wrong_password_ends_a_watch(clone: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch) -> None:
    alice = clone("alice")
    monkeypatch.setenv("PROVDB_TEAM_PASSWORD", "wrong")
    with pytest.raises(RemoteError, match="refuses") as caught:
        watch(alice, None, lambda _done: None, lambda _text: None)
    assert not caught.value.passing


def configure(project: Project, section: str, line: str) -> None:
    file = Path(project.root, ".provdb/config.toml")
    file.write_text(file.read_text().replace(f"[{section}]\n", f"[{section}]\n{line}\n"))


def test_background(clone: Callable[[str], Project], team: TeamStore) -> None:
    """With ``sync.push`` a command's events are at the server soon after, and nobody waited for that."""
    alice = clone("alice")
    configure(alice, "sync", 'push = "team"')
    alice.trust()
    alice.close()
    subprocess.run([sys.executable, "-m", "provgraph", "true"], cwd=alice.root, check=True)
    eventually(lambda: team.received().get(alice.store().origin, 0) > 2)
    eventually(lambda: alice.remotes.list()[0].unsent == 0)
    alice.annotate("%1", stage="prod")
    eventually(lambda: team.received() == events(alice))


def test_background_lets_others_go_first(
    clone: Callable[[str], Project], team: TeamStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull that takes long is no failure of the background's: it sends afterwards."""
    monkeypatch.setattr("provgraph.session.syncing.LOCK_WAIT_S", 0.1)
    alice = clone("alice")
    configure(alice, "sync", 'push = "team"')
    alice.trust()
    alice.close()
    with project_lock(alice.root, LOCK) as held:
        assert held
        assert background._push_once(alice.root)
    assert alice.remotes.list()[0].failure is None
    assert not background._push_once(alice.root)
    assert team.received() == events(alice)


def test_background_waits_for_trust(clone: Callable[[str], Project], team: TeamStore) -> None:
    alice = clone("alice")
    configure(alice, "sync", 'push = "team"')
    alice.close()
    subprocess.run([sys.executable, "-m", "provgraph", "true"], cwd=alice.root, check=True)
    alice.settle_pending()
    alice.annotate("%1", stage="prod")
    assert not Path(alice.root, ".provdb/background.lock").exists()
    assert team.received() == {}


def test_background_failure_is_told_by_status_alone(
    clone: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = clone("alice")
    configure(alice, "sync", 'push = "team"')
    alice.trust()
    monkeypatch.setenv("PROVDB_TEAM_PASSWORD", "wrong")
    alice.close()
    done = subprocess.run(
        [sys.executable, "-m", "provgraph", "true"], cwd=alice.root, check=True, capture_output=True, text=True
    )
    assert done.stdout == done.stderr == ""
    eventually(lambda: alice.remotes.list()[0].failure)
    assert "refuses" in str(alice.status().remotes[0]["failure"])
    assert "hunter2" not in json.dumps(alice.status().to_json())


def test_at(clone: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = clone("alice"), clone("bob")
    journal(alice, 2)
    alice.push()
    monkeypatch.chdir(bob.root)
    assert len(provgraph.open(at="local").log()) == 0
    there = provgraph.open(at="team")
    assert len(there.log()) == 2
    path = f"out/{alice.store().origin[-4:]}-3-0"
    assert there.show(path).vertex.properties["path"] == path
    assert len(there.lineage(path)) == 2
    assert len(there.segment(destinations=[path])) >= 2
    assert there.summarize([path]).vertices == alice.summarize([path]).vertices
    other = f"out/{alice.store().origin[-4:]}-4-0"
    assert there.compare(path, other).to_json()["schema"] == "provgraph/comparison/1"
    assert there.resolve(path)[0].properties["path"] == path
    configure(bob, "ask", 'at = "team"')
    bob.trust()
    assert len(provgraph.open().log()) == 2
    assert len(provgraph.open(at="local").log()) == 0
    there.close()


def test_projects_do_not_see_each_other(clone: Callable[[str], Project], tmp_path: Path, neo4j_server: Any) -> None:
    alice = clone("alice")
    journal(alice, 2)
    alice.push()
    folder = tmp_path / "other"
    folder.mkdir()
    init_project(str(folder), join=str(uuid.uuid4())).close()
    with Project(str(folder), at="team") as other:
        other.remotes.add("team", neo4j_server.url)
        journal(other)
        assert other.push().events == 3
        assert other.pull().events == 0
        assert len(other.log()) == 1
        count = "MATCH (a:Activity) RETURN count(a)"
        assert other.cypher(count).rows[0][0] == 1
        assert other.cypher(count, all_projects=True).rows[0][0] >= 3


def test_nothing_is_imported_that_is_not_needed() -> None:
    """Ingestion, status and the configuration of remotes never load the driver."""
    script = (
        "import sys, provgraph.session.ingester, provgraph.session.background, provgraph.session.standing, "
        "provgraph.session.remotes, provgraph.session.syncing; print({'neo4j', 'keyring'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert done.stdout.strip() == "set()"
