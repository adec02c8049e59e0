"""Who last changed each line of a file: what is recorded of its states, and what git knows of its commits."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from provgraph.errors import CorruptError, QuestionError, UnknownReferenceError
from provgraph.graph.blame import Blame, BlamedLine, Change
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.queries.blaming import changes, lines_of
from provgraph.queries.comparison.lines import steps
from provgraph.queries.references import resolve_one
from provgraph.session.git_blame import git_blame
from provgraph.session.restoring import content

if TYPE_CHECKING:
    from provgraph.session.opened import Opened
    from provgraph.stores import EmbeddedStore

_BINARY_BYTES = 8_000
"""Where git looks for a byte 0, too."""


def blame(project: "Opened", reference: str) -> Blame:
    """Each line of a file with the snapshot, the activity and the agent that last changed it.

    Parameters:
        reference: a file on disk as it is now (what was not recorded of it yet is recorded first), or a snapshot.

    Raises:
        UnknownReferenceError: it names nothing, or more than one thing. QuestionError: no text, or its bytes are gone.
    """
    absolute = project.disk.absolute(reference)
    if os.path.isfile(absolute) and not os.path.islink(absolute):
        return _of_disk(project, reference, absolute)
    vertex, notes = _resolved(project, reference)
    data = content(project.store(), vertex)
    path = str(vertex.properties["path"])
    there = path if path.startswith("/") else os.path.join(project.root, path)
    return _told(project, vertex, there, data, notes)


def _resolved(project: "Opened", reference: str) -> tuple[Vertex, tuple[str, ...]]:
    """Asked here also where questions go to a server: the bytes are in this store alone."""
    project.settle_pending()
    return resolve_one(project.store().reader, reference, project.places())


def _of_disk(project: "Opened", reference: str, absolute: str) -> Blame:
    from provgraph.session.ingester import notice

    try:
        with open(absolute, "rb") as file:
            data = file.read()
    except OSError as error:
        raise QuestionError(f"{reference} cannot be read: {error.strerror}") from error
    try:
        vertex, notes = _resolved(project, reference)
    except UnknownReferenceError:  # nothing recorded has ever touched it: git may know it all the same
        return _told(project, None, absolute, data, (f"no recorded command has touched {reference} yet",))
    if not _is_on_disk(project, vertex, reference):
        notice(project.root)
        vertex, notes = _resolved(project, reference)
    if "Snapshot" not in vertex.labels:
        raise QuestionError(f"{display_name(vertex)} is no file; only a file has lines")
    if vertex.properties.get("sha256") is not None and not _is_on_disk(project, vertex, reference):
        found = _since(project.store(), vertex, data)
        return _told(project, None, absolute, data, (*notes, f"{reference} on disk is not recorded yet"), found)
    return _told(project, vertex, absolute, data, notes)


def _is_on_disk(project: "Opened", vertex: Vertex, reference: str) -> bool:
    return vertex.properties.get("sha256") == project.disk.digest(reference)


def _since(store: "EmbeddedStore", vertex: Vertex, data: bytes) -> list[Change | None]:
    """The changes of a file that was recorded in another state: a line that is not in that state has none."""
    found: list[Change | None] = [None] * len(lines_of(data))
    recorded = None if _is_deleted(store, vertex) else _bytes(store, vertex)
    if recorded is not None:
        brought = changes(store.reader, vertex, recorded, lambda snapshot: _bytes(store, snapshot))
        for equal, before, after in steps(lines_of(recorded), lines_of(data)):
            if equal:
                found[slice(*after)] = brought[slice(*before)]
    return found


def _is_deleted(store: "EmbeddedStore", vertex: Vertex) -> bool:
    edges = store.reader.edges_of(vertex.uid)
    return any(edge.type == "wasInvalidatedBy" and edge.source == vertex.uid for edge in edges)


def _bytes(store: "EmbeddedStore", snapshot: Vertex) -> bytes | None:
    try:
        return content(store, snapshot)
    except (QuestionError, CorruptError):
        return None


def _told(
    project: "Opened",
    vertex: Vertex | None,
    absolute: str,
    data: bytes,
    notes: tuple[str, ...],
    found: Sequence[Change | None] | None = None,
) -> Blame:
    """What ``blame`` gives.

    Parameters:
        vertex: the snapshot that ``data`` is of.
        found: what brought each line, where ``data`` is no recorded state.
    """
    path = project.disk.locate(absolute) if vertex is None else str(vertex.properties.get("path", absolute))
    if b"\0" in data[:_BINARY_BYTES]:
        raise QuestionError(f"{path} is no text; `provdb lineage {path}` tells where it came from")
    store = project.store()
    if vertex is not None:
        found = changes(store.reader, vertex, data, lambda snapshot: _bytes(store, snapshot))
    commits = git_blame(absolute, data)
    lines = tuple(
        BlamedLine(
            number,
            line.decode("utf-8", "replace").removesuffix("\n"),
            None if found is None else found[number - 1],
            commits.get(number),
        )
        for number, line in enumerate(lines_of(data), 1)
    )
    if any(line.change is not None and not line.change.exact for line in lines):
        notes = (*notes, "bytes of some states are not in this store: lines marked ~ may be older than the state shown")
    return Blame(path, vertex, lines, tuple(dict.fromkeys((*project.notes, *notes))))
