"""prov2neo imports a PROV-JSON file: ``python team_prov2neo.py FILE HOST:PORT USER``, the password in NEO4J_PASSWORD.

Its newest release looks for constraints by a procedure that Neo4j 5 does not have any more, so they are made here; the
import is its own. Prints the seconds of the import; reading the file does not count.
"""

import json
import os
import sys
import time

from prov.model import ProvDocument
from prov2neo.client import Client


class Present(Client):
    """A client that finds the constraints there."""

    def add_uniqueness_constraints(self) -> None:
        for label in ("prov:Entity", "prov:Activity", "prov:Agent", "prov:Bundle", "prov2neo:node"):
            name = f"`{label}`"
            self.graph_db.run(
                f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:{name}) REQUIRE n.`prov2neo:identifier` IS UNIQUE"
            )


document = ProvDocument.deserialize(source=sys.argv[1], format="json")
began = time.perf_counter()
client = Present()
client.connect(
    address=sys.argv[2], user=sys.argv[3], password=os.environ["NEO4J_PASSWORD"], name="neo4j", scheme="bolt"
)
client.import_graph(document)
print(json.dumps({"seconds": time.perf_counter() - began}))
