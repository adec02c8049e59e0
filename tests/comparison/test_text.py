"""Comparisons as text: narrow pages, colours that say nothing alone, names that are anybody's."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from provgraph.graph.comparison import Comparison
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.comparison import compare, compare_vertices
from provgraph.queries.comparison.contents import data_difference
from provgraph.queries.graph_reader import GraphAsReader
from provgraph.render.comparisons import comparison_text, left_out
from provgraph.render.contents import content_lines
from provgraph.render.text import Page, width
from provgraph.render.times import Clock

CLOCK = Clock(datetime(2026, 11, 21, tzinfo=UTC), "utc")
HOSTILE = "\x1b[2Jbad\r\nname\u202e"
COLOUR = re.compile(r"\x1b\[\d+m")


def side(number: int, name: str, data: str, **more: Any) -> tuple[ProvGraph, dict[str, bytes]]:
    """A run that read one file and wrote a table."""
    run = {"name": f"r #{number}", "argv": ["r", data], "utility": "r"}
    vertices = [
        Vertex(f"c{number}", ("Entity", "Snapshot"), {"path": name, "sequence": number, "sha256": f"{number:064}"}),
        Vertex(
            f"o{number}", ("Entity", "Snapshot"), {"path": "o.csv", "sequence": number, "sha256": f"{9 * number:064}"}
        ),
        Vertex(f"r{number}", ("Activity", "Command"), run | more),
        Vertex(f"p{number}", ("Agent", "Person"), {"name": f"{name} {number}"}),
    ]
    edges = [
        Edge("used", f"r{number}", f"c{number}"),
        Edge("wasGeneratedBy", f"o{number}", f"r{number}"),
        Edge("wasAssociatedWith", f"r{number}", f"p{number}"),
    ]
    contents = {f"c{number}": f"line\n{data}\n".encode(), f"o{number}": f"k,v\n{number},{data!r}\n".encode()}
    return ProvGraph(vertices, edges), contents


def both(name: str, *data: str) -> tuple[Comparison, Comparison]:
    (first, ours), (second, theirs) = (
        side(1, name, data[0], metric_a=0.5),
        side(2, name, data[1], metric_a=1, note=data[1]),
    )

    def read(vertex: Vertex) -> bytes:
        return {**ours, **theirs}[vertex.uid]

    reader = GraphAsReader(first.union(second))
    vertices = compare_vertices(reader, first["r1"], second["r2"], contents=read)
    return vertices, compare(first, second, contents=read)


@pytest.mark.parametrize("everything", [False, True])
def test_what_names_hold_moves_no_cursor(everything: bool) -> None:
    for found in both(HOSTILE, HOSTILE, f"{HOSTILE}{HOSTILE}"):
        text = comparison_text(found, Page(100), CLOCK, everything=everything)
        assert all(line.isprintable() for line in text.split("\n"))
        assert all(note.isprintable() for note in left_out(found))


def test_colour_says_nothing_alone() -> None:
    for found in both("config.txt", "one", "two"):
        plain = comparison_text(found, Page(80), CLOCK)
        coloured = comparison_text(found, Page(80, colour=True), CLOCK)
        assert coloured != plain and COLOUR.sub("", coloured) == plain


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_lines_fit_the_page(columns: int) -> None:
    for found in both("a/rather/long/path/to/a/file/of/text.txt", "one " * 20, "two " * 20):
        lines = comparison_text(found, Page(columns), CLOCK).split("\n")
        wide = [line for line in lines if width(line) > columns]
        assert all(re.match(r" *([-+] |(≠ )?command )", line) for line in wide), "but for values that must be whole"


def test_nothing_differs() -> None:
    graph, contents = side(1, "a", "b")
    found = compare(graph, graph, contents=lambda vertex: contents[vertex.uid])
    assert "Nothing differs.\n" in comparison_text(found, Page(80), CLOCK) and not found
    again = Vertex("r2", graph["r1"].labels, {**graph["r1"].properties, "name": "r #2", "number": 2, "cpu_s": 1})
    twice = compare_vertices(GraphAsReader(ProvGraph([graph["r1"], again], [])), graph["r1"], again)
    assert "Nothing differs that tells them apart." in comparison_text(twice, Page(80), CLOCK) and not twice
    vertex = compare_vertices(GraphAsReader(graph), graph["c1"], graph["c1"])
    assert comparison_text(vertex, Page(80), CLOCK).endswith("They are one vertex; nothing differs.")
    assert left_out(vertex) == []


@pytest.mark.parametrize("make", [lambda: both("x.txt", "1", "2")[0], lambda: both("x.txt", "1", "2")[1]])
def test_all_shows_more(make: Callable[[], Comparison]) -> None:
    short = comparison_text(make(), Page(100), CLOCK)
    long = comparison_text(make(), Page(100), CLOCK, everything=True)
    assert len(long.split("\n")) >= len(short.split("\n"))


def test_long_lists_of_what_only_one_has_are_cut() -> None:
    many = ProvGraph([Vertex(f"v{n}", ("Entity",), {"name": f"v{n}"}) for n in range(100)], [])
    found = compare(ProvGraph([], []), many)
    assert "+ … and 61 more (--all shows them)" in comparison_text(found, Page(80), CLOCK)
    assert "+ v99" in comparison_text(found, Page(80), CLOCK, everything=True)


def test_counts_of_a_table_are_whole_on_a_narrow_page() -> None:
    first, second = (f"n,v\n{''.join(f'{n},{n * by}{chr(10)}' for n in range(1500))}".encode() for by in (1, 2))
    lines = content_lines(data_difference(first, second, ("table", None)), Page(50))
    assert lines[:2] == ["1,500 rows (matched by n)", "  0 added, 0 removed, 1,499 changed"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -(10**400), 10**400])
@pytest.mark.parametrize("key", ["duration_s", "param_a", "metric_a", "size_bytes"])
def test_numbers_that_nobody_measures_are_told(key: str, value: float) -> None:
    """JSON from elsewhere has them."""
    graph = ProvGraph([Vertex("a", ("Activity",), {key: 1}), Vertex("b", ("Activity",), {key: value})], [])
    found = compare_vertices(GraphAsReader(graph), graph["a"], graph["b"])
    assert key in comparison_text(found, Page(80), CLOCK)
