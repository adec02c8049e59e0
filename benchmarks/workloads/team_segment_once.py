"""Segments at a server, in a process of its own.

``team_segment_once.py URL USER PROJECT SOURCE DESTINATION LIMIT SECONDS``; the password is in NEO4J_PASSWORD.

Prints a JSON object: seconds of our segment (with similar paths, and direct paths alone), each after a first question
that loads what is needed, and of the same in Cypher. Cypher gets LIMIT times our time, and for direct paths alone
SECONDS; where it had not ended then, or had used up the server's memory, they are those until then, and ``…_end`` is
the server's code.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from team_questions import DIRECT, SIMILAR

from provgraph.errors import RemoteError
from provgraph.queries.places import Places
from provgraph.queries.segmentation.engine import faster
from provgraph.queries.segmenting import segment_of
from provgraph.stores.neo4j import Remote, TeamStore

ENDED = ("TransactionTimedOut", "OutOfMemory")
"""In the code of what a server says of a query that takes too much."""


def main() -> None:
    """Carry out the command line."""
    url, user, project, source, destination, limit, seconds = sys.argv[1:]
    remote = Remote("team", url, user, os.environ["NEO4J_PASSWORD"])
    with TeamStore(remote, project) as team:
        faster()  # as in a session that has asked before
        segment_of(team.reader, None, [source], Places())
        ours, found, edges = _timed(lambda: _ask(team, source, destination, similar=True))
        print(f"   ours: {ours:.1f} s, {found:,} vertices", file=sys.stderr, flush=True)
        direct, also_found, _ = _timed(lambda: _ask(team, source, destination, similar=False))
        given = {"d": destination, "s": source, "project": project}
        print(json.dumps({
            "ours": ours, "found": found, "edges": edges, "direct": direct, "direct_found": also_found,
            **_cypher("cypher", team, SIMILAR, given, float(limit) * ours),
            **_cypher("cypher_direct", team, DIRECT, given, float(seconds)),
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }))  # fmt: skip


def _ask(team: TeamStore, source: str, destination: str, *, similar: bool) -> Any:
    return segment_of(team.reader, [source], [destination], Places(), similar=similar)


def _timed(ask: Callable[[], Any]) -> tuple[float, int, int]:
    """The median of up to three, and the vertices and edges found."""
    times: list[float] = []
    segment: Any = None
    while len(times) < 3 and sum(times) < 60:
        start = time.perf_counter()
        segment = ask()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2], len(segment), segment.size


def _cypher(name: str, team: TeamStore, query: str, given: dict[str, str], limit_s: float) -> dict[str, Any]:
    """Its seconds, and what ended it before it had answered.

    Raises:
        RemoteError: anything else that went wrong, which is no victory.
    """
    import neo4j  # noqa: PLC0415 - the first connection has loaded it

    code = ""
    start = time.perf_counter()
    try:
        with team.connection.session() as session:
            session.run(neo4j.Query(query, timeout=limit_s), given).single(strict=True)
    except RemoteError as error:
        code = str(getattr(error.__cause__, "code", ""))
        if not any(end in code for end in ENDED):
            raise
    return {name: time.perf_counter() - start, f"{name}_end": code}


if __name__ == "__main__":
    main()
