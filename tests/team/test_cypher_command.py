"""``provdb cypher`` at home and at the server: one output."""

import json
from pathlib import Path
from typing import Any

import pytest

from provgraph.cli.app import main
from provgraph.queries.cypher_examples import EXAMPLES


def test_the_command_says_the_same_at_both(
    place: Path, make_provdb: Any, neo4j_server: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One question at each by real processes, the others in this one."""
    provdb = make_provdb(place, PROVDB_NEO4J_USER=neo4j_server.user, PROVDB_NEO4J_PASSWORD=neo4j_server.password)
    provdb("init")
    provdb("remote", "add", "team", neo4j_server.url)
    (place / "letters.txt").write_text("b\nc\na\n")
    provdb("-c", "sort letters.txt > sorted.txt; head -n 1 sorted.txt > first.txt")
    provdb("annotate", "first.txt", "sizes=[1, 0.5]", "rating=18446744073709551616", "project=mine")
    provdb("push")
    for name, value in provdb.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(place)

    def ask(*words: str, check: int = 0) -> str:
        status = main(["cypher", *words])
        out, err = capfd.readouterr()
        assert status == check, err
        return out or err

    ways = (
        "MATCH (f:Snapshot {path: 'first.txt'})-[:used|wasGeneratedBy*]->(s:Snapshot) WHERE NOT s:Environment "
        "RETURN s.path AS path, s.created_at AS at, s.size_bytes AS bytes ORDER BY path"
    )
    whole = (
        "MATCH (a:Command)-[r:used]->(s {path: 'letters.txt'}) "
        "RETURN a, r, s, s.restorable IS NULL AS gone, s.nope AS nope"
    )
    values = (
        "MATCH (s:Snapshot {path: 'first.txt'}) RETURN s.sizes_json AS a, s.rating_json AS b, s.project_json AS c, "
        "s.project AS p, s.origin AS o, [k IN keys(s) WHERE k <> 'restorable'] AS keys"
    )
    assert provdb("cypher", ways).stdout == provdb("cypher", ways, "--at", "team").stdout == ask(ways)
    for query in (ways, values):
        home, team = (json.loads(ask(query, "--json", *at)) for at in ((), ("--at", "team")))
        for row in (*home["rows"], *team["rows"]):
            if isinstance(row[-1], list):
                row[-1].sort()
        assert home == team
        assert home["rows"]
    assert ask(ways, "--csv") == ask(ways, "--csv", "--at", "team")
    home, team = (json.loads(ask(whole, "--json", *at)) for at in ((), ("--at", "team")))
    assert home["notes"] == team["notes"] == ["no property `nope`"]
    for mine, theirs in zip(home["rows"][0][:3], team["rows"][0][:3], strict=True):
        mine["properties"].pop("restorable", None)
        assert mine == theirs
    assert [row[3] for row in home["rows"] + team["rows"]] == [False, True]
    assert "only reads" in ask("MATCH (n) SET n.x = 1", "--at", "team", check=2)
    assert provdb("cypher", "MATCH (n:Nope) RETURN n", "--at", "team", check=1).stdout == ""
    everywhere = ("MATCH (s {path: $p}) RETURN count(s)", "--param", "p=first.txt", "--at", "team", "--all-projects")
    assert json.loads(ask(*everywhere, "--json"))["rows"][0][0] >= 1


def test_examples_are_listed(place: Path, make_provdb: Any) -> None:
    listed = make_provdb(place)("cypher", "--examples").stdout
    assert listed.count("// ") == len(EXAMPLES)
    assert all(example.question in listed and example.query.strip() in listed for example in EXAMPLES)
