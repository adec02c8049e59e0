"""`provdb blame`: a file's lines, through commands, editors and commits, with real git."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

import provgraph
from provgraph.schemas import validator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def work(provdb, project):
    """The real command, in a fresh project."""
    return provdb


@pytest.fixture
def git(work):
    """Runs git in the project's folder, where a repository is made first."""

    def run(*words: str) -> str:
        return work.command(["git", *words]).stdout

    run("init", "-q", "-b", "main", ".")
    return run


def told(work, *words: str) -> list[dict[str, Any]]:
    document = work.json("blame", *words)
    validator("blame")(document)
    return document["lines"]


def test_commands_editors_and_commits(work, git):
    path = work.root / "table.txt"
    path.write_text("a\nb\nc\n")
    git("add", "table.txt")
    git("commit", "-qm", "first")
    work("sed", "-i", "s/c/C/", "table.txt")
    work("status")  # what is overwritten within moments of its making is known by no content
    with path.open("a") as file:
        file.write("d\n")
    lines = told(work, "table.txt")
    first = git("rev-parse", "HEAD").strip()
    assert [(line["text"], line["commit"], line["snapshot_name"]) for line in lines] == [
        ("a", first, "table.txt@1"),
        ("b", first, "table.txt@1"),
        ("C", None, "table.txt@2"),
        ("d", None, "table.txt@3"),
    ]
    assert [line["command"] for line in lines] == [None, None, "sed -i s/c/C/ table.txt", None]
    assert [line["activity_name"] for line in lines] == [*["unrecorded change"] * 2, "sed #1", "unrecorded change"]
    assert [line["agents"] for line in lines] == [["Alice"], ["Alice"], ["Alice"], []]
    assert all(line["exact"] for line in lines)
    text = work("blame", "table.txt").stdout.splitlines()
    assert text[2].startswith("table.txt@2  sed #1")
    assert text[2].endswith("3│ C")


def test_back_and_forth_between_branches(work, git):
    """What git brought back was brought by whoever had made it, not by the checkout."""
    work("git-hooks", "install")
    work("sh", "-c", "printf 'a\nb\n' > f.txt")
    git("add", "f.txt")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "other")
    work("sed", "-i", "s/b/B/", "f.txt")
    work("status")  # as above
    git("commit", "-qam", "two")
    git("checkout", "-q", "main")
    assert {line["activity_name"] for line in told(work, "f.txt")} == {"sh #1"}
    git("checkout", "-q", "other")
    assert [line["activity_name"] for line in told(work, "f.txt")] == ["sh #1", "sed #2"]


def test_a_snapshot_of_the_past_and_one_that_was_renamed(work):
    work("-c", "printf 'one\\ntwo\\n' > a.txt")
    work("-c", "printf 'three\\n' >> a.txt")
    work("status")
    work("mv", "a.txt", "b.txt")
    work("-c", "printf 'four\\n' >> b.txt")
    assert [line["snapshot_name"] for line in told(work, "b.txt")] == ["a.txt@1", "a.txt@1", "a.txt@2", "b.txt@2"]
    assert [line["text"] for line in told(work, "a.txt@1")] == ["one", "two"]


def test_the_bytes_of_one_state_are_gone(work):
    for line in ("one", "secret"):
        work("-c", f"printf '{line}\\n' >> a.txt")
        work("status")
    work("-c", "printf 'one\\nsecret\\nthree\\n' > a.txt")
    work("forget", "a.txt@2", "--yes")
    lines = told(work, "a.txt")
    assert [(line["snapshot_name"], line["exact"]) for line in lines] == [
        ("a.txt@1", True),
        ("a.txt@3", False),
        ("a.txt@3", False),
    ]
    assert "a.txt@3 ~" in work("blame", "a.txt").stdout


def test_asked_here_where_questions_go_to_a_server(work):
    """The contents are in this store alone, so a server that is away does not matter."""
    work("-c", "printf 'one\\n' > a.txt")
    work("remote", "add", "team", "bolt://127.0.0.1:1", "--user", "u", "--password-stdin", input="secret\n")
    path = work.root / ".provdb/config.toml"
    path.write_text(path.read_text().replace("[ask]\n", '[ask]\nat = "team"\n'))
    work("trust", ".")
    assert work("log", check=3).stdout == ""
    assert [line["snapshot_name"] for line in told(work, "a.txt")] == ["a.txt@1"]


def test_what_has_no_lines(work):
    (work.root / "empty.txt").touch()
    (work.root / "model.bin").write_bytes(b"\x00\x01\n")
    assert work("blame", "empty.txt", check=1).stdout == ""
    assert "is no text" in work("blame", "model.bin", check=2).stderr
    assert "nothing recorded is called" in work("blame", "nowhere.txt", check=2).stderr


def test_lines_are_those_of_git(work):
    """Carriage returns, form feeds and other separators end no line; a last line may lack its end."""
    (work.root / "odd.txt").write_bytes(b"a\r\nb\x0cb\n\xe2\x80\xa8c\rd\n\xff")
    work("cat", "odd.txt")
    lines = told(work, "odd.txt")
    assert [line["text"] for line in lines] == ["a\r", "b\x0cb", "\u2028c\rd", "\ufffd"]
    assert "\x1b" not in work("blame", "odd.txt").stdout


def test_many_edits(work, git):
    """Random edits of lines that are each unlike all others: then no two ways of comparing can disagree.

    Each state is committed and recorded, so for every line the snapshot must be the one whose commit git names.
    """
    chance, fresh = random.Random(5), iter(range(10_000))
    path, lines, commits = work.root / "f.txt", [f"line {next(fresh)}" for _ in range(30)], {}
    with provgraph.Project.open(work.root) as here:
        for number in range(1, 25):
            for _ in range(chance.randrange(1, 4)):
                place = chance.randrange(len(lines))
                lines[place : place + chance.randrange(3)] = [f"line {next(fresh)}" for _ in range(chance.randrange(4))]
            path.write_text("".join(f"{line}\n" for line in lines))
            here.record(generated=["f.txt"], command=f"edit {number}")
            git("add", "f.txt")
            git("commit", "-qm", str(number))
            commits[git("rev-parse", "HEAD").strip()] = f"edit {number}"
        found = here.blame("f.txt")
    assert [line.text for line in found.lines] == lines
    told_by_git = [line.commit.commit if line.commit else None for line in found.lines]
    told_by_us = [line.change and line.change.activity and line.change.activity.properties for line in found.lines]
    assert len(set(told_by_git)) > 5
    assert [told and told["command"] for told in told_by_us] == [commits[commit or ""] for commit in told_by_git]


def test_equal_to_git_blame_on_a_real_repository(work):
    """This project's own files, where only commits changed them."""
    if not (ROOT / ".git").exists():
        pytest.skip("the checkout is no git repository")
    clone = work.root / "clone"
    done = work.command(["git", "-c", f"safe.directory={ROOT}", "clone", "-q", str(ROOT), str(clone)], check=None)
    if done.returncode:
        pytest.skip(f"the checkout cannot be cloned: {done.stderr.strip()}")
    work("init", cwd=clone)
    for name in ("README.md", "pyproject.toml", "provgraph/cli/app.py"):
        porcelain = work.command(["git", "blame", "-s", "-l", "--root", name], cwd=clone).stdout
        expected = [line.split(" ", 1)[0].lstrip("^") for line in porcelain.splitlines()]
        done = work("blame", "--json", name, cwd=clone)
        found = [line["commit"] for line in json.loads(done.stdout)["lines"]]
        assert found == expected
        text = (clone / name).read_text()
        assert [line["text"] for line in json.loads(done.stdout)["lines"]] == text.split("\n")[:-1]


def test_a_commit_with_an_impossible_time(work, git):
    (work.root / "a.txt").write_text("a\n")
    git("add", "a.txt")
    tree = git("write-tree").strip()
    commit = f"tree {tree}\nauthor A <a@x> 99999999999999 +0000\ncommitter A <a@x> 99999999999999 +0000\n\nodd\n"
    made = work.command(["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"], input=commit).stdout
    git("update-ref", "HEAD", made.strip())
    assert [line["at"] for line in told(work, "a.txt")] == ["1970-01-01T00:00:00+00:00"]


def test_outside_of_a_repository_and_without_git(work, tmp_path):
    work("-c", "printf 'x\\n' > a.txt")
    assert [line["commit"] for line in told(work, "a.txt")] == [None]
    bare = tmp_path / "bin"
    bare.mkdir()
    assert subprocess.run(["git", "--version"], check=False, capture_output=True).returncode == 0
    found = work("blame", "a.txt", "--json", env={"PATH": str(bare)})
    assert [line["commit"] for line in json.loads(found.stdout)["lines"]] == [None]
