"""Lineage over a graph in memory, and that a store gives the same (semantics rule 12)."""

import pytest
from graph_samples import Sample, ladder

from provgraph.errors import UnknownReferenceError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.lineage import lineage
from provgraph.queries.ways import ways


def names(graph: ProvGraph) -> set[str]:
    return {display_name(v) for v in graph}


def whole(sample: Sample) -> ProvGraph:
    with sample.open() as store:
        found = store.reader.ancestors(list(sample.uids.values()), revisions=True, environment=True)
        later = store.reader.ancestors(list(sample.uids.values()), downstream=True, revisions=True, environment=True)
        return found.union(later)


def test_rule_12_lineage_follows_used_and_generated_and_adds_agents(sample: Sample) -> None:
    found = lineage(whole(sample), [sample.uids["model.pkl@2"]])
    assert names(found) == {
        "model.pkl@2", "train.py #5", "Bob", "config.yaml@2", "config.yaml@1", "unrecorded change", "train.csv@1",
        "split.py #2", "Alice", "clean.csv@1", "prepare.py #1", "raw.csv@1",
    }  # fmt: skip
    assert {e.type for e in found.edges} == {"used", "wasGeneratedBy", "wasAssociatedWith"}


def test_rule_12_revisions_add_the_version_chain(sample: Sample) -> None:
    found = lineage(whole(sample), [sample.uids["model.pkl@2"]], revisions=True)
    assert {"model.pkl@1", "train.py #3"} <= names(found)


def test_downstream_is_the_other_way(sample: Sample) -> None:
    found = lineage(whole(sample), [sample.uids["config.yaml@2"]], downstream=True)
    assert names(found) == {"config.yaml@2", "train.py #5", "model.pkl@2", "Bob"}


@pytest.mark.parametrize("root", ["model.pkl@2", "train.py #5", "metrics.json@1"])
@pytest.mark.parametrize("depth", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("downstream", [False, True])
@pytest.mark.parametrize("revisions", [False, True])
def test_the_store_gives_the_same(
    sample: Sample, root: str, depth: int | None, downstream: bool, revisions: bool
) -> None:
    uid = sample.uids[root]
    mine = lineage(whole(sample), [uid], depth=depth, downstream=downstream, revisions=revisions)
    with sample.open() as store:
        theirs = store.reader.ancestors([uid], depth=depth, downstream=downstream, revisions=revisions)
        assert names(mine) == names(theirs)
        assert mine.edge_ends() == theirs.edge_ends()


def test_environments_are_left_out_unless_they_are_asked_for() -> None:
    environment = Vertex("env", ("Entity", "Snapshot", "Environment"), {"path": "/venv", "sequence": 1})
    graph = ProvGraph([Vertex("a", ("Activity",)), environment], [Edge("used", "a", "env")])
    assert len(lineage(graph, ["a"], environment=False)) == 1
    assert len(lineage(graph, ["a"], environment=True)) == 2


def test_an_unknown_uid_is_refused(sample: Sample) -> None:
    with pytest.raises(UnknownReferenceError, match="nowhere"):
        lineage(whole(sample), ["nowhere"])


def test_a_ladder_of_diamonds_is_counted_exactly_and_shown_in_part() -> None:
    found = ways(ladder(60), "e60a", "e0a", limit=7)
    assert found.count == 2**59
    assert len(found) == 7
    assert len({tuple(e.uid for e in way.edges) for way in found.ways}) == 7
    for way in found.ways:
        assert [e.source for e in way.edges] == [v.uid for v in way.vertices[:-1]]
        assert [e.target for e in way.edges] == [v.uid for v in way.vertices[1:]]


def test_ways_are_found_from_either_end_shortest_first() -> None:
    graph = ProvGraph(
        [Vertex(u, ("Entity",)) for u in "xyz"] + [Vertex(u, ("Activity",)) for u in ("long", "short", "mid")],
        [
            Edge("wasGeneratedBy", "x", "short"), Edge("used", "short", "z"), Edge("used", "short", "y"),
            Edge("wasGeneratedBy", "y", "mid"), Edge("used", "mid", "z"),
        ],
    )  # fmt: skip
    for one, other in (("x", "z"), ("z", "x")):
        found = ways(graph, one, other)
        assert [len(way.edges) for way in found.ways] == [2, 4]
        assert found.source.uid == "x" and found.count == 2
    assert ways(graph, "long", "x").count == 0
    assert not ways(graph, "x", "x").ways


def test_a_cycle_ends() -> None:
    vertices = [Vertex(u, ("Entity",)) for u in "efg"] + [Vertex(u, ("Activity",)) for u in "bc"]
    edges = [
        Edge("wasGeneratedBy", "e", "b"), Edge("used", "b", "f"), Edge("used", "b", "g"),
        Edge("wasGeneratedBy", "g", "c"), Edge("used", "c", "e"),
    ]  # fmt: skip
    found = ways(ProvGraph(vertices, edges), "e", "f")
    assert found.count is None
    assert [len(way.edges) for way in found.ways] == [2]
