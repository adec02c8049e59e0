"""What recording from within costs a program: an empty activity, a point of a metric."""

from __future__ import annotations

import json
import shutil
import subprocess

from scratch import WORKLOADS, Bench
from table import Figure, at_most, for_information

EMPTY = "an empty `provgraph.activity`"
POINT = "`log_metric`, a call"


def measure(bench: Bench) -> list[Figure]:
    """The same program under the prefix, and alone."""
    project = bench.project("within").init()
    shutil.copy(WORKLOADS / "within.py", project.root)
    rounds = str(bench.rounds(200))
    figures = []
    for prefix in ([project.provdb], []):
        argv = [*prefix, bench.python, "within.py", rounds]
        done = subprocess.run(argv, cwd=project.root, capture_output=True, check=True, text=True)
        found = json.loads(done.stdout)
        how = f"{'provdb ' if prefix else ''}python within.py"
        seen = f"capture = {found['capture']}"
        empty = found["empty"]
        remarks = f"{seen}; minimum {empty['minimum'] / 1000:.2f} ms"
        if prefix:
            figures.append(at_most(EMPTY, 5, empty["median"] / 1000, "ms", how, remarks))
        else:
            remarks += "; its beginning and end wait for the disk"
            figures.append(for_information(EMPTY, empty["median"] / 1000, "ms", how, remarks))
        point = found["point"]
        remarks = f"{seen}; minimum {point['minimum']:.1f} µs; {found['hot']:.1f} µs where they come one upon the other"
        figures.append(at_most(POINT, 50, point["median"], "µs", how, remarks))
        project.settle()
    return figures
