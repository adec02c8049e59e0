"""Summary: what several segments have in common, as a value."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from provgraph.errors import InputError
from provgraph.model.vocabulary import Kind

SCHEMA = "provgraph/summary/1"


class Group(NamedTuple):
    """Vertices of the segments that are one in the summary: they keep the same and have the same provenance type."""

    name: str
    """Unique: ``model.pkl``; numbered where several keep the same (``model.pkl#1`` is the commonest)."""
    kind: Kind
    kept: Mapping[str, Any]
    """The kept properties that the members have, all with these values."""
    type: int
    """Which of the provenance types among the vertices that keep the same, from 1."""
    size: int
    """How many vertices it stands for."""
    segments: int
    """How many segments it occurs in."""
    share: float
    """The same as a fraction of all segments."""
    members: tuple[tuple[str, str], ...] = ()
    """(name of the segment, uid) of each vertex."""
    examples: tuple[str, ...] = ()
    """What members are called, without their numbers; the most frequent first, three at most."""

    def to_json(self) -> dict[str, Any]:
        """Its shape in the document; members are uids by segment."""
        members: dict[str, list[str]] = {}
        for segment, uid in self.members:
            members.setdefault(segment, []).append(uid)
        return {
            "name": self.name, "kind": self.kind.value, "kept": dict(self.kept), "type": self.type, "size": self.size,
            "segments": self.segments, "share": self.share, "examples": list(self.examples), "members": members,
        }  # fmt: skip


class SummaryEdge(NamedTuple):
    """A relation that runs between members of two groups; ``source`` and ``target`` are their names."""

    source: str
    relation: str
    target: str
    segments: int
    share: float

    def __str__(self) -> str:
        return f"{self.source} {self.relation} {self.target}"

    def to_json(self) -> dict[str, Any]:
        """Its shape in the document: that of an edge of a graph, with ``segments`` and ``share``."""
        return {
            "type": self.relation, "source": self.source, "target": self.target,
            "segments": self.segments, "share": self.share,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SegmentScore:
    """A segment: how large, how unusual among the others, and why."""

    name: str
    vertices: int
    edges: int
    score: float
    """Bits, 0 where it goes with the others in everything (docs/summarization.md defines it)."""
    reasons: tuple[str, ...] = ()
    """The best first, three at most; none where the score is 0."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """A group or an edge that not all segments have, and which segments stand alone with that, or without."""

    what: Literal["group", "edge"]
    name: str
    """The group's name, or ``source relation target``."""
    segments: int
    share: float
    without: bool
    """Whether ``names`` are those that lack it: the fewer of the two."""
    names: tuple[str, ...]
    """The names of the segments; twenty at most."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Groups of vertices of several segments, with the edges between them; commonest things and odd ones.

    Groups stand in the order of the flow, causes first, agents last; edges by the groups that they start from. Segments
    stand in the order in which they were given, oddities by how few segments they set apart (the first hundred).
    """

    groups: tuple[Group, ...]
    edges: tuple[SummaryEdge, ...]
    segments: tuple[SegmentScore, ...]
    odd: tuple[Oddity, ...] = ()
    vertices: int = 0
    """Of all segments together."""
    query: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def compaction(self) -> float:
        """Groups / vertices: 1 says that nothing could be put together."""
        return len(self.groups) / self.vertices if self.vertices else 1.0

    @property
    def alike(self) -> bool:
        """Whether every segment has every group and every edge."""
        return not self.odd

    @property
    def ranked(self) -> list[SegmentScore]:
        """The segments that are unusual, the most unusual first."""
        odd = [(place, segment) for place, segment in enumerate(self.segments) if segment.score > 0]
        return [segment for _, segment in sorted(odd, key=lambda item: (-item[1].score, item[0]))]

    def __len__(self) -> int:
        """The number of groups."""
        return len(self.groups)

    def __repr__(self) -> str:
        return f"<Summary: {len(self.segments):,} segments, {self.vertices:,} vertices, {len(self):,} groups>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from provgraph.graph.display import mimebundle

        return mimebundle(self, include, exclude)

    def group(self, name: str) -> Group | None:
        """The group with this name."""
        return next((group for group in self.groups if group.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/summary/1`` as a dict."""
        return {
            "schema": SCHEMA,
            "groups": [group.to_json() for group in self.groups],
            "edges": [edge.to_json() for edge in self.edges],
            "segments": [_listed(segment) for segment in self.segments],
            "odd": [_listed(oddity) for oddity in self.odd],
            "vertices": self.vertices,
            "compaction": self.compaction,
            "query": dict(self.query),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, document: object) -> "Summary":
        """The summary of a document ``provgraph/summary/1``, given as a dict or as its JSON text.

        Raises:
            InputError: anything else than such a document; the message says what is wrong, and where.
        """
        if isinstance(document, str | bytes):
            try:
                document = json.loads(document)
            except (ValueError, RecursionError) as error:
                raise InputError(f"this is no JSON: {error}; was it written by --json?") from None
        found = document.get("schema") if isinstance(document, Mapping) else None
        if not isinstance(document, Mapping) or found != SCHEMA:
            said = f'says "schema": {json.dumps(found, default=str)}' if found is not None else "says no schema"
            raise InputError(f'a summary says "schema": "{SCHEMA}", this {said}; `provdb summarize --json` prints one')
        from provgraph.schemas import explain

        wrong = explain("summary", dict(document))
        if wrong:
            raise InputError(f"this is no summary: {wrong}; `provdb summarize --json` prints one")
        return cls(
            tuple(map(_group, document["groups"])),
            tuple(map(_edge, document["edges"])),
            tuple(SegmentScore(**{**item, "reasons": tuple(item["reasons"])}) for item in document["segments"]),
            tuple(Oddity(**{**item, "names": tuple(item["names"])}) for item in document["odd"]),
            document["vertices"],
            MappingProxyType(dict(document["query"])),
            tuple(document["notes"]),
        )


def _listed(value: SegmentScore | Oddity) -> dict[str, Any]:
    return {key: list(item) if isinstance(item, tuple) else item for key, item in asdict(value).items()}


def _group(item: Mapping[str, Any]) -> Group:
    members: Mapping[str, Sequence[str]] = item["members"]
    return Group(
        item["name"], Kind(item["kind"]), MappingProxyType(dict(item["kept"])), item["type"], item["size"],
        item["segments"], item["share"], tuple((segment, uid) for segment, uids in members.items() for uid in uids),
        tuple(item["examples"]),
    )  # fmt: skip


def _edge(item: Mapping[str, Any]) -> SummaryEdge:
    return SummaryEdge(item["source"], item["type"], item["target"], item["segments"], item["share"])
