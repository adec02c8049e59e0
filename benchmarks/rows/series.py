"""Series: how soon every point of a long log is there, and is shown."""

from __future__ import annotations

from functools import partial

from measuring import in_turns
from scratch import Bench
from table import Figure, at_most

LOG = """\
import math
with open("train.log", "w") as log:
    for step in range({points}):
        print(f"step {{step}} loss {{2 * math.exp(-step / 20000) + 0.1 * math.sin(step):.6f}}", file=log)
"""
POINTS = 100_000


def measure(bench: Bench) -> list[Figure]:
    """A command writes a log of 100,000 points; its series is shown and printed whole."""
    points = POINTS // 20 if bench.quick else POINTS
    project = bench.project("series")
    (project.root / "train.py").write_text(LOG.format(points=points))
    project.init().wrap([bench.python, "train.py"])
    project.rest()
    found = in_turns(
        {"show": partial(project.plain, [bench.provdb, "show", "%1", "--series", "loss"]),
         "csv": partial(project.plain, [bench.provdb, "show", "%1", "--series", "loss", "--csv"])},
        bench.rounds(9), project.settle,
    )  # fmt: skip
    show, csv = found["show"], found["csv"]
    lines = project.bytes("show", "%1", "--series", "loss", "--csv").count(b"\n") - 1
    remarks = f"{lines:,} of {points:,} points are there; as CSV {csv.median:.2f} s"
    command = "provdb show %1 --series loss"
    return [at_most(f"a series of {points:,} points", 1, show.median, "s", command, remarks)]
