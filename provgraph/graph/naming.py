"""One readable name for every vertex: ``solver.prototxt@2``, ``train.py #14``, ``Alice``."""

from provgraph.graph.elements import Vertex
from provgraph.model.vocabulary import Kind

UNSEEN = "unrecorded change"
TRANSFER = "transfer"
"""How an ``Unseen`` activity is called that brought a file from another clone (rule 24)."""


def display_name(vertex: Vertex) -> str:
    """The name that every listing shows.

    A snapshot is ``path@sequence``, an activity its name and number, anything else its name, its path, or the beginning
    of its uid. Before what another clone recorded stands ``ORIGIN:``; an agent that was merged into another one bears
    the other one's name.
    """
    if not vertex.mark:
        return plain_name(vertex)
    return vertex.mark if vertex.kind is Kind.AGENT else f"{vertex.mark}:{plain_name(vertex)}"


def plain_name(vertex: Vertex) -> str:
    """The name without what its mark says: the same in every clone."""
    properties = vertex.properties
    path, name = properties.get("path"), properties.get("name")
    if "Unseen" in vertex.labels:
        what = TRANSFER if name == TRANSFER else UNSEEN
        return f"{what} of {path}" if path else what
    if path is not None and properties.get("sequence") is not None:
        return f"{path}@{properties['sequence']}"
    if name is not None and vertex.kind is Kind.ACTIVITY and isinstance(properties.get("number"), int):
        number = f"#{properties['number']}"
        return str(name) if str(name).endswith(number) else f"{name} {number}"
    if name is not None:
        return str(name)
    if path is not None:
        return str(path)
    return _short(vertex)


def _short(vertex: Vertex) -> str:
    specific = [label for label in vertex.labels if label not in ("Entity", "Activity", "Agent")]
    label = (specific or list(vertex.labels))[0].lower()
    if "Version" in vertex.labels and vertex.properties.get("commit"):
        return f"version {str(vertex.properties['commit'])[:8]}"
    return f"{label} {short_uid(vertex.uid)}"


def short_uid(uid: str) -> str:
    """A uid as listings show it: eight characters of a UUID, which a reference may be; others whole."""
    return uid[:8] if len(uid) == 36 and uid.count("-") == 4 else uid
