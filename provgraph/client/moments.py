"""When and in what state: the clock of every record, and how records name the state of a file."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Iterable

Stat = tuple[int, int, int, int, int, int]

CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> int:
    """The time of an operation: nanoseconds of a clock that goes on while the machine sleeps."""
    return time.clock_gettime_ns(CLOCK)


def stat_of(status: os.stat_result) -> Stat:
    """The identity of a file's content, as records hold it: device, inode, size, mtime, ctime, mode."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_mode,
    )


def states_of(paths: Iterable[str]) -> list[dict[str, object]]:
    """Files as they are now: what is written later is not the doing of who ends now."""
    found: list[dict[str, object]] = []
    for path in paths:
        try:
            found.append({"path": path, "stat": stat_of(os.lstat(path))})
        except OSError:
            continue
    return found
