"""Everything that can be wrong with a server's address, its password and what listens there: told clearly, and soon."""

import json
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import troubled_network as network
from neo4j_server import available, awake, hold, remote_of, script
from team_samples import capture, complete, push

from provgraph.errors import ProvGraphError, QuestionError, RemoteError
from provgraph.stores import EmbeddedStore
from provgraph.stores.neo4j import TeamStore
from provgraph.stores.remote_url import checked_url

NET_S = 15.0
"""A fault is told within 5 s; on a busy machine it may take longer, but never the 30 s that the driver tries alone."""
SECRET = "a secret that no message repeats"


def failure(remote: Any, kind: type[ProvGraphError] = RemoteError) -> str:
    """What is told where a connection fails."""
    began = time.monotonic()
    with pytest.raises(kind) as caught, TeamStore(remote, str(uuid.uuid4())) as team:
        team.received()
    assert time.monotonic() - began < NET_S
    message = str(caught.value)
    assert "\n" not in message
    assert remote.password not in message
    assert SECRET not in message
    return message


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server that wants encryption, with a certificate that nobody signed; it tells each second that it is there."""
    beat = {"server.bolt.connection_keep_alive": "1s", "server.bolt.connection_keep_alive_probes": "2"}
    beat["server.bolt.connection_keep_alive_for_requests"] = "ALL"
    release = os.environ.get("PROVGRAPH_NEO4J") or "5"
    available(release)
    folder = tmp_path_factory.mktemp("tls")
    guard = hold(folder / "users")
    server = script().start(folder / "neo4j", release=release, tls=True, settings=beat, short_lived=True, guard=guard)
    yield awake(server)
    server.kill9()


def admin(server: Any, statement: str, **parameters: object) -> None:
    from neo4j import GraphDatabase

    with GraphDatabase.driver(server.url, auth=(server.user, server.password)) as driver:
        driver.execute_query(statement, parameters, database_="system")


def test_right_address_and_password(team_remote: Callable[..., Any]) -> None:
    with TeamStore(team_remote(), str(uuid.uuid4())) as team:
        assert team.received() == {}


def test_wrong_password(team_remote: Callable[..., Any]) -> None:
    message = failure(team_remote(password=SECRET))
    assert "password" in message
    assert "provdb remote add team" in message
    assert "--password-stdin" in message


def test_unknown_user(team_remote: Callable[..., Any]) -> None:
    assert "nobody" in failure(team_remote(user="nobody"))


def test_expired_password(neo4j_server: Any, team_remote: Callable[..., Any]) -> None:
    user, password = f"user_{uuid.uuid4().hex}", uuid.uuid4().hex
    admin(neo4j_server, f"CREATE USER {user} SET PASSWORD $password CHANGE REQUIRED", password=password)
    message = failure(team_remote(user=user, password=password))
    assert "expired" in message
    assert "ALTER CURRENT USER SET PASSWORD" in message


def test_too_many_wrong_passwords(tls_server: Any) -> None:
    user, password = f"user_{uuid.uuid4().hex}", uuid.uuid4().hex
    admin(tls_server, f"CREATE USER {user} SET PASSWORD $password CHANGE NOT REQUIRED", password=password)
    messages = [failure(remote_of(tls_server, user=user, password=SECRET)) for _ in range(4)]
    assert "refuses" in messages[0]
    assert "wait" in messages[-1]


def test_unknown_database(team_remote: Callable[..., Any]) -> None:
    remote = team_remote(database="no-such")
    message = failure(remote)
    assert "no database no-such" in message
    assert f"`provdb remote add team {remote.url} --database NAME`" in message


@pytest.mark.parametrize("scheme", ["bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s"])
def test_nobody_listens(scheme: str, team_remote: Callable[..., Any]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, but not listening
        message = failure(team_remote(url=f"{scheme}://127.0.0.1:{free.getsockname()[1]}"))
    assert "nobody listens" in message
    assert "7687" in message


def test_unknown_host(team_remote: Callable[..., Any]) -> None:
    message = failure(team_remote(url="bolt+s://graph.invalid:7687"))
    assert "graph.invalid" in message


def test_host_that_swallows_everything(team_remote: Callable[..., Any]) -> None:
    message = failure(team_remote(url="bolt+s://192.0.2.1:7687"))  # RFC 5737: nobody's
    assert "192.0.2.1" in message


@pytest.mark.parametrize("scheme", ["bolt", "bolt+s", "bolt+ssc"])
@pytest.mark.parametrize("kind", ["echo", "mute", "hang_up", "ssh", "half_an_answer"])
def test_something_else_listens(kind: str, scheme: str, team_remote: Callable[..., Any]) -> None:
    with network.talker(getattr(network, kind)) as port:
        message = failure(team_remote(url=f"{scheme}://127.0.0.1:{port}"))
    assert f"127.0.0.1:{port}" in message
    assert "?" in message or "must be 5" in message, "nothing to do next"


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_port_of_a_web_server(scheme: str, team_remote: Callable[..., Any]) -> None:
    with network.web_server() as port:
        message = failure(team_remote(url=f"{scheme}://127.0.0.1:{port}"))
    assert "web server" in message
    assert "7687" in message


def test_encryption_asked_of_a_server_without(neo4j_server: Any, team_remote: Callable[..., Any]) -> None:
    for scheme in ("bolt+s", "bolt+ssc"):
        message = failure(team_remote(url=f"{scheme}://127.0.0.1:{neo4j_server.port}"))
        assert "TLS" in message, scheme


def test_server_wants_encryption(tls_server: Any) -> None:
    with TeamStore(remote_of(tls_server), str(uuid.uuid4())) as team:
        assert team.received() == {}
    message = failure(remote_of(tls_server, url=f"bolt://127.0.0.1:{tls_server.port}"))
    assert "bolt+s://" in message


def test_certificate_that_nobody_signed(tls_server: Any) -> None:
    message = failure(remote_of(tls_server, url=f"bolt+s://127.0.0.1:{tls_server.port}"))
    assert "certificate" in message
    assert "SSL_CERT_FILE" in message


def test_certificate_of_an_authority_that_was_added(tls_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server.certificate))
    with TeamStore(remote_of(tls_server, url=f"bolt+s://localhost:{tls_server.port}"), str(uuid.uuid4())) as team:
        assert team.received() == {}


def test_connection_that_falls_silent(tls_server: Any, store: EmbeddedStore) -> None:
    """Nothing breaks and nothing comes: the server's own heart beat says how long to wait."""
    capture(store, 10)
    with network.network(tls_server.port) as between:
        remote = remote_of(tls_server, url=f"bolt+ssc://127.0.0.1:{between.port}")
        with TeamStore(remote, store.project, write=True) as team:
            team.migrate()
            team.received()
            between.silent = True
            done = threading.Event()

            def send() -> None:
                with pytest.raises(RemoteError):
                    push(team, store)
                done.set()

            thread = threading.Thread(target=send)
            thread.start()
            assert done.wait(60), "it waits for ever"
            thread.join()
            between.silent = False
        with TeamStore(remote, store.project, write=True) as team:
            push(team, store, 100)
    complete(tls_server, remote_of(tls_server), store)


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
@pytest.mark.parametrize("host", ["graph.example.org", "10.0.0.7", "127.0.0.1.example.org", "[2001:db8::1]", "0.0.0.0"])
def test_history_in_the_clear_is_refused(scheme: str, host: str, team_remote: Callable[..., Any]) -> None:
    message = failure(team_remote(url=f"{scheme}://{host}:7687"), QuestionError)
    assert "not encrypted" in message
    assert re.search(rf"`provdb remote remove team`, then `provdb remote add team '?{scheme}[+]s://", message)
    assert re.search(rf"`provdb remote add team '?{scheme}://.*:7687'? --insecure`$", message)
    assert checked_url(f"{scheme}://{host}:7687", insecure=True)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:7474", "https://x", "bolt://", "nonsense", "bolt://127.0.0.1:x", "", "bolt://127.0.0.1:99999"],
)
def test_addresses_that_are_none(url: str, team_remote: Callable[..., Any]) -> None:
    assert "bolt" in failure(team_remote(url=url), QuestionError)


def test_nothing_is_printed(team_remote: Callable[..., Any], capfd: pytest.CaptureFixture[str]) -> None:
    failure(team_remote(password=SECRET))
    with network.talker(network.hang_up) as port:
        failure(team_remote(url=f"bolt://127.0.0.1:{port}"))
    assert capfd.readouterr() == ("", "")


def test_errors_hide_passwords_in_their_causes(team_remote: Callable[..., Any]) -> None:
    remote = team_remote(password=SECRET)
    assert SECRET not in repr(remote)
    with pytest.raises(RemoteError) as caught:
        TeamStore(remote, str(uuid.uuid4()))
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in json.dumps([str(error), repr(error)])
        error = error.__cause__ or error.__context__
