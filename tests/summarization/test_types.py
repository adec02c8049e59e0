"""Provenance types: rooted balls up to isomorphism, decided exactly."""

import random
from itertools import permutations

import numpy as np
import pytest
from summarization.paths import Edge, Part, random_parts, union_of

from provgraph.errors import QuestionError
from provgraph.graph.arrays import RELATION_CODES
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.summarization import balls
from provgraph.queries.summarization.merging import merged
from provgraph.queries.summarization.provenance_types import classes
from provgraph.queries.summarization.union import value_key

USED, GENERATED = RELATION_CODES["used"], RELATION_CODES["wasGeneratedBy"]
ENTITY, ACTIVITY = 0, 1


def same(parts: list[Part], hops: int, one: int, two: int) -> bool:
    of = classes(union_of(parts), hops).of
    return bool(of[one] == of[two])


def ring(length: int) -> Part:
    """A root entity that every activity of a ring generated; activities and entities alternate in the ring."""
    bases = [ENTITY]
    edges: list[Edge] = []
    _add_ring(bases, edges, length)
    return bases, edges


def _add_ring(bases: list[int], edges: list[Edge], length: int) -> None:
    first = len(bases)
    for i in range(length):
        activity, entity = first + 2 * i, first + 2 * i + 1
        bases += [ACTIVITY, ENTITY]
        edges.append((0, GENERATED, activity))
        edges.append((activity, USED, entity))
        edges.append((first + 2 * ((i + 1) % length), USED, entity))


def test_two_rings_of_three_are_not_one_of_six():
    bases = [ENTITY]
    edges: list[Edge] = []
    _add_ring(bases, edges, 3)
    _add_ring(bases, edges, 3)
    parts = [ring(6), (bases, edges)]
    assert not same(parts, 2, 0, 13)
    assert same([ring(6), ring(6)], 2, 0, 13)
    # At one hop the rings are not seen.
    assert same(parts, 1, 0, 13)


@pytest.mark.parametrize(("one", "two", "equal"), [([USED], [USED, USED], False), ([USED] * 2, [USED] * 2, True)])
def test_parallel_edges_count_by_their_number(one: list[int], two: list[int], equal: bool):
    parts = [([ACTIVITY, ENTITY], [(0, relation, 1) for relation in several]) for several in (one, two)]
    assert same(parts, 1, 0, 2) is equal
    assert same(parts, 0, 0, 2)


def test_relation_and_direction_count():
    forward: Part = ([ENTITY, ENTITY], [(0, USED, 1)])
    backward: Part = ([ENTITY, ENTITY], [(1, USED, 0)])
    other: Part = ([ENTITY, ENTITY], [(0, GENERATED, 1)])
    assert not same([forward, backward], 1, 0, 2)
    assert same([forward, backward], 1, 0, 3)
    assert not same([forward, other], 1, 0, 2)


def test_the_ball_is_induced():
    """An edge between two vertices at distance k belongs to it, though no walk of k edges passes it."""
    open_: Part = ([ACTIVITY, ENTITY, ENTITY], [(0, USED, 1), (0, USED, 2)])
    closed: Part = ([ACTIVITY, ENTITY, ENTITY], [(0, USED, 1), (0, USED, 2), (1, GENERATED, 2)])
    assert not same([open_, closed], 1, 0, 3)


def test_a_segment_sees_only_itself():
    parts: list[Part] = [([ENTITY], []), ([ENTITY], []), ([ENTITY, ACTIVITY], [(0, GENERATED, 1)])]
    assert same(parts, 2, 0, 1)
    assert not same(parts, 2, 0, 2)


def ball(part: Part, root: int, hops: int) -> tuple[list[int], list[Edge]]:
    bases, edges = part
    inside, rim = {root}, {root}
    for _ in range(hops):
        rim = {b for a, _, b in edges if a in rim} | {a for a, _, b in edges if b in rim}
        inside |= rim
    order = [root, *sorted(inside - {root})]
    at = {v: i for i, v in enumerate(order)}
    return [bases[v] for v in order], sorted((at[a], r, at[b]) for a, r, b in edges if a in at and b in at)


def literally_isomorphic(one: tuple[list[int], list[Edge]], two: tuple[list[int], list[Edge]]) -> bool:
    bases, edges = one
    if sorted(bases) != sorted(two[0]) or len(edges) != len(two[1]):
        return False
    return any(
        [two[0][i] for i in (0, *rest)] == bases
        and sorted(((0, *rest)[a], r, (0, *rest)[b]) for a, r, b in edges) == two[1]
        for rest in permutations(range(1, len(bases)))
    )


@pytest.mark.parametrize("hops", [1, 2])
def test_against_trying_all_permutations(hops: int):
    for seed in range(60):
        parts = random_parts(seed, acyclic=seed % 3 > 0, largest=6)
        of = classes(union_of(parts), hops).of.tolist()
        cut = [ball(part, v, hops) for part in parts for v in range(len(part[0]))]
        for i, one in enumerate(cut):
            for j in range(i):
                assert (of[i] == of[j]) == literally_isomorphic(one, cut[j]), (seed, i, j)


@pytest.mark.parametrize("hops", [1, 2])
def test_numbers_do_not_depend_on_names_nor_on_how_balls_are_cut(hops: int, monkeypatch: pytest.MonkeyPatch):
    for seed in range(20):
        parts = random_parts(seed, largest=12)
        found = classes(union_of(parts), hops)
        shuffled, new = [], []
        shift = 0
        for bases, edges in parts:
            order = list(range(len(bases)))
            random.Random(seed).shuffle(order)
            renamed = [0] * len(bases)
            for v, place in enumerate(order):
                renamed[place] = bases[v]
            shuffled.append((renamed, [(order[a], r, order[b]) for a, r, b in reversed(edges)]))
            new += [shift + place for place in order]
            shift += len(bases)
        again = classes(union_of(shuffled), hops)
        assert again.base == found.base and again.type == found.type
        assert np.array_equal(np.bincount(again.of), np.bincount(found.of))
        assert len({(a, b) for a, b in zip(found.of.tolist(), again.of[new].tolist(), strict=True)}) == len(found.base)
        for limit in ("_CELLS", "_TABLE"):
            with monkeypatch.context() as patch:
                patch.setattr(balls, limit, 1)
                assert np.array_equal(classes(union_of(parts), hops).of, found.of)


def test_a_hub_with_twins_and_leaves():
    """Forty activities that used one entity and generated two each: all equal, whatever stands for them."""
    bases = [ENTITY] + [ACTIVITY] * 40 + [ENTITY] * 80
    edges = [(1 + i, USED, 0) for i in range(40)] + [(41 + i, GENERATED, 1 + i // 2) for i in range(80)]
    found = classes(union_of([(bases, edges)]), 2)
    assert len(found.base) == 3
    assert found.type == [1, 2, 1]
    assert np.bincount(found.of).tolist() == [80, 1, 40]


def test_kept_values_are_equal_as_json_values_are():
    assert value_key(1) == value_key(1.0)
    assert value_key(True) != value_key(1)
    assert value_key([1, {"a": None}]) == value_key([1.0, {"a": None}])
    assert value_key("1") != value_key(1)
    assert value_key(None) != value_key(False)


def graph(*values: object) -> ProvGraph:
    """An entity for each value of ``n``; ``...`` is none."""
    return ProvGraph.from_json(
        {
            "schema": "provgraph/graph/1",
            "vertices": [
                {"uid": f"e{i}", "labels": ["Entity"], "properties": {} if value is ... else {"n": value}}
                for i, value in enumerate(values)
            ],
            "edges": [],
        }
    )


def test_kept_properties_tell_apart_and_absent_is_a_value():
    found = merged([graph(1, 1.0, True), graph(..., None, "1")], {"entity": ["n"]}, 0)
    assert len(found.class_kept) == 5
    assert (found.cls[0], found.cls[1]) == (found.cls[1], found.cls[0])
    assert [dict(kept) for kept in found.class_kept] == [{}, {"n": None}, {"n": True}, {"n": 1}, {"n": "1"}]
    assert found.class_type == [1] * 5


def test_what_cannot_be_asked():
    with pytest.raises(QuestionError, match=r"'colour'.*entity, activity or agent"):
        merged([], {"colour": ["n"]}, 0)
    with pytest.raises(QuestionError, match="hops is -1"):
        merged([], {}, -1)
