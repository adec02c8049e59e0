"""Remotes: what is written where, what is refused, what trust decides. No server is spoken to."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from provgraph.errors import InputError, QuestionError
from provgraph.schemas import registry
from provgraph.session.project import Project
from provgraph.stores.config_file import set_remote
from provgraph.stores.remote_url import checked_url, encryption

URL = "bolt+s://neo4j.example.org:7687"


def config(root: Path) -> Path:
    return root / ".provdb/config.toml"


def trusts(provdb: Any) -> bool:
    return bool(provdb.json("remote", "list")["trusted"])


# -- addresses


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("bolt+s://Example.org:7687/", "bolt+s://example.org:7687"),
        ("NEO4J+S://db.example.org", "neo4j+s://db.example.org"),
        ("bolt+ssc://10.0.0.1:1", "bolt+ssc://10.0.0.1:1"),
        ("bolt://localhost:7687", "bolt://localhost:7687"),
        ("bolt://127.0.0.53", "bolt://127.0.0.53"),
        ("neo4j://[::1]:7687", "neo4j://[::1]:7687"),
    ],
)
def test_addresses_that_are_taken(url: str, checked: str) -> None:
    assert checked_url(url, insecure=False) == checked
    assert checked_url(checked, insecure=False) == checked


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("bolt://db.example.org:7687", "not encrypted"),
        ("neo4j://192.168.0.4", "not encrypted"),
        ("bolt://localhost.example.org", "not encrypted"),
        ("bolt://127.0.0.1.example.org", "not encrypted"),
        ("http://localhost:7474", "web page"),
        ("https://db.example.org:7473/browser", "web page"),
        ("ftp://db.example.org", "no address of a Neo4j"),
        ("db.example.org:7687", "no address"),
        ("bolt+s://", "names no host"),
        ("bolt+s://host:port", "address is none"),
        ("bolt+s://host:99999", "address is none"),
        ("bolt+s://[::1", "address is none"),
        ("bolt+s://host/neo4j", "--database"),
        ("bolt+s://host?policy=x", "leave that out"),
        ("", "no address"),
    ],
)
def test_addresses_that_are_refused(url: str, why: str) -> None:
    with pytest.raises(QuestionError, match=why):
        checked_url(url, insecure=False)


@pytest.mark.parametrize(
    "url",
    [
        "bolt+s://alice:hunter2@host:7687", "bolt+s://alice:hun/ter2@host", "bolt://hunter2@localhost",
        "http://alice:hunter2@host", "bolt+s://alice:hunter2@[::1", "bolt+s://a:hunter2@host:port",
    ],
)  # fmt: skip
def test_secret_in_an_address_is_refused_and_not_repeated(url: str, provdb: Any, project: Path) -> None:
    before = config(project).read_bytes()
    done = provdb("remote", "add", "team", url, check=2)
    assert "hunter2" not in done.stderr + done.stdout
    assert "ter2" not in done.stderr + done.stdout
    assert config(project).read_bytes() == before


def test_insecure_allows_what_is_not_encrypted() -> None:
    assert checked_url("bolt://db.example.org", insecure=True) == "bolt://db.example.org"
    assert encryption("bolt://db") == "not encrypted"
    assert "not verified" in encryption("bolt+ssc://db")
    assert encryption("neo4j+s://db") == "encrypted, certificate verified"


# -- the file


def test_the_rest_of_the_configuration_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    text = (
        '# mine\n[limits]\nfile_bytes = 5 # small\n\n[remotes.other]\nurl = "bolt://localhost:1"\n# kept\n\n'
        '[paths]\nignored = [\n  "a", # [x]\n]\n'
    )
    file.write_text(text)
    set_remote(file, "team", {"url": URL, "insecure": True})
    added = tomllib.loads(file.read_text())
    assert added["remotes"] == {"other": {"url": "bolt://localhost:1"}, "team": {"url": URL, "insecure": True}}
    assert file.read_text().startswith(text.rstrip())
    set_remote(file, "team", {"url": URL})
    assert tomllib.loads(file.read_text())["remotes"]["team"] == {"url": URL}
    set_remote(file, "team", None)
    assert file.read_text().rstrip() == text.rstrip()
    set_remote(file, "other", None)
    left = file.read_text()
    assert tomllib.loads(left) == {"limits": {"file_bytes": 5}, "paths": {"ignored": ["a"]}}
    assert "# mine" in left and "# small" in left and "# kept" in left


@pytest.mark.parametrize(
    "text", ['remotes = { team = { url = "bolt://localhost" } }\n', '[remotes]\nteam.url = "bolt://localhost"\n']
)
def test_what_only_a_person_can_change_is_left_to_a_person(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(InputError, match="by hand"):
        set_remote(file, "team", None)
    assert file.read_text() == text


def test_quoted_and_spaced_headers_are_found(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for header in ('[remotes."team"]', "[ remotes . team ] # ours", "[remotes.'team']"):
        file.write_text(f'{header}\nurl = "bolt://localhost"\n')
        set_remote(file, "team", None)
        assert tomllib.loads(file.read_text()) == {}


# -- commands


def test_add_list_remove(provdb: Any, project: Path) -> None:
    assert provdb.json("remote", "list") == {"schema": "provgraph/remotes/1", "trusted": True, "remotes": []}
    added = provdb.json("remote", "add", "team", URL, "--database", "work", "--user", "alice")
    assert not registry.explain("remotes", added)
    (remote,) = added["remotes"]
    assert (remote["name"], remote["url"], remote["database"], remote["unsent"]) == ("team", URL, "work", 2)
    text = config(project).read_text()
    assert tomllib.loads(text)["remotes"] == {"team": {"url": URL, "database": "work"}}
    assert "alice" not in text
    assert trusts(provdb), "the user's own change renews the user's own trust"
    shown = provdb("remote").stdout
    assert "team" in shown and URL in shown and "2 events here" in shown
    status = provdb.json("status")
    assert not registry.explain("status", status)
    assert status["remotes"] == added["remotes"]
    assert any("provdb push team" in line for line in status["next"])
    assert "nothing was sent yet" in provdb("status").stdout
    assert provdb.json("remote", "remove", "team")["remotes"] == []
    assert "remotes" not in tomllib.loads(config(project).read_text())
    assert trusts(provdb)


def test_trust_is_never_made_where_there_was_none(provdb: Any, project: Path) -> None:
    config(project).write_text('[sync]\npush = "evil"\n[remotes.evil]\nurl = "bolt://localhost:1"\n')
    done = provdb("remote", "add", "team", URL)
    assert "is not trusted" in done.stderr and f"provdb trust {project}" in done.stderr
    assert not trusts(provdb)
    for words in (["push", "evil"], ["pull", "evil"], ["log", "--at", "evil"], ["push"]):
        done = provdb(*words, check=3)
        assert "provdb trust" in done.stderr and "evil" not in done.stdout
    assert "not trusted" in provdb("status").stderr
    provdb("log", check=1)  # [ask] and [sync] of a configuration that is not trusted count for nothing


def test_untrusted_configuration_asks_nowhere(provdb: Any, project: Path) -> None:
    config(project).write_text('[ask]\nat = "evil"\n[remotes.evil]\nurl = "bolt://localhost:1"\n')
    provdb("true")
    assert provdb.json("log")["rows"]


@pytest.mark.parametrize("name", ["", "local", "-x", "a b", "a.b", "ä", "x" * 65, "7up"])
def test_names_that_are_refused(name: str, provdb: Any, project: Path) -> None:
    said = provdb("remote", "add", "--", name, URL, check=2).stderr
    assert "names no remote" in said
    assert name == "local" or "begins with a letter" in said


def test_one_name_is_one_server(provdb: Any, project: Path) -> None:
    provdb("remote", "add", "team", URL)
    done = provdb("remote", "add", "team", "bolt://localhost:7687", check=2)
    assert f"team is {URL} already" in done.stderr
    assert "`provdb remote remove team`, then `provdb remote add team bolt://localhost:7687`" in done.stderr
    words = ("bolt://db.example.org", "--insecure", "--user", "ada b", "--database", "work")
    again = "provdb remote add team bolt://db.example.org --user 'ada b' --database work --insecure"
    assert f"then `{again}`" in provdb("remote", "add", "team", *words, check=2).stderr
    provdb("remote", "add", "team", URL.upper().replace("BOLT", "bolt"))  # the same


def test_what_is_not_encrypted_says_what_to_type(provdb: Any, project: Path) -> None:
    config(project).write_text('[remotes.team]\nurl = "bolt://db.example.org"\ndatabase = "work"\n')
    provdb("trust", ".")
    secured = "provdb remote add team bolt+s://db.example.org --database work"
    allowed = "provdb remote add team bolt://db.example.org --database work --insecure"
    for words in (["push"], ["pull"], ["log", "--at", "team"]):
        said = provdb(*words, check=2, env={"PROVDB_TEAM_PASSWORD": "x"}).stderr
        assert f"`provdb remote remove team`, then `{secured}`, or, to allow it, `{allowed}`" in said
    assert allowed in provdb("doctor").stdout.replace("\n", " ")
    provdb(*allowed.split()[1:])
    assert "not encrypted: everybody" not in provdb("push", check=3, env={"PROVDB_TEAM_PASSWORD": "x"}).stderr


def test_password_that_stays_is_told(provdb: Any, project: Path) -> None:
    provdb("remote", "add", "team", URL)
    assert "password" not in provdb("remote", "remove", "team").stderr
    no_keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    provdb("remote", "add", "team", URL, "--user", "ada", "--password-stdin", input="hunter2\n", env=no_keyring)
    done = provdb("remote", "remove", "team")
    assert "the password of ada stays in " in done.stderr and "credentials.toml" in done.stderr
    assert f"take out its section with {URL} there" in done.stderr and "hunter2" not in done.stderr
    provdb("remote", "add", "team", URL)
    (file,) = re.findall(r"/\S+credentials\.toml", done.stderr)
    Path(file).chmod(0o644)
    assert "password" not in provdb("remote", "remove", "team").stderr, "nothing is read from there"


def test_they_show_themselves(provdb: Any, project: Path) -> None:
    with Project(str(project), at="local") as here:
        assert repr(here) == f"<Project {project} at='local'>"
        assert repr(here.remotes) == f"<Remotes of {project}: none>"
        here.remotes.add("team", URL)
        assert repr(here.remotes) == f"<Remotes of {project}: team {URL}>"
        config(project).write_text("[")
        assert "cannot be read" in repr(here.remotes)
    assert repr(Project(str(project))) == f"<Project {project}>"


def test_help_holds_no_escape(provdb: Any, project: Path) -> None:
    for words in (["remote"], ["remote", "add"], ["log"]):
        said = provdb(*words, "--help").stdout
        assert "\\b" not in said and "\b" not in said, words
    assert "it lists them" in provdb("remote", "--help").stdout


def test_which_remote(provdb: Any, project: Path) -> None:
    for words in (["push"], ["pull"]):
        assert "there is no remote yet" in provdb(*words, check=2).stderr
    provdb("remote", "add", "one", "bolt://localhost:1")
    provdb("remote", "add", "two", "bolt://localhost:2")
    assert "which remote? there are one, two" in provdb("push", check=2).stderr
    assert "no remote 'three'; there are one, two" in provdb("push", "three", check=2).stderr
    assert "no remote 'three'" in provdb("log", "--at", "three", check=2).stderr
    assert "no remote 'three'" in provdb("remote", "remove", "three", check=2).stderr


def test_two_places_at_once(provdb: Any, project: Path) -> None:
    (project / "g.json").write_text('{"schema": "provgraph/graph/1", "vertices": [], "edges": []}')
    for words in (["lineage", "x"], ["show", "x"], ["segment", "--to", "x"], ["compare", "x", "y"]):
        assert "either --at" in provdb(*words, "--at", "team", "--graph", "g.json", check=2).stderr
    assert "--all-projects goes with --at" in provdb("cypher", "--all-projects", "RETURN 1", check=2).stderr


def test_local_is_always_here(provdb: Any, project: Path) -> None:
    provdb("remote", "add", "team", "bolt://localhost:1")
    config(project).write_text(config(project).read_text().replace("[ask]\n", '[ask]\nat = "team"\n'))
    provdb("trust", ".")
    provdb("true")
    assert provdb.json("log", "--at", "local")["rows"]
    done = provdb("log", check=3, env={"PROVDB_TEAM_PASSWORD": "x"})
    assert "nobody listens at localhost:1" in done.stderr and "--at local" in done.stderr
    assert "still names team" in provdb("remote", "remove", "team").stderr


def test_server_that_is_away(provdb: Any, project: Path) -> None:
    provdb("remote", "add", "team", "bolt://localhost:1")
    secret = {"PROVDB_TEAM_PASSWORD": "hunter2"}
    for word in ("push", "pull"):
        done = provdb(word, check=3, env=secret)
        assert "nobody listens at localhost:1" in done.stderr and "unharmed" in done.stderr
        assert "hunter2" not in done.stderr
    (remote,) = provdb.json("status")["remotes"]
    assert remote["failure"] and remote["failed_at"] and remote["unsent"]
    assert "nobody listens" in provdb("status").stdout
    findings = provdb.json("doctor", env=secret)["findings"]
    found, behind = [finding for finding in findings if finding["check"] == "remote"]
    assert found["state"] == "warning" and found["subject"] == "team" and "nobody listens" in found["text"]
    assert "not sent yet" in behind["text"]


def test_hand_written_mistakes(provdb: Any, project: Path) -> None:
    for text, why in {
        "[remotes.team]\n": "must be a section with a url",
        'remotes.team = "bolt://x"\n': "must be a section with a url",
        '[remotes.team]\nurl = "bolt://x"\npassword = "hunter2"\n': "credentials are never kept here",
        '[remotes.team]\nurl = "bolt://x"\ninsecure = "yes"\n': "must be true or false",
        "[sync]\npush = true\n": "sync.push must be a string",
    }.items():
        config(project).write_text(text)
        done = provdb("status", check=2)
        assert why in done.stderr and "hunter2" not in done.stderr


def test_address_with_a_password_written_by_hand(provdb: Any, project: Path) -> None:
    config(project).write_text('[remotes.team]\nurl = "bolt://alice:hunter2@localhost"\n')
    provdb("trust", ".")
    for words, status in ((["push"], 2), (["status"], 0), (["remote", "list", "--json"], 0), (["doctor"], 0)):
        done = provdb(*words, check=status)
        assert "hunter2" not in done.stdout + done.stderr, words


def test_environment_is_not_written_anywhere(provdb: Any, project: Path) -> None:
    provdb("remote", "add", "team", "bolt://localhost:1")
    provdb("push", check=3, env={"PROVDB_TEAM_PASSWORD": "hunter2-in-no-file", "PROVDB_TEAM_USER": "alice"})
    provdb("true", env={"PROVDB_TEAM_PASSWORD": "hunter2-in-no-file"})
    provdb("status")
    for folder in (project / ".provdb", Path(provdb.environment["HOME"])):
        for name in folder.rglob("*"):
            if name.is_file():
                assert b"hunter2-in-no-file" not in name.read_bytes(), name


def test_pushing_is_started_for_nobody_else(provdb: Any, project: Path) -> None:
    """Where the configuration names no remote to push to, no process is started after a command."""
    provdb("true")
    provdb("status")
    assert not (project / ".provdb/background.lock").exists()
    assert not (project / ".provdb/sync.lock").exists()


def test_json_is_what_the_schemas_say(provdb: Any, project: Path) -> None:
    for name in ("remotes", "pushed", "pulled"):
        assert registry.schema(name)["properties"]["schema"]["const"] == f"provgraph/{name}/1"
    assert json.loads(provdb("remote", "list", "--json").stdout)["remotes"] == []
    assert os.stat(config(project)).st_mode & 0o077 == 0
