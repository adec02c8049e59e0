"""The layout: no box on another, lines one way and around boxes, the same in every run."""

import os
import random
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.render.layout.drawing import PAGE, Box, Direction, Drawing, Line, layout
from provgraph.render.layout.layers import layers_of
from provgraph.render.layout.order import crossings, put_in_order

Graph = tuple[list[Box], list[Line]]


@st.composite
def graphs(draw: st.DrawFn, acyclic: bool = True) -> Graph:
    """Boxes of any size, lines from smaller to larger numbers (or anywhere), several of them alike."""
    count = draw(st.integers(0, 24))
    size = st.floats(10, 200)
    boxes = [Box(draw(size), draw(size)) for _ in range(count)]
    if not count:
        return boxes, []
    numbers = st.integers(0, count - 1)
    pairs = draw(st.lists(st.tuples(numbers, numbers), max_size=48))
    if acyclic:
        pairs = [(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]]
    return boxes, [Line(a, b, draw(st.integers(0, 1)), draw(st.sampled_from([0.0, 40.0]))) for a, b in pairs]


def dag(count: int, seed: int = 1) -> Graph:
    chance = random.Random(seed)
    lines = [
        Line(earlier, later)
        for later in range(1, count)
        for earlier in {max(0, later - 1 - int(chance.expovariate(1 / 20))) for _ in range(chance.randint(1, 2))}
    ]
    return [Box(chance.choice([80, 120, 150]), chance.choice([28, 44])) for _ in range(count)], lines


def along(drawing: Drawing, box: int) -> float:
    return drawing.middles[box][0 if drawing.direction == "right" else 1]


@given(graphs(), st.sampled_from(["right", "down", None]))
def test_boxes_do_not_overlap_and_lines_run_one_way(graph: Graph, direction: Direction | None) -> None:
    boxes, lines = graph
    drawing = layout(boxes, lines, direction)
    corners = [
        (x - box.width / 2, y - box.height / 2, x + box.width / 2, y + box.height / 2)
        for box, (x, y) in zip(boxes, drawing.middles, strict=True)
    ]
    for place, a in enumerate(corners):
        assert a[0] >= -1e-6 and a[1] >= -1e-6 and a[2] <= drawing.width + 1e-6 and a[3] <= drawing.height + 1e-6
        for b in corners[:place]:
            assert a[0] >= b[2] - 1e-6 or b[0] >= a[2] - 1e-6 or a[1] >= b[3] - 1e-6 or b[1] >= a[3] - 1e-6
    for line, route in zip(lines, drawing.routes, strict=True):
        assert along(drawing, line.earlier) < along(drawing, line.later)
        forth = [point[0] if drawing.direction == "right" else point[1] for point in route]
        assert len(route) >= 4 and len(route) % 2 == 0
        assert all(a >= b - 1e-6 for a, b in pairwise(forth)), "a line runs back"


@given(graphs())
def test_lines_run_around_boxes(graph: Graph) -> None:
    """Where a line passes a layer it runs straight, and through no box of that layer."""
    boxes, lines = graph
    drawing = layout(boxes, lines, "right")
    for line, route in zip(lines, drawing.routes, strict=True):
        for (x1, y1), (x2, y2) in zip(route[2:-2:2], route[3:-2:2], strict=True):
            assert y1 == y2
            for number, (box, (x, y)) in enumerate(zip(boxes, drawing.middles, strict=True)):
                if number not in (line.earlier, line.later) and x2 <= x <= x1:
                    assert not y - box.height / 2 < y1 < y + box.height / 2


@given(graphs(acyclic=False))
def test_cycles_and_loops_are_drawn_too(graph: Graph) -> None:
    boxes, lines = graph
    drawing = layout(boxes, lines, "right")
    for line, route in zip(lines, drawing.routes, strict=True):
        assert bool(route) == (line.earlier != line.later)
        if route:
            ends = (route[0][1], route[-1][1])
            assert ends == (drawing.middles[line.later][1], drawing.middles[line.earlier][1])


def test_nothing_and_one() -> None:
    assert layout([], []).middles == ()
    assert layout([Box(10, 20)], [Line(0, 0)]) == Drawing("right", ((5.0, 10.0),), ((),), 10.0, 20.0)


def test_parts_stand_beside_one_another_and_wrap() -> None:
    boxes = [Box(200, 30)] * 12
    drawing = layout(boxes, [Line(0, 1)])
    assert drawing.width < 1100 and drawing.height > 100
    assert drawing.middles[1][0] > drawing.middles[0][0]


def test_few_layers_run_to_the_right_and_many_down() -> None:
    boxes = [Box(100, 30)] * 20
    chain = [Line(number, number + 1) for number in range(19)]
    assert layout(boxes[:3], chain[:2]).direction == "right"
    assert layout(boxes, chain).direction == "down"
    fan = [Line(0, number) for number in range(1, 20)]
    assert layout(boxes, fan).direction == "right"


@given(graphs())
def test_the_direction_is_the_one_that_is_narrower(graph: Graph) -> None:
    boxes, lines = graph
    right, down = (layout(boxes, lines, direction) for direction in ("right", "down"))
    assert layout(boxes, lines) == (right if right.width <= PAGE or right.width <= down.width else down)


def test_what_only_a_late_one_needs_stands_beside_it() -> None:
    """0 → 1 → 2 → 3; 4 and its own cause 5 are needed by 3 alone."""
    found = layers_of(6, [(0, 1), (1, 2), (2, 3), (4, 3), (5, 4)], [0] * 5)
    assert found.layer[:6] == [0, 1, 2, 3, 2, 1]


def test_lines_from_one_box_share_their_bends() -> None:
    found = layers_of(5, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 3), (0, 4)], [0] * 6)
    assert found.paths[4] == found.paths[5][:2] and len(found.layer) == 5 + 3
    apart = layers_of(5, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 3), (0, 4)], [0, 0, 0, 0, 0, 1])
    assert len(apart.layer) == 5 + 2 + 3


def test_crossings_are_counted_and_taken_out() -> None:
    found = layers_of(6, [(0, 5), (1, 4), (2, 3)], [0] * 3)
    assert crossings(found, [[0, 1, 2], [3, 4, 5]]) == 3
    put_in_order(found)
    assert crossings(found, found.rows) == 0


@pytest.mark.parametrize("seed", range(5))
def test_trees_are_drawn_without_a_crossing(seed: int) -> None:
    chance = random.Random(seed)
    pairs = [(chance.randrange(number), number) for number in range(1, 60)]
    found = layers_of(60, pairs, list(range(59)))
    put_in_order(found)
    assert crossings(found, found.rows) == 0


def test_the_same_in_every_process() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_layout import dag\nfrom provgraph.render.layout.drawing import layout\nprint(layout(*dag(300)))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script, os.path.dirname(__file__)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(printed) == 1


def test_a_thousand_boxes() -> None:
    drawing = layout(*dag(1000))
    assert len(set(drawing.middles)) == 1000
