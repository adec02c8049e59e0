"""`provdb agents`: who is who, and two agents that are one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from two_clones import pull, run_command, two_clones

import provgraph
from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.naming import display_name
from provgraph.graph.reader import ActivityFilter
from provgraph.queries.history import history
from provgraph.queries.places import Places
from provgraph.queries.segmenting import segment_of
from provgraph.schemas import schema
from provgraph.session.agents import agents, merge_agents, split_agent
from provgraph.stores import EmbeddedStore

Clones = tuple[EmbeddedStore, EmbeddedStore]


@pytest.fixture
def clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clones]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with two_clones(tmp_path) as found:
        yield found


@pytest.fixture
def both(clones: Clones) -> EmbeddedStore:
    """A store in which Ada and Bea each did something; they are one."""
    a, _ = clones
    run_command(a, "train", writes=("model",), person="a")
    run_command(a, "test", writes=("report",), person="b")
    return a


def test_two_names_are_one_everywhere(both: EmbeddedStore) -> None:
    found = merge_agents(both, "ada@example.org", "Bea", "Bea")
    assert (found.name, found.activities, [row.name for row in found.aliases]) == ("Bea", 2, ["Ada"])
    assert [row["agent"] for row in history(both.reader, ActivityFilter()).to_dicts()] == ["Bea", "Bea"]
    for name in ("Ada", "ada@example.org", "Bea"):
        assert len(both.reader.activities(ActivityFilter(agent=name))) == 2
        assert [agent.properties["name"] for agent in both.reader.agents_named(name)] == ["Bea"]
    model = both.reader.snapshots("model")[0].uid
    for graph in (both.reader.ancestors([model]), both.reader.whole()):
        people = {display_name(vertex) for vertex in graph if "Person" in vertex.labels}
        assert people == {"Bea"}
    segment = segment_of(both.reader, None, ["model"], Places(), agent="Bea")
    assert model in {vertex.uid for vertex in segment.vertices}


def test_it_is_taken_back(both: EmbeddedStore) -> None:
    merge_agents(both, "Ada", "Bea", "Bea")
    assert split_agent(both, "Ada", "Bea").name == "Ada"
    assert [agent.name for agent in agents(both).people] == ["Ada", "Bea"]
    assert [row["agent"] for row in history(both.reader, ActivityFilter()).to_dicts()] == ["Bea", "Ada"]
    with pytest.raises(QuestionError, match="was not merged"):
        split_agent(both, "Ada", "Bea")


def test_chains_and_rings(both: EmbeddedStore) -> None:
    run_command(both, "train", person="a")
    with both.journal.batch() as batch:
        event = batch.event("activity.ended", "2026-11-20T12:00:00+00:00")
        event.vertex(["Agent", "Person"], {"name": "root"})
    merge_agents(both, "root", "Ada", "Ada")
    merge_agents(both, "Ada", "Bea", "Ada")
    (one,) = agents(both).people
    assert (one.name, [row.name for row in one.aliases]) == ("Bea", ["Ada", "root"])
    for first, second in (("Bea", "root"), ("Ada", "Ada"), ("Bea", "Ada")):
        with pytest.raises(QuestionError, match="is one already"):
            merge_agents(both, first, second, "Ada")
    with pytest.raises(QuestionError, match="is a program"):
        merge_agents(both, "train", "Bea", "Ada")
    with pytest.raises(UnknownReferenceError, match="no agent is called 'Kim'"):
        merge_agents(both, "Kim", "Bea", "Ada")


def test_two_clones_that_merge_each_their_way_agree(clones: Clones) -> None:
    a, b = clones
    run_command(a, "train", person="a")
    run_command(b, "train", person="b")
    pull(a, b)
    pull(b, a)
    merge_agents(a, "Ada", "Bea", "Ada")
    merge_agents(b, "Bea", "Ada", "Bea")
    pull(a, b)
    pull(b, a)
    one, other = (agents(store) for store in clones)
    assert [agent.to_json() for agent in one.people] == [agent.to_json() for agent in other.people]
    assert len(one.people) == 1 and one.people[0].activities == 2
    assert len(one.programs) == 1 and one.programs[0].activities == 2


def test_names_that_several_have_are_told_apart(both: EmbeddedStore) -> None:
    with both.journal.batch() as batch:
        event = batch.event("activity.ended", "2026-11-20T12:00:00+00:00")
        for email in ("kim@x.org", "kim@y.org"):
            event.vertex(["Agent", "Person"], {"name": "Kim", "email": email}, both.namespace.person(email))
    with pytest.raises(UnknownReferenceError, match=r"2 agents are called 'Kim': Kim <kim@[xy].org>"):
        merge_agents(both, "Kim", "Bea", "Ada")
    merge_agents(both, "kim@x.org", "kim@y.org", "Ada")
    assert merge_agents(both, "Kim", "Bea", "Ada").name == "Bea"


def test_the_command(tmp_path: Path, make_provdb: Callable[..., Any]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    ada = make_provdb(folder, GIT_AUTHOR_NAME="Ada", GIT_AUTHOR_EMAIL="ada@work.org")
    home = make_provdb(folder, GIT_AUTHOR_NAME="ada", GIT_AUTHOR_EMAIL="ada@home.org")
    ada("init")
    assert "nobody was recorded yet" in ada("agents", "list", check=1).stderr
    ada("touch", "a")
    home("touch", "b")
    home("agents", "merge", "ada@home.org", "ada@work.org")
    text = ada("agents").stdout
    assert text.splitlines()[:3] == ["people", "  Ada <ada@work.org>  2 activities", "    = ada <ada@home.org>"]
    document = ada.json("agents", "list")
    jsonschema.validate(document, schema("agents"))
    assert [person["name"] for person in document["people"]] == ["Ada"]
    assert {row[8] for row in ada.json("log", "--agent", "ada@home.org")["rows"]} == {"Ada"}
    assert "Ada" in ada("show", "agent:ada@home.org").stdout
    assert "is one already" in ada("agents", "merge", "Ada", "ada@home.org", check=2).stderr
    ada("agents", "merge", "--undo", "ada@home.org")
    assert len(json.loads(ada("agents", "list", "--json").stdout)["people"]) == 2
    assert "A alone with --undo" in ada("agents", "merge", "Ada", check=2).stderr
    with provgraph.open(folder) as project:
        assert project.merge_agents("ada@home.org", "ada@work.org").name == "Ada"
        assert [agent.name for agent in project.agents().people] == ["Ada"]


def test_same_as_is_not_for_the_taking(tmp_path: Path, make_provdb: Callable[..., Any]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    provdb = make_provdb(folder)
    provdb("init")
    provdb("touch", "a")
    assert "same_as" in provdb("annotate", "agent:alice@example.org", "same_as=x", check=2).stderr


def test_mailmap_counts_at_capture(repository: Path, provdb: Any) -> None:
    (repository / ".mailmap").write_text("Alice Work <alice@work.org> <alice@example.org>\n")
    provdb("init")
    provdb("touch", "a")
    assert [p["email"] for p in provdb.json("agents", "list")["people"]] == ["alice@work.org"]
