"""A segment as a tree of lines: from the destinations into the past, siblings under the activity that made them."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from provgraph.graph.answers import Outline
from provgraph.graph.arrays import AGENT
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.segment import Segment, Why
from provgraph.model.vocabulary import ANCESTRY, RESPONSIBILITY
from provgraph.queries.outline import SIBLINGS, Drawing

_ALIKE = 4
"""Of many that are not on a direct path the first few stand for all."""
_FURTHER = 20
"""So many more trees, of what no destination came from, where not all is asked for."""
_ORDER = {"wasGeneratedBy": 0, "used": 1, "generated": 2}
_FIRST = frozenset({Why.DIRECT, Why.QUERY})


def segment_outline(
    segment: Segment, *, max_depth: int = 14, max_lines: int = 400, everything: bool = False
) -> Outline:
    """The segment as lines, in a fixed order: a tree for each destination, then one for each top that is in none.

    Parameters: as of ``queries.outline.outline``.

    Cost: linear in the lines drawn, and a pass over the arrays.
    """
    further = _tops(segment)
    asked = _in_order(segment, segment.destinations)
    roots = deque([*asked, *(further if everything else further[:_FURTHER])])
    drawing = _Drawing(segment, downstream=False, max_depth=max_depth, everything=everything, max_lines=max_lines,
                       roots=roots, segment=segment)  # fmt: skip
    drawing.run()
    return Outline(tuple(drawing.lines), len(drawing.drawn), segment.reached)


def _tops(segment: Segment) -> list[str]:
    """What nothing in the segment came from: tops of expansions, sources on no path. By name, without destinations."""
    arrays = segment.arrays
    inner = np.zeros(arrays.vertex_count, np.bool_)
    inner[arrays.targets[arrays.with_relations(ANCESTRY)]] = True
    inner |= arrays.kinds == AGENT
    inner |= np.array([why is Why.SIBLING for why in segment.reasons], np.bool_)
    asked = set(segment.destinations)
    tops = [uid for uid in segment.uids_at(np.flatnonzero(~inner)) if uid not in asked]
    return _in_order(segment, tops)


def _read(segment: Segment, uids: Iterable[str]) -> dict[str, Vertex]:
    """Vertices by uid, read all at once."""
    places = [place for uid in uids if (place := segment.position(uid)) is not None]
    return {vertex.uid: vertex for vertex in segment.vertices_at(places)}


def _in_order(segment: Segment, uids: Iterable[str]) -> list[str]:
    return [vertex.uid for vertex in sorted(_read(segment, uids).values(), key=_place)]


def _place(vertex: Vertex) -> tuple[str, int, str]:
    """By name, and snapshots of one path from the first to the newest."""
    path, sequence = vertex.properties.get("path"), vertex.properties.get("sequence")
    if isinstance(path, str) and isinstance(sequence, int):
        return path, sequence, vertex.uid
    return display_name(vertex), 0, vertex.uid


@dataclass(slots=True, kw_only=True)
class _Drawing(Drawing):
    segment: Segment

    def children(self, uid: str) -> list[tuple[Edge, str]]:
        """Ancestors, the direct ones first, each once; below an activity also the siblings that it generated."""
        segment = self.segment
        found: dict[str, Edge] = {}
        for edge in segment.out_edges(uid):
            if edge.type in ANCESTRY:
                found.setdefault(edge.target, edge)
        if segment.why(uid) is Why.SIBLING:
            found = {other: edge for other, edge in found.items() if other not in self.drawn}
        if "Activity" in segment[uid].labels:
            for edge in segment.in_edges(uid):
                if edge.type == "wasGeneratedBy" and segment.why(edge.source) is Why.SIBLING:
                    found[edge.source] = Edge("generated", uid, edge.source, edge.properties)
        vertices = _read(segment, found)
        children = [(edge, uid) for uid, edge in found.items()]
        return sorted(children, key=lambda child: self._rank(child[0], vertices[child[1]]))

    def agents(self, uid: str) -> tuple[str, ...]:
        """Of an expansion the people alone: its agents are there only where others brought them in."""
        if self.segment.why(uid) is not Why.EXPANSION:
            return Drawing.agents(self, uid)
        edges = self.segment.out_edges(uid)
        agents = [self.segment[edge.target] for edge in edges if edge.type in RESPONSIBILITY]
        return tuple(sorted({display_name(agent) for agent in agents if "SoftwareAgent" not in agent.labels}))

    def _goes_on(self, edge: Edge, uid: str) -> bool:
        """Whether something hangs below a vertex. Of what an activity used (there may be many) nothing is read."""
        position = self.segment.position(uid) if edge.type == "used" else None
        if position is None:
            return bool(self.children(uid))
        ptr = self.segment.arrays.adjacency(ANCESTRY).ptr
        return bool(ptr[position] < ptr[position + 1])

    def _rank(self, edge: Edge, vertex: Vertex) -> tuple[int, bool, tuple[str, int, str]]:
        return _ORDER[edge.type], self.segment.why(vertex.uid) not in _FIRST, _place(vertex)

    def few(self, children: list[tuple[Edge, str]]) -> tuple[list[tuple[Edge, str]], list[tuple[Edge, int]]]:
        """Of many the direct ones that go on, and the first few of the others."""
        if self.everything or len(children) <= SIBLINGS:
            return children, []
        shown: list[tuple[Edge, str]] = []
        seen: dict[tuple[str, bool], int] = {}
        left_out: dict[str, tuple[Edge, int]] = {}
        for edge, uid in children:
            direct = self.segment.why(uid) in _FIRST
            if direct and uid not in self.drawn and self._goes_on(edge, uid):
                shown.append((edge, uid))
                continue
            place = seen[edge.type, direct] = seen.get((edge.type, direct), 0) + 1
            if place <= (SIBLINGS if direct else _ALIKE):
                shown.append((edge, uid))
            else:
                left_out[edge.type] = (edge, left_out.get(edge.type, (edge, 0))[1] + 1)
        return shown, list(left_out.values())
