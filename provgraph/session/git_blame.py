"""What git says of each line of a file: the commit that brought it, where there is git and a repository."""

import os
import subprocess
from datetime import UTC, datetime
from typing import Final

from provgraph.graph.blame import CommitLine

_TIMEOUT_S: Final = 60
_KEPT: Final = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM")
_QUIET: Final = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
"""Nothing is fetched and nobody is asked."""
_GIT: Final = ("git", "--no-optional-locks")


def git_blame(path: str, data: bytes) -> dict[int, CommitLine]:
    """The commits of the lines of a file, by their numbers from 1; lines that no commit has are left out.

    Parameters:
        path: absolute; the file may have other bytes than ``data`` by now, or be gone.
        data: the bytes whose lines are asked for.

    Returns:
        Nothing where git is not installed, the file lies in no repository, or was never committed.
    """
    folder = os.path.dirname(path)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or not name.startswith("GIT_")}
    words = ["blame", "--porcelain", "--no-textconv", "--contents", "-", "--", os.path.relpath(path, folder)]
    try:
        done = subprocess.run(
            [*_GIT, *words],
            cwd=folder,
            env=kept | _QUIET,
            input=data,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    return _commits(done.stdout) if done.returncode == 0 else {}


def _commits(porcelain: bytes) -> dict[int, CommitLine]:
    """Read git's porcelain: a head line for each line of the file, what is known of a commit where it first comes."""
    headers: dict[str, dict[str, str]] = {}
    found: dict[int, str] = {}
    commit, line = "", 0
    for raw in porcelain.split(b"\n"):
        if raw.startswith(b"\t"):
            found[line] = commit
            commit = ""
            continue
        text = raw.decode("utf-8", "replace")
        if not commit:
            words = text.split(" ")
            if len(words) < 3:
                continue
            commit, line = words[0], int(words[2])
            headers.setdefault(commit, {})
        else:
            key, _, value = text.partition(" ")
            headers[commit][key] = value
    told = {commit: _told(commit, header) for commit, header in headers.items() if commit.strip("0")}
    return {line: told[commit] for line, commit in found.items() if commit in told}


def _told(commit: str, header: dict[str, str]) -> CommitLine:
    try:
        moment = datetime.fromtimestamp(int(header.get("author-time", "0")), UTC)
    except (ValueError, OverflowError, OSError):  # a commit may bear any time at all
        moment = datetime.fromtimestamp(0, UTC)
    email = header.get("author-mail", "").removeprefix("<").removesuffix(">").lower()
    return CommitLine(
        commit, header.get("author", ""), email, moment.isoformat(timespec="seconds"), header.get("summary", "")
    )
