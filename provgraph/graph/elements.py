"""Vertices and edges as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provgraph.model.vocabulary import Kind, kind_of


@dataclass(frozen=True, slots=True)
class Vertex:
    """An entity, activity or agent. Equal uids mean the same thing."""

    uid: str
    labels: tuple[str, ...]
    properties: Mapping[str, Any] = field(default_factory=dict)
    mark: str = field(default="", compare=False, repr=False)
    """What a listing says beside what the vertex bears itself: the short name of the clone that it comes from, where
    that is another one; of an agent that was merged into another one, the other one's name. In no document."""

    @property
    def kind(self) -> Kind:
        """The one of Entity, Activity, Agent among the labels."""
        return kind_of(self.labels)

    def to_json(self) -> dict[str, Any]:
        """The shape of a vertex in every JSON document."""
        return {"uid": self.uid, "labels": list(self.labels), "properties": dict(self.properties)}


@dataclass(frozen=True, slots=True)
class Edge:
    """A PROV relation, effect → cause. Identity: type, source, target and ``role``."""

    type: str
    source: str
    target: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    uid: str = ""

    @property
    def role(self) -> str:
        """The role, empty where there is none."""
        return str(self.properties.get("role", ""))

    def to_json(self) -> dict[str, Any]:
        """The shape of an edge in every JSON document."""
        return {
            "uid": self.uid,
            "type": self.type,
            "source": self.source,
            "target": self.target,
            "properties": dict(self.properties),
        }
