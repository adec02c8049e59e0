"""Balls that are the same by the names in them: segments of one history share most of theirs, and some are alike.

A *name* is a number that no two vertices of a segment share. The *identity* of a vertex is its name and base, in such a
way that segments agree on how two identities that both have are joined. Then balls with the same members by identity,
around the same root, are isomorphic: no need to cut them out. That holds whatever the names; good ones find more.
"""

import numpy as np

from provgraph.queries.summarization.mixing import changes, mixed, ones
from provgraph.queries.summarization.neighbours import Neighbours, refined
from provgraph.queries.summarization.quotient import Quotient, different
from provgraph.queries.summarization.union import Ints, Union

_ROUNDS = 8
"""How often colours are refined at most."""


def stand_ins(union: Union, near: Neighbours, hops: int) -> Ints:
    """For each vertex one, the same for several only if their balls are isomorphic; itself if none is found.

    Cost: linear in vertices and edges, for each hop, and for each round of colours.
    """
    numbers: dict[str, int] = {}
    uids = np.fromiter((numbers.setdefault(uid, len(numbers)) for uid in union.uids), np.int64, len(union))
    found = _same(union, near, hops, uids)
    if hops > 1:
        # A ball of one hop is small but for a hub's; one of two may be all of the segment.
        found = _same(union, near, hops, _by_colour(union, near))[found]
    return _twins(union, near, found)


def _by_colour(union: Union, near: Neighbours) -> Ints:
    """Names that isomorphic segments share: refined colours, and numbers for those of one colour.

    The longest paths from and to a vertex tell at once what would take as many rounds.
    """
    graph = Quotient(union.base, *different(union.sources, union.relations, union.targets))
    paths = [mixed(np.array(lengths, np.int64)) for lengths in (graph.heights, graph.depths)]
    colours, count = mixed(mixed(mixed(union.base) ^ paths[0]) + paths[1]), 0
    for _ in range(_ROUNDS):
        colours = refined(colours, near, 1)[-1]
        before, count = count, len(np.unique(colours))
        if count in (before, len(union)):
            break
    code = np.unique(colours, return_inverse=True)[1]
    order = np.lexsort((code, union.segment))
    begins = changes(union.segment[order], code[order])
    ordinal = np.empty(len(order), np.int64)
    ordinal[order] = np.arange(len(order)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    return np.asarray(code * (int(ordinal.max(initial=0)) + 1) + ordinal, np.int64)


def _same(union: Union, near: Neighbours, hops: int, names: Ints) -> Ints:
    """For each vertex the first one with its ball by these names."""
    identity = _identities(union, near, names)
    if int(identity.max(initial=-1)) + 1 == len(union):
        return np.arange(len(union))
    return _first_with(_members(identity, near, hops))


def _identities(union: Union, near: Neighbours, names: Ints) -> Ints:
    """A number for each identity. What segments disagree on is another vertex in each."""
    order = np.lexsort((union.base, names))
    identity = np.empty(len(order), np.int64)
    identity[order] = np.cumsum(changes(names[order], union.base[order])) - 1
    count = int(identity.max(initial=-1)) + 1
    if count == len(union):
        return identity
    here = np.repeat(identity, np.diff(near.ptr))
    other = identity[near.other]
    once = here <= other
    here, other, label = here[once], other[once], near.label[once]
    order = np.lexsort((label, other, here))
    here, other, label = here[order], other[order], label[order]
    first = np.flatnonzero(changes(here, other))
    times = np.diff(np.append(first, len(here)))
    torn = times != _together(union, identity, here[first], other[first])
    torn |= label[first] != label[first + times - 1]
    apart = np.zeros(count, np.bool_)
    apart[here[first[torn]]] = True
    own = apart[identity]
    identity[own] = count + np.arange(int(own.sum()))
    return identity


def _together(union: Union, identity: Ints, one: Ints, two: Ints) -> Ints:
    """In how many segments both of two identities are."""
    found = np.zeros(len(one), np.int64)
    for begin in range(0, int(union.segment[-1]) + 1, 64):
        some = slice(*np.searchsorted(union.segment, (begin, begin + 64)))
        bits = np.zeros(int(identity.max()) + 1, np.uint64)
        np.bitwise_or.at(bits, identity[some], np.uint64(1) << (union.segment[some] - begin).astype(np.uint64))
        found += ones(bits[one] & bits[two])
    return found


def _members(identity: Ints, near: Neighbours, hops: int) -> Ints:
    """A number for each vertex: equal only if the balls have equal roots and equal members.

    Equal numbers of one round more are equal numbers of the vertex and of its neighbours: nothing is left to chance.
    """
    ptr = near.ptr.tolist()
    here = np.repeat(np.arange(len(identity)), np.diff(near.ptr))
    numbers = identity
    for _ in range(hops):
        around = numbers[near.other]
        rows = around[np.lexsort((around, here))].astype(np.int32).tobytes()
        seen: dict[tuple[int, bytes], int] = {}
        own = numbers.tolist()
        keys = ((own[v], rows[4 * ptr[v] : 4 * ptr[v + 1]]) for v in range(len(own)))
        numbers = np.fromiter((seen.setdefault(key, len(seen)) for key in keys), np.int64, len(own))
    return numbers


def _first_with(numbers: Ints) -> Ints:
    """For each vertex the first one with its number."""
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    return first[inverse]


def _twins(union: Union, near: Neighbours, found: Ints) -> Ints:
    """The same, where of vertices with one base and the very same neighbours, too, the first stands for all."""
    ptr, base = near.ptr.tolist(), union.base.tolist()
    others, labels = near.other.tobytes(), near.label.tobytes()
    seen: dict[tuple[int, bytes, bytes], int] = {}
    first = np.arange(len(found))
    for v in np.flatnonzero(found == first).tolist():
        begin, end = 8 * ptr[v], 8 * ptr[v + 1]
        first[v] = seen.setdefault((base[v], others[begin:end], labels[begin:end]), v)
    return first[found]
