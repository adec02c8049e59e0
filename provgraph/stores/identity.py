"""Whose events these are: the project's uid, and the origin bound to a machine and a folder (rule 22)."""

import hashlib
import os
import re
import socket
import subprocess
from pathlib import Path
from typing import Final

from provgraph.errors import InputError
from provgraph.model.identity import digest_uid, uuid7
from provgraph.stores.files import SHARED_PROJECT, write_atomically

_UID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_GIT_S: Final = 20.0


def project_uid(root: Path, join: str | None = None) -> tuple[str, str]:
    """(uid, where it comes from) of a new project at ``root``.

    Parameters:
        join: the uid of a project that this one belongs to.

    Returns:
        The source is ``joined``, ``shared`` (a committed ``.provdb-project``), ``repository`` (a digest of the root
        commits of a full clone) or ``fresh`` (a UUIDv7).

    Raises:
        InputError: ``join``, or the file's content, is no uid.
    """
    if join is not None:
        return check_uid(join, "--join"), "joined"
    shared = root / SHARED_PROJECT
    if shared.is_file():
        return check_uid(shared.read_text("ascii", "replace").strip(), str(shared)), "shared"
    commits = root_commits(root)
    if commits:
        return digest_uid("repository", *commits), "repository"
    return uuid7(), "fresh"


def check_uid(text: str, where: str) -> str:
    """``text`` in lower case.

    Raises:
        InputError: it is no uid.
    """
    found = text.strip().lower()
    if not _UID.fullmatch(found):
        raise InputError(f"{where}: {text!r} is no project's uid; `provdb status` in the other clone prints it")
    return found


def root_commits(root: Path) -> list[str]:
    """The commits without parents of the repository whose top folder is ``root``, sorted.

    Empty where there is no repository, no commit, no git, only a part of the history (a shallow clone: two of them
    would disagree), or where ``root`` is but a folder within one (several projects may lie there).
    """
    if not (root / ".git").exists():
        return []
    git = ["git", "-C", str(root), "--no-optional-locks"]
    try:
        shallow = _run([*git, "rev-parse", "--is-shallow-repository"])
        if shallow.strip() != "false":
            return []
        # HEAD's ancestors alone: fetching somebody's unrelated branch must not make another project.
        return sorted(_run([*git, "rev-list", "--max-parents=0", "HEAD"]).split())
    except (OSError, subprocess.SubprocessError):
        return []


def _run(argv: list[str]) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    kept |= {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(
        argv, env=kept, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_GIT_S, check=True
    )
    return done.stdout


def share(root: Path, project: str) -> None:
    """Write the project's uid where it can be committed, so that every clone is the same project."""
    write_atomically(root / SHARED_PROJECT, f"{project}\n".encode("ascii"), 0o644)


def machine() -> str:
    """What tells this machine from others: a digest, since a machine's id is not to be published (machine-id(5))."""
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            text = Path(path).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if text and text != "uninitialized":
            break
    else:
        text = socket.gethostname()
    return hashlib.sha256(b"provgraph machine\0" + text.encode()).hexdigest()[:32]


def binding(store: Path) -> dict[str, str]:
    """What an origin is bound to: machine, device and inode of ``.provdb``."""
    stat = store.stat()
    return {"machine": machine(), "device": str(stat.st_dev), "inode": str(stat.st_ino)}
