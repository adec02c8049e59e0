"""The question behind ``segment``: references, globs and ``where:`` in, a ``Segment`` out.

What a segment is, ``queries.segmentation`` knows; this module makes uids of what users type.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.reader import GraphReader, SnapshotRow
from provgraph.graph.region import Region
from provgraph.model.vocabulary import Kind
from provgraph.queries.graph_reader import GraphAsReader, glob_pattern
from provgraph.queries.places import Places
from provgraph.queries.predicates import predicate
from provgraph.queries.references import resolve, resolve_one
from provgraph.queries.versions import limit, with_members

if TYPE_CHECKING:
    from provgraph.graph.segment import Segment
    from provgraph.queries.segmentation import Expansion
    from provgraph.queries.segmentation.boundary import Boundary, Mask

Further = Mapping[str, int] | int | None
"""How many activities further: from the query's vertices, or by reference."""

_WHERE = "where:"
_NAMED = 8
"""So many are named in a message."""


def segment(
    graph: ProvGraph,
    sources: Iterable[str] | None = None,
    destinations: Iterable[str] = (),
    *,
    exclude: Iterable[str] = (),
    since: str | None = None,
    until: str | None = None,
    agent: str | None = None,
    environment: bool = True,
    match: Mapping[str, Sequence[str]] | None = None,
    expand: Further = None,
    expand_downstream: Further = None,
    similar: bool = True,
) -> "Segment":
    """How ``destinations`` came from ``sources`` in a graph, and what else took part in the same way.

    Parameters:
        graph: any ``ProvGraph``, also another segment.
        sources: uids, references (``data.csv``), globs, or ``where: metric_f1 > 0.7``. None: all roots.
        destinations: the same; the later ones.
        exclude: predicates like ``Activity.utility=git``; what one holds for is gone for the whole question.
        since, until, agent: only activities of that time, of that person.
        environment: whether ``Environment`` vertices stay.
        match: property keys by kind that similar walks must agree on, like ``{"activity": ["command"]}``.
        expand, expand_downstream: so many activities further into the past, into the future: a number for the query's
            vertices, or numbers by reference.
        similar: whether walks like the direct ones are in it.

    Returns: a ``Segment``: a graph whose ``why(uid)`` and ``explain(uid)`` tell what each vertex is there for.

    Raises:
        QuestionError: a reference that names nothing or no entity, one that is excluded, a predicate that is none.

    Cost: linear in the graph, but for graphs that are made to be difficult.

    Example:
        >>> segment(graph, ["data.csv"], ["model.pkl"], match={"activity": ["utility"]})  # doctest: +SKIP

    References:
        H. Miao, A. Deshpande: Understanding Data Science Lifecycle Provenance via Graph Segmentation and Summarization.
        ICDE 2019, arXiv 1810.04599.
    """
    if not isinstance(graph, ProvGraph):
        raise QuestionError(f"segment takes a ProvGraph, not a {type(graph).__name__}; ProvGraph.from_json makes one")
    return segment_of(
        GraphAsReader(graph), sources, destinations, Places(), exclude=exclude, since=since, until=until, agent=agent,
        environment=environment, match=match, expand=expand, expand_downstream=expand_downstream, similar=similar,
    )  # fmt: skip


def segment_of(
    reader: GraphReader,
    sources: Iterable[str] | None,
    destinations: Iterable[str],
    places: Places,
    *,
    exclude: Iterable[str] = (),
    since: str | None = None,
    until: str | None = None,
    agent: str | None = None,
    environment: bool = False,
    match: Mapping[str, Sequence[str]] | None = None,
    expand: Further = None,
    expand_downstream: Further = None,
    similar: bool = True,
    notes: Iterable[str] = (),
) -> "Segment":
    """The same, asked of any reader: a store, or a graph that came as a file. Parameters as for ``segment``.

    Parameters:
        places: where references are resolved.
        notes: sentences that belong to the answer.

    Raises:
        QuestionError: as ``segment``.
    """
    from provgraph.queries import segmentation
    from provgraph.queries.segment_remarks import remarks
    from provgraph.queries.segmentation.boundary import Boundary

    later = _texts(destinations)
    if not later:
        raise QuestionError("a segment to what? name destinations (--to REF): the later ones, like model.pkl")
    boundary = Boundary(
        tuple(predicate(text) for text in _texts(exclude)),
        None if since is None else limit(reader, since, places, places.zone),
        None if until is None else limit(reader, until, places, places.zone, end=True),
        agent,
        environment,
    )
    region = reader.region()
    boundary = boundary if region.known is None else replace(boundary, known=region.known)
    region.within(boundary, () if region.known is None else _keys_named(match))
    asked = _Asked(reader, places, boundary, region)
    ends = asked.named(later, "--to")
    past = region.past(ends)
    starts = None if sources is None else asked.sources(_texts(sources), ends, past)
    further = [*asked.further(expand, downstream=False), *asked.further(expand_downstream, downstream=True)]
    asked.read(ends, starts, further)
    found = segmentation.segment(
        region.graph, starts, ends, boundary=boundary, match=match, expand=further, similar=similar
    )
    found = _with_all_edges(found, region, boundary)
    if starts is not None and not found.found:
        region.past(starts)  # the ends may have been confused: see below
    return found.with_notes(
        (*notes, *asked.notes, *remarks(region.graph, found, boundary, starts, match, similar=similar))
    )


def _keys_named(match: Mapping[str, Sequence[str]] | None) -> set[str]:
    from provgraph.queries.segmentation.words import keys_of

    with suppress(QuestionError):  # the operator says what is wrong, when it is its turn
        return {name for names in keys_of(match).values() for name in names}
    return set()


def _with_all_edges(found: "Segment", region: Region, boundary: "Boundary") -> "Segment":
    """The segment with its edges of every relation, of which a region reads those between its vertices alone."""
    if region.known is None:
        return found
    import numpy as np

    region.between(found.uids)
    graph = region.graph
    kept = np.zeros(len(graph), np.bool_)
    kept[[place for uid in found.uids if (place := graph.position(uid)) is not None]] = True
    return found.over(graph.part(kept, boundary.allowed(graph)[1], found.query, found.notes))


def in_segment(segment: "Segment", text: str, reader: GraphReader, places: Places) -> tuple[Vertex, bool]:
    """The vertex that a reference names, and whether it is in the segment.

    A path names its newest snapshot *in the segment*; ``%1`` and what is not in the segment are looked up outside.

    Raises:
        UnknownReferenceError: it names nothing, or several.
    """
    if not text.startswith("%"):
        try:
            return resolve_one(GraphAsReader(segment), text, places)[0], True
        except UnknownReferenceError:
            pass
    vertex, _ = resolve_one(reader, text, places)
    return vertex, vertex.uid in segment


def _texts(given: Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


@dataclass(slots=True)
class _Asked:
    """What the references of one question name."""

    reader: GraphReader
    places: Places
    boundary: "Boundary"
    region: Region
    notes: dict[str, None] = field(default_factory=dict)
    _reached: "Mask | None" = None

    def named(self, texts: Sequence[str], option: str) -> list[str]:
        """The entities that references, globs and ``where:`` name together, each once."""
        found: dict[str, None] = {}
        for text in texts:
            found.update(dict.fromkeys(self.where(text) if text.startswith(_WHERE) else self.reference(text, option)))
        return list(found)

    def sources(
        self, texts: Sequence[str], destinations: Sequence[str], past: Container[str] | None = None
    ) -> list[str]:
        """The same, where a path alone stands for those of its snapshots that a destination reaches.

        ``past``: what destinations reach, where it was counted.
        """
        if not texts:
            raise QuestionError("a segment from what? name sources (--from REF), or leave --from out for all roots")
        found: dict[str, None] = {}
        for text in texts:
            if text.startswith(_WHERE):
                found.update(dict.fromkeys(self.where(text)))
                continue
            uids = self.entities(text, "--from")
            reached: dict[str, list[str]] = {}
            for uid in uids:
                rows = self.artifact(text, uid)
                earlier = [
                    row.uid
                    for row in (rows if len(rows) > 1 else ())
                    if (row.uid in past if past is not None else self.reached(row.uid, destinations))
                ]
                reached |= {uid: earlier} if earlier else {}
            for uid in self.inside(text, uids, "--from", reached):
                found.update(dict.fromkeys(reached.get(uid, [uid])))
        return list(found)

    def where(self, text: str) -> list[str]:
        """The entities of a ``where:`` within the boundary, by uid.

        Artifacts and versions, which no walk meets, are left out where it holds for others.
        """
        import numpy as np

        from provgraph.queries.predicate_masks import entities_where

        condition, known = predicate(text[len(_WHERE) :].strip()), self.region.known
        if known is None:
            graph = self.region.graph
        else:
            graph = known.bearing(condition.borne(), condition.names(), generated=True)
        mask = entities_where(condition, graph, known)
        arrays = graph.arrays
        met = mask & ~(arrays.with_label("Artifact") | arrays.with_label("Version"))
        mask = met if met.any() else mask
        if known is None:
            kept = sorted(graph.uids_at(np.flatnonzero(mask & self.boundary.allowed(graph)[0])))
        else:
            kept = sorted(self.region.inside(graph.uids_at(np.flatnonzero(mask))))
        if not kept:
            why = "the boundary excludes all that it holds for" if mask.any() else "it holds for no entity"
            raise UnknownReferenceError(f"{text!r} names nothing: {why}")
        return kept

    def reference(self, text: str, option: str) -> list[str]:
        """The entities that one reference or glob names; of several, those within the boundary."""
        return self.inside(text, self.entities(text, option), option)

    def entities(self, text: str, option: str) -> list[str]:
        """The entities that one reference or glob names."""
        resolved = resolve(self.reader, text, self.places)
        held, notes = with_members(self.reader, resolved.uids)
        uids = list(held)
        self.notes.update(dict.fromkeys((*resolved.notes, *notes)))
        for vertex in self.reader.vertices(uids):
            if vertex.kind is not Kind.ENTITY:
                raise self.no_entity(vertex, option)
        return uids

    def inside(self, text: str, uids: list[str], option: str, besides: Container[str] = ()) -> list[str]:
        """Those of the vertices that ``text`` names which are within the boundary; those ``besides`` are anyway."""
        remaining = self.region.inside(uids)
        kept = [uid for uid in uids if uid in besides or uid in remaining]
        if not kept:
            names = ", ".join(display_name(vertex) for vertex in self.reader.vertices(uids[:_NAMED]))
            names = text if names == text else f"{text} ({names})"
            raise QuestionError(f"{option} {names} is outside the boundary; leave out what excludes it")
        if len(kept) < len(uids):
            self.notes[f"{len(uids) - len(kept)} of the {len(uids)} that {text} names are outside the boundary"] = None
        return kept

    def no_entity(self, vertex: Vertex, option: str) -> QuestionError:
        name = display_name(vertex)
        if vertex.kind is Kind.AGENT:
            return QuestionError(f"{option} {name} is an agent, and takes entities; --agent keeps to what somebody did")
        edges = [e for e in self.reader.edges_of(vertex.uid) if e.type == "wasGeneratedBy" and e.target == vertex.uid]
        made = [display_name(one) for one in self.reader.vertices([edge.source for edge in edges])]
        listed = ", ".join(made[:_NAMED]) + (f" and {len(made) - _NAMED} more" if len(made) > _NAMED else "")
        hint = f"it generated {listed}" if made else "it generated nothing"
        return QuestionError(f"{option} {name} is an activity, and takes entities; {hint}")

    def artifact(self, text: str, uid: str) -> list[SnapshotRow]:
        """The snapshots of the artifact if ``text`` is its path, a glob over paths, or a member's path; else none."""
        vertex = self.reader.vertex(uid)
        path = None if vertex is None else vertex.properties.get("path")
        if text == uid or not isinstance(path, str):
            return []
        meant = dict.fromkeys((self.places.locate(text), text))
        if path in meant or any(re.fullmatch(glob_pattern(one), path, re.DOTALL) for one in meant):
            return self.reader.snapshots(path)
        if not any(one.startswith(f"{path}/") for one in meant):
            return []
        return next((rows for one in meant if (rows := self.reader.collections_with_member(one))), [])

    def reached(self, uid: str, destinations: Sequence[str]) -> bool:
        """Whether an ancestry walk within the boundary leads from a destination to a vertex."""
        from provgraph.queries.segment_remarks import past_mask

        if self._reached is None:
            self._reached = past_mask(self.region.graph, self.boundary, destinations)
        place = self.region.graph.position(uid)
        return place is not None and bool(self._reached[place])

    def read(self, ends: Sequence[str], starts: Sequence[str] | None, further: Sequence["Expansion"]) -> None:
        """Read what the operator will look at besides the past of the ends."""
        self.region.beside()
        roots = self.region.roots() if further and starts is None else ()
        for one in further:
            chosen = one.uids if one.uids is not None else (*ends, *(roots if starts is None else starts))
            if one.downstream:
                self.region.future(chosen, one.activities)
            else:
                self.region.past(chosen, one.activities)

    def further(self, asked: Further, *, downstream: bool) -> list["Expansion"]:
        """Expansions as the operator takes them."""
        from provgraph.queries.segmentation import Expansion

        if asked is None:
            return []
        option = "--expand-downstream" if downstream else "--expand"
        if not isinstance(asked, Mapping):
            return [Expansion(None, _activities(asked, option), downstream)]
        return [
            Expansion(tuple(self.chosen(reference, option)), _activities(k, option), downstream)
            for reference, k in asked.items()
        ]

    def chosen(self, text: str, option: str) -> list[str]:
        """The vertices that an expansion begins at: activities may be among them."""
        if text.startswith(_WHERE):
            return self.where(text)
        resolved = resolve(self.reader, text, self.places)
        self.notes.update(dict.fromkeys(resolved.notes))
        return self.inside(text, list(resolved.uids), option)


def _activities(k: object, option: str) -> int:
    if not isinstance(k, int):
        raise QuestionError(f"{option}: {k!r} is no number of activities; give 2, or by reference {{'model.pkl': 2}}")
    if k < 0:
        raise QuestionError(f"{option} {k} goes nowhere; {option} 1 is one activity further")
    return k
