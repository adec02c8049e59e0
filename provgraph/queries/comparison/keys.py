"""By what vertices of two graphs are recognised as standing for the same."""

import os
import re
from collections.abc import Iterable
from typing import Final

from provgraph.graph.elements import Vertex
from provgraph.graph.merged import final
from provgraph.model.vocabulary import KINDS

_NUMBERED: Final = re.compile(r" #\d+$")
Key = tuple[str, ...]


def key_of(vertex: Vertex) -> Key:
    """What two vertices must have alike to stand for the same: of an entity the artifact, of an activity what it ran.

    An activity without a utility goes by its name without its number, an agent by its e-mail address or name.
    """
    properties, labels = vertex.properties, vertex.labels
    if "Agent" in labels:
        return "agent", str(properties.get("email") or properties.get("name") or vertex.uid)
    if "Activity" in labels:
        if "Unseen" in labels:
            return "unseen", str(properties.get("path", ""))
        name = _NUMBERED.sub("", str(properties.get("name") or properties.get("command") or ""))
        utility, script = properties.get("utility"), properties.get("script")
        ran = (str(utility or ""), str(script or "")) if utility and script else (str(utility or ""), name)
        return "activity", _specific(vertex), *ran
    named = properties.get("path") or properties.get("name")
    if named is None and "Version" in labels:
        return "version", str(properties.get("kind", ""))
    return "entity", _specific(vertex), str(named) if named is not None else f"uid {vertex.uid}"


def agent_keys(vertices: Iterable[Vertex]) -> dict[str, Key]:
    """The keys of all agents among some vertices, by uid: who was merged into another one has that one's key."""
    agents = {vertex.uid: vertex for vertex in vertices if "Agent" in vertex.labels}
    step = {uid: other for uid, vertex in agents.items() if isinstance(other := vertex.properties.get("same_as"), str)}
    one = {**{uid: uid for uid in agents}, **final(step, str)}
    return {uid: key_of(agents[other]) if other in agents else ("agent", f"uid {other}") for uid, other in one.items()}


def place_of(vertex: Vertex) -> Key:
    """What two vertices have alike that could stand in the same place though they are not the same artifact."""
    suffix = ""
    if "Entity" in vertex.labels:
        suffix = os.path.splitext(str(vertex.properties.get("path") or vertex.properties.get("name") or ""))[1]
    kind = next((label for label in vertex.labels if label in KINDS), "")
    return kind, _specific(vertex), suffix


def _specific(vertex: Vertex) -> str:
    """The more specific labels; a data set that is read is the collection that somebody wrote."""
    return " ".join(sorted(set(vertex.labels) - KINDS - {"Dataset"}))
