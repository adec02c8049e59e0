"""`provdb segment` as a whole process, on stores of life cycles; and the same question in Cypher."""

from __future__ import annotations

from functools import partial

from competitors import CYPHER, CYPHER_DIRECT
from life_cycles import life_cycle, record
from measuring import CommandFailedError, Run, Series, in_turns, run
from scratch import Bench, Scratch
from table import Figure, at_least, at_most, failed, for_information


def measure(bench: Bench) -> list[Figure]:
    """Cold processes at two sizes; Cypher against them from small to large."""
    figures = []
    for size, limit in ((10_000, 0.8),) if bench.quick else ((100_000, 0.8), (1_000_000, 4.0)):
        figures += _cold(bench, size, limit)
    for size in (1000,) if bench.quick else (1000, 10_000, 50_000):
        figures += _cypher(bench, size)
    return figures


def _made(bench: Bench, size: int) -> tuple[Scratch, str, str, str]:
    project = bench.project(f"life-cycle-{size}").init()
    made = life_cycle(size)
    uids = record(made, str(project.root))
    destination = made.newest_tenth(1)
    size = f"{made.vertices:,} vertices, {made.edges:,} edges"
    return project, uids[made.root_of(destination)], uids[destination], size


def _cold(bench: Bench, size: int, limit: float) -> list[Figure]:
    project, source, destination, what = _made(bench, size)
    argv = [bench.provdb, "segment", "--from", source, "--to", destination]
    first = project.plain(argv).wall_s
    found = in_turns(
        {
            "segment": partial(project.plain, argv),
            "match": partial(project.plain, [*argv, "--match", "activity=utility,command"]),
            "no-similar": partial(project.plain, [*argv, "--no-similar"]),
        },
        bench.rounds(5),
    )
    return [
        at_most(f"cold `segment`, {what}", limit, found["segment"].median, "s", "provdb segment --from UID --to UID",
                f"{_spread(found['segment'])}; its first lines as a tree"),
        for_information("the same, the very first (the cache is made)", first, "s", "provdb segment …"),
        for_information("the same with --match", found["match"].median, "s", "--match activity=utility,command",
                        _spread(found["match"])),
        for_information("the same, direct paths alone", found["no-similar"].median, "s", "--no-similar",
                        _spread(found["no-similar"])),
    ]  # fmt: skip


NO_ANSWER = "Cypher gives no answer: the engine refuses so many paths, or 60 s are over"


def _cypher(bench: Bench, size: int) -> list[Figure]:
    """Whole processes on both sides; a query that does not end within a minute is one that we beat."""
    project, source, destination, what = _made(bench, size)
    ask = partial(project.plain, [bench.provdb, "segment", "--from", source, "--to", destination])
    ours = in_turns({"segment": ask}, 3)["segment"]
    figures = []
    for name, query in (("the same in Cypher", CYPHER), ("direct paths in Cypher", CYPHER_DIRECT)):
        given = ["--param", f"d={destination}", "--param", f"s={source}", "--timeout", "60"]
        argv = [bench.provdb, "cypher", query, *given]
        text = f"{name}, {what}: `segment` is faster"
        try:
            theirs = _run(project, argv)
        except CommandFailedError:
            figures.append(failed(text, "≥ 1 ×", "provdb cypher", NO_ANSWER))
            continue
        figures.append(at_least(text, 1, theirs.wall_s / ours.median, "×", "provdb cypher",
                                f"{theirs.wall_s:.2f} s over {ours.median:.2f} s, whole processes"))  # fmt: skip
    return figures


def _run(project: Scratch, argv: list[str]) -> Run:
    run(argv, project.root)  # the first fills its cache
    return run(argv, project.root)


def _spread(series: Series) -> str:
    return f"{series.least:.2f} to {max(series.wall_s):.2f} s, {len(series)} runs"
