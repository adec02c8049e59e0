"""Read-only Cypher on the embedded store: ``CypherCache(store).run(query)``.

The way of a query: ``tokens`` → ``guard`` (refuse what writes) → ``mentions`` (which keys to feed) → ``values``
(parameters) → ``worker``, a process in which ``engine`` feeds Grafeo from ``feed`` → ``elements`` → rows,
with ``hints``.
"""

from provgraph.stores.cypher.cache import TIMEOUT_S, CypherCache

__all__ = ["TIMEOUT_S", "CypherCache"]
