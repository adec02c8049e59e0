"""PROV-JSON and its dialects as graphs: entities, activities, agents and the relations that our vocabulary has.

Identifiers stay as they are written (``ex:e1``) and become uids. Of attributes, those of PROV get the names that this
project has for them (``prov:startTime`` is ``started_at``), others keep theirs; a typed literal is its value, several
values are a list. What cannot be had is counted in a note, never dropped in silence.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.errors import InputError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import RELATIONS, Kind

_ELEMENTS: Final = {"entity": Kind.ENTITY, "activity": Kind.ACTIVITY, "agent": Kind.AGENT}
_ENDS: Final = {
    "used": ("prov:activity", "prov:entity"),
    "wasGeneratedBy": ("prov:entity", "prov:activity"),
    "wasAssociatedWith": ("prov:activity", "prov:agent"),
    "wasAttributedTo": ("prov:entity", "prov:agent"),
    "wasDerivedFrom": ("prov:generatedEntity", "prov:usedEntity"),
    "wasInformedBy": ("prov:informed", "prov:informant"),
    "wasInvalidatedBy": ("prov:entity", "prov:activity"),
    "specializationOf": ("prov:specificEntity", "prov:generalEntity"),
    "alternateOf": ("prov:alternate1", "prov:alternate2"),
    "hadMember": ("prov:collection", "prov:entity"),
    "actedOnBehalfOf": ("prov:delegate", "prov:responsible"),
}
_NAMES: Final = {
    "prov:label": "name",
    "prov:type": "prov_type",
    "prov:startTime": "started_at",
    "prov:endTime": "ended_at",
    "prov:time": "at",
    "prov:role": "role",
    "prov:activity": "activity",
}
_LABELS: Final = {
    "Person": Kind.AGENT,
    "SoftwareAgent": Kind.AGENT,
    "Organization": Kind.AGENT,
    "Collection": Kind.ENTITY,
    "Plan": Kind.ENTITY,
    "Bundle": Kind.ENTITY,
}
"""Types of PROV that become labels, beside the kind that they imply."""
_INTEGERS: Final = frozenset(
    "int integer long short byte unsignedInt unsignedLong unsignedShort unsignedByte nonNegativeInteger "
    "positiveInteger negativeInteger nonPositiveInteger".split()
)
_OTHERS: Final = frozenset({"wasStartedBy", "wasEndedBy", "wasInfluencedBy", "mentionOf"})
"""Relations of PROV-DM that the vocabulary lacks; any other name is somebody's extension."""


def looks_like_prov_json(document: Mapping[str, Any]) -> bool:
    """Whether a dict without a schema is meant to be PROV-JSON."""
    known = {*_ELEMENTS, *_ENDS, *_OTHERS, "prefix", "bundle"}
    return "schema" not in document and any(key in known for key in document)


def from_prov_json(document: object) -> ProvGraph:
    """The graph of a PROV-JSON document, given as a dict.

    Raises:
        InputError: no dict of dicts, or an element that is none; the message names it.
    """
    if not isinstance(document, Mapping):
        kind = "a list" if isinstance(document, list) else f"a {type(document).__name__}"
        raise InputError(f"PROV-JSON is one object of objects, not {kind}")
    reading = _Reading()
    reading.take(document)
    return reading.graph()


@dataclass
class _Reading:
    kinds: dict[str, Kind] = field(default_factory=dict)
    attributes: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    relations: list[tuple[str, str, dict[str, list[Any]]]] = field(default_factory=list)
    """(relation, id, attributes)."""
    edges: dict[tuple[str, str, str, str], tuple[str, dict[str, list[Any]]]] = field(default_factory=dict)
    """(id, attributes) by type, source, target and role."""
    lacking: dict[str, int] = field(default_factory=dict)
    bundles: int = 0
    mentioned: int = 0
    endless: int = 0
    unfitting: int = 0
    twofold: list[str] = field(default_factory=list)

    def take(self, document: Mapping[str, Any]) -> None:
        """Take in a document, or a bundle of it."""
        for section, kind in _ELEMENTS.items():
            for uid, record in _records(document, section):
                if self.kinds.setdefault(uid, kind) is not kind:
                    self.twofold.append(uid)
                _add(self.attributes.setdefault(uid, {}), record)
        for section, content in document.items():
            if section in _ELEMENTS or section in ("prefix", "bundle") or not isinstance(content, Mapping):
                continue
            for id, record in _records(document, section):
                if section in _ENDS:
                    self.relations.append((section, id, _add({}, record)))
                else:
                    self.lacking[section] = self.lacking.get(section, 0) + 1
        for _, bundle in _records(document, "bundle"):
            self.bundles += 1
            self.take(bundle)

    def graph(self) -> ProvGraph:
        """The graph of all that was taken."""
        for relation, id, attributes in self.relations:
            self._relate(relation, id, attributes)
        vertices = [Vertex(uid, *self._described(uid, kind)) for uid, kind in self.kinds.items()]
        used, edges = set[str](), []
        for (relation, source, target, role), (id, attributes) in self.edges.items():
            properties = _properties(attributes) | ({"role": role} if role else {})
            uid = "" if id.startswith("_:") or id in used else id
            used.add(id)
            edges.append(Edge(relation, source, target, properties, uid))
        return ProvGraph(vertices, edges, notes=self._notes())

    def _relate(self, relation: str, id: str, attributes: dict[str, list[Any]]) -> None:
        first, second = _ENDS[relation]
        sources, targets = _ids(attributes.pop(first, [])), _ids(attributes.pop(second, []))
        if not sources or not targets:
            self.endless += 1
            return
        role = ", ".join(str(value) for value in attributes.pop("prov:role", []))
        for source in sources:
            for target in targets:
                if self._fits(source, RELATIONS[relation].domain) and self._fits(target, RELATIONS[relation].range):
                    key = relation, source, target, role
                    _join(self.edges.setdefault(key, (id, {}))[1], attributes)
                else:
                    self.unfitting += 1

    def _fits(self, uid: str, kinds: frozenset[Kind]) -> bool:
        """Whether an end is of the right kind; one that nothing describes becomes so."""
        if uid not in self.kinds:
            self.mentioned += 1
            self.kinds[uid] = next(iter(kinds))
        return self.kinds[uid] in kinds

    def _described(self, uid: str, kind: Kind) -> tuple[tuple[str, ...], dict[str, Any]]:
        attributes = self.attributes.get(uid, {})
        labels = [kind.value]
        for type in attributes.get("prov:type", ()):
            name = str(type).removeprefix("prov:").rpartition("#")[2]
            if _LABELS.get(name) is kind and name not in labels:
                labels.append(name)
        return tuple(labels), _properties(attributes)

    def _notes(self) -> list[str]:
        notes = []
        for relation, number in sorted(self.lacking.items()):
            notes.append(f"{number} {relation} left out: the vocabulary has no such relation")
        if self.endless:
            notes.append(f"left out, since one end is missing: {_many(self.endless, 'relation')}")
        if self.unfitting:
            notes.append(f"left out, since it joins other kinds than it may: {_many(self.unfitting, 'relation')}")
        if self.mentioned:
            notes.append(f"made, since only relations mention it: {_many(self.mentioned, 'element')}")
        if self.twofold:
            some = ", ".join(sorted(set(self.twofold))[:3])
            notes.append(f"described as two kinds, taken as the first of entity, activity, agent: {some}")
        if self.bundles:
            notes.append(f"read as part of the graph: {_many(self.bundles, 'bundle')}")
        return notes


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _records(document: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(id, record) of a section; one id may have a list of records."""
    content = document.get(section)
    if content is None:
        return
    if not isinstance(content, Mapping):
        raise InputError(f'PROV-JSON: "{section}" must be an object of records by their id')
    for id, records in content.items():
        if not isinstance(id, str) or not id:
            raise InputError(f'PROV-JSON: an id in "{section}" must be a string that is not empty, not {id!r}')
        for record in records if isinstance(records, list) else [records]:
            if not isinstance(record, Mapping):
                raise InputError(f'PROV-JSON: {section} "{id}" must be an object, not {record!r:.80}')
            yield id, record


def _add(attributes: dict[str, list[Any]], record: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Add a record's attributes; each becomes a list of its different values."""
    values = {
        key: [_literal(value) for value in (found if isinstance(found, list) else [found])]
        for key, found in record.items()
    }
    return _join(attributes, values)


def _join(attributes: dict[str, list[Any]], more: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    for key, values in more.items():
        mine = attributes.setdefault(key, [])
        known = {repr(value) for value in mine}
        mine += [value for value in values if not (repr(value) in known or known.add(repr(value)))]  # type: ignore[func-returns-value]
    return attributes


def _literal(value: Any) -> Any:
    """The value of a typed literal, ``{"$": "3", "type": "xsd:int"}``; text that is none of its type stays text."""
    if not isinstance(value, Mapping) or "$" not in value:
        return value
    text, type = value["$"], str(value.get("type", "")).rpartition(":")[2].rpartition("#")[2]
    if not isinstance(text, str):
        return text
    try:
        if type in _INTEGERS:
            return int(text)
        if type in ("double", "float", "decimal"):
            return float(text) if math.isfinite(float(text)) else text  # which JSON has no number for
    except ValueError:
        return text
    if type == "boolean" and text in ("true", "false", "1", "0"):
        return text in ("true", "1")
    return text


def _ids(values: list[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str) and value]


def _properties(attributes: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Attributes by our names: one value as itself, several as a list."""
    properties: dict[str, Any] = {}
    for key, values in attributes.items():
        name = _NAMES.get(key, key)
        if name in properties or (name != key and name in attributes):
            name = key
        if values:
            properties[name] = values[0] if len(values) == 1 else values
    return properties
