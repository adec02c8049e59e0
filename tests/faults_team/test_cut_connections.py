"""A push over a connection that breaks anywhere: told, never half, and gone on with."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from team_samples import at_server, capture, complete, push, verbatim
from troubled_network import Network, network

from provgraph.errors import RemoteError
from provgraph.events import Event
from provgraph.stores import EmbeddedStore
from provgraph.stores.neo4j import TeamStore


@pytest.fixture
def between(neo4j_server: Any) -> Iterator[Network]:
    """The network before the shared server."""
    with network(neo4j_server.port) as opened:
        yield opened


@pytest.fixture
def remote(team_remote: Callable[..., Any], between: Network) -> Any:
    """The shared server, over that network."""
    return team_remote(url=f"bolt://127.0.0.1:{between.port}")


def attempt(remote: Any, store: EmbeddedStore, elements: int) -> bool:
    """One push; whether it came to its end."""
    try:
        with TeamStore(remote, store.project, write=True) as team:
            team.migrate()
            push(team, store, elements)
    except RemoteError:
        return False
    return True


@pytest.mark.parametrize("reset", [True, False])
def test_cut_anywhere(
    reset: bool, neo4j_server: Any, remote: Any, between: Network, team_remote: Callable[..., Any], store: EmbeddedStore
) -> None:
    capture(store, 60)
    before = list(store.events())
    between.reset = reset
    chance = random.Random(5)
    tries = 0
    between.allowance = 0  # nothing at all comes through the first time
    while not attempt(remote, store, elements=100):
        tries += 1
        between.allowance = int(chance.uniform(10, 40_000)) if tries < 25 else None
    assert tries >= 5
    assert list(store.events()) == before
    complete(neo4j_server, team_remote(), store)


def test_each_byte_of_the_first_answers(neo4j_server: Any, remote: Any, between: Network, store: EmbeddedStore) -> None:
    """Truncated handshakes, greetings and logins."""
    capture(store, 1)
    with TeamStore(remote, store.project, write=True) as team:
        team.migrate()
    for allowance in (1, 4, 19, 20, 21, 24, 25, 60, 150, 300, 450, 700):
        between.allowance, between.reset = allowance, bool(allowance % 2)
        assert not attempt(remote, store, elements=100), allowance
    between.allowance = None
    assert attempt(remote, store, elements=100)
    complete(neo4j_server, remote, store)


def test_slow_connection(neo4j_server: Any, remote: Any, between: Network, store: EmbeddedStore) -> None:
    capture(store, 20)
    between.delay_s, between.piece = 0.02, 1500
    assert attempt(remote, store, elements=100)
    complete(neo4j_server, remote, store)


def test_acknowledgement_that_is_lost(neo4j_server: Any, remote: Any, between: Network, store: EmbeddedStore) -> None:
    """The commit happened, its answer did not come: nothing is sent twice, nothing is left out."""
    capture(store, 5)
    with TeamStore(remote, store.project, write=True) as team:
        team.migrate()
        assert team.received() == {}
        passed = between.passed
        push(team, store)
        needed = between.passed - passed
    capture(store, 5)
    for short in (1, 2, 5, 10, 20, 40):
        capture(store, 1)
        between.allowance = None
        with TeamStore(remote, store.project, write=True) as team:
            team.received()
            between.allowance = max(1, needed - short)
            try:
                push(team, store)
            except RemoteError:
                between.cut()
        between.allowance = None
        assert attempt(remote, store, elements=15_000)
        complete(neo4j_server, remote, store)


def test_pull_is_cut(neo4j_server: Any, remote: Any, between: Network, store: EmbeddedStore) -> None:
    capture(store, 60)
    assert attempt(remote, store, elements=50)
    whole = verbatim([event for origin in store.journal.lasts() for event, _ in store.journal.of_origin(origin)])
    got: list[Event] = []
    failures = 0
    chance = random.Random(7)
    while len(got) < len(whole):
        between.allowance = int(chance.uniform(800, 12_000)) if failures < 15 else None
        try:
            with TeamStore(remote, store.project) as team:
                for events in team.fetch_origin(store.origin, len(got)):
                    got += events
        except RemoteError:
            failures += 1
    assert failures >= 3
    assert verbatim(got) == whole


def test_idle_connection_is_cut_between_two_pushes(
    neo4j_server: Any, remote: Any, between: Network, store: EmbeddedStore
) -> None:
    """As `push --watch` meets it: a later push takes a new connection, at the second try at the latest."""
    capture(store, 2)
    with TeamStore(remote, store.project, write=True) as team:
        team.migrate()
        push(team, store)
        capture(store, 2)
        between.cut()
        try:
            push(team, store)
        except RemoteError:
            push(team, store)
    complete(neo4j_server, remote, store)
    assert sum(at_server(neo4j_server, store.project)[0].values()) > 10
