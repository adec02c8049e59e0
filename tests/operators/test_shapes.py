"""Degenerate and large shapes: what the operators say of nothing, of one thing, of very many, of what goes round."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from operators.closed_form import similar_or_direct

import provgraph
from provgraph.errors import InputError, QuestionError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph

LONG = 20_000


def graph(*steps: tuple[str, Iterable[str], Iterable[str]], alone: Iterable[str] = ()) -> ProvGraph:
    """Activities: (uid, what each used, what each generated); and entities that no activity knows."""
    vertices = {uid: Vertex(uid, ("Entity",)) for uid in alone}
    edges = []
    for activity, used, generated in steps:
        vertices[activity] = Vertex(activity, ("Activity",))
        for uid in used:
            vertices[uid] = Vertex(uid, ("Entity",))
            edges.append(Edge("used", activity, uid))
        for uid in generated:
            vertices[uid] = Vertex(uid, ("Entity",))
            edges.append(Edge("wasGeneratedBy", uid, activity))
    return ProvGraph(vertices.values(), edges)


def chain(length: int) -> ProvGraph:
    """e0 ← a1 ← e1 ← …"""
    return graph(*((f"a{n}", [f"e{n - 1}"], [f"e{n}"]) for n in range(1, length + 1)))


def reasons(segment: Any) -> dict[str, str]:
    return {uid: str(segment.why(uid)) for uid in segment.uids}


def found(where: ProvGraph, source: str | None, destination: str, **options: Any) -> dict[str, str]:
    sources = None if source is None else [source]
    return reasons(provgraph.segment(where, sources, [destination], **options))


def test_an_empty_graph_has_nothing_to_ask_for() -> None:
    empty = ProvGraph([], [])
    with pytest.raises(QuestionError, match="model"):
        provgraph.segment(empty, ["data"], ["model"])
    with pytest.raises(QuestionError):
        provgraph.segment(empty, ["data"], [])
    summary = provgraph.summarize([empty], keep={}, hops=1)
    assert (len(summary.groups), len(summary.edges), summary.vertices) == (0, 0, 0)
    assert json.dumps(summary.to_json())


@pytest.mark.parametrize("similar", [True, False])
@pytest.mark.parametrize("source", ["data", None])
def test_one_vertex_is_a_path_from_itself_to_itself(similar: bool, source: str | None) -> None:
    one = graph(alone=["data"])
    assert found(one, source, "data", similar=similar) == {"data": "direct"}
    summary = provgraph.summarize([one], keep={}, hops=2)
    assert [group.size for group in summary.groups] == [1]


def test_where_source_and_destination_are_one_nothing_else_is_asked_for() -> None:
    assert found(chain(3), "e2", "e2") == {"e2": "direct"}


def test_a_destination_that_reaches_no_source_says_so() -> None:
    segment = provgraph.segment(graph(("a", ["raw"], ["model"]), alone=["other"]), ["other"], ["model"])
    assert reasons(segment) == {"model": "query", "other": "query"}
    assert segment.size == 0
    assert segment.notes
    # The wrong way round is unreachable too.
    assert found(chain(2), "e2", "e0") == {"e0": "query", "e2": "query"}


def test_components_do_not_mix() -> None:
    two = graph(("a1", ["x1"], ["y1"]), ("a2", ["x2"], ["y2"]), alone=["z"])
    assert found(two, None, "y1") == {"a1": "direct", "x1": "direct", "y1": "direct"}
    both = provgraph.segment(two, ["x1", "x2"], ["y1", "y2"])
    assert set(both.uids) == {"a1", "a2", "x1", "x2", "y1", "y2"}
    assert len(provgraph.summarize([two], keep={}, hops=1).groups) == 4  # x, a, y, and z, which has another type


def test_ten_thousand_parallel_edges_are_one_step() -> None:
    vertices = [Vertex("model", ("Entity",)), Vertex("train", ("Activity",)), Vertex("data", ("Entity",))]
    edges = [Edge("used", "train", "data", {"role": f"part {n}"}) for n in range(10_000)]
    many = ProvGraph(vertices, [*edges, Edge("wasGeneratedBy", "model", "train")])
    segment = provgraph.segment(many, ["data"], ["model"])
    assert reasons(segment) == {"data": "direct", "model": "direct", "train": "direct"}
    assert segment.size == 10_001
    # Parallel edges are counted, so with one edge less train and data, in two hops also model, are of another type.
    fewer = ProvGraph(vertices, [*edges[1:], Edge("wasGeneratedBy", "model", "train")])
    for hops, groups in ((0, 3), (1, 5), (2, 6)):
        assert len(provgraph.summarize([many, fewer], keep={}, hops=hops).groups) == groups


def test_a_cycle_is_an_error_that_names_it() -> None:
    round_about = graph(("a", ["x"], ["y"]), ("b", ["y"], ["x"]), ("c", ["y"], ["z"]), ("d", ["p"], ["q"]))
    with pytest.raises(InputError) as error:
        provgraph.segment(round_about, ["x"], ["z"])
    assert {"a", "b", "x", "y"} <= set(str(error.value).replace(",", " ").replace("`", " ").split()), str(error.value)
    # What is not met does no harm, nor what is excluded.
    assert found(round_about, "p", "q") == {"p": "direct", "q": "direct", "d": "direct"}
    around = provgraph.segment(round_about, ["y"], ["z"], exclude=["relation=wasGeneratedBy"])
    assert set(around.uids) == {"y", "z"}
    # A summary takes it: its words have no end, and it has them all.
    assert len(provgraph.summarize([round_about], keep={}, hops=0).groups) >= 2


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_graph_file_cut_in_half_is_refused(part: float) -> None:
    text = json.dumps(provgraph.segment(chain(20), ["e0"], ["e20"]).to_json())
    with pytest.raises(InputError, match=r"half a file|no JSON"):
        ProvGraph.from_json(text[: int(len(text) * part)])


@pytest.mark.parametrize("options", [{}, {"similar": False}, {"match": {"activity": ["utility"]}}])
def test_a_long_chain(options: dict[str, Any]) -> None:
    long = chain(LONG)
    assert set(found(long, "e0", f"e{LONG}", **options).values()) == {"direct"}
    half = provgraph.segment(long, [f"e{LONG // 2}"], [f"e{LONG}"], expand={"e5": 2}, **options)
    assert len(half) == LONG + 1 + 5
    last = half.explain(f"e{LONG - 1}")
    assert len(last.ways[0].vertices) == LONG + 1


def test_a_long_chain_is_summarized() -> None:
    """Each of its vertices has words of another length before and behind it: none merge."""
    summary = provgraph.summarize([chain(1_000)], keep={}, hops=1)
    assert len(summary.groups) == 2_001
    assert len(provgraph.summarize([chain(1_000), chain(1_000)], keep={}, hops=1).groups) == 2_001


def test_a_star() -> None:
    """One entity that thousands of activities used; one activity that generated thousands of entities."""
    users = graph(*((f"a{n}", ["hub"], [f"e{n}"]) for n in range(5_000)))
    assert found(users, "hub", "e7") == {"hub": "direct", "a7": "direct", "e7": "direct"}
    maker = graph(("a", [f"x{n}" for n in range(5_000)], [f"y{n}" for n in range(5_000)]))
    segment = provgraph.segment(maker, ["x1"], ["y1"])
    assert len(segment) == 10_001
    assert {segment.why(uid) for uid in ("x2", "y2")} == {"similar", "sibling"}
    assert len(provgraph.segment(maker, ["x1"], ["y1"], similar=False)) == 5_002
    sizes = sorted(group.size for group in provgraph.summarize([users], keep={}, hops=0).groups)
    assert sizes == [1, 5_000, 5_000]


def ladder(rungs: int) -> ProvGraph:
    """Diamonds on diamonds: 2 ** rungs walks."""
    steps = []
    for n in range(1, rungs + 1):
        steps += [(f"left{n}", [f"e{n - 1}"], [f"e{n}"]), (f"right{n}", [f"e{n - 1}"], [f"e{n}"])]
    return graph(*steps)


def test_a_ladder_of_diamonds() -> None:
    forty = ladder(40)
    assert set(found(forty, "e0", "e40").values()) == {"direct"}
    assert len(found(forty, "e20", "e40")) == 61
    assert found(forty, "e20", "e40") == found(forty, "e20", "e40", match={"activity": ["utility"]})
    assert len(provgraph.summarize([forty], keep={}, hops=0).groups) == 81


def skips(length: int, *strides: int) -> ProvGraph:
    """A chain in which some activities also used what lies further back."""
    return graph(
        *((f"a{n}", {f"e{max(0, n - stride)}" for stride in strides}, [f"e{n}"]) for n in range(1, length + 1))
    )


@pytest.mark.parametrize("strides", [(1, 2), (1, 8), (1, 8, 64), (3, 5)])
@pytest.mark.parametrize("source", ["e0", "e150", "e299"])
def test_skips_make_many_lengths(strides: tuple[int, ...], source: str) -> None:
    """Sets of lengths with gaps, against the closed form; and the same with a match in which nothing differs."""
    where = skips(300, *strides)
    expected = similar_or_direct(where, [source], "e300")
    for match in ({}, {"activity": ["utility"]}):
        segment = provgraph.segment(where, [source], ["e300"], match=match)
        on_paths = {uid for uid, why in reasons(segment).items() if why in {"direct", "similar"}}
        assert on_paths == expected


def test_dense_layers() -> None:
    """Every activity of a layer used every entity of the one before."""
    width, depth = 30, 12
    steps = [
        (f"a{layer}.{n}", [f"e{layer - 1}.{m}" for m in range(width)], [f"e{layer}.{n}"])
        for layer in range(1, depth + 1)
        for n in range(width)
    ]
    layers = graph(*steps)
    segment = provgraph.segment(layers, ["e3.0"], [f"e{depth}.0"])
    assert segment.why("e3.0") == "direct"
    assert {segment.why(f"e3.{n}") for n in range(1, width)} == {"similar"}
    # The 30 entities of each layer between, their activities, the destination and its one activity.
    assert sum(why in {"direct", "similar"} for why in reasons(segment).values()) == width * (2 * (depth - 4) + 1) + 2
    assert len(provgraph.summarize([layers], keep={}, hops=0).groups) == 2 * depth + 1
