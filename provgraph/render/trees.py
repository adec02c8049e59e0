"""Lineage as a tree, and ways as chains."""

from collections.abc import Callable

from provgraph.graph.answers import Outline, OutlineLine, Ways
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.render.text import Page, clip, clip_middle, printable, width
from provgraph.render.times import Clock
from provgraph.render.vertices import colour_of, remarks
from provgraph.render.words import inverse

_ENDS = 30
"""Of a longer way the first and the last so many edges are shown."""
_NAME, _TAIL = 12, 24
"""Columns that are left to a name, and to what stands behind it, before the other is cut."""


Remark = Callable[[Vertex], str]
"""A word about a vertex that stands first in its brackets; empty for none."""


def outline_text(
    outline: Outline, page: Page, clock: Clock, *, downstream: bool = False, remark: Remark = lambda _vertex: ""
) -> str:
    """The tree, a line for each line of the outline."""
    return "\n".join(_line(line, page, clock, downstream, remark) for line in outline.lines)


def left_out(outline: Outline) -> list[str]:
    """What the tree does not show, as a note; none where it shows all."""
    left = outline.total - outline.drawn
    if left <= 0:
        return []
    return [f"{left:,} of {outline.total:,} vertices are folded; --all draws all, --json lists them"]


def _line(line: OutlineLine, page: Page, clock: Clock, downstream: bool, remark: Remark) -> str:
    stem = "".join("   " if last else "│  " for last in line.trail[:-1])
    if line.trail:
        stem += "└─ " if line.trail[-1] else "├─ "
    relation = (inverse(line.relation) if downstream else line.relation) if line.relation else ""
    if line.vertex is None:
        return clip(f"{stem}{relation} … and {line.count:,} more", page.columns)
    head = f"{stem}{relation} " if relation else stem
    tail = _tail(line, clock, remark(line.vertex))
    name = printable(display_name(line.vertex))
    room = page.columns - width(head)
    name = clip_middle(name, max(_NAME, room - width(tail), room - _TAIL))
    tail = clip(tail, max(1, room - width(name)))
    return head + page.paint(name, colour_of(line.vertex)) + page.paint(tail, "faint")


def _tail(line: OutlineLine, clock: Clock, first: str) -> str:
    if line.state == "again":
        return "  (see above)"
    if line.state == "continued":
        return "  (continued below)"
    assert line.vertex is not None
    said = [printable(word) for word in remarks(line.vertex, line.agents, clock)]
    if line.role:
        said.insert(0, printable(line.role))
    if first:
        said.insert(0, first)
    return (f" ({', '.join(said)})" if said else "") + (" …" if line.state == "folded" else "")


def ways_text(found: Ways, page: Page, clock: Clock) -> str:
    """Each way as a chain, one edge a line; then how many there are."""
    blocks = []
    for number, way in enumerate(found.ways, 1):
        lines = [f"{number}. " + page.paint(printable(display_name(way.vertices[0])), colour_of(way.vertices[0]))]
        steps = list(zip(way.edges, way.vertices[1:], strict=True))
        skipped = len(steps) - 2 * _ENDS
        for place, (edge, vertex) in enumerate(steps):
            if skipped <= 1 or not _ENDS <= place < _ENDS + skipped:
                lines.append(f"   {edge.type} → {_named(vertex, page, clock)}")
            elif place == _ENDS:
                lines.append(f"   … {skipped:,} more edges (--json lists them) …")
        blocks.append("\n".join(lines))
    shown = len(found.ways)
    if found.count is None:
        blocks.append(f"{shown} shown; the graph has a cycle here, so they are not counted")
    elif found.count > shown:
        many = "more than can be counted" if found.count >= 10**18 else f"{found.count:,}"
        blocks.append(f"{shown} ways of {many}, the shortest first; --limit N shows more")
    return "\n\n".join(blocks)


def _named(vertex: Vertex, page: Page, clock: Clock) -> str:
    said = ", ".join(printable(word) for word in remarks(vertex, (), clock))
    return page.paint(printable(display_name(vertex)), colour_of(vertex)) + (f" ({said})" if said else "")
