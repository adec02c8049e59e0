"""What references ask of git: which commit a text names, and what a commit has of a file."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from provgraph.model.identity import Namespace
from provgraph.queries.places import Committed

if TYPE_CHECKING:
    from provgraph.ingest.repository import Repository


@dataclass(frozen=True, slots=True)
class CommittedFile:
    """A file as a commit has it. ``data`` is None where git has a pointer alone, to the LFS object ``sha256``."""

    sha256: str
    data: bytes | None
    mode: int


class GitReferences:
    """Commits as the repositories of a project know them.

    Parameters:
        root: the project's folder.
        namespace: the project's uids.
        cwd: where the question is asked; it counts where it lies in the project.
    """

    def __init__(self, root: str, namespace: Namespace, cwd: str = "") -> None:
        self._root, self._namespace = root, namespace
        self._cwd = cwd if os.path.join(cwd, "").startswith(os.path.join(root, "")) else root
        self._named = lru_cache(maxsize=256)(self._ask)

    def commit(self, text: str, path: str = "") -> Committed | None:
        """The commit that a text names: in the repository of the folder of ``path``, of where one is, of the project.

        A submodule and a work tree inside the project have a HEAD, branches and tags of their own.
        """
        for folder in self._folders(path):
            found = self._named(folder, text)
            if found is not None:
                return found
        return None

    def committed(self, commit: str, path: str) -> str | None:
        """SHA-256 of the file that a commit has at a store's path; "" where it has none, None where git cannot tell."""
        for repository, name in self._with(commit, path):
            blob = repository.blob(commit, name)
            if blob is None:
                return ""
            held = repository.hold([blob]).get(blob)
            return None if held is None else held.sha256
        return None

    def content(self, commit: str, path: str) -> CommittedFile | None:
        """The file that a commit has at a store's path; None where it has none, and where git cannot give it."""
        for repository, name in self._with(commit, path):
            blob = repository.blob(commit, name)
            held = None if blob is None else repository.hold([blob]).get(blob)
            if blob is None or held is None:
                return None
            mode = _mode(repository, commit, name, blob)
            if held.pointer or held.size is None:
                return CommittedFile(held.sha256, None, mode)
            data = repository.content(blob, held.size)
            if data is None or hashlib.sha256(data).hexdigest() != held.sha256:
                return None
            return CommittedFile(held.sha256, data, mode)
        return None

    def _with(self, commit: str, path: str) -> "Iterator[tuple[Repository, str]]":
        """The repositories that have a commit, and how a store's path is called from their folders."""
        from provgraph.ingest.repository import Repository

        if path.startswith("/"):
            return
        absolute = os.path.join(self._root, path)
        for folder in self._folders(path):
            repository = Repository(folder)
            if repository.resolve(commit) is not None:
                yield repository, os.path.relpath(absolute, folder)

    def _folders(self, path: str) -> list[str]:
        own = os.path.dirname(os.path.join(self._root, path)) if path and not path.startswith("/") else self._cwd
        while not os.path.isdir(own):
            own = os.path.dirname(own)
        return list(dict.fromkeys((own, self._cwd, self._root)))

    def _ask(self, folder: str, text: str) -> Committed | None:
        from provgraph.ingest.repository import Repository

        repository = Repository(folder)
        id = repository.resolve(text)
        found = repository.commits([id], 1) if id is not None else []
        if not found:
            return None
        return Committed(found[0].id, self._namespace.version(found[0].id), found[0].committed_at)


def _mode(repository: "Repository", commit: str, name: str, blob: str) -> int:
    """The mode of a file in a commit's tree, whose paths begin at the work tree's top."""
    modes = [
        change.mode
        for change in repository.changes(commit, None)
        if change.blob == blob and f"/{change.path}".endswith(f"/{name}")
    ]
    return int(modes[0] or "100644", 8) if modes else 0o100644
