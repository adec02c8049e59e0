"""What the first record of an activity says beside what was run: the boot, a process's age, the repository, tags."""

from __future__ import annotations

import os

from provgraph.client.scrub_words import scrubbed_words

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Sequence

# What git asks to know who works here; the ingester asks git later, in another environment.
IDENTITY = (
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "EMAIL",
    "HOME",
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
)
_START_TIME_FIELD = 21  # of /proc/PID/stat, counted from 0; field 22 in proc(5)


def boot_id() -> str:
    """What tells one boot of this machine from the next; "" where nothing does."""
    return _first_line("/proc/sys/kernel/random/boot_id")


def start_ticks(pid: int) -> int:
    """When a process began, in clock ticks since boot: tells a reused pid; 0 where it is gone."""
    text = _first_line(f"/proc/{pid}/stat")
    fields = text.rpartition(")")[2].split()
    return int(fields[_START_TIME_FIELD - 2]) if len(fields) > _START_TIME_FIELD - 2 else 0


def _first_line(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return os.fsdecode(file.readline().rstrip(b"\n"))
    except OSError:
        return ""


def git_folders(cwd: str) -> tuple[str, str, str] | None:
    """(work tree, its own git folder, the one that all work trees share) that ``cwd`` lies in; None outside of any."""
    folder = cwd
    while not os.path.lexists(f"{folder}/.git"):
        if folder in ("/", ""):
            return None
        folder = folder.rpartition("/")[0] or "/"
    git = f"{folder}/.git"
    if os.path.isfile(git):  # a work tree or a submodule
        text = _first_line(git)
        if not text.startswith("gitdir: "):
            return None
        git = os.path.join(folder, text[8:])
    common = _first_line(f"{git}/commondir")
    return folder, git, os.path.join(git, common) if common else git


def git_state(cwd: str) -> dict[str, object] | None:
    """Commit, branch and folder of the repository that ``cwd`` lies in, by reading files only; None outside of one.

    ``reflog`` is the size in bytes of HEAD's reflog: what is written after it, happened later.
    """
    found = git_folders(cwd)
    if found is None:
        return None
    folder, git, shared = found
    state: dict[str, object] = {"dir": folder, "reflog": _size(f"{git}/logs/HEAD")}
    head = _first_line(f"{git}/HEAD")
    if not head.startswith("ref: "):
        return {**state, "head": head} if head else None
    ref = head[5:]
    state["branch"] = ref.removeprefix("refs/heads/")
    commit = _first_line(f"{git}/{ref}") or _first_line(f"{shared}/{ref}") or _packed(shared, ref)
    return {**state, "head": commit} if commit else state


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _packed(git: str, ref: str) -> str:
    wanted = os.fsencode(f" {ref}\n")
    try:
        with open(f"{git}/packed-refs", "rb") as file:
            return next((line[:40].decode("ascii", "replace") for line in file if line.endswith(wanted)), "")
    except OSError:
        return ""


def scrubbed_tag(key: str, value: object, scrub: Sequence[str]) -> object:
    """A tag's value as it may be written: what its name says counts too."""
    return scrubbed_words([f"{key}={value}"], scrub)[0].partition("=")[2] if isinstance(value, str) else value
