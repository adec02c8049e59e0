"""Tables: what a large one costs the ingestor that describes it, in its own process."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from measuring import in_turns
from scratch import Bench
from table import Figure, at_most

DESCRIBE = """\
import sys
from provgraph.ingestors.port import ActivityWords, File, Moment, Occurrence
from provgraph.ingestors.tables import INGESTORS
files = (File("data.csv", content=sys.argv[1]),)
print(INGESTORS[0].ingest(Occurrence(Moment.AFTER, "/", ActivityWords(), files)))
"""
ROW = b"1234567,2026-01-01,0.123456,some text that says little,true\n"
SIZE_MB = 1_000


def measure(bench: Bench) -> list[Figure]:
    """A CSV of 1 GB is described: its columns, their types, about how many rows."""
    size = SIZE_MB // 20 if bench.quick else SIZE_MB
    project = bench.project("tables")
    table = project.root / "data.csv"
    rows = size * 1_000_000 // len(ROW)
    with table.open("wb") as file:
        file.write(b"id,when,share,text,ok\n")
        for _ in range(rows // 10_000):
            file.write(ROW * 10_000)
    command = [str(Path(bench.provdb).with_name("python")), "-c", DESCRIBE, str(table)]
    found = in_turns({"csv": partial(project.plain, command)}, bench.rounds(5), project.settle)
    csv = found["csv"]
    remarks = f"{csv.least:.2f} to {max(csv.wall_s):.2f} s, {len(csv)} runs; reads 32 MiB of it"
    return [at_most(f"a CSV of {size:,} MB", 3, csv.median, "s", "the ingestor tables alone", remarks)]
