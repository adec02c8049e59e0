"""Simulation: v simulates u if it has the same letter and, for each step of u, a step to what simulates its end.

The preorder is never made as a whole. ``Preorder.below`` decides the pairs that are asked for, and what these need.
"""

import numpy as np
import numpy.typing as npt

from provgraph.queries.summarization.bisimulation import refine
from provgraph.queries.summarization.mixing import changes, mixed
from provgraph.queries.summarization.quotient import Quotient, Side

_DEPTH = 4
_WORDS = 2


def traces(side: Side) -> npt.NDArray[np.uint64]:
    """For each group some bits: what simulates it has them all. Bits stand for words of up to ``_DEPTH`` steps."""
    count = len(side)
    ptr, other, key = side.begins, side.others, side.keys
    some = np.flatnonzero(ptr[1:] > ptr[:-1])
    found = np.zeros((count, _WORDS), np.uint64)
    for word in range(_WORDS):
        turn = mixed(mixed(key) + np.uint64(word))
        bit = np.uint64(1) << (turn & np.uint64(63))
        shift = (turn >> np.uint64(6)) & np.uint64(63)
        bits = found[:, word]
        for _ in range(_DEPTH if len(some) else 0):
            further = bits[other]
            further = (further << shift) | (further >> (np.uint64(63) - shift) >> np.uint64(1))
            bits[some] |= np.bitwise_or.reduceat(further | bit, ptr[some])
    return found


class Preorder:
    """Who simulates whom along the steps of one side.

    Groups whose paths end are taken from the ends upwards, and stood for by one of those that simulate each other
    (``same``), with its maximal steps alone: so pairs stay few. Other pairs are decided when they are asked for. A pair
    is taken to hold until a step of it has no witness left; where a witness falls, those who leant on it look for their
    next (the greatest fixpoint, as far as it is needed; paths need not end).
    """

    def __init__(self, side: Side, back: Side, height: list[int]) -> None:
        self.side, self.back, self.height = side, back, height
        self.bits = traces(side)
        self.traces: list[int] = self.bits[:, 0].tolist()
        for word in range(1, _WORDS):
            self.traces = [
                low | high << 64 * word for low, high in zip(self.traces, self.bits[:, word].tolist(), strict=True)
            ]
        self.holds: dict[tuple[int, int], bool] = {}
        self.leaning: dict[tuple[int, int], list[tuple[tuple[int, int], int, int, int]]] = {}
        self.todo: list[tuple[int, int]] = []
        self.steps: list[dict[int, list[int]] | None] = [None] * len(side)
        self.same = list(range(len(side)))
        self._take_upwards()

    def _take_upwards(self) -> None:
        """Find, among groups whose paths end, those that simulate each other."""
        columns = [np.array(self.side.letter, np.int64), np.array(self.height, np.int64), *self.bits.T]
        order = np.lexsort(columns)
        begins = np.append(np.flatnonzero(changes(*(column[order] for column in columns))), len(order))
        some = np.flatnonzero(np.diff(begins) > 1)
        self.alike = [order[begins[i] : begins[i + 1]].tolist() for i in some.tolist()]
        ending = [several for several in self.alike if self.height[several[0]] < len(self.side)]
        for several in sorted(ending, key=lambda several: self.height[several[0]]):
            names: dict[frozenset[tuple[int, int]], int] = {}
            for v in several:
                steps = self.steps_of(v)
                for key, options in steps.items():
                    steps[key] = self._maximal(options)
                signature = frozenset([(key, u) for key, options in steps.items() for u in options])
                self.same[v] = names.setdefault(signature, v)

    def _maximal(self, options: list[int]) -> list[int]:
        """Of groups none of which are the same, those that none other simulates; ``options`` begin with the highest."""
        maximal: list[int] = []
        for u in options:
            if not any(self.below(u, w) for w in maximal):
                maximal = [w for w in maximal if not self.below(w, u)]
                maximal.append(u)
        return maximal

    def possible(self, u: int, v: int) -> bool:
        """Whether v may simulate u, by what is known of each alone; the letters are equal."""
        return self.height[u] <= self.height[v] and not self.traces[u] & ~self.traces[v]

    def below(self, u: int, v: int) -> bool:
        """Whether v simulates u. They have the same letter."""
        pair = self.same[u], self.same[v]
        if pair[0] == pair[1]:
            return True
        if pair not in self.holds and self.possible(*pair):
            self._ask(pair)
            self._settle()
        return self.holds.get(pair, False)

    def _ask(self, pair: tuple[int, int]) -> None:
        self.holds[pair] = True
        self.todo.append(pair)

    def _settle(self) -> None:
        while self.todo:
            pair = self.todo.pop()
            if not self.holds[pair]:
                continue
            steps = self.steps_of(pair[0])
            if not all(self._lean(pair, key, u, 0) for key, several in steps.items() for u in several):
                self._fall(pair)

    def _lean(self, pair: tuple[int, int], key: int, u: int, begin: int) -> bool:
        """Find a witness for a step of a pair, from the candidate ``begin`` on; whether there is one."""
        options = self.steps_of(pair[1]).get(key, ())
        if not begin and u in options:
            return True
        for i in range(begin, len(options)):
            needed = (u, options[i])
            known = self.holds.get(needed)
            if known is None:
                if not self.possible(*needed):
                    continue
                self._ask(needed)
            elif not known:
                continue
            self.leaning.setdefault(needed, []).append((pair, key, u, i))
            return True
        return False

    def _fall(self, pair: tuple[int, int]) -> None:
        fallen = [pair]
        while fallen:
            pair = fallen.pop()
            if not self.holds[pair]:
                continue
            self.holds[pair] = False
            for other, key, u, i in self.leaning.pop(pair, ()):
                if self.holds[other] and not self._lean(other, key, u, i + 1):
                    fallen.append(other)

    def steps_of(self, v: int) -> dict[int, list[int]]:
        """By key where the steps of a group lead, each of the same once, the highest first."""
        steps = self.steps[v]
        if steps is None:
            side, same = self.side, self.same
            found: dict[int, set[int]] = {}
            for i in range(side.ptr[v], side.ptr[v + 1]):
                found.setdefault(side.key[i], set()).add(same[side.other[i]])
            steps = self.steps[v] = {
                key: sorted(several, key=lambda u: (-self.height[u], u)) for key, several in found.items()
            }
        return steps


def mutual(order: Preorder) -> list[int]:
    """The classes of mutual simulation.

    Those of groups with endless paths are those of bisimulation once steps are left out that another step of the same
    group exceeds.
    """
    side, endless = order.side, []
    classes = list(order.same)
    left_out: set[int] = set()
    first = list(range(len(side)))
    for alike in order.alike:
        if order.height[alike[0]] == len(side):
            endless.extend(alike)
            for v in alike:
                first[v] = alike[0]
                left_out.update(_exceeded(order, v))
    if endless:
        refine(side, first, classes, sorted(endless), frozenset(left_out))
    return classes


def _exceeded(order: Preorder, v: int) -> list[int]:
    """The places of those steps of a group that another one of the same key simulates, but not the other way round."""
    side = order.side
    alike: dict[int, list[int]] = {}
    for i in range(side.ptr[v], side.ptr[v + 1]):
        alike.setdefault(side.key[i], []).append(i)
    found = []
    for places in alike.values():
        for i in places:
            u = side.other[i]
            if any(order.below(u, side.other[j]) and not order.below(side.other[j], u) for j in places):
                found.append(i)
    return found


def preorders(graph: Quotient) -> tuple[Preorder, Preorder]:
    """The forward and the backward preorder of a quotient."""
    return Preorder(graph.ahead, graph.back, graph.heights), Preorder(graph.back, graph.ahead, graph.depths)
