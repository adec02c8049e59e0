"""`provgraph.summarize` against the definition, literally: classes, groups, soundness, and that it came to its end."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operators.literal_sound import Lettered, Node, difference, goes_round, mergeable, quotient, simulated, words
from operators.literal_types import Member, as_partition, partition
from operators.random_graphs import graphs, random_graph, relabelled, shuffled

import provgraph
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.summarization.merging import merged

pytestmark = pytest.mark.repeats

HERE = Path(__file__).parent
KEEPS: Sequence[Mapping[str, Sequence[str]]] = (
    {},
    {"activity": ["utility"]},
    {"activity": ["utility"], "entity": ["type"]},
    {"entity": ["n"], "agent": ["name"]},
)
Case = tuple[list[ProvGraph], Mapping[str, Sequence[str]], int]


def similar(chance: random.Random, graph: ProvGraph) -> ProvGraph:
    """A graph of the same kind: some vertices and edges less."""
    kept = [v.uid for v in graph if chance.random() < 0.9]
    part = graph.induced(kept)
    edges = [e for e in part.edges if chance.random() < 0.95]
    return ProvGraph(part.vertices, edges)


def case(seed: int) -> Case:
    """One to three segments, often much alike, some with a vertex of the same uid."""
    chance = random.Random(seed)
    first = random_graph(chance, 8)
    segments = [first]
    for _ in range(chance.randrange(3)):
        other = similar(chance, first) if chance.random() < 0.7 else random_graph(chance, 7)
        if chance.random() < 0.5:
            other = relabelled(other, {uid: f"{chance.random()}" for uid in other.uids})
        segments.append(other)
    return segments, chance.choice(KEEPS), chance.randrange(3)


@st.composite
def cases(draw: Any) -> Case:
    segments = [draw(graphs(7)), *([draw(graphs(6))] if draw(st.booleans()) else [])]
    return segments, draw(st.sampled_from(KEEPS)), draw(st.integers(0, 2))


def union(segments: Sequence[ProvGraph], classes: Mapping[Member, Any]) -> Lettered:
    """The disjoint union of the segments, each vertex with its class for a letter."""
    arcs = {((n, e.source), e.type, (n, e.target)) for n, graph in enumerate(segments) for e in graph.edges}
    return Lettered(dict(classes), frozenset(arcs))


def letters(segments: Sequence[ProvGraph], keep: Mapping[str, Sequence[str]], hops: int) -> dict[Member, int]:
    """The literal class of each vertex."""
    classes = sorted(partition(segments, keep, hops), key=sorted)
    return {member: number for number, members in enumerate(classes) for member in members}


def told(segments: Sequence[ProvGraph], keep: Mapping[str, Sequence[str]], hops: int) -> str:
    """What somebody needs who wants to see it again."""
    documents = "\n".join(json.dumps(graph.to_json()) for graph in segments)
    return f"{documents}\nsummarize(…, keep={keep!r}, hops={hops})"


def check(segments: Sequence[ProvGraph], keep: Mapping[str, Sequence[str]], hops: int) -> Counter[str]:
    """The summary is what the definition allows; counts what it was like."""
    about = told(segments, keep, hops)
    names = [f"s{number}" for number in range(len(segments))]
    document = provgraph.summarize(segments, keep=keep, hops=hops, names=names).to_json()
    home = {
        (names.index(name), uid): group["name"]
        for group in document["groups"]
        for name, uids in group["members"].items()
        for uid in uids
    }
    kinds = {g["name"]: (g["kind"], json.dumps(g["kept"], sort_keys=True), g["type"]) for g in document["groups"]}
    classes = letters(segments, keep, hops)

    assert home.keys() == classes.keys(), about
    assert as_partition((m, kinds[g]) for m, g in home.items()) == as_partition(classes), about
    whole = union(segments, classes)
    summary = quotient(whole, home.__getitem__)
    assert {(e["source"], e["type"], e["target"]) for e in document["edges"]} == summary.arcs, about
    _check_numbers(document, segments, home)
    assert difference(whole, summary) is None, f"{difference(whole, summary)}\n{about}"
    assert mergeable(summary) is None, f"{mergeable(summary)} would still merge\n{about}"
    return Counter(
        {
            "merged": len(summary.letters) < len(whole.letters),
            "split": len(summary.letters) > len(set(classes.values())),
            "typed": hops > 0 and len(set(classes.values())) > len(partition(segments, keep, 0)),
        }
    )


def _check_numbers(document: dict[str, Any], segments: Sequence[ProvGraph], home: Mapping[Member, str]) -> None:
    for group in document["groups"]:
        members = [m for m, name in home.items() if name == group["name"]]
        assert group["size"] == len(members)
        assert group["segments"] == len({number for number, _ in members})
        assert group["share"] == pytest.approx(group["segments"] / len(segments))
    for edge in document["edges"]:
        having = {
            number
            for number, graph in enumerate(segments)
            for e in graph.edges
            if (home[number, e.source], e.type, home[number, e.target])
            == (edge["source"], edge["type"], edge["target"])
        }
        assert edge["segments"] == len(having)
        assert edge["share"] == pytest.approx(len(having) / len(segments))
    total = sum(map(len, segments))
    assert document["vertices"] == total
    assert document["compaction"] == pytest.approx(len(document["groups"]) / total)


def test_a_thousand_summaries() -> None:
    seen: Counter[str] = Counter()
    for seed in range(1_000):
        seen += check(*case(seed))
    assert min(seen[what] for what in ("merged", "split", "typed")) > 100, seen


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(cases())
def test_any_segments(found: Case) -> None:
    check(*found)


@pytest.mark.parametrize("hops", [0, 1, 2])
def test_the_core_has_the_literal_classes_and_is_sound(hops: int) -> None:
    for seed in range(5_000, 5_150):
        segments, keep, _ = case(seed)
        result = merged(segments, keep, hops)
        members = list(zip(map(int, result.member_segment), result.member_uid, strict=True))
        classes = letters(segments, keep, hops)
        about = told(segments, keep, hops)
        assert as_partition(zip(members, map(int, result.cls), strict=True)) == as_partition(classes), about
        group = dict(zip(members, map(int, result.group), strict=True))
        assert all(result.group_class[g] == result.cls[n] for n, g in enumerate(map(int, result.group))), about
        whole = union(segments, classes)
        assert difference(whole, quotient(whole, group.__getitem__)) is None, about


def test_words_written_down_say_the_same_as_their_automaton() -> None:
    """The two ways to compare languages, on partitions of which many are unsound."""
    seen: Counter[bool] = Counter()
    for seed in range(400):
        chance = random.Random(seed)
        graph = random_graph(chance, 7)
        whole = union([graph], letters([graph], {}, 0))
        halves = {node: chance.random() < 0.5 for node in whole.letters}
        rough = quotient(whole, partial(_half, whole.letters, halves))
        if not goes_round(whole):
            # A word longer than that goes round, and is only in the quotient.
            equal = words(whole, len(graph)) == words(rough, len(graph))
            assert equal == (difference(whole, rough) is None)
            seen[equal] += 1
    assert min(seen[True], seen[False]) > 20, seen


def _half(letters: Mapping[Node, Any], halves: Mapping[Node, bool], node: Node) -> Node:
    return letters[node], halves[node]


def test_which_maximal_vertex_is_taken_matters() -> None:
    """b → a and e → d → c, all alike: c, d and e each simulate one of a and b both ways, some of them two.

    The definition says "one maximal vertex". To take d for both a and b makes b → a a loop, and invents words without
    end; a summary must not.
    """
    entities = [Vertex(uid, ("Entity",)) for uid in "abcde"]
    edges = [Edge("wasDerivedFrom", *ends) for ends in ("ba", "ed", "dc")]
    segments = [ProvGraph(entities, edges)]
    whole = union(segments, letters(segments, {}, 0))
    both = simulated(whole) & simulated(whole, backward=True)
    above = {v[1]: "".join(sorted(str(w[1]) for u, w in both if u == v and w != v)) for v in whole.letters}
    assert above == {"a": "cd", "b": "de", "c": "", "d": "", "e": ""}
    careless = {(0, "a"): (0, "d"), (0, "b"): (0, "d")}
    assert difference(whole, quotient(whole, lambda node: careless.get(node, node))) is not None
    check(segments, {}, 0)
    assert len(provgraph.summarize(segments, keep={}, hops=0).groups) == 3


def derived(seed: int) -> ProvGraph:
    """Entities derived from one another, with few letters: one-way simulation with many maximal vertices."""
    chance = random.Random(seed)
    count = chance.randrange(3, 9)
    entities = [Vertex(f"e{n}", ("Entity",), {"type": "x"} if chance.random() < 0.3 else {}) for n in range(count)]
    found: set[tuple[str, str, str]] = set()
    for _ in range(chance.randrange(2, 12)):
        older, newer = sorted((chance.randrange(count), chance.randrange(count)))
        if older != newer or chance.random() < 0.1:
            ends = (f"e{newer}", f"e{older}") if chance.random() < 0.9 else (f"e{older}", f"e{newer}")
            found.add(("wasDerivedFrom" if chance.random() < 0.7 else "alternateOf", *ends))
    return ProvGraph(entities, [Edge(*one) for one in sorted(found)])


def test_derivations_where_one_way_merges_abound() -> None:
    seen: Counter[str] = Counter()
    for seed in range(800):
        seen += check([derived(seed)], KEEPS[seed % 3], 0)
    assert min(seen[what] for what in ("merged", "split")) > 100, seen


def test_two_trainings_of_which_one_used_more() -> None:
    """By hand. To use more of the same is the same words; who looks one step farther tells the two trainings apart."""

    def training(*used: str) -> ProvGraph:
        entities = [Vertex(uid, ("Entity",)) for uid in ("model", *used)]
        edges = [Edge("wasGeneratedBy", "model", "train"), *(Edge("used", "train", uid) for uid in used)]
        return ProvGraph([*entities, Vertex("train", ("Activity",))], edges)

    segments = [training("data"), training("data", "solver")]
    for hops, groups in ((0, 3), (1, 4), (2, 6)):
        assert len(provgraph.summarize(segments, keep={}, hops=hops).groups) == groups
        check(segments, {}, hops)


def printed(first: int, count: int) -> str:
    """The documents of many summaries; what a process of its own prints below."""
    found = []
    for seed in range(first, first + count):
        segments, keep, hops = case(seed)
        found.append(json.dumps(provgraph.summarize(segments, keep=keep, hops=hops).to_json()))
    return "\n".join(found)


def test_the_hash_seed_does_not_matter() -> None:
    program = "import operators.test_summary_against_definition as t; print(t.printed(90_000, 100))"
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
    assert len(found[0].splitlines()) == 100


def test_the_order_of_vertices_and_edges_does_not_matter() -> None:
    for seed in range(10_000, 10_100):
        segments, keep, hops = case(seed)
        mixed = [shuffled(graph, random.Random(seed)) for graph in segments]
        first = provgraph.summarize(segments, keep=keep, hops=hops).to_json()
        assert provgraph.summarize(mixed, keep=keep, hops=hops).to_json() == first, told(segments, keep, hops)


def test_uids_do_not_matter_to_the_groups() -> None:
    """Names of groups may follow uids where nothing else tells groups apart; what is one group may not."""
    for seed in range(20_000, 20_100):
        segments, keep, hops = case(seed)
        chance = random.Random(seed)
        names = [{uid: f"{chance.random()}" for uid in graph.uids} for graph in segments]
        renamed = [relabelled(graph, mine) for graph, mine in zip(segments, names, strict=True)]
        first, second = merged(segments, keep, hops), merged(renamed, keep, hops)
        sizes = [Counter(Counter(map(int, result.group)).values()) for result in (first, second)]
        assert sizes[0] == sizes[1], told(segments, keep, hops)
