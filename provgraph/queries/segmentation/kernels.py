"""The walks of the operator, each written once: compiled over arrays, or plain Python over lists (``engine`` decides).

All buffers come from the caller. ``ptr`` and ``other`` are the ancestry adjacency: what a vertex v depends on stands in
``other[ptr[v]]`` to ``other[ptr[v + 1] - 1]``. Nothing is recursive, and nothing goes level by level: a life cycle of a
million vertices is 300,000 deep.
"""

# Types are left out: they would be those of lists here and of arrays there.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, C901, PLR0912, PLR0915, PLR1730

FAR = 1 << 30
"""A distance or length that no walk has."""
WIDEST = 64
"""Intervals at most in a vertex's set of lengths; with more, bits are cheaper (``bands``)."""
DONE, FULL, WIDE, HARD = 0, 1, 2, 3
"""What ``spread`` and ``pair`` return: finished; the caller must make room and call again; a set fell to pieces; there
are more steps than the caller wanted."""
_TOGETHER = 64
"""Pairs of edges of a pair of vertices up to which both take their step together."""


def descend(ptr, other, starts, state, order, stack, cursor, height, near):
    """Depth first from ``starts``: every vertex that they reach into ``order``, each behind all that it depends on.

    Parameters:
        state: 0s; becomes 2 for what is reached.
        stack, cursor: room for the deepest walk.
        height: 0s; becomes the length of the longest walk from a vertex.
        near: FAR, of a source 0; becomes the length of the shortest walk to a source.

    Returns: how many vertices are reached; or where the walk comes back to a vertex on the stack, -1 - (the stack's
    top). The edge behind ``cursor`` of the top closes the cycle.

    Cost: linear in the edges of what is reached.
    """
    count = 0
    for start in starts:
        if state[start] == 2:
            continue
        top = 0
        stack[0] = start
        cursor[0] = ptr[start]
        state[start] = 1
        while top >= 0:
            v = stack[top]
            at = cursor[top]
            end = ptr[v + 1]
            tall = height[v]
            close = near[v]
            status = 2
            while at < end:
                w = other[at]
                status = state[w]
                if status != 2:
                    break
                at += 1
                if height[w] >= tall:
                    tall = height[w] + 1
                if near[w] < close - 1:
                    close = near[w] + 1
            height[v] = tall
            near[v] = close
            cursor[top] = at
            if at == end:
                state[v] = 2
                order[count] = v
                count += 1
                top -= 1
            elif status == 0:
                top += 1
                stack[top] = w
                cursor[top] = ptr[w]
                state[w] = 1
            else:
                return -1 - top
    return count


def spread(ptr, other, order, goal, count, first, room, low, high, ends, merged_low, merged_high, progress):
    """The lengths of walks from a destination to each vertex, as sorted disjoint intervals (operators.md: D).

    Kinds alternate, so the lengths to one vertex are all even or all odd: an interval [low, high] stands for every
    second length. Those of v are ``count[v]`` in the pool ``low``, ``high`` from ``first[v]``, with ``room[v]`` there.

    Parameters:
        order: from ``descend``. count: 0s but for the destination.
        ends: 0s, one more than the longest length and its next; counts the sources' intervals that begin at a length
            (+) or ended before it (-), which is G.
        merged_low, merged_high: room for 2 x WIDEST intervals.
        progress: [place in ``order`` to go on from, downwards; used of the pool; vertices reached but not done]

    Returns: DONE; FULL: a larger pool is needed, then call again; WIDE: a vertex has more than WIDEST intervals.

    Cost: linear in the edges, times the intervals of a vertex (1.0 to 1.6 in the mean of a life cycle).
    """
    rank = progress[0]
    used = progress[1]
    waiting = progress[2]
    while waiting > 0:
        v = order[rank]
        n = count[v]
        if n == 0:
            rank -= 1
            continue
        f = first[v]
        for at in range(ptr[v], ptr[v + 1]):
            w = other[at]
            m = count[w]
            g = first[w]
            if m == 1 and n == 1:
                a = low[f] + 1
                b = high[f] + 1
                if a <= high[g] + 2 and b >= low[g] - 2:
                    if a < low[g]:
                        low[g] = a
                    if b > high[g]:
                        high[g] = b
                    continue
            i = 0
            j = 0
            k = 0
            while i < n or j < m:
                if j >= m or (i < n and low[f + i] + 1 <= low[g + j]):
                    a = low[f + i] + 1
                    b = high[f + i] + 1
                    i += 1
                else:
                    a = low[g + j]
                    b = high[g + j]
                    j += 1
                if k > 0 and a <= merged_high[k - 1] + 2:
                    if b > merged_high[k - 1]:
                        merged_high[k - 1] = b
                else:
                    merged_low[k] = a
                    merged_high[k] = b
                    k += 1
            if k > WIDEST:
                return WIDE
            if m == 0 or k > room[w]:
                space = k + 1 if m == 0 else 2 * k
                if used + space > len(low):
                    progress[0] = rank
                    progress[1] = used
                    progress[2] = waiting
                    return FULL
                if m == 0:
                    waiting += 1
                g = used
                first[w] = g
                room[w] = space
                used += space
            for i in range(k):
                low[g + i] = merged_low[i]
                high[g + i] = merged_high[i]
            count[w] = k
        if goal[v] == 1:
            for i in range(f, f + n):
                ends[low[i]] += 1
                ends[high[i] + 2] -= 1
        waiting -= 1
        rank -= 1
    progress[0] = rank
    return DONE


def collect(order, begin, end, count, first, low, high, height, ends, following, found):
    """Mark what lies on a walk from the destination as long as one that ends in a source; leave ``count`` as 0s.

    v does where p + q is such a length, for a p in D(v) and some 0 <= q <= height(v): walks have all their beginnings.
    In an interval of D(v) the least next length decides, unless nothing leads on from v and p and G differ in parity.

    Parameters:
        order: of it, the places from ``begin`` down to ``end``, left out. following: room as in ``ends``.
    """
    running = 0
    following[len(ends) - 1] = FAR
    for length in range(0, len(ends) - 1, 2):
        running += ends[length]
        following[length] = length if running > 0 else FAR
        following[length + 1] = FAR
    for length in range(len(ends) - 2, -1, -1):
        if following[length] == FAR:
            following[length] = following[length + 1]
    for rank in range(begin, end, -1):
        v = order[rank]
        n = count[v]
        if n == 0:
            continue
        count[v] = 0
        if found[v] == 1:
            continue
        tall = height[v]
        f = first[v]
        for i in range(f, f + n):
            if following[low[i]] <= high[i] + tall and (tall > 0 or low[i] % 2 == 0):
                found[v] = 1
                break


def narrow(ptr, other, order, known, height, worth):
    """``height`` into ``worth``; but -2 where all that a vertex reaches is ``known``: no pair needs to go there.

    What is known are the direct vertices, and whatever leads to one of them is one: so a pair whose usefulness matters
    (its v is not known) never has a known one behind it.
    """
    for v in order:
        worth[v] = -2
        if known[v] == 0:
            worth[v] = height[v]
            continue
        for at in range(ptr[v], ptr[v + 1]):
            if worth[other[at]] >= 0:
                worth[v] = height[v]
                break


def pair(ptr, other, letter, goal, near, height, sign, starts, old, table, frames, progress, most, found):
    """Mark what lies on a walk that has the word of one that ends in a source, where words have letters.

    Walks of one word are walked together, as pairs (v, x): v on any of them, x on one that can end in a source. A pair
    is useful if x is a source or a pair behind it, of equal letters, is useful; then v is found. Of a vertex with
    itself that is known (it is direct), so there the walk begins, and nothing else depends on the destination.
    Where v and x have many edges, first v alone takes a step and then x: many times many becomes many and many.

    Parameters:
        ptr, other: the adjacency without parallel edges, the edges of a vertex by the letter of their other end.
        height: as ``narrow`` gives it. letter: of each vertex.
        sign: a bit for each letter (two may share one) that is behind a vertex.
        starts: the direct vertices.
        old: the table of the call before that was too small, else empty. table: 0s, its length a power of 2; of every
            pair met, four times its number, 2 more if v is a step ahead, and 1 more if it is useful.
        frames: seven rows twice as long as the deepest walk: v, x, places among their edges, where equal letters begin,
            whether useful, whether v is a step ahead.
        progress: [next of ``starts``; top of the stack, -1 empty; pairs in the table; steps taken], 64 bits
        most: steps after which to stop; 0 is no limit.

    Returns: DONE; FULL: call again with a larger table; HARD: call again with another ``most``.

    Cost: the edges of v and x, for each pair met.
    """
    vertices = len(ptr) - 1
    mask = len(table) - 1
    for entry in old:
        if entry != 0:
            slot = ((entry >> 1) * 0x1E3779B97F4A7C15 >> 20) & mask
            while table[slot] != 0:
                slot = (slot + 1) & mask
            table[slot] = entry
    left, right, at_left, at_right, begin, useful, ahead = frames
    top = progress[1]
    pairs = progress[2]
    steps = progress[3]
    for place in range(progress[0], len(starts)):
        if top < 0:
            top = 0
            left[0] = starts[place]
            right[0] = starts[place]
            at_left[0] = ptr[starts[place]]
            at_right[0] = -1
            begin[0] = at_left[0]
            useful[0] = 0
            ahead[0] = 0
        while top >= 0:
            full = pairs * 8 > mask * 5
            if full or 0 < most < steps:
                progress[0] = place
                progress[1] = top
                progress[2] = pairs
                progress[3] = steps
                return FULL if full else HARD
            v = left[top]
            x = right[top]
            i = at_left[top]
            j = at_right[top]
            last = ptr[x + 1]
            moved = ahead[top] == 1
            stop = 1 if moved else ptr[v + 1]
            apart = not moved and (stop - ptr[v]) * (last - ptr[x]) > _TOGETHER
            deeper = False
            while i < stop:
                w = v if moved else other[i]
                if j < 0:
                    j = begin[top]
                    while j < last and letter[other[j]] < letter[w]:
                        j += 1
                    begin[top] = j
                while j < last and letter[other[j]] == letter[w]:
                    steps += 1
                    if apart:
                        y = x
                        j = last
                        if height[w] < near[x] - 1:
                            continue
                        key = (w * vertices + x) * 2 + 1
                    else:
                        y = other[j]
                        j += 1
                        if height[w] < near[y]:
                            continue
                        if w == y:
                            useful[top] = 1
                            continue
                        if goal[y] == 0 and sign[w] & sign[y] == 0:
                            continue
                        key = (w * vertices + y) * 2
                    slot = (key * 0x1E3779B97F4A7C15 >> 20) & mask
                    while table[slot] != 0 and table[slot] >> 1 != key:
                        slot = (slot + 1) & mask
                    if table[slot] != 0:
                        useful[top] |= table[slot] & 1
                        continue
                    table[slot] = key << 1
                    pairs += 1
                    deeper = True
                    break
                if deeper:
                    break
                i += 1
                j = -1
            if deeper:
                at_left[top] = i
                at_right[top] = j
                top += 1
                left[top] = w
                right[top] = y
                at_right[top] = -1
                begin[top] = ptr[y]
                if apart:
                    at_left[top] = 0
                    useful[top] = 0
                    ahead[top] = 1
                else:
                    at_left[top] = ptr[w]
                    useful[top] = goal[y]
                    ahead[top] = 0
                continue
            top -= 1
            if top >= 0 and useful[top + 1] == 1:
                useful[top] = 1
                key = (v * vertices + x) * 2
                if moved:
                    key += 1
                else:
                    found[v] = 1
                slot = (key * 0x1E3779B97F4A7C15 >> 20) & mask
                while table[slot] >> 1 != key:
                    slot = (slot + 1) & mask
                table[slot] = key << 1 | 1
    progress[2] = pairs
    progress[3] = steps
    return DONE


def within(ptr, other, activity, starts, limit, passed, here, beyond):
    """Everything that walks from ``starts`` reach passing at most ``limit`` activities, one they start from included.

    Parameters:
        activity: 1 for an activity. passed: -1s; becomes how many a walk to the vertex must pass.
        here, beyond: room for all vertices.
    """
    size = 0
    ahead = 0
    for start in starts:
        if passed[start] < 0:
            passed[start] = activity[start]
            if activity[start] == 0:
                here[size] = start
                size += 1
            else:
                beyond[ahead] = start
                ahead += 1
    level = 0
    while size > 0 or ahead > 0:
        while size > 0:
            size -= 1
            v = here[size]
            for at in range(ptr[v], ptr[v + 1]):
                w = other[at]
                if passed[w] >= 0:
                    continue
                if activity[w] == 0:
                    passed[w] = level
                    here[size] = w
                    size += 1
                elif level < limit:
                    passed[w] = level + 1
                    beyond[ahead] = w
                    ahead += 1
        level += 1
        if level > limit:
            break
        here, beyond = beyond, here
        size = ahead
        ahead = 0
