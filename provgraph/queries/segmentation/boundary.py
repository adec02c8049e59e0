"""The boundary of a segment: what is gone before anything is walked (operators.md, step 1)."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from provgraph.graph.arrays import ACTIVITY
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.predicate_masks import On, agents_called, done_by_none_of, masks
from provgraph.queries.predicate_values import time_of
from provgraph.queries.predicates import Predicate
from provgraph.queries.times import moment

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Boundary:
    """What a segment leaves out.

    Attributes:
        exclude: vertices or edges that one of these holds for.
        since: activities that had ended before (or, without an end, started before) are out. A time as a user types it.
        until: activities that started after it are out; a date alone is its whole day.
        agent: activities that are not associated with an agent of this name or e-mail address are out.
        environment: whether the vertices labelled ``Environment`` stay.
    """

    exclude: tuple[Predicate, ...] = ()
    since: str | None = None
    until: str | None = None
    agent: str | None = None
    environment: bool = True
    _known: list[tuple[ProvGraph, Mask, Mask, tuple[str, ...]]] = field(
        default_factory=list, init=False, compare=False, repr=False
    )

    def allowed(self, graph: ProvGraph) -> tuple[Mask, Mask]:
        """The vertices and the edges that remain, bool (n,) and bool (m,). An edge goes with either of its ends.

        Raises:
            QuestionError: a predicate that names what is nowhere in the graph, an unknown agent, a time that is none.

        Cost: nothing is read where nothing is excluded; else a pass over the arrays and the columns that are named.
        The last graph's answer is kept.
        """
        _, vertices, edges, _ = self._of(graph)
        return vertices.copy(), edges.copy()

    def idle(self, graph: ProvGraph) -> tuple[str, ...]:
        """The predicates that hold for nothing in a graph: misspelt, most likely."""
        return self._of(graph)[3]

    def _of(self, graph: ProvGraph) -> tuple[ProvGraph, Mask, Mask, tuple[str, ...]]:
        known = next((one for one in self._known if one[0] is graph), None)
        if known is None:
            known = (graph, *self._remaining(graph))
            self._known[:] = [known]
        return known

    def _remaining(self, graph: ProvGraph) -> tuple[Mask, Mask, tuple[str, ...]]:
        arrays = graph.arrays
        vertices = np.ones(arrays.vertex_count, np.bool_)
        edges = np.ones(arrays.edge_count, np.bool_)
        idle = []
        for one in self.exclude:
            on, mask = masks(one, graph)
            idle += [] if mask.any() else [str(one)]
            if on is On.VERTICES:
                vertices &= ~mask
            else:
                edges &= ~mask
        if not self.environment:
            vertices &= ~arrays.with_label("Environment")
        if self.agent is not None:
            vertices &= ~done_by_none_of(graph, agents_called(graph, self.agent))
        if self.since is not None or self.until is not None:
            vertices &= ~self._out_of_time(graph)
        if not vertices.all():
            edges &= vertices[arrays.sources] & vertices[arrays.targets]
        return vertices, edges, tuple(idle)

    def _out_of_time(self, graph: ProvGraph) -> Mask:
        """Activities before ``since`` or after ``until``; what bears no time is in neither."""
        started, first = _times(graph, "started_at")
        out = np.zeros(graph.arrays.vertex_count, np.bool_)
        if self.since is not None:
            ended, last = _times(graph, "ended_at")
            since = moment(self.since)
            before = np.array([at is not None and at < since for at in [*last, None]], np.bool_)[ended]
            unended = np.array([at is None for at in [*last, None]], np.bool_)[ended]
            begun = np.array([at is not None and at < since for at in [*first, None]], np.bool_)[started]
            out |= before | (unended & begun)
        if self.until is not None:
            until = moment(self.until, end_of_day=True)
            out |= np.array([at is not None and at > until for at in [*first, None]], np.bool_)[started]
        activities: Mask = graph.arrays.kinds == ACTIVITY
        return out & activities


def _times(graph: ProvGraph, key: str) -> tuple[npt.NDArray[np.int32], list[str | None]]:
    """A column of times: places in a list of them, of which the one behind the last (-1) is absence's."""
    column = graph.column(key)
    return column.codes, [time_of(value) for value in column.values]
