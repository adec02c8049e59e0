"""Bisimulation: the coarsest partition whose classes agree on the letter and on the classes that each step leads to."""

from collections.abc import Sequence

import numpy as np

from provgraph.queries.summarization.mixing import mixed
from provgraph.queries.summarization.quotient import Side

_ROUNDS = 4


def bisimilar(
    side: Side, first: Sequence[int], height: Sequence[int], left_out: frozenset[int] = frozenset()
) -> list[int]:
    """The coarsest stable partition finer than ``first``, as a class for each group.

    ``left_out``: places of edges that do not count.
    Cost: one pass for the groups whose paths all end; for the others refinement, where a group is looked at again when
    one it leads to was split off. Groups that a few rounds of colours tell from all others are not looked at.
    """
    apart, alike = _alone(side, first, left_out)
    classes = list(apart)
    names: dict[object, int] = {}
    count = len(side)
    for v in sorted((v for v in alike if height[v] < count), key=height.__getitem__):
        classes[v] = names.setdefault((apart[v], _signature(side, classes, v, left_out)), count + len(names))
    endless = [v for v in alike if height[v] == count]
    if endless:
        refine(side, apart, classes, endless, left_out)
    return classes


def _alone(side: Side, first: Sequence[int], left_out: frozenset[int]) -> tuple[list[int], list[int]]:
    """A partition that the one sought is finer than, numbered from 0 on; and the groups that share a class in it."""
    key, other, ptr = side.keys, side.others, side.begins
    if left_out:
        counts = np.ones(len(key), np.bool_)
        counts[list(left_out)] = False
        key, other = key[counts], other[counts]
        ptr = np.concatenate(([0], np.cumsum(counts)))[ptr]
    some = np.flatnonzero(ptr[1:] > ptr[:-1])
    own = colours = mixed(np.array(first, np.int64))
    mark = mixed(key)
    for _ in range(_ROUNDS if len(some) else 0):
        steps = mixed(mark ^ colours[other])
        # What is least and most of a set does not tell how often something is in it: classes are sets.
        least = np.minimum.reduceat(steps, ptr[some])
        most = np.maximum.reduceat(steps, ptr[some])
        colours = own.copy()
        colours[some] = mixed(own[some] + mixed(least) + mixed(mixed(most)))
    # ``first`` again, as equal colours prove nothing.
    order = np.lexsort((colours, np.array(first, np.int64)))
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (colours[order][1:] != colours[order][:-1]) | (np.diff(np.array(first, np.int64)[order]) != 0)
    number = np.cumsum(begins) - 1
    apart = np.empty(len(order), np.int64)
    apart[order] = number
    shared = np.bincount(number)[apart] > 1
    return apart.tolist(), np.flatnonzero(shared).tolist()


def _signature(side: Side, classes: list[int], v: int, left_out: frozenset[int]) -> frozenset[tuple[int, int]]:
    begin, end = side.ptr[v], side.ptr[v + 1]
    if left_out:
        return frozenset((side.key[i], classes[side.other[i]]) for i in range(begin, end) if i not in left_out)
    return frozenset([(side.key[i], classes[side.other[i]]) for i in range(begin, end)])


def refine(
    side: Side, first: Sequence[int], classes: list[int], endless: list[int], left_out: frozenset[int] = frozenset()
) -> None:
    """Give the groups ``endless`` their classes: split those of ``first`` until they are stable.

    The classes of all other groups stand. The largest part of what is split keeps its number, and those who lead to it
    are left in peace.
    """
    count = max(classes, default=0) + 1
    names: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    into: dict[int, list[int]] = {}
    for v in endless:
        classes[v] = names.setdefault(first[v], count + len(names))
        members.setdefault(classes[v], []).append(v)
        for i in range(side.ptr[v], side.ptr[v + 1]):
            into.setdefault(side.other[i], []).append(v)
    count += len(names)
    signature: dict[int, frozenset[tuple[int, int]]] = {}
    again = endless
    while again:
        for v in again:
            signature[v] = _signature(side, classes, v, left_out)
        moved: list[int] = []
        for old in sorted({classes[v] for v in again}):
            parts: dict[frozenset[tuple[int, int]], list[int]] = {}
            for v in members[old]:
                parts.setdefault(signature[v], []).append(v)
            if len(parts) == 1:
                continue
            members[old], *others = sorted(parts.values(), key=len, reverse=True)
            for part in others:
                members[count] = part
                for v in part:
                    classes[v] = count
                moved.extend(part)
                count += 1
        again = sorted({u for v in moved for u in into.get(v, ())})
