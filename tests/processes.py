"""What other processes do, and waiting for it."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any


def eventually(condition: Callable[[], Any], what: str = "it", timeout_s: float = 60) -> Any:
    """Wait until ``condition`` gives something true, and return that. The time is a safety net alone."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.01)
    return result


def children_of(pid: int) -> list[int]:
    """The children of a process's first thread; [] where it is gone."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def ingesters(root: Path) -> list[int]:
    """The processes that run as this project's ingester."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(root) in words and any(b"provgraph.session.ingester" in word for word in words):
            found.append(int(folder.name))
    return found


def end_ingesters(root: Path, how: signal.Signals = signal.SIGKILL) -> None:
    """End this project's ingesters. One may leave by itself meanwhile."""
    for process in ingesters(root):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, how)


def take(lock: IO[str]) -> bool:
    """Lock a file where nobody else has; what holds the ingester's lock keeps ingesters from starting."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
