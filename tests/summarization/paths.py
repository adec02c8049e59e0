"""Words of small graphs: what soundness is defined by, written down literally."""

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from provgraph.graph.arrays import RELATION_CODES
from provgraph.model.vocabulary import Kind
from provgraph.queries.summarization.union import Union

Edge = tuple[int, int, int]
"""(source, relation, target)."""
Part = tuple[list[int], list[Edge]]
"""A segment: the base (kind and kept properties) of each vertex, and the edges."""


def words(letters: Sequence[int], edges: Iterable[Edge], longest: int | None = None) -> set[tuple[int, ...]]:
    """The words of all directed paths: letters and relations in turn, from every vertex, of 0 edges and more."""
    out: dict[int, list[tuple[int, int]]] = {}
    for source, relation, target in edges:
        out.setdefault(source, []).append((relation, target))
    found: set[tuple[int, ...]] = set()
    ends: set[tuple[tuple[int, ...], int]] = {((letter,), v) for v, letter in enumerate(letters)}
    while ends:
        found.update(word for word, _ in ends)
        ends = {
            ((*word, relation, letters[target]), target)
            for word, v in ends
            for relation, target in out.get(v, ())
            if longest is None or len(word) < 2 * longest
        }
    return found


def invented(
    letters: Sequence[int], edges: Sequence[Edge], groups: Sequence[int], group_letters: Sequence[int]
) -> tuple[int, ...] | None:
    """A word of the summary that the graph does not have, None where there is none; paths may be endless."""
    out: dict[tuple[int, int], set[int]] = {}
    for source, relation, target in edges:
        out.setdefault((source, relation), set()).add(target)
    steps = {(groups[source], relation, groups[target]) for source, relation, target in edges}
    start = [
        (g, frozenset(v for v, own in enumerate(letters) if own == letter)) for g, letter in enumerate(group_letters)
    ]
    seen = set(start)
    todo: list[tuple[int, frozenset[int], tuple[int, ...]]] = [(g, alike, (group_letters[g],)) for g, alike in start]
    for g, alike, word in todo:
        if not alike:
            return word
        for source, relation, target in steps:
            if source == g:
                letter = group_letters[target]
                after = frozenset(w for v in alike for w in out.get((v, relation), ()) if letters[w] == letter)
                if (target, after) not in seen:
                    seen.add((target, after))
                    todo.append((target, after, (*word, relation, letter)))
    return None


def union_of(parts: Sequence[Part]) -> Union:
    """The disjoint union of segments given by their bases and edges."""
    segment: list[int] = []
    uids: list[str] = []
    base: list[int] = []
    edges: list[Edge] = []
    for number, (bases, own) in enumerate(parts):
        shift = len(base)
        segment += [number] * len(bases)
        uids += [f"{number}/{i:04}" for i in range(len(bases))]
        base += bases
        edges += [(shift + source, relation, shift + target) for source, relation, target in own]
    count = max(base, default=-1) + 1
    table = np.array(edges, np.int64).reshape(-1, 3)
    return Union(
        segment=np.array(segment, np.int64),
        uids=uids,
        base=np.array(base, np.int64),
        base_kinds=[Kind.ENTITY] * count,
        base_kept=[(("letter", i),) for i in range(count)],
        sources=table[:, 0],
        relations=table[:, 1],
        targets=table[:, 2],
    )


def random_parts(seed: int, *, acyclic: bool = True, largest: int = 9) -> list[Part]:
    """One to three random segments: few letters and relations, so that a lot can be merged."""
    rng = random.Random(seed)
    letters, relations = rng.randint(1, 4), rng.randint(1, 2)
    parts = []
    for _ in range(rng.randint(1, 3)):
        count = rng.randint(1, largest)
        layered = rng.random() < 0.5
        bases = [rng.randrange(letters) for _ in range(count)]
        if layered:
            bases.sort()
        pairs = [(i, j) for i in range(count) for j in range(count) if i < j or not acyclic]
        if layered:
            pairs = [(i, j) for i, j in pairs if bases[j] == bases[i] + 1] or pairs
        chosen = rng.sample(pairs, min(len(pairs), rng.randint(0, 2 * count)))
        parts.append((bases, [(i, rng.randrange(relations), j) for i, j in chosen]))
    return parts


def chains(*several: Sequence[int]) -> Part:
    """Paths beside each other, each given by its letters, over ``used``."""
    bases: list[int] = []
    edges: list[Edge] = []
    for letters in several:
        places = range(len(bases), len(bases) + len(letters))
        edges += [(i, RELATION_CODES["used"], j) for i, j in pairwise(places)]
        bases += letters
    return bases, edges
