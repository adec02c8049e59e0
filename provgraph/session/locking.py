"""Locks of a project: files that one process at a time holds; the system gives them back when it ends, however."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from provgraph.client.spool import give_to_owner


@contextlib.contextmanager
def project_lock(root: str, name: str, wait_s: float = 0.0) -> Iterator[bool]:
    """Hold the lock ``name`` of a project; yields whether it could be had within ``wait_s`` seconds."""
    store = os.path.join(root, ".provdb")
    fd = os.open(os.path.join(store, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.geteuid() == 0:  # what root makes in another's store must not lock its owner out
            give_to_owner(fd, store)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= deadline:
                    yield False
                    return
                time.sleep(0.02)
            else:
                yield True
                return
    finally:
        os.close(fd)
