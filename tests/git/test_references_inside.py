"""Commits of submodules and of work trees inside the project; what nobody recorded comes out of git alone."""

import hashlib
import os

import pytest


def _at_once(lab, *words):
    """Several git commands in a go: the hooks of the first have recorded nothing when the second runs."""
    lab.provdb.shell(" && ".join(words))
    lab.settle()


@pytest.fixture
def twice(hooked):
    """b.txt is committed twice within a second or so; only what is on disk at the end has a snapshot."""
    _at_once(
        hooked,
        "echo b > b.txt", "git add b.txt", "git commit --quiet --message One", "git tag first",
        "echo c >> b.txt", "chmod +x b.txt", "git commit --quiet --all --message Two",
    )  # fmt: skip
    return hooked


def test_restore_never_gives_another_states_bytes(twice):
    done = twice.run("restore", "b.txt@first")
    assert done.stdout == twice.git("show", "first:b.txt") == "b\n"
    assert twice.run("restore", "b.txt@HEAD").stdout == twice.git("show", "HEAD:b.txt") == "b\nc\n"


def test_an_abbreviated_id_may_be_a_number(twice):
    first = twice.git("cat-file", "commit", "first")
    for number in range(10_000):
        text = f"{first}{number}\n"
        digits = hashlib.sha1(f"commit {len(text)}\0{text}".encode()).hexdigest()[:7]
        if digits.isdigit():
            break
    twice.provdb.command(["git", "hash-object", "-t", "commit", "-w", "--stdin"], input=text)
    assert twice.run("restore", f"b.txt@{digits}").stdout == "b\n"
    assert "there is no b.txt@654321" in twice.run("restore", "b.txt@654321", check=2).stderr


def test_restoring_what_git_alone_has_to_a_file(twice):
    _at_once(
        twice,
        "echo d >> b.txt", "ln -s b.txt link", "git add --all", "git commit --quiet --message Three", "git tag third",
        "rm b.txt link", "echo other > link", "git add --all", "git commit --quiet --message Four",
    )  # fmt: skip
    done = twice.run("restore", "b.txt@third", "-o", "old")
    assert (twice.root / "old").read_text() == "b\nc\nd\n"
    assert os.access(twice.root / "old", os.X_OK)
    assert "git" in done.stderr
    twice.run("restore", "link@third", "-o", "old link")
    assert os.readlink(twice.root / "old link") == "b.txt"
    assert "is there already" in twice.run("restore", "b.txt@third", "-o", "old", check=2).stderr


def test_a_later_state_never_stands_for_an_earlier_one(hooked):
    """The only snapshot is of the commit's second, or later: which of both came first nobody can tell."""
    _at_once(
        hooked,
        "echo b > b.txt", "git add b.txt", "git commit --quiet --message One", "git tag first",
        "echo c >> b.txt", "git commit --quiet --all --message Two",
    )  # fmt: skip
    if hooked.provdb.rows("MATCH (s:Snapshot {path: 'b.txt'}) RETURN count(s)") != [[1]]:
        pytest.skip("the ingester was quick enough to see both")
    done = hooked.run("show", "b.txt@first", check=2)
    assert "was not recorded, nor any earlier state" in done.stderr
    assert "restore b.txt@first -o FILE" in done.stderr


def test_what_git_cannot_give_is_an_error(twice):
    """A commit that is known from its record alone: git's objects are gone."""
    commit = twice.git("rev-parse", "first").strip()
    (twice.root / ".git").rename(twice.root / "put-away")
    done = twice.run("restore", f"b.txt@{commit}", check=1)
    assert done.stdout == ""
    assert "git cannot give it here" in done.stderr
    assert f"fetch commit {commit[:8]}" in done.stderr


def test_a_pointer_is_not_the_file(hooked):
    pointer = f"version https://git-lfs.github.com/spec/v1\\noid sha256:{'1f' * 32}\\nsize 5\\n"
    _at_once(
        hooked,
        f"printf '{pointer}' > big", "git add big", "git commit --quiet --message One", "git tag first",
        "echo other > big", "git commit --quiet --all --message Two",
    )  # fmt: skip
    done = hooked.run("restore", "big@first", check=1)
    assert done.stdout == ""
    assert "git lfs smudge" in done.stderr


@pytest.fixture
def nested(hooked, tmp_path):
    """A project with the submodule `my sub`, and a work tree `inner` on a branch of its own."""
    library = tmp_path / "lib"
    library.mkdir()
    hooked.provdb.command(["git", "init", "--quiet", "--initial-branch=main"], cwd=library)
    (library / "l.txt").write_text("from the library\n")
    hooked.provdb.command(["git", "add", "--all"], cwd=library)
    hooked.provdb.command(["git", "commit", "--quiet", "--message", "Library"], cwd=library)
    hooked.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "my sub")
    hooked.commit("One", a_csv="1\n")
    hooked.run("git-hooks", "install")
    hooked.git("worktree", "add", "--quiet", "-b", "side", "inner")
    return hooked


def test_hooks_of_a_submodule_whose_name_has_a_space(nested):
    for here in (nested.root, nested.root / "inner"):
        found = nested.provdb.json("git-hooks", "status", cwd=here)["repositories"]
        assert found[0]["path"] == str(here)
    paths = [row["path"] for row in nested.provdb.json("git-hooks", "status")["repositories"]]
    assert paths == [str(nested.root), str(nested.root / "my sub")]
    (nested.root / "folder").mkdir()
    below = nested.provdb.json("git-hooks", "status", cwd=nested.root / "folder")["repositories"]
    assert [row["path"] for row in below] == paths


@pytest.mark.parametrize("inner", ["my sub", "inner"])
def test_commits_of_a_repository_inside(nested, inner):
    inside = nested.root / inner
    (inside / "l.txt").write_text("changed here\n")
    nested.git("add", "l.txt", cwd=inside)
    nested.git("commit", "--quiet", "--message", "Inside", cwd=inside)
    nested.git("tag", "inside", cwd=inside)
    commit = nested.git("rev-parse", "HEAD", cwd=inside).strip()
    assert commit != nested.git("rev-parse", "HEAD").strip()
    branch = nested.git("symbolic-ref", "--short", "HEAD", cwd=inside).strip()
    for selector in ("HEAD", "inside", branch, commit[:9]):
        assert nested.run("restore", f"{inner}/l.txt@{selector}").stdout == "changed here\n"
        shown = nested.provdb.json("show", f"l.txt@{selector}", cwd=inside)["vertex"]["properties"]
        assert shown["path"] == f"{inner}/l.txt"
    assert nested.provdb.json("show", "HEAD", cwd=inside)["vertex"]["properties"]["commit"] == commit
    assert nested.provdb.json("show", "HEAD")["vertex"]["properties"]["commit"] != commit
    assert nested.run("restore", "../a.csv@HEAD", cwd=nested.root / "my sub").stdout == "1\n"


def test_hooks_without_a_project_say_what_to_do(provdb, tmp_path):
    place = tmp_path / "bare of projects"
    place.mkdir()
    provdb.command(["git", "init", "--quiet"], cwd=place)
    for what, status in (("status", 1), ("install", 0), ("status", 0)):
        done = provdb("git-hooks", what, cwd=place, check=status)
        assert "`provdb init`" in done.stderr
        assert str(place) in done.stderr
    assert "init" not in provdb("git-hooks", "remove", cwd=place, check=0).stderr
    provdb("init", cwd=place)
    assert "init" not in provdb("git-hooks", "install", cwd=place).stderr
