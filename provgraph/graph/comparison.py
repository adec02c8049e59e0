"""Comparison: what differs between two vertices, or between two graphs, as a value."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name

State = Literal["equal", "differs", "first", "second"]
"""Of anything that two sides may have: both the same, both but different, only one of them."""
Group = Literal["parameter", "metric", "command", "property", "circumstance", "measure", "incidental"]
"""``circumstance``: where a run found the project (its commit). ``measure``: what a run measures anew (seconds,
memory). ``incidental``: what differs between any two vertices."""
_PASSING: Final = ("circumstance", "measure", "incidental")
Word = tuple[Literal["=", "-", "+"], str]
"""A word of a command line: in both, only in the first, only in the second."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One property of a pair. A side that does not have it is None; ``state`` tells that from a null."""

    key: str
    state: State
    group: Group
    first: Any = None
    second: Any = None
    words: tuple[Word, ...] = ()
    """Of a command line: how to get from the first to the second, word by word."""
    changes: tuple["Change", ...] = ()
    """Of a property that is a JSON text (its key ends in ``_json``): what differs inside."""

    @property
    def difference(self) -> int | float | None:
        """Second minus first, where both are numbers that measure something."""
        try:
            return self.second - self.first if self._measured else None
        except OverflowError:  # an integer beyond all floats
            return None

    @property
    def ratio(self) -> float | None:
        """Second by first, where both are numbers that measure something and the first is not 0."""
        if not self._measured or not self.first:
            return None
        try:
            return float(self.second / self.first)
        except OverflowError:
            return None

    @property
    def _measured(self) -> bool:
        return self.group in ("parameter", "metric", "measure") and _number(self.first) and _number(self.second)

    def to_json(self) -> dict[str, Any]:
        """The shape of a property in ``provgraph/comparison/1``."""
        found = {
            "key": self.key,
            "state": self.state,
            "group": self.group,
            "first": self.first,
            "second": self.second,
        }
        if self.difference is not None:
            found |= {"difference": self.difference, "ratio": self.ratio}
        if self.words:
            found["words"] = [list(word) for word in self.words]
        if self.changes:
            found["changes"] = [change.to_json() for change in self.changes]
        return found


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Change:
    """A value inside a document: ``path`` is the way to it by keys (``model.layers[2].size``), empty for the whole."""

    path: str
    state: State
    first: Any = None
    second: Any = None

    def to_json(self) -> dict[str, Any]:
        """The shape of a change in ``provgraph/comparison/1``."""
        return {"path": self.path, "state": self.state, "first": self.first, "second": self.second}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table that differs. ``row`` is the key of its row, or the row's number in the first, from 1."""

    row: str
    column: str
    first: str
    second: str

    def to_json(self) -> dict[str, Any]:
        """The shape of a cell in ``provgraph/comparison/1``."""
        return {"row": self.row, "column": self.column, "first": self.first, "second": self.second}


@dataclass(frozen=True, slots=True)
class TableDifference:
    """How two tables differ; the counts are of all, ``added``, ``removed`` and ``cells`` are the first few."""

    key: str | None
    """The column by which rows were matched; None: by their order."""
    rows_first: int
    rows_second: int
    rows_added: int
    rows_removed: int
    rows_changed: int
    cells_changed: int
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_moved: bool = False
    added: tuple[tuple[str, ...], ...] = ()
    removed: tuple[tuple[str, ...], ...] = ()
    cells: tuple[Cell, ...] = ()
    cells_by_column: tuple[tuple[str, int], ...] = ()
    """How many cells differ in each column that has any, most first."""

    def to_json(self) -> dict[str, Any]:
        """The shape of a table in ``provgraph/comparison/1``."""
        return {
            "key": self.key,
            "rows_first": self.rows_first,
            "rows_second": self.rows_second,
            "rows_added": self.rows_added,
            "rows_removed": self.rows_removed,
            "rows_changed": self.rows_changed,
            "cells_changed": self.cells_changed,
            "columns_added": list(self.columns_added),
            "columns_removed": list(self.columns_removed),
            "columns_moved": self.columns_moved,
            "added": [list(row) for row in self.added],
            "removed": [list(row) for row in self.removed],
            "cells": [cell.to_json() for cell in self.cells],
            "cells_by_column": dict(self.cells_by_column),
        }


Form = Literal["unknown", "text", "table", "document", "notebook", "binary"]


@dataclass(frozen=True, slots=True)
class Content:
    """How the contents of two snapshots differ, in the form that suits them.

    ``state`` "unknown": a digest is missing, so nobody can tell. ``reason`` says why no more is told than digests and
    sizes, or that values are the same and only written differently.
    """

    state: Literal["equal", "differs", "unknown"]
    form: Form = "unknown"
    reason: str = ""
    digests: tuple[str | None, str | None] = (None, None)
    sizes: tuple[int | None, int | None] = (None, None)
    lines: tuple[str, ...] = ()
    """A unified diff without its first two lines."""
    lines_added: int = 0
    lines_removed: int = 0
    changes: tuple[Change, ...] = ()
    changes_count: int = 0
    table: TableDifference | None = None
    left_out: int = 0
    """So many lines of the diff, or changes, are not here."""

    def to_json(self) -> dict[str, Any]:
        """The shape of a content in ``provgraph/comparison/1``; what does not suit the form is left out."""
        found: dict[str, Any] = {
            "state": self.state,
            "form": self.form,
            "reason": self.reason,
            "digests": list(self.digests),
            "sizes": list(self.sizes),
        }
        if self.form in ("text", "notebook"):
            found |= {
                "lines": list(self.lines),
                "lines_added": self.lines_added,
                "lines_removed": self.lines_removed,
                "left_out": self.left_out,
            }
        if self.form == "document":
            found |= {
                "changes": [change.to_json() for change in self.changes],
                "changes_count": self.changes_count,
                "left_out": self.left_out,
            }
        if self.table is not None:
            found["table"] = self.table.to_json()
        return found


@dataclass(frozen=True, slots=True)
class Pair:
    """Two vertices that stand for the same, one of each side: what differs between them.

    ``properties`` holds all properties, what differs first. What a content difference says is not said again by
    ``sha256`` or ``size_bytes``, nor what the words of a command say by ``argv`` or ``options``.
    """

    first: Vertex
    second: Vertex
    properties: tuple[Difference, ...] = ()
    content: Content | None = None

    @property
    def same(self) -> bool:
        """Whether it is one vertex."""
        return self.first.uid == self.second.uid

    @property
    def telling(self) -> tuple[Difference, ...]:
        """The properties that differ and say something by themselves."""
        return tuple(d for d in self.properties if d.state != "equal" and d.group not in _PASSING)

    @property
    def differs(self) -> bool:
        """Whether anything differs that says something; contents of which nobody can tell count as different."""
        return bool(self.telling) or (not self.same and self.content is not None and self.content.state != "equal")

    def to_json(self) -> dict[str, Any]:
        """The shape of a pair in ``provgraph/comparison/1``."""
        return {
            "first": _side(self.first),
            "second": _side(self.second),
            "differs": self.differs,
            "properties": [found.to_json() for found in self.properties],
            "content": None if self.content is None else self.content.to_json(),
        }


def _side(vertex: Vertex) -> dict[str, Any]:
    return {"uid": vertex.uid, "name": display_name(vertex), "labels": list(vertex.labels)}


@dataclass(frozen=True, slots=True)
class Related:
    """What stands at the other end of a relation of the two vertices; one of the sides may have nothing there."""

    relation: str
    outgoing: bool
    state: State
    first: Vertex | None
    second: Vertex | None
    content: Content | None = None

    def to_json(self) -> dict[str, Any]:
        """The shape of a relation in ``provgraph/comparison/1``."""
        return {
            "type": self.relation,
            "direction": "out" if self.outgoing else "in",
            "state": self.state,
            "first": None if self.first is None else _side(self.first),
            "second": None if self.second is None else _side(self.second),
            "content": None if self.content is None else self.content.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Members:
    """Which members of two collections or versions differ. Counts are of all, names the first of them."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[tuple[str, str], ...]
    """(member of the first, of the second); in a collection both are the same path."""
    added_count: int
    removed_count: int
    changed_count: int
    equal_count: int | None
    """None where only what differs was looked at (versions)."""

    def __bool__(self) -> bool:
        return bool(self.added_count or self.removed_count or self.changed_count)

    def to_json(self) -> dict[str, Any]:
        """The shape of members in ``provgraph/comparison/1``."""
        return {
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": [list(pair) for pair in self.changed],
            "added_count": self.added_count,
            "removed_count": self.removed_count,
            "changed_count": self.changed_count,
            "equal_count": self.equal_count,
        }


@dataclass(frozen=True, slots=True)
class SeriesSide:
    """One side's series, in figures."""

    count: int
    steps: tuple[int, int]
    """Of the first point and of the last."""
    last: float
    min: float
    max: float

    def to_json(self) -> dict[str, Any]:
        """The shape of a series' side in ``provgraph/comparison/1``."""
        return {
            "count": self.count, "steps": list(self.steps), "last": self.last, "min": self.min, "max": self.max,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeriesDifference:
    """A series of both sides, or of one of them.

    Attributes:
        common: how many steps both have. largest: of these, the largest difference, second minus first, at ``step``.
    """

    name: str
    state: State
    first: SeriesSide | None
    second: SeriesSide | None
    common: int = 0
    largest: float | None = None
    step: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The shape of a series in ``provgraph/comparison/1``."""
        return {
            "name": self.name,
            "state": self.state,
            "first": None if self.first is None else self.first.to_json(),
            "second": None if self.second is None else self.second.to_json(),
            "common_steps": self.common,
            "largest_difference": self.largest,
            "at_step": self.step,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """What differs between two vertices (``both`` is that one pair) or between two graphs.

    Of graphs, ``both`` holds the vertices that were aligned, the past first; ``only_first`` and ``only_second`` those
    that have no counterpart. Edges are those of the two graphs as a picture draws them; those that differ by
    themselves, and not because an end of theirs is missing on the other side, are ``changed_edges``.
    """

    kind: Literal["vertices", "graphs"]
    first: str
    second: str
    """What the two sides are called."""
    both: tuple[Pair, ...]
    only_first: tuple[Vertex, ...] = ()
    only_second: tuple[Vertex, ...] = ()
    edges_both: tuple[tuple[Edge, Edge], ...] = ()
    edges_only_first: tuple[Edge, ...] = ()
    edges_only_second: tuple[Edge, ...] = ()
    related: tuple[Related, ...] = ()
    members: Members | None = None
    series: tuple[SeriesDifference, ...] = ()
    """Of two vertices: what was logged step by step."""
    roots: tuple[tuple[str, str], ...] = ()
    """The uids of the pairs that the graphs were asked for."""
    query: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything differs that says something."""
        return bool(
            any(pair.differs for pair in self.both)
            or self.only_first
            or self.only_second
            or any(self.changed_edges)
            or self.members
            or any(related.state != "equal" for related in self.related)
            or any(series.state != "equal" for series in self.series)
        )

    def __bool__(self) -> bool:
        return self.differs

    def __repr__(self) -> str:
        different = sum(pair.differs for pair in self.both)
        alone = f", {len(self.only_first)} and {len(self.only_second)} alone" if self.kind == "graphs" else ""
        return f"<Comparison of {self.first} and {self.second}: {different} of {len(self.both)} pairs differ{alone}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from provgraph.graph.display import mimebundle

        return mimebundle(self, include, exclude)

    @property
    def changed_edges(self) -> tuple[tuple[Edge, ...], tuple[Edge, ...]]:
        """The edges between aligned vertices that only the first has, and only the second."""
        ones = {pair.first.uid for pair in self.both}
        others = {pair.second.uid for pair in self.both}
        return (
            tuple(e for e in self.edges_only_first if e.source in ones and e.target in ones),
            tuple(e for e in self.edges_only_second if e.source in others and e.target in others),
        )

    @property
    def displaced(self) -> dict[str, str]:
        """Of the vertices that one graph has alone in their place though both have them: what they are aligned with."""
        alone = {vertex.uid for vertex in (*self.only_first, *self.only_second)}
        found: dict[str, str] = {}
        for pair in self.both:
            if not pair.same:
                found |= {one.uid: other.uid for one, other in ((pair.first, pair.second), (pair.second, pair.first))}
        return {uid: other for uid, other in found.items() if uid in alone}

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/comparison/1``."""
        first, second = self.changed_edges
        told = {id(edge) for edge in (*first, *second)}
        return {
            "schema": "provgraph/comparison/1",
            "kind": self.kind,
            "first": self.first,
            "second": self.second,
            "differs": self.differs,
            "both": [pair.to_json() for pair in self.both],
            "only_first": [vertex.to_json() for vertex in self.only_first],
            "only_second": [vertex.to_json() for vertex in self.only_second],
            "edges_both": [[one.uid, other.uid] for one, other in self.edges_both],
            "edges_only_first": [edge.to_json() for edge in first],
            "edges_only_second": [edge.to_json() for edge in second],
            "edges_attached_first": [e.to_json() for e in self.edges_only_first if id(e) not in told],
            "edges_attached_second": [e.to_json() for e in self.edges_only_second if id(e) not in told],
            "related": [related.to_json() for related in self.related],
            "members": None if self.members is None else self.members.to_json(),
            "series": [series.to_json() for series in self.series],
            "query": dict(self.query),
            "notes": list(self.notes),
        }
