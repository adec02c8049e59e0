"""The spool file of an activity inside a user's process, who may close any descriptor."""

from __future__ import annotations

import os

from provgraph.client.spool import SpoolFile


class SpoolWriter:
    """Appends records to one spool file.

    Programs that become daemons close all descriptors, and the next file gets the number of ours: so each time it is
    asked whether the descriptor is still what it was, else the file is opened again.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = SpoolFile(path)
        self._identity = _identity(self._file.fileno())
        self._closed = False

    def append(self, record: dict[str, object], sync: bool = False) -> bool:
        """Append a record; False where that failed."""
        if self._closed:
            return False
        if _identity(self._file.fileno()) != self._identity or self._identity is None:
            if not os.path.exists(self._path):
                return False
            self._file = SpoolFile(self._path)
            self._identity = _identity(self._file.fileno())
        return self._file.append(record, sync)

    def discard(self) -> None:
        """Remove the file, whose first record could not be written."""
        if self._identity is not None and _identity(self._file.fileno()) == self._identity:
            self._file.discard()

    def close(self) -> None:
        """Close the file, which the ingester may have removed already; later records are lost."""
        self._closed = True
        try:
            status = os.fstat(self._file.fileno())
        except OSError:
            return
        if (status.st_dev, status.st_ino) == self._identity:
            self._file.close()

    def __del__(self) -> None:
        """A likeness that another process was given never ends."""
        try:
            self.close()
        except Exception:  # the interpreter is on its way out
            pass


def _identity(fd: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_nlink else None
