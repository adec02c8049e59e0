"""Questions at the server made by chance out of every form of pattern: others' vertices never change their answers."""

import random
from typing import Any

import pytest
from cypher_samples import both_stores, history, runs

from provgraph.errors import CypherError

pytestmark = pytest.mark.repeats


class Maker:
    """Makes queries out of everything that can hold a pattern, with names that look like words of Cypher."""

    NAMES = ("n", "m", "match", "exists", "count", "call", "collect", "`a b`", "path", "type", "project", "all", "node")
    LABELS = (
        "",
        "",
        "",
        ":Snapshot",
        ":Entity:Snapshot",
        ":Activity|Person",
        ":!Person",
        " IS Agent",
        ":%",
        ":(Entity&!Artifact)",
    )
    RELATIONS = ("--", "-->", "<--", "-[]-", "-[:used]->", "<-[:used|wasGeneratedBy]-", "-[*1..2]-", "-[:used*0..1]->",
                 "-[r]-", "-[:used]->{1,2}", "-->+")  # fmt: skip
    GAPS = (" ", "\n", " /* (x) */ ", " // MATCH (y)\n", "\t", " // (z)\r\n")

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.depth = 0

    def one(self, *of: Any) -> Any:
        return self.chance.choice(of)

    def gap(self) -> str:
        return self.chance.choice(self.GAPS) if self.chance.random() < 0.2 else " "

    def name(self) -> str:
        return self.chance.choice(self.NAMES)

    def node(self, name: str = "") -> str:
        held = self.one("", "", "", " {}", " {path: 'raw.csv'}", " {sequence: 1, path: $path}", " {project: $project}")
        where = f" WHERE {name}.name IS NULL" if name and self.chance.random() < 0.1 else ""
        return f"({name}{self.chance.choice(self.LABELS)}{held}{where})"

    def path(self, name: str) -> str:
        text = self.node(name)
        for _ in range(self.one(0, 1, 1, 2)):
            text += self.chance.choice(self.RELATIONS) + self.node()
        return text

    def nested(self) -> str:
        """An expression that meets vertices of its own."""
        if self.depth > 1:
            return "1"
        self.depth += 1
        inner, path = self.name(), self.path
        made = self.one(
            lambda: f"[{path(inner)}{self.gap()}| {inner}.uid]",
            lambda: f"[q = {path(inner)}-->() WHERE {self.predicate(inner)} | length(q)]",
            lambda: f"COUNT {{ {path(inner)} }}",
            lambda: f"COUNT {{ MATCH {path(inner)} WHERE {self.predicate(inner)} RETURN {inner} }}",
            lambda: f"EXISTS {{{self.gap()}{path(inner)} WHERE {self.predicate(inner)} }}",
            lambda: f"COLLECT {{ {self.query(inner)} }}",
            lambda: f"{{a: ({self.nested()}), match: [{self.nested()}]}}",
            lambda: f"CASE WHEN {self.predicate(inner, bound=False)} THEN {self.nested()} ELSE ({self.nested()}) END",
        )()
        self.depth -= 1
        return str(made)

    def predicate(self, name: str, *, bound: bool = True) -> str:
        here = [
            f"({name})-[:used]-()",
            f"NOT ({name})-->(:Person)",
            f"{name}.path CONTAINS 'r'",
            f"exists(({name})<--())",
        ]
        return str(self.one(f"size([{self.nested()}]) > 0", "EXISTS { (:Person) }", *(here if bound else [])))

    def query(self, name: str) -> str:
        clause = self.one("MATCH", "MATCH", "OPTIONAL MATCH", "match")
        begin = f"{clause}{self.gap()}{self.path(name)}"
        more = self.one(
            lambda: "",
            lambda: f" WHERE {self.predicate(name)}",
            lambda: f", {self.path('o')}",
            lambda: f" WITH *{self.gap()}MATCH {self.path('o')} WITH {name}",
            lambda: f" CALL {{ MATCH {self.path('o')} RETURN o.uid AS u }} WITH {name}",
            lambda: f" CALL ({name}) {{ {self.query('o')} AS v }} WITH {name}",
            lambda: f" WITH {name} ORDER BY {name}.uid LIMIT 5",
        )()
        return f"{begin}{more} RETURN DISTINCT {self.one(f'{name}.uid', f'{name}.path', f'labels({name})')}"

    def question(self) -> str:
        name = self.name()
        return str(
            self.one(
                lambda: f"{self.query(name)} AS x",
                lambda: f"{self.query(name)} AS x UNION {self.query('o')} AS x",
                lambda: f"RETURN {self.nested()} AS x",
                lambda: f"MATCH {self.path(name)} RETURN DISTINCT {self.nested()} AS x",
                lambda: f"UNWIND [{self.nested()}] AS y RETURN y AS x",
                lambda: f"MATCH q = shortestPath((a:Snapshot)-[*]->({name}:Agent)) RETURN length(q) AS x",
            )()
        )


@pytest.mark.parametrize("seed", range(3))
def test_random_questions_meet_their_project_alone(seed: int, tmp_path: Any, neo4j_server: Any) -> None:
    """Whatever a question is made of: its answer does not change when others fill the database."""
    from neo4j_server import remote_of

    maker, remote = Maker(seed), remote_of(neo4j_server)
    asked: list[tuple[str, list[Any]]] = []
    with both_stores(tmp_path / "mine", remote) as mine, both_stores(tmp_path / "theirs", remote) as theirs:
        runs(mine.graph)
        mine.send()
        given = {"path": "raw.csv", "project": mine.graph.store.project}
        for _ in range(100):
            query = maker.question()
            try:
                rows = mine.team.cypher(query, given, timeout_s=10).rows
            except CypherError:
                continue
            asked.append((query, sorted(map(repr, rows))))
        history(random.Random(seed), theirs.graph, 10)
        runs(theirs.graph)
        theirs.send()
        for query, before in asked:
            assert sorted(map(repr, mine.team.cypher(query, given, timeout_s=60).rows)) == before, query
    assert len(asked) > 40
