"""`provdb push --watch`: what one more command costs the process that stays and sends."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from life_cycles import life_cycle, record
from measuring import CommandFailedError
from scratch import Bench, Scratch
from table import Figure, at_most
from team_server import server

LIMIT_S = 0.3
ROUNDS = 15
WATCH = "provdb push --watch"


def measure(bench: Bench) -> list[Figure]:
    """Commands one by one in a project with a history, all of which the server has."""
    size = 10_000 if bench.quick else 100_000
    project = bench.project(f"watch-{size}").init()
    made = life_cycle(size)
    record(made, str(project.root))
    rounds: list[tuple[float, float]] = []
    with server(bench.folder / "neo4j-watching") as own:
        project.plain([project.provdb, "remote", "add", "team", own.url])
        with _watching(project, own) as watch:
            watch.next(0)  # the history
            for number in range(bench.rounds(ROUNDS) + 1):
                project.settle(1.0)  # the processor time of the looks in between is not the command's
                found = _one_more(project, watch)
                if number:  # the first one loads what the others find
                    rounds.append(found)
    busy, wall = ([pair[place] for pair in rounds] for place in (0, 1))
    remarks = (
        f"processor time of that process from the command's end until the server has its event; median of "
        f"{len(rounds)}, all {min(busy):.3f}–{max(busy):.3f} s; on the clock {statistics.median(wall):.2f} s, all "
        f"{min(wall):.2f}–{max(wall):.2f} s, ingestion and waiting for the next look included"
    )
    what = f"one more command, nothing else pending, {made.vertices:,} vertices sent before: client time"
    return [at_most(what, LIMIT_S, statistics.median(busy), "s", WATCH, remarks)]


class Watch:
    """A process that sends what comes, and says so in lines. Each is noted with when it came and what it had cost."""

    def __init__(self, project: Scratch, own: Any) -> None:
        self.process = subprocess.Popen(
            [project.provdb, "push", "team", "--watch", "--json"], cwd=project.root, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PROVDB_TEAM_USER": own.user, "PROVDB_TEAM_PASSWORD": own.password},
        )  # fmt: skip
        self.said: list[tuple[float, float]] = []
        """(seconds of processor time, when) of each line that tells that nothing is left to send."""
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if not json.loads(line)["unsent"]:
                self.said.append((self.busy_s(), time.perf_counter()))

    def busy_s(self) -> float:
        """What the process has computed so far, all its threads, to the nanosecond (``clock_getcpuclockid``)."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def next(self, known: int) -> tuple[float, float]:
        """The first line after so many.

        Raises:
            CommandFailedError: the process ended.
        """
        while len(self.said) <= known:
            if self.process.poll() is not None:
                raise CommandFailedError(f"`{WATCH}` ended with {self.process.returncode}")
            time.sleep(0.005)
        return self.said[known]

    def end(self) -> None:
        """End it. Ctrl-C is ignored by whatever a shell runs in the background, as it may do with the benchmarks."""
        self.process.terminate()
        self.process.wait()
        self._reading.join()


@contextmanager
def _watching(project: Scratch, own: Any) -> Iterator[Watch]:
    watch = Watch(project, own)
    try:
        yield watch
    finally:
        watch.end()


def _one_more(project: Scratch, watch: Watch) -> tuple[float, float]:
    """(seconds of processor time of the watching process, seconds on the clock) from a command's end on."""
    known = len(watch.said)
    project.wrap(["true"])
    busy, began = watch.busy_s(), time.perf_counter()
    after, ended = watch.next(known)
    return after - busy, ended - began
