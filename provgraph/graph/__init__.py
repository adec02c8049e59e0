"""Graphs as values: vertices, edges, ProvGraph; and the port through which questions reach a store."""

from provgraph.graph.elements import Edge, Vertex

__all__ = ["Edge", "Vertex"]
