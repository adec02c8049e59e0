"""Two people, two clones: offline, then online; both get the same answers at home and from the server.

All that records, sends and takes is the real command in processes of its own, in git clones of one repository.
"""

import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provgraph.schemas import registry
from provgraph.session.project import Project

CLEAN = """\
rows = [line.split(",") for line in open("raw.csv").read().split()]
open("clean.csv", "w").write("".join(f"{a},{b}\\n" for a, b in rows if b != "?"))
"""
TRAIN = """\
import json
rate = json.load(open("config.json"))["rate"]
total = sum(float(line.split(",")[1]) for line in open("clean.csv"))
open("model.pkl", "w").write(repr(total * rate))
"""
QUESTIONS = (
    "MATCH (a:Activity) RETURN a.uid AS uid, a.command AS command, a.started_at AS at ORDER BY uid",
    "MATCH (s:Snapshot) RETURN s.uid AS uid, s.path AS path, s.sha256 AS sha256, s.sequence AS n ORDER BY uid",
    "MATCH (p:Person) RETURN p.uid AS uid, p.name AS name, p.email AS email ORDER BY uid",
    "MATCH (a)-[e]->(b) RETURN type(e) AS relation, count(e) AS edges ORDER BY relation",
    "MATCH ({path: 'model.pkl'})-[:wasGeneratedBy|used*1..9]->(x) RETURN DISTINCT x.uid AS u, x.name AS n ORDER BY u",
    "MATCH (n) WHERE n.stage IS NOT NULL RETURN n.path AS path, n.stage AS stage, n.by AS by ORDER BY path",
    "MATCH (u:Unseen)-[:used]->(s:Snapshot) RETURN u.capture AS capture, s.path AS path, count(u) AS n ORDER BY path",
)


class Person:
    """Somebody with a home, an identity and a clone."""

    def __init__(self, command: Any, name: str) -> None:
        self.command, self.name = command, name
        self.root: Path = command.root

    def __call__(self, *words: str, **options: Any) -> Any:
        return self.command(*words, **options)

    def python(self, script: str) -> None:
        self.command(sys.executable, script)

    def json(self, *words: str) -> Any:
        return self.command.json(*words)


@pytest.fixture
def people(tmp_path: Path, make_provdb: Callable[..., Any], neo4j_server: Any) -> Callable[[str], Person]:
    """``people(name)``: a person with a fresh git clone of one repository, made a project that knows the server."""
    origin = tmp_path / "origin"
    origin.mkdir()
    setup = make_provdb(origin)
    (origin / "README").write_text(f"{uuid.uuid4()}\n")
    (origin / "clean.py").write_text(CLEAN)
    (origin / "train.py").write_text(TRAIN)
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        setup.command(["git", *words])

    def make(name: str) -> Person:
        home = tmp_path / f"home-{name}"
        home.mkdir()
        email = f"{name.lower()}@example.org"
        command = make_provdb(
            tmp_path / name.lower(),
            HOME=str(home), XDG_CONFIG_HOME=str(home / ".config"), XDG_DATA_HOME=str(home / ".local/share"),
            GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=email, GIT_COMMITTER_NAME=name, GIT_COMMITTER_EMAIL=email,
            PROVDB_TEAM_USER=neo4j_server.user, PROVDB_TEAM_PASSWORD=neo4j_server.password,
        )  # fmt: skip
        subprocess.run(["git", "clone", "-q", str(origin), str(command.root)], check=True)
        command("init")
        command("remote", "add", "team", neo4j_server.url)
        return Person(command, name)

    return make


def plain(graph: Any) -> Any:
    """A graph without what each disk knows for itself alone."""
    document = graph.to_json()
    for vertex in document["vertices"]:
        vertex["properties"].pop("restorable", None)
    return document["vertices"], document["edges"]


def answers(person: Person, monkeypatch: pytest.MonkeyPatch, at: str = "local") -> dict[str, Any]:
    """What a person is told: by the Python twins of the commands, for these are many questions."""
    for name, value in person.command.environment.items():
        if name.startswith(("XDG_", "PROVDB_")):
            monkeypatch.setenv(name, value)
    found: dict[str, Any] = {}
    with Project(str(person.root), at=at) as project:
        log = project.log().to_json()
        kept = [place for place, column in enumerate(log["columns"]) if column != "n"]
        found["log"] = [[row[place] for place in kept] for row in log["rows"]]
        for question in QUESTIONS:
            found[question] = project.cypher(question).to_json()["rows"]
        for name, graph in {
            "past": project.lineage("model.pkl"),
            "future": project.lineage("raw.csv", downstream=True),
            "everything": project.lineage("model.pkl", revisions=True, environment=True),
            "segment": project.segment(["raw.csv"], ["model.pkl"]),
            "recorded": project.segment(destinations=["model.pkl"], exclude=["Activity.capture=none"]),
        }.items():
            found[name] = plain(graph)
        found["summary"] = project.summarize(["clean.csv@*"]).to_json()["groups"]
    return found


def text(answer: Any) -> str:
    """An answer without the marks before names, which tell each person which vertices are the others'."""
    return re.sub(r'"[0-9a-f]{6}:', '"', json.dumps(answer, indent=1, sort_keys=True))


def same(one: dict[str, Any], other: dict[str, Any], what: str) -> None:
    for question, answer in one.items():
        assert text(answer) == text(other[question]), f"{what}: {question}"


@pytest.mark.slow
def test_two_people_one_result(people: Callable[[str], Person], monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = people("Alice"), people("Bob")
    assert alice.json("status")["project"] == bob.json("status")["project"]

    # Offline: each works alone; the cleaned data goes over by mail.
    (alice.root / "raw.csv").write_text("a,1\nb,?\nc,3\n")
    alice.python("clean.py")
    shutil.copy(alice.root / "clean.csv", bob.root / "clean.csv")
    (bob.root / "config.json").write_text('{"rate": 0.5}\n')
    bob.python("train.py")
    (bob.root / "config.json").write_text('{"rate": 0.25}\n')
    bob.python("train.py")
    alice("annotate", "clean.csv", "stage=checked", "by=alice")
    assert len(bob.json("log")["rows"]) and "clean.py" not in json.dumps(bob.json("lineage", "model.pkl"))

    # Online.
    assert alice.json("push")["events"] > 0
    bob("push")
    pulled = bob.json("pull")
    assert pulled["events"] > 0 and pulled["transfers"] == 1
    bob("push")
    assert alice.json("pull")["events"] > 0
    alice("push")
    bob("pull")
    bob("push")
    for person in (alice, bob):
        assert person.json("push")["events"] == 0 and person.json("pull")["events"] == 0
        (remote,) = person.json("status")["remotes"]
        assert remote["unsent"] == 0

    # The same answers for both, from the embedded store and from Neo4j.
    at_home = answers(alice, monkeypatch)
    vertices = json.dumps(at_home["past"])
    assert "raw.csv" in vertices and "clean.py" in vertices and "train.py" in vertices
    assert "alice@example.org" in vertices and "bob@example.org" in vertices
    same(at_home, answers(bob, monkeypatch), "bob at home")
    same(at_home, answers(alice, monkeypatch, "team"), "alice at the server")
    same(at_home, answers(bob, monkeypatch, "team"), "bob at the server")

    # Both annotate the same, apart: the later one stands, everywhere.
    bob("annotate", "clean.csv", "stage=bobs")
    alice("annotate", "clean.csv", "stage=alices")
    for person in (bob, alice, bob, alice):
        person("push")
        person("pull")
    stage = "MATCH (s:Snapshot {path: 'clean.csv'}) WHERE s.stage IS NOT NULL RETURN s.stage"
    for person in (alice, bob):
        for where in ((), ("--at", "team")):
            assert ["alices"] in person.json("cypher", stage, *where)["rows"]


@pytest.mark.slow
def test_command_line_tells(people: Callable[[str], Person]) -> None:
    """What people read: counts, the clones in `status`, the next step."""
    alice, bob = people("Alice"), people("Bob")
    (alice.root / "raw.csv").write_text("a,1\n")
    alice.python("clean.py")
    assert "provdb push team" in alice("status").stdout
    done = alice("pull")
    assert "has nothing that is not here already" in done.stdout
    assert f"nothing of this project ({alice.json('status')['project']})" in done.stderr
    assert "provdb init --join" in done.stderr
    done = alice("push")
    assert "events sent to team (bolt://" in done.stdout and done.stderr == ""
    assert "has everything already" in alice("push").stdout
    done = bob("pull")
    assert "events taken from team" in done.stdout and done.stderr == ""
    assert "nothing that is not here already" in bob("pull").stdout
    assert not registry.explain("status", bob.json("status"))
    status = bob("status").stdout
    short = alice.json("status")["origin_short"]
    assert short in status and "Other clones" in status
    assert "everything is sent; pulled" in status or "not sent yet; pulled" in status
    assert f"{short}:clean.csv" in bob("lineage", f"{short}:clean.csv@1").stdout
    refused = bob("restore", f"{short}:clean.csv@1", "-o", "-", check=1)
    assert "not in this store: contents are never sent" in refused.stderr
