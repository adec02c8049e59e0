"""Segments for a terminal: a tree in which each vertex says what it is there for, and why one of them is."""

from collections import Counter

from provgraph.graph.answers import Outline, Ways
from provgraph.graph.elements import Vertex
from provgraph.graph.segment import Explanation, Segment, Why
from provgraph.render.text import Page, printable
from provgraph.render.times import Clock
from provgraph.render.trees import outline_text, ways_text

_SAID = {Why.SIMILAR: "similar", Why.SIBLING: "sibling", Why.EXPANSION: "expansion", Why.QUERY: "on no path"}
_COUNTED = {Why.QUERY: "on no path", Why.EXPANSION: "by expansion"}
_PLURALS = {Why.SIBLING: "siblings", Why.AGENT: "agents"}


def segment_text(segment: Segment, outline: Outline, page: Page, clock: Clock) -> str:
    """The tree, and a line that counts what is in the segment by its reason."""
    sources = set(segment.sources)

    def remark(vertex: Vertex) -> str:
        words = ["source"] if vertex.uid in sources else []
        return ", ".join([*words, *filter(None, [_SAID.get(segment.why(vertex.uid))])])

    return f"{outline_text(outline, page, clock, remark=remark)}\n\n{counts_text(segment)}"


def counts_text(segment: Segment) -> str:
    """How many vertices there are, by reason: ``23 vertices: 9 direct, 8 similar, 4 siblings, 2 agents``."""
    counts = Counter(segment.reasons)
    said = [f"{counts[why]:,} {_word(why, counts[why])}" for why in Why if counts[why]]
    return f"{len(segment):,} {'vertex' if len(segment) == 1 else 'vertices'}: {', '.join(said)}"


def _word(why: Why, count: int) -> str:
    return _COUNTED.get(why) or (_PLURALS.get(why) if count != 1 else None) or why.value


def explanation_text(found: Explanation, page: Page, clock: Clock) -> str:
    """The sentence, then the walks that prove it, one edge a line; of a sibling or agent also what it hangs on."""
    blocks = [page.paint(printable(found.sentence), "strong")]
    if found.ways:
        ends = found.ways[0].vertices
        blocks.append(ways_text(Ways(ends[0], ends[-1], found.ways, len(found.ways)), page, clock))
    if found.because is not None:
        blocks.append(explanation_text(found.because, page, clock))
    return "\n\n".join(blocks)
