"""A project with captures, a team's server, and what both hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from provgraph.stores import EmbeddedStore, init_project


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust and passwords are kept in folders of the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A fresh project's store."""
    folder = tmp_path / "project"
    folder.mkdir()
    with init_project(str(folder)) as opened:
        yield opened
