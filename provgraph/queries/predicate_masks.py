"""What predicates mean in a graph: boolean arrays over its vertices or its edges.

A predicate speaks of vertices, or of edges where it names a relation or a property that only relations have. Cost: a
pass over the arrays for each term, and one comparison for each *different* value of a property.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from enum import Enum
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.arrays import ACTIVITY, AGENT, ENTITY, Column
from provgraph.graph.elements import Vertex
from provgraph.graph.merged import same_agents
from provgraph.graph.naming import display_name, short_uid
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.region import Known
from provgraph.model.vocabulary import KINDS, LABELS, PROPERTIES, RELATIONS
from provgraph.queries.predicate_values import comparison
from provgraph.queries.predicates import AllOf, Node, Not, Predicate, Term

Mask = npt.NDArray[np.bool_]
_SHORTEST = 6
"""Characters of a uid's or a commit's beginning."""
_LOOKED_AT = 200_000
"""So many vertices are asked for their keys when a name is unknown."""


class On(Enum):
    """What a mask is over."""

    VERTICES = "vertices"
    EDGES = "edges"


def masks(found: Predicate, graph: ProvGraph, known: Known | None = None) -> tuple[On, Mask]:
    """Where a predicate holds: bool (n,) over vertices, or bool (m,) over edges.

    Parameters:
        known: what stands in the whole, where ``graph`` is a part of one. Of the edges that a predicate walks
            (``agent=``, ``version=``), those of the graph's own vertices must be there.

    Raises:
        QuestionError: a label, property, relation, agent or version that is nowhere in the graph, with the nearest.
    """
    return _Reading(found.text, graph, known=known).node(found.root)


def entities_where(found: Predicate, graph: ProvGraph, known: Known | None = None) -> Mask:
    """Which entities a ``where:`` means; bool (n,).

    Each term looks at the entity and at the activity that generated it, for parameters and metrics stand on activities.

    Raises:
        QuestionError: as ``masks``, and for one that speaks of edges.
    """
    on, mask = _Reading(found.text, graph, lift=True, known=known).node(found.root)
    if on is On.EDGES:
        raise QuestionError(f"where: {found.text} speaks of edges; name a property of entities")
    entities: Mask = graph.arrays.kinds == ENTITY
    return mask & entities


class _Reading:
    def __init__(self, text: str, graph: ProvGraph, *, lift: bool = False, known: Known | None = None) -> None:
        self.text, self.graph, self.lift, self.whole = text, graph, lift, known

    def node(self, node: Node) -> tuple[On, Mask]:
        if isinstance(node, Term):
            on, mask = self.term(node)
            return on, self.lifted(mask) if self.lift and on is On.VERTICES else mask
        if isinstance(node, Not):
            on, mask = self.node(node.operand)
            return on, ~mask
        parts = [self.node(operand) for operand in node.operands]
        if len({on for on, _ in parts}) > 1:
            raise QuestionError(
                f"the predicate {self.text!r} speaks of vertices and of edges; give each as a predicate of its own"
            )
        join = np.logical_and if isinstance(node, AllOf) else np.logical_or
        return parts[0][0], reduce(join, (mask for _, mask in parts))

    def lifted(self, mask: Mask) -> Mask:
        """Also the entities that an activity of the mask generated."""
        arrays = self.graph.arrays
        edges = arrays.with_relations(("wasGeneratedBy",)) & mask[arrays.targets]
        out = mask.copy()
        out[arrays.sources[edges]] = True
        return out

    def term(self, term: Term) -> tuple[On, Mask]:
        if term.subject == "relation":
            return On.EDGES, self.related(term)
        if term.subject in ("agent", "version") and term.operator:
            if term.operator != "=":
                raise self.wrong(f"{term.subject} is compared with = alone; put `not` before it for the others")
            return On.VERTICES, (self.done_by if term.subject == "agent" else self.in_version)(term.value)
        head, _, key = term.subject.partition(".")
        if term.subject in self.labels() or term.subject in RELATIONS:
            if term.operator:
                raise self.wrong(f"{term.subject} is no property; name one of its properties: {term.subject}.name=…")
            return self.named(term.subject)
        if key and (head in self.labels() or head in RELATIONS):
            on, among = self.named(head)
            return on, among & self.compared(term, key, on)
        if not term.operator and term.subject.lower() in {label.lower() for label in self.labels()}:
            raise self.unknown(term.subject)  # `activity` is a property too, but hardly what is meant
        on = self.home(term.subject)
        return on, self.compared(term, term.subject, on)

    def labels(self) -> set[str]:
        if self.whole is not None:
            return {*self.whole.labels()} | KINDS | set(LABELS)
        return {label for labels in self.graph.arrays.labelsets for label in labels} | KINDS | set(LABELS)

    def values(self, key: str, on: On) -> Sequence[Any]:
        """Values of a property in the whole graph; none where nothing has it."""
        if self.whole is not None:
            return self.whole.values(key, edges=on is On.EDGES)
        return (self.graph.column(key) if on is On.VERTICES else self.graph.edge_column(key)).values

    def keys(self) -> set[str]:
        return _keys(self.graph) if self.whole is None else {*self.whole.keys()}

    def named(self, name: str) -> tuple[On, Mask]:
        if name in RELATIONS and name not in self.labels():
            return On.EDGES, self.graph.arrays.with_relations((name,))
        return On.VERTICES, self.graph.arrays.with_label(name)

    def related(self, term: Term) -> Mask:
        if term.operator not in ("=", "!=", "~"):
            raise self.wrong("relation is compared with =, != or ~, as in relation=wasDerivedFrom")
        if term.operator != "~" and term.value not in RELATIONS:
            near = _near(term.value, RELATIONS) or sorted(RELATIONS)
            raise self.wrong(f"no relation is called {term.value!r}; there is {', '.join(near)}")
        test = comparison("relation", term.operator, term.value, ())
        return self.graph.arrays.with_relations([name for name in RELATIONS if test(name)])

    def home(self, key: str) -> On:
        """Whether a property without a label before it is one of vertices or of edges."""
        known = PROPERTIES.get(key)
        if known is not None:
            return On.EDGES if all(where in RELATIONS for where in known.on) else On.VERTICES
        for on in On:
            if self.values(key, on):
                return on
        raise self.unknown(key)

    def compared(self, term: Term, key: str, on: On) -> Mask:
        column = self.graph.column(key) if on is On.VERTICES else self.graph.edge_column(key)
        values = column.values if self.whole is None else self.values(key, on)
        if not values and (key not in PROPERTIES or term == Term(key, "", "", term.place)):
            raise self.unknown(key, qualified=key != term.subject)
        return holding(column, term.operator, key, term.value, values)

    def unknown(self, name: str, *, qualified: bool = False) -> QuestionError:
        """A name that nothing in the graph bears: a label or property, or a property behind a label."""
        keys = self.keys()
        if qualified:
            near = _near(name, keys) or sorted(keys)[:12]
            return self.wrong(f"nothing in the graph has a property called {name!r}; near: {', '.join(near) or 'none'}")
        head, _, key = name.partition(".")
        near = [f"{label}.{key}" for label in _near(head, {*self.labels(), *RELATIONS})] if key else []
        near = near or _near(name, {*keys, *self.labels(), *RELATIONS})
        said = f"nothing in the graph has a label or property called {name!r}"
        if near:
            said += f"; near: {', '.join(near)}"
        elif "/" in name or key:
            said += f"; a file is path={name}"
        else:
            said += f"; there are {', '.join(sorted(keys)[:12])}" if keys else ""
        return self.wrong(said)

    def done_by(self, name: str) -> Mask:
        """The agents of this name or e-mail address, and the activities that are associated with one."""
        arrays = self.graph.arrays
        mask = agents_called(self.graph, name, self.whole)
        edges = arrays.with_relations(("wasAssociatedWith",)) & mask[arrays.targets]
        mask[arrays.sources[edges]] = True
        return mask

    def in_version(self, reference: str) -> Mask:
        """The version, and the snapshots that it had as members by an edge of its own (what it added or changed)."""
        arrays = self.graph.arrays
        if self.whole is None:
            versions = self.graph.vertices_at(np.flatnonzero(arrays.with_label("Version")).tolist())
        else:
            versions = list(self.whole.versions())
        found = [vertex for vertex in versions if _is_version(vertex, reference)]
        if len(found) != 1:
            others = ", ".join(sorted(f"{display_name(v)} ({v.uid})" for v in found)[:5])
            raise UnknownReferenceError(
                f"{len(found)} versions are {reference!r}: {others}; use the uid"
                if found
                else f"no version here is {reference!r}; name its uid or its commit, or the beginning of one"
            )
        mask = np.zeros(arrays.vertex_count, np.bool_)
        place = self.graph.position(found[0].uid)
        if place is not None:
            mask[place] = True
        if self.whole is None:
            mask[arrays.targets[arrays.with_relations(("hadMember",)) & mask[arrays.sources]]] = True
        else:
            members = (self.graph.position(uid) for uid in self.whole.members(found[0].uid))
            mask[[member for member in members if member is not None]] = True
        return mask

    def wrong(self, said: str) -> QuestionError:
        return QuestionError(f"the predicate {self.text!r}: {said}")


def agents_called(graph: ProvGraph, name: str, whole: Known | None = None) -> Mask:
    """The agents with a name or an e-mail address; bool (n,).

    Raises:
        UnknownReferenceError: there is none; lists the nearest.
    """
    if whole is None:
        agents = graph.vertices_at(np.flatnonzero(graph.arrays.kinds == AGENT).tolist())
    else:
        agents = list(whole.agents())
    known: set[str] = set()
    called: set[str] = set()
    for vertex in agents:
        properties = vertex.properties
        names = {str(properties[key]) for key in ("name", "email") if properties.get(key)}
        if name.lower() in {one.lower() for one in names}:
            called.add(vertex.uid)
        known |= names
    if not called:
        near = _near(name, known) or sorted(known)[:8]
        raise UnknownReferenceError(
            f"no agent is called {name!r}; " + (f"there is {', '.join(near)}" if near else "the graph has no agents"),
            tuple(near),
        )
    mask = np.zeros(graph.arrays.vertex_count, np.bool_)
    places = (graph.position(uid) for uid in same_agents(agents, called))
    mask[[place for place in places if place is not None]] = True
    return mask


def done_by_none_of(graph: ProvGraph, agents: Mask) -> Mask:
    """The activities that are associated with none of these agents; bool (n,)."""
    arrays = graph.arrays
    mask: Mask = arrays.kinds == ACTIVITY
    mask[arrays.sources[arrays.with_relations(("wasAssociatedWith",)) & agents[arrays.targets]]] = False
    return mask


def holding(column: Column, operator: str, key: str, text: str, values: Sequence[Any]) -> Mask:
    """Where a property compares so; where it is absent, nothing does. Without an operator: where it is there.

    ``values``: of those that the whole graph has, at least one of each kind.
    """
    table = np.zeros(len(column.values) + 1, np.bool_)  # the last place, -1, is absence's
    if operator:
        test = comparison(key, operator, text, values)
        table[:-1] = [test(value) for value in column.values]
    else:
        table[:-1] = True
    return table[column.codes]


def _is_version(vertex: Vertex, reference: str) -> bool:
    commit = str(vertex.properties.get("commit", ""))
    if reference in (vertex.uid, commit, short_uid(vertex.uid)):
        return bool(reference)
    return len(reference) >= _SHORTEST and (vertex.uid.startswith(reference) or commit.startswith(reference))


def _keys(graph: ProvGraph) -> set[str]:
    """Property keys in use, those of the first so many vertices and edges."""
    vertices = graph.vertices_at(range(min(graph.arrays.vertex_count, _LOOKED_AT)))
    edges = graph.edges_at(range(min(graph.arrays.edge_count, _LOOKED_AT)))
    return {key for vertex in vertices for key in vertex.properties} | {key for e in edges for key in e.properties}


def _near(name: str, known: Iterable[str]) -> list[str]:
    folded: dict[str, list[str]] = {}
    for one in sorted(known):
        folded.setdefault(one.lower(), []).append(one)
    return [one for found in get_close_matches(name.lower(), folded, n=3, cutoff=0.6) for one in folded[found]]
