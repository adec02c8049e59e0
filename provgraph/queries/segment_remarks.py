"""What a reader of a segment should know beside it: what had no effect, and why so little came out."""

from collections.abc import Mapping, Sequence

import numpy as np

from provgraph.graph.arrays import ACTIVITY
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.region import Known
from provgraph.graph.segment import Segment
from provgraph.model.vocabulary import ANCESTRY
from provgraph.queries.segmentation.boundary import Boundary, Mask
from provgraph.queries.segmentation.past import ancestry, past_of
from provgraph.queries.segmentation.words import keys_of

_NAMED = 3
"""So many ends are named."""


def remarks(
    graph: ProvGraph,
    found: Segment,
    boundary: Boundary,
    sources: Sequence[str] | None,
    match: Mapping[str, Sequence[str]] | None,
    *,
    similar: bool,
) -> list[str]:
    """Sentences on a segment of ``graph``: options without effect, ends that came from nothing, ends turned round."""
    said = [f"--exclude {text} holds for nothing here" for text in boundary.idle(graph)]
    said += _idle_match(graph, boundary.known, match, similar=similar, to_roots=sources is None)
    if sources is None:
        said += _came_from_nothing(found, boundary)
    elif not found.found:
        said += _turned(graph, found, boundary)
    return said


def past_mask(graph: ProvGraph, boundary: Boundary, destinations: Sequence[str]) -> Mask:
    """The vertices that ancestry walks within the boundary reach from destinations; bool (n,)."""
    vertices, edges = boundary.allowed(graph)
    ptr, other = ancestry(*graph.arrays.adjacency(ANCESTRY), edges)
    starts = np.array([graph.position(uid) for uid in destinations], np.int64)
    return past_of(ptr, other, starts, np.zeros_like(vertices), graph.uids_at).reached_mask()


def _idle_match(
    graph: ProvGraph,
    known: Known | None,
    match: Mapping[str, Sequence[str]] | None,
    *,
    similar: bool,
    to_roots: bool,
) -> list[str]:
    """What of ``match`` tells no two walks apart."""
    keys = keys_of(match)
    if keys and to_roots:
        return ["--match has no effect without --from: all that came before is direct"]
    if keys and not similar:
        return ["--match has no effect with --no-similar: there are direct paths alone"]
    said = []
    for code, names in keys.items():
        among = graph.arrays.kinds == code
        kind = "activity" if code == ACTIVITY else "entity"
        said += [
            f"--match {kind}={name} has no effect: no {kind} has a property called so"
            for name in names
            if not (graph.column(name).codes[among] >= 0).any()
            and not (known is not None and known.of_kind(kind.capitalize(), name))
        ]
    return said


def _came_from_nothing(found: Segment, boundary: Boundary) -> list[str]:
    """Destinations that are roots themselves."""
    alone = [uid for uid in found.destinations if uid in set(found.sources)]
    if not alone:
        return []
    within = boundary.exclude or boundary.since or boundary.until or boundary.agent
    return [f"{_names(found, alone)} came from nothing {'within the boundary' if within else 'that is recorded'}"]


def _turned(graph: ProvGraph, found: Segment, boundary: Boundary) -> list[str]:
    """Sources that came from a destination: the ends were confused."""
    later = past_mask(graph, boundary, found.sources)
    ends = [uid for uid in found.destinations if (place := graph.position(uid)) is not None and later[place]]
    if not ends:
        return []
    first, second = _names(found, found.sources), _names(found, ends)
    return [f"it is the other way round: {first} came from {second}; exchange --from and --to"]


def _names(found: Segment, uids: Sequence[str]) -> str:
    named = ", ".join(display_name(found[uid]) for uid in uids[:_NAMED])
    return named + (f" and {len(uids) - _NAMED} more" if len(uids) > _NAMED else "")
