"""The bytes of a snapshot, or of a file as a commit has it, on standard output or as a file."""

import hashlib
import os
import stat as stat_module
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from provgraph.errors import CorruptError, QuestionError
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.queries.places import Places
from provgraph.queries.references import resolve_one
from provgraph.queries.versions import NotRecordedError
from provgraph.session.disk import write_atomically

SYMLINK: Final = "inode/symlink"

if TYPE_CHECKING:
    from provgraph.session.git_references import GitReferences
    from provgraph.stores import EmbeddedStore


@dataclass(frozen=True, slots=True)
class Restored:
    """What a reference names, to be written. ``mode`` is None where nobody knows it."""

    data: bytes
    mode: int | None
    notes: tuple[str, ...] = ()


def restored(store: "EmbeddedStore", reference: str, places: Places, git: "GitReferences") -> Restored:
    """The bytes that a reference names. What a commit has and nobody recorded is git's to give: nothing stands for it.

    Raises:
        UnknownReferenceError: it names nothing, or more than one thing.
        QuestionError: nobody here has the bytes; the message says why. CorruptError: the object is damaged.
    """
    try:
        vertex, notes = resolve_one(store.reader, reference, replace(places, exact=True))
    except NotRecordedError as missing:
        return _from_git(git, missing)
    data, mode = content(store, vertex), vertex.properties.get("mode")
    if vertex.properties.get("media_type") == SYMLINK:
        mode = stat_module.S_IFLNK
    return Restored(data, mode if isinstance(mode, int) else None, notes)


def _from_git(git: "GitReferences", missing: NotRecordedError) -> Restored:
    name, commit = f"what {missing.selector} has of {missing.path}", missing.commit[:8]
    found = git.content(missing.commit, missing.path)
    if found is None:
        raise _gone(
            f"{name} was not recorded, and git cannot give it here; fetch commit {commit}, and try again "
            f"(`provdb show {missing.path}@{missing.selector}` names the newest snapshot before it)"
        )
    if found.data is None:
        raise _gone(
            f"{name} was not recorded, and git has a pointer to it alone (Git LFS, SHA-256 {found.sha256}); in the "
            f"file's folder type `git show {commit}:./{os.path.basename(missing.path)} | git lfs smudge`"
        )
    return Restored(found.data, found.mode, (f"{name} was not recorded; these bytes are git's, from commit {commit}",))


def content(store: "EmbeddedStore", vertex: Vertex) -> bytes:
    """The bytes of a snapshot, checked against their digest.

    Raises:
        QuestionError: no snapshot of one file, or its bytes are not in this store; the message says why.
        CorruptError: the object is damaged.
    """
    name, properties = display_name(vertex), vertex.properties
    if "Snapshot" not in vertex.labels or {"Collection", "Environment", "Variable"}.intersection(vertex.labels):
        kind = next((label for label in reversed(vertex.labels) if label != "Entity"), "Entity").lower()
        raise QuestionError(f"{name} is a {kind}; only the snapshot of a file has bytes to restore")
    digest = properties.get("sha256")
    if properties.get("content") == "purged":
        when, who = properties.get("purged_at", "?"), properties.get("purged_by", "somebody")
        raise _gone(f"the bytes of {name} were forgotten at {when} by {who}; there is no way back")
    if not isinstance(digest, str):
        raise _gone(f"the bytes of {name} were never read ({properties.get('content', 'no digest')})")
    if digest not in store.objects:
        same = [row for row in store.reader.snapshots_with_digest(digest) if row.uid != vertex.uid]
        others = ", ".join(f"{row.path}@{row.sequence}" for row in same[:5])
        hint = f"a file with the same content may still be at {others}" if others else f"its SHA-256 is {digest}"
        if vertex.mark:
            hint = f"clone {vertex.mark} recorded it (`provdb status` lists the clones); {hint}"
            raise _gone(f"the bytes of {name} are not in this store: contents are never sent; {hint}")
        raise _gone(f"the bytes of {name} are not in this store (too large, outside the project, or given up); {hint}")
    with store.objects.open(digest) as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != digest:
        raise CorruptError(f"the object of {name} ({digest}) is damaged; `provdb doctor` lists all that are")
    return data


def _gone(message: str) -> QuestionError:
    error = QuestionError(message)
    error.exit_status = 1
    return error


def write_file(found: Restored, path: str, *, force: bool) -> None:
    """Write what was restored to a file with its permission bits, whole or not at all.

    Raises:
        QuestionError: something is there and ``force`` is not set, or the place cannot be written to.
    """
    data, bits = found.data, 0o644 if found.mode is None else found.mode
    if os.path.isdir(path) and not os.path.islink(path):
        raise QuestionError(f"{path} is a folder; name a file with -o PATH")
    if os.path.lexists(path) and not force:
        raise QuestionError(f"{path} is there already; --force replaces it, -o PATH writes elsewhere")
    try:
        if stat_module.S_ISLNK(bits):
            if os.path.lexists(path):
                os.unlink(path)
            os.symlink(os.fsdecode(data), path)
            return
        write_atomically(path, lambda descriptor: _write_all(descriptor, data), bits & 0o7777, replace=force)
    except FileExistsError:
        raise QuestionError(f"{path} appeared in the meantime; --force replaces it") from None
    except OSError as error:
        raise QuestionError(f"{path} cannot be written: {error.strerror}") from error


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
