"""Stores: the embedded one (SQLite and a folder of objects in ``.provdb``)."""

from provgraph.stores.embedded import EmbeddedStore
from provgraph.stores.project import init_project, open_store

__all__ = ["EmbeddedStore", "init_project", "open_store"]
