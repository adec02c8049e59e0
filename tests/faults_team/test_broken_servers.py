"""A server that is killed, that is read-only, whose disk or memory is full: told, and nothing lost or twice."""

import random
import resource
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from neo4j_server import remote_of
from team_samples import at_server, capture, complete, push

from provgraph.errors import RemoteError
from provgraph.stores import EmbeddedStore
from provgraph.stores.neo4j import TeamStore

pytestmark = pytest.mark.slow


def migrated(server: Any, store: EmbeddedStore) -> Any:
    remote = remote_of(server)
    with TeamStore(remote, store.project, write=True) as team:
        team.migrate()
    return remote


def send(remote: Any, store: EmbeddedStore, elements: int = 15_000) -> int:
    """A push as `provdb push` does it; returns in how many batches."""
    with TeamStore(remote, store.project, write=True) as team:
        team.migrate()
        return push(team, store, elements)


def refused(remote: Any, store: EmbeddedStore) -> str:
    """What a push is told; the journal is as before."""
    before = store.journal.last_seq()
    began = time.monotonic()
    with pytest.raises(RemoteError) as caught:
        send(remote, store)
    assert time.monotonic() - began < 15  # 5 s, and a busy machine
    assert store.journal.last_seq() == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_killed_in_the_middle_of_fifty_pushes(make_neo4j: Callable[..., Any], store: EmbeddedStore) -> None:
    """Four times; the fifth time no file of the server's may grow any more before it is killed."""
    server = make_neo4j()
    remote = migrated(server, store)
    chance = random.Random(3)
    failures = 0
    for number in range(50):
        capture(store, 8)
        moment = threading.Timer(chance.uniform(0, 0.05), server.kill9)

        def kill_in_the_middle(batch: int, moment: threading.Timer = moment) -> None:
            if batch == 1:
                moment.start()

        dies = number % 15 == 4
        try:
            with TeamStore(remote, store.project, write=True) as team:
                push(team, store, 20, kill_in_the_middle if dies else lambda _: None)
        except RemoteError:
            failures += 1
        if dies:
            moment.join()
            server = make_neo4j()
            assert server.url == remote.url
    assert failures >= 4
    send(remote, store)
    assert send(remote, store) == 0
    complete(server, remote, store)
    disk_is_full(server, remote, store)
    server = make_neo4j()
    send(remote, store)
    complete(server, remote, store)


def disk_is_full(server: Any, remote: Any, store: EmbeddedStore) -> None:
    """No file of the server's may grow any more: what a full disk looks like, without filling one."""
    capture(store, 400)
    largest = max(path.stat().st_size for path in (server.folder / "data/transactions/neo4j").iterdir())
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest + 1, largest + 1))
    assert "unharmed" in refused(remote, store)
    refused(remote, store)
    server.kill9()


def test_read_only_or_short_of_memory(
    make_neo4j: Callable[..., Any], store: EmbeddedStore, neo4j_server: Any, team_remote: Callable[..., Any]
) -> None:
    """One server, configured in turns: read-only before and after the first push, with little memory, as it should be;
    then a server that has nothing gets the same.
    """
    read_only = {"server.databases.default_to_read_only": "true"}

    def again(settings: dict[str, str]) -> Any:
        server.stop()
        return make_neo4j(settings=settings)

    server = make_neo4j()  # one that is read-only never comes about
    remote = remote_of(server)
    server = again(read_only)
    assert "read-only" in refused(remote, store)
    with TeamStore(remote, store.project) as team:
        assert team.received() == {}, "nothing was ever there, and it may be asked"
        assert team.reader.labels() == {}
    server = again({"db.memory.transaction.max": "4m"})
    migrated(server, store)
    capture(store, 600)
    assert "memory" in refused(remote, store)
    server = again(read_only)
    assert "read-only" in refused(remote, store)
    with TeamStore(remote, store.project) as team:
        assert team.received() == {}, "questions are answered"
    server = again({})
    send(remote, store)
    complete(server, remote, store)
    send(team_remote(), store)
    complete(neo4j_server, team_remote(), store)
    assert at_server(neo4j_server, store.project) == at_server(server, store.project)
