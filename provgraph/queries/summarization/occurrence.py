"""Which segment has which groups and edges, and what else is worth knowing of their vertices: read once, together."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from provgraph.graph.arrays import RELATION_CODES
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name, plain_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import Kind
from provgraph.queries.summarization.mixing import rows_once

if TYPE_CHECKING:
    from provgraph.queries.summarization.merging import Merged

Longs = npt.NDArray[np.int64]
Feature = tuple[str, int, str]
"""(what, class, key): ("option", 3, "--lr"); the class is -1 for what is the whole segment's: snapshots, people."""

_WHOLE = -1
_PROPERTIES = ("exit_status", "interrupted")


@dataclass(slots=True)
class Occurrence:
    """What one segment has.

    ``classes`` (`kept_classes`) counts its vertices; ``particulars`` what is in it of things beyond the kept ones:
    texts by feature.
    """

    classes: dict[int, int] = field(default_factory=dict)
    particulars: dict[Feature, set[str]] = field(default_factory=dict)
    vertices: int = 0
    size: int = 0

    def note(self, what: str, cls: int, key: str, value: str) -> None:
        """Add a particular."""
        feature = what, cls, key
        found = self.particulars.get(feature)
        if found is None:
            self.particulars[feature] = {value}
        else:
            found.add(value)


class Spread(NamedTuple):
    """Which segments have which groups, and which edges of the summary (as places in the merge's)."""

    segment: Longs
    group: Longs
    """A group that the segment has; rows are sorted by segment, then group,"""
    vertices: Longs
    """and how many vertices it has there."""
    edge_segment: Longs
    edge: Longs
    """An edge that the segment has; sorted likewise."""


class Looks(NamedTuple):
    """How vertices look, by their place in the union: their names without numbers, and whether unseen changes."""

    stems: list[str]
    unseen: npt.NDArray[np.bool_]


def kept_classes(merged: "Merged") -> list[int]:
    """For each class of the merge, a number for its kind and what it keeps, whatever its provenance type."""
    numbers: dict[str, int] = {}
    known: dict[tuple[Kind, int], int] = {}
    found = []
    for kind, kept in zip(merged.class_kind, merged.class_kept, strict=True):
        same = kind, id(kept)  # most classes share what they keep with the one before
        if same not in known:
            known[same] = numbers.setdefault(_text([kind.value, kept]), len(numbers))
        found.append(known[same])
    return found


def spread_of(merged: "Merged") -> Spread:
    """What of the summary each segment has."""
    wide = len(merged.group_class) or 1
    packed, count = np.unique(merged.member_segment.astype(np.int64) * wide + merged.group, return_counts=True)
    segment, group = np.divmod(packed, wide)
    edge_segment, edge = rows_once(merged.held_in, merged.held_edge)
    return Spread(segment, group, count, edge_segment, edge)


def occurrences(graphs: Sequence[ProvGraph], merged: "Merged", kept: Sequence[int]) -> tuple[list[Occurrence], Looks]:
    """One for each segment. Cost: linear; every vertex is looked at once.

    Parameters:
        kept: as `kept_classes` has them.
    """
    classes = np.array(kept, np.int64)[merged.cls] if kept else np.zeros(0, np.int64)
    found = [Occurrence(vertices=len(graph), size=graph.size) for graph in graphs]
    for segment, cls, count in zip(*_counted(merged.member_segment, classes), strict=True):
        found[segment].classes[cls] = count
    read = _Read(len(classes))
    for graph, one in zip(graphs, found, strict=True):
        read.segment(graph, one, classes[len(read.stems) : len(read.stems) + len(graph)].tolist())
    _note_used(found, merged, read)
    _note_people(found, merged, classes, read)
    for one in found:
        read.contents.unite(one)
    return found, Looks(read.stems, read.unseen)


def _counted(segment: npt.NDArray[np.int32], cls: Longs) -> tuple[list[int], list[int], list[int]]:
    """(segment, class, how many vertices)."""
    wide = int(cls.max(initial=0)) + 1
    packed, count = np.unique(segment.astype(np.int64) * wide + cls, return_counts=True)
    return (packed // wide).tolist(), (packed % wide).tolist(), count.tolist()


class _Sort(NamedTuple):
    """What a vertex's labels say."""

    stem: str
    """The property that its name without number is."""
    unseen: bool
    command: bool
    """An activity that was recorded."""
    named: bool
    """An entity or a person."""

    @classmethod
    def of(cls, vertex: Vertex) -> "_Sort":
        kind, unseen = vertex.kind, "Unseen" in vertex.labels
        activity = kind is Kind.ACTIVITY
        stem = "path" if kind is Kind.ENTITY else "name"
        return cls(stem, unseen, activity and not unseen, not activity and "SoftwareAgent" not in vertex.labels)


class _Read:
    """What is read of the vertices, by their place in the union, where a segment's are by uid as in any graph."""

    def __init__(self, count: int) -> None:
        self.stems: list[str] = []
        self.unseen = np.zeros(count, np.bool_)
        self.command = np.zeros(count, np.bool_)
        self.names: list[tuple[str, str] | None] = []
        """Of what can be used or take part: what it is one of many of, and its name."""
        self.contents = _Contents()
        self._sorts: dict[tuple[str, ...], _Sort] = {}

    def segment(self, graph: ProvGraph, one: Occurrence, classes: Sequence[int]) -> None:
        """Read the next segment."""
        first = len(self.stems)
        for place, (vertex, cls) in enumerate(zip(graph, classes, strict=True), first):
            sort = self._sorts.get(vertex.labels) or self._sorts.setdefault(vertex.labels, _Sort.of(vertex))
            properties = vertex.properties
            self.stems.append(_stem(vertex, properties, sort.stem))
            self.names.append(self.contents.named(vertex, properties, cls) if sort.named else None)
            if sort.unseen:
                self.unseen[place] = True
            elif sort.command:
                self.command[place] = True
                _note_activity(one, cls, properties)


class _Contents:
    """Snapshots of a file with the same bytes are one thing to a command that used them."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], dict[str, int]] = {}
        self._keys: dict[str, tuple[str, str]] = {}

    def named(self, vertex: Vertex, properties: Mapping[str, Any], cls: int) -> tuple[str, str]:
        """What it is one of many of (its path, else what it keeps), and its name."""
        name = display_name(vertex)
        path, digest = properties.get("path"), properties.get("sha256")
        series = str(path) if path is not None else f"\0{cls}"
        if isinstance(digest, str):
            key = self._keys[name] = (series, digest)
            sequence = properties.get("sequence")
            self._names.setdefault(key, {})[name] = sequence if isinstance(sequence, int) else 0
        return series, name

    def unite(self, one: Occurrence) -> None:
        """Call what a segment's commands used by the earliest of the snapshots with the same bytes."""
        if not self._keys:
            return
        for (what, _, _), values in one.particulars.items():
            if what == "used":
                shown = {self._shown(name) for name in values}
                values.clear()
                values.update(shown)

    def _shown(self, name: str) -> str:
        same = self._names.get(self._keys.get(name, ("", "")), {})
        return f"the content of {min(same, key=lambda n: (same[n], n))}" if len(same) > 1 else name


def _stem(vertex: Vertex, properties: Mapping[str, Any], key: str) -> str:
    stem = properties.get(key)
    stem = str(stem if stem is not None else plain_name(vertex))
    return stem.removesuffix(f" #{properties['number']}") if "number" in properties else stem


def _note_activity(one: Occurrence, cls: int, properties: Mapping[str, Any]) -> None:
    said = set[tuple[str, float | str]]()
    for option in _texts(properties.get("options")):
        name, _, value = option.partition(" ")
        said.add((name.lstrip("-").replace("-", "_"), _number(value or "true")))
        one.note("option", cls, name, option)
    for operand in _texts(properties.get("operands")):
        name, _, value = operand.partition("=")
        said.add((name, _number(value)))
        one.note("operand", cls, "", operand)
    for key, found in properties.items():
        parameter = key.removeprefix("param_") if key.startswith("param_") else ""
        if key in _PROPERTIES or (parameter and (parameter, _number(_text(found))) not in said):
            one.note("property", cls, key, _text(found))


def _note_used(found: Sequence[Occurrence], merged: "Merged", read: _Read) -> None:
    """Note which snapshots commands used."""
    chosen = _with_commands(merged, "used", read)
    places = np.unique(merged.targets[chosen])
    for place, segment in zip(places.tolist(), merged.member_segment[places].tolist(), strict=True):
        named = read.names[place]
        if named is not None:
            found[segment].note("used", _WHOLE, *named)


def _note_people(found: Sequence[Occurrence], merged: "Merged", classes: Longs, read: _Read) -> None:
    """Note who ran the commands."""
    chosen = _with_commands(merged, "wasAssociatedWith", read)
    places, ran = rows_once(merged.targets[chosen], classes[merged.sources[chosen]])
    segments = merged.member_segment[places].tolist()
    for place, cls, segment in zip(places.tolist(), ran.tolist(), segments, strict=True):
        named = read.names[place]
        if named is not None:
            found[segment].note("agent", cls, "", named[1])
            found[segment].note("agent", _WHOLE, "", named[1])


def _with_commands(merged: "Merged", relation: str, read: _Read) -> Longs:
    """The edges of a relation that start at commands."""
    return np.flatnonzero((merged.relations == RELATION_CODES[relation]) & read.command[merged.sources])


def _texts(value: object) -> list[str]:
    return [_text(item) for item in value] if isinstance(value, list | tuple) else []


def _number(text: str) -> float | str:
    """``1e-3`` and ``0.001`` say the same."""
    try:
        return float(text)
    except ValueError:
        return text


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
