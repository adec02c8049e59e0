"""Objects: by digest, atomic, bounded, never the user's own file."""

import hashlib
import os
from pathlib import Path

import pytest

from provgraph.errors import CorruptError, StoreError
from provgraph.stores import EmbeddedStore, garbage, objects
from provgraph.stores.objects import Objects
from provgraph.stores.secrets import looks_secret


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "data", [b"", b"x", b"text " * 1000, os.urandom(5000), b"a" * (3 << 20), os.urandom(3 << 20)],
    ids=["empty", "one byte", "text", "noise", "long text", "long noise"],
)  # fmt: skip
def test_round_trip(store: EmbeddedStore, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    stored = store.objects.put_file(str(path), objects.stat_of(path.stat()))
    assert (stored.sha256, stored.kept, stored.stat[2]) == (digest(data), True, len(data))
    assert digest(data) in store.objects and store.objects.verify(digest(data))
    with store.objects.open(digest(data)) as file:
        assert file.read() == data
    assert store.objects.path_of(digest(data)).stat().st_nlink == 1
    assert store.objects.path_of(digest(data)).stat().st_ino != path.stat().st_ino
    if len(set(data)) < 10 and len(data) > 1000:
        assert store.objects.size_on_disk(digest(data)) < len(data) / 10


def test_a_symlink_is_its_target(store: EmbeddedStore, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    stored = store.objects.put_file(str(tmp_path / "link"))
    assert stored.kept and stored.sha256 == digest(b"nowhere")


def test_what_is_no_file_is_refused_at_once(store: EmbeddedStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/null"), tmp_path / "missing"):
        with pytest.raises(OSError, match=r"file|director"):
            store.objects.put_file(str(path))


def test_a_file_that_is_another_one_is_not_read(store: EmbeddedStore, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    before = objects.stat_of(path.stat())
    path.write_bytes(b"newer")
    stored = store.objects.put_file(str(path), before)
    assert (stored.sha256, stored.kept, stored.stat[2]) == (None, False, 5)
    assert digest(b"newer") not in store.objects


@pytest.mark.parametrize("name", [
    ".env", ".env.local", "id_rsa", "server.pem", ".netrc", ".pgpass", "kaggle.json", "credentials.json", "ID_ED25519",
])  # fmt: skip
def test_secrets_keep_the_digest_alone(store: EmbeddedStore, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"hunter2")
    stored = store.objects.put_file(str(tmp_path / name))
    assert (stored.sha256, stored.kept) == (digest(b"hunter2"), False)


def test_what_only_sounds_like_a_secret() -> None:
    assert looks_secret("/home/a/.aws/credentials") and looks_secret("/home/a/.ssh/config")
    assert not any(map(looks_secret, ["id_rsa.pub", ".env.example", "environment.yml", "keys.csv", "model.pkl"]))
    assert looks_secret("a/my.token", ("*.token",))


def test_too_large_keeps_the_digest_alone(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "file").write_bytes(b"12345")
    found = Objects(tmp_path / "objects", file_limit=4)
    assert found.put_file(str(tmp_path / "file")).kept is False
    assert found.put_file(str(tmp_path / "file")).sha256 == digest(b"12345")


def test_a_sparse_file_stays_small(store: EmbeddedStore, tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(20 << 20)
    stored = store.objects.put_file(str(tmp_path / "sparse"))
    assert stored.kept and stored.sha256 is not None
    assert store.objects.path_of(stored.sha256).stat().st_blocks * 512 < 1 << 20


def test_a_damaged_object_is_found(store: EmbeddedStore) -> None:
    for data in (b"text " * 1000, os.urandom(1000)):
        path = store.objects.path_of(digest(data))
        store.objects.put_bytes(data)
        path.chmod(0o600)
        whole = path.read_bytes()
        path.write_bytes(whole[:10] + b"?" + whole[11:])
        assert not store.objects.verify(digest(data))
        path.write_bytes(whole[: len(whole) // 2] + whole[-1:])
        assert not store.objects.verify(digest(data))
        path.write_bytes(b"")
        assert not store.objects.verify(digest(data))
        with pytest.raises(CorruptError, match="empty"):
            store.objects.open(digest(data))
    with pytest.raises(StoreError, match="not kept"):
        store.objects.open("00" * 32)


def test_the_budget_drops_the_oldest(store: EmbeddedStore) -> None:
    """Rule 16: bytes go, oldest first; digests stay."""
    uids = []
    for day in range(1, 5):
        data = os.urandom(10_000)
        assert store.objects.put_bytes(data).kept
        with store.journal.batch() as batch:
            at = f"2026-11-0{day}T00:00:00+00:00"
            event = batch.event("activity.ended", at)
            properties = {
                "path": f"f{day}",
                "sequence": 1,
                "created_at": at,
                "sha256": digest(data),
                "restorable": True,
            }
            uids.append(event.vertex(["Entity", "Snapshot"], properties))
    done = garbage.collect(store, to_bytes=25_000)
    assert (done.removed, done.kept_bytes) == (2, 20_002)
    vertices = {vertex.uid: vertex for vertex in store.reader.vertices(uids)}
    assert [vertices[uid].properties["restorable"] for uid in uids] == [False, False, True, True]
    assert garbage.used(store) == 20_002
    digest_before = store.digest()
    assert store.rebuild() == digest_before, "restorable is local: no fact"
