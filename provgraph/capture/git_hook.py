"""What a git hook records: one spool file with the whole activity, in some milliseconds, and never a word to the user.

Run as a process of its own by the script that ``provdb git-hooks install`` puts beside a repository's hooks. What git
did is not looked at here: the ingester asks git later, which nobody waits for.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs each commit a millisecond
    from collections.abc import Mapping

KINDS = {"post-commit": "commit", "post-checkout": "checkout", "post-merge": "merge", "post-rewrite": "rewrite"}
_TAIL_BYTES = 65_536
_PAIRS_BYTES = 4 << 20
_GENERATIONS = 8
_REBASING = ("rebase-merge", "rebase-apply")
"""Folders that git has while a rebase goes on."""


def record(hook: str, arguments: list[str], environ: Mapping[str, str]) -> str | None:
    """Write what a hook was told into the spool of the project that its repository belongs to.

    Returns:
        The root of that project; None where nothing was recorded, for whatever reason.
    """
    from provgraph.client.moments import now
    from provgraph.client.project import find_project, unusable
    from provgraph.client.scrub_words import scrubbed_text, scrubbed_words
    from provgraph.client.settings import read_settings
    from provgraph.client.spool import SpoolFile, dumps, new_activity_uid
    from provgraph.client.surroundings import IDENTITY, boot_id, git_folders, git_state

    at, cwd = now(), os.getcwd()
    folders = git_folders(cwd)
    if folders is None:
        return None
    # A work tree beside the project is one of its repository all the same.
    root = find_project(cwd, environ) or find_project(os.path.dirname(os.path.realpath(folders[2])), {})
    if root is None or unusable(root) is not None:
        return None
    scrub = read_settings(root).get("scrub", ())
    patterns = [str(pattern) for pattern in scrub] if isinstance(scrub, list) else []
    began, argv = _command(os.getppid(), at)
    wall, uid = time.time_ns(), new_activity_uid()
    heads = _heads(folders[1])
    line, tab, message = heads.pop("reflog", "").partition("\t")
    about: dict[str, object] = {"hook": hook, "dir": folders[0], **_told(hook, arguments), **heads}
    if line:
        about["reflog"] = line + tab + scrubbed_text(message, patterns)
    if about.get("by") != "rebase" and any(os.path.isdir(f"{folders[1]}/{name}") for name in _REBASING):
        about["rebasing"] = True
    if environ.get("PROVDB_ACTIVITY"):
        about["within"] = environ["PROVDB_ACTIVITY"]
    start: dict[str, object] = {
        "record": "start",
        "schema": 1,
        "activity": uid,
        "kind": KINDS[hook],
        "about": about,
        "t": began,
        "time": wall - (at - began),
        "boot_id": boot_id(),
        "argv": scrubbed_words(argv or ["git", KINDS[hook]], patterns),
        "cwd": folders[0],
        "pid": os.getppid(),
        "supervisor": None,
        "uid": os.geteuid(),
        "host": os.uname().nodename,
        "capture": "git",
        "env": {},
        "identity": {name: environ[name] for name in IDENTITY if name in environ},
        "git": git_state(folders[0]),
    }
    spool = SpoolFile(f"{root}/.provdb/spool/{uid}.jsonl")
    moment: dict[str, object] = {"t": at, "time": wall}
    end = {"record": "end", **moment, "exit_status": 0, "survivors": False}
    if not spool.append_line(b"\n".join(map(dumps, (start, end, {"record": "closed", **moment})))):
        spool.discard()  # all or nothing: what has no end would be waited for
        return None
    return root


def _told(hook: str, arguments: list[str]) -> dict[str, object]:
    """What git says to a hook (githooks(5))."""
    if hook == "post-checkout" and len(arguments) > 2:
        return {"old": arguments[0], "new": arguments[1], "branch_changed": arguments[2] == "1"}
    if hook == "post-merge":
        return {"squash": arguments[:1] == ["1"]}
    if hook == "post-rewrite":
        lines = sys.stdin.buffer.read(_PAIRS_BYTES).decode("ascii", "replace").splitlines()
        return {"by": "".join(arguments[:1]), "pairs": [line.split()[:2] for line in lines if " " in line]}
    return {}


def _heads(git: str) -> dict[str, str]:
    """The newest line of HEAD's reflog, and where HEAD was before what moved it far."""
    found: dict[str, str] = {}
    try:
        with open(f"{git}/logs/HEAD", "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            found["reflog"] = file.read().rstrip(b"\n").rpartition(b"\n")[2].decode("utf-8", "replace")
    except OSError:
        pass  # core.logAllRefUpdates is false
    try:
        with open(f"{git}/ORIG_HEAD", "rb") as file:
            found["orig_head"] = file.readline().strip().decode("ascii", "replace")
    except OSError:
        pass
    return found


def _command(pid: int, at: int) -> tuple[int, list[str]]:
    """When the git command began that a hook runs in, and its words: the outermost git among the hook's ancestors."""
    began, argv = at, list[str]()
    for _ in range(_GENERATIONS):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
        except OSError:
            break
        if words and os.path.basename(words[0]) == "git":
            began = min(at, int(fields[19]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK"))
            argv = ["git", *words[1:]]
        elif argv and not any(os.path.basename(word).startswith("git-") for word in words[:2]):
            break  # git's own scripts stand between two of its processes
        pid = int(fields[1])
    return began, argv


def main(argv: list[str]) -> None:
    """Record one hook; whatever goes wrong, git goes on and nobody is told."""
    root = None
    try:
        if argv[:1] and argv[0] in KINDS:
            root = record(argv[0], argv[1:], os.environ)
        if root is not None:
            from provgraph.capture.wake import wake

            wake(root)
    except Exception as error:
        if root is not None:
            from provgraph.capture.faults import note

            note(root, error)
