"""What recording from within costs the program: prints microseconds, as JSON."""

import json
import statistics
import sys
import time
from collections.abc import Callable

import provgraph

ROUNDS = int(sys.argv[1])


def microseconds(what: Callable[[], None], rounds: int = ROUNDS) -> dict[str, float]:
    """The median and the minimum of some calls."""
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        what()
        found.append((time.perf_counter() - begun) * 1e6)
    return {"median": statistics.median(found), "minimum": min(found)}


def empty() -> None:
    """An activity in which nothing happens."""
    with provgraph.activity("empty"):
        pass


empty()
result = {"empty": microseconds(empty)}
with provgraph.activity("points") as run:
    result["capture"] = run.capture
    result["point"] = microseconds(lambda: run.log_metric("loss", 0.5), min(900, 10 * ROUNDS))
    begun = time.perf_counter()
    for _ in range(100 * ROUNDS):
        run.log_metric("hot", 0.5)
    result["hot"] = (time.perf_counter() - begun) / (100 * ROUNDS) * 1e6
print(json.dumps(result))
