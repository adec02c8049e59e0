"""git passes ``.provdb`` by, and no file of the user's is edited. With the real git."""

import subprocess
from pathlib import Path

import pytest

from provgraph.stores import init_project
from provgraph.stores.guard import renew_guard


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@x", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "a").write_text("a")
    git(folder, "add", "a")
    git(folder, "commit", "-q", "-m", "a")
    return folder


def survives(project: Path, top: Path) -> None:
    """The journal is there after everything that git's users do to be rid of files."""
    (project / "junk").write_text("x")
    assert ".provdb" not in git(top, "status", "--porcelain", "--untracked-files=all")
    git(top, "clean", "-fdxq")
    assert not (project / "junk").exists() and (project / ".provdb/journal.db").exists()
    (top / "a").write_text("changed")
    git(top, "stash", "-a", "-q")
    assert (project / ".provdb/journal.db").exists()
    git(top, "add", "-A")
    assert ".provdb" not in git(top, "ls-files")


def test_a_repository(tmp_path: Path) -> None:
    top = repository(tmp_path / "r")
    init_project(str(top)).close()
    survives(top, top)
    assert not (top / ".gitignore").exists()


def test_a_folder_within_a_repository(tmp_path: Path) -> None:
    top = repository(tmp_path / "r")
    project = top / "sub dir [x]"
    project.mkdir()
    (project / "kept").write_text("k")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "b")
    init_project(str(project)).close()
    survives(project, top)


def test_a_worktree(tmp_path: Path) -> None:
    top = repository(tmp_path / "r")
    git(top, "worktree", "add", "-q", str(tmp_path / "w"))
    init_project(str(tmp_path / "w")).close()
    survives(tmp_path / "w", tmp_path / "w")


def test_a_submodule(tmp_path: Path) -> None:
    top, other = repository(tmp_path / "r"), repository(tmp_path / "o")
    git(top, "submodule", "add", "-q", str(other), "mod")
    git(top, "commit", "-q", "-m", "mod")
    init_project(str(top / "mod")).close()
    survives(top / "mod", top / "mod")


def test_a_repository_that_comes_later(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    init_project(str(tmp_path / "p")).close()
    repository(tmp_path / "p")
    assert renew_guard(str(tmp_path / "p")) is True
    assert renew_guard(str(tmp_path / "p")) is False
    survives(tmp_path / "p", tmp_path / "p")


@pytest.mark.parametrize("line", [b"*.log", b"*.log\n"])
def test_what_stands_in_the_exclude_file_stays(tmp_path: Path, line: bytes) -> None:
    top = repository(tmp_path / "r")
    (top / ".git/info/exclude").write_bytes(line)
    init_project(str(top)).close()
    assert (top / ".git/info/exclude").read_bytes().startswith(b"*.log\n#")
