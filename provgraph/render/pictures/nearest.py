"""The part of a large graph that is nearest to what was asked for."""

from collections.abc import Iterable

from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import RESPONSIBILITY


def nearest_part(graph: ProvGraph, roots: Iterable[str], most: int) -> ProvGraph:
    """At most so many vertices, the fewest edges away from the roots, and their agents, who do not count.

    Of those equally far the first by uid. Cost: linear in the edges.
    """
    near: dict[str, list[str]] = {}
    agents: dict[str, list[str]] = {}
    for relation, source, target in graph.edge_ends():
        if relation in RESPONSIBILITY:
            agents.setdefault(source, []).append(target)
        else:
            near.setdefault(source, []).append(target)
            near.setdefault(target, []).append(source)
    kept: dict[str, None] = {}
    layer = sorted({root for root in roots if root in graph})
    while layer and len(kept) < most:
        kept |= dict.fromkeys(layer[: most - len(kept)])
        layer = sorted({other for uid in layer for other in near.get(uid, ())} - kept.keys())
    people = (agent for uid in kept for agent in agents.get(uid, ()))
    return graph.induced([*kept, *people])
