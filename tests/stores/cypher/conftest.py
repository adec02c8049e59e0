"""A real store with a graph of the test's own, and Cypher on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cypher_samples import Graph

from provgraph.stores import init_project
from provgraph.stores.cypher import CypherCache


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
