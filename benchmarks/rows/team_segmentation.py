"""The operator `segment` at a team's server, against the best Cypher that says the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

from life_cycles import life_cycle, record
from scratch import Bench
from table import Figure, at_least, failed, for_information
from team_questions import DIRECT, SIMILAR
from team_server import server

SCRIPT = Path(__file__).resolve().parents[1] / "workloads" / "team_segment_once.py"
TIMES = 20
DIRECT_S = 300.0
"""So long Cypher may take for direct paths alone, which are told for information."""
COMMAND = "segment_of(team.reader, …)"


def measure(bench: Bench) -> list[Figure]:
    """Both sizes on a server of their own."""
    figures: list[Figure] = []
    with server(bench.folder / "neo4j-reading") as own:
        for size in (10_000,) if bench.quick else (100_000, 1_000_000):
            figures += _figures(bench, own, size)
    return figures


def _figures(bench: Bench, own: Any, size: int) -> list[Figure]:
    project = bench.project(f"team-life-cycle-{size}").init()
    made = life_cycle(size)
    uids = record(made, str(project.root))
    destination = made.newest_tenth(1)
    uid = _pushed(own, str(project.root))
    argv = [sys.executable, str(SCRIPT), own.url, own.user, uid, uids[made.root_of(destination)]]
    argv += [uids[destination], str(TIMES), str(DIRECT_S)]
    what = f"segment at the server, {made.vertices:,} vertices, {made.edges:,} edges"
    environment = os.environ | {"NEO4J_PASSWORD": own.password}
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, env=environment, timeout=7200)
    except subprocess.SubprocessError as error:
        return [failed(what, f"≥ {TIMES} ×", COMMAND, f"{error}"[-300:])]
    said = json.loads(done.stdout)
    return _told(what, said)


def _told(what: str, said: dict[str, Any]) -> list[Figure]:
    ours, direct = said["ours"], said["direct"]
    memory = f"{said['peak_bytes'] / 2**20:,.0f} MiB resident"
    figures = [for_information(what, ours, "s", COMMAND, f"{said['found']:,} vertices found; {memory}")]
    text = "the same, direct and similar paths: faster than Cypher"
    figures.append(at_least(text, TIMES, said["cypher"] / ours, "×", COMMAND, _remark(said, "cypher", ours, SIMILAR)))
    text = "the same, direct paths alone: faster than Cypher, all of which runs at the server"
    remark = _remark(said, "cypher_direct", direct, DIRECT)
    figures.append(for_information(text, said["cypher_direct"] / direct, "×", COMMAND, remark))
    return figures


def _remark(said: dict[str, Any], name: str, time: float, query: str) -> str:
    over = f"{said[name]:.2f} s over {time:.2f} s"
    end = said[f"{name}_end"]
    return f"{over}, after which Cypher had not ended ({end}): {query}" if end else f"{over}: {query}"


def _pushed(own: Any, root: str) -> str:
    """Send a project's events to the server; returns its uid."""
    from provgraph.events.batches import batches  # noqa: PLC0415 - only this needs the library
    from provgraph.stores import open_store  # noqa: PLC0415
    from provgraph.stores.neo4j import Remote, TeamStore  # noqa: PLC0415

    remote = Remote("team", own.url, own.user, own.password)
    with open_store(root, write=False) as store, TeamStore(remote, store.project, write=True) as team:
        team.migrate()
        for _, events in groupby(store.events(), key=lambda event: event.origin):
            for batch in batches((event, 0) for event in events):
                team.send(batch)
        return store.project
