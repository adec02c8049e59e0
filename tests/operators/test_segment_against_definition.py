"""`provgraph.segment` against the definition, literally: every option in every combination, and the laws."""

import itertools
import json
import os
import random
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operators.closed_form import similar_or_direct
from operators.literal_segment import (
    RESPONSIBILITY,
    Asked,
    Expand,
    LiteralSegment,
    Remaining,
    exclude,
    literal_segment,
    word,
)
from operators.random_graphs import Drawn, Seeded, graphs, random_graph, relabelled, shuffled
from operators.random_questions import MATCHES, Question, question, sensible

import provgraph
from provgraph.errors import QuestionError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.segmentation import bands
from provgraph.queries.segmentation import engine as engines

pytestmark = pytest.mark.repeats

GRAPHS = 2_500
LAWS = 150
HERE = Path(__file__).parent


def answer(asked: Question, graph: ProvGraph | None = None) -> Any:
    return provgraph.segment(asked.graph if graph is None else graph, **asked.options)


def edges(graph: ProvGraph) -> set[tuple[str, str, str, str]]:
    return {(e.type, e.source, e.target, e.role) for e in graph.edges}


def reasons(segment: Any) -> dict[str, str]:
    return {uid: str(segment.why(uid)) for uid in segment.uids}


def told(asked: Question) -> str:
    """What somebody needs who wants to see it again."""
    return f"{json.dumps(asked.graph.to_json())}\nprovgraph.segment(graph, **{asked.options!r})"


def check(asked: Question) -> LiteralSegment | None:
    """The answer is the definition's; None where the question excludes what it asks for, which must be refused."""
    if asked.excluded:
        with pytest.raises(QuestionError) as error:
            answer(asked)
        assert any(uid in str(error.value) for uid in asked.excluded), told(asked)
        return None
    expected, found = literal_segment(asked.graph, asked.asked), answer(asked)
    assert reasons(found) == expected.why, told(asked)
    assert edges(found) == expected.edges, told(asked)
    assert set(found.sources) == expected.sources, told(asked)
    assert set(found.destinations) == set(asked.asked.destinations), told(asked)
    return expected


def questions(count: int, *, first: int = 0, largest: int = 11) -> Any:
    """Questions by their seeds."""
    for seed in range(first, first + count):
        chance = random.Random(seed)
        asked = question(Seeded(chance), random_graph(chance, largest))
        if asked is not None:
            yield asked


def allowed(count: int, *, first: int) -> Any:
    """Questions that do not exclude what they ask for."""
    return (asked for asked in questions(count, first=first) if not asked.excluded)


@st.composite
def anything(draw: Any) -> Question | None:
    return question(Drawn(draw), draw(graphs()))


@pytest.fixture(params=["as it chooses", "compiled", "bits"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ways to walk that only large or difficult graphs take, forced on small ones."""
    place = "provgraph.queries.segmentation"
    if request.param == "compiled":
        pytest.importorskip("numba")
        monkeypatch.setattr(f"{place}.past.engine_for", lambda _: engines.compiled())
    elif request.param == "bits":
        # Any set of lengths is too wide for intervals, and two lengths fill a band.
        monkeypatch.setattr(f"{place}.kernels.WIDEST", 0)
        monkeypatch.setattr(f"{place}.bands._NARROWEST", 2)
        monkeypatch.setattr(f"{place}.past.found_by_bits", partial(bands.found_by_bits, memory_bits=1))
    return str(request.param)


def test_thousands_of_graphs(engine: str) -> None:
    seen: Counter[str] = Counter()
    for asked in questions(GRAPHS if engine == "as it chooses" else GRAPHS // 3):
        expected = check(asked)
        seen.update(["refused"] if expected is None else set(expected.why.values()))
    # Everything that can happen did, and often.
    assert min(seen[reason] for reason in ("direct", "similar", "query", "sibling", "agent", "expansion")) > 20, seen
    assert seen["refused"] > 20, seen


def test_the_closed_form_says_the_same() -> None:
    """That of `closed_form`, which stands in for the enumeration where graphs are large."""
    added = 0
    for seed in range(1_000):
        chance = random.Random(seed)
        asked = question(Seeded(chance), random_graph(chance))
        if asked is not None and asked.asked.sources is not None:
            (d, *_), sources = asked.asked.destinations, asked.asked.sources
            why = literal_segment(asked.graph, Asked(sources, (d,))).why
            on_paths = {uid for uid, reason in why.items() if reason in {"direct", "similar"}}
            assert similar_or_direct(asked.graph, sources, d) == on_paths, told(asked)
            added += "similar" in why.values()
    assert added > 50


def test_every_explanation_proves_what_it_says() -> None:
    seen: Counter[str] = Counter()
    for asked in allowed(3 * LAWS, first=100_000):
        found, left = answer(asked), exclude(asked.graph, asked.asked.outside, asked.asked.without)
        query = {*found.sources, *found.destinations}
        for uid in found.uids:
            explanation = found.explain(uid)
            assert (explanation.uid, explanation.why) == (uid, found.why(uid)), told(asked)
            proven(asked.asked, left, query, explanation)
            seen[str(explanation.why)] += 1
    assert min(seen.values()) > 20 and len(seen) == 6, seen


def proven(asked: Asked, left: Remaining, query: set[str], explanation: Any) -> None:
    """Each walk is one of the graph without what is excluded, and shows the reason that is given."""
    uid, reason = explanation.uid, explanation.why
    walks = [tuple(v.uid for v in way.vertices) for way in explanation.ways]
    for way, uids in zip(explanation.ways, walks, strict=True):
        assert [e.source for e in way.edges] == list(uids[:-1])
        assert [e.target for e in way.edges] == list(uids[1:])
        assert all(e in left.edges for e in way.edges)
    relations = [tuple(e.type for e in way.edges) for way in explanation.ways]
    sources = query if asked.sources is None else set(asked.sources)
    if reason in {"direct", "similar", "expansion"}:
        assert {r for steps in relations for r in steps} <= {"used", "wasGeneratedBy"}
    if reason == "direct":
        assert uid in walks[0] and walks[0][0] in asked.destinations and walks[0][-1] in sources
    elif reason == "similar":
        over, to = walks
        assert uid in over and over[0] == to[0] and over[0] in asked.destinations and to[-1] in sources
        assert word(left, (over, relations[0]), asked.match) == word(left, (to, relations[1]), asked.match)
    elif reason == "expansion":
        passed = sum(left.vertices[v].kind == "Activity" for v in walks[0])
        ends = (
            (one, walks[0][-1 if one.downstream else 0], walks[0][0 if one.downstream else -1]) for one in asked.expand
        )
        assert any(
            end == uid and start in (query if one.uids is None else one.uids) and passed <= one.activities
            for one, start, end in ends
        )
    elif reason in {"sibling", "agent"}:
        start, end = walks[0]
        assert uid == (start if reason == "sibling" else end)
        assert relations[0][0] in ({"wasGeneratedBy"} if reason == "sibling" else RESPONSIBILITY)
        assert explanation.because.uid == (end if reason == "sibling" else start)
        assert explanation.because.why in {"direct", "similar", "query", "sibling"}
        proven(asked, left, query, explanation.because)


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(anything())
def test_any_graph_and_question(asked: Question | None) -> None:
    if asked is not None:
        check(asked)


def combinations() -> Any:
    """One value of every option with one of every other."""
    lines = ("Activity.utility=git", "relation=wasDerivedFrom", "agent=Bob", None)
    return itertools.product(MATCHES[:5:2], lines, (None, 1), (None, 2), (True, False), (True, False))


def test_every_option_with_every_other() -> None:
    asked = {line.text: line for line in sensible(_rich())}
    for seed, (match, line, up, down, similar, without) in enumerate(combinations()):
        chance = random.Random(seed)
        graph = _rich().union(random_graph(chance, 9))
        sources = None if without else ("raw",)
        expand = tuple(Expand(None, k, d) for k, d in ((up, False), (down, True)) if k is not None)
        options: dict[str, Any] = {"destinations": ("model2",), "similar": similar}
        options |= {} if without else {"sources": sources}
        options |= {"match": match} if match else {}
        options |= {w: k for w, k in (("expand", up), ("expand_downstream", down)) if k is not None}
        whole = Question(graph, Asked(sources, ("model2",), match=match, expand=expand, similar=similar), options)
        check(whole if line is None else whole.within(asked[line]))


def _rich() -> ProvGraph:
    """Two trainings of one data set, the second after an update, each with a log; Alice, then Bob."""
    rows = [
        ("prepare", "git", "Alice", "raw", "clean"),
        ("train1", "train", "Alice", "clean", "model1 log1"),
        ("edit", "git", "Bob", "config1", "config2"),
        ("train2", "train", "Bob", "clean config2 model1", "model2 log2"),
        ("copy", "sort", "Alice", "model2", "final"),
    ]
    edges: list[Edge] = [Edge("wasDerivedFrom", "model2", "model1"), Edge("wasDerivedFrom", "config2", "config1")]
    found = {
        name: Vertex(name, ("Agent",), {"name": name, "email": f"{name.lower()}@example.org"})
        for name in ("Alice", "Bob")
    }
    for name, utility, who, used, made in rows:
        found[name] = Vertex(name, ("Activity", "Command"), {"utility": utility})
        edges.append(Edge("wasAssociatedWith", name, who))
        for path in used.split():
            found.setdefault(path, Vertex(path, ("Entity",), {"type": "data"}))
            edges.append(Edge("used", name, path))
        for path in made.split():
            found[path] = Vertex(path, ("Entity",), {"type": "log" if "log" in path else "data"})
            edges.append(Edge("wasGeneratedBy", path, name))
    return ProvGraph(found.values(), edges)


def test_the_definitions_own_example() -> None:
    def literal(**more: Any) -> set[str]:
        return literal_segment(bulletin(), Asked(("dataset-v1",), ("weight-v2",), **more)).uids

    plain = {"dataset-v1", "weight-v2", "train-v2", "model-v2", "solver-v1", "logs-v2", "Alice"}
    assert literal() == plain
    assert literal(expand=(Expand(None, 2),)) == plain | {"update-v2", "model-v1"}
    asked = Asked(("dataset-v1",), ("weight-v2",), expand=(Expand(None, 2),))
    check(Question(bulletin(), asked, {"sources": ["dataset-v1"], "destinations": ["weight-v2"], "expand": 2}))


def bulletin() -> ProvGraph:
    """Figure 2 of the Bulletin paper."""
    rows = (
        ("train-v1", "dataset-v1 model-v1 solver-v1", "logs-v1 weight-v1", "Alice"),
        ("update-v2", "model-v1", "model-v2", "Alice"),
        ("train-v2", "dataset-v1 model-v2 solver-v1", "logs-v2 weight-v2", "Alice"),
        ("update-v3", "solver-v1", "solver-v3", "Bob"),
        ("train-v3", "dataset-v1 model-v1 solver-v3", "logs-v3 weight-v3", "Bob"),
    )
    vertices: dict[str, Vertex] = {}
    edges = [Edge("wasDerivedFrom", "model-v2", "model-v1")]
    for activity, used, generated, who in rows:
        vertices[activity] = Vertex(activity, ("Activity",))
        vertices[who] = Vertex(who, ("Agent",))
        edges.append(Edge("wasAssociatedWith", activity, who))
        for uid in (*used.split(), *generated.split()):
            vertices[uid] = Vertex(uid, ("Entity",))
        edges += [Edge("used", activity, uid) for uid in used.split()]
        edges += [Edge("wasGeneratedBy", uid, activity) for uid in generated.split()]
    return ProvGraph(vertices.values(), edges)


def test_a_segment_within_itself_is_itself() -> None:
    """The same query without its boundary: what that excluded is gone already.

    Also where sources are left out: all that a destination came from is then direct, so no root is new.
    """
    for asked in allowed(LAWS, first=10_000):
        first = answer(asked)
        again = answer(asked.unbounded(), first)
        assert again == first, told(asked)
        assert reasons(again) == reasons(first), told(asked)


def test_to_exclude_more_adds_nothing() -> None:
    """But where sources are left out, one whose causes are excluded becomes a root, around which to expand."""
    for seed, asked in enumerate(allowed(2 * LAWS, first=20_000)):
        lines = sensible(asked.graph)
        closer = asked.within(lines[seed % len(lines)])
        around_roots = asked.asked.sources is None and any(one.uids is None for one in asked.asked.expand)
        if not around_roots and not closer.excluded:
            assert set(answer(closer).uids) <= set(answer(asked).uids), told(closer)


def test_of_several_destinations_it_is_the_union() -> None:
    """The vertices are; the edges are all those between them, also from one destination's to the other's."""
    for asked in allowed(LAWS, first=30_000):
        ends, starts = asked.asked.destinations, asked.asked.sources
        parts = [answer(asked.varied(destinations=[d])) for d in ends]
        assert set(answer(asked).uids) == set().union(*(part.uids for part in parts)), told(asked)
        if starts is not None:
            parts = [answer(asked.varied(sources=[s])) for s in starts]
            assert set(answer(asked).uids) == set().union(*(part.uids for part in parts)), told(asked)


def test_without_similar_paths_there_is_less() -> None:
    for asked in allowed(LAWS, first=40_000):
        less, more = answer(asked.varied(similar=False)), answer(asked.varied(similar=True))
        assert set(less.uids) <= set(more.uids), told(asked)
        direct = [{uid for uid, reason in reasons(s).items() if reason == "direct"} for s in (less, more)]
        assert direct[0] == direct[1], told(asked)


def test_a_stricter_match_finds_less() -> None:
    order: tuple[dict[str, list[str]], ...] = (
        {},
        {"activity": ["utility"]},
        {"activity": ["utility", "n"]},
        {"activity": ["n", "utility"], "entity": ["type"]},
    )
    for asked in allowed(LAWS, first=50_000):
        found = [set(answer(asked.varied(match=match, similar=True)).uids) for match in order]
        assert all(stricter <= looser for looser, stricter in itertools.pairwise(found)), told(asked)


def test_names_do_not_matter() -> None:
    for seed, asked in enumerate(allowed(LAWS, first=60_000)):
        chance = random.Random(seed)
        others = [f"w{place:03}" for place in range(len(asked.graph))]
        chance.shuffle(others)
        names = dict(zip(asked.graph.uids, others, strict=True))
        options = dict(asked.options)
        for key in ("sources", "destinations"):
            if key in options:
                options[key] = [names[uid] for uid in options[key]]
        for key in ("expand", "expand_downstream"):
            if isinstance(options.get(key), dict):
                options[key] = {names[uid]: k for uid, k in options[key].items()}
        found = provgraph.segment(relabelled(asked.graph, names), **options)
        assert reasons(found) == {names[uid]: why for uid, why in reasons(answer(asked)).items()}, told(asked)


def test_the_order_of_vertices_and_edges_does_not_matter() -> None:
    for seed, asked in enumerate(allowed(LAWS, first=70_000)):
        chance = random.Random(seed)
        mixed = answer(asked, shuffled(asked.graph, chance))
        assert json.dumps(mixed.to_json()) == json.dumps(answer(asked).to_json()), told(asked)


def test_parallel_edges_do_not_matter() -> None:
    """But for the edges themselves, which are part of the induced graph."""
    for asked in allowed(LAWS, first=80_000):
        doubled = [Edge(e.type, e.source, e.target, {"role": "again"}) for e in asked.graph.edges]
        graph = ProvGraph(asked.graph.vertices, [*asked.graph.edges, *doubled])
        if "used.role=inherited" not in asked.options.get("exclude", ()):
            assert reasons(answer(asked, graph)) == reasons(answer(asked)), told(asked)


def printed(first: int, count: int) -> str:
    """The documents of many answers; what a process of its own prints below."""
    return "\n".join(json.dumps(answer(asked).to_json()) for asked in allowed(count, first=first))


def test_the_hash_seed_does_not_matter() -> None:
    program = "import operators.test_segment_against_definition as t; print(t.printed(90_000, 100))"
    paths = [str(HERE.parent), str(HERE.parents[1])]
    found = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert found[0] == found[1]
    assert len(found[0].splitlines()) > 50
