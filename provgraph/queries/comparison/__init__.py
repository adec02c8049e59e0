"""What differs between two vertices or two graphs. Pure: graphs, a reader and a callable that gives bytes come in."""

from provgraph.queries.comparison.graphs import compare
from provgraph.queries.comparison.vertices import compare_vertices

__all__ = ["compare", "compare_vertices"]
