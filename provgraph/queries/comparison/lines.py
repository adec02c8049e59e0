"""What two sequences have in common, in bounded time: lines of texts, rows of tables, words.

Lines that occur once on each side are anchors (patience diff, Bram Cohen); what lies between two anchors is looked at
in the same way, and what has no anchor goes to difflib as long as the budget lasts, for difflib's worst case is cubic.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher

BUDGET = 4_000_000
"""Pairs of lines that difflib may look at, all stretches together."""
STRETCH = 250_000
"""Pairs of lines in one stretch."""
CONTEXT = 3

Span = tuple[int, int]
Step = tuple[bool, Span, Span]
"""(equal, stretch of the first, stretch of the second)."""


def steps(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[Step]:
    """The way from one sequence to another: equal stretches, and stretches that stand for each other.

    Cost: O(n log n) and at most ``BUDGET`` for difflib; where that is used up, a stretch counts as replaced.
    """
    numbers: dict[Hashable, int] = {}
    a = [numbers.setdefault(item, len(numbers)) for item in first]
    b = [numbers.setdefault(item, len(numbers)) for item in second]
    return _joined(_matches(a, b), len(a), len(b))


def _joined(matches: list[tuple[int, int, int]], a_end: int, b_end: int) -> list[Step]:
    """Matching blocks (place, place, length) and what lies between them."""
    found: list[Step] = []
    i = j = 0
    for place, other, length in [*sorted(matches), (a_end, b_end, 0)]:
        if i < place or j < other:
            found.append((False, (i, place), (j, other)))
        i, j = place + length, other + length
        if length:
            last = found[-1] if found else None
            if last is not None and last[0]:  # two blocks that touch are one
                found[-1] = (True, (last[1][0], i), (last[2][0], j))
            else:
                found.append((True, (place, i), (other, j)))
    return found


def _matches(a: list[int], b: list[int]) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    budget = BUDGET
    stack = [(0, len(a), 0, len(b))]
    while stack:
        low, high, down, up = stack.pop()
        start = low
        while low < high and down < up and a[low] == b[down]:
            low, down = low + 1, down + 1
        if low > start:
            found.append((start, down - (low - start), low - start))
        end = high
        while low < high and down < up and a[high - 1] == b[up - 1]:
            high, up = high - 1, up - 1
        if end > high:
            found.append((high, up, end - high))
        if low == high or down == up:
            continue
        anchors = _anchors(a, b, low, high, down, up)
        if anchors:
            for place, other in anchors:
                stack.append((low, place, down, other))
                low, down = place, other
            stack.append((low, high, down, up))
            continue
        size = (high - low) * (up - down)
        if size <= min(budget, STRETCH):
            budget -= size
            matcher = SequenceMatcher(None, a[low:high], b[down:up], autojunk=False)
            found += [(low + m.a, down + m.b, m.size) for m in matcher.get_matching_blocks() if m.size]
    return found


def _anchors(a: list[int], b: list[int], low: int, high: int, down: int, up: int) -> list[Span]:
    """The longest rising row of places of items that occur once in each stretch."""
    here, there = Counter(a[low:high]), Counter(b[down:up])
    places = {b[j]: j for j in range(down, up) if there[b[j]] == 1}
    pairs = [(i, places[a[i]]) for i in range(low, high) if here[a[i]] == 1 and a[i] in places]
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        rank = bisect_left(tops, j)
        before.append(ends[rank - 1] if rank else -1)
        if rank == len(tops):
            tops.append(j)
            ends.append(number)
        else:
            tops[rank], ends[rank] = j, number
    row: list[Span] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        row.append(pairs[at])
        at = before[at]
    return row[::-1]


def unified(first: Sequence[str], second: Sequence[str], most: int) -> tuple[list[str], int, int, int]:
    """A unified diff: its lines from the first hunk on (``most`` of them), lines added, removed, and left out."""
    way = steps(first, second)
    added = sum(b[1] - b[0] for equal, _, b in way if not equal)
    removed = sum(a[1] - a[0] for equal, a, _ in way if not equal)
    lines: list[str] = []
    count = 0
    for hunk in _hunks(way):
        for line in _hunk_lines(hunk, first, second):
            count += 1
            if count <= most:
                lines.append(line)
    return lines, added, removed, count - len(lines)


def _hunks(way: Sequence[Step]) -> Iterator[list[Step]]:
    """Changes with what surrounds them; two that are near each other are in one hunk."""
    hunk: list[Step] = []
    for place, (equal, a, b) in enumerate(way):
        if not equal:
            hunk.append((equal, a, b))
            continue
        length = a[1] - a[0]
        head = CONTEXT if place else 0
        tail = CONTEXT if place < len(way) - 1 else 0
        if length <= head + tail and hunk and tail:
            hunk.append((equal, a, b))
            continue
        if hunk:
            cut = min(head, length)
            hunk.append((True, (a[0], a[0] + cut), (b[0], b[0] + cut)))
            yield hunk
            hunk = []
        cut = min(tail, length)
        if cut:
            hunk = [(True, (a[1] - cut, a[1]), (b[1] - cut, b[1]))]
    if any(not equal for equal, _, _ in hunk):
        yield hunk


def _hunk_lines(hunk: list[Step], first: Sequence[str], second: Sequence[str]) -> Iterator[str]:
    yield f"@@ -{_range(hunk[0][1][0], hunk[-1][1][1])} +{_range(hunk[0][2][0], hunk[-1][2][1])} @@"
    for equal, a, b in hunk:
        yield from ((" " if equal else "-") + line for line in first[a[0] : a[1]])
        if not equal:
            yield from ("+" + line for line in second[b[0] : b[1]])


def _range(start: int, end: int) -> str:
    """As ``diff -u`` counts: an empty stretch is named by the line before it."""
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
