"""The first record of an activity inside this process."""

from __future__ import annotations

import os
import re
import sys

from provgraph.client.scrub_words import scrubbed_text
from provgraph.client.surroundings import IDENTITY, boot_id, git_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_AROUND = {name: os.environ.get(name) for name in ("PROVDB_ACTIVITY", "PROVDB_ROOT")}
"""How this process was started."""
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def start_record(
    kind: str, name: str | None, about: Mapping[str, object] | None, note: str | None
) -> dict[str, object]:
    """The part of it that does not depend on the project."""
    cwd = os.getcwd()
    record: dict[str, object] = {
        "record": "start",
        "schema": 1,
        "kind": kind,
        "boot_id": boot_id(),
        "cwd": cwd,
        "pid": os.getpid(),
        "uid": os.geteuid(),
        "host": os.uname().nodename,
        "identity": {name: os.environ[name] for name in IDENTITY if name in os.environ},
    }
    optional = {"name": name, "note": note, "git": git_state(cwd), "about": dict(about) if about else None}
    record.update((key, value) for key, value in optional.items() if value is not None)
    return record


def scrubbed_record(record: dict[str, object], patterns: Sequence[str]) -> dict[str, object]:
    """The same without secrets."""
    for key in ("name", "note"):
        if key in record:
            record[key] = scrubbed_text(str(record[key]), patterns)
    if "about" in record:
        record["about"] = _scrubbed(record["about"], patterns)
    return record


def _scrubbed(value: object, patterns: Sequence[str]) -> object:
    if isinstance(value, str):
        return scrubbed_text(value, patterns)
    if isinstance(value, dict):
        return {key: _scrubbed(item, patterns) for key, item in value.items()}
    return [_scrubbed(item, patterns) for item in value] if isinstance(value, (list, tuple)) else value


def recorded_command(root: str) -> str | None:
    """The recorded command that this process is part of."""
    uid = _AROUND["PROVDB_ACTIVITY"] or ""
    return uid if _AROUND["PROVDB_ROOT"] == root and _UID.match(uid) else None


def lend_environment(uid: str, root: str) -> None:
    """A program that this process is about to start is part of an activity: a ``provdb`` in it becomes its child."""
    os.environ.update({"PROVDB_ACTIVITY": uid, "PROVDB_ROOT": root})


def restore_environment(uid: str) -> None:
    """That activity has ended."""
    if os.environ.get("PROVDB_ACTIVITY") == uid:
        for name, value in _AROUND.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def command_line() -> list[str]:
    """This process's command line."""
    return list(getattr(sys, "orig_argv", None) or [sys.executable, *getattr(sys, "argv", ())])
