"""A real store with a graph of the test's own, and Cypher on it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from provgraph.model.identity import Namespace
from provgraph.stores import EmbeddedStore, init_project
from provgraph.stores.cypher import CypherCache

AT = "2026-11-20T12:00:00.123456+00:00"


class Graph:
    """Writes events into a store; vertices bear names that only the test knows."""

    def __init__(self, store: EmbeddedStore) -> None:
        self.store = store

    def uid(self, name: str) -> str:
        """The uid of the vertex called ``name``."""
        return Namespace(self.store.project).artifact(name)

    def add(
        self,
        vertices: Mapping[str, tuple[Sequence[str], Mapping[str, Any]]] | None = None,
        edges: Sequence[tuple[Any, ...]] = (),
        changes: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """One event: vertices by name, edges (type, name, name[, properties]), properties to set by name."""
        with self.store.journal.batch() as batch:
            event = batch.event("provenance.declared", AT)
            for name, (labels, properties) in (vertices or {}).items():
                event.vertex(labels, properties, self.uid(name))
            for type, source, target, *more in edges:
                event.edge(type, self.uid(source), self.uid(target), **(more[0] if more else {}))
            for name, properties in (changes or {}).items():
                event.set(self.uid(name), **properties)


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    """An empty one."""
    with init_project(str(tmp_path)) as store:
        yield Graph(store)


@pytest.fixture
def cache(graph: Graph) -> Iterator[CypherCache]:
    """Cypher on ``graph``."""
    with CypherCache(graph.store) as made:
        yield made


@pytest.fixture(scope="module")
def shared_graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """One for all tests of a module that only read."""
    with init_project(str(tmp_path_factory.mktemp("shared"))) as store:
        yield Graph(store)


@pytest.fixture(scope="module")
def shared_cache(shared_graph: Graph) -> Iterator[CypherCache]:
    """Cypher on ``shared_graph``."""
    with CypherCache(shared_graph.store) as made:
        yield made
