"""How unusual each segment is.

A *feature* is one thing in which segments may differ, with a value for each segment that has it at all:

- of all vertices that keep the same, which groups they are in, and how many in each;
- of all edges between two such, which edges of the summary;
- of each file, which of its snapshots were used (those with the same bytes count as one);
- of each command (what its activities keep), the arguments of each option, the operands, each ``param_*`` that is not
  one of these, the exit status, and who ran it;
- who took part at all.

The *surprise* of a segment in a feature is the information of its value, −log₂ of the share of segments with the same
value, less the mean information of all; less than half a bit is none. So whoever goes with the most is not surprising,
and what is different in every segment (a seed, each model's own snapshot) surprises nobody. The *score* is the sum of
surprises, in bits, less that of the least surprising segment: 0 says that a segment goes with the others. Identical
segments score the same. The one of ten that differs from the others in one feature has 2.85 bits for that.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import Final

import numpy as np

from provgraph.queries.summarization.mixing import changes
from provgraph.queries.summarization.occurrence import Feature, Longs, Occurrence, Spread

Values = list[Hashable | None]
"""A feature's value for each segment; None where the feature says nothing of it."""
LEAST: Final = 0.5
"""Bits. One of three that differs from the others has 0.67, four of ten that do have 0.35."""


def surprises(values: Values) -> list[float]:
    """The surprise of each segment in one feature, bits."""
    counts = Counter(value for value in values if value is not None)
    total = sum(counts.values())
    if len(counts) < 2:
        return [0.0] * len(values)
    information = {value: math.log2(total / count) for value, count in counts.items()}
    mean = math.fsum(counts[value] / total * bits for value, bits in information.items())
    bits = {value: more if (more := known - mean) >= LEAST else 0.0 for value, known in information.items()}
    return [0.0 if value is None else bits[value] for value in values]


def scores(found: Sequence[Occurrence], spread: Spread, group_class: Longs, between: Longs) -> list[float]:
    """The score of each segment. Cost: linear in what the segments have.

    Parameters:
        group_class: the number for what its vertices keep, for each group.
        between: a number for the relation and the two such of its ends, for each edge of the summary.
    """
    rows: list[list[float]] = [[] for _ in found]
    for values in features(found, spread, group_class, between):
        for row, surprise in zip(rows, surprises(values), strict=True):
            row.append(surprise)
    sums = [math.fsum(row) for row in rows]
    return [round(total - min(sums), 3) for total in sums]


def features(found: Sequence[Occurrence], spread: Spread, group_class: Longs, between: Longs) -> Iterator[Values]:
    """All features, in a fixed order; parameters as for `scores`."""
    yield from _parted(group_class[spread.group], spread.segment, len(found), spread.group, spread.vertices)
    yield from _parted(between[spread.edge], spread.edge_segment, len(found), spread.edge)
    for _, values in particulars(found):
        yield values


def _parted(about: Longs, segment: Longs, count: int, *contents: Longs) -> Iterator[Values]:
    """For each thing that rows are about: the rows of each of ``count`` segments, as bytes.

    Rows are sorted by segment, then by their contents, so equal rows are equal bytes.
    """
    order = np.lexsort((segment, about))
    about, segment = about[order], segment[order]
    table = np.stack([column[order] for column in contents], axis=1)
    begins = np.flatnonzero(changes(about, segment))
    ends = np.append(begins, len(order))[1:]
    whole, width = table.tobytes(), table.itemsize * table.shape[1]
    own: dict[int, Values] = {}
    for which, place, begin, end in zip(
        about[begins].tolist(), segment[begins].tolist(), begins.tolist(), ends.tolist(), strict=True
    ):
        if which not in own:
            own[which] = [b""] * count
        own[which][place] = whole[begin * width : end * width]
    yield from own.values()


def particulars(found: Sequence[Occurrence]) -> Iterator[tuple[Feature, Values]]:
    """The features of snapshots, options, operands, parameters, exit status and people, by feature."""
    has: dict[Feature, list[tuple[int, frozenset[str]]]] = {}
    for segment, one in enumerate(found):
        for key, texts in one.particulars.items():
            has.setdefault(key, []).append((segment, frozenset(texts)))
    nothing: dict[int, Values] = {}
    for key in sorted(has):
        cls = key[1]
        if cls not in nothing:
            nothing[cls] = [frozenset() if cls < 0 or cls in one.classes else None for one in found]
        values = list(nothing[cls])
        for segment, own in has[key]:
            values[segment] = own
        yield key, values
