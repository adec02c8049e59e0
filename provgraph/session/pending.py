"""What lies in the spool: commands that run, and commands that have ended."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TAIL: Final = 8192


@dataclass(frozen=True, slots=True)
class Spooled:
    """One activity's raw records, as far as waiting is concerned."""

    path: str
    command: str
    pid: int | None
    closed: bool
    """Whether the last line is there: nothing more will come."""
    survivors: bool
    """Whether the command has ended and left processes behind."""


def spooled(root: str) -> Iterator[Spooled]:
    """The activities in the spool of a project, by name (which is by time). Cost: two small reads each."""
    folder = os.path.join(root, ".provdb", "spool")
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                first = file.readline()
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                tail = file.read().replace(b": ", b":")
        except OSError:
            continue  # ingested in the meantime
        if not first.endswith(b"\n"):
            continue  # not begun, or its writer was killed before it was
        command, pid = start_of(first)
        yield Spooled(path, command, pid, b'\n{"record":"closed"' in tail, b'"survivors":true' in tail)


def start_of(line: bytes) -> tuple[str, int | None]:
    """(command line, process id) that the first record of an activity tells."""
    try:
        record = json.loads(line)
        pid = record.get("pid")
        return " ".join(str(word) for word in record["argv"]), pid if isinstance(pid, int) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return "?", None
