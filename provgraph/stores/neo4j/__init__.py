"""The team's store: a Neo4j server, spoken to over Bolt.

The driver is imported when a server is first spoken to, and nowhere outside this package.
"""

from provgraph.stores.neo4j.failures import Behind
from provgraph.stores.neo4j.remote import Remote
from provgraph.stores.neo4j.store import OriginRow, TeamStore

__all__ = ["Behind", "OriginRow", "Remote", "TeamStore"]
