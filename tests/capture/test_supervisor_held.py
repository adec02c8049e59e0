"""A large content that the store has already is not copied again; the key is that of the stores' stat cache."""

import os
import sqlite3

from provgraph.capture.held import HeldObjects
from provgraph.stores.local import identity_key


def remember(watched, path, digest, *, kept):
    status = os.lstat(path)
    stat = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode)
    with sqlite3.connect(watched.store / "local.db") as db:
        db.execute("CREATE TABLE digest (key INTEGER PRIMARY KEY, sha256 BLOB NOT NULL)")
        db.execute("INSERT INTO digest VALUES (?, ?)", (identity_key(stat), bytes.fromhex(digest)))
    if kept:
        place = watched.store / "objects" / digest[:2] / digest[2:]
        place.parent.mkdir(parents=True)
        place.touch()


def test_held(watched):
    large = watched.root / "large"
    large.write_bytes(b"x" * (2 << 20))
    remember(watched, large, "ab" * 32, kept=True)
    watched.run("sh", "-c", "echo new > large")
    assert [op[5] for op in watched.ops("w")] == ["held"]


def test_known_but_not_kept(watched):
    large = watched.root / "large"
    large.write_bytes(b"x" * (2 << 20))
    remember(watched, large, "ab" * 32, kept=False)
    watched.run("sh", "-c", "rm large")
    (op,) = watched.ops("d")
    assert watched.preimage(op[4]) == b"x" * (2 << 20)


def test_without_a_database(watched):
    assert HeldObjects(str(watched.root)).has(os.lstat(watched.root)) is False
