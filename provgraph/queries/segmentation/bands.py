"""Sets of lengths that fall to pieces, as bits of big integers: what ``kernels.spread`` gives up on.

Skips of 1, 8, 64 and 512 in a deep chain give lengths that agree modulo 7, thousands of intervals a vertex. A set is
a band of lengths at a time, as wide as memory allows for as many vertices as hold a set at once.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

MEMORY_BITS: Final = 256 * 8 * 2**20
_NARROWEST: Final = 64


class Reach(NamedTuple):
    """What a destination reaches, numbered anew: the destination is 0, every vertex before what is behind it."""

    members: list[int]
    following: list[list[int]]
    """For each, what it depends on, once each."""
    height: list[int]
    goal: list[bool]


def reach(
    ptr: Sequence[int],
    other: Sequence[int],
    order: Sequence[int],
    rank: int,
    goal: Sequence[int],
    height: Sequence[int],
) -> Reach:
    """What the vertex at place ``rank`` of ``order`` reaches; ``order`` and ``height`` from ``kernels.descend``."""
    number = {order[rank]: 0}
    members: list[int] = []
    following: list[list[int]] = []
    waiting = 1
    while waiting:
        v = order[rank]
        rank -= 1
        if v not in number:
            continue
        waiting -= 1
        targets = set(other[ptr[v] : ptr[v + 1]])
        waiting += sum(w not in number for w in targets)
        number.update((w, -1) for w in targets if w not in number)
        number[v] = len(members)
        members.append(v)
        following.append(sorted(targets))
    return Reach(
        members,
        [[number[w] for w in targets] for targets in following],
        [height[v] for v in members],
        [bool(goal[v]) for v in members],
    )


def found_by_bits(reach: Reach, known: Sequence[int], memory_bits: int = MEMORY_BITS) -> Iterator[int]:
    """The members on a walk from the destination as long as one that ends in a source, of those not ``known``.

    Cost: two passes over the edges for each band, a shift of the band an edge.
    """
    depth = reach.height[0]
    width = max(_NARROWEST, min(depth + 1, memory_bits // _at_once(reach)))
    goals = 0
    for v, begin, lengths in lengths_in_bands(reach, depth, width):
        if reach.goal[v]:
            goals |= lengths << begin
    test = Test(goals, depth)
    found: set[int] = set()
    for v, begin, lengths in lengths_in_bands(reach, goals.bit_length() - 1, width):
        place = reach.members[v]
        if place not in found and not known[place] and test.holds(begin, lengths, reach.height[v]):
            found.add(place)
    yield from sorted(found)


def _at_once(reach: Reach) -> int:
    """How many vertices hold a set at the same time, at most."""
    held = most = 1
    seen = bytearray(len(reach.members))
    for targets in reach.following:
        for w in targets:
            held += not seen[w]
            seen[w] = 1
        most = max(most, held)
        held -= 1
    return most


def lengths_in_bands(reach: Reach, longest: int, width: int) -> Iterator[tuple[int, int, int]]:
    """(vertex, begin of the band, the lengths of walks to it in the band, as bits), vertices in order band by band."""
    size = len(reach.members)
    before = bytearray(size)
    for begin in range(0, longest + 1, width):
        mask = (1 << width) - 1
        sets: dict[int, int] = {0: 1} if begin == 0 else {}
        carried, before = before, bytearray(size)
        for v, targets in enumerate(reach.following):
            lengths = sets.pop(v, 0)
            if lengths:
                yield v, begin, lengths
                before[v] = lengths >> (width - 1)
            moved = (lengths << 1 | carried[v]) & mask
            if moved:
                for w in targets:
                    sets[w] = sets.get(w, 0) | moved


class Test:
    """Whether one of some lengths, and no more than ``height`` behind it, make the length of a walk to a source."""

    def __init__(self, goals: int, depth: int) -> None:
        self._goals = goals
        self._next = [depth * 2 + 2] * (depth + 2)
        text = bin(goals)[:1:-1]
        for length in range(len(text) - 1, -1, -1):
            self._next[length] = length if text[length] == "1" else self._next[length + 1]
        self._height, self._reachable = -1, 0

    def holds(self, begin: int, lengths: int, height: int) -> bool:
        """The first and the last length decide for most; for the others, every length at once."""
        first = begin + (lengths & -lengths).bit_length() - 1
        last = begin + lengths.bit_length() - 1
        if self._next[first] <= first + height or self._next[last] <= last + height:
            return True
        return bool(lengths << begin & self._within(height))

    def chosen(self, lengths: int, height: int) -> tuple[int, int] | None:
        """(one of ``lengths``, the least goal from it on) at most ``height`` apart; None where none are."""
        fitting = lengths & self._within(height)
        if not fitting:
            return None
        length = (fitting & -fitting).bit_length() - 1
        return length, self._next[length]

    def _within(self, height: int) -> int:
        """The lengths with a goal at most ``height`` further, by doubling."""
        if height != self._height:
            reachable, covered = self._goals, 1
            while covered <= height:
                step = min(covered, height + 1 - covered)
                reachable |= reachable >> step
                covered += step
            self._height, self._reachable = height, reachable
        return self._reachable
