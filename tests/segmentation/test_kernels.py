"""The walks, compiled and plain: both give what counting walks one by one gives, on random graphs and hard ones."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from provgraph.errors import QuestionError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.segment import Why
from provgraph.model.vocabulary import ANCESTRY
from provgraph.queries.segmentation import Expansion, engine, kernels, past, segment
from provgraph.queries.segmentation.engine import PLAIN, Engine

MATCHES: tuple[Mapping[str, Sequence[str]], ...] = (
    {}, {"activity": ["c"]}, {"entity": ["c"]}, {"activity": ["c"], "entity": ["c"]},
)  # fmt: skip


@pytest.fixture(params=["plain", "compiled"])
def walks(request: pytest.FixtureRequest) -> Engine:
    if request.param == "plain":
        return PLAIN
    pytest.importorskip("numba")
    return engine.compiled()


def random_graph(rng: random.Random) -> ProvGraph:
    density = rng.choice([0.3, 0.5, 0.9])
    vertices: list[Vertex] = []
    edges = []
    for n in range(rng.randint(1, 14)):
        kind = rng.choice(["Entity", "Activity"]) if n else "Entity"
        properties = {"c": rng.choice("xy")} if rng.random() < 0.8 else {}
        new = Vertex(f"v{n}", (kind,), properties)
        for old in vertices:
            if old.labels != new.labels and rng.random() < density:
                relation = "used" if kind == "Activity" else "wasGeneratedBy"
                roles = range(rng.choice([1, 1, 2]))
                edges += [Edge(relation, new.uid, old.uid, {"role": str(role)}) for role in roles]
        vertices.append(new)
    return ProvGraph(vertices, edges)


def literal(
    graph: ProvGraph, sources: set[str], destinations: set[str], match: Mapping[str, Sequence[str]]
) -> tuple[set[str], set[str]]:
    """What is on direct walks, and on these and similar ones, by writing down every walk."""
    letters = {v.uid: (v.kind, *(v.properties.get(key) for key in match.get(v.kind.value.lower(), ()))) for v in graph}
    direct: set[str] = set()
    similar: set[str] = set()
    for destination in destinations:
        words: dict[tuple[object, ...], list[tuple[str, ...]]] = {}
        walks: list[tuple[str, ...]] = [(destination,)]
        while walks:
            walk = walks.pop()
            words.setdefault(tuple(letters[uid] for uid in walk), []).append(walk)
            walks += [(*walk, target) for target in {edge.target for edge in graph.out_edges(walk[-1])}]
        for alike in words.values():
            ending = [walk for walk in alike if walk[-1] in sources]
            direct.update(*ending)
            similar.update(*(alike if ending else ()))
    return direct, similar


def questions(count: int) -> Iterator[tuple[ProvGraph, set[str], set[str], Mapping[str, Sequence[str]]]]:
    for seed in range(count):
        rng = random.Random(seed)
        graph = random_graph(rng)
        entities = [v.uid for v in graph if "Entity" in v.labels]
        sources, destinations = (set(rng.sample(entities, min(len(entities), rng.randint(1, 3)))) for _ in "ab")
        yield graph, sources, destinations, rng.choice(MATCHES)


def test_every_walk_written_down_gives_the_same(walks: Engine) -> None:
    similar = 0
    for graph, sources, destinations, match in questions(300):
        found = segment(graph, sources, destinations, match=match, engine=walks)
        direct, alike = literal(graph, sources, destinations, match)
        assert {uid for uid in found.uids if found.why(uid) is Why.DIRECT} == direct
        assert {uid for uid in found.uids if found.why(uid) in {Why.DIRECT, Why.SIMILAR}} == alike
        similar += len(alike) > len(direct)
    assert similar > 20


def test_pairs_that_step_one_after_the_other_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_TOGETHER", 0)
    test_every_walk_written_down_gives_the_same(PLAIN)


@pytest.mark.parametrize("memory_bits", [1, 1_000, 1 << 20])
def test_bits_give_what_intervals_give(walks: Engine, memory_bits: int) -> None:
    for graph, sources, destinations, _ in questions(150):
        assert by_lengths(graph, sources, destinations, walks, memory_bits) == by_lengths(
            graph, sources, destinations, walks
        )


def by_lengths(
    graph: ProvGraph, sources: set[str], destinations: set[str], walks: Engine, bits: int | None = None
) -> set[str]:
    ptr, other, _ = graph.arrays.adjacency(ANCESTRY)
    goal = np.zeros(len(graph), np.bool_)
    goal[[place for uid in sources if (place := graph.position(uid)) is not None]] = True
    starts = np.array([graph.position(uid) for uid in destinations], np.int64)
    reached = past.past_of(ptr, other, starts, goal, graph.uids_at, walks)
    return set(graph.uids_at(np.flatnonzero(past.similar_by_lengths(reached, reached.direct(), bits))))


def chain(steps: int, skips: Sequence[int]) -> ProvGraph:
    """Entity n came of activity n, which used the entities so many steps before; some end beside the chain."""
    vertices = [Vertex("e00000", ("Entity",))]
    edges = []
    for n in range(1, steps + 1):
        vertices += [
            Vertex(f"e{n:05}", ("Entity",)),
            Vertex(f"a{n:05}", ("Activity",)),
            Vertex(f"x{n:05}", ("Entity",)),
        ]
        edges += [Edge("wasGeneratedBy", f"e{n:05}", f"a{n:05}"), Edge("used", f"a{n:05}", f"x{n:05}")]
        edges += [Edge("used", f"a{n:05}", f"e{n - skip:05}") for skip in skips if skip <= n]
    return ProvGraph(vertices, edges)


def test_lengths_that_fall_to_pieces(walks: Engine) -> None:
    """Skips that agree modulo 31: hundreds of intervals a vertex, so the sets are bits; in bands too."""
    graph = chain(1_200, (1, 32, 900))
    destinations = {"e01200", "e01150"}
    for sources in ({"e00100"}, {"e01140", "e00000"}):
        whole = by_lengths(graph, sources, destinations, walks)
        assert whole == by_lengths(graph, sources, destinations, walks, 1 << 16)
        assert whole == by_sets(graph, sources, destinations)


def within(low: int, high: int) -> int:
    """The bits from one to the other."""
    return (1 << high + 1) - (1 << low)


def by_sets(graph: ProvGraph, sources: set[str], destinations: set[str]) -> set[str]:
    """The closed form, with one integer of bits a vertex and no more thought."""
    order = sorted(graph.uids, key=lambda uid: (int(uid[1:]), uid[0] != "e"), reverse=True)
    order.sort(key=lambda uid: (-int(uid[1:]), "eax".index(uid[0])))
    out = {uid: {edge.target for edge in graph.out_edges(uid)} for uid in order}
    height: dict[str, int] = {}
    for uid in reversed(order):
        height[uid] = max((height[target] + 1 for target in out[uid]), default=0)
    found = set()
    for destination in destinations:
        lengths = dict.fromkeys(order, 0) | {destination: 1}
        for uid in order:
            for target in out[uid]:
                lengths[target] |= lengths[uid] << 1
        goals = 0
        for source in sources:
            goals |= lengths[source]
        ahead = [length for length in range(goals.bit_length()) if goals >> length & 1]
        for uid in order:
            tall = height[uid]
            if any(lengths[uid] & within(max(0, length - tall), length) for length in ahead):
                found.add(uid)
    return found


def test_a_deep_chain_is_no_recursion(walks: Engine) -> None:
    graph = chain(5_000, (1,))
    found = segment(graph, ["e00100"], ["e05000"], engine=walks)
    assert found.why("e02500") is Why.DIRECT and "e00050" not in found
    roots = segment(graph, None, ["e05000"], match={"entity": ["c"]}, engine=walks)
    assert set(roots.uids) == set(graph.uids)


def test_a_pool_that_is_too_small_grows(walks: Engine) -> None:
    """Vertices with dozens of intervals each, and not yet too many."""
    graph = chain(600, (1, 60))
    assert by_lengths(graph, {"e00100"}, {"e00600"}, walks) == by_sets(graph, {"e00100"}, {"e00600"})


def threads(rungs: int) -> ProvGraph:
    """Two chains of like activities from one destination; only the first ends in e0000a."""
    vertices = [Vertex("e0000a", ("Entity",)), Vertex("e0000b", ("Entity",))]
    edges = []
    for n in range(1, rungs + 1):
        for side in "ab":
            vertices += [Vertex(f"a{n:04}{side}", ("Activity",), {"c": n % 3}), Vertex(f"e{n:04}{side}", ("Entity",))]
            edges += [Edge("wasGeneratedBy", f"e{n:04}{side}", f"a{n:04}{side}")]
            edges += [Edge("used", f"a{n:04}{side}", f"e{n - 1:04}{side}")]
    edges.append(Edge("wasGeneratedBy", f"e{rungs:04}a", f"a{rungs:04}b"))
    return ProvGraph(vertices, edges)


def test_a_table_of_pairs_that_is_too_small_grows(walks: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "_FIRST_TABLE", 64)
    graph = threads(300)
    found = segment(graph, ["e0000a"], ["e0300a"], match={"activity": ["c"]}, engine=walks)
    assert set(found.uids) == set(graph.uids) and found.why("e0000b") is Why.SIMILAR


def test_too_many_pairs_are_an_error_that_says_what_to_do(walks: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    few = walks._replace(most_pairs=100)
    monkeypatch.setattr(past, "_FIRST_TABLE", 64)
    with pytest.raises(QuestionError, match="give match more keys"):
        segment(threads(300), ["e0000a"], ["e0300a"], match={"activity": ["c"]}, engine=few)


def test_hard_questions_go_over_to_the_compiled_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    engine.compiled.cache_clear()
    monkeypatch.setattr(past, "engine_for", lambda edges: PLAIN._replace(most_steps=100))
    graph = threads(500)
    found = segment(graph, ["e0000a"], ["e0500a"], match={"activity": ["c"]})
    assert engine.compiled.cache_info().currsize == 1
    assert set(found.uids) == set(graph.uids)


def test_expansions_are_the_same(walks: Engine) -> None:
    for graph, sources, destinations, _ in questions(100):
        expand = [Expansion(None, 1), Expansion(tuple(graph.uids[:1]), 2, downstream=True)]
        plain = segment(graph, sources, destinations, expand=expand, engine=PLAIN)
        assert segment(graph, sources, destinations, expand=expand, engine=walks).to_json() == plain.to_json()


def test_an_expansion_may_be_as_far_as_one_likes(walks: Engine) -> None:
    chain = ProvGraph(
        [Vertex("e", ("Entity",)), Vertex("a", ("Activity",)), Vertex("f", ("Entity",)), Vertex("g", ("Entity",))],
        [Edge("wasGeneratedBy", "e", "a"), Edge("used", "a", "f")],
    )
    far = [Expansion(("g",), 10**30), Expansion(None, 10**30)]
    found = segment(chain, ["e"], ["e"], expand=far, engine=walks)
    assert found.uids == ["a", "e", "f", "g"]
    assert found.explain("f").why is Why.EXPANSION


def test_large_questions_are_compiled_where_numba_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    engine.compiled.cache_clear()
    monkeypatch.setattr(engine, "_walked", [0])
    assert engine.engine_for(engine.WORTH_LOADING // 2).name == "plain"
    assert engine.engine_for(engine.WORTH_LOADING // 2 + 1).name == "compiled"
    assert engine.engine_for(engine.WORTH_CALLING + 1).name == "compiled"
    assert engine.engine_for(10).name == "plain"


def test_without_numba_everything_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    engine.compiled.cache_clear()
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    assert engine.engine_for(10 * engine.WORTH_LOADING).name == "plain"


def test_machine_code_that_cannot_be_kept_is_no_error(tmp_path: Path, checkout: Path) -> None:
    """A package folder and a home that nobody may write to."""
    numba = pytest.importorskip("numba")
    script = (
        "from provgraph.queries.segmentation.engine import compiled\n"
        "from numba.core import caching\n"
        "for name in ('CacheImpl', 'CompileResultCacheImpl', '_CacheImpl'):\n"
        "    if hasattr(caching, name): getattr(caching, name)._locator_classes = []\n"
        "assert compiled().name == 'compiled'"
    )
    places = os.pathsep.join([str(checkout), str(Path(numba.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": places}, cwd=tmp_path, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
