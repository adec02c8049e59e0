"""The rounds: what is merged, and that numbers are always the same."""

import random

import numpy as np
import pytest
from summarization.paths import chains, random_parts, union_of, words

from provgraph.graph.arrays import RELATION_CODES
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.summarization import rounds
from provgraph.queries.summarization.bisimulation import bisimilar
from provgraph.queries.summarization.folding import folded
from provgraph.queries.summarization.merging import Merged, merged, merged_union
from provgraph.queries.summarization.provenance_types import classes
from provgraph.queries.summarization.quotient import Quotient, Side, different, heights
from provgraph.queries.summarization.rounds import bisimulation_groups
from provgraph.queries.summarization.simulation import mutual, preorders
from provgraph.queries.summarization.union import Union

USED = RELATION_CODES["used"]


def quotient(union: Union) -> Quotient:
    return Quotient(union.base, *different(union.sources, union.relations, union.targets))


def groups(*chained: list[int]) -> list[list[int]]:
    union = union_of([chains(*chained)])
    group = merged_union(union, classes(union, 0)).group.tolist()
    return [[v for v, own in enumerate(group) if own == g] for g in range(max(group) + 1)]


def test_equal_segments_become_one():
    union = union_of([chains([0, 1, 2])] * 5)
    found = merged_union(union, classes(union, 2))
    assert found.group_class.tolist() == [0, 1, 2]
    assert found.edge_segments.tolist() == [5, 5]
    assert found.group.tolist() == [0, 1, 2] * 5


def test_what_is_exceeded_both_ways_is_merged():
    # The short chain is a part of the long one, and no bisimulation sees that.
    assert groups([0, 1, 2, 3], [1, 2]) == [[0], [1, 4], [2, 5], [3]]
    assert bisimulation_groups(quotient(union_of([chains([0, 1, 2, 3], [1, 2])]))).max() + 1 == 6


def test_merges_into_maximal_ones_are_chosen_so_that_they_keep_step():
    """Each of these merges is sound alone; taken at once, 2 into 1 and 3 into 4 would make 1 2 3 4 a word."""
    letters = [1, 2, 3, 2, 3, 4, 2, 3]
    edges = [(0, USED, 1), (1, USED, 2), (3, USED, 4), (4, USED, 5), (6, USED, 7)]
    graph = quotient(union_of([(letters, edges)]))

    def words_of(to: list[int]) -> set[tuple[int, ...]]:
        return words(
            [letters[v] for v in sorted(set(to))],
            {(sorted(set(to)).index(to[a]), r, sorted(set(to)).index(to[b])) for a, r, b in edges},
        )

    assert words_of([0, 1, 2, 3, 4, 5, 1, 4]) != words(letters, edges)
    to = folded(*preorders(graph))
    assert to is not None and {to[6], to[7]} & {1, 2, 3, 4}
    assert words_of(to) == words(letters, edges)


def naive_simulation(letters: list[int], edges: list[tuple[int, int, int]]) -> set[tuple[int, int]]:
    alike = {(u, v) for u, own in enumerate(letters) for v, other in enumerate(letters) if own == other}
    while True:
        left = {
            (u, v)
            for u, v in alike
            if all(any(a == v and s == r and (b, c) in alike for a, s, c in edges) for w, r, b in edges if w == u)
        }
        if left == alike:
            return alike
        alike = left


@pytest.mark.parametrize("acyclic", [True, False])
def test_the_preorders_are_the_greatest_simulations(acyclic: bool):
    for seed in range(150):
        union = union_of(random_parts(seed, acyclic=acyclic))
        edges = list(zip(union.sources.tolist(), union.relations.tolist(), union.targets.tolist(), strict=True))
        graph, letters = quotient(union), union.base.tolist()
        for order, seen in zip(preorders(graph), (edges, [(c, r, a) for a, r, c in edges]), strict=True):
            known = naive_simulation(letters, seen)
            places = range(len(letters))
            found = {(u, v) for u in places for v in places if letters[u] == letters[v] and order.below(u, v)}
            assert found == known, seed


@pytest.mark.parametrize("acyclic", [True, False])
def test_mutual_simulation_of_what_has_no_bisimilar_groups(acyclic: bool):
    for seed in range(150):
        union = union_of(random_parts(seed, acyclic=acyclic))
        graph = quotient(union)
        for backwards in (False, True):
            here, there = Side(graph, backwards=backwards), Side(graph, backwards=not backwards)
            part = np.unique(bisimilar(here, here.letter, heights(here, there)), return_inverse=True)[1]
            small = graph.merged(part)
            ends = (small.targets, small.sources) if backwards else (small.sources, small.targets)
            edges = list(zip(ends[0].tolist(), small.relations.tolist(), ends[1].tolist(), strict=True))
            known = naive_simulation(small.letter.tolist(), edges)
            of = mutual(preorders(small)[backwards])
            for u in range(len(of)):
                for v in range(len(of)):
                    assert (of[u] == of[v]) == ((u, v) in known and (v, u) in known), (seed, u, v)


def test_never_more_groups_than_bisimulation_in_turn():
    for seed in range(200):
        union = union_of(random_parts(seed))
        found = merged_union(union, classes(union, 0))
        assert len(found.group_class) <= bisimulation_groups(quotient(union)).max() + 1


def test_a_chain_of_many_is_no_deep_recursion():
    bases = [0, 1] * 15_000
    edges = [(i, USED, i + 1) for i in range(len(bases) - 1)]
    union = union_of([(bases, edges), (bases[:-2], edges[:-2])])
    found = merged_union(union, classes(union, 1))
    assert len(found.group_class) == len(bases)


def test_segments_that_hold_nothing():
    assert merged([], {}, 1).group.tolist() == []
    found = merged([ProvGraph([], []), ProvGraph([], [])], {"entity": ["n"]}, 2)
    assert found.member_uid == [] and found.edge_source.tolist() == []


def lifecycle(order: random.Random | None = None) -> ProvGraph:
    vertices = [
        {"uid": uid, "labels": [kind], "properties": {"command": uid[0]}}
        for uid, kind in (
            ("train1", "Activity"),
            ("train2", "Activity"),
            ("data", "Entity"),
            ("model1", "Entity"),
            ("model2", "Entity"),
            ("eve", "Agent"),
        )
    ]
    edges = [
        {"type": "used", "source": f"train{i}", "target": "data", "properties": {"role": role}}
        for i in (1, 2)
        for role in ("in", "config")
    ]
    edges += [{"type": "wasGeneratedBy", "source": f"model{i}", "target": f"train{i}"} for i in (1, 2)]
    edges += [{"type": "wasAssociatedWith", "source": f"train{i}", "target": "eve"} for i in (1, 2)]
    if order:
        order.shuffle(vertices)
        order.shuffle(edges)
    return ProvGraph.from_json({"schema": "provgraph/graph/1", "vertices": vertices, "edges": edges})


def shown(found: Merged) -> list[object]:
    return [
        value.tolist() if isinstance(value, np.ndarray) else value
        for value in (getattr(found, name) for name in Merged.__slots__)
    ]


def test_a_graph_whatever_its_order():
    found = merged([lifecycle()], {"activity": ["command"]}, 1)
    assert [kind.value for kind in found.class_kind] == ["Entity", "Entity", "Activity", "Agent"]
    assert found.class_kept == [(), (), (("command", "t"),), ()]
    assert found.class_type == [1, 2, 1, 1]
    assert found.group.tolist() == [1, 3, 0, 0, 2, 2]
    assert found.member_uid == ["data", "eve", "model1", "model2", "train1", "train2"]
    for seed in range(5):
        again = merged([lifecycle(random.Random(seed))], {"activity": ["command"]}, 1)
        assert shown(again) == shown(found)


def test_edges_count_the_segments_that_have_them():
    short = lifecycle().induced(["train1", "data", "model1"])
    found = merged([lifecycle(), short], {}, 0)
    rows = zip(found.edge_source.tolist(), found.edge_relation.tolist(), found.edge_target.tolist(), strict=True)
    assert len(set(rows)) == len(found.edge_segments)
    assert set(found.edge_segments.tolist()) <= {1, 2}


def test_rounds_end():
    graph = quotient(union_of(random_parts(3)))
    group = rounds.grouped(graph.letter, graph.sources, graph.relations, graph.targets)
    small = graph.merged(group)
    again = rounds.grouped(small.letter, small.sources, small.relations, small.targets)
    assert again.max() + 1 == group.max() + 1
