"""Take the figures: ``python benchmarks/run.py [TABLE] [--only NAME …] [--quick] [--output FILE]``.

There are five tables, ``capture`` (RESULTS.md beside this file), ``interfaces`` (INTERFACES.md: git hooks, notebooks,
programs, series), ``operators`` (OPERATORS.md), and two on a real Neo4j, which needs Java: ``team`` (TEAM.md: sending)
and ``team_operators`` (TEAM_OPERATORS.md: asking, most of whose 45 minutes Cypher takes). Without a name all are taken.
With ``--only`` or ``--quick`` one is only printed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import installation
import peers
from scratch import Bench
from table import Figure, failed, markdown

TABLES = {
    "capture": (
        "RESULTS.md",
        ("start", "large_tree", "training", "processes_and_reads", "recall", "overwritten", "many_files", "ingest",
         "large_graph", "questions", "memory"),
    ),
    "interfaces": (
        "INTERFACES.md",
        ("git_hooks", "within", "notebooks", "series", "tables"),
    ),
    "operators": (
        "OPERATORS.md",
        ("graph_in_memory", "segmentation", "segmentation_cold", "summarization"),
    ),
    "team": (
        "TEAM.md",
        ("team_push", "team_watch"),
    ),
    "team_operators": (
        "TEAM_OPERATORS.md",
        ("team_segmentation",),
    ),
}  # fmt: skip
"""The tables: a file for each, and the modules in ``rows/`` that fill it, in its order. Each module has
``measure(bench) -> list[Figure]``."""
ROWS = tuple(name for _, names in TABLES.values() for name in names)


def main() -> int:
    """Carry out the command line; 1 where a figure was missed."""
    options = _options()
    # A shell's own settings must not decide: without byte code on disk Python compiles all modules at each start.
    for name in [name for name in os.environ if name.startswith(("PROVDB_", "PYTHON"))]:
        del os.environ[name]
    provdb = options.provdb or str(installation.install())
    if not options.provdb:
        installation.importable()
    folder = Path(options.folder or tempfile.mkdtemp(prefix="provgraph-benchmarks-"))
    bench = Bench(provdb, sys.executable, folder, options.quick)
    _must_record(bench)
    try:
        missed = [_table(name, bench, options) for name in ([options.table] if options.table else TABLES)]
    finally:
        if not options.folder:
            shutil.rmtree(folder, ignore_errors=True)
    return int(any(missed))


def _table(table: str, bench: Bench, options: argparse.Namespace) -> bool:
    """Fill a table and write or print it; whether a figure was missed."""
    rows: dict[str, list[Figure]] = {}
    loads: dict[str, float] = {}
    file, names = TABLES[table]
    names = tuple(name for name in names if not options.only or name in options.only)
    output = options.output or (None if options.only or options.quick else Path(__file__).parent / file)
    peer_versions = {peer.name: peer.version for peer in peers.available()} if "start" in names else {}
    versions = {"command": bench.provdb, **peer_versions}
    for name in names:
        began = time.monotonic()
        print(f"{time.strftime('%H:%M:%S')} {name} …", file=sys.stderr, flush=True)
        rows[name] = _row(name, bench)
        loads[name] = os.getloadavg()[0]
        for figure in rows[name]:
            verdict = {True: "reached", False: "MISSED", None: ""}[figure.reached]
            print(f"   {figure.what}: {figure.measured} {figure.must and f'({figure.must})'} {verdict}; "
                  f"{figure.remarks}", file=sys.stderr)  # fmt: skip
        print(f"   {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        if output:
            output.write_text(markdown(rows, loads, versions, options.quick))
    if rows and not output:
        print(markdown(rows, loads, versions, options.quick))
    return any(figure.reached is False for found in rows.values() for figure in found)


def _must_record(bench: Bench) -> None:
    """A program that records nothing is fast: no figure of it counts.

    Raises:
        CommandFailedError: ``provdb true`` is not in the log of its project.
    """
    project = bench.project("check").init()
    project.wrap(["true"])
    project.json("show", "%1")


def _row(name: str, bench: Bench) -> list[Figure]:
    """A row's figures; where it breaks, a line that says so, and the other rows go on."""
    try:
        figures: list[Figure] = importlib.import_module(f"rows.{name}").measure(bench)
    except Exception as error:  # noqa: BLE001 - the table shall show what went wrong
        return [failed(name, "an end", f"benchmarks/run.py --only {name}", f"{error!r}")]
    return figures


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description="Take the figures of the benchmark table.")
    parser.add_argument("table", nargs="?", choices=TABLES, help="one of the tables; all by default")
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="NAME", help=f"these rows: {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="few rounds, small inputs: does it work at all?")
    parser.add_argument("--output", type=Path, help="write the table here")
    parser.add_argument("--folder", help="make scratch projects here and leave them there")
    parser.add_argument("--provdb", help="measure this command; by default the checkout is installed and measured")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
