"""A lineage as a tree of lines: each vertex in full once, later visits as back-references, long parts folded.

Histories are deep (a model updated a thousand times) and wide (a training on nine hundred files), screens are neither.
Below ``max_depth`` a branch goes on as a root of its own where ``everything`` is asked for, else it is folded; of many
siblings that have nothing behind them the first few stand for all. What is left out is counted.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from provgraph.graph.answers import Outline, OutlineLine
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.reader import Neighbourhood
from provgraph.model.vocabulary import RELATIONS, RESPONSIBILITY, Walk
from provgraph.queries.history import responsible

_WALKED = frozenset(r.name for r in RELATIONS.values() if r.walk in (Walk.ANCESTRY, Walk.REVISION))
SIBLINGS = 8


@dataclass(frozen=True, slots=True)
class Step:
    """A line still to be drawn."""

    trail: tuple[bool, ...]
    edge: Edge | None
    uid: str
    more: int = 0


@dataclass(slots=True)
class Drawing:
    """A tree while it is drawn. What hangs below a vertex, and which of many are shown, are questions of their own."""

    graph: Neighbourhood
    downstream: bool
    max_depth: int
    everything: bool
    max_lines: int
    lines: list[OutlineLine] = field(default_factory=list)
    drawn: set[str] = field(default_factory=set)
    promised: set[str] = field(default_factory=set)
    roots: deque[str] = field(default_factory=deque)

    def run(self) -> None:
        """Draw all roots, and those that come up meanwhile."""
        while self.roots and (self.everything or len(self.lines) < self.max_lines):
            uid = self.roots.popleft()
            if uid in self.drawn:
                continue
            stack = [Step((), None, uid)]
            while stack:
                step = stack.pop()
                if step.more:
                    self._line(step, None, "more")
                elif step.uid in self.drawn:
                    self._line(step, self.graph[step.uid], "again")
                else:
                    stack += self._draw(step)

    def _draw(self, step: Step) -> list[Step]:
        """Draw a vertex for the first time; what comes below it, last first."""
        children = self.children(step.uid)
        vertex = self.graph[step.uid]
        if children and len(step.trail) >= self.max_depth and self.everything:
            self._line(step, vertex, "continued")
            if step.uid not in self.promised:
                self.promised.add(step.uid)
                self.roots.append(step.uid)
            return []
        self.drawn.add(step.uid)
        long = len(step.trail) >= self.max_depth or len(self.lines) >= self.max_lines
        if children and long and not self.everything:
            self._line(step, vertex, "folded")
            return []
        self._line(step, vertex, "full")
        shown, left_out = self.few(children)
        steps = [(edge, uid, 0) for edge, uid in shown]
        steps += [(edge, "", count) for edge, count in left_out]
        last = len(steps) - 1
        below = [Step((*step.trail, i == last), edge, uid, more) for i, (edge, uid, more) in enumerate(steps)]
        return below[::-1]

    def _steps(self, uid: str) -> list[Edge]:
        edges = self.graph.in_edges(uid) if self.downstream else self.graph.out_edges(uid)
        return [edge for edge in edges if edge.type in _WALKED]

    def children(self, uid: str) -> list[tuple[Edge, str]]:
        """What hangs below a vertex, each with the edge that leads there, in order."""
        found = [(edge, edge.source if self.downstream else edge.target) for edge in self._steps(uid)]
        order = {"wasGeneratedBy": 0, "used": 1}
        found.sort(key=lambda item: (order.get(item[0].type, 2), display_name(self.graph[item[1]]), item[1]))
        return found

    def few(self, children: list[tuple[Edge, str]]) -> tuple[list[tuple[Edge, str]], list[tuple[Edge, int]]]:
        """Those that are shown, and for each relation how many are not."""
        if self.everything or len(children) <= SIBLINGS:
            return children, []
        shown: list[tuple[Edge, str]] = []
        leaves: dict[str, int] = {}
        left_out: dict[str, tuple[Edge, int]] = {}
        for edge, uid in children:
            leaf = uid in self.drawn or not self._steps(uid)
            leaves[edge.type] = leaves.get(edge.type, 0) + leaf
            if leaf and leaves[edge.type] >= SIBLINGS:
                left_out[edge.type] = (edge, left_out.get(edge.type, (edge, 0))[1] + 1)
            else:
                shown.append((edge, uid))
        return shown, list(left_out.values())

    def _line(self, step: Step, vertex: Vertex | None, state: str) -> None:
        relation = step.edge.type if step.edge else ""
        role = str(step.edge.properties.get("role", "")) if step.edge else ""
        if step.edge and relation == "wasDerivedFrom":
            role = str(step.edge.properties.get("prov_type", role))
        agents = self.agents(vertex.uid) if vertex is not None and state in ("full", "folded") else ()
        self.lines.append(OutlineLine(step.trail, relation, role, vertex, agents, state, step.more))  # type: ignore[arg-type]

    def agents(self, uid: str) -> tuple[str, ...]:
        """Who stands in brackets behind a vertex."""
        targets = {edge.target for edge in self.graph.out_edges(uid) if edge.type in RESPONSIBILITY}
        return tuple(responsible([self.graph[target] for target in sorted(targets)]))


def outline(
    graph: Neighbourhood,
    roots: Iterable[str],
    *,
    downstream: bool = False,
    max_depth: int = 14,
    max_lines: int = 400,
    everything: bool = False,
    notes: Iterable[str] = (),
) -> Outline:
    """The lineage ``graph`` of ``roots`` as lines, in a fixed order.

    Parameters:
        roots: uids in the graph, each the beginning of a tree.
        max_depth: levels below a root.
        max_lines: from here on vertices are no longer followed.
        notes: sentences that belong to the answer.
        everything: fold nothing; branches below ``max_depth`` go on as roots of their own.

    Cost: linear in the lines drawn.
    """
    drawing = Drawing(graph, downstream, max_depth, everything, max_lines, roots=deque(roots))
    drawing.run()
    return Outline(tuple(drawing.lines), len(drawing.drawn), graph.reached, tuple(notes))
