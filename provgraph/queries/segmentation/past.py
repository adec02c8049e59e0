"""What destinations reach by ancestry walks, and which of it is on walks like those that end in a source."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from provgraph.errors import InputError, QuestionError
from provgraph.queries.segmentation.bands import found_by_bits, reach
from provgraph.queries.segmentation.engine import Engine, engine_for, faster
from provgraph.queries.segmentation.kernels import DONE, FAR, FULL, HARD, WIDE, WIDEST
from provgraph.queries.segmentation.words import Lettered, lettered

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
_NAMED: Final = 8
_FIRST_TABLE: Final = 1 << 16


@dataclass
class Past:
    """What some vertices reach. All is by position, and in the engine's form but for ``adjacency`` and ``starts``."""

    engine: Engine
    adjacency: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]
    ptr: Any
    other: Any
    goal: Any
    """1 for a source."""
    state: Any
    """2 for what is reached."""
    order: Any
    """What is reached, each behind all that it depends on; ``reached`` of them."""
    reached: int
    height: Any
    """The length of the longest walk from a vertex."""
    near: Any
    """The length of the shortest walk to a source; FAR where none leads to one."""
    starts: Places
    engine_asked_for: bool = False
    """Whether no other engine may take over."""
    _lists: "tuple[list[int], list[int], list[int], list[int], list[int]] | None" = field(default=None, repr=False)

    @property
    def vertices(self) -> int:
        """The number of vertices of the graph."""
        return len(self.ptr) - 1

    def reached_mask(self) -> Mask:
        """What is reached."""
        reached: Mask = np.asarray(self.state) == 2
        return reached

    def direct(self) -> Mask:
        """What is on a walk from a start to a source."""
        direct: Mask = self.reached_mask() & (np.asarray(self.near) < FAR)
        return direct

    def ranks(self) -> list[tuple[int, int]]:
        """(start, its place in ``order``) of each start that reaches a source."""
        starts = [start for start in self.starts.tolist() if self.near[start] < FAR]
        if len(self.starts) == 1:
            return [(start, self.reached - 1) for start in starts]
        rank = np.empty(self.vertices, np.int64)
        rank[np.asarray(self.order[: self.reached])] = np.arange(self.reached)
        return [(start, int(rank[start])) for start in starts]

    def lists(self) -> tuple[list[int], list[int], list[int], list[int], list[int]]:
        """``ptr``, ``other``, ``order``, ``goal`` and ``height`` as lists."""
        if self._lists is None:
            parts = (self.ptr, self.other, self.order[: self.reached], self.goal, self.height)
            ptr, other, order, goal, height = (np.asarray(part).tolist() for part in parts)
            self._lists = ptr, other, order, goal, height
        return self._lists


def past_of(
    ptr: npt.NDArray[np.int64],
    other: npt.NDArray[np.int32],
    starts: Places,
    goal: Mask,
    uids_at: Callable[[Places], list[str]],
    engine: Engine | None = None,
) -> Past:
    """What ``starts`` reach over an ancestry adjacency; ``goal``: the sources.

    Raises:
        InputError: the walk comes back to where it was; the vertices are named by ``uids_at``.
    """
    asked_for = engine is not None
    engine = engine or engine_for(len(other) * max(1, len(starts)))
    size = len(ptr) - 1
    past = Past(
        engine=engine,
        adjacency=(ptr, other),
        ptr=engine.given(ptr),
        other=engine.given(other),
        goal=engine.given(goal.astype(np.int32)),
        state=engine.zeros(size),
        order=engine.zeros(size),
        reached=0,
        height=engine.zeros(size),
        near=engine.owned(np.where(goal, 0, FAR).astype(np.int32)),
        starts=np.unique(starts).astype(np.int64),
        engine_asked_for=asked_for,
    )
    stack, cursor = engine.zeros(size), engine.zeros(size)
    past.reached = engine.descend(
        past.ptr, past.other, engine.given(past.starts), past.state, past.order, stack, cursor, past.height, past.near,
    )  # fmt: skip
    if past.reached < 0:
        top = -1 - past.reached
        walk = np.asarray(stack[: top + 1], np.int64)
        begin = int(np.flatnonzero(walk == past.other[cursor[top]])[0])
        raise InputError(_cycle(uids_at(walk[begin:])))
    return past


def _cycle(uids: list[str]) -> str:
    first = min(range(len(uids)), key=uids.__getitem__)
    uids = uids[first:] + uids[:first]
    shown = uids if len(uids) <= _NAMED else [*uids[: _NAMED - 1], f"… {len(uids) - _NAMED + 1} more …"]
    return (
        f"the graph has a cycle, and nothing comes from itself: {' → '.join([*shown, uids[0]])}; "
        "take one of these edges out of the graph, or exclude it"
    )


def similar_by_lengths(past: Past, known: Mask, widest_bits: int | None = None) -> Mask:
    """``known`` and every vertex on a walk from a start as long as a walk from the same start to a source.

    ``widest_bits``: memory for sets as bits, for tests; they are then used for every start.
    """
    found = past.engine.owned(known.astype(np.int32))
    lengths = Lengths(past)
    for start, rank in past.ranks():
        spread = lengths.spread(start, rank) if widest_bits is None else None
        if spread is not None:
            lengths.collect(rank, *spread, found)
        else:
            ptr, other, order, goal, height = past.lists()
            reached = reach(ptr, other, order, rank, goal, height)
            more = () if widest_bits is None else (widest_bits,)
            for position in found_by_bits(reached, found, *more):
                found[position] = 1
    return _mask(found)


class Lengths:
    """The buffers of ``spread``, used for one start after the other."""

    def __init__(self, past: Past) -> None:
        engine, size = past.engine, past.vertices
        self._past = past
        self._count, self._first, self._room = engine.zeros(size), engine.zeros(size), engine.zeros(size)
        self._low, self._high = engine.zeros(2 * past.reached + 4 * WIDEST), engine.zeros(2 * past.reached + 4 * WIDEST)
        self._merged = engine.zeros(2 * WIDEST), engine.zeros(2 * WIDEST)

    def spread(self, start: int, rank: int) -> tuple[Any, int] | None:
        """Find the lengths of walks from ``start``; None where they fall to pieces.

        Returns: the sources' lengths as ``spread`` counts them, and the place in ``order`` that is reached no more.
        """
        past, engine = self._past, self._past.engine
        ends, progress = engine.zeros(past.height[start] + 4), engine.zeros(3)
        progress[0], progress[1], progress[2] = rank, 1, 1
        self._count[start], self._first[start], self._room[start] = 1, 0, 1
        self._low[0] = self._high[0] = 0
        status = FULL
        while status == FULL:
            status = engine.spread(
                past.ptr, past.other, past.order, past.goal, self._count, self._first, self._room, self._low,
                self._high, ends, *self._merged, progress,
            )  # fmt: skip
            if status == FULL:
                self._low, self._high = self._larger(self._low), self._larger(self._high)
        if status == WIDE:
            self._count = engine.zeros(past.vertices)
            return None
        return ends, int(progress[0])

    def intervals(self, position: int) -> list[tuple[int, int]]:
        """The lengths of walks to a vertex, after ``spread``."""
        first = int(self._first[position])
        places = range(first, first + int(self._count[position]))
        return [(int(self._low[place]), int(self._high[place])) for place in places]

    def collect(self, rank: int, ends: Any, end: int, found: Any) -> None:
        """After ``spread``: mark what is on a similar walk, and forget the lengths."""
        past = self._past
        following = past.engine.zeros(len(ends))
        past.engine.collect(
            past.order, rank, end, self._count, self._first, self._low, self._high, past.height, ends, following, found
        )

    def _larger(self, buffer: Any) -> Any:
        return self._past.engine.owned(np.concatenate((np.asarray(buffer, np.int32), np.zeros(len(buffer), np.int32))))


def similar_by_words(past: Past, known: Mask, letter: npt.NDArray[np.int32]) -> Mask:
    """``known``, the direct vertices, and every vertex on a walk of the same word as one to a source.

    Parameters:
        letter: of each vertex; see ``words.letters``.

    Raises:
        QuestionError: so many pairs of walks agree that there is no memory for them.
    """
    sorted_ = lettered(*past.adjacency, letter, past.reached_mask())
    found = _pair(past, past.engine, sorted_, known, letter)
    if found is None:
        found = _pair(past, faster(), sorted_, known, letter)
    assert found is not None
    return found


def _pair(past: Past, engine: Engine, sorted_: Lettered, known: Mask, letter: npt.NDArray[np.int32]) -> Mask | None:
    """The same with one engine; None where it takes long and a faster one is to be had."""
    goal, near, height = past.goal, past.near, past.height
    if engine is not past.engine:
        goal = engine.given(np.asarray(goal, np.int32))
        near, height = (engine.owned(np.asarray(part, np.int32)) for part in (near, height))
    order = engine.given(np.asarray(past.order[: past.reached], np.int32))
    deepest = 2 * max(past.height[start] for start in past.starts.tolist()) + 4
    frames = tuple(engine.zeros(deepest) for _ in range(7))
    progress = engine.owned(np.array([0, -1, 0, 0], np.int64))
    places, found = engine.given(np.flatnonzero(known)), engine.owned(known.astype(np.int32))
    ptr, other, sign, letters = [engine.given(part) for part in (*sorted_, letter)]
    worth = engine.zeros(past.vertices)
    engine.narrow(ptr, other, order, found, height, worth)
    old, table, most = _table(engine, 0), _table(engine, _FIRST_TABLE), engine.most_steps
    while True:
        status = engine.pair(
            ptr, other, letters, goal, near, worth, sign, places, old, table, frames, progress, most, found
        )
        if status == DONE:
            return _mask(found)
        if status == HARD:
            if not past.engine_asked_for and faster() is not engine:
                return None
            old, most = _table(engine, 0), 0
        elif progress[2] >= engine.most_pairs:
            raise QuestionError(_too_many(int(progress[2])))
        else:
            old, table = table, _table(engine, 4 * len(table))


def _mask(found: Any) -> Mask:
    mask: Mask = np.asarray(found) == 1
    return mask


def _table(engine: Engine, size: int) -> Any:
    return engine.owned(np.zeros(size, np.int64))


def _too_many(pairs: int) -> str:
    return (
        f"match: more than {pairs:,} pairs of vertices are alike so far, too many to compare; give match more keys "
        "(a stricter likeness), exclude more, or leave match out"
    )


def ancestry(
    ptr: npt.NDArray[np.int64], other: npt.NDArray[np.int32], edge: npt.NDArray[np.int32], allowed: Mask
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """An adjacency without the edges that are not ``allowed``; the same where all are."""
    kept = allowed[edge]
    if kept.all():
        return ptr, other
    before = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(kept, out=before[1:])
    return before[ptr], other[kept]


def reached_within(
    engine: Engine, ptr: Any, other: Any, activity: Any, starts: Iterable[int], limit: int
) -> Sequence[int]:
    """For each vertex how many activities a walk from ``starts`` must pass, -1 where that is more than ``limit``."""
    size = len(ptr) - 1
    passed = engine.owned(np.full(size, -1, np.int32))
    places = engine.given(np.unique(np.fromiter(starts, np.int64)))
    limit = min(limit, size)  # compiled, it is a number of 64 bits
    engine.within(ptr, other, activity, places, limit, passed, engine.zeros(size), engine.zeros(size))
    result: Sequence[int] = passed
    return result
