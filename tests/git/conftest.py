"""A project in a git repository, with hooks and without, and what real git commands left in the graph."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from laboratory import Graph, Lab


class GitLab(Lab):  # type: ignore[misc]
    """A project whose folder is a git repository. ``git`` is nobody's: no prefix."""

    def git(self, *words: str, cwd: Path | None = None, check: int | None = 0, **more: Any) -> str:
        """What ``git WORDS…`` prints, on both streams; what it left is ingested before the next command."""
        done: subprocess.CompletedProcess[str] = self.provdb.command(
            ["git", *words], cwd=cwd or self.root, check=check, stderr=subprocess.STDOUT, **more
        )
        self.settle()
        return done.stdout

    def commit(self, message: str, **files: str) -> str:
        """Write files (``a_csv`` is a.csv), commit all that is there, return the commit's id."""
        for name, text in files.items():
            self.write(name.replace("_", "."), text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def version(self, graph: Graph, commit: str) -> str:
        """uid of a commit's version; that there is one commit activity beside it is checked."""
        graph.one("Commit", commit=commit)
        return graph.one("Version", commit=commit, kind="explicit")

    def members(self, graph: Graph, version: str) -> set[str]:
        """``path@sequence`` of what a version says it adds or changes."""
        found = (graph.vertices[uid] for uid in graph.targets("hadMember", version))
        return {f"{vertex['path']}@{vertex['sequence']}" for vertex in found}


@pytest.fixture
def repository(provdb: Any, place: Path) -> GitLab:
    """A repository with a project in it, and no hooks of ours."""
    lab = GitLab(provdb)
    provdb.command(["git", "init", "--quiet", "--initial-branch=main", "."])
    provdb("init")
    return lab


@pytest.fixture
def hooked(repository: GitLab) -> GitLab:
    """The same, with hooks."""
    repository.run("git-hooks", "install")
    return repository


@pytest.fixture(params=["hooks", "prefix", "both"])
def recorded(request: pytest.FixtureRequest, repository: GitLab) -> tuple[GitLab, Callable[..., str]]:
    """A repository, and how git is run in it: with hooks, by ``provdb git``, or by both."""
    if request.param != "prefix":
        repository.run("git-hooks", "install")

    def git(*words: str, **more: Any) -> str:
        if request.param == "hooks":
            return repository.git(*words, **more)
        done = repository.run("git", *words, stderr=subprocess.STDOUT, **more)
        repository.settle()
        return done.stdout

    return repository, git


def tree(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """What is in a folder, byte for byte, with modes."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in sorted(folder.rglob("*")):
        name = os.fspath(path.relative_to(folder))
        if path.is_symlink():
            found[name] = 0, os.readlink(path)
        elif path.is_file():
            found[name] = path.stat().st_mode, path.read_bytes()
    return found
