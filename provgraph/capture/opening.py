"""Opening: what is read is identified before the call runs (a moment later somebody may have changed it), what is about
to be overwritten is kept.
"""

from __future__ import annotations

import os
import stat
import sys

from provgraph.capture import seccomp, syscalls
from provgraph.capture.activity import Activity
from provgraph.capture.calls import AT_FDCWD, NEVER, Calls, lstat
from provgraph.client.path_class import ENVIRONMENT

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Sequence

_ENCODING = sys.getfilesystemencoding()  # os.fsdecode without its checks: half a microsecond of each opening
_S_IFMT, _S_IFREG, _S_IFLNK = 0o170000, 0o100000, 0o120000
_CREATING = os.O_CREAT | os.O_TRUNC
_NOT_READ = os.O_ACCMODE | _CREATING
_MAGIC = (b"/fd/", b"/dev/std", b"/cwd", b"/root", b"/exe")  # what these lead to depends on the task
_UNKNOWN = ""  # in ``seen``: no path is empty


class Opening(Calls):
    """The handlers of open and its kin."""

    def _on_open(self, pid: int, path: int, flags: int, *_: int) -> bool | None:
        return self._open(pid, AT_FDCWD, path, flags)

    def _on_creat(self, pid: int, path: int, *_: int) -> bool | None:
        return self._open(pid, AT_FDCWD, path, os.O_WRONLY | _CREATING)

    def _on_openat2(self, pid: int, dirfd: int, path: int, how: int, *_: int) -> bool | None:
        flags = int.from_bytes(self._memory.block(pid, how, 8), "little")
        if flags & (syscalls.O_PATH | syscalls.O_DIRECTORY[seccomp.MACHINE]):
            return None
        return self._open(pid, dirfd, path, flags)

    def _open(self, pid: int, dirfd: int, address: int, flags: int, _4: int = 0, _5: int = 0) -> bool | None:
        activity = self._activity_of(pid)
        if activity is None:
            return None
        raw = self._string(pid, address)
        if raw is None:
            activity.gap("memory")
            return None
        key: object = raw
        base = ""
        if not raw.startswith(b"/"):
            found = self._cwds.get(pid) if dirfd & 0xFFFFFFFF == 0xFFFFFF9C else None
            if found is None:
                found = self._paths.base(pid, dirfd)
                if found is None:
                    return None
            base = found
            key = (base, raw)
        if flags & _NOT_READ:
            self._open_to_write(activity, pid, base, raw, flags)
            return None
        known = activity.seen.get(key, _UNKNOWN)
        if known is None:
            return None
        if not known:
            volatile = raw.startswith(self._special) and self._is_volatile_name(raw)
            self._first_read(activity, pid, base, raw, None if volatile else key, flags)
            return None
        try:
            status = os.lstat(known)
        except OSError:
            return None
        if status.st_mode & _S_IFMT == _S_IFREG and self._readable(known, status):
            activity.read(known, status)
        else:
            del activity.seen[key]
            self._first_read(activity, pid, base, raw, key, flags)
        return None

    _on_openat = _open  # by far the most frequent call

    @staticmethod
    def _is_volatile_name(raw: bytes) -> bool:
        """Whether a path that begins specially leads elsewhere each time."""
        return not raw.startswith((b"/proc/", b"/dev/")) or any(part in raw for part in _MAGIC)

    def _first_read(self, activity: Activity, pid: int, base: str, raw: bytes, key: object, flags: int) -> None:
        """Book an opening for reading whose path is not known yet."""
        path = self._paths.locate(pid, base, raw.decode(_ENCODING, "surrogateescape"))
        if path is None:
            return
        if path.startswith(self._marks):
            self._marker(pid, path)
            return
        kind = activity.classify(path)
        try:
            status = os.lstat(path)
        except OSError:
            if kind in NEVER and key is not None and not path.startswith(activity.root):
                activity.seen[key] = None
            return
        if status.st_mode & _S_IFMT == _S_IFLNK:
            self._read_link(activity, pid, path, kind, key, flags)
        else:
            self._book_read(activity, path, kind, status, (), key)

    def _read_link(self, activity: Activity, pid: int, link: str, kind: str, key: object, flags: int) -> None:
        """Book an opening for reading through a symbolic link.

        It must be followed anew each time, unless it leads from a place that is never recorded to another.
        """
        if flags & os.O_NOFOLLOW:
            return
        links, target, found = self._paths.follow(pid, link)
        if target is not None and found is not None:
            its_kind = activity.classify(target)
            fixed = kind in NEVER and its_kind in NEVER
            self._book_read(activity, target, its_kind, found, links, key if fixed else None)

    def _book_read(
        self,
        activity: Activity,
        path: str,
        kind: str,
        status: os.stat_result,
        links: Sequence[tuple[str, os.stat_result]],
        key: object,
        how: str | None = None,
    ) -> None:
        """Record a read of ``path``, of class ``kind``, and of the links that led to it."""
        if status.st_mode & _S_IFMT != _S_IFREG:
            return
        readable = self._readable(path, status)
        if readable:
            for link, link_status in links:
                if activity.classify(link) not in NEVER:
                    activity.read(link, link_status)
        if kind in NEVER:
            if key is not None:
                activity.seen[key] = None
            if kind == ENVIRONMENT:
                activity.used_environment(path)
        elif readable or how is not None:
            activity.read(path, status, how)
            if key is not None and how is None:
                activity.seen[key] = path

    def _readable(self, path: str, status: os.stat_result) -> bool:
        return self._trusted or status.st_mode & 0o444 == 0o444 or os.access(path, os.R_OK)

    def _open_to_write(self, activity: Activity, pid: int, base: str, raw: bytes, flags: int) -> None:
        path = self._paths.locate(pid, base, os.fsdecode(raw))
        if path is None:
            return
        status = lstat(path)
        links: list[tuple[str, os.stat_result]] = []
        if status is not None and flags & os.O_CREAT and flags & os.O_EXCL:
            return  # fails: it exists
        if status is not None and stat.S_ISLNK(status.st_mode):
            if flags & os.O_NOFOLLOW:
                return
            links, target, status = self._paths.follow(pid, path)
            if target is None:
                return
            path = target
        if status is None and not (flags & os.O_CREAT and self._can_create(path)):
            return
        for link, link_status in links:
            if activity.classify(link) not in NEVER:
                activity.read(link, link_status)
        self._book_write(activity, path, status, flags)

    def _book_write(self, activity: Activity, path: str, status: os.stat_result | None, flags: int) -> None:
        """Record an opening for writing of ``path``, which is in a state, or None where it is not there."""
        if status is not None and flags & (os.O_ACCMODE | os.O_TRUNC) == os.O_RDONLY:
            self._book_read(activity, path, activity.classify(path), status, (), None)  # O_CREAT on what exists
        elif status is None:
            self._write(activity, path, None, "create")
        elif flags & os.O_TRUNC:
            self._write(activity, path, status, "truncate")
        else:
            if flags & os.O_ACCMODE == os.O_RDWR:
                self._book_read(activity, path, activity.classify(path), status, (), None)
            self._write(activity, path, status, "append" if flags & os.O_APPEND else "update")
