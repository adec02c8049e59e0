"""The spool: raw records of one activity, one JSON object per line, appended by the processes that watch a command."""

from __future__ import annotations

import os
import time

from provgraph.client.light_json import dumps

__all__ = ["SpoolFile", "dumps", "new_activity_uid"]


def new_activity_uid() -> str:
    """A fresh UUIDv7 (RFC 9562, 6.2 method 3: sorts by time to the quarter of a microsecond)."""
    milliseconds, rest_ns = divmod(time.time_ns(), 1_000_000)
    fraction = (rest_ns << 12) // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1
    text = f"{milliseconds & (1 << 48) - 1:012x}{0x7000 | fraction:04x}{2 << 62 | random:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class SpoolFile:
    """One activity's spool file, open for appending; several processes may append to the same one.

    Nothing here raises for what the disk does: a command must not suffer from a full or read-only one. The reason of
    the first failure stays in ``failed``.

    Parameters:
        path: the file, made with mode 0600 where it is absent. Its folder must exist (a store that vanished is never
            made anew). Where root writes into another's store, the file is given to the owner of that folder.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.failed: str | None = None
        self._fd = -1
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._fd = os.open(path, flags, 0o600)
            if os.geteuid() == 0:
                give_to_owner(self._fd, os.path.dirname(path))
        except OSError as error:
            self._note(error)

    def append(self, record: dict[str, object], sync: bool = False) -> bool:
        """Append one record as one line; ``sync`` waits until it is on the disk. False where that failed."""
        return self.append_line(dumps(record), sync)

    def append_line(self, line: bytes, sync: bool = False) -> bool:
        """The same for a record that :func:`dumps` has already encoded."""
        if self._fd < 0:
            return False
        data = line + b"\n"
        try:
            written = os.write(self._fd, data)
            if written < len(data):
                self._finish(data, written)
            if sync:
                os.fsync(self._fd)
        except OSError as error:
            self._note(error)
            return False
        return True

    def _finish(self, data: bytes, written: int) -> None:
        """Write the rest of a line that was cut short; where that fails, take the torn part back."""
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError:
            # Nobody else appends at this moment: the front end writes only after the supervisor has gone.
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
            raise

    def _note(self, error: OSError) -> None:
        if self.failed is None:
            self.failed = error.strerror or str(error)

    def fileno(self) -> int:
        """The descriptor, or -1 where the file could not be opened."""
        return self._fd

    def discard(self) -> None:
        """Remove the file, whose first record could not be written; later ones are lost."""
        if self._fd < 0:
            return
        self.close()
        try:
            os.unlink(self.path)
        except OSError as error:
            self._note(error)

    def close(self) -> None:
        """Close the file; later records are lost."""
        if self._fd >= 0:
            try:
                os.close(self._fd)
            except OSError as error:
                self._note(error)
            self._fd = -1


def give_to_owner(fd: int, folder: str) -> None:
    """Give what root has made in another's store to whom the folder belongs."""
    owner = os.stat(folder)
    if owner.st_uid != 0 and os.fstat(fd).st_uid != owner.st_uid:
        os.fchown(fd, owner.st_uid, owner.st_gid)
