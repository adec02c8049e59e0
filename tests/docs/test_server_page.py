"""What the page for the server's operator hands out: a Compose file, a style for Neo4j Browser, Cypher to paste."""

import re
import subprocess
import uuid
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from provgraph.model.vocabulary import KINDS, LABELS, PROPERTIES, RELATIONS

RULE = re.compile(r"(node|relationship)(?:\.(\w+))? \{\n((?:  [a-z-]+: [^;\n]+;\n)+)\}\n")
CYPHER = re.compile(r"^```cypher\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRIVATE = {"Schema", "Project", "Origin", "Chunk", "Members", "Series", "Stamp"}


@pytest.fixture(scope="module")
def rules(checkout: Path) -> dict[tuple[str, str | None], dict[str, str]]:
    """What the style file says of each label and relation."""
    text = (checkout / "docs/_static/provgraph.grass").read_text(encoding="utf-8")
    found = list(RULE.finditer(text))
    assert "\n".join(rule[0] for rule in found) == text, "it holds something that is no rule"
    return {
        (rule[1], rule[2]): dict(line.strip(" ;").split(": ", 1) for line in rule[3].splitlines()) for rule in found
    }


def test_style_knows_the_vocabulary(rules: dict[tuple[str, str | None], dict[str, str]]) -> None:
    assert {name for kind, name in rules if kind == "node"} == {None, *KINDS, *LABELS}
    assert {name for kind, name in rules if kind == "relationship" and name} <= set(RELATIONS)
    order = [name for _, name in rules]
    for label, kind in LABELS.items():
        assert order.index(kind.value) < order.index(label), "Browser lets the later rule win"


def test_captions_are_properties_that_the_vertex_has(rules: dict[tuple[str, str | None], dict[str, str]]) -> None:
    for (kind, name), says in rules.items():
        assert re.fullmatch(r"#[0-9A-F]{6}", says["color"]), (kind, name)
        caption = says["caption"].strip('"')
        if kind == "relationship":
            assert caption == (name or "<type>")
            continue
        assert (key := re.fullmatch(r"\{(\w+)\}", caption)), (kind, name)
        places = {name, LABELS[name].value if name in LABELS else name}
        assert key[1] == "uid" or places & set(PROPERTIES[key[1]].on) or key[1] == "path", (name, caption)


def test_compose_file(checkout: Path) -> None:
    yaml = pytest.importorskip("yaml")
    path = checkout / "scripts/neo4j/compose.yaml"
    (service,) = yaml.safe_load(path.read_text(encoding="utf-8"))["services"].values()
    assert service["image"] == "neo4j:5-community"
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "${NEO4J_PASSWORD:?" in service["environment"]["NEO4J_AUTH"]
    words = ["docker", "compose", "--file", str(path), "config", "--quiet"]
    if which("docker") and not subprocess.run([*words[:2], "version"], capture_output=True, check=False).returncode:
        subprocess.run(words, env={"PATH": "/usr/bin:/usr/local/bin", "NEO4J_PASSWORD": "12345678"}, check=True)


def test_cypher_of_the_page_runs(checkout: Path, neo4j_server: Any) -> None:
    from neo4j import GraphDatabase

    page = (checkout / "docs/server.md").read_text(encoding="utf-8")
    name, old, new = f"alice_{uuid.uuid4().hex}", "an old password", "a new password"
    with GraphDatabase.driver(neo4j_server.url, auth=(neo4j_server.user, neo4j_server.password)) as driver:
        for block in CYPHER.findall(page):
            for statement in filter(None, (part.strip() for part in block.split(";\n"))):
                if "CURRENT USER" in statement:
                    with GraphDatabase.driver(neo4j_server.url, auth=(name, old)) as hers:
                        hers.execute_query(statement, old=old, new=new, database_="system")
                elif "USER" in statement:
                    password = "the first password" if statement.startswith("CREATE") else old
                    driver.execute_query(statement.replace("alice", name), password=password, database_="system")
                else:
                    with driver.session() as session:  # not in a transaction of the driver's: some begin their own
                        session.run(statement, project=uuid.uuid4().hex).consume()


def test_page_names_every_internal_label(checkout: Path) -> None:
    page = (checkout / "docs/server.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `Provgraph(\w+)`", page, re.MULTILINE)) == PRIVATE
