"""What one would write with the driver: ``python team_raw_push.py FILE URL USER``, the password in NEO4J_PASSWORD.

Batches of 10,000, UNWIND + MERGE on a unique uid, edges by MATCH, MATCH, MERGE. FILE holds the vertices and edges,
pickled. With TIMES=objects date-times are Python's, else texts that the server reads. Prints the seconds from the first
connection to the last commit: reading the file does not count.
"""

import json
import os
import pickle
import sys
import time
from datetime import datetime

import neo4j

BATCH = 10_000
KINDS = {
    "used": ("Activity", "Entity"),
    "wasGeneratedBy": ("Entity", "Activity"),
    "wasAssociatedWith": ("Activity", "Agent"),
    "wasAttributedTo": ("Entity", "Agent"),
    "wasDerivedFrom": ("Entity", "Entity"),
}
TIMES = ("started_at", "ended_at", "created_at")

with open(sys.argv[1], "rb") as file:
    vertices, edges = pickle.load(file)
objects = os.environ.get("TIMES") == "objects"
for rows in vertices.values() if objects else ():
    for _, properties in rows:
        for key in TIMES:
            if key in properties:
                properties[key] = datetime.fromisoformat(properties[key])
vertices = {labels: [{"uid": u, "properties": p} for u, p in rows] for labels, rows in vertices.items()}
edges = {type: [{"s": s, "t": t, "properties": p} for s, t, p in rows] for type, rows in edges.items()}

began = time.perf_counter()
with neo4j.GraphDatabase.driver(sys.argv[2], auth=(sys.argv[3], os.environ["NEO4J_PASSWORD"])) as driver:
    for kind in ("Entity", "Activity", "Agent"):
        driver.execute_query(f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:{kind}) REQUIRE n.uid IS UNIQUE")
    for (kind, *more), rows in vertices.items():
        times = [key for key in TIMES if key in rows[0]["properties"] and not objects]
        text = f"UNWIND $rows AS row MERGE (n:{kind} {{uid: row.uid}}) SET n += row.properties"
        text += "".join(f" SET n:{label}" for label in more)
        text += "".join(f" SET n.{key} = datetime(row.properties.{key})" for key in times)
        for start in range(0, len(rows), BATCH):
            driver.execute_query(text, rows=rows[start : start + BATCH])
    for type, rows in edges.items():
        source, target = KINDS[type]
        text = f"UNWIND $rows AS row MATCH (a:{source} {{uid: row.s}}) MATCH (b:{target} {{uid: row.t}}) "
        text += f"MERGE (a)-[r:{type}]->(b) SET r += row.properties"
        for start in range(0, len(rows), BATCH):
            driver.execute_query(text, rows=rows[start : start + BATCH])
print(json.dumps({"seconds": time.perf_counter() - began}))
