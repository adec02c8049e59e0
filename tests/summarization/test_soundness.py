"""Never unsound: the words of a summary are those of its segments."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from summarization.paths import Edge, invented, random_parts, union_of, words

from provgraph.queries.summarization.merging import merged_union
from provgraph.queries.summarization.provenance_types import classes
from provgraph.queries.summarization.union import Union


def summary(union: Union, hops: int) -> tuple[list[int], list[Edge], list[int], list[int], set[Edge]]:
    """(letters, edges) of the segments, the group of each vertex, (letters, edges) of the summary."""
    found = classes(union, hops)
    merged = merged_union(union, found)
    edges = list(zip(union.sources.tolist(), union.relations.tolist(), union.targets.tolist(), strict=True))
    rows = zip(merged.edge_source.tolist(), merged.edge_relation.tolist(), merged.edge_target.tolist(), strict=True)
    group = merged.group.tolist()
    assert set(zip(group, found.of.tolist(), strict=True)) == set(enumerate(merged.group_class.tolist()))
    return found.of.tolist(), edges, group, merged.group_class.tolist(), set(rows)


def check_words(union: Union, hops: int) -> None:
    letters, edges, _, group_letters, group_edges = summary(union, hops)
    longest = len(letters) + 1
    assert words(group_letters, group_edges, longest) == words(letters, edges, longest)


@pytest.mark.parametrize("hops", [0, 1, 2])
def test_words_of_random_graphs(hops: int):
    for seed in range(700):
        check_words(union_of(random_parts(seed, largest=7)), hops)


@pytest.mark.parametrize("hops", [0, 1])
def test_nothing_is_invented_in_larger_graphs_nor_where_paths_never_end(hops: int):
    for seed in range(600):
        union = union_of(random_parts(seed, acyclic=seed % 2 > 0, largest=12))
        letters, edges, group, group_letters, _ = summary(union, hops)
        assert invented(letters, edges, group, group_letters) is None, seed


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 2), min_size=1, max_size=7),
            st.sets(st.tuples(st.integers(0, 6), st.integers(0, 1), st.integers(0, 6)), max_size=10),
        ),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 2),
)
def test_words_of_any_graphs(drawn: list[tuple[list[int], set[Edge]]], hops: int):
    parts = [(bases, sorted(edge for edge in edges if edge[0] < edge[2] < len(bases))) for bases, edges in drawn]
    check_words(union_of(parts), hops)


def test_the_check_finds_what_is_invented():
    letters, edges = [0, 1, 0, 1, 2], [(0, 0, 1), (3, 0, 4)]
    assert invented(letters, edges, [0, 1, 0, 1, 2], [0, 1, 2]) == (0, 0, 1, 0, 2)
    assert invented(letters, edges, list(range(5)), letters) is None
