"""A summary on a page: what it says, folded and whole, at any width."""

import pytest
from summarization.runs import KEEP, names, training, trainings

from provgraph.graph.elements import Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.summarization import summarize
from provgraph.render.summaries import GROUPS, SEGMENTS, folded, summary_text
from provgraph.render.text import Page, width


def test_segments_that_are_alike_are_said_to_be() -> None:
    text = summary_text(summarize(trainings(5), KEEP, 0), Page(80))
    assert text.splitlines()[-1] == "Nothing is odd: the 5 segments are alike."
    assert text.startswith("5 segments, 35 vertices → 7 groups, 7 edges")


def test_one_segment_and_two() -> None:
    alone = summary_text(summarize([training(1)], KEEP, 0), Page(80))
    assert alone.endswith("One segment alone: there is nothing to compare it with.")
    two = summary_text(summarize(trainings(2, {2: {"who": "Bob"}}), KEEP, 0), Page(80))
    assert "No segment stands out" in two
    assert "`provdb compare` tells" in " ".join(two.split())
    assert "1 of 2    Bob, in segment 2" in two


def test_an_empty_summary() -> None:
    text = summary_text(summarize([ProvGraph([], [])], KEEP, 0), Page(80))
    assert text.startswith("1 segment, 0 vertices → 0 groups")


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_page(columns: int) -> None:
    changed = {n: {"solver": n, "lr": str(n)} for n in (3, 5)} | {7: {"who": "A" * 60, "evaluated": False}}
    called = [f"a/very/long/path/to/a/segment/file/number-{n}.json" for n in range(1, 11)]
    text = summary_text(summarize(trainings(10, changed), KEEP, 1, names=called), Page(columns))
    assert max(map(width, text.splitlines())) <= columns


def many() -> list[ProvGraph]:
    """More groups, odd segments and edges than a page shows."""
    changed = {n: {"who": f"Person {n}", "evaluated": False} for n in range(1, 31)}
    return trainings(100, changed)


def test_much_is_folded_and_all_shows_all() -> None:
    found = summarize(many(), KEEP, 0, names=names(100))
    assert len(found.groups) > GROUPS + 1
    assert len(found.ranked) > SEGMENTS + 1
    short, whole = summary_text(found, Page(100)), summary_text(found, Page(100), everything=True)
    assert len(short.splitlines()) < 100
    assert f"… and {len(found.groups) - GROUPS} more groups, in 1 of 100 segments" in short
    assert "segments less unusual" in short
    assert len(folded(found)) == 1
    assert "--all draws all" in folded(found)[0]
    assert folded(found, everything=True) == []
    assert all(group.name in whole for group in found.groups)
    assert all(f"  {segment.name}  " in whole for segment in found.ranked)


def test_control_characters_in_names_are_escaped() -> None:
    text = summary_text(summarize(trainings(3, {2: {"who": "Bob\x1b[31m\n"}}), KEEP, 0), Page(80))
    assert "\x1b" not in text
    assert "Bob\\e[31m\\n" in text


def test_examples_do_not_push_the_numbers_away() -> None:
    runs = trainings(3, {n: {"operands": []} for n in (1, 2, 3)})
    called = [
        ProvGraph([Vertex(v.uid, v.labels, {**v.properties, "name": f"{'long ' * 30}{v.uid}"}) for v in run], run.edges)
        for run in runs
    ]
    lines = summary_text(summarize(called, {}, 0), Page(200)).splitlines()
    assert max(line.index("all 3") for line in lines if "all 3" in line) < 80
