"""The operator: the worked example of its definition, every step, and shapes that are easy to get wrong."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from provgraph.errors import InputError, QuestionError, UnknownReferenceError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.segment import Segment, Why
from provgraph.queries.predicates import predicate
from provgraph.queries.segmentation import Boundary, Expansion, segment
from provgraph.schemas import validator

RELATIONS = {
    "u": "used",
    "g": "wasGeneratedBy",
    "w": "wasAssociatedWith",
    "t": "wasAttributedTo",
    "d": "wasDerivedFrom",
}


def graph(text: str, **properties: Mapping[str, Any]) -> ProvGraph:
    """A graph from words like ``train:u:data`` (activity used entity). ``properties`` by uid."""
    kinds: dict[str, str] = {}
    edges = []
    for word in text.split():
        source, relation, target = word.split(":")
        begin, end = {
            "u": ("Activity", "Entity"),
            "g": ("Entity", "Activity"),
            "w": ("Activity", "Agent"),
            "t": ("Entity", "Agent"),
            "d": ("Entity", "Entity"),
        }[relation]
        kinds |= {source: begin, target: end}
        edges.append(Edge(RELATIONS[relation], source, target))
    vertices = [Vertex(uid, (kind,), {"name": uid, **properties.get(uid, {})}) for uid, kind in kinds.items()]
    return ProvGraph(vertices, edges)


def reasons(found: Segment) -> dict[str, str]:
    return {uid: str(found.why(uid)) for uid in found.uids}


def because(found: Segment, why: Why) -> set[str]:
    return {uid for uid in found.uids if found.why(uid) is why}


@pytest.fixture
def figure_2() -> ProvGraph:
    """Figure 2 of the Bulletin paper."""
    runs = {
        "train-v1": ("dataset-v1 model-v1 solver-v1", "logs-v1 weight-v1", "Alice"),
        "update-v2": ("model-v1", "model-v2", "Alice"),
        "train-v2": ("dataset-v1 model-v2 solver-v1", "logs-v2 weight-v2", "Alice"),
        "update-v3": ("solver-v1", "solver-v3", "Bob"),
        "train-v3": ("dataset-v1 model-v1 solver-v3", "logs-v3 weight-v3", "Bob"),
    }
    words = ["model-v2:d:model-v1"]
    for activity, (used, generated, agent) in runs.items():
        words += [f"{activity}:u:{entity}" for entity in used.split()]
        words += [f"{entity}:g:{activity}" for entity in generated.split()]
        words.append(f"{activity}:w:{agent}")
    return graph(" ".join(words))


def test_the_worked_example(figure_2: ProvGraph) -> None:
    found = segment(figure_2, ["dataset-v1"], ["weight-v2"])
    assert reasons(found) == {
        "dataset-v1": "direct",
        "weight-v2": "direct",
        "train-v2": "direct",
        "model-v2": "similar",
        "solver-v1": "similar",
        "logs-v2": "sibling",
        "Alice": "agent",
    }
    assert set(found.edge_ends()) == {
        ("used", "train-v2", "dataset-v1"),
        ("used", "train-v2", "model-v2"),
        ("used", "train-v2", "solver-v1"),
        ("wasGeneratedBy", "logs-v2", "train-v2"),
        ("wasGeneratedBy", "weight-v2", "train-v2"),
        ("wasAssociatedWith", "train-v2", "Alice"),
    }
    assert found.sources == ("dataset-v1",) and found.destinations == ("weight-v2",) and found.notes == ()


def test_the_worked_example_expanded(figure_2: ProvGraph) -> None:
    plain = segment(figure_2, ["dataset-v1"], ["weight-v2"])
    found = segment(figure_2, ["dataset-v1"], ["weight-v2"], expand=[Expansion(None, 2)])
    assert reasons(found) == reasons(plain) | {"update-v2": "expansion", "model-v1": "expansion"}
    assert ("wasDerivedFrom", "model-v2", "model-v1") in found.edge_ends()


def test_without_similar_walks(figure_2: ProvGraph) -> None:
    found = segment(figure_2, ["dataset-v1"], ["weight-v2"], similar=False)
    assert set(found.uids) == {"dataset-v1", "weight-v2", "train-v2", "logs-v2", "Alice"}


def test_roots_where_no_source_is_named(figure_2: ProvGraph) -> None:
    found = segment(figure_2, None, ["weight-v3"])
    assert found.sources == ("dataset-v1", "model-v1", "solver-v1")
    assert because(found, Why.DIRECT) == {
        "weight-v3", "train-v3", "solver-v3", "update-v3", "dataset-v1", "model-v1", "solver-v1",
    }  # fmt: skip
    assert found.query is not None and found.query["sources"] is None


def test_downstream_expansion_of_a_chosen_vertex(figure_2: ProvGraph) -> None:
    found = segment(figure_2, ["dataset-v1"], ["weight-v2"], expand=[Expansion(("solver-v1",), 1, downstream=True)])
    assert because(found, Why.EXPANSION) == {"train-v1", "logs-v1", "weight-v1", "update-v3", "solver-v3"}


def test_an_expansion_brings_no_siblings_and_no_agents(figure_2: ProvGraph) -> None:
    found = segment(figure_2, ["dataset-v1"], ["weight-v1"], expand=[Expansion(("solver-v3",), 1)])
    assert because(found, Why.EXPANSION) == {"update-v3", "solver-v3"} and "Bob" not in found


def test_an_activity_counts_for_an_expansion_from_it(figure_2: ProvGraph) -> None:
    ask: Callable[[int], Segment] = lambda k: segment(  # noqa: E731
        figure_2, ["dataset-v1"], ["weight-v1"], expand=[Expansion(("train-v2",), k)]
    )
    assert because(ask(0), Why.EXPANSION) == {"train-v2"}
    assert because(ask(1), Why.EXPANSION) == {"train-v2", "model-v2"}
    assert because(ask(2), Why.EXPANSION) == {"train-v2", "model-v2", "update-v2"}


def test_match_on_a_property() -> None:
    words = "d:g:a a:u:x d:g:b b:u:y x:g:p p:u:s y:g:q q:u:t"
    commands = {"a": {"command": "sort"}, "b": {"command": "sort"}, "p": {"command": "cut"}, "q": {"command": "uniq"}}
    loose = segment(graph(words, **commands), ["s"], ["d"])
    assert because(loose, Why.SIMILAR) == {"b", "y", "q", "t"}
    assert not because(segment(graph(words, **commands), ["s"], ["d"], match={"Activity": ["command"]}), Why.SIMILAR)
    commands["q"] = {"command": "cut"}
    assert because(segment(graph(words, **commands), ["s"], ["d"], match={"activity": ["command"]}), Why.SIMILAR) == {
        "b", "y", "q", "t",
    }  # fmt: skip
    # absent equals absent, and is no value
    del commands["p"]["command"], commands["q"]["command"]
    assert because(segment(graph(words, **commands), ["s"], ["d"], match={"activity": "command"}), Why.SIMILAR)
    commands["q"] = {"command": ""}
    assert not because(segment(graph(words, **commands), ["s"], ["d"], match={"activity": "command"}), Why.SIMILAR)


def test_match_of_a_source_in_the_middle_of_a_walk() -> None:
    words = "d:g:a a:u:s s:g:b b:u:r d:g:c c:u:x x:g:e e:u:y"
    commands = {"a": {"c": 1}, "c": {"c": 1}, "b": {"c": 2}, "e": {"c": 3}}
    found = segment(graph(words, **commands), ["s"], ["d"], match={"activity": ["c"]})
    assert because(found, Why.SIMILAR) == {"c", "x"}


def test_what_is_excluded_is_gone_for_every_step(figure_2: ProvGraph) -> None:
    boundary = Boundary((predicate("Entity.name=model-v2"), predicate("relation=wasAssociatedWith")))
    found = segment(figure_2, ["dataset-v1"], ["weight-v2"], boundary=boundary)
    assert set(found.uids) == {"dataset-v1", "weight-v2", "train-v2", "solver-v1", "logs-v2"}
    assert all(relation != "wasAssociatedWith" for relation, _, _ in found.edge_ends())
    assert found.query is not None and found.query["exclude"] == ["Entity.name=model-v2", "relation=wasAssociatedWith"]
    cut = segment(figure_2, ["model-v1"], ["weight-v2"], boundary=Boundary((predicate("Activity.name=update-v2"),)))
    assert reasons(cut) == {"model-v1": "query", "weight-v2": "query"} and cut.notes


def test_a_root_is_one_within_the_boundary(figure_2: ProvGraph) -> None:
    found = segment(figure_2, None, ["weight-v2"], boundary=Boundary((predicate("name=update-v2"),)))
    assert found.sources == ("dataset-v1", "model-v2", "solver-v1")


@pytest.mark.parametrize(
    ("sources", "destinations", "boundary", "error", "named"),
    [
        (["nothing"], ["weight-v2"], Boundary(), UnknownReferenceError, "nothing"),
        (["train-v1"], ["weight-v2"], Boundary(), QuestionError, "train-v1 is an activity"),
        (["dataset-v1"], ["Bob"], Boundary(), QuestionError, "Bob is an agent"),
        (["dataset-v1"], [], Boundary(), QuestionError, "destination"),
        ([], ["weight-v2"], Boundary(), QuestionError, "source"),
        (["dataset-v1"], ["weight-v2"], Boundary((predicate("name=dataset-v1"),)), QuestionError, "dataset-v1"),
    ],
)
def test_questions_that_make_no_sense(
    figure_2: ProvGraph, sources: list[str], destinations: list[str], boundary: Boundary, error: type, named: str
) -> None:
    with pytest.raises(error, match=named):
        segment(figure_2, sources, destinations, boundary=boundary)


def test_expansions_and_matches_that_make_no_sense(figure_2: ProvGraph) -> None:
    with pytest.raises(QuestionError, match="-1 activities"):
        segment(figure_2, None, ["weight-v2"], expand=[Expansion(None, -1)])
    with pytest.raises(UnknownReferenceError, match="nobody"):
        segment(figure_2, None, ["weight-v2"], expand=[Expansion(("nobody",), 1)])
    with pytest.raises(QuestionError, match="'agent' is no kind"):
        segment(figure_2, None, ["weight-v2"], match={"agent": ["name"]})


def test_one_vertex() -> None:
    alone = ProvGraph([Vertex("e", ("Entity",))], [])
    assert reasons(segment(alone, ["e"], ["e"])) == {"e": "direct"}
    assert reasons(segment(alone, None, ["e"])) == {"e": "direct"}


def test_source_is_destination(figure_2: ProvGraph) -> None:
    found = segment(figure_2, ["weight-v2"], ["weight-v2"])
    assert reasons(found) == {"weight-v2": "direct"} and not found.notes


def test_what_reaches_no_source_is_said(figure_2: ProvGraph) -> None:
    found = segment(figure_2, ["weight-v1"], ["weight-v2"])
    assert reasons(found) == {"weight-v1": "query", "weight-v2": "query"} and not found.found
    assert found.notes == ("no destination reaches a source: the segment is the query's vertices",)
    some = segment(figure_2, ["model-v2"], ["weight-v1", "weight-v2"])
    assert some.notes == ("weight-v1 reaches no source",) and some.found
    assert some.why("weight-v1") is Why.QUERY and "train-v1" not in some


def test_a_destination_that_came_of_nothing_but_an_activity() -> None:
    found = segment(graph("e:g:a f:g:a"), None, ["e"])
    assert reasons(found) == {"e": "direct", "a": "direct", "f": "sibling"}
    assert found.sources == ("a",) and not found.notes


def test_several_components() -> None:
    one = "d1:g:a1 a1:u:s1 a1:u:o1 a1:w:Alice"
    two = "d2:g:a2 a2:u:s2 e2:g:a2 a2:w:Bob"
    found = segment(graph(f"{one} {two}"), ["s1", "s2"], ["d1", "d2"])
    assert because(found, Why.DIRECT) == {"d1", "a1", "s1", "d2", "a2", "s2"}
    assert because(found, Why.SIMILAR) == {"o1"} and because(found, Why.SIBLING) == {"e2"}
    crossed = segment(graph(f"{one} {two}"), ["s2"], ["d1", "d2"])
    assert "o1" not in crossed and "Alice" not in crossed


@pytest.mark.parametrize("match", [None, {"activity": ["name"]}])
def test_ten_thousand_parallel_edges(match: dict[str, list[str]] | None) -> None:
    vertices = [Vertex(uid, (kind,)) for uid, kind in (("e", "Entity"), ("a", "Activity"), ("s", "Entity"))]
    vertices += [Vertex("b", ("Activity",), {"name": "b"}), Vertex("t", ("Entity",))]
    edges = [Edge("used", "a", "s", {"role": f"r{n}"}) for n in range(10_000)]
    edges += [Edge("wasGeneratedBy", "e", "a"), Edge("wasGeneratedBy", "e", "b"), Edge("used", "b", "t")]
    found = segment(ProvGraph(vertices, edges), ["s"], ["e"], match=match)
    assert because(found, Why.DIRECT) == {"e", "a", "s"} and because(found, Why.SIMILAR) == (
        {"b", "t"} - set("bt" if match else "")
    )
    assert found.size == (10_000 if match else 10_002) + 1


def test_a_cycle_is_named(figure_2: ProvGraph) -> None:
    edges = [*figure_2.edges, Edge("used", "update-v2", "weight-v2")]
    looped = ProvGraph(figure_2.vertices, edges)
    with pytest.raises(InputError, match="model-v2 → update-v2 → weight-v2 → train-v2 → model-v2"):
        segment(looped, ["dataset-v1"], ["weight-v2"])
    assert segment(looped, ["dataset-v1"], ["weight-v1"])  # not met
    assert segment(looped, ["dataset-v1"], ["weight-v2"], boundary=Boundary((predicate("name=update-v2"),)))


def test_a_long_cycle_is_named_in_part() -> None:
    words = [f"e{n}:g:a{n} a{n}:u:e{(n + 1) % 50}" for n in range(50)]
    with pytest.raises(InputError, match=r"a0 → e1 → a1 → .* … 93 more … → a0"):
        segment(graph(" ".join(words)), ["e30"], ["e0"])


def test_a_segment_of_a_segment(figure_2: ProvGraph) -> None:
    first = segment(figure_2, None, ["weight-v2", "weight-v3"])
    again = segment(first, ["dataset-v1"], ["weight-v2"])
    assert reasons(again) == reasons(segment(figure_2, ["dataset-v1"], ["weight-v2"]))
    assert again.explain("model-v2").why is Why.SIMILAR


def test_the_union_over_destinations(figure_2: ProvGraph) -> None:
    both = segment(figure_2, ["dataset-v1"], ["weight-v2", "weight-v3"])
    one, other = (segment(figure_2, ["dataset-v1"], [uid]) for uid in ("weight-v2", "weight-v3"))
    assert set(both.uids) == set(one.uids) | set(other.uids)


def test_the_document_says_why(figure_2: ProvGraph) -> None:
    found = segment(figure_2, ["dataset-v1"], ["weight-v2"], expand=[Expansion(("solver-v1",), 2)])
    document = json.loads(json.dumps(found.to_json()))
    validator("graph")(document)
    assert {v["uid"]: v["why"] for v in document["vertices"]} == reasons(found)
    assert document["query"] == {
        "command": "segment",
        "sources": ["dataset-v1"],
        "destinations": ["weight-v2"],
        "exclude": [],
        "since": None,
        "until": None,
        "agent": None,
        "environment": True,
        "match": {},
        "expand": [{"uids": ["solver-v1"], "activities": 2, "downstream": False}],
        "similar": True,
    }
    assert ProvGraph.from_json(document) == found
    wrong = {**document, "vertices": [{**document["vertices"][0], "why": "whim"}]}
    with pytest.raises(Exception, match="why"):
        validator("graph")(wrong)


@pytest.mark.parametrize("sources", [["dataset-v1"], None])
def test_a_segment_that_was_printed_is_one_when_it_is_read(figure_2: ProvGraph, sources: list[str] | None) -> None:
    found = segment(figure_2, sources, ["weight-v2"], expand=[Expansion(("solver-v1",), 2)]).with_notes(["said"])
    document = json.loads(json.dumps(found.to_json()))
    read = ProvGraph.from_json(document)
    assert isinstance(read, Segment)
    assert read.to_json() == document and read == found
    assert (read.sources, read.destinations, read.found) == (found.sources, found.destinations, True)
    assert reasons(read) == reasons(found)
    assert read.with_notes(["more"]).codes.tolist() == found.with_notes(["more"]).codes[_by_uid(found)].tolist()
    assert reasons(segment(read, found.sources, ["weight-v2"]))["dataset-v1"] == "direct"
    with pytest.raises(QuestionError, match=r"ask anew: provgraph.segment\("):
        read.explain("dataset-v1")
    with pytest.raises(KeyError):
        read.why("Bob")


def _by_uid(found: Segment) -> list[int]:
    return [position for uid in found.uids if (position := found.position(uid)) is not None]


def test_a_document_that_says_why_of_some_vertices_is_a_graph(figure_2: ProvGraph) -> None:
    document = segment(figure_2, ["dataset-v1"], ["weight-v2"]).to_json()
    del document["vertices"][0]["why"]
    assert type(ProvGraph.from_json(document)) is ProvGraph
    document["vertices"][0]["why"] = "whim"
    with pytest.raises(InputError, match=r'"why" is one of direct, similar, .*, not "whim"'):
        ProvGraph.from_json(document)


@pytest.mark.parametrize("ends", [{"destinations": "weight-v2"}, {"destinations": None}, {"sources": 3}])
def test_a_document_whose_query_is_another_is_a_graph(figure_2: ProvGraph, ends: dict[str, Any]) -> None:
    document = segment(figure_2, ["dataset-v1"], ["weight-v2"]).to_json()
    document["query"] |= ends
    assert type(ProvGraph.from_json(document)) is ProvGraph
    document["query"] = {"sources": [[], "dataset-v1"], "destinations": ["elsewhere"]}
    read = ProvGraph.from_json(document)
    assert isinstance(read, Segment) and (read.sources, read.destinations) == (("dataset-v1",), ())


def test_more_notes_keep_the_reasons(figure_2: ProvGraph) -> None:
    found = segment(figure_2, ["dataset-v1"], ["weight-v2"]).with_notes(["by the way"])
    assert found.notes == ("by the way",)
    assert found.why("Alice") is Why.AGENT and [str(why) for why in found.reasons].count("direct") == 3
    with pytest.raises(KeyError):
        found.why("Bob")


def shuffled(found: ProvGraph, order: Callable[[list[Any]], Iterable[Any]]) -> ProvGraph:
    return ProvGraph(order(found.vertices), order(found.edges))


def test_the_order_of_the_input_does_not_matter(figure_2: ProvGraph) -> None:
    backwards = shuffled(figure_2, lambda elements: elements[::-1])
    one, other = (
        segment(
            asked,
            None,
            ["weight-v2", "weight-v3"],
            match={"activity": ["name"]},
            expand=[Expansion(None, 1, downstream=True)],
        )
        for asked in (figure_2, backwards)
    )
    assert json.dumps(one.to_json()) == json.dumps(other.to_json())
