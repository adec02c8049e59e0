"""The operator `segment` in memory: sizes, shapes, competitors. Each figure is a process of its own."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from scratch import Bench
from table import Figure, at_least, at_most, failed, for_information

SCRIPT = Path(__file__).resolve().parents[1] / "workloads" / "segment_once.py"
LIMIT_S = 60.0
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
COMMAND = "provgraph.segment()"
SHAPES = ("life cycle", "diamond ladder", "star", "chain", "chain with skips", "layers")


def measure(bench: Bench) -> list[Figure]:
    """Time at 1M vertices, growth, matching, the deep chain, and who is faster."""
    sizes = SIZES[:3] if bench.quick else SIZES
    ours = {size: _once("ours", "life cycle", size) for size in sizes}
    figures = []
    large = sizes[-3]
    found = ours[large]
    figures.append(at_most(f"segment in memory, {_size(found)}", 0.3, found["seconds"], "s", COMMAND, _words(found)))
    others = [one for size, one in ours.items() if size != large]
    figures += [for_information(f"the same, {_size(one)}", one["seconds"], "s", COMMAND, _words(one)) for one in others]
    figures.append(_growth(ours))
    uniform = _once("ours", "life cycle, uniform choice", large)
    figures.append(
        for_information("the same, inputs chosen uniformly", uniform["seconds"], "s", "skew 0", _words(uniform))
    )
    matched = _once("ours-match", "life cycle", large)
    figures.append(
        at_most("with `match` on two keys", 5, matched["seconds"] / found["seconds"], "×", COMMAND, _words(matched))
    )
    figures += _deep(100_000)
    for shape in SHAPES:
        figures += _race(shape, (1000, 3000) if bench.quick else (1000, 10_000, 50_000, 100_000))
    return figures


@cache
def _once(way: str, shape: str, size: int) -> dict[str, Any]:
    """What one process said.

    Raises:
        subprocess.TimeoutExpired: it took too long. CalledProcessError: it broke (out of memory, most likely).
    """
    limit = LIMIT_S + (300 if way.startswith("ours") else 30)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), way, shape, str(size)], capture_output=True, text=True, timeout=limit, check=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _growth(ours: dict[int, dict[str, Any]]) -> Figure:
    """The slope of log time over log size, by least squares; small graphs, where the start counts, are in it."""
    slope, _ = statistics.linear_regression(
        [math.log(found["vertices"]) for found in ours.values()],
        [math.log(found["seconds"]) for found in ours.values()],
    )
    what = f"growth from {min(ours):,} to {max(ours):,} vertices: exponent"
    return at_most(what, 1.15, slope, "", COMMAND, "by least squares over log size")


def _deep(size: int) -> list[Figure]:
    what = "deep chain with skips of 1, 8, 64, 512"
    try:
        found = _once("ours", "chain with skips", size)
    except (subprocess.SubprocessError, ValueError) as error:
        return [failed(what, "≤ 20 s", COMMAND, f"{error!r}")]
    return [
        at_most(f"{what}, {_size(found)}", 20, found["seconds"], "s", COMMAND, _words(found)),
        at_most("the same: memory", 1024, found["peak_bytes"] / 2**20, "MiB", COMMAND,
                "resident, of the whole process"),
    ]  # fmt: skip


def _race(shape: str, sizes: tuple[int, ...]) -> list[Figure]:
    """The sizes at which a competitor still ends; the ratio at the largest, and at 50,000 and above."""
    figures = []
    for way, name in (("networkx", "networkx, level by level"), ("cfl", "CFL reachability (compiled)")):
        ratios: dict[int, float] = {}
        ended = ""
        for size in sizes:
            ours = _once("ours", shape, size)
            try:
                theirs = _once(way, shape, size)
            except (subprocess.SubprocessError, ValueError):
                ended = f"does not end within {LIMIT_S:.0f} s (or 4 GiB) at {size:,} vertices"
                break
            if theirs["found"] > ours["found"]:
                return [failed(f"{shape}: {name}", "", way, f"{theirs['found']} found, ours {ours['found']}")]
            ratios[size] = theirs["seconds"] / ours["seconds"]
        told = ", ".join(f"{size:,}: {ratio:.3g} ×" for size, ratio in ratios.items())
        least = min(ratios.values(), default=math.inf)
        figures.append(at_least(f"{shape}: faster than {name}", 1, least, "×", f"segment_once.py {way}",
                                f"{told}; {ended}".strip("; ")))  # fmt: skip
        large = {size: ratio for size, ratio in ratios.items() if size >= 50_000}
        if large:
            figures.append(at_least(f"{shape}: the same from 50,000 vertices up", 100, min(large.values()), "×",
                                    f"segment_once.py {way}", told))  # fmt: skip
    return figures


def _size(found: dict[str, Any]) -> str:
    return f"{found['vertices']:,} vertices, {found['edges']:,} edges"


def _words(found: dict[str, Any]) -> str:
    return (
        f"{found['found']:,} vertices found; median of {found['runs']}, least {found['least']:.3g} s; "
        f"{found['peak_bytes'] / 2**20:,.0f} MiB resident"
    )
