"""Running commands side by side and saying how they compare.

The machine is never quiet, so variants take turns (A B A B …) and are compared pair by pair; a figure is a ratio or a
difference of medians, and minima and pairs stand beside it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: seconds on the clock, processor seconds of it and of what it waited for."""

    wall_s: float
    cpu_s: float


class CommandFailedError(Exception):
    """A command that is measured did not do its work."""


def run(
    argv: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
) -> Run:
    """Run a command and wait for it (not for what it leaves behind, which may hold its streams).

    Parameters:
        environment: variables set beside the present ones.

    Raises:
        CommandFailedError: its exit status is not 0.
    """
    variables = {**os.environ, **(environment or {})}
    with tempfile.TemporaryFile() as messages:
        began = time.perf_counter()
        process = subprocess.Popen(argv, cwd=cwd, env=variables, stdin=stdin, stdout=stdout, stderr=messages)
        _, code, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(code)
        if process.returncode:
            messages.seek(0)
            last = messages.read().decode(errors="replace").strip().splitlines()[-1:]
            raise CommandFailedError(f"`{' '.join(argv)[:200]}` ended with {process.returncode}: {''.join(last)}")
    return Run(wall_s, usage.ru_utime + usage.ru_stime)


@dataclass(frozen=True, slots=True)
class Series:
    """The times of one variant, in seconds, in the order of the rounds."""

    wall_s: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one, in seconds."""
        return statistics.median(self.wall_s)

    @property
    def least(self) -> float:
        """The shortest, in seconds: what the work itself takes when nothing is in the way."""
        return min(self.wall_s)

    def __len__(self) -> int:
        return len(self.wall_s)


def in_turns(
    variants: Mapping[str, Callable[[], Run]], rounds: int, between: Callable[[], object] = lambda: None
) -> dict[str, Series]:
    """Run all variants once in each round, in the order given; one round before, which does not count, warms caches.

    Parameters:
        between: called after each run, outside the time: lets the machine settle.
    """
    times: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, variant in variants.items():
            wall_s = variant().wall_s
            between()
            if number:
                times[name].append(wall_s)
    return {name: Series(tuple(found)) for name, found in times.items()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a variant takes more than the plain one, both run in turns."""

    plain: Series
    variant: Series

    @property
    def added_ms(self) -> float:
        """Difference of the medians."""
        return 1000 * (self.variant.median - self.plain.median)

    @property
    def ratio(self) -> float:
        """Ratio of the medians."""
        return self.variant.median / self.plain.median

    @property
    def pairs(self) -> list[float]:
        """The ratio in each round, sorted."""
        return sorted(b / a for a, b in zip(self.plain.wall_s, self.variant.wall_s, strict=True))

    def in_words(self) -> str:
        """Medians, minima, and the ratios pair by pair with their quartiles."""
        pairs = self.pairs
        low, high = pairs[len(pairs) // 4], pairs[-1 - len(pairs) // 4]
        return (
            f"medians {_ms(self.variant.median)} over {_ms(self.plain.median)}, minima {_ms(self.variant.least)} over "
            f"{_ms(self.plain.least)} ({self.variant.least / self.plain.least:.2f} ×), pair by pair "
            f"{statistics.median(pairs):.2f} × ({low:.2f} to {high:.2f}), {len(pairs)} pairs"
        )


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
