"""A command that reads a data set of 200,000 files: what is recorded, how soon, and how much space it takes."""

from __future__ import annotations

import contextlib
import shutil
import time
from typing import Any

from measuring import CommandFailedError
from scratch import WORKLOADS, Bench, Scratch, size_of, tree
from table import Figure, at_most, failed, for_information

FILES = 200_000
COMMAND = "provdb python reads.py data"
PATIENCE_S = 600


def measure(bench: Bench) -> list[Figure]:
    """Read everything twice; ask after each time until the whole answer is there."""
    files = FILES // 20 if bench.quick else FILES
    project = bench.project("many-files")
    shutil.copy(WORKLOADS / "reads.py", project.root)
    tree(project.root / "data", files, 100)
    project.init()
    project.rest()
    store = project.root / ".provdb"
    sizes = [size_of(store)]
    plain_s = min(project.plain([bench.python, "reads.py", "data"]).wall_s for _ in range(2))
    figures: list[Figure] = []
    for which, limit_mb in (("first", 20), ("second", 1)):
        took_s = project.wrap([bench.python, "reads.py", "data"]).wall_s
        waited_s, document = _wait(project)
        project.rest()
        sizes.append(size_of(store))
        what = f"{files:,} files read, the {which} time"
        if document is None:
            figures.append(failed(f"{what}: queryable", "≤ 15 s", COMMAND, f"no answer within {PATIENCE_S} s"))
            continue
        figures += _edges(what, document)
        remarks = f"the command itself took {took_s:.1f} s, without the prefix {plain_s:.1f} s"
        figures.append(at_most(f"{what}: queryable after", 15, waited_s, "s", COMMAND, remarks))
        grown_mb, blocks_mb = ((sizes[-1][kind] - sizes[-2][kind]) / 1e6 for kind in (0, 1))
        remarks = f"by file in MB: {_by_file(store)}"
        figures.append(at_most(f"{what}: `.provdb/` grows", limit_mb, grown_mb, "MB", "du --apparent-size", remarks))
        objects = sum(1 for path in (store / "objects").rglob("*") if path.is_file())
        remarks = f"{objects:,} objects are kept by now"
        figures.append(at_most(f"{what}: `.provdb/` grows on disk", limit_mb, blocks_mb, "MB", "du", remarks))
    remarks = "before the first command"
    figures.append(for_information("`.provdb/` after `init`", sizes[0][0] / 1e6, "MB", "du --apparent-size", remarks))
    return figures


def _wait(project: Scratch) -> tuple[float, dict[str, Any] | None]:
    """Ask what the newest activity used, until it has ended and a collection is among it."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S:
        with contextlib.suppress(CommandFailedError):  # the command may not be known yet
            document = project.json("show", "%1")
            if "ended_at" in document["vertex"]["properties"] and _collections(document) and not document["notes"]:
                return time.monotonic() - began, document
    return PATIENCE_S, None


def _collections(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [related for related in document["relations"] if "Collection" in related["labels"]]


def _edges(what: str, document: dict[str, Any]) -> list[Figure]:
    """One collection of everything, and one edge to it (beside the script and the environment)."""
    used = [related for related in document["relations"] if related["type"] == "used"]
    inside = [related for related in used if related["name"].startswith("data")]
    names = ", ".join(related["name"] for related in used[:8])
    measured = len(inside) + 1000 * (len(_collections(document)) != 1)
    return [at_most(f"{what}: edges to the data", 1, measured, "edges", "provdb show %1 --json", f"used: {names}")]


def _by_file(store: Any) -> str:
    found = sorted(((path.stat().st_size / 1e6, path.name) for path in store.iterdir() if path.is_file()), reverse=True)
    return ", ".join(f"{name} {size:.1f}" for size, name in found[:4])
