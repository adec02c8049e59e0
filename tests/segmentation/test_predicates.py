"""The predicate language: what it says, where it holds, and what is said of a mistake in it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.predicate_masks import On, entities_where, masks
from provgraph.queries.predicates import AllOf, Not, OneOf, Term, predicate

DAY = "2026-11-20"


def at(clock: str) -> str:
    return f"{DAY}T{clock}+00:00"


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time without a zone is local, and the machine's zone is anybody's guess."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture(scope="module")
def graph() -> ProvGraph:
    """git fetched what Alice trained on twice, once with an installed library; a version has what she changed."""
    snapshot = ("Entity", "Snapshot")
    command = ("Activity", "Command")
    train = {"utility": "python", "argv": ["python", "train.py"], "started_at": at("10:00:00"), "interrupted": True}
    vertices = [
        Vertex("data", snapshot, {"path": "data/a.csv", "size_bytes": 100, "my note": "first, of two", "and": 1}),
        Vertex("deep", snapshot, {"path": "data/old/a.csv", "size_bytes": 2_000_000}),
        Vertex("lib", ("Entity", "Environment"), {"name": "numpy"}),
        Vertex("fetch", command, {"utility": "git", "exit_status": 0, "started_at": at("09:00:00.500000")}),
        Vertex("one", command, {**train, "metric_f1": 0.7, "param_lr": "0.1", "exit_status": 0}),
        Vertex(
            "two", command, {**train, "metric_f1": 1, "param_lr": "high", "exit_status": 137, "when": at("23:59:59")}
        ),
        Vertex("model-1", snapshot, {"path": "model.pkl", "sequence": 1}),
        Vertex("model-2", snapshot, {"path": "model.pkl", "sequence": 2}),
        Vertex("alice", ("Agent", "Person"), {"name": "Alice", "email": "alice@example.org"}),
        Vertex("0123456789ab", ("Entity", "Version"), {"kind": "explicit", "commit": "feedbeef00"}),
    ]
    edges = [
        Edge("wasGeneratedBy", "data", "fetch"),
        Edge("used", "one", "data", {"role": "input", "operand": True}),
        Edge("used", "two", "data", {"role": "input"}),
        Edge("used", "two", "lib", {"weight": 3}),
        Edge("wasGeneratedBy", "model-1", "one"),
        Edge("wasGeneratedBy", "model-2", "two"),
        Edge("wasDerivedFrom", "model-2", "model-1", {"missing": True}),
        Edge("wasAssociatedWith", "one", "alice"),
        Edge("hadMember", "0123456789ab", "model-1"),
    ]
    return ProvGraph(vertices, edges)


def holds(text: str, graph: ProvGraph) -> set[str]:
    """uids of the vertices, or (relation, source, target) of the edges, joined by blanks."""
    on, mask = masks(predicate(text), graph)
    places = np.flatnonzero(mask).tolist()
    if on is On.VERTICES:
        return set(graph.uids_at(np.array(places, np.int64)))
    return {f"{edge.type} {edge.source} {edge.target}" for edge in graph.edges_at(places)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Activity.utility=git", "fetch"),
        ("Entity.utility=git", ""),
        ("utility = git", "fetch"),
        ("utility == python", "one two"),
        ("utility != git", "one two"),  # what has no utility does not differ from git in it
        ("Activity", "fetch one two"),
        ("Environment", "lib"),
        ("Dataset", ""),  # of the vocabulary, though nothing bears it here
        ("Activity.metric_f1", "one two"),
        ("metric_f1", "one two"),
        ("metric_f1 > 0.7", "two"),
        ("metric_f1>=0.70", "one two"),
        ("metric_f1 = 1", "two"),
        ("metric_f1 = 1.0", "two"),
        ("interrupted = 1", ""),  # true is no number
        ("interrupted = true", "one two"),
        ("interrupted != true", ""),
        ("param_lr = 0.1", "one"),
        ("param_lr < 0.5", "one"),  # "high" is no number
        ("param_lr > a", "two"),
        ("size_bytes > 1e6", "deep"),
        ("path ~ data/*.csv", "data"),
        ("path ~ 'data/**'", "data deep"),
        ("argv ~ *train*", "one two"),
        ("argv = train.py", "one two"),
        ("argv != train.py", ""),
        ("'my note' = 'first, of two'", "data"),
        ('Snapshot."my note" ~ first*', "data"),
        ("'and' = 1", "data"),
        ("started_at < 2026-11-20", ""),
        ("started_at = 2026-11-20", "fetch one two"),
        ("started_at > 2026-11-20T09:30", "one two"),
        ("started_at <= 2026-11-20T10:01:00+01:00", "fetch"),
        ("when >= 2026-11-20T23:00", "two"),
        ("agent=Alice", "one alice"),
        ("agent=ALICE@example.org", "one alice"),
        ("version=feedbe", "0123456789ab model-1"),
        ("version=012345678", "0123456789ab model-1"),
        ("Snapshot and not path=model.pkl", "data deep"),
        ("not (Entity or Agent) and exit_status != 0", "two"),
        ("sequence=1 or sequence=2 and path=nowhere", "model-1"),
        ("NOT Activity AND NOT Entity", "alice"),
    ],
)
def test_where_a_predicate_about_vertices_holds(graph: ProvGraph, text: str, expected: str) -> None:
    assert holds(text, graph) == set(expected.split())


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("relation=used", 3),
        ("used", 3),
        ("relation!=used", 6),
        ("relation ~ was*", 5),
        ("used.role=input", 2),
        ("used.role", 2),
        ("role=input", 2),
        ("wasGeneratedBy.role=input", 0),
        ("weight > 2", 1),
        ("missing=true", 1),
        ("used and not operand=true", 2),
        ("relation=used and role=input or relation=hadMember", 3),
    ],
)
def test_where_a_predicate_about_edges_holds(graph: ProvGraph, text: str, count: int) -> None:
    assert masks(predicate(text), graph)[0] is On.EDGES
    assert len(holds(text, graph)) == count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metric_f1 > 0.7", "model-2"),
        ("metric_f1", "model-1 model-2"),
        ("utility=git", "data"),
        ("path=model.pkl and agent=Alice", "model-1"),
        ("not utility=python", "data deep lib 0123456789ab"),
        ("Activity", "data model-1 model-2"),
        ("Environment", "lib"),
    ],
)
def test_where_looks_at_entities_and_what_generated_them(graph: ProvGraph, text: str, expected: str) -> None:
    found = np.flatnonzero(entities_where(predicate(text), graph))
    assert set(graph.uids_at(found)) == set(expected.split())


def test_where_is_about_entities(graph: ProvGraph) -> None:
    with pytest.raises(QuestionError, match="speaks of edges"):
        entities_where(predicate("relation=used"), graph)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty predicate; write one like Activity.utility=git"),
        ("  ", "an empty predicate"),
        ("utility=", "at its end, expected a value behind `=`"),
        ("utility= and x=1", "at character 14 (`x=1`), expected `and`, `or` or the end"),
        ("= git", "at character 1 (`= git`), expected a label, a property"),
        ("utility=git commit", "at character 13 (`commit`), expected `and`, `or` or the end"),
        ("(utility=git", "at its end, expected `)`"),
        ("utility=git)", "at character 12 (`)`), expected `and`"),
        ("a=1 and", "at its end, expected a label"),
        ("a=1 or or b=2", "at character 8 (`or b=2`), expected a label or a property (one that is called 'or'"),
        ("note='unfinished", "at character 6 (`'unfinished`), expected a second ' that ends the quotation"),
        ("(" * 200 + "a" + ")" * 200, "expected at most 100 nested"),
    ],
)
def test_a_mistake_in_the_grammar_is_pointed_at(text: str, said: str) -> None:
    with pytest.raises(QuestionError) as raised:
        predicate(text)
    assert said in str(raised.value)
    assert text in str(raised.value) or not text.strip()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Activty.utility=git", "called 'Activty.utility'; near: Activity.utility"),
        ("metric_f2 > 1", "called 'metric_f2'; near: metric_f1"),
        ("activity", "near: Activity"),
        ("duration_s", "called 'duration_s'; there are and, argv"),  # of the vocabulary, but on nothing here
        ("enviroment", "near: Environment"),
        ("Snapshot.utilty=git", "nothing in the graph has a property called 'utilty'; near: utility"),
        ("src/zzz/qqq", "a file is path=src/zzz/qqq"),
        ("Activity=git", "Activity is no property; name one of its properties: Activity.name=…"),
        ("relation=usd", "no relation is called 'usd'; there is used"),
        ("relation", "relation is compared with =, != or ~"),
        ("relation > used", "relation is compared with =, != or ~"),
        ("agent ~ A*", "agent is compared with = alone; put `not` before it"),
        ("exit_status < high", "exit_status holds numbers, and 'high' is none"),
        ("started_at > soon", "'soon' is no time"),
        ("Activity or relation=used", "speaks of vertices and of edges; give each as a predicate of its own"),
    ],
)
def test_what_is_nowhere_in_the_graph_is_an_error_with_the_nearest(graph: ProvGraph, text: str, said: str) -> None:
    with pytest.raises(QuestionError) as raised:
        masks(predicate(text), graph)
    assert said in str(raised.value)


def test_unknown_agents_and_versions_are_errors(graph: ProvGraph) -> None:
    with pytest.raises(UnknownReferenceError, match="no agent is called 'Alic'; there is Alice"):
        masks(predicate("agent=Alic"), graph)
    for reference in ("feed", "fffffff", "model-1"):  # too short, none, no version
        with pytest.raises(UnknownReferenceError, match="no version here is"):
            masks(predicate(f"version={reference}"), graph)


def test_and_binds_more_than_or_and_not_more_than_and() -> None:
    root = predicate("not a and b or c").root
    a, b, c = (Term(name, "", "", place) for name, place in (("a", 4), ("b", 10), ("c", 15)))
    assert root == OneOf((AllOf((Not(a), b)), c))
    assert str(predicate("not a and b or c")) == "not a and b or c"


@given(st.text(max_size=30))
def test_any_text_is_a_predicate_or_a_mistake_that_is_explained(text: str) -> None:
    try:
        found = predicate(text)
    except QuestionError:
        return
    assert str(found) == text


@given(st.text(max_size=10), st.text(max_size=10))
def test_any_key_and_value_can_be_quoted(key: str, value: str) -> None:
    if key and "'" not in key and '"' not in value:
        assert predicate(f"'{key}'=\"{value}\"").root == Term(key, "=", value, 0)
