"""The value: names, order, JSON, errors, and the same answer in every process."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from summarization.runs import KEEP, names, training, trainings

from provgraph import schemas
from provgraph.errors import InputError, QuestionError
from provgraph.graph.arrays import RELATION_CODES
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.summary import Summary
from provgraph.model.vocabulary import Kind
from provgraph.queries.summarization import summarize
from provgraph.queries.summarization.naming import base_name, flow, numbered
from provgraph.queries.summarization.presets import PRESETS

HERE = Path(__file__).resolve().parent


def sample() -> Summary:
    changed = {3: {"solver": 2}, 5: {"evaluated": False}, 7: {"who": "Bob", "lr": "0.5"}}
    return summarize(trainings(8, changed), KEEP, 0, names=names(8))


# -- what is in it


def test_groups_stand_in_the_order_of_the_flow_with_their_shares() -> None:
    found = sample()
    assert [group.name for group in found.groups] == [
        "data.csv", "solver.json", "train.py", "model.pkl", "eval.py", "score.txt", "Alice", "Bob",
    ]  # fmt: skip
    by_name = {group.name: group for group in found.groups}
    assert (by_name["eval.py"].size, by_name["eval.py"].segments, by_name["eval.py"].share) == (7, 7, 7 / 8)
    assert by_name["train.py"].kind is Kind.ACTIVITY
    assert by_name["train.py"].kept == {"script": "train.py"}
    assert by_name["train.py"].members[:2] == (("run 1", "train.py1"), ("run 2", "train.py2"))
    assert found.vertices == sum(group.size for group in found.groups) == sum(s.vertices for s in found.segments)
    assert found.compaction == pytest.approx(8 / found.vertices)
    shares = {str(edge): edge.share for edge in found.edges}
    assert shares["train.py used data.csv"] == 1
    assert shares["train.py wasAssociatedWith Bob"] == 1 / 8


def test_every_edge_and_share_is_that_of_the_segments() -> None:
    """Counted again, from the members alone."""
    graphs = trainings(8, {3: {"solver": 2}, 5: {"evaluated": False}, 7: {"who": "Bob", "lr": "0.5"}})
    found = sample()
    group = {member: one.name for one in found.groups for member in one.members}
    counted: dict[tuple[str, str, str], set[str]] = {}
    for name, graph in zip(names(8), graphs, strict=True):
        for edge in graph.edges:
            key = (group[name, edge.source], edge.type, group[name, edge.target])
            counted.setdefault(key, set()).add(name)
    assert {(e.source, e.relation, e.target): e.segments for e in found.edges} == {
        key: len(segments) for key, segments in counted.items()
    }
    for one in found.groups:
        assert one.segments == len({segment for segment, _ in one.members})


def test_groups_that_keep_the_same_are_numbered_the_commonest_first() -> None:
    """Where train.py is given a snapshot that another run of it made, two are in a segment."""
    chain = [
        Vertex("m1", ("Entity",), {"path": "model.pkl"}),
        Vertex("m2", ("Entity",), {"path": "model.pkl"}),
        Vertex("t1", ("Activity",), {"script": "train.py"}),
        Vertex("t2", ("Activity",), {"script": "train.py"}),
    ]
    longer = ProvGraph(
        chain, [Edge("wasGeneratedBy", "m1", "t1"), Edge("used", "t2", "m1"), Edge("wasGeneratedBy", "m2", "t2")]
    )
    shorter = ProvGraph([chain[0], chain[2]], [Edge("wasGeneratedBy", "m1", "t1")])
    found = summarize([longer, shorter, shorter], KEEP, 2)
    shared = {group.name: group.segments for group in found.groups}
    assert list(shared) != []
    assert shared["train.py#1"] >= shared["train.py#2"]
    assert len(shared) == len(found.groups)


def test_segments_are_called_by_their_destinations() -> None:
    graphs = [
        training(n).with_query({"destinations": [f"model.pkl@{n}"]}) for n in (1, 2)
    ] + [training(3), training(2).with_query({"destinations": ["model.pkl@2"]})]  # fmt: skip
    found = summarize(graphs, KEEP, 0)
    assert [segment.name for segment in found.segments] == [
        "model.pkl@1", "model.pkl@2 (1)", "segment 3", "model.pkl@2 (2)",
    ]  # fmt: skip


def test_the_answer_says_what_was_kept() -> None:
    found = summarize(trainings(2), resolution="fine")
    assert found.query["resolution"] == "fine"
    assert found.query["hops"] == PRESETS["fine"][1]
    assert found.query["keep"] == {kind: list(keys) for kind, keys in PRESETS["fine"][0].items()}
    own = summarize(trainings(2), {"ENTITY": ["path"], "Activity": "script"}, 1)
    assert own.query["keep"] == {"activity": ["script"], "entity": ["path"]}
    assert own.query["resolution"] is None
    for turned in ({"hops": 0}, {"keep": KEEP}):
        assert summarize(trainings(2), resolution="fine", **turned).query["resolution"] is None, "it is not fine now"
    assert summarize(trainings(2), resolution="fine", hops=1).query["resolution"] == "fine"


def test_finer_resolutions_have_no_fewer_groups() -> None:
    graphs = trainings(10, {3: {"solver": 2}, 5: {"evaluated": False}})
    sizes = [len(summarize(graphs, resolution=name)) for name in ("coarse", "medium", "fine")]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


def test_a_key_that_nothing_has_is_a_note() -> None:
    found = summarize(trainings(2), {"activity": ["scirpt"]}, 0)
    assert found.notes == (
        "no activity in these segments has 'scirpt', so keeping it changes nothing; near: script",
    )  # fmt: skip


@pytest.mark.parametrize("hops", [0, 1, 2])
def test_empty_segments_and_one_alone(hops: int) -> None:
    empty = ProvGraph([], [])
    found = summarize([empty, empty], KEEP, hops)
    assert (len(found), found.vertices, found.compaction, found.ranked) == (0, 0, 1.0, [])
    one = summarize([training(1)], KEEP, hops)
    assert [segment.score for segment in one.segments] == [0]
    assert one.alike
    mixed = summarize([empty, training(1), training(2)], KEEP, hops, names=["nothing", "a", "b"])
    assert mixed.ranked[0].name == "nothing"


# -- names


@pytest.mark.parametrize(
    ("kind", "kept", "name"),
    [
        (Kind.ACTIVITY, {"utility": "python", "script": "train.py"}, "python train.py"),
        (Kind.ACTIVITY, {"utility": "sort"}, "sort"),
        (Kind.ACTIVITY, {"command": "python train.py --lr 1", "utility": "python"}, "python train.py --lr 1"),
        (Kind.ACTIVITY, {"script": "train.py", "param_lr": 0.1}, "train.py param_lr=0.1"),
        (Kind.ACTIVITY, {}, "activity"),
        (Kind.ENTITY, {"path": "model.pkl"}, "model.pkl"),
        (Kind.ENTITY, {"type": "weights"}, "entity type=weights"),
        (Kind.AGENT, {"email": "a@b"}, "a@b"),
    ],
)
def test_names_say_what_is_kept(kind: Kind, kept: dict[str, Any], name: str) -> None:
    assert base_name(kind, kept) == name


def test_unseen_changes_are_called_so() -> None:
    unseen = ProvGraph([Vertex("u", ("Activity", "Unseen"), {"name": "unrecorded change"})], [])
    assert [group.name for group in summarize([unseen]).groups] == ["unrecorded change"]


def test_numbers_never_make_the_name_of_another_group() -> None:
    bases = ["a", "a", "a#1", "b"]
    found = numbered(bases, [(1,), (0,), (0,), (0,)])
    assert found == ["a#3", "a#2", "a#1", "b"]


def depths(*edges: tuple[int, str, int]) -> list[int]:
    sources, relations, targets = zip(*edges, strict=True)
    codes = [RELATION_CODES[relation] for relation in relations]
    found: list[int] = flow(3, np.array(sources), np.array(codes), np.array(targets)).tolist()
    return found


def test_flow_takes_cycles_as_they_come() -> None:
    assert depths((1, "used", 0), (2, "wasGeneratedBy", 1)) == [0, 1, 2]
    assert depths((0, "used", 1), (1, "wasGeneratedBy", 0), (2, "used", 1)) == [0, 1, 2]
    assert depths((1, "used", 1), (2, "used", 1), (0, "wasAssociatedWith", 2)) == [0, 0, 1]


# -- JSON


def test_json_fits_the_schema_and_comes_back() -> None:
    found = sample()
    document = found.to_json()
    Draft202012Validator(schemas.schema("summary")).validate(document)
    assert Summary.from_json(document) == found
    assert Summary.from_json(json.dumps(document)) == found
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"schema": "provgraph/graph/1"}, 'says "schema": "provgraph/graph/1"'),
        ([], "says no schema"),
        ("{", "this is no JSON"),
        ({"schema": "provgraph/summary/1"}, "is a required property"),
    ],
)
def test_what_is_no_summary_is_refused(document: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Summary.from_json(document)


# -- errors


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"segments": []}, "no segment to summarize; project.segment"),
        ({"segments": ["model.pkl"]}, "segment 1 is a str"),
        ({"keep": {"file": ["path"]}}, "'file'; there are activity, entity and agent"),
        ({"keep": {"entity": [1]}}, "names 1 for entity"),
        ({"keep": ["path"]}, "names property keys by kind"),
        ({"hops": -1}, "hops = -1 is no number of edges"),
        ({"hops": 1.5}, "hops = 1.5 is no number of edges"),
        ({"resolution": "best"}, "there are coarse, medium, fine"),
        ({"names": ["one"]}, "1 names for 2 segments"),
    ],
)
def test_errors_say_what_to_do(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        summarize(**{"segments": trainings(2), **asked})


def test_one_graph_is_no_list_of_graphs() -> None:
    with pytest.raises(QuestionError, match="put it in brackets"):
        summarize(training(1))


# -- the same in every process


def test_the_same_whatever_the_hash_seed_and_the_order_of_vertices() -> None:
    code = (
        "import json; from test_summary import shuffled; from provgraph.queries.summarization import summarize\n"
        "for r in ('coarse', 'medium', 'fine'): print(json.dumps(summarize(shuffled(), resolution=r).to_json()))"
    )
    printed = set()
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent}"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=120
        )
        printed.add(done.stdout)
    assert len(printed) == 1


def shuffled() -> list[ProvGraph]:
    """Segments whose vertices and edges come in an order that depends on the hash seed."""
    order = random.Random(hash("any"))
    found = []
    for graph in trainings(9, {3: {"solver": 2}, 5: {"evaluated": False}, 7: {"who": "Bob"}}):
        vertices, edges = graph.vertices, graph.edges
        order.shuffle(vertices)
        order.shuffle(edges)
        found.append(ProvGraph(vertices, edges))
    return found


def test_json_nested_without_end_is_an_error_in_words() -> None:
    with pytest.raises(InputError, match="this is no JSON"):
        Summary.from_json("[" * 200_000)


def test_a_segment_whose_destination_has_no_name_is_numbered() -> None:
    nameless = ProvGraph([Vertex("a", ("Entity",), {"name": ""})], []).with_query({"roots": ["a"]})
    assert [segment.name for segment in summarize([nameless, training(1)], KEEP, 0).segments] == [
        "segment 1",
        "segment 2",
    ]
