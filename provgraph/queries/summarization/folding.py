"""The third kind of round: a group goes into a maximal one that simulates it forwards and backwards.

Taken all at once with any choice of the maximal ones, such merges can invent words. (Letters 1 to 4; x1 → r2 → y3,
y2 → r3 → x4, a2 → b3, where indices are letters: a2 may go into r2 and b3 into r3, and then 1 2 3 4 is a word.) They
are sound where one preorder keeps step with them: let f map each group to where it goes. If for every edge a → b some
step of the same relation from f(a) leads to a d that simulates f(b) forwards, then any path of the summary is a word
of the graph, read forwards from f of its beginning; likewise backwards. A round takes as many merges as keep to that in
one direction; only where neither direction has any left it takes one merge alone, which is sound wherever paths end.
"""

from collections.abc import Iterator

import numpy as np

from provgraph.queries.summarization.mixing import changes, expanded, rows_once
from provgraph.queries.summarization.simulation import Preorder
from provgraph.queries.summarization.union import Ints

_PAIRS = 1 << 20
"""How many pairs are looked at in one go."""
_SMALL = 4
"""Fewer than two to the power of so many are looked at one by one."""


def folded(ahead: Preorder, back: Preorder) -> list[int] | None:
    """Where each group goes (most stay: they go to themselves); None where none can go anywhere."""
    above = exceeding(ahead, back)
    if not above:
        return None
    tried = [_in_step(order, above) for order in (ahead, back)]
    best = max(tried, key=lambda to: sum(v != w for v, w in enumerate(to)))
    if any(v != w for v, w in enumerate(best)):
        return best
    return _alone(ahead, back, above)


def exceeding(ahead: Preorder, back: Preorder) -> dict[int, list[int]]:
    """For each group that has any: the maximal groups that simulate it both ways."""
    above: dict[int, list[int]] = {}
    for u, v in _possible(ahead, back):
        if ahead.below(u, v) and back.below(u, v):
            above.setdefault(u, []).append(v)
    maximal = {u: [v for v in above[u] if v not in above] for u in sorted(above)}
    return {
        u: sorted(several, key=lambda v: (-ahead.height[v], -back.height[v], v))
        for u, several in maximal.items()
        if several
    }


def _possible(ahead: Preorder, back: Preorder) -> Iterator[tuple[int, int]]:
    """The pairs of different groups of one letter that what is known of each alone does not rule out."""
    bits = np.concatenate((back.bits, ahead.bits), axis=1)
    depth = np.array(back.height, np.int64)
    for groups, pool, begin, end in _as_deep(depth, *_sharing(ahead, back)):
        cost = np.cumsum(end - begin)
        first = 0
        while first < len(groups):
            before = cost[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(cost, before + _PAIRS, side="right")))
            run, place = expanded(begin[first:last], end[first:last])
            one, two = groups[first:last][run], pool[place]
            fits = (depth[one] <= depth[two]) & (one != two)
            for word in range(bits.shape[1]):
                one, two = one[fits], two[fits]
                fits = (bits[one, word] & ~bits[two, word]) == 0
            yield from zip(one[fits].tolist(), two[fits].tolist(), strict=True)
            first = last


def _as_deep(
    depth: Ints, groups: Ints, pool: Ints, start: Ints, begin: Ints, end: Ints
) -> Iterator[tuple[Ints, Ints, Ints, Ints]]:
    """What ``_sharing`` finds, less most of what is less deep than the group, in several tables.

    The first few of a run are made up of one block for each power of two in their number; in a block sorted by depth
    the deep ones come first.
    """
    count, place, wide = end - begin, np.arange(len(pool)) - start, len(depth) + 1
    for level in range(_SMALL, int(count.max(initial=0)).bit_length()):
        asked = np.flatnonzero((count >> level) & 1)
        if len(asked):
            shallow = (start + (place >> level << level)) * wide + wide - depth[pool]
            order = np.argsort(shallow, kind="stable")
            first = begin[asked] + (count[asked] >> level + 1 << level + 1)
            last = np.searchsorted(shallow[order], first * wide + wide - depth[groups[asked]], side="right")
            yield groups[asked], pool[order], first, last
    yield groups, pool, begin + (count >> _SMALL << _SMALL), end


def _sharing(ahead: Preorder, back: Preorder) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """(groups, pool, start, begin, end): what may exceed groups[i] is in pool[begin[i]:end[i]]; others nothing exceeds.

    The pool consists of runs; that of pool[j] starts at start[j]. Ranges are the first few of a run.

    What exceeds a group has its letter, the keys of all its steps, of which the rarest is looked at, and no smaller
    height on either side.
    """
    count, letter = len(ahead.side), np.array(ahead.side.letter, np.int64)
    owners, keys = [np.arange(count)], [np.zeros(count, np.int64)]
    for sign, side in enumerate((ahead.side, back.side)):
        owners.append(np.repeat(np.arange(count), np.diff(side.begins)))
        keys.append(side.keys * 2 + sign + 1)
    owner = np.concatenate(owners)
    shared, key, pool = rows_once(letter[owner], np.concatenate(keys), owner)
    run = np.cumsum(changes(shared, key)) - 1
    height, depth = np.array(ahead.height, np.int64)[pool], np.array(back.height, np.int64)[pool]
    order = np.lexsort((pool, -depth, -height, run))
    pool, run, height, depth = pool[order], run[order], height[order], depth[order]
    size = np.bincount(run)[run]
    rarest = np.zeros(count, np.int64)
    rarer = np.argsort(-size, kind="stable")
    # Of several assignments to one place the last stays: the smallest run.
    rarest[pool[rarer]] = rarer
    # The deepest so far of each run; the runs are set apart by an offset.
    deepest = np.maximum.accumulate(depth + run * (count + 2))
    exceeded = np.zeros(len(pool), np.bool_)
    exceeded[1:] = deepest[:-1] >= depth[1:] + run[1:] * (count + 2)
    exceeded[:-1] |= ~changes(run, height, depth)[1:]
    groups = np.flatnonzero(exceeded[rarest])
    places = rarest[groups]
    tie = changes(run, height)
    ends = np.append(np.flatnonzero(tie), len(pool))[np.cumsum(tie)]
    begins = np.flatnonzero(changes(run))[run]
    return groups, pool, begins, begins[places], ends[places]


def _in_step(order: Preorder, above: dict[int, list[int]]) -> list[int]:
    """As many merges as keep step with one preorder, decided from where its steps come from on."""
    to = list(range(len(order.side)))
    for u in sorted(above, key=lambda v: (-order.height[v], v)):
        for v in above[u]:
            if _keeps_step(order, to, u, v):
                to[u] = v
                break
    return to


def _keeps_step(order: Preorder, to: list[int], u: int, v: int) -> bool:
    """Whether u may go into v, as things stand."""
    side, back = order.side, order.back
    for i in range(back.ptr[u], back.ptr[u + 1]):
        a = back.other[i]
        if not _covered(order, v if a == u else to[a], back.key[i] // back.letters, v):
            return False
    for i in range(side.ptr[u], side.ptr[u + 1]):
        c = side.other[i]
        if not _covered(order, v, side.key[i] // side.letters, v if c == u else to[c]):
            return False
    return True


def _covered(order: Preorder, v: int, relation: int, w: int) -> bool:
    """Whether a step of v with this relation leads to what simulates w."""
    options = order.steps_of(v).get(relation * order.side.letters + order.side.letter[w], ())
    return w in options or any(order.below(w, other) for other in options)


def _alone(ahead: Preorder, back: Preorder, above: dict[int, list[int]]) -> list[int] | None:
    """One merge, between groups on no endless path."""
    count = len(ahead.side)
    for u, several in above.items():
        for v in several:
            if ahead.height[v] < count and back.height[v] < count:
                to = list(range(count))
                to[u] = v
                return to
    return None
