"""Hooks are put in beside what is there, are harmless, and go without a trace."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.git.conftest import tree

NAMES = ("post-commit", "post-merge", "post-checkout", "post-rewrite")


def _hook(folder, name, text, mode=0o755):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def _states(lab, what="status", check=0):
    document = lab.provdb.json("git-hooks", what, check=check)
    return {hook["name"]: hook["state"] for hook in document["repositories"][0]["hooks"]}


def test_install_status_remove(repository):
    git = repository.root / ".git"
    before = tree(git)
    assert set(_states(repository, check=1).values()) == {"absent"}
    assert set(_states(repository, "install").values()) == {"recording"}
    installed = tree(git)
    assert set(_states(repository, "install").values()) == {"recording"}
    assert tree(git) == installed, "twice is once"
    assert set(_states(repository, "remove").values()) == {"absent"}
    assert tree(git) == before


@pytest.mark.parametrize("shebang", ["#!/bin/sh", "#!/usr/bin/env bash", "#!/bin/bash -eu"])
def test_scripts_that_are_there_go_on_running(repository, shebang):
    if "bash" in shebang and shutil.which("bash") is None:
        pytest.skip("no bash")
    hooks = repository.root / ".git/hooks"
    for name in NAMES:
        _hook(hooks, name, f'{shebang}\necho "{name} $0 $*" >> ran; cat >> ran; exit 3\n')
    before = tree(repository.root / ".git")
    repository.run("git-hooks", "install")
    first = repository.commit("One", a="1\n")
    repository.git("commit", "--quiet", "--amend", "--message", "Other")
    second = repository.git("rev-parse", "HEAD").strip()
    repository.git("checkout", "--quiet", "-b", "x", check=1)
    ran = (repository.root / "ran").read_text().splitlines()
    assert ran[0].startswith("post-commit .git/hooks/post-commit")
    assert f"{first} {second}" in [line.strip() for line in ran], "standard input is there for both"
    graph = repository.graph()
    new = repository.version(graph, second)
    assert graph.targets("wasDerivedFrom", new, prov_type="Rewrite") == [repository.version(graph, first)]
    shutil.rmtree(repository.root / ".git/logs")
    repository.run("git-hooks", "remove")
    after = tree(repository.root / ".git")
    assert {name: after[name] for name in before if name.startswith("hooks/")} == {
        name: before[name] for name in before if name.startswith("hooks/")
    }
    assert not [name for name in after if "provdb" in name]


def test_programs_and_links_are_run_in_their_place(repository):
    hooks = repository.root / ".git/hooks"
    program = f"#!{sys.executable}\nimport os, sys\nopen('ran', 'a').write(os.path.basename(sys.argv[0]) + '\\n')\n"
    _hook(hooks, "post-commit", program)
    script = _hook(repository.root / "scripts", "post-rewrite", "#!/bin/sh\necho linked >> ran; cat >> ran\n")
    os.symlink("../../scripts/post-rewrite", hooks / "post-rewrite")
    _hook(hooks, "post-checkout", "#!/bin/sh\necho not executable >> ran\n", 0o644)
    before = tree(hooks)
    repository.run("git-hooks", "install")
    repository.commit("One", a="1\n")
    repository.git("commit", "--quiet", "--amend", "--message", "Other")
    repository.git("checkout", "--quiet", "-b", "x")
    ran = (repository.root / "ran").read_text().splitlines()
    assert ran[:3] == ["post-commit", "post-commit", "linked"]
    assert len(ran[3].split()) == 2
    assert "not executable" not in ran
    repository.run("git-hooks", "remove")
    assert tree(hooks) == before
    assert script.read_text().startswith("#!/bin/sh\necho linked")


@pytest.mark.parametrize("how", ["tracked", "outside", "global"])
def test_a_folder_of_hooks_that_is_not_the_repositorys_own(repository, tmp_path, how):
    folder = tmp_path / "shared-hooks" if how != "tracked" else repository.root / ".husky"
    _hook(folder, "post-commit", '#!/bin/sh\necho "$0" >> ran\n')
    _hook(folder, "pre-commit", "#!/bin/sh\necho pre >> ran\n")
    if how == "global":
        config = tmp_path / "gitconfig"
        config.write_text(f"[core]\n\thooksPath = {folder}\n")
        repository.provdb.environment["GIT_CONFIG_GLOBAL"] = str(config)
    else:
        with (repository.root / ".git/config").open("a") as file:
            file.write(f"  [core] ; mine\n    hooksPath={'.husky' if how == 'tracked' else folder}\n")
    if how == "tracked":
        repository.provdb.command(["git", "add", ".husky"])
    before, theirs = tree(repository.root / ".git"), tree(folder)
    repository.run("git-hooks", "install")
    assert set(_states(repository, "install").values()) == {"recording"}
    commit = repository.commit("One", a="1\n")
    ran = (repository.root / "ran").read_text().splitlines()
    expected = ".husky" if how == "tracked" else str(folder)
    assert ran == ["pre", f"{expected}/post-commit"]
    assert repository.version(repository.graph(), commit)
    assert tree(folder) == theirs
    _hook(folder, "commit-msg", "#!/bin/sh\nexit 1\n")
    repository.write("a", "2\n")
    repository.git("commit", "--quiet", "--all", "--message", "Refused", check=1)
    repository.run("git-hooks", "remove")
    after = tree(repository.root / ".git")
    assert after["config"] == before["config"], "byte for byte"
    assert not [name for name in after if "provdb" in name]


def test_husky_9_and_what_it_does_again(repository):
    """Its folder is ignored by git, so that the lines may go into its hooks; its installer writes them anew."""
    folder = repository.root / ".husky/_"

    def husky():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_text("*")
        for name in (*NAMES, "pre-commit"):
            _hook(folder, name, '#!/usr/bin/env sh\n. "$(dirname "$0")/h"\n')
        (folder / "h").write_text(
            'n=$(basename "$0")\ns=$(dirname "$(dirname "$0")")/$n\n[ ! -f "$s" ] || sh -e "$s" "$@"\n'
        )
        repository.git("config", "core.hooksPath", ".husky/_")

    husky()
    _hook(repository.root / ".husky", "post-commit", "echo user >> ran\n", 0o644)
    repository.run("git-hooks", "install")
    repository.git("add", ".husky")
    assert "post-checkout" not in repository.git("status", "--porcelain", "--untracked-files=all")
    commit = repository.commit("One", a="1\n")
    assert (repository.root / "ran").read_text() == "user\n"
    assert repository.version(repository.graph(), commit)
    husky()
    assert set(_states(repository, check=1).values()) == {"absent"}
    assert set(_states(repository, "install").values()) == {"recording"}


def test_the_pre_commit_framework_before_and_after(repository):
    """It moves a hook that it finds to NAME.legacy, and runs it from there."""
    hooks = repository.root / ".git/hooks"
    framework = (
        "#!/usr/bin/env sh\n# File generated by pre-commit: https://pre-commit.com\n"
        'here="$(cd "$(dirname "$0")" && pwd)/post-commit.legacy"\n[ ! -x "$here" ] || "$here" "$@"\n'
        "echo framework >> ran\n"
    )
    repository.run("git-hooks", "install")
    (hooks / "post-commit").rename(hooks / "post-commit.legacy")
    _hook(hooks, "post-commit", framework)
    commit = repository.commit("One", a="1\n")
    assert (repository.root / "ran").read_text() == "framework\n"
    assert repository.version(repository.graph(), commit)
    assert set(_states(repository).values()) == {"recording"}
    assert set(_states(repository, "install").values()) == {"recording"}
    repository.run("git-hooks", "remove")
    assert (hooks / "post-commit").read_text() == framework
    assert not (hooks / "post-commit.legacy").exists()
    repository.run("git-hooks", "install")
    repository.commit("Two", a="2\n")
    assert (repository.root / "ran").read_text() == "framework\n" * 2
    repository.run("git-hooks", "remove")
    assert (hooks / "post-commit").read_text() == framework


@pytest.mark.parametrize(
    "own", ["", "#!/bin/sh\necho mine >> ran\n", f"#!{sys.executable}\nopen('ran', 'a').write('mine')\n"]
)
def test_lines_of_an_older_version_are_renewed(repository, own):
    hook = repository.root / ".git/hooks/post-commit"
    if own:
        _hook(hook.parent, hook.name, own)
    repository.run("git-hooks", "install")
    current = hook.read_text()
    lines = current.splitlines(keepends=True)
    old = next(line for line in lines if "git-common-dir" in line)
    hook.write_text(current.replace(old, "true # as it was once\n"))
    repository.run("git-hooks", "install")
    assert hook.read_text() == current
    hook.write_text(current.replace(old, "true # as it was once\n"))
    repository.run("git-hooks", "remove")
    assert (hook.read_text() if own else hook.exists()) == (own or False)


def test_hooks_path_that_was_changed_since_is_told(repository, tmp_path):
    repository.run("git-hooks", "install")
    (tmp_path / "empty").mkdir()
    repository.git("config", "core.hooksPath", str(tmp_path / "empty"))
    done = repository.run("git-hooks", "status", check=1)
    assert "core.hooksPath was set since" in done.stderr
    assert "bypassed" in done.stdout


def test_nothing_shows_in_the_users_git(hooked):
    hooked.commit("One", a="1\n")
    hooked.git("checkout", "--quiet", "-b", "x")
    assert hooked.git("status", "--porcelain", "--ignored", "--untracked-files=all") in ("", "!! .provdb/\n")
    assert hooked.git("for-each-ref", "--format=%(refname)").split() == ["refs/heads/main", "refs/heads/x"]
    assert "provdb" not in hooked.git("config", "--list", "--local")
    assert hooked.git("log", "--all", "--oneline").count("\n") == 1
    assert not hooked.git("stash", "list")
    assert not hooked.git("notes", "list")


def test_a_repository_without_a_store_and_without_provdb(hooked):
    shutil.rmtree(hooked.root / ".provdb")
    assert hooked.provdb.command(["git", "commit", "--allow-empty", "--quiet", "--message", "x"]).stderr == ""
    assert not (hooked.root / ".provdb").exists()
    record = hooked.root / ".git/provdb/record"
    record.write_text(record.read_text().replace(sys.executable, "/nowhere/python"))
    assert set(_states(hooked, check=1).values()) == {"outdated"}
    done = hooked.provdb.command(["git", "checkout", "-b", "y"])
    assert (done.stdout, done.stderr) == ("", "Switched to a new branch 'y'\n")
    record.unlink()
    done = hooked.provdb.command(["git", "commit", "--amend", "--allow-empty", "--quiet", "--message", "z"])
    assert (done.stdout, done.stderr) == ("", "")
    hooked.run("git-hooks", "remove")
    assert not (hooked.root / ".git/provdb").exists()


@pytest.mark.parametrize("trouble", ["read-only", "damaged", "gone", "no folder", "full"])
def test_a_store_that_cannot_be_written_never_stops_git(hooked, trouble):
    spool = hooked.root / ".provdb/spool"
    git = "exec git commit --allow-empty --quiet --message x"
    if trouble == "read-only":
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        spool.chmod(0o500)
    elif trouble == "damaged":
        (hooked.root / ".provdb/capture.json").write_bytes(b"\xff{")
        (hooked.root / ".provdb/bell").unlink()
        (hooked.root / ".provdb/bell").mkdir()
    elif trouble == "gone":
        shutil.rmtree(spool)
    elif trouble == "no folder":
        spool.rename(hooked.root / ".provdb/moved")
        spool.write_text("a file")
    else:
        git = f"ulimit -f 1; {git}"  # a file may have half a kilobyte or one: git's have less
    done = hooked.provdb.command(["sh", "-c", git])
    assert (done.stdout, done.stderr) == ("", "")
    if trouble == "read-only":
        spool.chmod(0o700)
    if trouble == "full":
        assert not list(spool.glob("*.jsonl")), "what is no whole record does not stay"
    if trouble == "no folder":
        spool.unlink()


def test_disabled(hooked):
    hooked.provdb.command(["git", "commit", "--allow-empty", "--quiet", "--message", "x"], env={"PROVDB_DISABLE": "1"})
    assert not hooked.graph().of("Commit")


def test_outside_of_a_repository_and_in_a_bare_one(provdb, place):
    provdb("init")
    done = provdb("git-hooks", "install", check=2)
    assert "git init" in done.stderr
    provdb.command(["git", "init", "--quiet", "--bare", "bare.git"])
    before = tree(place / "bare.git")
    document = json.loads(provdb("git-hooks", "install", "--json", cwd=place / "bare.git").stdout)
    assert document["repositories"][0]["path"] == str(place / "bare.git")
    provdb.command(["git", "worktree", "add", "--quiet", "--orphan", "-b", "main", "../tree"], cwd=place / "bare.git",
                   check=None)  # fmt: skip
    provdb("git-hooks", "remove", cwd=place / "bare.git")
    after = tree(place / "bare.git")
    assert {name: after[name] for name in before} == before


def test_a_folder_of_hooks_that_was_not_there(repository):
    shutil.rmtree(repository.root / ".git/hooks")
    repository.run("git-hooks", "install")
    assert repository.commit("One", a="1\n") in str(repository.graph().vertices)
    repository.run("git-hooks", "remove")
    assert not (repository.root / ".git/hooks").exists()


def test_hooks_print_nothing_and_leave_the_status_alone(hooked, tmp_path):
    """The same commands in a copy, once with hooks that record and once with hooks that do nothing."""
    hooked.commit("One", a="1\n")
    hooked.settle()
    dates = {"GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z"}
    copy = shutil.copytree(hooked.root, tmp_path / "copy", symlinks=True, ignore=shutil.ignore_patterns("bell"))
    commands = (
        ["checkout", "-b", "side"], ["commit", "--allow-empty", "--message", "Two"], ["merge", "main"],
        ["commit", "--amend", "--allow-empty", "--message", "Three"], ["checkout", "nowhere"],
        ["commit", "--message", "nothing"],
    )  # fmt: skip
    for words in commands:
        plain, recorded = (
            subprocess.run(
                ["git", *words], cwd=folder, env={**hooked.provdb.environment, **dates, **more}, text=True,
                capture_output=True, check=False,
            )
            for folder, more in ((copy, {"PROVDB_DISABLE": "1"}), (hooked.root, {}))
        )  # fmt: skip
        assert (plain.stdout, plain.stderr) == (recorded.stdout, recorded.stderr)
        assert plain.returncode == recorded.returncode
    assert len(hooked.graph().of("Commit")) == 3
