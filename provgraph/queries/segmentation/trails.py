"""Single walks over an adjacency, for explanations: plain searches, an edge at a time."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from provgraph.graph.arrays import Adjacency

Trail = tuple[list[int], list[int]]
"""The vertices and the edges of one walk, by position; an edge less than vertices."""


class Edges:
    """The edges of an adjacency, vertex by vertex."""

    def __init__(self, adjacency: Adjacency) -> None:
        self._ptr, self._other, self._edge = adjacency

    def of(self, vertex: int) -> list[tuple[int, int]]:
        """(vertex at the other end, edge) of each."""
        begin, end = self._ptr[vertex], self._ptr[vertex + 1]
        return list(zip(self._other[begin:end].tolist(), self._edge[begin:end].tolist(), strict=True))

    def reach(self, starts: Iterable[int]) -> dict[int, tuple[int, int] | None]:
        """All that walks from ``starts`` reach, breadth first: from where, over which edge (None: a start)."""
        came: dict[int, tuple[int, int] | None] = dict.fromkeys(starts)
        ahead = deque(came)
        while ahead:
            v = ahead.popleft()
            for w, edge in self.of(v):
                if w not in came:
                    came[w] = (v, edge)
                    ahead.append(w)
        return came

    def shortest(self, starts: Sequence[int], ends: set[int]) -> Trail:
        """One shortest walk from ``starts`` to ``ends``. There must be one."""
        came: dict[int, tuple[int, int] | None] = dict.fromkeys(starts)
        ahead = deque(came)
        while ahead:
            v = ahead.popleft()
            if v in ends:
                return back(came, v)
            for w, edge in self.of(v):
                if w not in came:
                    came[w] = (v, edge)
                    ahead.append(w)
        raise AssertionError(starts)  # whoever asks knows that there is one

    def within(self, starts: Sequence[int], end: int, activity: Any, limit: int) -> Trail | None:
        """A walk from ``starts`` to ``end`` that passes at most ``limit`` activities, the start among them, or None."""
        came: dict[int, tuple[int, int] | None] = dict.fromkeys(starts)
        here = [start for start in starts if not activity[start]]
        beyond = [start for start in starts if activity[start]]
        for level in range(limit + 1):
            while here and end not in came:
                v = here.pop()
                for w, edge in self.of(v):
                    if w not in came and (not activity[w] or level < limit):
                        came[w] = (v, edge)
                        (beyond if activity[w] else here).append(w)
            if end in came:
                return back(came, end)
            if not beyond:
                break
            here, beyond = beyond, []
        return None


def back(came: dict[int, tuple[int, int] | None], end: int) -> Trail:
    """The walk that led to ``end``."""
    vertices, edges = [end], []
    while (step := came[vertices[-1]]) is not None:
        vertices.append(step[0])
        edges.append(step[1])
    return vertices[::-1], edges[::-1]
