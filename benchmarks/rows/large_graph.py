"""Questions to a store of 100,000 vertices and 300,000 edges; each is a process of its own."""

from __future__ import annotations

import shutil
from functools import partial

from measuring import Run, Series, in_turns
from scratch import Bench, Scratch
from synthetic import history
from table import Figure, at_most, for_information

COUNT = "MATCH (a:Activity)-[:used]->(s:Snapshot) RETURN count(*)"


def measure(bench: Bench) -> list[Figure]:
    """Lineage as a tree and as JSON; the first Cypher question, and one after it."""
    project = bench.project("large-graph").init()
    layers, target_layer = (31, 29) if bench.quick else (313, 294)
    made = history(project.root, layers=layers, width=100, target_layer=target_layer)
    size = f"{made.vertices:,} vertices, {made.edges:,} edges"
    lineage = [bench.provdb, "lineage", made.target]
    found = in_turns(
        {
            "tree": partial(project.plain, lineage),
            "json": partial(project.plain, [*lineage, "--json"]),
            "cypher": partial(_first, project, [bench.provdb, "cypher", COUNT]),
            "cypher again": partial(project.plain, [bench.provdb, "cypher", COUNT]),
            "start": partial(project.plain, [bench.provdb, "log", "--limit", "1"]),
        },
        bench.rounds(7),
    )
    said = len(project.json("lineage", made.target)["vertices"]) - 1
    what = f"lineage of a vertex with {made.ancestors:,} ancestors in a store of {size}"
    remarks = f"the JSON has {said:,} vertices beside it; {_spread(found['tree'])}"
    json_remarks = f"prints them all; {_spread(found['json'])}"
    first = f"answer: {project.text('cypher', COUNT, '--csv').split()[-1]}; {_spread(found['cypher'])}"
    return [
        at_most(what, 0.5, found["tree"].median, "s", "provdb lineage UID", remarks),
        for_information("the same as JSON", found["json"].median, "s", "provdb lineage UID --json", json_remarks),
        at_most(f"first `cypher`, {size}", 2.5, found["cypher"].median, "s", f"provdb cypher '{COUNT}'", first),
        for_information("a later `cypher`", found["cypher again"].median, "s", f"provdb cypher '{COUNT}'",
                        _spread(found["cypher again"])),
        for_information("`log --limit 1` there", found["start"].median, "s", "provdb log --limit 1",
                        _spread(found["start"])),
    ]  # fmt: skip


def _first(project: Scratch, argv: list[str]) -> Run:
    """As when nobody has asked before: nothing is kept from earlier questions."""
    shutil.rmtree(project.root / ".provdb" / "cache", ignore_errors=True)
    (project.root / ".provdb" / "cache").mkdir()
    return project.plain(argv)


def _spread(series: Series) -> str:
    return f"{series.least:.2f} to {max(series.wall_s):.2f} s, {len(series)} runs"
