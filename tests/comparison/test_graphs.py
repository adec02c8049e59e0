"""Two graphs aligned: what only one has, what differs, nothing twice."""

import random
from collections import Counter
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import provgraph
from provgraph.graph.comparison import Comparison
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.comparison import compare
from provgraph.render.pictures.comparisons import picture_of_comparison
from provgraph.render.pictures.svg import svg_text
from provgraph.schemas import schema, validator


def file(uid: str, path: str, sequence: int = 1, **more: Any) -> Vertex:
    properties = {"path": path, "sequence": sequence, "sha256": f"{uid:0>64}", "created_at": f"2026-01-{sequence:02}"}
    return Vertex(uid, ("Entity", "Snapshot"), properties | more)


def run(uid: str, script: str, *words: str, **more: Any) -> Vertex:
    argv = ["python", script, *words]
    properties = {"name": f"{script} #{len(uid)}", "argv": argv, "command": " ".join(argv), "utility": "python"}
    return Vertex(uid, ("Activity", "Command"), properties | {"script": script} | more)


def person(uid: str) -> Vertex:
    return Vertex(uid, ("Agent", "Person"), {"name": uid, "email": f"{uid.lower()}@example.org"})


def lineage(root: str, vertices: list[Vertex], edges: list[tuple[str, str, str]]) -> ProvGraph:
    graph = ProvGraph(vertices, [Edge(*edge) for edge in edges])
    return graph.with_query({"command": "lineage", "roots": [root]})


def first_training() -> ProvGraph:
    return lineage(
        "m1",
        [
            file("m1", "model.pkl"), run("t1", "train.py"), file("c1", "config.json"), file("d1", "data.csv"),
            person("Alice"),
        ],
        [
            ("wasGeneratedBy", "m1", "t1"), ("used", "t1", "c1"), ("used", "t1", "d1"),
            ("wasAssociatedWith", "t1", "Alice"),
        ],
    )  # fmt: skip


def second_training(*words: str, **more: Any) -> ProvGraph:
    """The configuration was changed by nobody knows whom, and Bob trained."""
    return lineage(
        "m2",
        [
            file("m2", "model.pkl", 2), run("t2", "train.py", *words, **more), file("c2", "config.json", 2),
            Vertex("u", ("Activity", "Unseen"), {}), file("c1", "config.json"), file("d1", "data.csv"), person("Bob"),
        ],
        [
            ("wasGeneratedBy", "m2", "t2"), ("used", "t2", "c2"), ("used", "t2", "d1"), ("wasGeneratedBy", "c2", "u"),
            ("used", "u", "c1"), ("wasAssociatedWith", "t2", "Bob"),
        ],
    )  # fmt: skip


def pairs(found: Comparison) -> set[tuple[str, str]]:
    return {(pair.first.uid, pair.second.uid) for pair in found.both}


def test_two_trainings_are_aligned_by_what_they_did() -> None:
    found = compare(first_training(), second_training())
    assert pairs(found) == {("m1", "m2"), ("t1", "t2"), ("c1", "c2"), ("d1", "d1")}
    assert [v.uid for v in found.only_first] == ["Alice"]
    assert {v.uid for v in found.only_second} == {"u", "c1", "Bob"}
    assert found.displaced == {"c1": "c2"}, "the first has it too, in another place"
    assert found.roots == (("m1", "m2"),)
    assert (found.first, found.second) == ("model.pkl@1", "model.pkl@2")


def test_nothing_is_told_twice() -> None:
    found = compare(first_training(), second_training("--lr", "2", param_lr=2))
    assert found.changed_edges == ((), ()), "edges of vertices that only one has come with them"
    training = next(pair for pair in found.both if pair.first.uid == "t1")
    assert [d.key for d in training.telling] == ["param_lr", "command"], "not again by argv, options, script"
    assert training.telling[1].words == (("=", "python"), ("=", "train.py"), ("+", "--lr"), ("+", "2"))
    config = next(pair for pair in found.both if pair.first.uid == "c1")
    assert config.telling == () and config.content is not None and config.content.state == "differs"


def test_an_edge_between_aligned_vertices_is_a_difference_of_its_own() -> None:
    vertices = list(first_training())
    edges = [(e.type, e.source, e.target) for e in first_training().edges]
    second = lineage("m1", vertices, [edge for edge in edges if edge[2] != "d1"])
    found = compare(first_training(), second)
    assert [(e.type, e.target) for e in found.changed_edges[0]] == [("used", "d1")]
    assert not found.only_first and not found.only_second and found


def test_configurations_of_other_names_stand_in_the_same_place() -> None:
    first = lineage(
        "m", [file("m", "m"), run("t", "t.py"), file("a", "a.json")], [("wasGeneratedBy", "m", "t"), ("used", "t", "a")]
    )
    second = lineage(
        "n", [file("n", "n"), run("s", "t.py"), file("b", "b.json")], [("wasGeneratedBy", "n", "s"), ("used", "s", "b")]
    )
    found = compare(first, second)
    assert pairs(found) == {("m", "n"), ("t", "s"), ("a", "b")}
    assert "path" in [d.key for pair in found.both if pair.first.uid == "a" for d in pair.telling]


def test_what_another_activity_also_used_stays_what_it_is() -> None:
    """The second evaluated on new data; the training's data are the same in both."""
    shared = [file("d1", "data.csv"), run("t", "train.py"), file("m", "model.pkl")]
    edges = [("wasGeneratedBy", "m", "t"), ("used", "t", "d1")]
    first = lineage("r1", [*shared, run("e1", "eval.py"), file("r1", "r")],
                    [*edges, ("wasGeneratedBy", "r1", "e1"), ("used", "e1", "m"), ("used", "e1", "d1")])  # fmt: skip
    second = lineage("r2", [*shared, file("d2", "data.csv", 2), run("e2", "eval.py"), file("r2", "r", 2)],
                     [*edges, ("wasGeneratedBy", "r2", "e2"), ("used", "e2", "m"), ("used", "e2", "d2")])  # fmt: skip
    found = compare(first, second)
    assert ("d1", "d1") in pairs(found) and [v.uid for v in found.only_second] == ["d2"]
    assert [(e.source, e.target) for e in found.changed_edges[0]] == [("e1", "d1")]


def test_contents_are_asked_for() -> None:
    data = {"c1": b'{"lr": 1}', "c2": b'{"lr": 2}', "m1": b"\x80\x00", "m2": b"\x80\x00\x01"}
    found = compare(first_training(), second_training(), contents=lambda vertex: data[vertex.uid])
    config = next(pair for pair in found.both if pair.first.uid == "c1")
    assert config.content is not None and config.content.changes[0].path == "lr"


def test_only_so_many_contents_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provgraph.queries.comparison.graphs.MOST_CONTENTS", 3)
    graphs = [ProvGraph([file(f"{side}{n}", f"f{n}") for n in range(9)], []) for side in "ab"]
    asked: list[str] = []

    def read(vertex: Vertex) -> bytes:
        asked.append(vertex.uid)
        return vertex.uid.encode()

    found = compare(graphs[0], graphs[1], contents=read)
    assert len(asked) == 6 and all(pair.differs for pair in found.both)


def test_the_past_comes_first() -> None:
    order = [pair.first.uid for pair in compare(first_training(), second_training()).both]
    assert order.index("c1") < order.index("t1") < order.index("m1")


def test_agents_that_were_merged_are_one() -> None:
    """Into one who is there, in steps, in a ring, or into somebody whom neither graph has."""

    def by(uid: str, prefix: str, **more: Any) -> ProvGraph:
        who = Vertex(uid, ("Agent", "Person"), {"name": uid, "email": f"{uid}@example.org"} | more)
        vertices = [run(f"{prefix}-run", "train.py"), file(f"{prefix}-out", "model.pkl"), who]
        edges = [("wasGeneratedBy", vertices[1].uid, vertices[0].uid), ("wasAssociatedWith", vertices[0].uid, uid)]
        return lineage(vertices[1].uid, vertices, edges)

    assert ("work", "home") not in pairs(compare(by("work", "a"), by("home", "b")))
    for mine, theirs in ({"same_as": "home"}, {}), ({"same_as": "home"}, {"same_as": "work"}), (
        {"same_as": "third"}, {"same_as": "third"},
    ):  # fmt: skip
        found = compare(by("work", "a", **mine), by("home", "b", **theirs))
        assert ("work", "home") in pairs(found)
        assert not found.only_first and not found.only_second and not found.edges_only_first


def test_empty_graphs_and_cycles() -> None:
    empty = ProvGraph([], [])
    assert not compare(empty, empty)
    assert len(compare(empty, first_training()).only_second) == 5
    cycle = ProvGraph([file("a", "a"), run("r", "r.py")], [Edge("used", "r", "a"), Edge("wasGeneratedBy", "a", "r")])
    assert pairs(compare(cycle, cycle)) == {("a", "a"), ("r", "r")}


def test_the_document_fits_its_schema() -> None:
    data = {"c1": b'{"lr": 1}', "c2": b'{"lr": NaN}', "m1": b"a,b\n1,2\n", "m2": b"a,b\n1,3\n"}
    found = compare(first_training(), second_training("-x", metric_loss=float("inf")), contents=lambda v: data[v.uid])
    jsonschema.validate(found.to_json(), schema("comparison"), cls=jsonschema.Draft202012Validator)
    validator("comparison")(found.to_json())


def test_it_is_public() -> None:
    assert provgraph.compare(first_training(), second_training()).differs
    assert repr(compare(first_training(), second_training())) == (
        "<Comparison of model.pkl@1 and model.pkl@2: 2 of 4 pairs differ, 1 and 3 alone>"
    )


GRAPH = st.builds(
    lambda entities, activities, edges: (entities, activities, edges),
    st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=6),
    st.lists(st.sampled_from(["p.py", "q.py"]), max_size=4),
    st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), max_size=14),
)


def built(made: tuple[list[str], list[str], list[tuple[bool, int, int]]], prefix: str, seed: int = 0) -> ProvGraph:
    entities, activities, ends = made
    vertices = [file(f"{prefix}e{n}", path, n + 1) for n, path in enumerate(entities)]
    vertices += [run(f"{prefix}a{n}", script) for n, script in enumerate(activities)]
    edges = []
    for generated, entity, activity in ends:
        if entity < len(entities) and activity < len(activities):
            pair = (f"{prefix}e{entity}", f"{prefix}a{activity}")
            edges.append(Edge("wasGeneratedBy", *pair) if generated else Edge("used", *pair[::-1]))
    random.Random(seed).shuffle(vertices)
    random.Random(seed).shuffle(edges)
    return ProvGraph(vertices, edges)


@given(GRAPH, GRAPH)
def test_every_vertex_and_edge_stands_there_once(one: Any, other: Any) -> None:
    first, second = built(one, "1"), built(other, "2")
    found = compare(first, second)
    assert Counter([*(p.first.uid for p in found.both), *(v.uid for v in found.only_first)]) == Counter(first.uids)
    assert Counter([*(p.second.uid for p in found.both), *(v.uid for v in found.only_second)]) == Counter(second.uids)
    assert len(found.edges_both) + len(found.edges_only_first) == first.size
    assert len(found.edges_both) + len(found.edges_only_second) == second.size
    assert all(pair.first.kind is pair.second.kind for pair in found.both)


@given(GRAPH)
def test_a_graph_is_what_it_is(made: Any) -> None:
    graph = built(made, "")
    found = compare(graph, graph)
    assert not found and pairs(found) == {(uid, uid) for uid in graph.uids}


@given(GRAPH)
def test_the_same_under_other_uids(made: Any) -> None:
    """A copy of everything, which shares no uid: nothing is alone, if the paths tell the vertices apart."""
    entities, activities, edges = made
    unique = [f"{path}{n}" for n, path in enumerate(entities)], [f"{n}{s}" for n, s in enumerate(activities)], edges
    found = compare(built(unique, "1"), built(unique, "2"))
    assert not found.only_first and not found.only_second and found.changed_edges == ((), ())


@given(GRAPH, GRAPH)
def test_the_order_of_the_input_does_not_matter(one: Any, other: Any) -> None:
    documents = [compare(built(one, "1", seed), built(other, "2", seed)).to_json() for seed in (0, 1)]
    assert documents[0] == documents[1]


def test_one_uid_of_two_kinds_is_not_one_vertex() -> None:
    """Two files from elsewhere may use the same names for different things."""
    first = ProvGraph([Vertex("x", ("Entity",), {}), Vertex("y", ("Agent",), {})], [Edge("wasAttributedTo", "x", "y")])
    second = ProvGraph([Vertex("x", ("Agent",), {}), Vertex("y", ("Entity",), {})], [Edge("wasAttributedTo", "y", "x")])
    found = compare(first, second)
    assert not any(pair.first.kind is not pair.second.kind for pair in found.both)
    drawn = picture_of_comparison(found)
    keys = {node.key for node in drawn.nodes}
    assert all({arrow.source, arrow.target} <= keys for arrow in drawn.arrows)
    svg_text(drawn)


def test_a_content_that_nobody_knows_is_not_alike() -> None:
    def training(name: str, configuration: Vertex) -> ProvGraph:
        model = file(f"model-{name}", "model.pkl", 1, sha256="ab" * 32)
        return lineage(
            model.uid,
            [model, run(f"train-{name}", "train.py"), configuration],
            [("wasGeneratedBy", model.uid, f"train-{name}"), ("used", f"train-{name}", configuration.uid)],
        )

    unknown = file("c1", "config.json", 1, content="unknown", sha256=None)
    found = compare(training("a", unknown), training("b", file("c2", "config.json", 2, sha256="cd" * 32)))
    (pair,) = [pair for pair in found.both if pair.first.uid == "c1"]
    assert pair.differs and pair.content is not None and pair.content.state == "unknown"
    same = compare(training("a", unknown), training("b", unknown))
    assert not any(pair.differs for pair in same.both if pair.first.uid == "c1")
