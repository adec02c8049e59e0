"""A graph of groups: what the rounds of merging work on."""

from functools import cached_property

import numpy as np

from provgraph.queries.summarization.levels import longest
from provgraph.queries.summarization.mixing import pointers, rows_once
from provgraph.queries.summarization.union import Ints


class Quotient:
    """Groups 0 to n - 1, each with its letter (the class of its members), and the different edges between them."""

    def __init__(self, letter: Ints, sources: Ints, relations: Ints, targets: Ints) -> None:
        self.letter, self.sources, self.relations, self.targets = letter, sources, relations, targets

    @cached_property
    def ahead(self) -> "Side":
        """The edges seen from their sources."""
        return Side(self, backwards=False)

    @cached_property
    def back(self) -> "Side":
        """The edges seen from their targets."""
        return Side(self, backwards=True)

    @cached_property
    def heights(self) -> list[int]:
        """How many edges the longest path from each group has, as ``heights`` says."""
        return heights(self.ahead, self.back)

    @cached_property
    def depths(self) -> list[int]:
        """The same for the longest path to each group."""
        return heights(self.back, self.ahead)

    def merged(self, part: Ints, *, bisimilar: bool = False) -> "Quotient":
        """The quotient by a partition: ``part`` says for each group which new one it belongs to.

        ``bisimilar``: those that belong together are, in one direction, so the paths to and from a new group are as
        long as those of its members, and what is known of them need not be found again.
        """
        letter = np.zeros(int(part.max(initial=-1)) + 1, np.int64)
        letter[part] = self.letter
        graph = Quotient(letter, *different(part[self.sources], self.relations, part[self.targets]))
        if bisimilar and "heights" in vars(self):
            graph.heights = _highest(self.heights, part, len(letter))
        if bisimilar and "depths" in vars(self):
            graph.depths = _highest(self.depths, part, len(letter))
        return graph


def _highest(height: list[int], part: Ints, count: int) -> list[int]:
    """The greatest height of the members of each of ``count`` new groups; ``count`` where paths never end."""
    known = np.array(height, np.int64)
    found = np.zeros(count, np.int64)
    np.maximum.at(found, part, known)
    found[found == len(height)] = count
    return found.tolist()


def different(sources: Ints, relations: Ints, targets: Ints) -> tuple[Ints, Ints, Ints]:
    """Each edge once, sorted."""
    found = rows_once(sources, relations, targets)
    return found[0], found[1], found[2]


class Side:
    """The edges of a quotient seen from one end: forwards from their sources, backwards from their targets.

    The steps from group v stand in ptr[v] to ptr[v + 1] - 1: ``other``, and ``key``, which tells relation and letter of
    the other end (relation × ``letters`` + letter); sorted by key.
    """

    __slots__ = ("begins", "key", "keys", "letter", "letters", "other", "others", "ptr")

    letter: list[int]
    letters: int
    ptr: list[int]
    other: list[int]
    key: list[int]
    begins: Ints
    others: Ints
    keys: Ints
    """``ptr``, ``other`` and ``key`` as arrays."""

    def __init__(self, graph: Quotient, *, backwards: bool) -> None:
        here, there = (graph.targets, graph.sources) if backwards else (graph.sources, graph.targets)
        self.letters = int(graph.letter.max(initial=0)) + 1
        # Edges are different, so are these rows.
        here, self.keys, self.others = rows_once(here, graph.relations * self.letters + graph.letter[there], there)
        self.begins = pointers(here, len(graph.letter))
        self.letter = graph.letter.tolist()
        self.ptr, self.other, self.key = self.begins.tolist(), self.others.tolist(), self.keys.tolist()

    def __len__(self) -> int:
        """The number of groups."""
        return len(self.letter)

    def steps(self, place: int) -> dict[int, list[int]]:
        """The other ends of a group's edges by key."""
        found: dict[int, list[int]] = {}
        for i in range(self.ptr[place], self.ptr[place + 1]):
            found.setdefault(self.key[i], []).append(self.other[i])
        return found


def heights(here: Side, back: Side) -> list[int]:
    """How many edges the longest path from each group has; the number of groups where paths never end."""
    found = longest(np.diff(here.begins), back.begins, back.others)
    height: list[int] = np.where(found < 0, len(here), found).tolist()
    return height
