"""Explanations: their walks are walks of the segment, and prove what they say."""

import json
import random
from collections.abc import Mapping, Sequence

import pytest

from provgraph.errors import UnknownReferenceError
from provgraph.graph.answers import Way
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.segment import Segment, Why
from provgraph.queries.segmentation import Expansion, segment
from provgraph.queries.segmentation.engine import PLAIN

KINDS = {"e": "Entity", "a": "Activity", "p": "Agent"}
FOUND = {Why.DIRECT, Why.SIMILAR}


def kept(found: Segment, way: Way) -> list[str]:
    """The uids along a way, after making sure that it is one, and lies in the segment."""
    assert len(way.vertices) == len(way.edges) + 1
    ends = set(found.edge_ends())
    for edge, begin, end in zip(way.edges, way.vertices, way.vertices[1:], strict=False):
        assert (edge.source, edge.target) == (begin.uid, end.uid)
        assert (edge.type, edge.source, edge.target) in ends
    return [vertex.uid for vertex in way.vertices]


def proves(found: Segment, uid: str, match: Mapping[str, Sequence[str]]) -> None:
    told = found.explain(uid)
    assert told.uid == uid and told.why is found.why(uid) and told.sentence
    json.dumps(told.to_json())
    ways = [kept(found, way) for way in told.ways]
    if told.why is Why.DIRECT:
        [walk] = ways
        assert walk[0] in found.destinations and uid in walk and walk[-1] in found.sources
    elif told.why is Why.SIMILAR:
        walk, model = ways
        assert walk[0] == model[0] and walk[0] in found.destinations and uid in walk and model[-1] in found.sources
        words = [
            [(v.kind, *(v.properties.get(key) for key in match.get(v.kind.value.lower(), ()))) for v in way.vertices]
            for way in told.ways
        ]
        assert words[0] == words[1]
    elif told.why is Why.SIBLING:
        [[sibling, activity]] = ways
        assert sibling == uid and found.why(activity) in FOUND
        assert told.because is not None and told.because.uid == activity
    elif told.why is Why.AGENT:
        [[responsible_for, agent]] = ways
        assert agent == uid and told.because is not None and told.because.uid == responsible_for
    elif told.why is Why.EXPANSION:
        [walk] = ways
        assert uid in {walk[0], walk[-1]} and sum(found[one].labels == ("Activity",) for one in walk) <= 2
    else:
        assert not ways


def random_question(rng: random.Random) -> tuple[ProvGraph, list[str], list[str]]:
    vertices = [Vertex("e0", ("Entity",), {"c": "x"}), Vertex("p", ("Agent",), {"name": "Alice"})]
    edges = []
    for n in range(1, rng.randint(2, 16)):
        kind = rng.choice("ea")
        new = Vertex(f"{kind}{n}", (KINDS[kind],), {"c": rng.choice("xy")})
        others = [old for old in vertices if old.labels[0] not in {"Agent", KINDS[kind]} and rng.random() < 0.5]
        edges += [Edge("used" if kind == "a" else "wasGeneratedBy", new.uid, old.uid) for old in others]
        if rng.random() < 0.5:
            edges.append(Edge("wasAssociatedWith" if kind == "a" else "wasAttributedTo", new.uid, "p"))
        vertices.append(new)
    entities = [v.uid for v in vertices if v.uid[0] == "e"]
    return ProvGraph(vertices, edges), rng.sample(entities, 1), rng.sample(entities, min(2, len(entities)))


@pytest.mark.parametrize("match", [{}, {"activity": ["c"]}, {"activity": ["c"], "entity": ["c"]}])
def test_every_explanation_proves_what_it_says(match: Mapping[str, Sequence[str]]) -> None:
    told = set()
    for seed in range(150):
        graph, sources, destinations = random_question(random.Random(seed))
        expand = [Expansion(None, 1), Expansion(None, 1, downstream=True)]
        found = segment(graph, sources, destinations, match=match, expand=expand, engine=PLAIN)
        for uid in found.uids:
            proves(found, uid, match)
            told.add(found.why(uid))
    assert told == set(Why)


def test_a_walk_of_the_right_length_is_found_where_lengths_fall_to_pieces() -> None:
    vertices, edges = [Vertex("e0", ("Entity",))], []
    for n in range(1, 1_201):
        vertices += [Vertex(f"e{n}", ("Entity",)), Vertex(f"a{n}", ("Activity",)), Vertex(f"x{n}", ("Entity",))]
        edges += [Edge("wasGeneratedBy", f"e{n}", f"a{n}"), Edge("used", f"a{n}", f"x{n}")]
        edges += [Edge("used", f"a{n}", f"e{n - skip}") for skip in (1, 32, 900) if skip <= n]
    found = segment(ProvGraph(vertices, edges), ["e1140"], ["e1200"])
    similar = [uid for uid in found.uids if found.why(uid) is Why.SIMILAR]
    assert len(similar) > 100
    for uid in similar[:: len(similar) // 4]:
        proves(found, uid, {})


def test_sentences() -> None:
    words = "train:u:data train:u:config model:g:train log:g:train train:w:Alice data:g:fetch fetch:u:page"
    kinds = {"train": "Activity", "fetch": "Activity", "Alice": "Agent"}
    names = {"u": "used", "g": "wasGeneratedBy", "w": "wasAssociatedWith"}
    parts = [word.split(":") for word in words.split()]
    uids = sorted({uid for source, _, target in parts for uid in (source, target)} | {"other"})
    graph = ProvGraph(
        [Vertex(uid, (kinds.get(uid, "Entity"),), {"name": uid}) for uid in uids],
        [Edge(names[relation], source, target) for source, relation, target in parts],
    )
    found = segment(graph, ["data", "other"], ["model"], expand=[Expansion(None, 1)])
    assert {uid: found.explain(uid).sentence for uid in found.uids} == {
        "Alice": "Alice is responsible for train, which is in the segment as direct",
        "config": "config is on a walk from model that is as long as one from there to data",
        "data": "data is on a walk from model to data",
        "fetch": "fetch is within 1 activity upstream of data",
        "log": "log was generated by train, which is in the segment as direct",
        "model": "model is on a walk from model to data",
        "other": "other is a source; no walk leads to it from a destination",
        "page": "page is within 1 activity upstream of data",
        "train": "train is on a walk from model to data",
    }
    with pytest.raises(UnknownReferenceError, match="nobody"):
        found.explain("nobody")
