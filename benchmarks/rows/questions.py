"""Questions that must feel immediate."""

from __future__ import annotations

from functools import partial

from measuring import Series, in_turns
from scratch import Bench, tree
from table import Figure, at_most

FILES = 100_000


def measure(bench: Bench) -> list[Figure]:
    """`status` in a large project, and `--help`."""
    files = FILES // 20 if bench.quick else FILES
    project = bench.project("questions")
    tree(project.root / "data", files, 20)
    project.init().wrap(["true"])
    project.rest()
    found = in_turns(
        {"status": partial(project.plain, [bench.provdb, "status"]),
         "help": partial(project.plain, [bench.provdb, "--help"])},
        bench.rounds(15), project.settle,
    )  # fmt: skip
    status, shown = found["status"], found["help"]
    return [
        at_most(f"`status` among {files:,} files", 1, status.median, "s", "provdb status", _spread(status)),
        at_most("`--help`", 150, 1000 * shown.median, "ms", "provdb --help", _spread(shown)),
    ]


def _spread(series: Series) -> str:
    return f"{1000 * series.least:.0f} to {1000 * max(series.wall_s):.0f} ms, {len(series)} runs"
