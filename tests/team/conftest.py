"""Clones of one project that share a server."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provgraph.session.project import Project
from provgraph.stores import init_project
from provgraph.stores.neo4j import TeamStore


@pytest.fixture
def uid() -> str:
    """The project's uid."""
    return str(uuid.uuid4())


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust and passwords of the test's own."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def clone(
    tmp_path: Path, uid: str, folders: None, neo4j_server: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Project]]:
    """``clone(name)``: another clone of the test's project, that knows the server as ``team``."""
    monkeypatch.setenv("PROVDB_TEAM_USER", neo4j_server.user)
    monkeypatch.setenv("PROVDB_TEAM_PASSWORD", neo4j_server.password)
    made: list[Project] = []

    def make(name: str) -> Project:
        folder = tmp_path / name
        folder.mkdir()
        init_project(str(folder), join=uid).close()
        project = Project(str(folder))
        project.remotes.add("team", neo4j_server.url)
        made.append(project)
        return project

    yield make
    for project in made:
        project.close()


@pytest.fixture
def team(uid: str, team_remote: Callable[..., Any]) -> Iterator[TeamStore]:
    """The server's share of that project."""
    with TeamStore(team_remote(), uid) as opened:
        yield opened
