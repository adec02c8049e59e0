"""One way to one segment, in a process of its own: ``segment_once.py WAY SHAPE SIZE``; prints a JSON object.

WAY: ``ours``, ``ours-match``, ``networkx``, ``cfl``. The time is that of the question alone, after
a first one on another graph (which loads or compiles what is needed), the graph being there.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from competitors import by_levels, by_reachability, networkx_graph
from life_cycle_graph import graph_of, uid
from life_cycles import LifeCycle, chain, chain_with_skips, diamond_ladder, layers, life_cycle, star

from provgraph.model.vocabulary import ANCESTRY
from provgraph.queries.segmentation import segment
from provgraph.queries.segmentation.engine import faster

SHAPES: dict[str, Callable[[int], LifeCycle]] = {
    "life cycle": life_cycle,
    "life cycle, uniform choice": lambda size: life_cycle(size, skew=0.0),
    "diamond ladder": lambda size: diamond_ladder(size // 3),
    "star": lambda size: star(size // 2),
    "chain": chain,
    "chain with skips": chain_with_skips,
    "layers": lambda size: layers(max(1, size // 200), 100),
}


def main() -> None:
    """Carry out the command line."""
    way, shape, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    made = SHAPES[shape](size)
    destination = made.newest_tenth(1) if shape.startswith("life") else int(made.generated[0].max())
    if shape == "chain with skips":
        destination = made.activities  # the last of the chain; what stands aside comes after
    ask = _asking(way, made, destination)
    times, found = [], 0
    began = time.perf_counter()
    while len(times) < 5 and (not times or time.perf_counter() - began < 5):
        start = time.perf_counter()
        found = ask()
        times.append(time.perf_counter() - start)
    print(json.dumps({
        "seconds": sorted(times)[len(times) // 2], "least": min(times), "runs": len(times), "found": found,
        "vertices": made.vertices, "edges": made.edges,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }))  # fmt: skip


def _asking(way: str, made: LifeCycle, destination: int) -> Callable[[], int]:
    """The question, ready to be asked: from a root that the destination came from."""
    graph = graph_of(made)
    source = made.root_of(destination)
    if way == "networkx":
        plain = networkx_graph(made)
        return lambda: len(by_levels(plain, source, destination))
    if way == "cfl":
        by_reachability(diamond_ladder(3), 0, 3)
        return lambda: len(by_reachability(made, source, destination))
    match = {"activity": ["utility", "command"]} if way == "ours-match" else None
    faster()  # as in a session that has asked before; a first question of a small graph does not wait for it
    warm = life_cycle(30_000)
    segment(graph_of(warm), [uid(0)], [uid(warm.newest_tenth(1))], match=match)
    for reverse in (False, True):
        graph.arrays.adjacency(ANCESTRY, reverse=reverse)
    return lambda: len(segment(graph, [uid(source)], [uid(destination)], match=match))


if __name__ == "__main__":
    main()
