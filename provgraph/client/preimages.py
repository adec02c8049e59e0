"""Old contents of files that are about to be overwritten or removed, set aside in the spool (rule 14)."""

from __future__ import annotations

import os
import stat

from provgraph.client.settings import read_settings
from provgraph.client.spool import give_to_owner

_LIMIT_BYTES = 16 << 20
_BUFFER = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class PreImages:
    """Copies below one project's spool.

    Parameters:
        root: the project's root; its settings say up to which size files are copied.
        uid: the activity's.
    """

    def __init__(self, root: str, uid: str) -> None:
        self._root, self._uid, self._count = root, uid, 0
        limit = read_settings(root).get("preimage_bytes")
        self._limit = limit if isinstance(limit, int) else _LIMIT_BYTES

    def copy(self, path: str, status: os.stat_result) -> str | None:
        """Copy a file of the project now: ``pre/<file>``, "limit" where it is too large, None where it cannot be."""
        if not stat.S_ISREG(status.st_mode) or not path.startswith(self._root.rstrip("/") + "/"):
            return None
        if status.st_size > self._limit:
            return "limit"
        self._count += 1
        name = f"{self._uid}.{os.getpid()}.{self._count}"
        target = f"{self._root}/.provdb/spool/pre/{name}"
        try:
            self._copy(path, target)
        except OSError:
            try:
                os.unlink(target)
            except OSError:
                pass
            return None
        return f"pre/{name}"

    def _copy(self, path: str, target: str) -> None:
        source = os.open(path, _READ)
        try:
            made = os.open(target, _MAKE, 0o600)
            try:
                if os.geteuid() == 0:
                    give_to_owner(made, os.path.dirname(target))
                while data := os.read(source, _BUFFER):
                    rest = memoryview(data)
                    while rest:
                        rest = rest[os.write(made, rest) :]
            finally:
                os.close(made)
        finally:
            os.close(source)
