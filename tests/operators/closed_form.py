"""Similar paths without ``match`` by the definition's closed form, for graphs that are too large to write walks down.

For a destination d let D(v) be the set of lengths of ancestry walks from d to v, G the union of D(s) over the sources
s, h(v) the length of the longest ancestry walk that starts in v. Then v lies on a similar path exactly when some p in
D(v) and some L in G have p ≤ L ≤ p + h(v). Sets of lengths are the bits of one integer.
"""

from collections.abc import Iterable

from provgraph.graph.provgraph import ProvGraph


def similar_or_direct(graph: ProvGraph, sources: Iterable[str], destination: str) -> set[str]:
    """The vertices that steps 2 and 3 find for one destination."""
    causes: dict[str, list[str]] = {}
    for relation, source, target in graph.edge_ends():
        if relation in {"used", "wasGeneratedBy"}:
            causes.setdefault(source, []).append(target)
    order = _newest_first(causes, destination)
    lengths = dict.fromkeys(order, 0)
    lengths[destination] = 1
    for uid in order:
        for cause in causes.get(uid, ()):
            lengths[cause] |= lengths[uid] << 1
    height: dict[str, int] = {}
    for uid in reversed(order):
        height[uid] = max((height[cause] + 1 for cause in causes.get(uid, ())), default=0)
    wanted = 0
    for uid in sources:
        wanted |= lengths.get(uid, 0)
    return {uid for uid in order if _meets(lengths[uid], height[uid], wanted)}


def _meets(lengths: int, height: int, wanted: int) -> bool:
    """Whether a wanted length lies between a length and what the longest walk from there makes of it."""
    window = (1 << (height + 1)) - 1
    place = 0
    while lengths >> place:
        if lengths >> place & 1 and wanted >> place & window:
            return True
        place += 1
    return False


def _newest_first(causes: dict[str, list[str]], start: str) -> list[str]:
    """What a vertex came from, each before its causes."""
    done: list[str] = []
    state = {start: 0}
    pending = [start]
    while pending:
        uid = pending[-1]
        following = causes.get(uid, [])
        if state[uid] < len(following):
            cause = following[state[uid]]
            state[uid] += 1
            if cause not in state:
                state[cause] = 0
                pending.append(cause)
        else:
            done.append(pending.pop())
    return done[::-1]
