"""Ingestors that a project brings: Python files, programs, rules. What is wrong with one costs the others nothing."""

import os
import tomllib
from pathlib import Path

import pytest
from ingestor_samples import occurrence

from provgraph.errors import InputError
from provgraph.ingestors import loading
from provgraph.ingestors.loading import (
    FileIngestor,
    FollowingFileIngestor,
    Loaded,
    load_file,
    load_project,
    project_files,
    python_files,
)
from provgraph.ingestors.port import Following, Unusable
from provgraph.stores.config import Config, parse_config

PYTHON = """
from provgraph.ingestors.port import Match, Moment

class One:
    name, version, description = "one", "1", "d"
    moment, match = Moment.AFTER, Match(files=("*.log",))
    def ingest(self, occurrence):
        return {"activity": {"n": 1 / len(occurrence.used)}}

INGESTOR = One()
"""
RULE = "[[ingestors.rule]]\nname = 'rule'\nfiles = ['*.log']\nregex = '(?P<a>.)'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / ".provdb/ingestors"
    path.mkdir(parents=True)
    return path


def load(folder: Path, config: str = "", *, trusted: bool = True) -> Loaded:
    return load_project(str(folder.parents[1]), parse_config(tomllib.loads(config)), trusted)


def put(folder: Path, name: str, text: str, mode: int = 0o600) -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def error(folder: Path, text: str) -> str:
    put(folder, "bad.py", text)
    (found,) = load(folder).unusable
    assert (found.name, found.where) == ("bad", ".provdb/ingestors/bad.py")
    return found.error


def test_all_three_kinds(folder: Path) -> None:
    put(folder, "one.py", PYTHON)
    put(folder, "two.sh", "#!/bin/sh\n", 0o700)
    put(folder, "two.toml", "utility = 'x'\n")
    put(folder, "README", "no ingestor")
    put(folder, "_parts.py", "raise SystemExit")
    put(folder, ".two.sh.swp", "x", 0o700)
    (folder / "tests").mkdir()
    put(folder / "tests", "one.toml", "")
    found = load(folder, RULE)
    assert [one.name for one in found.ingestors] == ["one", "two", "rule"]
    assert found.unusable == ()
    assert found.where == {
        "one": ".provdb/ingestors/one.py",
        "two": ".provdb/ingestors/two.sh",
        "rule": ".provdb/config.toml",
    }
    assert [path.name for path in project_files(str(folder.parents[1]))] == ["one.py", "two.sh"]


def test_nothing_runs_without_trust(folder: Path, tmp_path: Path) -> None:
    put(folder, "one.py", f"open({str(tmp_path / 'ran')!r}, 'w')\n{PYTHON}")
    assert load(folder, RULE, trusted=False) == Loaded()
    assert not (tmp_path / "ran").exists()
    load(folder)
    assert (tmp_path / "ran").exists()


def test_no_folder_is_no_error(tmp_path: Path) -> None:
    assert load_project(str(tmp_path), Config(), trusted=True).ingestors == ()


def test_a_disabled_one_is_left_out(folder: Path) -> None:
    put(folder, "one.py", PYTHON)
    assert [one.name for one in load(folder, "[ingestors]\ndisabled = ['one']\n" + RULE).ingestors] == ["rule"]


def test_no_byte_code_is_written(folder: Path) -> None:
    """It would be another file in the folder whose digest trust is about."""
    put(folder, "one.py", PYTHON)
    load(folder)
    assert os.listdir(folder) == ["one.py"]


def test_a_changed_file_has_another_version(folder: Path) -> None:
    put(folder, "one.py", PYTHON)
    put(folder, "two.sh", "#!/bin/sh\n", 0o700)
    put(folder, "two.toml", "utility = 'x'\n")
    before = [one.version for one in load(folder).ingestors]
    assert before == [one.version for one in load(folder).ingestors]
    put(folder, "one.py", PYTHON + "\n# changed\n")
    put(folder, "two.toml", "utility = 'y'\n")
    after = [one.version for one in load(folder).ingestors]
    assert not set(before) & set(after)


def test_what_fails_names_the_line(folder: Path) -> None:
    put(folder, "one.py", PYTHON)
    (one,) = load(folder).ingestors
    with pytest.raises(InputError, match=r"one.py, line 8: ZeroDivisionError"):
        one.ingest(occurrence(folder))
    assert not isinstance(one, Following)


def test_one_that_follows(folder: Path) -> None:
    follow = "    def follow(self, occurrence, file):\n        return self\n"
    follow += "    def feed(self, data):\n        1 / len(data)\n"
    put(folder, "one.py", PYTHON.replace("Moment.AFTER", "Moment.DURING").replace("INGESTOR", follow + "\nINGESTOR"))
    (one,) = load(folder).ingestors
    assert isinstance(one, FollowingFileIngestor)
    given = occurrence(folder, {"a.log": ""})
    follower = one.follow(given, given.generated[0])
    assert follower.feed(b"x") is None
    with pytest.raises(InputError, match=r"one.py, line 13: ZeroDivisionError"):
        follower.feed(b"")


def test_one_that_follows_needs_nothing_else(folder: Path) -> None:
    text = PYTHON.replace("Moment.AFTER", "Moment.DURING").replace(
        "def ingest(self, occurrence)", "def follow(self, o, f)"
    )
    put(folder, "one.py", text)
    (one,) = load(folder).ingestors
    assert one.ingest(occurrence(folder)) is None


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("None", "follow returned a NoneType; it must return an object that has a method feed"),
        ("One", "follow returned the class One itself"),
    ],
)
def test_what_is_no_follower(folder: Path, returned: str, said: str) -> None:
    follow = f"    def follow(self, occurrence, file):\n        return {returned}\n    def feed(self, data): pass\n"
    put(folder, "one.py", PYTHON.replace("Moment.AFTER", "Moment.DURING").replace("INGESTOR", follow + "\nINGESTOR"))
    (one,) = load(folder).ingestors
    assert isinstance(one, FollowingFileIngestor)
    given = occurrence(folder, {"a.log": ""})
    with pytest.raises(InputError, match=said):
        one.follow(given, given.generated[0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (", "line 1: SyntaxError"),
        ("import nowhere", "line 1: ModuleNotFoundError"),
        ("\n\nraise RuntimeError('boom')", "line 3: RuntimeError: boom"),
        ("raise SystemExit(3)", "line 1: SystemExit: 3"),
        ("x = 1", "neither INGESTOR nor INGESTORS"),
        ("INGESTOR = 3", "int has no name"),
        (PYTHON.replace("One()", "One"), "end the file with INGESTOR = One()"),
        (PYTHON.replace('"one"', '"One!"'), "the name 'One!'"),
        (PYTHON.replace("Moment.AFTER", "'later'"), "the moment 'later'; it must be one of before, during, after"),
        (PYTHON.replace("Moment.AFTER", "Moment.DURING"), "no method follow"),
        (PYTHON.replace('Match(files=("*.log",))', "{}"), "it must be a Match"),
        (PYTHON.replace('("*.log",)', '"*.log"'), "a tuple of strings"),
        (PYTHON.replace('files=("*.log",)', "command='('"), "no regular expression"),
        (PYTHON.replace('files=("*.log",)', "direction='x'"), "the direction 'x'"),
        ("\x00", "source code"),
    ],
)
def test_what_cannot_be_loaded_is_told(folder: Path, text: str, said: str) -> None:
    assert said in error(folder, text)


def test_one_that_hangs_while_it_loads_is_interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "LOAD_S", 0.2)
    put(folder, "one.py", PYTHON)
    assert "TimeoutError: it took over 0.2 s of processor time to load" in error(folder, "while True:\n    pass")
    assert [one.name for one in load(folder).ingestors] == ["one"]


def test_each_file_is_told_before_its_code_runs_and_some_are_passed_over(folder: Path) -> None:
    put(folder, "one.py", PYTHON)
    put(folder, "two.sh", "#!/bin/sh\n", 0o700)
    put(folder, "two.toml", "utility = 'x'\n")
    put(folder, "deadly.py", "raise AssertionError('its code runs')")
    root, told = str(folder.parents[1]), list[str]()
    without = [".provdb/ingestors/deadly.py"]
    found = load_project(root, parse_config(tomllib.loads(RULE)), trusted=True, without=without, loading=told.append)
    assert [one.name for one in found.ingestors] == ["one", "two", "rule"]
    assert found.unusable == ()
    assert told == [".provdb/ingestors/one.py", ".provdb/ingestors/two.sh", ""]
    assert python_files(root) == [".provdb/ingestors/deadly.py", ".provdb/ingestors/one.py"]


def test_what_is_no_ingestor_is_told(folder: Path) -> None:
    put(folder, "one.py", PYTHON)
    put(folder, "again.py", PYTHON)
    put(folder, "lonely.toml", "")
    put(folder, "mute.sh", "#!/bin/sh\n", 0o700)
    put(folder, "still.sh", "#!/bin/sh\n")
    put(folder, "still.toml", "")
    put(folder, "Wrong Name.py", PYTHON)
    put(folder, "broken.sh", "#!/bin/sh\n", 0o700)
    put(folder, "broken.toml", "nonsense = 1")
    found = load(folder)
    assert [one.name for one in found.ingestors] == ["one"]
    told = {one.name: one.error for one in found.unusable}
    assert (
        told["one"] == "there is one of this name already, in .provdb/ingestors/again.py; give one of them another name"
    )
    assert "there is no program lonely" in told["lonely"]
    assert "there is no mute.toml beside it" in told["mute"]
    assert told["still"] == "it is not executable; type `chmod +x .provdb/ingestors/still.sh`"
    assert "names no ingestor" in told["Wrong Name"]
    assert "the key 'nonsense' is not known" in told["broken"]


def test_a_python_file_can_be_a_program_too(folder: Path) -> None:
    path = put(folder, "two.py", "#!/usr/bin/env python3\nprint('{}')\n", 0o700)
    put(folder, "two.toml", "utility = 'x'\n")
    (one,) = load_file(path, "two.py")
    assert not isinstance(one, FileIngestor | Unusable)
