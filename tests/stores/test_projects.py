"""A project's identity, its origin, and stores that are not what they were (rules 22 and 23)."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from provgraph.errors import CorruptError, InputError, NewerStoreError, NoProjectError, StoreError, TrustError
from provgraph.model.identity import uuid7
from provgraph.stores import EmbeddedStore, backup, init_project, migrations, open_store, trust

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@x", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout


def test_init_is_idempotent(folder: Path) -> None:
    (folder / "data.csv").write_text("1,2")
    with init_project(str(folder)) as store:
        first = store.project, store.origin, store.journal.last_seq()
        found = store.knowledge.baseline("data.csv")
        assert found is not None and found.stat[2] == 3
        assert store.knowledge.walked_at() == found.seen_at
    with init_project(str(folder)) as store:
        assert (store.project, store.origin, store.journal.last_seq()) == first
    assert (folder / ".provdb").stat().st_mode & 0o777 == 0o700
    assert (folder / ".provdb/marks/status/255").exists()
    document = json.loads((folder / ".provdb/project.json").read_text())
    assert (document["project"], document["origin"]) == first[:2]


def test_no_project(folder: Path) -> None:
    with pytest.raises(NoProjectError, match="provdb init"):
        open_store(str(folder), write=False)


def test_a_vanished_journal_is_never_made_anew(store: EmbeddedStore, folder: Path) -> None:
    store.close()
    (folder / ".provdb/journal.db").unlink()
    for attempt in (lambda: open_store(str(folder), write=True), lambda: init_project(str(folder))):
        with pytest.raises(CorruptError, match="vanished"):
            attempt()


def test_full_clones_are_one_project_shallow_ones_are_not(tmp_path: Path, folder: Path) -> None:
    git(folder, "init", "-q")
    for number in range(3):
        git(folder, "commit", "-q", "--allow-empty", "-m", str(number))
    git(tmp_path, "clone", "-q", str(folder), "full")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{folder}", "shallow")
    found = {}
    for name in ("project", "full", "shallow"):
        with init_project(str(tmp_path / name)) as store:
            found[name] = store.project, store.origin
    assert found["project"][0] == found["full"][0] != found["shallow"][0]
    assert found["project"][1] != found["full"][1]


def test_share_and_join(tmp_path: Path, folder: Path) -> None:
    with init_project(str(folder), share=True) as store:
        project = store.project
    (tmp_path / "clone").mkdir()
    shutil.copy(folder / ".provdb-project", tmp_path / "clone")
    with init_project(str(tmp_path / "clone")) as store:
        assert store.project == project
    (tmp_path / "joined").mkdir()
    with init_project(str(tmp_path / "joined"), join=project) as store:
        assert store.project == project
    with pytest.raises(InputError, match="already"):
        init_project(str(folder), join=uuid7())
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="no project's uid"):
        init_project(str(tmp_path / "other"), join="nonsense")


def test_a_copied_folder_begins_an_origin(
    store: EmbeddedStore, folder: Path, tmp_path: Path, command: Callable[..., dict[str, str]]
) -> None:
    uid = command("one")[""]
    origin, seq = store.origin, store.journal.last_seq()
    store.close()
    shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("bell"))
    with open_store(str(tmp_path / "copy"), write=False) as reading:
        assert reading.origin == origin and reading.reader.vertex(uid) is not None
    with open_store(str(tmp_path / "copy"), write=True) as copy:
        assert copy.origin != origin and copy.project == store.project
        event = list(copy.events())[-1]
        assert (event.kind, event.origin, event.origin_seq) == ("origin.begun", copy.origin, 1)
        assert (event.body["facts"]["forked_from"], event.body["facts"]["forked_at"]) == (origin, seq)
        mine = copy.origin
    with open_store(str(tmp_path / "copy"), write=True) as copy:
        assert copy.origin == mine
    assert json.loads((tmp_path / "copy/.provdb/project.json").read_text())["origin"] == mine
    shutil.move(folder, tmp_path / "moved")
    with open_store(str(tmp_path / "moved"), write=True) as moved:
        assert moved.origin == origin, "a folder that was only renamed is what it was"


def test_a_newer_store_is_left_alone(store: EmbeddedStore, folder: Path) -> None:
    store.close()
    path = folder / ".provdb/journal.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=99")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    before = {file: file.read_bytes() for file in (folder / ".provdb").glob("*.*") if file.is_file()}
    for write in (False, True):
        with pytest.raises(NewerStoreError, match="newer provgraph"):
            open_store(str(folder), write=write)
    with pytest.raises(NewerStoreError):
        init_project(str(folder))
    assert {file: file.read_bytes() for file in before} == before


def test_migrations_go_forward_step_by_step(store: EmbeddedStore, folder: Path) -> None:
    store.close()
    path = folder / ".provdb/journal.db"

    def second(db: sqlite3.Connection) -> None:
        db.execute("ALTER TABLE event ADD COLUMN signature BLOB")

    def third(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE witness (seq INTEGER PRIMARY KEY)")
        raise KeyError("a power cut")

    with pytest.raises(KeyError):
        migrations.migrate(path, {1: second, 2: third}, 3)
    assert migrations.check_version(path, 3) == 2, "the first step stays, the second left nothing"
    assert migrations.migrate(path, {1: second, 2: lambda db: None}, 3) == 1
    assert migrations.migrate(path, {}, 3) == 0
    db = sqlite3.connect(path)
    assert "signature" in {row[1] for row in db.execute("PRAGMA table_info(event)")}
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'witness'").fetchone() == (0,)
    db.close()


def test_backup_and_restore(
    store: EmbeddedStore, folder: Path, tmp_path: Path, command: Callable[..., dict[str, str]]
) -> None:
    uid = command("one")[""]
    sha256 = store.objects.put_bytes(b"precious").sha256
    file = tmp_path / "backup.tar"
    assert backup.backup(store, str(file)) == file.stat().st_size
    with pytest.raises(StoreError, match="already"):
        backup.backup(store, str(file))
    (tmp_path / "restored").mkdir()
    with tarfile.open(file) as archive:
        archive.extractall(tmp_path / "restored", filter="data")
    (tmp_path / "restored/.provdb").chmod(0o700)
    with open_store(str(tmp_path / "restored"), write=True) as again:
        assert again.origin != store.origin
        assert again.reader.vertex(uid) is not None
        assert sha256 is not None and again.objects.verify(sha256)


def test_a_store_that_came_along_widens_nothing(store: EmbeddedStore, folder: Path, tmp_path: Path) -> None:
    """A clone, an archive, a change by somebody else: only what protects is taken from its configuration."""
    assert store.trusted
    store.close()
    (folder / ".provdb/config.toml").write_text(
        '[limits]\nfile_bytes = 1\n[scrub]\nnames = ["PIN"]\n[paths]\nproject = ["/etc/*"]\n'
    )
    with open_store(str(folder), write=True) as again:
        assert not again.trusted
        assert (again.config.file_limit_bytes, again.config.scrub_names) == (100 * 1024 * 1024, ("PIN",))
        assert again.config.path_classes == {}
    trust.trust(str(folder))
    with open_store(str(folder), write=True) as again:
        assert again.trusted and again.config.file_limit_bytes == 1


def test_others_may_not_write_into_a_store(store: EmbeddedStore, folder: Path) -> None:
    store.close()
    (folder / ".provdb").chmod(0o770)
    with pytest.raises(TrustError, match="chmod 700"):
        open_store(str(folder), write=False)


@root_only
def test_somebody_elses_store(store: EmbeddedStore, folder: Path, tmp_path: Path) -> None:
    store.close()
    for path in (folder, folder / ".provdb", *(folder / ".provdb").rglob("*")):
        os.chown(path, 12345, 12345)
    with open_store(str(folder), write=True) as again:  # root, as the owner
        assert again.objects.put_bytes(b"by root").kept
    made = {path for path in (folder / ".provdb").rglob("*") if path.lstat().st_uid != 12345}
    assert made == set()
    # A second user, for whom the folders above are open.
    for path in (tmp_path, *(p for p in tmp_path.parents if p.name.startswith(("pytest-", "popen-")))):
        path.chmod(path.stat().st_mode | 0o055)
    (folder / ".provdb").chmod(0o755)
    script = (
        "import json, os, pwd, sys\nfrom provgraph.stores.trust import check_usable\n"
        "os.setuid(23456)\ncheck_usable(sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "provdb trust" in done.stderr and "PROVDB_PROJECT" in done.stderr


@root_only
def test_root_makes_a_users_project(folder: Path) -> None:
    os.chown(folder, 12345, 12345)
    init_project(str(folder)).close()
    assert {path.lstat().st_uid for path in (folder / ".provdb").rglob("*")} == {12345}
