"""The boundary of a segment: what is gone before anything is walked (operators.md, step 1)."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from provgraph.graph.arrays import ACTIVITY
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.region import Known
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
        known: what stands in the whole, where graphs are parts of one.
    """

    exclude: tuple[Predicate, ...] = ()
    since: str | None = None
    until: str | None = None
    agent: str | None = None
    environment: bool = True
    known: Known | None = field(default=None, compare=False, repr=False)
    _known: list[tuple[ProvGraph, Mask, Mask, tuple[str, ...]]] = field(
        default_factory=list, init=False, compare=False, repr=False
    )

    @property
    def keys(self) -> frozenset[str]:
        """The properties that it looks at."""
        times = {"started_at", "ended_at"} if self.since is not None or self.until is not None else set[str]()
        return frozenset(times).union(*(one.names() for one in self.exclude))

    @property
    def leaves_all(self) -> bool:
        """Whether nothing is excluded but environments, perhaps."""
        return not self.exclude and self.agent is None and self.since is None and self.until is None

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
        """The predicates that hold for nothing in a graph, or in the whole of it: misspelt, most likely."""
        idle = self._of(graph)[3]
        if self.known is None or not idle:
            return idle
        return tuple(str(one) for one in self.exclude if str(one) in idle and not self._elsewhere(one, self.known))

    def _elsewhere(self, one: Predicate, known: Known) -> bool:
        """Whether a predicate holds for something in the whole; also where it would take all of it to tell."""
        names = one.borne()
        edges = known.edges_bearing(one.names())
        on, mask = masks(one, edges, known)
        if on is On.EDGES or names is None:
            return on is not On.EDGES or bool(mask.any())
        return bool(masks(one, known.bearing(names, one.names(), generated=False), known)[1].any())

    def _of(self, graph: ProvGraph) -> tuple[ProvGraph, Mask, Mask, tuple[str, ...]]:
        known = next((one for one in self._known if one[0] is graph), None)
        if known is None:
            known = (graph, *self._remaining(graph))
            self._known[:] = [known]
        return known

    def judged(self, graph: ProvGraph) -> tuple[Mask, Mask]:
        """As ``allowed``, but each edge for itself: its ends may be vertices of which nothing was read."""
        vertices, edges, _ = self._each(graph)
        return vertices, edges

    def _remaining(self, graph: ProvGraph) -> tuple[Mask, Mask, tuple[str, ...]]:
        arrays = graph.arrays
        vertices, edges, idle = self._each(graph)
        if not vertices.all():
            edges &= vertices[arrays.sources] & vertices[arrays.targets]
        return vertices, edges, idle

    def _each(self, graph: ProvGraph) -> tuple[Mask, Mask, tuple[str, ...]]:
        arrays = graph.arrays
        vertices = np.ones(arrays.vertex_count, np.bool_)
        edges = np.ones(arrays.edge_count, np.bool_)
        idle = []
        for one in self.exclude:
            on, mask = masks(one, graph, self.known)
            idle += [] if mask.any() else [str(one)]
            if on is On.VERTICES:
                vertices &= ~mask
            else:
                edges &= ~mask
        if not self.environment:
            vertices &= ~arrays.with_label("Environment")
        if self.agent is not None:
            vertices &= ~done_by_none_of(graph, agents_called(graph, self.agent, self.known))
        if self.since is not None or self.until is not None:
            vertices &= ~self._out_of_time(graph)
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
