"""Graphs as JSON documents ``provgraph/graph/1``: reading what others wrote, with errors that name the element."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from provgraph.errors import InputError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.prov_json import from_prov_json, looks_like_prov_json
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.segment import Segment, Why
from provgraph.model.vocabulary import ANCESTRY

SCHEMA = "provgraph/graph/1"


def read(document: object) -> ProvGraph:
    """The graph of a document, given as a dict or as JSON text; a ``Segment`` where each vertex says why it is there.

    Raises:
        InputError: not JSON, half a file, another schema, or an element that breaks a rule.
    """
    if isinstance(document, str | bytes):
        document = _parsed(document)
    if not isinstance(document, Mapping):
        raise InputError(f"a graph is one JSON object, not {_kind(document)}; see `provdb lineage --json`")
    if looks_like_prov_json(document):
        return from_prov_json(document)
    schema = document.get("schema")
    if schema != SCHEMA:
        raise InputError(f'the document says "schema": {json.dumps(schema)}, a graph says "{SCHEMA}"; {_next(schema)}')
    for key in ("vertices", "edges"):
        if not isinstance(document.get(key), list):
            raise InputError(f'"{key}" must be a list, not {_kind(document.get(key))}')
    vertices = [_vertex(place, item) for place, item in enumerate(document["vertices"])]
    edges = [_edge(place, item) for place, item in enumerate(document["edges"])]
    query, notes = document.get("query") or {}, document.get("notes") or []
    if not isinstance(query, Mapping):
        raise InputError(f'"query" must be an object, not {_kind(query)}')
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise InputError('"notes" must be a list of strings')
    graph = ProvGraph(vertices, edges, query, notes)
    return _segment(graph, _reasons(document["vertices"])) or graph


def _reasons(items: Sequence[Mapping[str, Any]]) -> dict[str, Why]:
    """Why vertices are in a segment, of those that say so."""
    found: dict[str, Why] = {}
    for place, item in enumerate(items):
        if item.get("why") is not None:
            try:
                found[item["uid"]] = Why(item["why"])
            except ValueError:
                said = json.dumps(item["why"])[:40]
                known = ", ".join(Why)
                raise InputError(f'vertices[{place}] ({item["uid"]}): "why" is one of {known}, not {said}') from None
    return found


def _segment(graph: ProvGraph, whys: Mapping[str, Why]) -> Segment | None:
    """The segment that was printed; None where the document is another graph."""
    query = graph.query or {}
    later, earlier = query.get("destinations"), query.get("sources")
    if not whys or len(whys) < len(graph) or not isinstance(later, list) or not isinstance(earlier, list | None):
        return None
    if earlier is None:  # all roots: nothing that is not direct came before a destination
        inner = {source for relation, source, _ in graph.edge_ends() if relation in ANCESTRY}
        earlier = [uid for uid, why in whys.items() if why is Why.DIRECT and uid not in inner]
    sources, destinations = (
        sorted(uid for uid in ends if isinstance(uid, str) and uid in graph) for ends in (earlier, later)
    )
    return Segment.of_reasons(graph, whys, sources, destinations)


def _parsed(text: str | bytes) -> object:
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"this is no JSON: byte {error.start} is no UTF-8; was it written by --json?") from None
    except RecursionError:
        raise InputError("this JSON is nested too deeply to be a graph") from None
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            rest = error.doc[error.pos :].strip()
            half = "" if rest and not error.msg.startswith("Unterminated") else " (it ends too early: half a file?)"
            raise InputError(f"this is no JSON: {error}{half}; was it written by --json?") from None
        raise InputError(f"this is no JSON that can be read: {error}") from None


def _next(schema: object) -> str:
    if isinstance(schema, str) and schema.startswith("provgraph/graph/"):
        return "it may come from a newer provgraph: upgrade this one"
    return "ask for one with `provdb lineage REF --json`"


def _vertex(place: int, item: object) -> Vertex:
    if not isinstance(item, Mapping):
        raise InputError(f"vertices[{place}] must be an object, not {_kind(item)}")
    uid, labels = item.get("uid"), item.get("labels")
    if not isinstance(uid, str) or not uid:
        raise InputError(f'vertices[{place}]: "uid" must be a string that is not empty, not {_kind(uid)}')
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise InputError(f'vertices[{place}] ({uid}): "labels" must be a list of strings')
    return Vertex(uid, tuple(labels), _properties(f"vertices[{place}] ({uid})", item))


def _edge(place: int, item: object) -> Edge:
    if not isinstance(item, Mapping):
        raise InputError(f"edges[{place}] must be an object, not {_kind(item)}")
    ends: list[str] = []
    for key in ("type", "source", "target"):
        value = item.get(key)
        if not isinstance(value, str) or not value:
            raise InputError(f'edges[{place}]: "{key}" must be a string that is not empty, not {_kind(value)}')
        ends.append(value)
    uid = item.get("uid") or ""
    if not isinstance(uid, str):
        raise InputError(f'edges[{place}]: "uid" must be a string, not {_kind(uid)}')
    properties = _properties(f"edges[{place}]", item)
    if not isinstance(properties.get("role", ""), str):
        raise InputError(f'edges[{place}]: "role" must be a string, not {_kind(properties["role"])}')
    return Edge(ends[0], ends[1], ends[2], properties, uid)


def _properties(what: str, item: Mapping[str, Any]) -> dict[str, Any]:
    properties = item.get("properties")
    if properties is None:
        return {}
    if not isinstance(properties, Mapping):
        raise InputError(f'{what}: "properties" must be an object, not {_kind(properties)}')
    return dict(properties)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "nothing"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)
