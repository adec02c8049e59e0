"""Segments that share uids: what is the same by its uids stands for each other, and no more than that."""

import random
from dataclasses import replace

import numpy as np
import pytest
from summarization.paths import Part, random_parts, union_of

from provgraph.graph.arrays import RELATION_CODES
from provgraph.queries.summarization.mixing import ones, rows_once
from provgraph.queries.summarization.neighbours import neighbours
from provgraph.queries.summarization.overlapping import stand_ins
from provgraph.queries.summarization.provenance_types import classes
from provgraph.queries.summarization.union import Union

USED, DERIVED = RELATION_CODES["used"], RELATION_CODES["wasDerivedFrom"]
ENTITY, ACTIVITY = 0, 1


def sharing(parts: list[Part], uids: list[list[str]]) -> Union:
    return replace(union_of(parts), uids=[uid for several in uids for uid in several])


def cut(seed: int, count: int) -> tuple[list[Part], list[list[str]]]:
    """Induced parts of one graph, sorted by uid; now and then one in which an edge or a base is another."""
    chance = random.Random(seed)
    [(bases, edges), *_] = random_parts(seed, acyclic=seed % 2 > 0, largest=14)
    parts, uids = [], []
    for _ in range(count):
        kept = [v for v in range(len(bases)) if chance.random() < 0.85]
        new = {v: i for i, v in enumerate(kept)}
        own = [(new[a], r, new[b]) for a, r, b in edges if a in new and b in new]
        if own and chance.random() < 0.3:
            own.remove(chance.choice(own))
        letters = [bases[v] for v in kept]
        if letters and chance.random() < 0.2:
            letters[chance.randrange(len(letters))] ^= 1
        parts.append((letters, own))
        uids.append([f"{v:03}" for v in kept])
    return parts, uids


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_classes_do_not_depend_on_which_uids_are_shared(hops: int):
    for seed in range(80):
        parts, uids = cut(seed, 4)
        apart, shared = union_of(parts), sharing(parts, uids)
        one, two = classes(apart, hops), classes(shared, hops)
        assert (one.base, one.type) == (two.base, two.type), seed
        assert np.array_equal(one.of, two.of), seed


def test_the_same_ball_in_two_segments_is_seen_by_its_uids():
    ends = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")]
    edges = [(i, USED, i + 1) for i in range(len(ends))]
    whole: Part = ([ENTITY] * 5, edges)
    less: Part = ([ENTITY] * 4, edges[:-1])
    union = sharing([whole, less], [list("abcde"), list("abcd")])
    assert stand_ins(union, neighbours(union), 1).tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 8]
    assert stand_ins(union, neighbours(union), 2).tolist() == [0, 1, 2, 3, 4, 0, 1, 7, 8]


@pytest.mark.parametrize("other", [[], [(1, USED, 2)], [(2, DERIVED, 1)], [(1, DERIVED, 2)] * 2])
def test_an_edge_at_the_rim_that_segments_disagree_on_tells_balls_apart(other: list[tuple[int, int, int]]):
    rays = [(0, USED, 1), (0, USED, 2)]
    bases = [ACTIVITY, ENTITY, ENTITY]
    union = sharing([(bases, [*rays, (1, DERIVED, 2)]), (bases, [*rays, *other])], [list("abc")] * 2)
    mirrored = other == [(2, DERIVED, 1)]
    assert stand_ins(union, neighbours(union), 1)[3] == 3
    for hops in (1, 2):
        of = classes(union, hops).of
        assert bool(of[0] == of[3]) is mirrored


def test_segments_alike_under_other_names_stand_for_each_other():
    """Forty steps that one agent took, twice: whole segments are balls of two hops, and none has to be cut out."""
    steps = 40
    bases = [2, *[ACTIVITY, ENTITY] * steps]
    edges = [(v, USED, 0) for v in range(1, len(bases))] + [(v, DERIVED, v + 1) for v in range(1, len(bases) - 1)]
    order = list(range(len(bases)))
    random.Random(1).shuffle(order)
    places = {v: i for i, v in enumerate(order)}
    other: Part = ([bases[v] for v in order], [(places[a], r, places[b]) for a, r, b in edges])
    union = union_of([(bases, edges), other])
    assert stand_ins(union, neighbours(union), 2)[len(bases) :].tolist() == order


@pytest.mark.parametrize("edge", [(1, USED, 3), (1, USED, 2)])
def test_colours_that_do_not_tell_rings_apart_prove_nothing(edge: tuple[int, int, int]):
    """A ring of six beside two of three: refinement gives all vertices one colour, whatever their names."""
    six = [(i, USED, (i + 1) % 6) for i in range(6)]
    threes = [(i, USED, i // 3 * 3 + (i + 1) % 3) for i in range(6)]
    union = union_of([([ENTITY] * 6, six), ([ENTITY] * 6, threes), ([ENTITY] * 6, [*threes, edge])])
    of = classes(union, 3).of
    assert of[0] not in of[6:]
    assert len(set(of[6:12].tolist())) == 1


def test_segments_beyond_the_sixty_fourth_count():
    """Sixty-six have the edge at the rim, the last has not."""
    rays = [(0, USED, 1), (0, USED, 2)]
    bases = [ACTIVITY, ENTITY, ENTITY]
    union = sharing([(bases, [*rays, (1, DERIVED, 2)])] * 66 + [(bases, rays)], [list("abc")] * 67)
    found = classes(union, 1)
    assert np.bincount(found.of[::3]).max() == 66
    assert found.of[0] != found.of[-3]


def test_bits_are_counted():
    values = np.array([0, 1, 0b1011, (1 << 64) - 1, 1 << 63], np.uint64)
    assert ones(values).tolist() == [0, 1, 3, 64, 1]


@pytest.mark.parametrize("largest", [3, 1 << 33])
def test_rows_are_there_once_and_sorted_however_large(largest: int):
    rows = [(0, largest, 1), (2, 0, 5), (0, largest, 1), (0, 1, largest), (2, 0, 4)]
    found = rows_once(*np.array(rows, np.int64).T)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == sorted(set(rows))
