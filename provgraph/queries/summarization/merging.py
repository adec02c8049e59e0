"""The core of summarization: segments in, groups of equivalent vertices and the edges between them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from provgraph.errors import QuestionError
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import Kind
from provgraph.queries.summarization.mixing import changes, rows_once
from provgraph.queries.summarization.provenance_types import Classes, classes
from provgraph.queries.summarization.rounds import grouped
from provgraph.queries.summarization.union import Kept, Union, disjoint_union

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """A sound summary of t vertices in g groups. Vertices are ordered by (segment, uid)."""

    member_segment: Codes
    """Of each vertex of the disjoint union: the segment it is from."""
    member_uid: list[str]
    cls: Codes
    """Of each vertex: its class by kind, kept properties and provenance type. Classes are ordered by these three."""
    group: Codes
    """Of each vertex: its group. Groups are ordered by class, then by their smallest member."""
    class_kind: list[Kind]
    class_kept: list[Kept]
    """Of each class: the properties kept that its vertices have, in the order they were asked for."""
    class_type: list[int]
    """Of each class: the number of its provenance type within its kind and kept properties, from 1: the commonest."""
    group_class: Codes
    edge_source: Codes
    """The group that each edge starts at; edges are sorted by source, relation, target."""
    edge_relation: Codes
    """Places in RELATION_NAMES."""
    edge_target: Codes
    edge_segments: Codes
    """In how many segments an edge of this relation runs between members of the two groups."""
    held_edge: Codes
    """Sorted, one for each of these segments: the place of the edge,"""
    held_in: Codes
    """and the segment."""
    sources: Codes
    """Of each edge of the disjoint union: the vertex it starts at,"""
    relations: Codes
    targets: Codes


def merged(segments: Sequence[ProvGraph], keep: Mapping[str, Sequence[str]], hops: int) -> Merged:
    """The summary of segments: groups of equivalent vertices whose words are exactly those of the segments.

    Parameters:
        segments: the graphs; a vertex that several have is there several times.
        keep: by kind (entity, activity, agent) the property keys that tell vertices apart.
        hops: the radius of the provenance type.

    Raises:
        QuestionError: ``keep`` names a kind that is none, or ``hops`` is negative.
    """
    if hops < 0:
        raise QuestionError(f"hops is {hops}; it must be 0 or more (0: kind and kept properties alone)")
    union = disjoint_union(segments, keep)
    return merged_union(union, classes(union, hops))


def merged_union(union: Union, found: Classes) -> Merged:
    """The summary of a disjoint union whose classes are known."""
    group, group_class = _numbered(grouped(found.of, union.sources, union.relations, union.targets), found.of)
    source, relation, target, held_edge, held_in = _edges(union, group)
    return Merged(
        member_segment=union.segment.astype(np.int32),
        member_uid=union.uids,
        cls=found.of.astype(np.int32),
        group=group.astype(np.int32),
        class_kind=[union.base_kinds[base] for base in found.base],
        class_kept=[union.base_kept[base] for base in found.base],
        class_type=found.type,
        group_class=group_class.astype(np.int32),
        edge_source=source.astype(np.int32),
        edge_relation=relation.astype(np.int32),
        edge_target=target.astype(np.int32),
        edge_segments=np.bincount(held_edge, minlength=len(source)).astype(np.int32),
        held_edge=held_edge.astype(np.int32),
        held_in=held_in.astype(np.int32),
        sources=union.sources.astype(np.int32),
        relations=union.relations.astype(np.int32),
        targets=union.targets.astype(np.int32),
    )


def _numbered(group: npt.NDArray[np.int64], cls: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """Groups by class, then by smallest member; and the class of each."""
    _, smallest, inverse = np.unique(group, return_index=True, return_inverse=True)
    order = np.lexsort((smallest, cls[smallest]))
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    return number[inverse], cls[smallest[order]]


def _edges(union: Union, group: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """(source, relation, target) of the edges between groups, sorted; and (place of the edge, segment that has it)."""
    segment = union.segment[union.sources]
    *rows, held_in = rows_once(group[union.sources], union.relations, group[union.targets], segment)
    begins = changes(*rows)
    first = np.flatnonzero(begins)
    source, relation, target = (column[first] for column in rows)
    return source, relation, target, np.cumsum(begins) - 1, held_in
