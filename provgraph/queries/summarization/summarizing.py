"""``summarize``: segments in, a ``Summary`` out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from provgraph.errors import QuestionError
from provgraph.graph.arrays import RELATION_NAMES
from provgraph.graph.naming import display_name, short_uid
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.summary import Group, Oddity, SegmentScore, Summary, SummaryEdge
from provgraph.model.collector import without_collector
from provgraph.model.vocabulary import Kind
from provgraph.queries.summarization.mixing import pointers
from provgraph.queries.summarization.naming import base_name, flow, numbered
from provgraph.queries.summarization.occurrence import (
    Looks,
    Occurrence,
    Spread,
    kept_classes,
    occurrences,
    spread_of,
)
from provgraph.queries.summarization.odd import scores
from provgraph.queries.summarization.presets import Keep, Knobs, knobs
from provgraph.queries.summarization.reasons import Names, Relation, reasons
from provgraph.queries.summarization.union import Ints

if TYPE_CHECKING:
    from provgraph.queries.summarization.merging import Merged

_ODD, _NAMED = 100, 20
"""So many oddities are told, and so many segments named with each."""
_BY_NAME = np.argsort(np.argsort(np.array(RELATION_NAMES)))
"""The places of relations in the alphabet."""
_KINDS = (Kind.ACTIVITY, Kind.ENTITY, Kind.AGENT)


def summarize(
    segments: Iterable[ProvGraph],
    keep: Keep | None = None,
    hops: int | None = None,
    resolution: str = "medium",
    names: Sequence[str] | None = None,
) -> Summary:
    """What segments have in common, and what is odd in one of them (docs/summarization.md defines the words).

    Vertices that keep the same and have the same provenance type are put together where no path is lost by that and
    none invented; the groups and edges say in how many of the segments they are.

    Parameters:
        segments: one or more graphs, as ``segment`` or ``lineage`` gives them.
        keep: property keys by kind that vertices of a group agree on: ``{"activity": ["utility"]}``.
        hops: so many edges far the neighbourhoods of a group's vertices are the same, 0 or more.
        resolution: ``coarse``, ``medium`` or ``fine``: stands for ``keep`` and ``hops`` where they are not given.
        names: what the segments are called; by default their destinations, else ``segment 1``.

    Returns:
        The summary; the same for the same input, in every process.

    Raises:
        QuestionError: no segment, an unknown kind or resolution, hops below 0, or not a name for each segment.

    Example:
        >>> from provgraph.graph.elements import Edge, Vertex
        >>> def run(n):
        ...     train = Vertex(f"t{n}", ("Activity",), {"utility": "train"})
        ...     model = Vertex(f"m{n}", ("Entity",), {"path": "model.pkl"})
        ...     return ProvGraph([train, model], [Edge("wasGeneratedBy", model.uid, train.uid)])
        >>> [(group.name, group.segments) for group in summarize([run(1), run(2)]).groups]
        [('train', 2), ('model.pkl', 2)]

    References:
        .. [1] Miao and Deshpande, Understanding Data Science Lifecycle Provenance via Graph Segmentation and
           Summarization, ICDE 2019, arXiv 1810.04599.
    """
    from provgraph.queries.summarization.merging import merged

    graphs = _checked(segments)
    asked = knobs(keep, hops, resolution)
    called = _called(graphs, names)
    with without_collector():
        merge = merged(graphs, asked.keep, asked.hops)
        notes = [] if keep is None or _all_there(merge, asked) else _missing_keys(graphs, asked)
        return _Answer.of(graphs, called, merge).summary(asked, notes)


def _checked(segments: Iterable[ProvGraph]) -> list[ProvGraph]:
    if isinstance(segments, ProvGraph | str | Mapping):
        raise QuestionError(f"summarize takes a list of graphs, not one {type(segments).__name__}; put it in brackets")
    graphs = list(segments)
    if not graphs:
        raise QuestionError("there is no segment to summarize; project.segment(destinations=[…]) makes one")
    for place, graph in enumerate(graphs):
        if not isinstance(graph, ProvGraph):
            raise QuestionError(
                f"segment {place + 1} is a {type(graph).__name__}, no graph; ProvGraph.from_json reads a document"
            )
    return graphs


def _called(graphs: Sequence[ProvGraph], names: Sequence[str] | None) -> list[str]:
    """A unique name for each segment."""
    if names is not None and len(names) != len(graphs):
        raise QuestionError(f"{len(names)} names for {len(graphs)} segments; give one for each, or none at all")
    wanted = list(names) if names is not None else [_own_name(graph, place) for place, graph in enumerate(graphs, 1)]
    many, taken, found = Counter(wanted), set(wanted), []
    for name in wanted:
        number = 1
        while many[name] > 1 and f"{name} ({number})" in taken:
            number += 1
        found.append(f"{name} ({number})" if many[name] > 1 else name)
        taken.add(found[-1])
    return found


def _own_name(graph: ProvGraph, place: int) -> str:
    query = graph.query or {}
    uids = query.get("destinations") or query.get("roots")
    if not isinstance(uids, list | tuple) or not uids:
        return f"segment {place}"
    vertices = [graph.vertex(str(uid)) for uid in uids[:2]]
    shown = [short_uid(str(uid)) if v is None else display_name(v) for uid, v in zip(uids, vertices, strict=False)]
    named = ", ".join(shown) + (f" and {len(uids) - 2} more" if len(uids) > 2 else "")
    return named.strip() or f"segment {place}"


def _all_there(merge: "Merged", asked: Knobs) -> bool:
    """Whether vertices of their kinds have all properties that are kept."""
    pairs = zip(merge.class_kind, merge.class_kept, strict=True)
    there = {(kind.value, key) for kind, kept in pairs for key, _ in kept}
    return all((kind, key) in there for kind, keys in asked.keep.items() for key in keys)


def _missing_keys(graphs: Sequence[ProvGraph], asked: Knobs) -> list[str]:
    """A note for each property to be kept that no vertex of its kind has."""
    there: dict[str, set[str]] = {kind.value: set() for kind in Kind}
    for graph in graphs:
        for vertex in graph:
            there[vertex.kind.value].update(vertex.properties)
    notes = []
    for kind, keys in asked.keep.items():
        for key in keys:
            if there[kind] and key not in there[kind]:
                near = get_close_matches(key, sorted(there[kind]), n=3)
                hint = f"; near: {', '.join(near)}" if near else ""
                notes.append(f"no {kind.lower()} in these segments has {key!r}, so keeping it changes nothing{hint}")
    return notes


@dataclass(slots=True)
class _Answer:
    """The merge on its way to becoming a summary: names, order, counts."""

    called: list[str]
    merge: "Merged"
    found: list[Occurrence]
    spread: Spread
    stems: list[str]
    segments: Ints
    """Of each group: in how many segments it is."""
    base: Ints
    """Of each group: the number for what its vertices keep."""
    bases: list[str]
    """Of each group: its name but for its number."""
    names: list[str]
    order: Ints
    """The groups as they stand in the summary."""

    @classmethod
    def of(cls, graphs: Sequence[ProvGraph], called: list[str], merge: "Merged") -> "_Answer":
        kept = kept_classes(merge)
        found, looks = occurrences(graphs, merge, kept)
        spread = spread_of(merge)
        own = merge.group_class
        base = np.array(kept, np.int64)[own]
        bases = _bases(merge, base, looks)
        segments = np.bincount(spread.group, minlength=len(own))
        kinds = np.array([_KINDS.index(kind) for kind in merge.class_kind], np.int64)[own]
        types = np.array(merge.class_type, np.int64)[own]
        depth = flow(len(own), merge.edge_source, merge.edge_relation, merge.edge_target)
        rank = _inverse(np.lexsort((depth, base, types, -segments, kinds)))
        place = {name: number for number, name in enumerate(sorted(set(bases)))}
        alphabet = np.array([place[name] for name in bases], np.int64)
        order = np.lexsort((rank, alphabet, -segments, depth, kinds == _KINDS.index(Kind.AGENT)))
        names = numbered(bases, rank.tolist())
        return cls(called, merge, found, spread, looks.stems, segments, base, bases, names, order)

    def summary(self, asked: Knobs, notes: Sequence[str]) -> Summary:
        groups, edge_order = self._groups(), self._edge_order()
        edges = self._edges(edge_order)
        query = {"command": "summarize", "segments": list(self.called), **asked.to_json()}
        return Summary(
            groups, edges, tuple(self._scores()), tuple(self._oddities(groups, edges, edge_order)),
            len(self.merge.member_uid), MappingProxyType(query), tuple(notes),
        )  # fmt: skip

    def _groups(self) -> tuple[Group, ...]:
        ends, members, stems = self._members()
        kept = [MappingProxyType(_present(self.merge, cls)) for cls in range(len(self.merge.class_kept))]
        kinds, types, shares = self.merge.class_kind, self.merge.class_type, self._shares()
        classes, has = self.merge.group_class.tolist(), self.segments.tolist()
        found = []
        for group in self.order.tolist():
            cls, segments = classes[group], has[group]
            begin, end = ends[group], ends[group + 1]
            found.append(
                Group(
                    self.names[group], kinds[cls], kept[cls], types[cls], end - begin, segments, shares[segments],
                    members[begin:end], _examples(stems[begin:end]),
                )
            )  # fmt: skip
        return tuple(found)

    def _members(self) -> tuple[list[int], tuple[tuple[str, str], ...], tuple[str, ...]]:
        """By group (name of the segment, uid) and names of all vertices; first where each group's begin and end."""
        order = self.merge.group.argsort(kind="stable")
        places, segments = order.tolist(), self.merge.member_segment[order].tolist()
        uids = map(self.merge.member_uid.__getitem__, places)
        members = tuple(zip(map(self.called.__getitem__, segments), uids, strict=True))
        ends = pointers(self.merge.group, len(self.names)).tolist()
        return ends, members, tuple(map(self.stems.__getitem__, places))

    def _shares(self) -> list[float]:
        """The share of all segments that so many are."""
        return [count / len(self.called) for count in range(len(self.called) + 1)]

    def _edge_order(self) -> Ints:
        place, merge = _inverse(self.order), self.merge
        return np.lexsort((place[merge.edge_target], _BY_NAME[merge.edge_relation], place[merge.edge_source]))

    def _edges(self, order: Ints) -> tuple[SummaryEdge, ...]:
        merge, shares = self.merge, self._shares()
        sources, targets = (
            map(self.names.__getitem__, a[order].tolist()) for a in (merge.edge_source, merge.edge_target)
        )
        relations = map(RELATION_NAMES.__getitem__, merge.edge_relation[order].tolist())
        counts = merge.edge_segments[order].tolist()
        return tuple(map(SummaryEdge, sources, relations, targets, counts, map(shares.__getitem__, counts)))

    def _scores(self) -> list[SegmentScore]:
        between, relations = self._between()
        bits = scores(self.found, self.spread, self.base, between)
        why = self._reasons(between, relations) if any(bits) else [()] * len(bits)
        return [
            SegmentScore(name, one.vertices, one.size, score, words if score else ())
            for name, one, score, words in zip(self.called, self.found, bits, why, strict=True)
        ]

    def _between(self) -> tuple[Ints, list[Relation]]:
        """For each edge a number for its relation and what its ends keep; and what the numbers stand for."""
        merge, wide = self.merge, int(self.base.max(initial=0)) + 1
        sources, targets = self.base[merge.edge_source], self.base[merge.edge_target]
        packed = (sources * len(RELATION_NAMES) + merge.edge_relation) * wide + targets
        different, between = np.unique(packed, return_inverse=True)
        ends, target = np.divmod(different, wide)
        source, relation = np.divmod(ends, len(RELATION_NAMES))
        named = [RELATION_NAMES[code] for code in relation.tolist()]
        return between, list(zip(source.tolist(), named, target.tolist(), strict=True))

    def _reasons(self, between: Ints, relations: Sequence[Relation]) -> list[tuple[str, ...]]:
        base_names = [""] * (int(self.base.max(initial=-1)) + 1)
        for base, name in zip(self.base.tolist(), self.bases, strict=True):
            base_names[base] = name
        names = Names(base_names, self.names)
        activity = np.array([kind is Kind.ACTIVITY for kind in self.merge.class_kind], np.bool_)
        activities = frozenset(self.base[activity[self.merge.group_class]].tolist())
        return reasons(self.found, self.spread, self.base, between, relations, names, activities)

    def _oddities(self, groups: Sequence[Group], edges: Sequence[SummaryEdge], edge_order: Ints) -> Iterator[Oddity]:
        """The groups and edges that not all segments have, the rarest first."""
        everyone, spread = len(self.called), self.spread
        edge_segments = self.merge.edge_segments[edge_order].astype(np.int64)
        segments = np.concatenate((self.segments[self.order], edge_segments))
        odd = np.flatnonzero(segments < everyone)
        has = segments[odd]
        for place in odd[np.lexsort((2 * has > everyone, np.minimum(has, everyone - has)))][:_ODD].tolist():
            if place < len(groups):
                there = spread.segment[spread.group == self.order[place]]
                yield self._oddity(groups[place], there)
            else:
                there = spread.edge_segment[spread.edge == edge_order[place - len(groups)]]
                yield self._oddity(edges[place - len(groups)], there)

    def _oddity(self, one: Group | SummaryEdge, there: Ints) -> Oddity:
        without, has = 2 * one.segments > len(self.called), set(there.tolist())
        few = [name for segment, name in enumerate(self.called) if (segment in has) is not without]
        names = tuple(few[:_NAMED])
        if isinstance(one, Group):
            return Oddity("group", one.name, one.segments, one.share, without, names)
        return Oddity("edge", str(one), one.segments, one.share, without, names)


def _inverse(order: Ints) -> Ints:
    """The place of each in an order."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


def _examples(stems: tuple[str, ...]) -> tuple[str, ...]:
    if len(stems) == 1:
        return stems
    counts = Counter(stems)
    return tuple(sorted(counts, key=lambda stem: (-counts[stem], stem))[:3])


def _bases(merge: "Merged", group_base: Ints, looks: Looks) -> list[str]:
    """The name of each group but for its number."""
    unseen = np.ones(len(group_base), np.bool_)
    unseen[merge.group[~looks.unseen]] = False
    known: dict[tuple[int, bool], str] = {}
    found = []
    pairs = zip(group_base.tolist(), unseen.tolist(), strict=True)
    for cls, key in zip(merge.group_class.tolist(), pairs, strict=True):
        if key not in known:
            known[key] = base_name(merge.class_kind[cls], _present(merge, cls), key[1])
        found.append(known[key])
    return found


def _present(merge: "Merged", cls: int) -> dict[str, object]:
    return {key: value for key, value in merge.class_kept[cls] if value is not None}
