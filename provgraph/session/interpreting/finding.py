"""What an ingestor found, checked against the activity that it was found about. Pure: nothing is written here.

An ingestor may say anything. Taken is what fits the schema, names files that the activity used or generated, keeps to
its own keys, and leaves the past acyclic; all else is refused as a whole, with the reason.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from provgraph.errors import InputError, QuestionError
from provgraph.events.series import check_points
from provgraph.events.series_rows import Points
from provgraph.model.vocabulary import ANCESTRY, RELATIONS, Kind, kind_of
from provgraph.schemas import SchemaError, validator
from provgraph.session.values import own_properties

ELEMENTS: Final = 10_000
"""Vertices and edges that one finding may bring."""
ACTIVITY: Final = "activity"
_TAKEN_LABELS: Final = frozenset({
    "Artifact", "Version", "Collection", "Environment", "Command", "Cell", "Run", "Commit", "Unseen", "Gathering",
    "Person", "FileView", "Variable",
})  # fmt: skip
"""Labels whose vertices only ingestion itself makes. A Snapshot may be one of a remote source: its path is a URL."""
_FREE_KEYS: Final = frozenset({"name", "path", "media_type", "kind", "message"})
"""Keys of the base that a further vertex may have."""
_DERIVATIONS: Final = frozenset({"PrimarySource", "Quotation"})
"""Kinds of derivation (PROV-DM 5.2) that may be said; the others are seen."""
_OF_NEW_ONES: Final = frozenset({"wasInvalidatedBy", "specializationOf", "alternateOf", "hadMember"})
"""Relations that say what a file is and whether it still is; of those that are there, ingestion has seen it."""
_ACYCLIC: Final = (*ANCESTRY, "wasDerivedFrom")


class RefusedError(InputError):
    """Findings that cannot be taken; the message says why."""


class Node(NamedTuple):
    """An end of an edge: a vertex that is there (``uid``), or one that the findings bring (``key``)."""

    uid: str = ""
    key: str = ""


class NewVertex(NamedTuple):
    """A further vertex. ``url`` is that of a remote source, empty for all others."""

    labels: tuple[str, ...]
    properties: dict[str, Any]
    url: str = ""


class NewEdge(NamedTuple):
    """A further edge."""

    type: str
    source: Node
    target: Node
    properties: dict[str, Any]


@dataclass(slots=True)
class Around:
    """What findings may name: the activity, by the uids of its parts, and its files."""

    parts: Sequence[str]
    used: Mapping[str, str]
    """Path → uid."""
    generated: Mapping[str, str]
    part_of: Mapping[str, int]
    """uid of a snapshot → number of the part that used or generated it."""


@dataclass(slots=True)
class Found:
    """Findings that can be taken."""

    properties: dict[Node, dict[str, Any]] = field(default_factory=dict)
    vertices: dict[str, NewVertex] = field(default_factory=dict)
    edges: list[NewEdge] = field(default_factory=list)
    series: dict[Node, dict[str, Points]] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.properties or self.vertices or self.edges or self.series or self.records or self.notes)


Scrub = Callable[[str, str], str]
"""(key, text) → the text without secrets."""


def check(document: Mapping[str, Any], around: Around, scrub: Scrub = lambda _, text: text) -> Found:
    """The findings of a document.

    Raises:
        RefusedError: it cannot be taken.
    """
    return _Checker(around, scrub).check(document)


class _Checker:
    def __init__(self, around: Around, scrub: Scrub) -> None:
        self.around, self.scrub, self.found = around, scrub, Found()

    def check(self, document: Mapping[str, Any]) -> Found:
        try:
            validator("findings")(document)
        except SchemaError as error:
            raise RefusedError(f"it does not fit the schema: {error}") from error
        count = sum(len(document.get(part, ())) for part in ("vertices", "edges", "derivations", "snapshots"))
        if count > ELEMENTS:
            raise RefusedError(f"it has {count:,} vertices and edges, and {ELEMENTS:,} are the most")
        if document.get("activity"):
            self._set(Node(self.around.parts[0]), document["activity"])
        for one in document.get("vertices", ()):
            self._vertex(one)
        for one in document.get("snapshots", ()):
            self._set(self._path(one["path"]), one["properties"])
        for one in document.get("derivations", ()):
            self._derivation(one)
        for one in document.get("edges", ()):
            self._edge(one)
        for one in document.get("series", ()):
            self._series(one)
        for one in document.get("records", ()):
            self._record(one)
        self.found.notes = [self.scrub("", note) for note in document.get("notes", ())]
        self._check_past()
        return self.found

    def _own(self, properties: Mapping[str, Any], free: frozenset[str] = frozenset()) -> dict[str, Any]:
        try:
            own = own_properties({key: value for key, value in properties.items() if key not in free})
        except QuestionError as error:
            raise RefusedError(str(error)) from error
        plain = {key: str(value) for key, value in properties.items() if key in free and value is not None}
        return {key: self._scrubbed(key, value) for key, value in {**plain, **own}.items() if value is not None}

    def _scrubbed(self, key: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self.scrub(key, item) if isinstance(item, str) else item for item in value]
        return self.scrub(key, value) if isinstance(value, str) else value

    def _set(self, node: Node, properties: Mapping[str, Any]) -> None:
        self.found.properties.setdefault(node, {}).update(self._own(properties))

    # -- what is named

    def _path(self, path: str, *, used_first: bool = False) -> Node:
        first, second = (self.around.used, self.around.generated)[:: 1 if used_first else -1]
        uid = first.get(path) or second.get(path)
        if uid is None:
            raise RefusedError(f"it names {path!r}, which the command neither used nor generated")
        return Node(uid)

    def _node(self, node: Any, *, used_first: bool = False) -> Node:
        if node == ACTIVITY:
            return Node(self.around.parts[0])
        if "path" in node:
            return self._path(node["path"], used_first=used_first)
        if node["key"] not in self.found.vertices:
            raise RefusedError(f"it names a vertex {node['key']!r} that it does not bring")
        return Node(key=node["key"])

    def _kind(self, node: Node) -> Kind:
        if node.key:
            return kind_of(self.found.vertices[node.key].labels)
        return Kind.ACTIVITY if node.uid in self.around.parts else Kind.ENTITY

    # -- vertices and edges

    def _vertex(self, one: Mapping[str, Any]) -> None:
        key, labels, properties = one["key"], tuple(one["labels"]), one.get("properties", {})
        if key in self.found.vertices:
            raise RefusedError(f"it brings two vertices {key!r}")
        try:
            kind_of(labels)
        except ValueError as error:
            raise RefusedError(f"the vertex {key!r}: {error}") from error
        url = str(properties.get("path", "")) if "Snapshot" in labels else ""
        taken = sorted(_TAKEN_LABELS & set(labels)) or (
            ["Snapshot"] if "Snapshot" in labels and "://" not in url else []
        )
        if taken:
            raise RefusedError(f"the vertex {key!r} has the label {taken[0]}, whose vertices only provdb itself makes")
        own = self._own(properties, _FREE_KEYS)
        self.found.vertices[key] = NewVertex(labels, own, str(own["path"]) if url else "")

    def _derivation(self, one: Mapping[str, Any]) -> None:
        generated, used = self.around.generated.get(one["generated"]), self.around.used.get(one["used"])
        for uid, path, what in ((generated, one["generated"], "generated"), (used, one["used"], "used")):
            if uid is None:
                raise RefusedError(f"it says that {path!r} was {what}, and the command {what} no such file")
        properties = self._own(one.get("properties", {}))
        self.found.edges.append(NewEdge("wasDerivedFrom", Node(str(generated)), Node(str(used)), properties))

    def _edge(self, one: Mapping[str, Any]) -> None:
        relation = RELATIONS.get(one["type"])
        if relation is None:
            raise RefusedError(f"there is no relation {one['type']!r}; there are {', '.join(RELATIONS)}")
        source = self._node(one["source"])
        target = self._node(one["target"], used_first=relation.name in ("used", "wasDerivedFrom"))
        for node, kinds, end in ((source, relation.domain, "source"), (target, relation.range, "target")):
            if self._kind(node) not in kinds:
                wanted = " or ".join(sorted(kind.value for kind in kinds))
                raise RefusedError(f"the {end} of {relation.name} must be an {wanted}")
        if source.uid and relation.name in _OF_NEW_ONES:
            raise RefusedError(
                f"{relation.name} begins at a file that is there: only provdb says so; it may begin at a new one"
            )
        if relation.name in _ACYCLIC:
            source, target = self._placed(relation.name, source, target)
        properties = one.get("properties", {})
        typed = relation.name == "wasDerivedFrom" and properties.get("prov_type") in _DERIVATIONS
        own = self._own(properties, frozenset({"prov_type"}) if typed else frozenset())
        self.found.edges.append(NewEdge(relation.name, source, target, own))

    def _placed(self, relation: str, source: Node, target: Node) -> tuple[Node, Node]:
        """The ends of an edge of the past: what others recorded gets no new past, and the activity's is its last part.

        Raises:
            RefusedError: it would say so.
        """
        around, last = self.around, Node(self.around.parts[-1])
        generated = set(around.generated.values())
        if (
            source.uid
            and (source.uid not in generated or relation == "wasGeneratedBy")
            and source.uid != around.parts[0]
        ):
            raise RefusedError(
                f"{relation} begins at a file whose past is known; it may begin at the activity or a new vertex"
            )
        if relation == "used" and target.uid in generated:
            raise RefusedError("it says that the command used what it generated")
        source, target = (last if node.uid == around.parts[0] else node for node in (source, target))
        if relation == "used" and source == last and target.uid in around.part_of:
            source = Node(around.parts[around.part_of[target.uid]])
        return source, target

    # -- series and records

    def _series(self, one: Mapping[str, Any]) -> None:
        try:
            points = Points(one["steps"], [float(value) for value in one["values"]], one.get("times"))
            check_points(one["name"], points, 0)
        except (ValueError, OverflowError) as error:
            raise RefusedError(str(error)) from error
        series = self.found.series.setdefault(self._node(one["of"]), {})
        if one["name"] in series:
            raise RefusedError(f"it has two series {one['name']!r} of one vertex")
        self._own({f"metric_{one['name']}": 0})
        series[one["name"]] = points

    def _record(self, one: Mapping[str, Any]) -> None:
        generated = self.around.generated.get(one["generated"])
        if generated is None:
            raise RefusedError(f"it has records of {one['generated']!r}, which the command did not generate")
        used = [{"vertex": self._path(row["path"], used_first=True).uid, "row": row["row"]} for row in one["used"]]
        self.found.records.append({"vertex": generated, "row": one["row"], "used": used})

    # -- the past stays acyclic

    def _check_past(self) -> None:
        """Refuse what would close a cycle.

        What a later part of the activity used may have come from what an earlier one generated (that is why there are
        parts), so it is taken to have.

        Raises:
            RefusedError: it would.
        """
        edges = [edge for edge in self.found.edges if edge.type in _ACYCLIC]
        if not edges:
            return
        after: dict[Any, list[Any]] = {}
        for uid in self.around.generated.values():
            number = self.around.part_of[uid]
            after.setdefault(Node(uid), []).append(Node(self.around.parts[number]))
            after.setdefault(("until", number), []).append(Node(uid))
        for uid in self.around.used.values():
            number = self.around.part_of[uid]
            after.setdefault(Node(self.around.parts[number]), []).append(Node(uid))
            after.setdefault(Node(uid), []).append(("until", number - 1))
        for number in range(len(self.around.parts)):
            after.setdefault(("until", number), []).append(("until", number - 1))
        for edge in edges:
            after.setdefault(edge.source, []).append(edge.target)
        if _has_cycle(after):
            raise RefusedError("its edges would make something its own ancestor")


def _has_cycle(after: Mapping[Any, Iterable[Any]]) -> bool:
    open_, done = set[Any](), set[Any]()
    for root in after:
        stack = [(root, iter(after.get(root, ())))] if root not in done else []
        open_.update(node for node, _ in stack)
        while stack:
            node, rest = stack[-1]
            following = next((one for one in rest if one not in done), None)
            if following is None:
                stack.pop()
                open_.discard(node)
                done.add(node)
            elif following in open_:
                return True
            else:
                open_.add(following)
                stack.append((following, iter(after.get(following, ()))))
    return False


__all__ = ["ACTIVITY", "Around", "Found", "NewEdge", "NewVertex", "Node", "RefusedError", "check"]
