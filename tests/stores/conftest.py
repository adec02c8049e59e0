"""A real store in a folder of its own, and events to fill it with."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provgraph.stores import EmbeddedStore, init_project

AT = "2026-11-20T12:00:00+00:00"


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trust is kept in a data folder of the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is no project yet."""
    path = tmp_path / "project"
    path.mkdir()
    return path


@pytest.fixture
def store(folder: Path) -> Iterator[EmbeddedStore]:
    """A fresh project's store, open for writing."""
    with init_project(str(folder)) as opened:
        yield opened


def run_command(
    store: EmbeddedStore, name: str, reads: tuple[str, ...] = (), writes: tuple[str, ...] = (), at: str = AT
) -> dict[str, str]:
    """Journal a command as ingestion does; returns the uids of the activity (under ``""``) and of what it wrote."""
    with store.journal.batch() as batch:
        event = batch.event("activity.ended", at)
        properties = {
            "name": name, "command": name, "started_at": at, "ended_at": at, "exit_status": 0,
            "number": store.knowledge.next_activity_number(), "capture": "seccomp",
        }  # fmt: skip
        uids = {"": event.vertex(["Activity", "Command"], properties)}
        person = event.vertex(
            ["Agent", "Person"], {"name": "Ada", "email": "ada@x.org"}, store.namespace.person("ada@x.org")
        )
        event.edge("wasAssociatedWith", uids[""], person)
        for uid in reads:
            event.edge("used", uids[""], uid, at=at)
        for path in writes:
            before = store.knowledge.known(path)
            artifact = event.vertex(["Entity", "Artifact"], {"path": path}, store.namespace.artifact(path))
            uids[path] = event.vertex(
                ["Entity", "Snapshot"],
                {"path": path, "sequence": before.sequence + 1 if before else 1, "created_at": at, "size_bytes": 3},
            )
            event.edge("specializationOf", uids[path], artifact)
            event.edge("wasGeneratedBy", uids[path], uids[""], at=at)
            if before is not None:
                event.edge("wasDerivedFrom", uids[path], before.uid, prov_type="Revision")
    assert store.projection_error is None
    return uids


@pytest.fixture
def command(store: EmbeddedStore) -> Callable[..., dict[str, str]]:
    """``command(name, reads, writes)``: journal a command in the fixture's store."""

    def journal(name: str, reads: tuple[str, ...] = (), writes: tuple[str, ...] = (), at: str = AT) -> dict[str, str]:
        return run_command(store, name, reads, writes, at)

    return journal
