"""The whole graph in memory, in a process of its own; prints a JSON object.

``graph_once.py load ROOT``: a project's graph from the tables, from the cache, and a part of it.
``graph_once.py make FILE SIZE``: a cache of a life cycle; ``graph_once.py memory FILE``: what it takes in memory.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from life_cycle_graph import arrays_of
from life_cycles import life_cycle

from provgraph.stores import open_store
from provgraph.stores.graph_cache import keep, read_kept
from provgraph.stores.graph_rows import GraphRows, ancestry, order_of

STAMP = {"benchmark": 1}


def main() -> None:
    """Carry out the command line."""
    way, place = sys.argv[1], Path(sys.argv[2])
    if way == "make":
        _make(place, int(sys.argv[3]))
    else:
        print(json.dumps(_load(place) if way == "load" else _memory(place)))


def _median(ask: Callable[[], float], rounds: int) -> float:
    return sorted(ask() for _ in range(rounds))[rounds // 2]


def _timed(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def _load(root: Path) -> dict[str, float]:
    cache = root / ".provdb" / "cache"

    def whole() -> float:
        """A store opened anew each time: an open one remembers the graph."""
        with open_store(str(root), write=False) as store:
            return _timed(lambda: store.reader.whole().arrays)

    def from_tables() -> float:
        shutil.rmtree(cache)
        cache.mkdir(mode=0o700)
        return whole()

    tables, kept = _median(from_tables, 3), _median(whole, 9)
    with open_store(str(root), write=False) as store:
        graph = store.reader.whole()
        mask = np.random.default_rng(1).random(len(graph)) < 0.85
        part = _median(lambda: _timed(lambda: graph.part(mask).arrays), 9)
        return {"vertices": len(graph), "edges": graph.size, "tables": tables, "cache": kept, "part": part}


def _make(file: Path, size: int) -> None:
    arrays = arrays_of(life_cycle(size))
    uids = np.random.default_rng(1).integers(0, 256, (arrays.vertex_count, 16), np.uint8)
    labelsets = tuple(enumerate(arrays.labelsets, 1))
    columns = arrays.kinds, arrays.labels, arrays.relations, arrays.sources, arrays.targets
    keep(file, STAMP, GraphRows(0, None, labelsets, uids, order_of(uids), *columns, ancestry(arrays)))


def _memory(file: Path) -> dict[str, float]:
    before = _resident()
    start = time.perf_counter()
    rows = read_kept(file, STAMP)
    seconds = time.perf_counter() - start
    assert rows is not None
    arrays = rows.arrays()
    for array in (arrays.sources, arrays.targets, *rows.adjacencies[False], *rows.adjacencies[True]):
        array.sum()
    return {
        "vertices": arrays.vertex_count,
        "edges": arrays.edge_count,
        "bytes": _resident() - before,
        "seconds": seconds,
    }


def _resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024


if __name__ == "__main__":
    main()
