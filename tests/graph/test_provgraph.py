"""ProvGraph: order, identity, what it refuses, JSON and networkx there and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph import ProvGraph
from provgraph.errors import InputError
from provgraph.graph.elements import Edge, Vertex

E, A, G = ("Entity", "Snapshot"), ("Activity", "Command"), ("Agent", "Person")


def small() -> ProvGraph:
    vertices = [Vertex("b", E, {"path": "b"}), Vertex("a", A, {"name": "run #1"}), Vertex("p", G, {"name": "Alice"})]
    edges = [Edge("wasGeneratedBy", "b", "a"), Edge("wasAssociatedWith", "a", "p")]
    return ProvGraph(vertices, edges)


def test_order_is_fixed_whatever_the_input_order() -> None:
    graph = small()
    turned = ProvGraph(reversed(graph.vertices), reversed(graph.edges))
    assert turned == graph
    assert [v.uid for v in turned] == ["a", "b", "p"]
    assert [e.type for e in turned.edges] == ["wasAssociatedWith", "wasGeneratedBy"]
    assert json.dumps(turned.to_json()) == json.dumps(graph.to_json())


def test_len_membership_and_adjacency() -> None:
    graph = small()
    assert len(graph) == 3 and graph.size == 2
    assert "a" in graph and "z" not in graph
    assert graph.vertex("z") is None
    assert [e.target for e in graph.out_edges("b")] == ["a"]
    assert [e.source for e in graph.in_edges("a")] == ["b"]
    with pytest.raises(KeyError):
        graph["z"]


def test_properties_cannot_be_changed_through_the_graph() -> None:
    graph = small()
    with pytest.raises(TypeError):
        graph["b"].properties["path"] = "c"  # type: ignore[index]
    assert graph["b"].properties["path"] == "b"


def test_repeated_edges_are_one_with_a_note_and_roles_keep_them_apart() -> None:
    vertices = [Vertex("a", A), Vertex("e", E)]
    edges = [Edge("used", "a", "e"), Edge("used", "a", "e", {"at": "now"}), Edge("used", "a", "e", {"role": "updated"})]
    graph = ProvGraph(vertices, edges)
    assert graph.size == 2
    assert graph.notes == ("1 repeated edge merged",)
    assert {e.role for e in graph.edges} == {"", "updated"}
    assert len({e.uid for e in graph.edges}) == 2


@pytest.mark.parametrize(
    ("vertices", "edges", "says"),
    [
        ([Vertex("x", ("Snapshot",))], [], "vertex 'x': exactly one of Entity, Activity, Agent"),
        ([Vertex("x", ("Entity", "Activity"))], [], "vertex 'x'"),
        ([Vertex("a", A)], [Edge("used", "a", "gone")], "its target 'gone' is not among the vertices"),
        ([Vertex("a", A), Vertex("e", E)], [Edge("used", "e", "a")], "its source is an Entity, but used joins"),
        ([Vertex("a", A), Vertex("e", E)], [Edge("uses", "a", "e")], "did you mean used?"),
        ([Vertex("e", E, {"n": 1}), Vertex("e", E, {"n": 2})], [], "n = 1 and 2"),
        ([Vertex("e", E), Vertex("e", A)], [], "stands there twice, as Entity and Activity"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(vertices: list[Vertex], edges: list[Edge], says: str) -> None:
    with pytest.raises(InputError) as caught:
        ProvGraph(vertices, edges)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "half a file"),
        ('{"schema": "provgraph/graph/1", "vertices": [', "half a file"),
        ('{"schema": "provgraph/graph/1", "vertices": [{"uid": "01a1', "half a file"),
        ("not json", "this is no JSON"),
        (b"\xff\xfe", "no UTF-8"),
        ("[1]", "one JSON object, not a list"),
        ('{"vertices": []}', 'a graph says "provgraph/graph/1"'),
        ('{"schema": "provgraph/graph/2", "vertices": [], "edges": []}', "newer provgraph"),
        ('{"schema": "provgraph/rows/1", "columns": [], "rows": []}', "--json"),
        ('{"schema": "provgraph/graph/1", "vertices": {}, "edges": []}', '"vertices" must be a list'),
        ('{"schema": "provgraph/graph/1", "vertices": [3], "edges": []}', "vertices[0] must be an object"),
        ('{"schema": "provgraph/graph/1", "vertices": [{"uid": 3}], "edges": []}', 'vertices[0]: "uid"'),
        ('{"schema": "provgraph/graph/1", "vertices": [{"uid": "x"}], "edges": []}', "vertices[0] (x)"),
        ('{"schema": "provgraph/graph/1", "vertices": [], "edges": [{"type": "used"}]}', 'edges[0]: "source"'),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_graph_document_is_refused_with_the_place(text: str | bytes, says: str) -> None:
    with pytest.raises(InputError) as caught:
        ProvGraph.from_json(text)
    assert says in str(caught.value)


def test_json_may_leave_out_what_can_be_absent() -> None:
    document = {
        "schema": "provgraph/graph/1",
        "vertices": [{"uid": "a", "labels": ["Activity"]}, {"uid": "e", "labels": ["Entity"]}],
        "edges": [{"type": "used", "source": "a", "target": "e"}],
    }
    graph = ProvGraph.from_json(document)
    assert graph.edges[0].uid
    assert ProvGraph.from_json(json.dumps(graph.to_json())) == graph


def test_networkx_there_and_back() -> None:
    graph = small().with_query({"command": "lineage"}, ["a note"])
    back = ProvGraph.from_networkx(graph.to_networkx())
    assert back == graph
    assert back.notes == ("a note",)
    assert dict(back.query or {}) == {"command": "lineage"}


def test_networkx_without_labels_is_refused() -> None:
    import networkx as nx

    foreign: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    foreign.add_node("x")
    with pytest.raises(InputError, match="needs a string as its name and an attribute `labels`"):
        ProvGraph.from_networkx(foreign)


def test_union_has_what_is_shared_once() -> None:
    left, right = small(), ProvGraph([Vertex("b", E, {"path": "b"}), Vertex("c", E)], [Edge("alternateOf", "b", "c")])
    both = left.union(right)
    assert [v.uid for v in both] == ["a", "b", "c", "p"]
    assert both.size == 3
    assert both == right.union(left)
    assert both.notes == ()


def test_rows_of_a_store_are_parsed_when_asked_for() -> None:
    graph = ProvGraph.from_rows(
        [("e", '["Entity"]', '{"n": 1}'), ("a", ("Activity",), "no JSON at all")],
        [("used", "a", "e", "{}", "")],
        edge_uid=lambda *parts: "/".join(parts),
    )
    assert graph["e"].properties["n"] == 1
    assert graph.edges[0].uid == "used/a/e/"
    assert graph.induced(["a", "e"]).edge_ends() == [("used", "a", "e")]


UIDS = st.sampled_from("abcdefgh")


@given(st.sets(UIDS), st.sets(UIDS), st.lists(st.tuples(UIDS, UIDS, st.sampled_from(["", "updated"]))))
def test_json_round_trip_holds_for_any_graph(
    entities: set[str], acts: set[str], pairs: list[tuple[str, str, str]]
) -> None:
    vertices = [Vertex(f"e{u}", E, {"n": u}) for u in entities] + [Vertex(f"a{u}", A) for u in acts]
    edges = [
        Edge("used", f"a{a}", f"e{e}", {"role": role} if role else {})
        for a, e, role in pairs
        if a in acts and e in entities
    ]
    graph = ProvGraph(vertices, edges)
    assert ProvGraph.from_json(json.dumps(graph.to_json())) == graph
    assert ProvGraph.from_networkx(graph.to_networkx()) == graph
    assert graph.union(graph) == graph
