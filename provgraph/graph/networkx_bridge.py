"""ProvGraph ↔ networkx.MultiDiGraph, for people who want one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from provgraph.errors import InputError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(graph: ProvGraph) -> "nx.MultiDiGraph[str]":
    """Nodes and edge keys are uids; nodes bear ``labels`` and ``properties``, edges ``type`` and ``properties``."""
    try:
        import networkx as nx
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError("to_networkx() needs networkx: install it with `pip install networkx`") from missing
    result: nx.MultiDiGraph[str] = nx.MultiDiGraph(query=dict(graph.query or {}), notes=list(graph.notes))
    for vertex in graph:
        result.add_node(vertex.uid, labels=list(vertex.labels), properties=dict(vertex.properties))
    for edge in graph.edges:
        result.add_edge(edge.source, edge.target, key=edge.uid, type=edge.type, properties=dict(edge.properties))
    return result


def from_networkx(graph: "nx.MultiDiGraph[str]") -> ProvGraph:
    """The graph of a MultiDiGraph built in the manner of ``to_networkx``.

    Raises:
        InputError: a node without ``labels``, an edge without ``type``, or what ProvGraph refuses.
    """
    vertices = []
    for uid, data in graph.nodes(data=True):
        labels = data.get("labels")
        if not isinstance(labels, list | tuple) or not labels or not isinstance(uid, str):
            raise InputError(f"node {uid!r} needs a string as its name and an attribute `labels`, like ['Entity']")
        vertices.append(Vertex(uid, tuple(labels), _mapping(f"node {uid!r}", data)))
    edges = []
    for source, target, key, data in graph.edges(keys=True, data=True):
        relation = data.get("type")
        if not isinstance(relation, str):
            raise InputError(f"edge {source!r} → {target!r} needs an attribute `type`, like 'used'")
        properties = _mapping(f"edge {source!r} → {target!r}", data)
        edges.append(Edge(relation, source, target, properties, key if isinstance(key, str) else ""))
    return ProvGraph(vertices, edges, graph.graph.get("query"), graph.graph.get("notes") or ())


def _mapping(what: str, data: Mapping[str, Any]) -> dict[str, Any]:
    properties = data.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise InputError(f"{what}: `properties` must be a dict")
    return dict(properties)
