"""What a boundary leaves of a graph."""

from collections.abc import Iterator

import numpy as np
import pytest
from graph_samples import DAY, Sample

from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.predicates import predicate
from provgraph.queries.segmentation.boundary import Boundary


@pytest.fixture
def graph(sample: Sample) -> Iterator[ProvGraph]:
    with sample.open() as store:
        uids = list(sample.uids.values())
        both = [store.reader.ancestors(uids, downstream=d, revisions=True, environment=True) for d in (False, True)]
        yield both[0].union(both[1])


def gone(boundary: Boundary, graph: ProvGraph) -> set[str]:
    """Names of the vertices that are left out; an edge is left out with them."""
    vertices, edges = boundary.allowed(graph)
    arrays = graph.arrays
    assert not (edges & ~(vertices[arrays.sources] & vertices[arrays.targets])).any()
    return {display_name(vertex) for vertex in graph.vertices_at(np.flatnonzero(~vertices).tolist())}


def excluding(*texts: str, **more: str | bool | None) -> Boundary:
    return Boundary(tuple(predicate(text) for text in texts), **more)  # type: ignore[arg-type]


def test_nothing_is_excluded_by_default_and_nothing_read() -> None:
    rows = [("a", '["Activity"]', "no JSON: nobody looks"), ("e", '["Entity"]', "nor here")]
    graph = ProvGraph.from_rows(rows, [("used", "a", "e", "nor here", "")])
    vertices, edges = Boundary().allowed(graph)
    assert vertices.tolist() == [True, True] and edges.tolist() == [True]
    assert Boundary(environment=False).allowed(graph)[0].all()


def test_predicates_are_each_excluded(graph: ProvGraph) -> None:
    boundary = excluding("Unseen", "path ~ *.csv", "relation=wasDerivedFrom")
    assert gone(boundary, graph) == {"unrecorded change", "raw.csv@1", "clean.csv@1", "train.csv@1", "test.csv@1"}
    _, edges = boundary.allowed(graph)
    left = {edge.type for edge in graph.edges_at(np.flatnonzero(edges).tolist())}
    assert left == {"used", "wasGeneratedBy", "wasAssociatedWith"}


def test_an_agent_leaves_the_activities_of_others_out(graph: ProvGraph) -> None:
    assert gone(Boundary(agent="bob@example.org"), graph) == {
        "prepare.py #1", "split.py #2", "train.py #3", "evaluate.py #4", "unrecorded change",
    }  # fmt: skip
    assert gone(excluding("agent=Bob"), graph) == {"train.py #5", "Bob"}
    with pytest.raises(UnknownReferenceError, match="no agent is called 'Bo'; there is Bob"):
        Boundary(agent="Bo").allowed(graph)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (f"{DAY}T09:05:02Z", None, "prepare.py #1"),  # split.py ended at that very moment
        (f"{DAY}T09:05:03Z", None, "prepare.py #1, split.py #2"),
        (None, f"{DAY}T10:00:00Z", "train.py #5"),
        (None, f"{DAY}T09:19:59Z", "evaluate.py #4, train.py #5"),
        (f"{DAY}T09:06:00Z", f"{DAY}T09:15:00Z", "evaluate.py #4, prepare.py #1, split.py #2, train.py #5"),
        (None, "2026-11-22", ""),
        (None, "2026-11-18", "evaluate.py #4, prepare.py #1, split.py #2, train.py #3, train.py #5, unrecorded change"),
    ],
)
def test_times_leave_activities_out(graph: ProvGraph, since: str | None, until: str | None, expected: str) -> None:
    assert ", ".join(sorted(gone(Boundary(since=since, until=until), graph))) == expected


def test_activities_without_times_stay_and_one_that_still_runs_counts_from_its_start() -> None:
    times = {"timeless": {}, "runs": {"started_at": "2020-01-01T00:00:00Z"}, "odd": {"started_at": "at noon"},
             "long": {"started_at": "2020-01-01T00:00:00Z", "ended_at": "2030-01-01T00:00:00Z"}}  # fmt: skip
    entity = Vertex("made", ("Entity",), {"started_at": "2020-01-01T00:00:00Z"})
    graph = ProvGraph([entity, *(Vertex(uid, ("Activity",), {"name": uid, **at}) for uid, at in times.items())], [])
    assert gone(Boundary(since="2025-01-01"), graph) == {"runs"}
    assert gone(Boundary(until="2019-01-01"), graph) == {"runs", "long"}
    assert gone(Boundary(since="2025-01-01", until="2019-01-01"), graph) == {"runs", "long"}


def test_environments_can_stay_out() -> None:
    vertices = [Vertex("lib", ("Entity", "Environment"), {"name": "numpy"}), Vertex("run", ("Activity",))]
    graph = ProvGraph(vertices, [Edge("used", "run", "lib")])
    assert gone(Boundary(), graph) == set()
    assert gone(Boundary(environment=False), graph) == {"numpy"}
    assert not Boundary(environment=False).allowed(graph)[1].any()


def test_masks_may_be_written_to_and_the_next_graph_is_looked_at_anew(graph: ProvGraph) -> None:
    boundary = excluding("Unseen")
    first, edges = boundary.allowed(graph)
    first[:], edges[:] = False, False
    assert boundary.allowed(graph)[0].sum() == len(graph) - 1
    assert boundary.allowed(ProvGraph([Vertex("x", ("Entity",))], []))[0].tolist() == [True]
    assert boundary == excluding("Unseen") and hash(boundary) == hash(excluding("Unseen"))


def test_an_empty_graph_has_an_empty_boundary_and_still_knows_what_is_wrong() -> None:
    nothing = ProvGraph([], [])
    vertices, edges = excluding("Activity.utility=git", "relation=used", environment=False).allowed(nothing)
    assert len(vertices) == len(edges) == 0
    with pytest.raises(QuestionError, match="'colour'"):
        excluding("colour=red").allowed(nothing)
    with pytest.raises(QuestionError, match="the graph has no agents"):
        Boundary(agent="Bob").allowed(nothing)
    with pytest.raises(QuestionError, match="'soon' is no time"):
        Boundary(since="soon").allowed(nothing)
