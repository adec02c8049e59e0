"""Lineage: what a thing came from, or what came of it (semantics rule 12)."""

from collections.abc import Iterable, Mapping
from typing import Any

from provgraph.errors import UnknownReferenceError
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import ANCESTRY, RESPONSIBILITY
from provgraph.queries.times import in_order

REVISION = "wasDerivedFrom"


def lineage(
    graph: ProvGraph,
    uids: Iterable[str],
    *,
    downstream: bool = False,
    depth: int | None = None,
    revisions: bool = False,
    environment: bool = True,
    query: Mapping[str, Any] | None = None,
) -> ProvGraph:
    """The vertices that ancestry walks from ``uids`` reach, with the agents of what was found.

    Parameters:
        uids: where the walks start.
        downstream: walk into the future instead of the past.
        depth: how many activities a walk may pass, one that it starts from among them; None is no limit.
        revisions: also walk ``wasDerivedFrom``, the version chain.
        environment: whether walks may enter ``Environment`` vertices.

    Returns: the subgraph with the edges of the relations walked, and those of responsibility.

    Raises:
        UnknownReferenceError: a uid is not in the graph.

    Cost: linear in what is reached.
    """
    starts = list(dict.fromkeys(uids))
    for uid in starts:
        if uid not in graph:
            raise UnknownReferenceError(f"the graph has no vertex {uid!r}")
    walked = (*ANCESTRY, REVISION) if revisions else ANCESTRY
    reached = _reach(graph, starts, frozenset(walked), downstream=downstream, depth=depth, environment=environment)
    agents = {e.target for uid in reached for e in graph.out_edges(uid) if e.type in RESPONSIBILITY}
    found = graph.induced(reached | agents, (*walked, *RESPONSIBILITY))
    return found.with_query(query) if query is not None else found


def within(graph: ProvGraph, since: str | None, until: str | None) -> ProvGraph:
    """A graph without the activities that ended before a moment, or started after one (ISO 8601 UTC)."""
    kept = []
    for vertex in graph:
        if "Activity" in vertex.labels:
            started = in_order(str(vertex.properties.get("started_at", "")))
            ended = in_order(str(vertex.properties.get("ended_at") or ""))
            if (since is not None and ended and ended < since) or (until is not None and started > until):
                continue
        kept.append(vertex.uid)
    return graph.induced(kept, (*ANCESTRY, REVISION, *RESPONSIBILITY))


def _reach(
    graph: ProvGraph,
    starts: list[str],
    walked: frozenset[str],
    *,
    downstream: bool,
    depth: int | None,
    environment: bool,
) -> set[str]:
    """Breadth first by activities passed, so that every vertex is reached with the fewest."""
    reached = set(starts)
    level = [uid for uid in starts if "Activity" not in graph[uid].labels]
    following = [uid for uid in starts if "Activity" in graph[uid].labels and depth != 0]
    passed = 0
    while level or following:
        here, beyond = level, following
        while here:
            uid = here.pop()
            for edge in graph.in_edges(uid) if downstream else graph.out_edges(uid):
                if edge.type not in walked:
                    continue
                other = edge.source if downstream else edge.target
                if other in reached or (not environment and "Environment" in graph[other].labels):
                    continue
                if "Activity" not in graph[other].labels:
                    reached.add(other)
                    here.append(other)
                elif depth is None or passed < depth:
                    reached.add(other)
                    beyond.append(other)
        level, following, passed = beyond, [], passed + 1
    return reached
