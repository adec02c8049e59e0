"""Two clones of one project on this disk, commands in them, and events that go over without a server."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from provgraph.events import Event
from provgraph.stores import EmbeddedStore, init_project, open_store

AT = "2026-11-20T12:00:00+00:00"
PEOPLE = {"a": ("Ada", "ada@example.org"), "b": ("Bea", "bea@example.org")}


@contextmanager
def two_clones(folder: Path) -> Iterator[tuple[EmbeddedStore, EmbeddedStore]]:
    """Stores of two clones of one project, open for writing."""
    with ExitStack() as opened:
        stores: list[EmbeddedStore] = []
        for name in ("a", "b"):
            (folder / name).mkdir()
            join = stores[0].project if stores else None
            stores.append(opened.enter_context(init_project(str(folder / name), join=join)))
        yield stores[0], stores[1]


def foreign(source: EmbeddedStore, target: EmbeddedStore) -> list[Event]:
    """What ``source`` has of origins that are not the target's present one, in its order."""
    return [event for event in source.events() if event.origin != target.origin]


def pull(target: EmbeddedStore, source: EmbeddedStore) -> int:
    """Append to ``target`` what it lacks of what ``source`` has; returns how many events."""
    found = target.journal.append_foreign(foreign(source, target))
    assert target.projection_error is None
    return found


def pull_between(target: Path, source: Path) -> int:
    """The same with folders."""
    with open_store(str(target), write=True) as here, open_store(str(source), write=False) as there:
        return pull(here, there)


def run_command(
    store: EmbeddedStore,
    name: str,
    reads: tuple[str, ...] = (),
    writes: tuple[str, ...] = (),
    at: str = AT,
    content: str = "",
    person: str = "a",
) -> dict[str, str]:
    """Journal a command as ingestion does; returns the uids of the activity (under ``""``) and of what it wrote."""
    number = store.knowledge.next_activity_number()
    with store.journal.batch() as batch:
        event = batch.event("activity.ended", at)
        properties = {
            "name": f"{name} #{number}", "number": number, "command": name, "started_at": at, "ended_at": at,
            "exit_status": 0, "capture": "seccomp",
        }  # fmt: skip
        uids = {"": event.vertex(["Activity", "Command"], properties)}
        who, email = PEOPLE[person]
        agent = event.vertex(["Agent", "Person"], {"name": who, "email": email}, store.namespace.person(email))
        event.edge("wasAssociatedWith", uids[""], agent)
        program = store.knowledge.agent("SoftwareAgent", name) or event.vertex(
            ["Agent", "SoftwareAgent"], {"name": name}
        )
        event.edge("wasAssociatedWith", uids[""], program, role="program")
        for uid in reads:
            event.edge("used", uids[""], uid, at=at)
        for path in writes:
            before = store.knowledge.known(path)
            artifact = event.vertex(["Entity", "Artifact"], {"path": path}, store.namespace.artifact(path))
            uids[path] = event.vertex(["Entity", "Snapshot"], _state(store, path, at, content))
            event.edge("specializationOf", uids[path], artifact)
            event.edge("wasGeneratedBy", uids[path], uids[""], at=at)
            if before is not None:
                event.edge("wasDerivedFrom", uids[path], before.uid, prov_type="Revision")
        version = event.vertex(["Entity", "Version"], {"kind": "implicit", "created_at": at})
        parent = store.knowledge.newest_version()
        if parent:
            event.edge("wasDerivedFrom", version, parent)
        uids["version"] = version
    assert store.projection_error is None
    return uids


def find_file(store: EmbeddedStore, path: str, at: str = AT, content: str = "", size: int = 3) -> str:
    """Journal that a file is there of which nobody knows where it came from; returns its snapshot."""
    with store.journal.batch() as batch:
        event = batch.event("activity.progressed", at)
        artifact = event.vertex(["Entity", "Artifact"], {"path": path}, store.namespace.artifact(path))
        uid = event.vertex(["Entity", "Snapshot"], _state(store, path, at, content) | {"size_bytes": size})
        event.edge("specializationOf", uid, artifact)
    assert store.projection_error is None
    return uid


def notice_change(store: EmbeddedStore, path: str, at: str = AT, content: str = "") -> str:
    """Journal that a file appeared or changed while nobody looked; returns its snapshot."""
    before = store.knowledge.known(path)
    with store.journal.batch() as batch:
        event = batch.event("change.noticed", at)
        artifact = event.vertex(["Entity", "Artifact"], {"path": path}, store.namespace.artifact(path))
        unseen = event.vertex(
            ["Activity", "Unseen"],
            {"name": "unrecorded change", "capture": "none", "started_at": at, "ended_at": at},
        )
        uid = event.vertex(["Entity", "Snapshot"], _state(store, path, at, content))
        event.edge("specializationOf", uid, artifact)
        event.edge("wasGeneratedBy", uid, unseen, at=at)
        if before is not None:
            event.edge("used", unseen, before.uid, at=at)
            event.edge("wasDerivedFrom", uid, before.uid, prov_type="Revision", missing=True)
    assert store.projection_error is None
    return uid


def _state(store: EmbeddedStore, path: str, at: str, content: str) -> dict[str, object]:
    before = store.knowledge.known(path)
    sequence = 1 if before is None else before.sequence + 1
    found: dict[str, object] = {"path": path, "sequence": sequence, "created_at": at, "size_bytes": 3, "mode": 0o644}
    return found | {"sha256": sha256(content or f"{store.origin} {path} {sequence}")}


def sha256(content: str) -> str:
    """The digest of a text."""
    return hashlib.sha256(content.encode()).hexdigest()
