"""The best Cypher that we could write for what ``segment`` answers, for a Neo4j."""

from typing import Final

DIRECT: Final = (
    "MATCH (d:Entity {uid: $d})-[:used|wasGeneratedBy*0..]->(v) WITH DISTINCT v "
    "WITH collect(v) AS past "
    "MATCH (s:Entity {uid: $s})<-[:used|wasGeneratedBy*0..]-(w) WITH DISTINCT w, past WHERE w IN past "
    "RETURN count(w)"
)
"""Direct paths alone: what the destination came from, and what came of the source. Neo4j prunes both expansions."""
SIMILAR: Final = (
    "MATCH p = (d:Entity {uid: $d})-[:used|wasGeneratedBy*]->(:Entity {uid: $s}) WITH DISTINCT d, length(p) AS n "
    "MATCH q = (d)-[:used|wasGeneratedBy*]->() WHERE length(q) = n "
    "UNWIND nodes(q) AS v RETURN count(DISTINCT v)"
)
"""Direct and similar paths: the lengths of paths to the source, and all paths so long. Cypher has no way to ask for
lengths without the paths, of which there are more than anybody can count."""
