"""Twenty useful questions in Cypher (``provdb cypher --examples``). They run on the demo, and on both stores.

They use base properties alone (and a metric and a parameter, as examples); paths are the demo's, to be replaced.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Example:
    """A question: what it asks, and its Cypher."""

    question: str
    query: str


EXAMPLES: Final[tuple[Example, ...]] = (
    Example(
        "Which files of the project is model.pkl made from, in all its snapshots?",
        "MATCH (m:Snapshot {path: 'model.pkl'})-[:used|wasGeneratedBy*]->(source:Snapshot)\n"
        "WHERE NOT source:Environment AND NOT source.path STARTS WITH '/'\n"
        "RETURN DISTINCT source.path AS path, source.sequence AS snapshot ORDER BY path, snapshot",
    ),
    Example(
        "Which results does data/digits.csv have a part in, and which of them are used no further?",
        "MATCH (d:Snapshot {path: 'data/digits.csv'})<-[:used|wasGeneratedBy*]-(result:Snapshot)\n"
        "WHERE NOT EXISTS { (result)<-[:used]-() }\n"
        "RETURN DISTINCT result.path AS path, result.sequence AS snapshot ORDER BY path, snapshot",
    ),
    Example(
        "Who made which snapshot of model.pkl, with what command, and when?",
        "MATCH (m:Snapshot {path: 'model.pkl'})-[:wasGeneratedBy]->(a:Activity)-[:wasAssociatedWith]->(p:Person)\n"
        "RETURN m.sequence AS model, p.name AS person, a.command AS command, a.started_at AS started_at ORDER BY model",
    ),
    Example(
        "Which configuration went into which model?",
        "MATCH (m:Snapshot {path: 'model.pkl'})-[:wasGeneratedBy]->(a:Activity)\n"
        "MATCH (a)-[:used]->(c:Snapshot {path: 'config.json'})\n"
        "RETURN m.sequence AS model, c.sequence AS configuration, a.name AS training ORDER BY model",
    ),
    Example(
        "Which run had the best accuracy, and of which model?",
        "MATCH (a:Activity)-[:used]->(m:Snapshot {path: 'model.pkl'})\n"
        "WHERE a.metric_accuracy IS NOT NULL\n"
        "RETURN a.name AS run, m.sequence AS model, a.metric_accuracy AS accuracy ORDER BY accuracy DESC LIMIT 5",
    ),
    Example(
        "What changed although nobody recorded it, and what was made from it afterwards?",
        "MATCH (changed:Snapshot)-[:wasGeneratedBy]->(u:Unseen)\n"
        "OPTIONAL MATCH (changed)<-[:used]-(a:Activity)\n"
        "RETURN changed.path AS path, changed.sequence AS snapshot, u.ended_at AS noticed_at, "
        "collect(DISTINCT a.name) AS used_by\n"
        "ORDER BY path, snapshot",
    ),
    Example(
        "Which results are out of date: made from a file that has a newer snapshot by now?",
        "MATCH (result:Snapshot)-[:wasGeneratedBy]->(a:Command)-[:used]->(old:Snapshot)\n"
        "MATCH (old)-[:specializationOf]->(file:Artifact)<-[:specializationOf]-(new:Snapshot)\n"
        "WHERE new.sequence > old.sequence AND NOT old:Environment\n"
        "WITH result, a, old, max(new.sequence) AS newest\n"
        "RETURN result.path AS result, result.sequence AS snapshot, a.name AS made_by, old.path AS input,\n"
        "       old.sequence AS used, newest\n"
        "ORDER BY result, snapshot, input",
    ),
    Example(
        "What takes the time? Commands by program, with how often and how long.",
        "MATCH (a:Command) WHERE a.duration_s IS NOT NULL\n"
        "RETURN a.utility AS program, count(*) AS runs, sum(a.duration_s) AS seconds, max(a.max_rss_bytes) AS bytes\n"
        "ORDER BY seconds DESC",
    ),
    Example(
        "How did the commands of the last week end?",
        "MATCH (a:Command) WHERE a.started_at > datetime() - duration('P7D')\n"
        "RETURN CASE WHEN a.exit_status IS NULL THEN 'running or interrupted' WHEN a.exit_status = 0 THEN 'well'\n"
        "       ELSE 'failed' END AS how, count(*) AS commands, max(a.started_at) AS latest\n"
        "ORDER BY how",
    ),
    Example(
        "What is the shortest way from the newest metrics.json back to the raw data?",
        "MATCH (r:Snapshot {path: 'metrics.json'}) WITH r ORDER BY r.sequence DESC LIMIT 1\n"
        "MATCH (d:Snapshot {path: 'data/digits.csv'})\n"
        "MATCH p = shortestPath((r)-[:used|wasGeneratedBy*]->(d))\n"
        "RETURN [v IN nodes(p) | coalesce(v.path, v.name)] AS way",
    ),
    Example(
        "Who works on the project, how much, and since when?",
        "MATCH (p:Person)<-[:wasAssociatedWith]-(a:Command)\n"
        "RETURN p.name AS person, count(a) AS commands, min(a.started_at) AS first, max(a.started_at) AS latest\n"
        "ORDER BY person",
    ),
    Example(
        "Whose results did whom go on from?",
        "MATCH (p:Person)<-[:wasAssociatedWith]-(a:Command)-[:used]->(s:Snapshot)\n"
        "MATCH (s)-[:wasGeneratedBy]->(:Activity)-[:wasAssociatedWith]->(other:Person)\n"
        "WHERE p <> other\n"
        "RETURN p.name AS person, other.name AS colleague, s.path AS path, s.sequence AS snapshot\n"
        "ORDER BY person, colleague, path, snapshot",
    ),
    Example(
        "What came from outside: files that nothing recorded has made, and how often they were used?",
        "MATCH (s:Snapshot)\n"
        "WHERE NOT EXISTS { (s)-[:wasGeneratedBy]->() } AND NOT s:Environment AND NOT s.path STARTS WITH '/'\n"
        "RETURN s.path AS path, s.sequence AS snapshot, COUNT { (s)<-[:used]-(:Command) } AS used\n"
        "ORDER BY path, snapshot",
    ),
    Example(
        "With which parameters was each model trained, and how good was it?",
        "MATCH (m:Snapshot {path: 'model.pkl'})-[:wasGeneratedBy]->(a:Activity)\n"
        "OPTIONAL MATCH (m)<-[:used]-(e:Activity) WHERE e.metric_accuracy IS NOT NULL\n"
        "WITH m, a, max(e.metric_accuracy) AS accuracy\n"
        "RETURN m.sequence AS model, accuracy,\n"
        "       [k IN keys(a) WHERE k STARTS WITH 'param_' | [k, a[k]]] AS parameters\n"
        "ORDER BY model",
    ),
    Example(
        "What is the history of config.json, and which of its changes did nobody record?",
        "MATCH (new:Snapshot {path: 'config.json'})-[r:wasDerivedFrom]->(old:Snapshot)\n"
        "RETURN new.sequence AS snapshot, old.sequence AS before, r.prov_type AS how,\n"
        "       coalesce(r.missing, false) AS unrecorded\n"
        "ORDER BY snapshot",
    ),
    Example(
        "Which commands failed, and what had they read?",
        "MATCH (a:Command) WHERE a.exit_status <> 0\n"
        "OPTIONAL MATCH (a)-[:used]->(s:Snapshot) WHERE NOT s:Environment AND NOT s.path STARTS WITH '/'\n"
        "WITH a, s ORDER BY s.path\n"
        "RETURN a.command AS command, a.exit_status AS status, collect(s.path) AS had_read\n"
        "ORDER BY command",
    ),
    Example(
        "Which files have the same bytes?",
        "MATCH (s:Snapshot) WHERE s.sha256 IS NOT NULL AND s.size_bytes > 0\n"
        "WITH s ORDER BY s.path\n"
        "WITH s.sha256 AS content, collect(DISTINCT s.path) AS paths WHERE size(paths) > 1\n"
        "RETURN paths ORDER BY paths[0]",
    ),
    Example(
        "On what does most depend? Files by how many commands read them.",
        "MATCH (s:Snapshot)<-[:used]-(a:Command)\n"
        "WHERE NOT s:Environment AND NOT s.path STARTS WITH '/'\n"
        "RETURN s.path AS path, count(DISTINCT a) AS commands ORDER BY commands DESC, path LIMIT 5",
    ),
    Example(
        "If data/digits.csv was wrong: what has to be made again, in which order?",
        "MATCH (d:Snapshot {path: 'data/digits.csv'})<-[:used|wasGeneratedBy*]-(a:Command)\n"
        "WITH DISTINCT a\n"
        "RETURN a.name AS run_again, a.started_at AS ran_at ORDER BY ran_at, run_again",
    ),
    Example(
        "In which environment was each model made?",
        "MATCH (m:Snapshot {path: 'model.pkl'})-[:wasGeneratedBy]->(:Activity)-[:used]->(e:Environment)\n"
        "RETURN m.sequence AS model, e.path AS environment, e.sequence AS snapshot ORDER BY model, environment",
    ),
)
