"""Agents that are one: each says with ``same_as`` into which other one it was merged (``provdb agents merge``)."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping

from provgraph.graph.elements import Vertex


def final[K: Hashable, O: int | str | bytes](step: Mapping[K, K], uid: Callable[[K], O]) -> dict[K, K]:
    """Which agent each merged one is in the end; ``step`` says which it was merged into.

    Of a ring, as it comes about where clones merge without knowing of each other, it is the one with the smallest uid.
    """
    found = {}
    for start in step:
        way = [start]
        while way[-1] in step and step[way[-1]] not in way:
            way.append(step[way[-1]])
        last = way[-1]
        if last in step:
            last = min(way[way.index(step[last]) :], key=uid)
        if last != start:
            found[start] = last
    return found


def merged_into(agents: Iterable[Vertex]) -> dict[str, str]:
    """uid of the agent that each merged one is in the end, by uid."""
    known = {agent.uid: agent.properties.get("same_as") for agent in agents}
    return final({uid: other for uid, other in known.items() if isinstance(other, str) and other in known}, str)


def same_agents(agents: Collection[Vertex], uids: Collection[str]) -> set[str]:
    """The uids, and those of all agents that are the same as one of them."""
    into = merged_into(agents)
    wanted = {into.get(uid, uid) for uid in uids}
    return {agent.uid for agent in agents if into.get(agent.uid, agent.uid) in wanted}
