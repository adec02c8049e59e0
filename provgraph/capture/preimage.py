"""Old contents: kept while the writer stands still, for files of the project that a command overwrites or removes.

Overwritten in place: copied at once, by reflink where the file system can, else up to a limit. Unlinked or renamed
over: a descriptor is held, and copied when nothing waits or at the end (rule 14).
"""

from __future__ import annotations

import fcntl
import os

from provgraph.client.spool import give_to_owner

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Callable

_FICLONE = 0x40049409  # <linux/fs.h>
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_S_IFMT, _S_IFREG = 0o170000, 0o100000
_BUFFER = 1 << 20

ASK_BYTES = 1 << 20
MAX_HELD = 256


class PreImages:
    """Old contents below one spool folder.

    Parameters:
        spool: the folder ``.provdb/spool``.
        held: tells whether the project's store has the bytes of a file with this lstat.
        limit_bytes: larger files are kept only where the file system shares their blocks.

    Every method returns what a record says of it: ``pre/<file>``, "held", "limit", or None where nothing can be kept.
    """

    def __init__(self, spool: str, held: Callable[[os.stat_result], bool], limit_bytes: int) -> None:
        self._spool = spool
        self._limit = limit_bytes
        self._count = 0
        self._pending: list[tuple[int, str]] = []
        self._reflink = True
        self._held = held

    def copy(self, uid: str, path: str, status: os.stat_result) -> str | None:
        """Copy ``path`` now. Cost: one reflink, or the copying of at most the limit."""
        if status.st_mode & _S_IFMT != _S_IFREG:
            return None
        if status.st_size > ASK_BYTES and self._held(status):
            return "held"
        source = self._open(path, status)
        if source < 0:
            return None
        try:
            return self._copy_to(source, self._name(uid), status.st_size)
        finally:
            os.close(source)

    def hold(self, uid: str, path: str, status: os.stat_result) -> str | None:
        """Keep ``path`` readable although it is about to lose its name."""
        if status.st_mode & _S_IFMT != _S_IFREG:
            return None
        if status.st_size > ASK_BYTES and self._held(status):
            return "held"
        if len(self._pending) >= MAX_HELD:
            self.settle()
        source = self._open(path, status)
        if source < 0:
            return None
        if status.st_size > self._limit:  # too large to copy later as well, unless the file system shares the bytes
            try:
                return self._copy_to(source, self._name(uid), status.st_size)
            finally:
                os.close(source)
        name = self._name(uid)
        self._pending.append((source, name))
        return name

    def settle(self) -> None:
        """Copy what is held. To be called before the records that name the copies are written."""
        pending, self._pending = self._pending, []
        for source, name in pending:
            try:
                self._copy_to(source, name, os.fstat(source).st_size)
            finally:
                os.close(source)

    def _name(self, uid: str) -> str:
        self._count += 1
        return f"pre/{uid}.{self._count}"

    @staticmethod
    def _open(path: str, status: os.stat_result) -> int:
        """The file, if it still is the one that lstat saw; -1 otherwise, or where it cannot be read."""
        try:
            fd = os.open(path, _READ)
        except OSError:
            return -1
        found = os.fstat(fd)
        if (found.st_dev, found.st_ino) == (status.st_dev, status.st_ino):
            return fd
        os.close(fd)
        return -1

    def _copy_to(self, source: int, name: str, size: int) -> str | None:
        if size > self._limit and not self._reflink:
            return "limit"
        target_path = f"{self._spool}/{name}"
        try:
            target = os.open(target_path, _MAKE, 0o600)
        except OSError:
            return None
        try:
            if os.geteuid() == 0:
                give_to_owner(target, f"{self._spool}/pre")
            if self._share(source, target) or (size <= self._limit and _copy_bytes(source, target, 2 * self._limit)):
                return name
        except OSError:
            os.unlink(target_path)
            return None
        finally:
            os.close(target)
        os.unlink(target_path)
        return "limit"

    def _share(self, source: int, target: int) -> bool:
        """Let both files share their blocks (btrfs, XFS, …)."""
        if self._reflink:
            try:
                fcntl.ioctl(target, _FICLONE, source)
                return True
            except OSError:
                self._reflink = False
        return False


def _copy_bytes(source: int, target: int, most: int) -> bool:
    copied = 0
    while data := os.pread(source, _BUFFER, copied):
        copied += len(data)
        if copied > most:  # it grew meanwhile
            return False
        view = memoryview(data)
        while view:
            view = view[os.write(target, view) :]
    return True
