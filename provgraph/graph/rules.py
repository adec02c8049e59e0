"""What every graph must keep, whoever hands it in: kinds, ends, the vocabulary's domains and ranges, no doubles."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from provgraph.errors import InputError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.identity import digest_uid
from provgraph.model.vocabulary import RELATIONS, Kind


def checked(vertices: Iterable[Vertex], edges: Iterable[Edge]) -> tuple[list[Vertex], list[Edge], list[str]]:
    """Vertices and edges without doubles, and notes on what was merged.

    Raises:
        InputError: a vertex without exactly one kind, an edge with an unknown relation or end, or between kinds that
            its relation does not join; doubles that contradict each other. The message names the element.
    """
    kept: dict[str, Vertex] = {}
    kinds: dict[str, Kind] = {}
    doubles = 0
    for vertex in vertices:
        try:
            kind = vertex.kind
        except ValueError as error:
            raise InputError(f"vertex {vertex.uid!r}: {error}") from None
        known = kept.get(vertex.uid)
        if known is not None:
            doubles += 1
            if kind is not kinds[vertex.uid]:
                both = f"{kinds[vertex.uid].value} and {kind.value}"
                raise InputError(f"vertex {vertex.uid!r} stands there twice, as {both}; give them different uids")
        kept[vertex.uid] = vertex if known is None else _one_vertex(known, vertex)
        kinds[vertex.uid] = kind
    kept_edges, double_edges = _checked_edges(edges, kinds)
    notes = [_merged(doubles, "vertex", "vertices")] if doubles else []
    if double_edges:
        notes.append(_merged(double_edges, "edge", "edges"))
    return list(kept.values()), kept_edges, notes


def _checked_edges(edges: Iterable[Edge], kinds: Mapping[str, Kind]) -> tuple[list[Edge], int]:
    kept: list[Edge] = []
    # Roles are looked at only where type and ends agree: a store's graph keeps its properties unparsed.
    places: dict[tuple[str, str, str], int] = {}
    roles: dict[tuple[str, str, str, str], int] = {}
    doubles = 0
    for edge in edges:
        _check_edge(edge, kinds)
        ends = edge.type, edge.source, edge.target
        first = places.setdefault(ends, len(kept))
        twin = None
        if first < len(kept):
            roles.setdefault((*ends, kept[first].role), first)
            place = roles.setdefault((*ends, edge.role), len(kept))
            twin = place if place < len(kept) else None
        if twin is not None:
            doubles += 1
            known = kept[twin]
            properties = _one_mapping(_edge_text(edge), known.properties, edge.properties)
            kept[twin] = Edge(edge.type, edge.source, edge.target, properties, known.uid)
            continue
        kept.append(edge if edge.uid else _with_uid(edge))
    return kept, doubles


def _with_uid(edge: Edge) -> Edge:
    uid = digest_uid("edge", edge.type, edge.source, edge.target, edge.role)
    return Edge(edge.type, edge.source, edge.target, edge.properties, uid)


def _edge_text(edge: Edge) -> str:
    return f"edge {edge.type} {edge.source!r} → {edge.target!r}"


def _check_edge(edge: Edge, kinds: Mapping[str, Kind]) -> None:
    relation = RELATIONS.get(edge.type)
    if relation is not None and kinds.get(edge.source) in relation.domain and kinds.get(edge.target) in relation.range:
        return
    what = _edge_text(edge)
    if relation is None:
        near = get_close_matches(edge.type, RELATIONS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "the relations are " + ", ".join(RELATIONS)
        raise InputError(f"{what}: there is no relation {edge.type!r}; {hint}")
    for end, uid, allowed in (("source", edge.source, relation.domain), ("target", edge.target, relation.range)):
        kind = kinds.get(uid)
        if kind is None:
            raise InputError(f"{what}: its {end} {uid!r} is not among the vertices; add the vertex or drop the edge")
        if kind not in allowed:
            joins = f"{_kinds(relation.domain)} → {_kinds(relation.range)}"
            raise InputError(f"{what}: its {end} is an {kind.value}, but {edge.type} joins {joins}; turn it round?")


def _kinds(kinds: Iterable[Kind]) -> str:
    return "/".join(sorted(kind.value for kind in kinds))


def _merged(count: int, one: str, many: str) -> str:
    return f"{count} repeated {one if count == 1 else many} merged"


def _one_vertex(first: Vertex, second: Vertex) -> Vertex:
    labels = tuple(dict.fromkeys((*first.labels, *second.labels)))
    properties = _one_mapping(f"vertex {first.uid!r}", first.properties, second.properties)
    return Vertex(first.uid, labels, properties, first.mark)


def _one_mapping(what: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(first)
    for key, value in second.items():
        if key in merged and repr(merged[key]) != repr(value) and merged[key] != value:
            raise InputError(
                f"{what} stands there twice, with {key} = {merged[key]!r} and {value!r}; keep one of the two"
            )
        merged[key] = value
    return merged


def united(graphs: Iterable[ProvGraph]) -> ProvGraph:
    """The union of graphs; see ``ProvGraph.union``."""
    vertices: dict[str, Vertex] = {}
    edges: dict[tuple[str, str, str, str], Edge] = {}
    notes: dict[str, None] = {}
    for graph in graphs:
        notes.update(dict.fromkeys(graph.notes))
        for vertex in graph:
            known = vertices.get(vertex.uid)
            vertices[vertex.uid] = vertex if known is None or known == vertex else _one_vertex(known, vertex)
        for edge in graph.edges:
            key = (edge.type, edge.source, edge.target, edge.role)
            first = edges.get(key)
            if first is None:
                edges[key] = edge
            elif first.properties != edge.properties:
                edges[key] = Edge(
                    *key[:3], _one_mapping(_edge_text(edge), first.properties, edge.properties), first.uid
                )
    return ProvGraph(vertices.values(), edges.values(), notes=notes)
