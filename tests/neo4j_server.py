"""A real Neo4j for tests: one for the whole run, also over several workers, and others for tests that break theirs.

The shared one starts when the first test asks for it, empty, and ends when no process of the run is left, however that
ended: each worker holds a lock on one file, and the server watches it (``guard`` in `scripts/neo4j.py`). Tests share it
as teams share a database: each takes a project of its own. ``PROVGRAPH_NEO4J=2026`` chooses another release of it.
"""

import fcntl
import functools
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {"dbms.security.auth_max_failed_attempts": "0"}
"""One test's wrong passwords must not lock the others out."""

_held: list[IO[str]] = []
"""Locks that last as long as this process; closing one would drop it."""


@functools.cache
def script() -> ModuleType:
    """``scripts/neo4j.py``, under a name that hides no driver."""
    spec = importlib.util.spec_from_file_location("neo4j_script", ROOT / "scripts/neo4j.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hold(guard: Path) -> Path:
    """Lock a file until this process ends; a server that watches it lives as long."""
    file = guard.open("a+")
    fcntl.lockf(file, fcntl.LOCK_SH)  # waits for a server that has just found itself alone
    _held.append(file)
    return guard


def available(release: str | None = None) -> None:
    """Skip the test where Neo4j cannot be had, or fail it in CI, with the command that mends it."""
    try:
        script().class_path(*script().chosen(release=release))
    except script().ServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@functools.cache
def shared(release: str) -> Any:
    """The server of this run, started if no other worker has."""
    folder = ROOT / f"build/neo4j-tests-{release}"
    folder.parent.mkdir(exist_ok=True)
    guard = hold(folder.with_name(folder.name + ".users"))
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if server := script().running(folder):
            return server
        shutil.rmtree(folder, ignore_errors=True)
        heap = os.environ.get("PROVGRAPH_NEO4J_HEAP")
        return awake(
            script().start(folder, release=release, settings=SETTINGS, heap=heap, short_lived=True, guard=guard)
        )


def awake(server: Any) -> Any:
    """A server that has answered once: on a busy machine a cold Java needs longer for that than provgraph waits."""
    from neo4j import GraphDatabase

    with GraphDatabase.driver(server.url, auth=(server.user, server.password), connection_timeout=120) as driver:
        driver.execute_query("RETURN 1")
    return server


@pytest.fixture(scope="session")
def neo4j_server() -> Any:
    """The shared server: ``url``, ``user``, ``password``."""
    release = os.environ.get("PROVGRAPH_NEO4J") or "5"
    available(release)
    return shared(release)


@pytest.fixture
def team_remote(neo4j_server: Any) -> Callable[..., Any]:
    """``team_remote()``: the shared server as a `Remote`; keywords change its fields."""

    def remote(project: str = "", **changes: Any) -> Any:
        return remote_of(neo4j_server, **changes)

    return remote


def remote_of(server: Any, **changes: Any) -> Any:
    """A server as a `Remote` named ``team``."""
    from provgraph.stores.neo4j import Remote

    fields = {"name": "team", "url": server.url, "user": server.user, "password": server.password}
    return Remote(**(fields | changes))


@pytest.fixture
def make_neo4j(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """``make_neo4j(**options)``: a server of the test's own, to be killed and reconfigured.

    Called again with the same ``name`` it starts the same one again. Options as for ``start`` of ``scripts/neo4j.py``.
    """
    started: list[Any] = []
    guard = hold(tmp_path / "neo4j.users")

    def make(name: str = "neo4j", **options: Any) -> Any:
        release = options.pop("release", os.environ.get("PROVGRAPH_NEO4J") or "5")
        available(release)
        server = script().start(tmp_path / name, release=release, short_lived=True, guard=guard, **options)
        started.append(server)
        return awake(server)

    yield make
    for server in started:
        server.kill9()
