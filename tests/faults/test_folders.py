"""What happens to project folders: cleaned, stashed, moved, copied, unpacked, somebody else's, root's."""

import contextlib
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from laboratory import Lab


@pytest.fixture
def told(lab) -> Lab:
    """A project with a little history."""
    lab.write("in", "1\n")
    lab.run("sh", "-c", "cat in > out; echo secondary >> log")
    lab.settle()
    return lab


def _store_digest(root: Path) -> dict[str, str]:
    """The bytes of everything in a store that is the truth."""
    store = root / ".provdb"
    files = [store / "project.json", store / "config.toml", *sorted((store / "objects").rglob("*"))]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}


@pytest.mark.parametrize("line", ["git clean -fdxq", "git clean -ffdxq -e .provdb", "git stash -aq"])
@pytest.mark.parametrize("seen", [True, False], ids=["captured", "uncaptured"])
def test_git_removes_what_it_does_not_know(provdb, repository, line, seen):
    provdb("init")
    lab = Lab(provdb)
    lab.write("in", "1\n")
    lab.run("sh", "-c", "cat in > out; echo changed >> README")
    lab.settle()
    before = _store_digest(repository)
    lab.run(*line.split()) if seen else provdb.command(line.split())
    assert not (repository / "in").exists()
    assert _store_digest(repository).items() >= before.items()
    assert provdb.command(["git", "status", "--porcelain"]).stdout in ("", " M README\n")
    assert "used in@1" in lab.run("lineage", "out").stdout
    assert lab.run("restore", "out", "-o", "-").stdout == "1\n"
    assert provdb.json("doctor")["healthy"]
    lab.notice()
    graph = lab.graph()
    (out,) = graph.snapshots("out")
    gone = graph.targets("wasInvalidatedBy", out)
    assert len(gone) == 1
    assert ("Unseen" in graph.vertices[gone[0]]["labels"]) is not seen


def test_a_repository_that_appears_later_is_guarded_too(told):
    told.provdb.command(["git", "init", "-q"])
    told.run("git", "add", "in")
    told.provdb.command(["git", "commit", "-qm", "Begin"])
    told.provdb.command(["git", "clean", "-fdxq"])
    assert (told.root / ".provdb/journal.db").exists()
    assert not (told.root / "out").exists()
    assert told.provdb.json("doctor")["healthy"]


def test_a_moved_folder_goes_on(told, tmp_path, make_provdb, sound):
    origin = told.provdb.json("status")["origin"]
    moved = tmp_path / "moved"
    told.root.rename(moved)
    there = Lab(make_provdb(moved))
    there.run("sh", "-c", "cat out > next")
    graph = sound(there)
    assert graph.used(graph.command("> next")) == {"out"}
    assert graph.generator(graph.snapshots("out")[0]) == graph.command("> out")
    assert len(graph.snapshots("out")) == 1, "it is the same file at the same place in the project"
    assert there.provdb.json("status")["origin"] == origin, "the folder of the store is the same one"
    assert "used in@1" in there.run("lineage", "next").stdout


def test_a_copied_folder_is_another_origin(told, tmp_path, make_provdb, sound):
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", told.root, copy], check=True)
    there = Lab(make_provdb(copy))
    assert "used in@1" in there.run("lineage", "out").stdout
    there.run("sh", "-c", "cat out > next")
    told.run("sh", "-c", "cat out > other")
    ours, theirs = sound(told), sound(there)
    assert told.provdb.json("status")["origin"] != there.provdb.json("status")["origin"]
    assert told.provdb.json("status")["project"] == there.provdb.json("status")["project"]
    assert theirs.used(theirs.command("> next")) == {"out"}
    mine, its = set(ours.of("Command")), set(theirs.of("Command"))
    assert mine & its == {ours.command("> out")}
    assert (len(mine), len(its)) == (2, 2), "what two forks do is never taken for the same"


def test_a_copy_that_is_made_while_commands_run(told, tmp_path, make_provdb, sound):
    running = [told.start("sh", "-c", f"cat in > out.{number}; echo {number} >> log") for number in range(6)]
    copy = tmp_path / "copy"

    def copied(source, target):
        with contextlib.suppress(FileNotFoundError):  # ingested since the folder was listed
            shutil.copy2(source, target)

    left_out = shutil.ignore_patterns("bell", "*-shm")
    shutil.copytree(told.root, copy, symlinks=True, ignore=left_out, copy_function=copied)
    (copy / ".provdb").chmod(0o700)
    assert [process.wait(60) for process in running] == [0] * 6
    there = Lab(make_provdb(copy))
    asked = there.run("lineage", "out", check=None)
    assert asked.returncode in (0, 3)
    assert "Traceback" not in asked.stderr
    assert len(sound(told).of("Command")) == 7


def test_a_store_that_came_in_a_tarball(told, tmp_path, make_provdb):
    """It is the unpacking user's, so it can be used; its configuration is not trusted, so it may not weaken a thing."""
    config = told.root / ".provdb/config.toml"
    config.write_text("[limits]\nfile_bytes = 1\n[paths]\nproject = ['/etc']\n[scrub]\nnames = ['colour']\n")
    archive = tmp_path / "project.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(told.root, "project")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "unpacked", filter="tar")
    there = Lab(make_provdb(tmp_path / "unpacked/project"))
    assert "used in@1" in there.run("lineage", "out").stdout
    there.run("true")
    there.settle()
    there.run("sh", "-c", "cat /etc/hostname > next || echo > next", "sh", "--colour=blue")
    graph = there.graph()
    command = graph.command("> next")
    assert not {path for path in graph.used(command) if path.startswith("/etc")}
    assert "blue" not in graph.vertices[command]["command"], "what protects is taken from any configuration"
    assert graph.vertices[graph.snapshots("next")[-1]]["restorable"]
    trust = [finding for finding in there.provdb.json("doctor")["findings"] if finding["check"] == "trust"]
    assert len(trust) == 1
    assert "provdb trust" in trust[0]["remedy"]
    there.run("trust", ".")
    assert not [finding for finding in there.provdb.json("doctor")["findings"] if finding["check"] == "trust"]
