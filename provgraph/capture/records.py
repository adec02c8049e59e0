"""The records that a front end writes: each element's start, and what is left to write when the supervisor is gone."""

from __future__ import annotations

import os
import time

from provgraph.capture.job import Job
from provgraph.capture.run import ending
from provgraph.capture.start import Surroundings
from provgraph.client.moments import now, states_of
from provgraph.client.spool import SpoolFile

_CHUNK = 65_536


class Records:
    """The spool files of one job's elements.

    Parameters:
        job: what runs.
        surroundings: what its start records share.
        supervisor: pid of the process that writes the rest.
    """

    def __init__(self, job: Job, surroundings: Surroundings, supervisor: int) -> None:
        self._job = job
        self._surroundings = surroundings
        self._supervisor = supervisor
        self._spools: dict[int, SpoolFile] = {}

    def descriptors(self) -> set[int]:
        """What must stay open."""
        return {spool.fileno() for spool in self._spools.values()}

    def start(self, index: int, pid: int, at: int, method: str) -> str | None:
        """Write the start record of an element; returns why it could not be written, else None."""
        element = self._job.elements[index]
        spool = self._spools[index] = SpoolFile(f"{self._job.spool}/{element.uid}.jsonl")
        record = self._surroundings.record(element, pid, at, method, self._supervisor)
        if index:  # how it got what is written to is said by the supervisor, which was there
            record["redirections"] = [entry for entry in self._surroundings.redirections if entry["mode"] == "r"]
        if not spool.append(record):
            spool.discard()
        return spool.failed

    def lost(self) -> None:
        """The supervisor is gone: say so in each record that it has not closed, after its last whole line."""
        for spool in self._spools.values():
            cut_torn_line(spool.path)
            if not _has(spool.path, b'{"record":"closed"'):
                spool.append({"record": "lost", "t": now(), "time": time.time_ns()}, sync=True)

    def end(self, record: dict[str, object], close: bool) -> None:
        """End, and ``close``, what the supervisor left open; the last element that began ends with ``record``."""
        last = max(self._spools, default=0)
        record["redirections"] = states_of(str(entry["path"]) for entry in self._surroundings.redirections)
        for index, spool in self._spools.items():
            if not _has(spool.path, b'{"record":"end"'):
                body = record if index == last else ending(None, None, survivors=False)
                spool.append({"record": "end", "t": now(), "time": time.time_ns(), **body})
            if close and not _has(spool.path, b'{"record":"closed"'):
                spool.append({"record": "closed", "t": now(), "time": time.time_ns()}, sync=True)


def cut_torn_line(path: str) -> None:
    """Take back a last line that the writer's death has cut short."""
    try:
        with open(path, "r+b") as file:
            size = end = os.fstat(file.fileno()).st_size
            while end > 0:
                start = max(0, end - _CHUNK)
                file.seek(start)
                at = file.read(end - start).rfind(b"\n")
                if at >= 0:
                    end = start + at + 1
                    break
                end = start
            if end < size:
                os.ftruncate(file.fileno(), end)
    except OSError:
        return


def _has(path: str, beginning: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return any(line.startswith(beginning) for line in file)
    except OSError:
        return False
