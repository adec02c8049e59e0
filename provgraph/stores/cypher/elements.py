"""Elements and paths in an answer, as the projection has them."""

from collections.abc import Iterable, Mapping
from typing import Any

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.rows import Path
from provgraph.stores.cypher.feed import Feed
from provgraph.stores.cypher.values import Returned


class Elements(Returned):
    """Puts whole vertices, edges and paths in the place of what the engine returns for them.

    Parameters:
        vertex_of, edge_of: numbers in the projection, by the engine's internal ids.
    """

    def __init__(self, feed: Feed, vertex_of: Mapping[int, int], edge_of: Mapping[int, int]) -> None:
        self._feed, self._vertex_of, self._edge_of = feed, vertex_of, edge_of
        self._vertices: dict[int, Vertex] = {}
        self._edges: dict[int, Edge] = {}

    def fetch(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Read every element in ``rows`` at once."""
        vertices: set[int] = set()
        edges: set[int] = set()
        waiting: list[Any] = [cell for row in rows for cell in row if isinstance(cell, dict | list)]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                if _is_vertex(value):
                    vertices.add(self._vertex_of[value["_id"]])
                elif _is_edge(value):
                    edges.add(self._edge_of[value["_id"]])
                else:
                    waiting.extend(item for item in value.values() if isinstance(item, dict | list))
            else:
                waiting.extend(item for item in value if isinstance(item, dict | list))
        self._vertices = self._feed.vertices_numbered(sorted(vertices))
        self._edges = self._feed.edges_numbered(sorted(edges))

    def mapping(self, value: Mapping[str, Any]) -> Any:
        """A vertex, an edge, a path, or what any other map is."""
        if _is_vertex(value):
            return self._vertices[self._vertex_of[value["_id"]]]
        if _is_edge(value):
            return self._edges[self._edge_of[value["_id"]]]
        if _is_path(value):
            return Path(tuple(map(self.value, value["nodes"])), tuple(map(self.value, value["edges"])))
        return super().mapping(value)


def _is_vertex(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("_labels"), list) and isinstance(value.get("_id"), int)


def _is_edge(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("_type"), str) and isinstance(value.get("_id"), int)


def _is_path(value: Mapping[str, Any]) -> bool:
    if value.keys() != {"nodes", "edges"}:
        return False
    nodes, edges = value["nodes"], value["edges"]
    return (
        isinstance(nodes, list)
        and isinstance(edges, list)
        and len(nodes) == len(edges) + 1
        and all(map(_is_vertex, nodes))
        and all(map(_is_edge, edges))
    )
