"""Keeps git's hands off ``.provdb`` without editing a file of the user's.

Two things, and both are needed: an entry in the repository's own ``info/exclude`` (``git status``, ``git add -A`` and
``git stash -u`` pass it by), and a minimal repository in ``.provdb/.git`` (``git clean -fdx`` and ``git stash -a`` take
a folder that is a repository for somebody else's work).
"""

import contextlib
import os
from pathlib import Path
from typing import Final

from provgraph.stores import files

PATTERN: Final = "/.provdb/"
_NOTE: Final = "# provdb: the provenance of this project"
_HEAD: Final = b"ref: refs/heads/none\n"
_CONFIG: Final = b"[core]\n\trepositoryformatversion = 0\n\tbare = false\n"


def renew_guard(root: str) -> bool:
    """Renew both halves where they are missing; returns whether anything had to be done. Never raises.

    Works for a repository, a worktree, a submodule, and a project that is a folder within a repository.
    Cost: a stat per ancestor folder and one small read.
    """
    changed = False
    with contextlib.suppress(OSError):
        changed = _nested_repository(files.store_folder(root))
    found = _repository(Path(os.path.realpath(root)))
    if found is not None:
        with contextlib.suppress(OSError):
            changed = _exclude(*found) or changed
    return changed


def _nested_repository(store: Path) -> bool:
    git = store / ".git"
    wanted = {"HEAD": _HEAD, "config": _CONFIG}
    if (git / "refs").is_dir() and (git / "objects").is_dir() and all((git / name).is_file() for name in wanted):
        return False
    for name in ("refs", "objects"):
        (git / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, content in wanted.items():
        files.write_atomically(git / name, content)
    return True


def _repository(root: Path) -> tuple[Path, str] | None:
    """(the ``info/exclude`` that counts for ``root``, the pattern for it), or None outside of any repository."""
    for folder in (root, *root.parents):
        git = folder / ".git"
        if git.is_dir():
            common = git
        elif git.is_file():
            common = _linked(git) or git
        else:
            continue
        if not (common / "HEAD").exists():
            continue
        below = root.relative_to(folder).as_posix()
        place = "" if below == "." else "/" + "".join("\\" + c if c in "*?[]\\ !#" else c for c in below)
        return _common(common) / "info" / "exclude", place + PATTERN
    return None


def _linked(git: Path) -> Path | None:
    """The folder that a ``.git`` file of a worktree or a submodule names."""
    try:
        text = git.read_text("utf-8", "surrogateescape").strip()
    except OSError:
        return None
    return (git.parent / text.removeprefix("gitdir:").strip()).resolve() if text.startswith("gitdir:") else None


def _common(git: Path) -> Path:
    """The folder that all worktrees share: git reads ``info/exclude`` there (gitrepository-layout(5))."""
    try:
        return (git / (git / "commondir").read_text("utf-8", "surrogateescape").strip()).resolve()
    except OSError:
        return git


def _exclude(path: Path, pattern: str) -> bool:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        text = b""
    line = os.fsencode(pattern)
    if line in text.splitlines():
        return False
    path.parent.mkdir(exist_ok=True)
    gap = b"" if not text or text.endswith(b"\n") else b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    with open(descriptor, "ab") as file:
        if (owner := files.owner_of(path.parent)) is not None:
            os.fchown(file.fileno(), *owner)
        file.write(gap + _NOTE.encode() + b"\n" + line + b"\n")
    return True
