"""The operator `summarize`: time on a hundred segments, and how far it compacts beside two other groupings."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from life_cycle_graph import graph_of, uid
from life_cycles import life_cycle
from scratch import Bench, Scratch
from table import Figure, at_most, for_information

KEEP = {"activity": ["utility"]}
CALL = "provgraph.summarize()"


def measure(bench: Bench) -> list[Figure]:
    """A hundred segments of a thousand vertices, of one history and of a hundred; and those of a real project."""
    count = 10 if bench.quick else 100
    others = [graph_of(life_cycle(1000, seed=seed, utilities=6), f"{seed}-") for seed in range(count)]
    shared = _of_one_history(count)
    figures = []
    for name, segments in (("each a history of its own", others), ("of one history", shared)):
        size = f"{count} segments, {sum(map(len, segments)):,} vertices, {name}"
        for hops, limit in ((1, 3.0), (2, 10.0)):
            seconds, groups = _timed(segments, hops, bench.rounds(3))
            figures.append(at_most(f"summarize {size}: hops {hops}", limit, seconds, "s", CALL,
                                   f"{groups:,} groups; keep activity=utility"))  # fmt: skip
        for hops in (0, 1, 2):
            figures += _compaction(size, segments, hops)
    real = _real(bench, 6 if bench.quick else 20)
    size = f"{len(real)} real segments, {sum(map(len, real)):,} vertices"
    for hops in (0, 1, 2):
        figures += _compaction(size, real, hops)
    return figures


def _of_one_history(count: int) -> list[Any]:
    """Segments of about a thousand vertices: what single entities of one history came from."""
    from provgraph.queries.segmentation import segment  # noqa: PLC0415

    made = life_cycle(1500, utilities=6)
    graph = graph_of(made)
    return [segment(graph, None, [uid(made.entities - 1 - 2 * number)]) for number in range(count)]


def _timed(segments: Sequence[Any], hops: int, rounds: int) -> tuple[float, int]:
    from provgraph.queries.summarization import summarize  # noqa: PLC0415

    times, groups = [], 0
    for _ in range(rounds):
        began = time.perf_counter()
        groups = len(summarize(segments, keep=KEEP, hops=hops).groups)
        times.append(time.perf_counter() - began)
    return statistics.median(times), groups


def _compaction(size: str, segments: Sequence[Any], hops: int) -> list[Figure]:
    """Groups by vertices, beside bisimulation over the same letters, and the letters alone, which is not sound."""
    from provgraph.queries.summarization.merging import merged  # noqa: PLC0415

    found = merged(segments, KEEP, hops)
    total = len(found.cls)
    ours = int(found.group.max()) + 1
    members = zip(found.member_segment.tolist(), found.member_uid, strict=True)
    theirs = _bisimulation(segments, dict(zip(members, found.cls.tolist(), strict=True)))
    types = int(found.cls.max()) + 1
    return [
        at_most(f"compaction, {size}, hops {hops}: groups over bisimulation's", 1, ours / theirs, "×", CALL,
                f"ratio {ours / total:.4f} ({ours:,} groups) against {theirs / total:.4f} ({theirs:,})"),
        for_information("the same by provenance types alone, not sound", types / total, "", "the classes themselves",
                        f"{types:,} classes: no sound summary can have fewer groups"),
    ]  # fmt: skip


def _bisimulation(segments: Sequence[Any], letters: Mapping[tuple[int, str], int]) -> int:
    """How many classes of bisimilar vertices there are: equal letters, and steps into the same classes."""
    names: dict[object, int] = {}
    for number, graph in enumerate(segments):
        arrays = graph.arrays
        uids = graph.uids_at(np.arange(arrays.vertex_count, dtype=np.int32))
        steps: list[list[tuple[int, int]]] = [[] for _ in uids]
        for relation, source, target in zip(
            arrays.relations.tolist(), arrays.sources.tolist(), arrays.targets.tolist(), strict=True
        ):
            steps[source].append((relation, target))
        known: dict[int, int] = {}
        for start in range(len(uids)):
            stack = [start]
            while stack:
                here = stack[-1]
                below = [target for _, target in steps[here] if target not in known]
                if below:
                    stack += below
                    continue
                stack.pop()
                signature = (letters[number, uids[here]], frozenset((r, known[t]) for r, t in steps[here]))
                known[here] = names.setdefault(signature, len(names))
    return len(names)


def _real(bench: Bench, runs: int) -> list[Any]:
    """Segments of a project with real commands: a table cleaned, split and counted with other settings each time."""
    import provgraph  # noqa: PLC0415

    project: Scratch = bench.project("summaries").init()
    (project.root / "table.csv").write_text("".join(f"{n},{n * n % 97}\n" for n in range(500)))
    for run in range(runs):
        if run % 3 == 0:
            project.wrap(["sh", "-c", f"sort -t, -k2 table.csv | head -{400 + run} > clean.csv"])
        project.wrap(["sh", "-c", f"head -{200 + run} clean.csv > train.csv; tail -100 clean.csv > test.csv"])
        project.wrap(["sh", "-c", "cut -d, -f2 train.csv | sort | uniq -c > model.txt"])
        project.wrap(["sh", "-c", "cat model.txt test.csv | wc -l > metric.txt"])
    with provgraph.open(project.root) as here:
        snapshots = here.resolve("metric.txt@*")
        return [here.segment(None, [vertex.uid]) for vertex in snapshots]
