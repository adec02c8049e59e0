"""The whole graph of a store as arrays: how fast it is there, and what it takes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from life_cycles import life_cycle, record
from scratch import Bench
from table import Figure, at_least, at_most, for_information

SCRIPT = Path(__file__).resolve().parents[1] / "workloads" / "graph_once.py"


def measure(bench: Bench) -> list[Figure]:
    """Loading from the cache and from the tables; memory at the largest size."""
    return [*_load(bench), *_memory(bench)]


def _once(bench: Bench, *words: str | Path) -> dict[str, Any]:
    done = subprocess.run([bench.python, str(SCRIPT), *map(str, words)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout) if done.stdout else {}


def _load(bench: Bench) -> list[Figure]:
    project = bench.project("graph-in-memory").init()
    record(life_cycle(10_000 if bench.quick else 1_000_000), str(project.root))
    found = _once(bench, "load", project.root)
    size = f"{found['vertices']:,} vertices, {found['edges']:,} edges"
    way = "graph_once.py load"
    return [
        at_least(f"load from the cache, {size}", 1_000_000, found["edges"] / found["cache"], "edges/s", way,
                 f"{1000 * found['cache']:.1f} ms, median of 9; the cache is in the page cache"),
        for_information("the same from the tables, a cache made", found["edges"] / found["tables"], "edges/s", way,
                        f"{found['tables']:.2f} s, median of 3"),
        at_most("a part of 85 % of its vertices, its arrays too", 50, 1000 * found["part"], "ms", way, "median of 9"),
    ]  # fmt: skip


def _memory(bench: Bench) -> list[Figure]:
    file = bench.folder / "graph.arrays"
    _once(bench, "make", file, "100000" if bench.quick else "10000000")
    found = _once(bench, "memory", file)
    file.unlink()
    size = f"{found['vertices']:,} vertices, {found['edges']:,} edges"
    remarks = (
        "resident memory, all pages touched: uids, kinds, labels, ends, relations, the order of uids, ancestry by both "
        f"ends; loaded in {found['seconds']:.2f} s"
    )
    return [at_most(f"memory, {size}", 120, found["bytes"] / found["edges"], "bytes an edge",
                    "graph_once.py memory", remarks)]  # fmt: skip
