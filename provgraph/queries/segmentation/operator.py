"""``segment``, the operator: how destinations came from sources, and what else took part (operators.md)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.arrays import ACTIVITY, ENTITY, KIND_CODES, RELATION_CODES, Arrays
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.segment import REASONS, Segment, Why
from provgraph.model.vocabulary import ANCESTRY, RESPONSIBILITY
from provgraph.queries.segmentation.boundary import Boundary
from provgraph.queries.segmentation.engine import Engine
from provgraph.queries.segmentation.kernels import FAR
from provgraph.queries.segmentation.past import (
    Mask,
    Past,
    Places,
    ancestry,
    past_of,
    reached_within,
    similar_by_lengths,
    similar_by_words,
)
from provgraph.queries.segmentation.proof import prove
from provgraph.queries.segmentation.words import keys_of, letters

_NAMED: Final = 5
_KIND_NAMES = {code: kind.value for kind, code in KIND_CODES.items()}
_CODES = {why: code for code, why in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Expansion:
    """All within ``activities`` activities of some vertices (None: the query's): ancestors, or what is downstream."""

    uids: tuple[str, ...] | None
    activities: int
    downstream: bool = False


def segment(
    graph: ProvGraph,
    sources: Iterable[str] | None,
    destinations: Iterable[str],
    *,
    boundary: Boundary | None = None,
    match: Mapping[str, Sequence[str]] | None = None,
    expand: Sequence[Expansion] = (),
    similar: bool = True,
    engine: Engine | None = None,
) -> Segment:
    """The segment between ``sources`` and ``destinations``.

    Parameters:
        sources, destinations: uids of entities. Without sources, all roots that a destination reaches: entities and
            activities (a download, an unrecorded change) that nothing came before.
        boundary: what is excluded.
        match: by kind, the property keys on which similar walks must agree.
        expand: what is added around chosen vertices.
        similar: whether similar walks are in it.
        engine: how to walk; by default whatever is faster.

    Returns: a ``Segment``; where no destination reaches a source, with a note.

    Raises:
        UnknownReferenceError: a uid that is not in the graph.
        QuestionError: a query vertex that is excluded or no entity; an unknown kind; nothing to ask for.
        InputError: the destinations' past has a cycle, which is named.

    Cost: linear in the edges of the destinations' past, once for each destination with ``similar``; with ``match`` also
    linear in the pairs of vertices at the same place of equal words.

    References:
        H. Miao, A. Deshpande: Understanding Data Science Lifecycle Provenance via Graph Segmentation and Summarization.
        ICDE 2019, arXiv 1810.04599. Similar walks by their lengths, without pairs of vertices, are this project's.
    """
    keys = keys_of(match)
    asked = _Asked(graph, sources, destinations, boundary or Boundary(), tuple(expand))
    past = asked.past(engine)
    direct = past.direct()
    found = direct
    if similar and sources is not None and direct.any():  # all that is reached leads to a root: it is direct
        letter = letters(graph, keys, past.reached_mask()) if keys else None
        found = similar_by_lengths(past, direct) if letter is None else similar_by_words(past, direct, letter)
    codes = asked.codes(direct, found, past)
    begin, end = asked.uids(asked.sources_of(past)), asked.uids(asked.later)
    query = asked.query() | {
        "sources": None if sources is None else begin,
        "destinations": end,
        "match": {_KIND_NAMES[kind].lower(): list(names) for kind, names in keys.items()},
        "similar": similar,
    }
    kept = codes >= 0
    part = graph.part(kept, asked.edges, query, asked.notes(past))
    return Segment.of_part(part, codes[kept], begin, end, partial(prove, engine=engine))


class _Asked:
    """One question, by position."""

    def __init__(
        self,
        graph: ProvGraph,
        sources: Iterable[str] | None,
        destinations: Iterable[str],
        boundary: Boundary,
        expand: tuple[Expansion, ...],
    ) -> None:
        self.graph, self.boundary, self.expand = graph, boundary, expand
        self.arrays: Arrays = graph.arrays
        self.allowed, edges = boundary.allowed(graph)
        self.edges = None if edges.all() else edges
        self.later = self._entities(destinations, "destination")
        self.earlier = None if sources is None else self._entities(sources, "source")
        self.chosen = [None if one.uids is None else self._places(one.uids, "expansion") for one in expand]
        for one in expand:
            if one.activities < 0:
                raise QuestionError(f"expand: {one.activities} activities is no distance; take 0 or more")

    def _places(self, uids: Iterable[str], role: str) -> Places:
        places = []
        for uid in [uids] if isinstance(uids, str) else uids:
            place = self.graph.position(uid)
            if place is None:
                raise UnknownReferenceError(f"{role} {uid!r}: the graph has no such vertex; name one of its uids")
            if not self.allowed[place]:
                name = display_name(self.graph.vertex_at(place))
                raise QuestionError(f"{role} {name} ({uid}) is outside the boundary; leave out what excludes it")
            places.append(place)
        return np.unique(np.array(places, np.int64))

    def _entities(self, uids: Iterable[str], role: str) -> Places:
        places = self._places(uids, role)
        if not len(places):
            raise QuestionError(f"a segment needs a {role}; name one entity or more")
        for place in places.tolist():
            if self.arrays.kinds[place] != ENTITY:
                kind = _KIND_NAMES[int(self.arrays.kinds[place])].lower()
                name = display_name(self.graph.vertex_at(place))
                raise QuestionError(
                    f"{role} {name} is an {kind}; name an entity, such as a file that it used or generated"
                )
        return places

    def uids(self, places: Places) -> list[str]:
        return sorted(self.graph.uids_at(places))

    def _adjacency(self, *, reverse: bool = False) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        ptr, other, edge = self.arrays.adjacency(ANCESTRY, reverse=reverse)
        return (ptr, other) if self.edges is None else ancestry(ptr, other, edge, self.edges)

    def past(self, engine: Engine | None) -> Past:
        """What the destinations reach."""
        ptr, other = self._adjacency()
        if self.earlier is None:
            goal = (np.diff(ptr) == 0) & self.allowed
        else:
            goal = np.zeros(self.arrays.vertex_count, np.bool_)
            goal[self.earlier] = True
        return past_of(ptr, other, self.later, goal, self.graph.uids_at, engine)

    def sources_of(self, past: Past) -> Places:
        """The sources asked for, or else the roots found."""
        if self.earlier is not None:
            return self.earlier
        return np.flatnonzero(past.reached_mask() & (np.asarray(past.near) == 0))

    def query(self) -> dict[str, Any]:
        """What was asked, but for what the caller knows better."""
        boundary = self.boundary
        return {
            "command": "segment",
            "exclude": [str(one) for one in boundary.exclude],
            "since": boundary.since,
            "until": boundary.until,
            "agent": boundary.agent,
            "environment": boundary.environment,
            "expand": [
                {
                    "uids": None if one.uids is None else sorted(set(one.uids)),
                    "activities": one.activities,
                    "downstream": one.downstream,
                }
                for one in self.expand
            ],
        }

    def codes(self, direct: Mask, found: Mask, past: Past) -> npt.NDArray[np.int8]:
        """The reason of each vertex, -1 of what is not in the segment; steps 4 to 6."""
        codes = np.full(len(found), -1, np.int8)

        def give(vertices: Mask | npt.NDArray[np.integer], why: Why) -> None:
            if vertices.dtype != np.bool_:
                vertices = vertices[codes[vertices] < 0]
                codes[vertices] = _CODES[why]
            else:
                codes[vertices & (codes < 0)] = _CODES[why]

        siblings = found.copy()
        siblings[self._ends(("wasGeneratedBy",), found, back=True)] = True
        give(direct, Why.DIRECT)
        give(found, Why.SIMILAR)
        asked = np.concatenate((self.later, self.sources_of(past)))
        give(asked, Why.QUERY)
        give(siblings, Why.SIBLING)
        give(self._ends(RESPONSIBILITY, siblings), Why.AGENT)
        for expansion, chosen in zip(self.expand, self.chosen, strict=True):
            give(self._expanded(expansion, asked if chosen is None else chosen, past), Why.EXPANSION)
        return codes

    def _ends(self, relations: Sequence[str], begin: Mask, *, back: bool = False) -> npt.NDArray[np.int32]:
        """Where edges of these relations lead from ``begin`` (or ``back``, where those come from that lead to it)."""
        arrays = self.arrays
        here, there = (arrays.targets, arrays.sources) if back else (arrays.sources, arrays.targets)
        edges = begin[here]
        wanted = edges & (arrays.relations == RELATION_CODES[relations[0]])
        for relation in relations[1:]:
            wanted |= edges & (arrays.relations == RELATION_CODES[relation])
        if self.edges is not None:
            wanted &= self.edges
        ends: npt.NDArray[np.int32] = there[wanted]
        return ends

    def _expanded(self, expansion: Expansion, chosen: Places, past: Past) -> Mask:
        engine = past.engine
        if expansion.downstream:
            back_ptr, back_other = self._adjacency(reverse=True)
            ptr, other = engine.given(back_ptr), engine.given(back_other)
        else:
            ptr, other = past.ptr, past.other
        activity = engine.given((self.arrays.kinds == ACTIVITY).astype(np.int32))
        passed = reached_within(engine, ptr, other, activity, chosen, expansion.activities)
        return np.asarray(passed) >= 0

    def notes(self, past: Past) -> list[str]:
        """Which destinations reach no source."""
        lost = [place for place in self.later.tolist() if past.near[place] == FAR]
        if not lost:
            return []
        if len(lost) == len(self.later):
            more = " and what the expansion adds" if self.expand else ""
            return [f"no destination reaches a source: the segment is the query's vertices{more}"]
        first = sorted(self.uids(np.array(lost)))[:_NAMED]  # positions are in the order of the store's own rows
        names = sorted(display_name(self.graph[uid]) for uid in first)
        rest = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        verb = "reaches" if len(lost) == 1 else "reach"
        return [f"{', '.join(names)}{rest} {verb} no source"]
