"""A graph as rows and as arrays is the same graph: every question has the same answer, on the whole and on parts."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provgraph import ProvGraph
from provgraph.errors import InputError
from provgraph.graph.arrays import RELATION_NAMES
from provgraph.graph.elements import Edge, Vertex
from provgraph.model.vocabulary import RELATIONS, Kind

LABELS = {
    Kind.ENTITY: [("Entity",), ("Entity", "Snapshot"), ("Entity", "Artifact")],
    Kind.ACTIVITY: [("Activity", "Command"), ("Activity",)],
    Kind.AGENT: [("Agent", "Person"), ("Agent",)],
}
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, 1.0, -0.0]), st.sampled_from(["", "1", "x"]),
    st.lists(st.integers(0, 1), max_size=2), st.dictionaries(st.sampled_from("ab"), st.integers(0, 1)),
)  # fmt: skip
PROPERTIES = st.dictionaries(st.sampled_from(["n", "path", "$ odd"]), VALUES, max_size=3)


@st.composite
def graphs(draw: st.DrawFn) -> ProvGraph:
    """Small graphs of all kinds, with parallel edges told apart by their roles."""
    kinds = draw(st.lists(st.sampled_from(list(Kind)), max_size=8))
    uids = draw(
        st.lists(st.text("abz-", min_size=1, max_size=4), min_size=len(kinds), max_size=len(kinds), unique=True)
    )
    vertices = [
        Vertex(uid, draw(st.sampled_from(LABELS[kind])), draw(PROPERTIES))
        for uid, kind in zip(uids, kinds, strict=True)
    ]
    fitting = [
        (name, source.uid, target.uid)
        for name, relation in RELATIONS.items()
        for source in vertices
        for target in vertices
        if source.kind in relation.domain and target.kind in relation.range
    ]
    edges = {}
    if fitting:
        some: list[dict[str, Any]] = [{}, {"role": "a"}, {"role": "b", "n": 1}, {"n": True}]
        roles = st.sampled_from(some)
        for ends, properties in draw(st.lists(st.tuples(st.sampled_from(fitting), roles), max_size=14)):
            edges[(*ends, properties.get("role"))] = Edge(*ends, properties)
    return ProvGraph(vertices, edges.values())


def as_arrays(graph: ProvGraph) -> ProvGraph:
    """The same graph, of which all is asked of arrays."""
    return ProvGraph.of_table(graph.table.as_arrays(), graph.query, graph.notes)


def same(mine: ProvGraph, theirs: ProvGraph) -> None:
    """Every question has one answer."""
    assert json.dumps(mine.to_json()) == json.dumps(theirs.to_json())
    assert mine == theirs
    assert (len(mine), mine.size, mine.reached) == (len(theirs), theirs.size, theirs.reached)
    assert mine.uids == theirs.uids
    assert mine.vertices == theirs.vertices
    assert mine.edges == theirs.edges
    assert mine.edge_ends() == theirs.edge_ends()
    assert mine.label_counts() == theirs.label_counts()
    assert mine.relation_counts() == theirs.relation_counts()
    for label in ("Entity", "Snapshot", "Person", "none"):
        assert mine.count(label) == theirs.count(label)
    for uid in [*mine.uids, "no such vertex", ""]:
        assert (uid in mine) == (uid in theirs)
        assert mine.vertex(uid) == theirs.vertex(uid)
        assert mine.out_edges(uid) == theirs.out_edges(uid)
        assert mine.in_edges(uid) == theirs.in_edges(uid)
    for prefix in ("", "a", "ab", "-", "zz"):
        assert mine.uids_with_prefix(prefix, 3) == theirs.uids_with_prefix(prefix, 3)


def consistent(graph: ProvGraph) -> None:
    """Positions, arrays and columns say what the vertices and edges say."""
    arrays = graph.arrays
    assert (arrays.vertex_count, arrays.edge_count) == (len(graph), graph.size)
    seen = []
    for position in range(len(graph)):
        vertex = graph.vertex_at(position)
        seen.append(vertex.uid)
        assert graph.position(vertex.uid) == position
        assert graph.uid_at(position) == vertex.uid
        assert arrays.labelsets[arrays.labels[position]] == vertex.labels
    assert graph.uids_at(np.arange(len(graph))) == seen
    assert sorted(seen) == graph.uids
    ends = []
    for position in range(graph.size):
        edge = graph.edge_at(position)
        ends.append(edge)
        assert RELATION_NAMES[arrays.relations[position]] == edge.type
        assert (seen[arrays.sources[position]], seen[arrays.targets[position]]) == (edge.source, edge.target)
    assert sorted(ends, key=lambda e: (e.type, e.source, e.target, e.uid)) == graph.edges
    for key in ("n", "path", "$ odd", "none"):
        column_says(graph.column(key), [v.properties for v in graph.vertices_at(range(len(graph)))], key)
        column_says(graph.edge_column(key), [e.properties for e in graph.edges_at(range(graph.size))], key)


def column_says(column: Any, properties: list[Any], key: str) -> None:
    assert len(column.codes) == len(properties)
    for code, mine in zip(column.codes.tolist(), properties, strict=True):
        assert (code >= 0) == (key in mine)
        if key in mine:
            assert repr(column.values[code]) == repr(mine[key])
    assert len({(type(v), repr(v)) for v in column.values}) == len(column.values)


@given(graphs())
def test_rows_and_arrays_answer_alike(graph: ProvGraph) -> None:
    same(as_arrays(graph), graph)
    consistent(graph)


@settings(max_examples=60)
@given(graphs(), st.data())
def test_a_part_is_what_its_vertices_induce(graph: ProvGraph, data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.sampled_from(graph.uids or [""])))
    types = data.draw(st.none() | st.sets(st.sampled_from(RELATION_NAMES)))
    mask = np.array([graph.uid_at(p) in chosen for p in range(len(graph))], np.bool_)
    part = graph.part(mask, None if types is None else graph.arrays.with_relations(types))
    same(part, graph.induced(chosen, types))
    same(part, as_arrays(graph).induced(chosen, types))
    consistent(part)
    fewer = data.draw(st.sets(st.sampled_from(sorted(chosen) or [""])))
    inner = np.array([part.uid_at(p) in fewer for p in range(len(part))], np.bool_)
    same(part.part(inner), graph.induced(chosen, types).induced(fewer))
    consistent(part.part(inner))


@settings(max_examples=30)
@given(graphs())
def test_arrays_go_to_json_and_networkx_and_back(graph: ProvGraph) -> None:
    arrays = as_arrays(graph)
    assert ProvGraph.from_json(json.dumps(arrays.to_json())) == graph
    assert ProvGraph.from_networkx(arrays.to_networkx()) == graph
    assert arrays.union(graph) == graph


@settings(max_examples=60)
@given(graphs(), st.none() | st.sets(st.sampled_from(RELATION_NAMES)), st.booleans())
def test_an_adjacency_has_every_edge_once_at_its_end(
    graph: ProvGraph, relations: set[str] | None, reverse: bool
) -> None:
    arrays = graph.arrays
    found = arrays.adjacency(relations, reverse=reverse)
    here, there = (arrays.targets, arrays.sources) if reverse else (arrays.sources, arrays.targets)
    wanted = [p for p in range(graph.size) if relations is None or RELATION_NAMES[arrays.relations[p]] in relations]
    assert sorted(found.edge.tolist()) == wanted
    for vertex in range(len(graph)):
        edges = found.edge[found.ptr[vertex] : found.ptr[vertex + 1]].tolist()
        assert edges == sorted(edges)
        assert all(here[edge] == vertex for edge in edges)
        assert found.other[found.ptr[vertex] : found.ptr[vertex + 1]].tolist() == there[edges].tolist()
    assert arrays.adjacency(relations, reverse=reverse) is found


def test_ten_thousand_parallel_edges() -> None:
    vertices = [Vertex("a", ("Activity",)), Vertex("e", ("Entity",))]
    graph = ProvGraph(vertices, [Edge("used", "a", "e", {"role": f"{n}"}) for n in range(10_000)])
    arrays = as_arrays(graph)
    assert arrays.edges == graph.edges
    assert len(arrays.out_edges("a")) == 10_000
    assert arrays.part(np.ones(2, np.bool_)) == graph
    assert len(graph.edge_column("role").values) == 10_000
    assert ProvGraph.from_json(arrays.to_json()) == graph


def test_an_empty_graph() -> None:
    graph = ProvGraph([], [])
    same(as_arrays(graph), graph)
    consistent(graph)
    part = graph.part(np.zeros(0, np.bool_), np.zeros(0, np.bool_))
    same(part, graph)
    assert graph.arrays.adjacency().ptr.tolist() == [0]
    assert ProvGraph.from_json(part.to_json()) == graph


def test_a_part_says_what_it_answers() -> None:
    graph = ProvGraph([Vertex("a", ("Activity",))], [])
    part = graph.part(np.ones(1, np.bool_), query={"command": "segment"}, notes=["a note"])
    assert dict(part.query or {}) == {"command": "segment"}
    assert part.notes == ("a note",)


def test_rows_of_an_unknown_relation_are_no_arrays() -> None:
    rows = [("a", ("Activity",), "{}"), ("b", ("Entity",), "{}")]
    graph = ProvGraph.from_rows(rows, [("ate", "a", "b", "{}", "u")])
    assert graph.size == 1
    with pytest.raises(InputError, match="there is no relation 'ate'"):
        _ = graph.arrays


def test_a_small_graph_never_loads_numpy() -> None:
    code = (
        "import sys; from provgraph.graph.provgraph import ProvGraph as G; from provgraph.graph.elements import *\n"
        "g = G([Vertex('a', ('Activity',)), Vertex('e', ('Entity',))], [Edge('used', 'a', 'e')])\n"
        "g.to_json(), g.out_edges('a'), g.induced(['a']), g.position('a'), g.vertex_at(0), g.edge_at(0)\n"
        "G.from_json(g.to_json())\n"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
