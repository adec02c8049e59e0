"""The operator ``segment``: walks over the arrays of a graph."""

from provgraph.queries.segmentation.boundary import Boundary
from provgraph.queries.segmentation.operator import Expansion, segment

__all__ = ["Boundary", "Expansion", "segment"]
