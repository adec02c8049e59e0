"""Which project a command belongs to, and whose store is used."""

import os
import signal
import tempfile
from pathlib import Path

import pytest

from provgraph.client.light_json import dumps
from provgraph.client.project import find_project, network_file_system, trust_file, unusable, user_name


@pytest.fixture
def root(tmp_path):
    """A project with a store; ``tmp_path`` belongs to the caller."""
    (tmp_path / "project/.provdb/spool").mkdir(parents=True, mode=0o700)
    (tmp_path / "project/.provdb").chmod(0o700)
    (tmp_path / "project/.provdb/project.json").write_text("{}")
    (tmp_path / "project/a/b").mkdir(parents=True)
    return str(tmp_path / "project")


def test_the_nearest_ancestor_with_a_store(root, tmp_path):
    assert find_project(root, {}) == root
    assert find_project(f"{root}/a/b", {}) == root
    assert find_project(str(tmp_path), {}) is None
    assert find_project("/", {}) is None
    (tmp_path / "link").symlink_to(f"{root}/a")
    assert find_project(str(tmp_path / "link"), {}) == root


def test_a_project_that_is_named(root, tmp_path):
    assert find_project("/", {"PROVDB_PROJECT": root}) == root
    assert find_project(str(tmp_path), {"PROVDB_PROJECT": "project"}) == root
    assert find_project(root, {"PROVDB_PROJECT": str(tmp_path)}) is None  # no store there: not the one around us


def test_ones_own_store_is_usable(root):
    assert unusable(root) is None


def test_vanished_and_incomplete_stores(root, tmp_path):
    os.rmdir(f"{root}/.provdb/spool")
    assert "vanished" in str(unusable(root))
    assert "vanished" in str(unusable(str(tmp_path / "nowhere")))


def test_a_store_that_others_may_write(root):
    os.chmod(f"{root}/.provdb", 0o770)
    assert "chmod 700" in str(unusable(root))


def as_user(uid, root, environ):
    """What another user is told; in a fork, since an interpreter in root's HOME is out of that user's reach."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.environ.update(environ)
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            os.write(writing, str(unusable(root)).encode())
        finally:
            os.kill(os.getpid(), signal.SIGKILL)  # coverage has os._exit save its data, which this user cannot
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    os.waitpid(pid, 0)
    return text


@pytest.fixture
def shared():
    """A folder that others may look into; pytest closes its own whenever another run of it begins."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
def test_somebody_elses_store(shared):
    place = shared
    store = place / ".provdb"
    (store / "spool").mkdir(parents=True)
    for path in (store, store / "spool"):
        path.chmod(0o755)
    (store / "project.json").write_text("{}")
    nobody = 65534
    data = {"XDG_DATA_HOME": str(place / "data")}
    said = as_user(nobody, str(place), data)
    assert (
        said == f"{place} belongs to root: set PROVDB_PROJECT to a project of your own, or type `provdb trust {place}`"
    )
    # The same store after trust; another inode at the same path is not it.
    status = os.stat(store)
    listed = {"path": str(place), "device": status.st_dev, "inode": status.st_ino, "digest": "x"}
    trust = trust_file({**data})
    os.makedirs(os.path.dirname(trust))
    with open(trust, "wb") as file:
        file.write(dumps([listed]))
    assert "read-only" in as_user(nobody, str(place), data)
    with open(trust, "wb") as file:
        file.write(dumps([{**listed, "inode": 1}]))
    assert "belongs to root" in as_user(nobody, str(place), data)
    # Root writes into everybody's.
    os.chown(place, nobody, nobody)
    os.chown(store, nobody, nobody)
    assert unusable(str(place)) is None


def test_names_and_file_systems(tmp_path):
    assert user_name(0) == "root"
    assert user_name(2**31 - 7) == f"user {2**31 - 7}"
    assert network_file_system(str(tmp_path)) is None
    assert network_file_system("/proc") is None
    assert network_file_system(str(tmp_path / "absent")) is None
    assert trust_file({"XDG_DATA_HOME": "/d"}) == "/d/provgraph/trust.json"
    assert trust_file({"XDG_DATA_HOME": "relative"}).endswith("/.local/share/provgraph/trust.json")
