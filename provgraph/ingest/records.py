"""Reading the spool: whole lines, checked, in the order of their times."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.errors import InputError

Record = dict[str, Any]
_FIRST_LINE_S: Final = 60.0
_AT_ONCE: Final = 1 << 20
"""Bytes read at once: what has come is applied before more is taken, so a running command is soon visible."""


@dataclass(slots=True)
class SpoolTail:
    """One spool file, read as it grows. A torn last line stays unread until its end arrives.

    Parameters:
        path: the file.
        validate: raises ``ValueError`` or ``InputError`` where a record does not have its schema's shape.
    """

    path: str
    validate: Callable[[Record], object]
    offset: int = 0
    rejected: int = 0
    """Lines that are no records; each is counted, kept in the file beside, and never blocks what follows."""
    behind: bool = False
    """Whether more of the file was there than was read."""
    _rest: bytes = field(default=b"", repr=False)

    def read(self) -> Iterator[Record]:
        """The records that have arrived since the last call, a megabyte of them at most."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read(_AT_ONCE)
        except FileNotFoundError:
            return
        self.offset += len(data)
        self.behind = len(data) == _AT_ONCE
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not line:
                continue
            try:
                record = json.loads(line)
                self.validate(record)
            except (ValueError, InputError):
                self.rejected += 1
                self._keep_rejected(line)
                continue
            yield record

    def _keep_rejected(self, line: bytes) -> None:
        with open(self.path + ".rejected", "ab") as file:
            file.write(line + b"\n")


def spool_files(folder: str) -> list[str]:
    """The spool's files, oldest first (names are UUIDv7)."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(os.path.join(folder, name) for name in names if name.endswith(".jsonl"))


def remove(path: str) -> None:
    """Remove a spool file, and the old contents that were set aside for its activity."""
    folder, name = os.path.split(path)
    copies = os.path.join(folder, "pre")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with contextlib.suppress(FileNotFoundError):
        for copy in os.listdir(copies):
            if copy.startswith(name.removesuffix(".jsonl")):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(copies, copy))


def never_begun(path: str) -> bool:
    """Whether a spool file has no whole line although its writer had a minute for the first: it was killed before."""
    try:
        with open(path, "rb") as file:
            return time.time() - os.fstat(file.fileno()).st_mtime > _FIRST_LINE_S and not file.readline().endswith(
                b"\n"
            )
    except FileNotFoundError:
        return True


_GONE = (b"", b"Z", b"X")
_STARTED_NS = 1_000_000_000  # a process is older than the record of its start


def alive(record: Record) -> bool:
    """Whether the supervisor that a start record names still runs (same boot, same pid, same start time)."""
    return _state(record) not in _GONE


def at_rest(record: Record) -> bool:
    """Whether the supervisor that a start record names has written down all but what it saw in the last moments.

    It writes whenever it has nothing else to do, or after 20 ms; one that would run and may not is late.
    """
    return _state(record) in (*_GONE, b"S")


def _state(record: Record) -> bytes:
    """The state of a supervisor's process: a letter as in /proc, empty where it is gone, "?" where nobody may know."""
    try:
        if record.get("boot_id"):
            with open("/proc/sys/kernel/random/boot_id") as file:
                if file.read().strip() != record["boot_id"]:
                    return b""
        with open(f"/proc/{record['supervisor']}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return b""
    except OSError:
        return b"?"
    started, expected = int(fields[19]), record.get("supervisor_start")
    if expected is None and "t" in record:  # who began later only bears the number of the one that is meant
        same = started * 1_000_000_000 // os.sysconf("SC_CLK_TCK") <= int(record["t"]) + _STARTED_NS
    else:
        same = not expected or started == expected
    return fields[0] if same else b""


def runs(start: Record) -> bool:
    """Whether the command itself still runs, in the same boot."""
    return alive({**start, "supervisor": start["pid"], "supervisor_start": None})
