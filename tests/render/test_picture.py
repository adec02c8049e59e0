"""What a picture holds, before anything is drawn."""

import pytest
from picture_samples import history, snapshot

from provgraph.graph.comparison import Comparison, Content, Difference, Pair
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.summary import Group, SegmentScore, Summary, SummaryEdge
from provgraph.model.vocabulary import Kind
from provgraph.render.pictures.comparisons import picture_of_comparison
from provgraph.render.pictures.graphs import picture_of_graph
from provgraph.render.pictures.picture import Node, Picture, Tone, TooLargeError
from provgraph.render.pictures.summaries import picture_of_summary


def by_key(picture: Picture) -> dict[str, Node]:
    return {node.key: node for node in picture.nodes}


def ends(picture: Picture) -> set[tuple[str, str, str]]:
    return {(arrow.source, arrow.relation, arrow.target) for arrow in picture.arrows}


def test_people_stand_inside_and_programs_in_the_tooltip() -> None:
    picture = picture_of_graph(history())
    nodes = by_key(picture)
    assert nodes.keys().isdisjoint({"alice", "bob", "python"})
    assert nodes["train1"].agents == ("Alice",) and nodes["train2"].agents == ("Bob",)
    assert "wasAssociatedWith (program): python" in nodes["train1"].tooltip
    assert nodes["train1"].kind is Kind.ACTIVITY and nodes["train2"].lines == ("exit 3",)
    assert nodes["config2"].lines == ("content unknown",)


def test_agents_with_more_to_say_are_drawn() -> None:
    extended = history().union(
        ProvGraph(
            [Vertex("bob", ("Agent", "Person"), {"name": "Bob"}), Vertex("lab", ("Agent",), {"name": "Lab"})],
            [Edge("actedOnBehalfOf", "bob", "lab")],
        )
    )
    nodes = by_key(picture_of_graph(extended))
    assert {"bob", "lab"} <= nodes.keys() and "alice" not in nodes
    assert "alice" in by_key(picture_of_graph(history(), roots=["alice"]))
    alone = ProvGraph([Vertex("bob", ("Agent",), {"name": "Bob"})], [])
    assert "bob" in by_key(picture_of_graph(alone))


def test_what_was_asked_for_and_what_nobody_saw_are_marked() -> None:
    picture = picture_of_graph(history())
    nodes = by_key(picture)
    assert picture.title == "Where model.pkl came from"
    assert nodes["model2"].tone is Tone.ASKED and nodes["unseen"].tone is Tone.UNSEEN
    assert nodes["unseen"].name == "unrecorded change"
    assert {tone for tone, _ in picture.legend} == {Tone.ASKED, Tone.UNSEEN}


def test_a_derivation_that_arrows_tell_is_not_drawn_twice() -> None:
    picture = picture_of_graph(history())
    assert ("config2", "wasDerivedFrom", "config1") not in ends(picture)
    assert "wasDerivedFrom (Revision): config.json@1" in by_key(picture)["config2"].tooltip
    assert ("model2", "wasDerivedFrom", "model1") in ends(picture)


def test_relations_that_shapes_do_not_tell_bear_their_name() -> None:
    arrows = {(arrow.source, arrow.relation): arrow for arrow in picture_of_graph(history()).arrows}
    assert arrows["model1", "wasInvalidatedBy"].label == "wasInvalidatedBy"
    assert arrows["model1", "wasInvalidatedBy"].backwards
    assert arrows["model1", "wasGeneratedBy"].label == ""
    assert not arrows["rm", "used"].backwards


def test_a_segment_says_why_in_words() -> None:
    why = {"script": "similar", "config1": "sibling", "data": "expansion"}
    nodes = by_key(picture_of_graph(history(), why=lambda uid: why.get(uid, "direct")))
    assert nodes["script"].lines == ("similar",) and nodes["script"].tone is Tone.SIMILAR
    assert nodes["config1"].lines == ("sibling",) and nodes["data"].lines == ("expansion",)
    assert nodes["train1"].lines == () and "why: direct" in nodes["train1"].tooltip


def test_a_segment_from_a_file_keeps_its_ends() -> None:
    query = {"command": "segment", "sources": ["data"], "destinations": ["model1", "model2"]}
    picture = picture_of_graph(history().with_query(query))
    assert picture.title == "How model.pkl@1, model.pkl@2 came from data.csv@1"
    assert by_key(picture)["data"].lines == ("source",) and by_key(picture)["model2"].lines == ("destination",)
    assert picture_of_graph(history().with_query({**query, "sources": None})).title.endswith("came about")


def test_the_order_of_vertices_and_edges_does_not_matter() -> None:
    graph = history()
    turned = ProvGraph(reversed(graph.vertices), reversed(graph.edges), graph.query)
    assert picture_of_graph(turned) == picture_of_graph(graph)


def test_at_most_two_hundred_vertices_agents_not_counted() -> None:
    vertices = [snapshot(f"e{number}", f"{number}.csv") for number in range(200)]
    agents = [Vertex(f"g{number}", ("Agent",), {"name": f"{number}"}) for number in range(50)]
    edges = [Edge("wasAttributedTo", f"e{number}", f"g{number}") for number in range(50)]
    assert len(picture_of_graph(ProvGraph(vertices + agents, edges)).nodes) == 200
    with pytest.raises(TooLargeError, match="201 vertices are too many for a picture"):
        picture_of_graph(ProvGraph([*vertices, snapshot("more", "more.csv")], []))


def test_a_picture_in_words() -> None:
    said = picture_of_graph(history()).description()
    assert said.startswith("6 entities, 4 activities, ")
    assert "train.py #1 (Activity, by Alice): used config.json@1, data.csv@1, train.py@1." in said


def summary(segments: int = 10) -> Summary:
    def group(name: str, kind: Kind, size: int, has: int) -> Group:
        return Group(name, kind, {}, 1, size, has, has / segments, examples=(name,))

    def edge(source: str, relation: str, target: str, has: int) -> SummaryEdge:
        return SummaryEdge(source, relation, target, has, has / segments)

    return Summary(
        (
            group("data.csv", Kind.ENTITY, segments * 3, segments),
            group("extra.csv", Kind.ENTITY, 1, 1),
            group("train.py", Kind.ACTIVITY, segments, segments),
            group("Alice", Kind.AGENT, 4, 4),
        ),
        (
            edge("train.py", "used", "data.csv", segments),
            edge("train.py", "used", "extra.csv", 1),
            edge("train.py", "wasAssociatedWith", "Alice", 4),
        ),
        tuple(SegmentScore(f"s{number}", 3, 2, 0.0) for number in range(segments)),
        vertices=segments * 5,
    )


def test_a_summary_says_how_many_and_what_is_rare() -> None:
    picture = picture_of_summary(summary())
    nodes = by_key(picture)
    assert nodes["data.csv"].lines == ("in all 10, ×30",) and nodes["train.py"].lines == ("in all 10",)
    assert nodes["extra.csv"].lines == ("in 1 of 10", "rare") and nodes["extra.csv"].tone is Tone.RARE
    assert nodes["train.py"].agents == ("Alice (4 of 10)",)
    labels = {arrow.target: arrow.label for arrow in picture.arrows}
    assert labels == {"data.csv": "", "extra.csv": "1 of 10"}
    assert picture.legend == ((Tone.RARE, "rare: in 2 of 10 segments or fewer"),)
    assert picture_of_summary(summary(4)).legend == ((Tone.RARE, "rare: in 1 of 4 segments"),)


def test_a_summary_of_one_segment_has_sizes_alone() -> None:
    one = Summary((Group("a", Kind.ENTITY, {}, 1, 7, 1, 1.0),), (), (SegmentScore("s", 7, 0, 0.0),), vertices=7)
    assert picture_of_summary(one).nodes[0].lines == ("×7",)


def comparison() -> Comparison:
    first, second = snapshot("m1", "model.pkl"), snapshot("m2", "model.pkl", 2)
    run1, run2 = (Vertex(f"t{n}", ("Activity",), {"name": f"train.py #{n}", "number": n}) for n in (1, 2))
    data, old, new = snapshot("d", "data.csv"), snapshot("o", "old.csv"), snapshot("n", "new.csv")
    alice = Vertex("alice", ("Agent", "Person"), {"name": "Alice"})
    shared = [(Edge("wasGeneratedBy", "m1", "t1"), Edge("wasGeneratedBy", "m2", "t2"))]
    shared.append((Edge("used", "t1", "d"), Edge("used", "t2", "d")))
    telling = tuple(Difference(f"param_{key}", "differs", "parameter", 1, 2) for key in "abcd")
    return Comparison(
        "graphs",
        "model.pkl@1",
        "model.pkl@2",
        (
            Pair(data, data),
            Pair(run1, run2, telling),
            Pair(first, second, content=Content("differs")),
            Pair(alice, alice),
        ),
        (old,),
        (new,),
        tuple(shared),
        (Edge("used", "t1", "o"), Edge("wasAssociatedWith", "t1", "alice")),
        (Edge("used", "t2", "n"), Edge("wasDerivedFrom", "m2", "d")),
    )


def test_a_comparison_says_in_words_which_of_the_two_has_it() -> None:
    picture = picture_of_comparison(comparison())
    nodes = by_key(picture)
    assert nodes["both d"].tone is Tone.SHARED and nodes["both d"].lines == ()
    assert nodes["both m1"].name == "model.pkl@1 → @2" and nodes["both m1"].lines == ("content differs",)
    assert nodes["both t1"].name == "train.py #1 → #2" and nodes["both t1"].tone is Tone.DIFFERENT
    assert nodes["both t1"].lines == (
        "param_a: 1 → 2", "param_b: 1 → 2", "param_c: 1 → 2", "1 more property differs",
    )  # fmt: skip
    assert nodes["both t1"].agents == ("Alice (only first)",)
    assert nodes["first o"].lines == ("only first",) and nodes["second n"].lines == ("only second",)
    arrows = {(arrow.source, arrow.target, arrow.relation): arrow for arrow in picture.arrows}
    assert arrows["both t1", "first o", "used"].tone is Tone.FIRST
    assert arrows["both m1", "both t1", "wasGeneratedBy"].tone is Tone.PLAIN
    assert arrows["both m1", "both d", "wasDerivedFrom"].label == "only second"


def test_a_property_that_one_lacks_is_no_none_and_another_relation_is_a_difference() -> None:
    one, other = (Vertex(f"t{n}", ("Activity",), {"name": "train.py"}) for n in (1, 2))
    lacking = (Difference("metric_a", "first", "metric", 0.5), Difference("param_b", "second", "parameter", None, None))
    pairs = (
        Pair(one, other, lacking),
        Pair(snapshot("m", "m"), snapshot("m", "m")),
        Pair(snapshot("d", "d"), snapshot("d", "d")),
    )
    found = Comparison("graphs", "a", "b", pairs, edges_only_second=(Edge("wasDerivedFrom", "m", "d"),))
    nodes = by_key(picture_of_comparison(found))
    assert nodes["both t1"].lines == ("metric_a (only first)", "param_b (only second)")
    assert "metric_a: 0.5 (only first)" in nodes["both t1"].tooltip
    assert [nodes[f"both {uid}"].tone for uid in "md"] == [Tone.DIFFERENT, Tone.SHARED]


def test_a_comparison_too_large_is_drawn_without_what_is_the_same() -> None:
    same = [Pair(vertex, vertex) for vertex in (snapshot(f"e{number}", f"{number}.csv") for number in range(300))]
    whole = Comparison("graphs", "a", "b", tuple(same), only_second=(snapshot("n", "new.csv"),))
    picture = picture_of_comparison(whole)
    assert [node.name for node in picture.nodes] == ["new.csv@1"]
    assert picture.notes == ("300 vertices that are the same in both, and not beside one that differs, are not drawn",)


def test_arrows_name_nodes() -> None:
    for picture in (picture_of_graph(history()), picture_of_summary(summary()), picture_of_comparison(comparison())):
        keys = by_key(picture).keys()
        assert len(keys) == len(picture.nodes)
        assert all({arrow.source, arrow.target} <= keys for arrow in picture.arrows)
