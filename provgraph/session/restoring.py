"""The bytes of a snapshot, on standard output or as a file."""

import hashlib
import os
import stat as stat_module
from typing import TYPE_CHECKING, Final

from provgraph.errors import CorruptError, QuestionError
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.session.disk import write_atomically

SYMLINK: Final = "inode/symlink"

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore


def content(store: "EmbeddedStore", vertex: Vertex) -> bytes:
    """The bytes of a snapshot, checked against their digest.

    Raises:
        QuestionError: no snapshot of one file, or its bytes are not in this store; the message says why.
        CorruptError: the object is damaged.
    """
    name, properties = display_name(vertex), vertex.properties
    if "Snapshot" not in vertex.labels or {"Collection", "Environment"}.intersection(vertex.labels):
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


def write_file(vertex: Vertex, data: bytes, path: str, *, force: bool) -> None:
    """Write a snapshot's bytes to a file with its permission bits, whole or not at all.

    Raises:
        QuestionError: something is there and ``force`` is not set, or the place cannot be written to.
    """
    mode = vertex.properties.get("mode")
    bits = mode if isinstance(mode, int) else 0o644
    if os.path.isdir(path) and not os.path.islink(path):
        raise QuestionError(f"{path} is a folder; name a file with -o PATH")
    if os.path.lexists(path) and not force:
        raise QuestionError(f"{path} is there already; --force replaces it, -o PATH writes elsewhere")
    try:
        if stat_module.S_ISLNK(bits) or vertex.properties.get("media_type") == SYMLINK:
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
