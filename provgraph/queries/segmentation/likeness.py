"""Two walks of the same word: one over a vertex, and the one to a source that it is like."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from provgraph.graph.arrays import Adjacency
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import ANCESTRY
from provgraph.queries.segmentation.bands import Test, lengths_in_bands, reach
from provgraph.queries.segmentation.engine import Engine
from provgraph.queries.segmentation.kernels import FAR
from provgraph.queries.segmentation.past import Lengths, Past, past_of
from provgraph.queries.segmentation.trails import Edges, Trail
from provgraph.queries.segmentation.words import keys_of, letters

Pair = tuple[int, int]
_Has = Callable[[int, int], bool]


def alike(
    graph: ProvGraph,
    position: int,
    sources: Sequence[int],
    destinations: Sequence[int],
    match: Mapping[str, Sequence[str]],
    engine: Engine | None,
) -> tuple[Trail, Trail]:
    """A walk from a destination over ``position``, and one of the same word to a source. There must be such walks."""
    adjacency: Adjacency = graph.arrays.adjacency(ANCESTRY)
    goal = np.zeros(graph.arrays.vertex_count, np.bool_)
    goal[list(sources)] = True
    past = past_of(adjacency.ptr, adjacency.other, np.array(destinations, np.int64), goal, graph.uids_at, engine)
    letter = letters(graph, keys_of(match), past.reached_mask()) if match else None
    finder = _Finder(graph, past, sources, position)
    return finder.by_lengths() if letter is None else finder.by_words(letter.tolist())


class _Finder:
    def __init__(self, graph: ProvGraph, past: Past, sources: Sequence[int], position: int) -> None:
        self.past, self.sources, self.position = past, sources, position
        self.ahead = Edges(graph.arrays.adjacency(ANCESTRY))
        self.behind = Edges(graph.arrays.adjacency(ANCESTRY, reverse=True))
        self.before = self.behind.reach([position])
        """What the vertex came to be part of: the beginnings of walks over it."""

    def by_lengths(self) -> tuple[Trail, Trail]:
        """Walks of one length."""
        for start, rank in self.past.ranks():
            if start not in self.before:
                continue
            lengths = Lengths(self.past)
            spread = lengths.spread(start, rank)
            chosen, has = self._of_intervals(lengths, spread[0]) if spread else self._of_bits(rank)
            if chosen is None:
                continue
            length, whole = chosen
            end = min(source for source in self.sources if has(source, whole))
            begin, rest = self._to(self.position, length, has), self._from(self.position, whole - length)
            return (begin[0] + rest[0][1:], begin[1] + rest[1]), self._to(end, whole, has)
        raise AssertionError(self.position)  # only asked of similar vertices

    def _of_intervals(self, lengths: Lengths, ends: Any) -> tuple[Pair | None, _Has]:
        """(length of a walk to the vertex, length of one to a source) that fit, and whether a vertex has a length."""
        following = [FAR] * (len(ends) + 1)
        totals = np.cumsum(np.asarray(ends)[::2]).tolist()
        for length in range(len(ends) - 1, -1, -1):
            even = length % 2 == 0
            following[length] = length if even and totals[length // 2] > 0 else following[length + 1]
        tall = int(self.past.height[self.position])
        chosen = None
        for low, high in lengths.intervals(self.position):
            whole = following[low]
            if whole <= high + tall and (tall > 0 or low % 2 == 0):
                length = max(low, whole - tall)
                chosen = length + (length - low) % 2, whole
                break

        def has(vertex: int, length: int) -> bool:
            found = lengths.intervals(vertex)
            return any(low <= length <= high and (length - low) % 2 == 0 for low, high in found)

        return chosen, has

    def _of_bits(self, rank: int) -> tuple[Pair | None, _Has]:
        """The same for sets that fell to pieces: all kept, as bits of one integer a vertex."""
        ptr, other, order, goal, height = self.past.lists()
        reached = reach(ptr, other, order, rank, goal, height)
        depth = reached.height[0]
        sets = {reached.members[v]: bits for v, _, bits in lengths_in_bands(reached, depth, depth + 1)}
        goals = 0
        for source in self.sources:
            goals |= sets.get(source, 0)
        chosen = Test(goals, depth).chosen(sets.get(self.position, 0), int(self.past.height[self.position]))
        return chosen, lambda vertex, length: length >= 0 and bool(sets.get(vertex, 0) >> length & 1)

    def _to(self, vertex: int, length: int, has: _Has) -> Trail:
        """A walk of this length from the start to a vertex."""
        vertices, edges = [vertex], []
        for left in range(length - 1, -1, -1):
            step = next(step for step in self.behind.of(vertices[-1]) if has(step[0], left))
            vertices.append(step[0])
            edges.append(step[1])
        return vertices[::-1], edges[::-1]

    def _from(self, vertex: int, length: int) -> Trail:
        """A walk of this length on from a vertex."""
        vertices, edges = [vertex], []
        for left in range(length - 1, -1, -1):
            step = next(step for step in self.ahead.of(vertices[-1]) if self.past.height[step[0]] >= left)
            vertices.append(step[0])
            edges.append(step[1])
        return vertices, edges

    def by_words(self, letter: list[int]) -> tuple[Trail, Trail]:
        """Walks of one word: pairs of vertices, first to the vertex, then on to a source."""
        ends, dead = set(self.sources), set[Pair]()
        starts = [(start, start) for start in self.past.starts.tolist() if start in self.before]
        came: dict[Pair, tuple[Pair, Pair] | None] = dict.fromkeys(starts)
        ahead = list(came)
        while ahead:
            pair = ahead.pop()
            if pair[0] == self.position and pair not in dead:
                rest = self._to_source(pair, letter, ends, dead)
                if rest is not None:
                    return _joined(came, rest, pair)
            for next_, edges in self._steps(pair, letter):
                if next_ not in came and next_[0] in self.before:
                    came[next_] = (pair, edges)
                    ahead.append(next_)
        raise AssertionError(self.position)  # only asked of similar vertices

    def _steps(self, pair: Pair, letter: list[int]) -> list[tuple[Pair, Pair]]:
        near, height = self.past.near, self.past.height
        return [
            ((w, y), (edge, model))
            for w, edge in self.ahead.of(pair[0])
            for y, model in self.ahead.of(pair[1])
            if letter[w] == letter[y] and height[w] >= near[y]
        ]

    def _to_source(
        self, start: Pair, letter: list[int], ends: set[int], dead: set[Pair]
    ) -> list[tuple[Pair, Pair | None]] | None:
        """On from a pair until its second is a source: (pair, edges that led there), the start first."""
        came: dict[Pair, tuple[Pair, Pair] | None] = {start: None}
        ahead = [start]
        while ahead:
            pair = ahead.pop()
            if pair[1] in ends:
                return _steps_to(came, pair)
            for next_, edges in self._steps(pair, letter):
                if next_ not in came and next_ not in dead:
                    came[next_] = (pair, edges)
                    ahead.append(next_)
        dead.update(came)
        return None


def _steps_to(came: dict[Pair, tuple[Pair, Pair] | None], end: Pair) -> list[tuple[Pair, Pair | None]]:
    steps: list[tuple[Pair, Pair | None]] = []
    at: Pair | None = end
    while at is not None:
        step = came[at]
        steps.append((at, None if step is None else step[1]))
        at = None if step is None else step[0]
    return steps[::-1]


def _joined(
    came: dict[Pair, tuple[Pair, Pair] | None], rest: list[tuple[Pair, Pair | None]], middle: Pair
) -> tuple[Trail, Trail]:
    steps = _steps_to(came, middle) + rest[1:]
    through, model = (
        ([pair[side] for pair, _ in steps], [edges[side] for _, edges in steps if edges is not None]) for side in (0, 1)
    )
    return through, model
