"""The tree of a lineage: each vertex in full once, long parts folded and counted."""

import pytest
from graph_samples import Sample, ladder

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.outline import outline


def test_each_vertex_is_drawn_once_and_referred_to_afterwards(sample: Sample) -> None:
    with sample.open() as store:
        graph = store.reader.ancestors([sample.uids["metrics.json@1"]])
        drawn = outline(graph, [sample.uids["metrics.json@1"]])
    full = [display_name(line.vertex) for line in drawn.lines if line.state == "full" and line.vertex]
    assert len(full) == len(set(full)) == drawn.drawn == drawn.total
    again = [display_name(line.vertex) for line in drawn.lines if line.state == "again" and line.vertex]
    assert again == ["split.py #2"]


def test_a_ladder_of_diamonds_stays_as_long_as_the_graph() -> None:
    graph = ladder(50)
    drawn = outline(graph, ["e50a"], everything=True)
    assert drawn.drawn == drawn.total - 1, "all but the second output of the last step"
    assert len(drawn.lines) < 4 * len(graph)


def deep(steps: int) -> ProvGraph:
    vertices = [Vertex(f"e{n:05}", ("Entity",)) for n in range(steps + 1)]
    vertices += [Vertex(f"a{n:05}", ("Activity",)) for n in range(1, steps + 1)]
    edges = [Edge("wasGeneratedBy", f"e{n:05}", f"a{n:05}") for n in range(1, steps + 1)]
    edges += [Edge("used", f"a{n:05}", f"e{n - 1:05}") for n in range(1, steps + 1)]
    return ProvGraph(vertices, edges)


def test_deep_histories_fold_or_go_on_below() -> None:
    graph = deep(3000)
    folded = outline(graph, ["e03000"])
    assert folded.lines[-1].state == "folded" and folded.drawn == 15
    assert folded.total == 6001
    everything = outline(graph, ["e03000"], everything=True)
    assert everything.drawn == 6001
    assert max(len(line.trail) for line in everything.lines) <= 14


def test_many_leaves_are_counted_not_listed() -> None:
    vertices = [Vertex("a", ("Activity",)), *(Vertex(f"e{n:03}", ("Entity",)) for n in range(900))]
    graph = ProvGraph(vertices, [Edge("used", "a", f"e{n:03}") for n in range(900)])
    drawn = outline(graph, ["a"])
    assert len(drawn.lines) == 9
    assert drawn.lines[-1].state == "more" and drawn.lines[-1].count == 893
    assert len(outline(graph, ["a"], everything=True).lines) == 901


def test_wide_and_deep_graphs_end_after_the_most_lines() -> None:
    drawn = outline(ladder(2000), ["e2000a"], max_depth=10**6, max_lines=100)
    assert len(drawn.lines) < 2000


@pytest.mark.parametrize("downstream", [False, True])
@pytest.mark.parametrize("depth", [None, 0, 1, 2])
@pytest.mark.parametrize("revisions", [False, True])
def test_a_lineage_read_as_one_goes_draws_the_same_tree(
    sample: Sample, downstream: bool, depth: int | None, revisions: bool
) -> None:
    walk = {"downstream": downstream, "depth": depth, "revisions": revisions}
    with sample.open() as store:
        for uid in sample.uids.values():
            whole = outline(store.reader.ancestors([uid], **walk), [uid], downstream=downstream)
            read = outline(store.reader.walk([uid], **walk), [uid], downstream=downstream)
            assert read == whole
