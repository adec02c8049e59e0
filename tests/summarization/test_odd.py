"""What is odd: the score of a segment, and its reasons in words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from summarization.runs import KEEP, names, trainings

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.summary import Summary
from provgraph.queries.summarization import summarize
from provgraph.queries.summarization.odd import surprises


def summary(count: int, changed: dict[int, dict[str, Any]] | None = None, **asked: Any) -> Summary:
    return summarize(trainings(count, changed), **{"keep": KEEP, "hops": 0, "names": names(count), **asked})


def test_segments_that_are_alike_are_not_odd() -> None:
    """Each has a seed and snapshots of its own: what is different in every one is nobody's oddity."""
    found = summary(10)
    assert [segment.score for segment in found.segments] == [0] * 10
    assert found.ranked == []
    assert found.odd == ()
    assert all(segment.reasons == () for segment in found.segments)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"solver": 2}, "the only one of 10 that used solver.json@2"),
        ({"lr": "0.5"}, "the only one of 10 with --lr 0.5"),
        ({"param_lr": 0.5}, "the only one of 10 with param_lr = 0.5"),
        ({"exit_status": 1}, "the only one of 10 with exit status 1"),
        ({"who": "Bob"}, "the only one of 10 that Bob took part in"),
        ({"evaluated": False}, "the only one of 10 without eval.py"),
        ({"operands": ["big.csv"]}, "the only one of 10 with operand big.csv"),
    ],
)
def test_the_odd_one_is_found_with_its_reason(change: dict[str, Any], reason: str) -> None:
    same = {"param_lr": 0.1} if "param_lr" in change else {"operands": ["small.csv"]} if "operands" in change else {}
    changed = {n: dict(same) for n in range(1, 11)} | {7: change}
    found = summary(10, changed)
    assert [segment.name for segment in found.ranked] == ["run 7"]
    assert found.ranked[0].score > 2
    assert found.ranked[0].reasons[0] == reason


@pytest.mark.parametrize("resolution", ["coarse", "medium", "fine"])
def test_snapshots_and_options_are_seen_at_any_resolution(resolution: str) -> None:
    found = summary(10, {3: {"solver": 2}, 8: {"lr": "0.9"}}, keep=None, hops=None, resolution=resolution)
    reasons = {segment.name: segment.reasons for segment in found.segments}
    assert "the only one of 10 that used solver.json@2" in reasons["run 3"]
    assert "the only one of 10 with --lr 0.9" in reasons["run 8"]


def test_snapshots_with_the_same_bytes_are_one() -> None:
    """solver.json is written anew for each run, but other bytes are in the seventh alone."""
    runs = [
        ProvGraph(
            [
                Vertex(v.uid, v.labels, {**v.properties, "sha256": "b" * 64 if n == 7 else "a" * 64})
                if v.properties.get("path") == "solver.json"
                else v
                for v in graph
            ],
            graph.edges,
        )
        for n, graph in enumerate(trainings(10, {n: {"solver": n} for n in range(1, 11)}), 1)
    ]
    found = summarize(runs, KEEP, 0, names=names(10))
    assert [(segment.name, segment.reasons) for segment in found.ranked] == [
        ("run 7", ("the only one of 10 that used solver.json@7",)),
    ]  # fmt: skip
    runs[7] = runs[6]
    found = summarize(runs, KEEP, 0, names=names(10))
    assert found.ranked[0].reasons == ("one of 2 of 10 that used solver.json@7",)


def test_several_that_differ_alike_have_the_same_score() -> None:
    found = summary(41, {7: {"evaluated": False}, 9: {"evaluated": False}, 20: {"solver": 3}})
    score = {segment.name: segment for segment in found.segments}
    assert score["run 7"].score == score["run 9"].score > 0
    assert score["run 1"].score == 0
    assert score["run 7"].reasons[0] == "one of 2 of 41 without eval.py"
    assert score["run 20"].reasons[0] == "the only one of 41 that used solver.json@3"


def test_an_option_that_only_one_has_and_one_that_it_lacks() -> None:
    runs = trainings(9)
    bare = trainings(10, {10: {"options": []}})[-1]
    found = summarize([*runs, bare], KEEP, 0, names=names(10))
    assert found.ranked[0].name == "run 10"
    assert "the only one of 10 without --lr (train.py)" in found.ranked[0].reasons


def test_the_command_is_named_where_an_option_is_two_commands_own() -> None:
    """run 5's train.py has --lr 0.5, as run 6's eval.py has: 'the only one with --lr 0.5' would not be true."""
    runs = trainings(10, {5: {"lr": "0.5"}})
    other = runs[5]
    vertices = [
        Vertex(v.uid, v.labels, {**v.properties, "options": ["--lr 0.5"]}) if v.uid == "eval.py6" else v for v in other
    ]
    runs[5] = ProvGraph(vertices, other.edges)
    found = summarize(runs, KEEP, 0, names=names(10))
    reasons = {segment.name: segment.reasons for segment in found.segments}
    assert "the only one of 10 with --lr 0.5 (train.py)" in reasons["run 5"]
    assert "the only one of 10 with --lr 0.5 (eval.py)" in reasons["run 6"]


def test_at_most_three_reasons_nothing_twice() -> None:
    found = summary(10, {4: {"solver": 2, "lr": "0.7", "who": "Bob", "evaluated": False, "exit_status": 3}})
    reasons = found.ranked[0].reasons
    assert len(reasons) == 3
    assert len(set(reasons)) == 3


def test_who_ran_a_command_is_told_once() -> None:
    """Alice evaluates in every segment; in the first she trained as well, in the others Carol did."""
    carol = Vertex("Carol", ("Agent", "Person"), {"name": "Carol"})
    runs = trainings(6)
    for place, run in enumerate(runs[1:], 1):
        edges = [
            Edge(e.type, e.source, "Carol") if e.target == "Alice" and e.source.startswith("train") else e
            for e in run.edges
        ]
        runs[place] = ProvGraph([*run, carol], edges)
    for keep in (KEEP, {**KEEP, "agent": ["kind"]}):
        odd = summarize(runs, keep, 0, names=names(6)).ranked
        assert [segment.name for segment in odd] == ["run 1"]
        assert "the only one of 6 with train.py run by Alice" in odd[0].reasons
        assert not any("wasAssociatedWith" in reason for reason in odd[0].reasons), odd[0].reasons


def test_more_differences_score_higher() -> None:
    found = summary(10, {3: {"lr": "0.5"}, 4: {"lr": "0.7", "solver": 2}, 5: {"lr": "0.9", "solver": 3, "who": "Bob"}})
    assert [segment.name for segment in found.ranked] == ["run 5", "run 4", "run 3"]


def test_two_segments_that_differ_are_none_of_them_odd() -> None:
    found = summary(2, {2: {"solver": 2, "who": "Bob"}})
    assert found.ranked == []
    assert {(oddity.what, oddity.name) for oddity in found.odd} >= {("group", "Bob")}


def test_an_even_choice_surprises_nobody() -> None:
    found = summary(10, {n: {"lr": str(n % 5)} for n in range(1, 11)})
    assert found.ranked == []


def test_oddities_are_ranked_by_how_few_segments_they_set_apart() -> None:
    found = summary(10, {7: {"evaluated": False}, 8: {"who": "Bob"}, 9: {"who": "Bob"}})
    few = [min(oddity.segments, 10 - oddity.segments) for oddity in found.odd]
    assert few == sorted(few)
    by_name = {oddity.name: oddity for oddity in found.odd}
    assert by_name["eval.py"].without
    assert by_name["eval.py"].names == ("run 7",)
    assert by_name["Bob"].names == ("run 8", "run 9")
    assert not by_name["Bob"].without


def test_reasons_are_true() -> None:
    """Whatever is said of a segment is said of as many as it says."""
    changed: dict[int, dict[str, Any]] = {
        n: {"solver": 1 + (n % 7 == 0), "lr": "0.5" if n % 11 == 0 else "0.1", "evaluated": n != 5}
        for n in range(1, 31)
    }
    found = summary(30, changed)
    used = [n for n in changed if changed[n]["solver"] == 2]
    assert len(used) == 4
    for n in used:
        assert f"one of {len(used)} of 30 that used solver.json@2" in found.segments[n - 1].reasons
    for n in (11, 22):
        assert "one of 2 of 30 with --lr 0.5" in found.segments[n - 1].reasons


@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=12))
def test_surprise_laws(values: list[str | None]) -> None:
    """The commonest value and an absent one surprise nobody; equal values surprise equally; rarer ones no less."""
    bits = surprises(list(values))
    there = [value for value in values if value is not None]
    by_value = dict(zip(values, bits, strict=True))
    assert all(bit == by_value[value] for value, bit in zip(values, bits, strict=True))
    assert by_value.get(None, 0) == 0
    if there:
        assert by_value[max(set(there), key=there.count)] == 0
    for one in set(there):
        for other in set(there):
            if there.count(one) <= there.count(other):
                assert by_value[one] >= by_value[other]
