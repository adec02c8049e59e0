"""What each watched system call means for the record: one handler per call.

A handler gets the task's id and the call's arguments and says when the call may run: a file that is read is identified
before, whatever destroys a content waits until its old bytes are safe, all else is booked after. A handler that has let
the call run returns True. Nothing that is going to fail (no such file, no permission) is recorded.
"""

from __future__ import annotations

import os
import stat

from provgraph.capture import seccomp, syscalls
from provgraph.capture.activity import MAX_EXECUTIONS, Activity
from provgraph.capture.calls import AT_FDCWD, NEVER, lstat
from provgraph.capture.opening import Opening
from provgraph.capture.privileged import reason as gains
from provgraph.client.moments import now, stat_of
from provgraph.client.path_class import ENVIRONMENT
from provgraph.client.scrub_words import scrubbed_words

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Callable

    from provgraph.capture.calls import Handler

_AT_SYMLINK_FOLLOW, _AT_SYMLINK_NOFOLLOW, _AT_REMOVEDIR, _AT_EMPTY_PATH = 0x400, 0x100, 0x200, 0x1000
_RENAME_NOREPLACE, _RENAME_EXCHANGE = 1, 2
_ARGUMENTS, _ARGUMENT_BYTES = 256, 16_384


class Operations(Opening):
    """The handlers of all watched calls."""

    on_privileged: Callable[[str], None] | None = None

    def handlers(self) -> dict[int, Handler]:
        """The handler of each watched call, by number."""
        numbers = syscalls.watched(seccomp.MACHINE)
        return {number: getattr(self, f"_on_{name}") for name, number in numbers.items()}

    # Removing and renaming

    def _on_unlink(self, pid: int, path: int, *_: int) -> bool | None:
        return self._on_unlinkat(pid, AT_FDCWD, path, 0)

    def _on_unlinkat(self, pid: int, dirfd: int, path: int, flags: int, *_: int) -> bool | None:
        if flags & _AT_REMOVEDIR:
            return None
        activity, name = self._argument(pid, dirfd, path)
        status = lstat(name)
        if activity is None or name is None or status is None or stat.S_ISDIR(status.st_mode):
            return None
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)) or not self._can_create(name):
            return None
        if stat.S_ISLNK(status.st_mode):
            self._forget()
        kind = activity.classify(name)
        if kind == ENVIRONMENT:
            activity.changed_environment(name)
        if kind not in NEVER:
            activity.deleted(name, stat_of(status), self._kept(activity, name, status, kind))
        return None

    def _on_rename(self, pid: int, old: int, new: int, *_: int) -> bool | None:
        return self._on_renameat2(pid, AT_FDCWD, old, AT_FDCWD, new, 0)

    def _on_renameat(self, pid: int, old_fd: int, old: int, new_fd: int, new: int, *_: int) -> bool | None:
        return self._on_renameat2(pid, old_fd, old, new_fd, new, 0)

    def _on_renameat2(self, pid: int, old_fd: int, old: int, new_fd: int, new: int, flags: int) -> bool | None:
        activity, source = self._argument(pid, old_fd, old)
        if activity is None or source is None:
            return None
        target = self._argument(pid, new_fd, new)[1]
        moved, over = lstat(source), lstat(target)
        if target is None or moved is None or (over is not None and flags & _RENAME_NOREPLACE):
            return None
        if over is not None and (moved.st_dev, moved.st_ino) == (over.st_dev, over.st_ino):
            return None  # two names of one file: nothing happens
        if not self._can_create(source) or not self._can_create(target):
            return None
        if flags & _RENAME_EXCHANGE and over is not None:
            between = f"{target}.exchanged"
            self._rename(activity, source, between, moved, None)
            self._rename(activity, target, source, over, None)
            self._rename(activity, between, target, moved, None)
        else:
            self._rename(activity, source, target, moved, over)
        return None

    def _rename(
        self, activity: Activity, source: str, target: str, moved: os.stat_result, over: os.stat_result | None
    ) -> None:
        if stat.S_ISDIR(moved.st_mode) or stat.S_ISLNK(moved.st_mode):
            self._forget()
            activity.seen.clear()
        elif not stat.S_ISREG(moved.st_mode):
            return
        from_kind, to_kind = activity.classify(source), activity.classify(target)
        if stat.S_ISDIR(moved.st_mode):
            activity.moved_folder(source, target)
            over = None  # an empty folder at most
        kept = None if over is None or to_kind in NEVER else self._kept(activity, target, over, to_kind)
        before = None if over is None else stat_of(over)
        for path, kind in ((source, from_kind), (target, to_kind)):
            if kind == ENVIRONMENT:
                activity.changed_environment(path)
        if from_kind in NEVER and to_kind in NEVER:
            return
        if stat.S_ISDIR(moved.st_mode) or (from_kind not in NEVER and to_kind not in NEVER):
            activity.renamed(source, target, stat_of(moved), before, kept)
        elif to_kind in NEVER:
            activity.deleted(source, stat_of(moved), self._kept(activity, source, moved, from_kind))
        else:
            activity.wrote(target, before, "create" if before is None else "truncate", kept)
            activity.created.add(target)

    # Links, nodes, attributes

    def _on_link(self, pid: int, old: int, new: int, *_: int) -> bool | None:
        return self._on_linkat(pid, AT_FDCWD, old, AT_FDCWD, new, 0)

    def _on_linkat(self, pid: int, old_fd: int, old: int, new_fd: int, new: int, flags: int) -> bool | None:
        activity, target = self._argument(pid, new_fd, new)
        if activity is None or target is None or lstat(target) is not None or not self._can_create(target):
            return None
        source = self._argument(pid, old_fd, old)[1]
        status = lstat(source)
        if flags & _AT_EMPTY_PATH or (status is not None and flags & _AT_SYMLINK_FOLLOW):
            source = self._paths.of_descriptor(pid, old_fd) if flags & _AT_EMPTY_PATH else source
            if source is not None:
                _, source, status = self._paths.follow(pid, source)
        kind = activity.classify(target)
        if kind in NEVER:
            return None
        if source is None or status is None:
            if flags & (_AT_EMPTY_PATH | _AT_SYMLINK_FOLLOW):
                activity.wrote(target, None, "create", None)  # a file that was opened with O_TMPFILE gets its name
        elif activity.classify(source) in NEVER:
            activity.wrote(target, None, "link", None)
        elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
            own = activity.is_own(source)
            activity.forget(target)
            if own:
                activity.created.add(target)
            activity.ops.append(["l", now(), source, target, stat_of(status)])
        return None

    def _on_symlink(self, pid: int, _text: int, path: int, *_: int) -> bool | None:
        self._make(pid, AT_FDCWD, path, "symlink")
        return None

    def _on_symlinkat(self, pid: int, _text: int, dirfd: int, path: int, *_: int) -> bool | None:
        self._make(pid, dirfd, path, "symlink")
        return None

    def _on_mknod(self, pid: int, path: int, mode: int, *_: int) -> bool | None:
        return self._on_mknodat(pid, AT_FDCWD, path, mode)

    def _on_mknodat(self, pid: int, dirfd: int, path: int, mode: int, *_: int) -> bool | None:
        if mode & syscalls.S_IFMT in (0, syscalls.S_IFREG):
            self._make(pid, dirfd, path, "create")
        return None

    def _make(self, pid: int, dirfd: int, address: int, how: str) -> None:
        activity, path = self._argument(pid, dirfd, address)
        if activity is None or path is None or lstat(path) is not None or not self._can_create(path):
            return
        if how == "symlink":
            self._forget()
            activity.seen.clear()
        if activity.classify(path) not in NEVER:
            activity.wrote(path, None, how, None)

    def _on_truncate(self, pid: int, address: int, length: int, *_arguments: int) -> bool | None:
        activity, path = self._argument(pid, AT_FDCWD, address)
        if activity is not None and path is not None:
            _, path, status = self._paths.follow(pid, path)
            if path is not None and status is not None:
                self._write(activity, path, status, "update" if length else "truncate")
        return None

    def _on_chmod(self, pid: int, path: int, mode: int, *_: int) -> bool | None:
        return self._on_fchmodat2(pid, AT_FDCWD, path, mode, 0)

    def _on_fchmodat(self, pid: int, dirfd: int, path: int, mode: int, *_: int) -> bool | None:
        return self._on_fchmodat2(pid, dirfd, path, mode, 0)

    def _on_fchmodat2(self, pid: int, dirfd: int, address: int, mode: int, flags: int, *_: int) -> bool | None:
        activity, path = self._argument(pid, dirfd, address)
        if activity is not None and path is not None and not flags & _AT_SYMLINK_NOFOLLOW:
            self._change_mode(activity, pid, path, mode)
        return None

    def _on_fchmod(self, pid: int, fd: int, mode: int, *_: int) -> bool | None:
        activity = self._activity_of(pid)
        path = self._paths.of_descriptor(pid, fd) if activity is not None else None
        if activity is not None and path is not None:
            self._change_mode(activity, pid, path, mode)
        return None

    def _change_mode(self, activity: Activity, pid: int, path: str, mode: int) -> None:
        _, target, status = self._paths.follow(pid, path)
        if target is None or status is None or not stat.S_ISREG(status.st_mode):
            return
        changes = (status.st_mode ^ mode) & 0o7777 and not activity.is_written(target)
        if changes and activity.classify(target) not in NEVER:
            activity.wrote(target, stat_of(status), "mode", None)

    # Executing

    def _on_execve(self, pid: int, path: int, argv: int, *_: int) -> bool | None:
        return self._execute(pid, AT_FDCWD, path, argv, 0)

    def _on_execveat(self, pid: int, dirfd: int, path: int, argv: int, _envp: int, flags: int, *_: int) -> bool | None:
        return self._execute(pid, dirfd, path, argv, flags)

    def _execute(self, pid: int, dirfd: int, address: int, argv: int, flags: int) -> bool | None:
        self._cwds.pop(pid, None)
        path = self._paths.of_descriptor(pid, dirfd) if flags & _AT_EMPTY_PATH else self._path(pid, dirfd, address)
        activity = self._activity_of(pid)
        if path is None:
            return None
        links, target, status = self._paths.follow(pid, path)
        if target is None or status is None or not stat.S_ISREG(status.st_mode) or not os.access(target, os.X_OK):
            return None
        wanted = activity is not None and activity.executions < MAX_EXECUTIONS
        words: list[str] = []
        if wanted or self.on_execute is not None:
            words = [os.fsdecode(w) for w in self._memory.strings(pid, argv, _ARGUMENTS, _ARGUMENT_BYTES)]
        if self.on_execute is not None:
            self.on_execute(pid, target, words)
            activity = self._activity_of(pid)
        self._memory.forget_one(pid)
        self._let_run()
        if activity is not None:
            if wanted:
                shown = self._job.shown if words == self._job.argv else words
                activity.executed(pid, scrubbed_words(shown, self._job.scrub))
            self._book_read(activity, target, activity.classify(target), status, links, None, "exec")
        if self.on_privileged is not None and (why := gains(target)) is not None:
            self.on_privileged(why)
        return True

    # The working folder, and what cannot be seen

    def _on_chdir(self, *_: int) -> bool | None:
        self._let_run()
        self._cwds.clear()
        return True

    _on_fchdir = _on_chdir

    def _on_unshare(self, pid: int, flags: int, *_: int) -> bool | None:
        if flags & syscalls.CLONE_NEWNS:
            self._on_chroot(pid)
        return None

    def _on_setns(self, pid: int, *_: int) -> bool | None:
        return self._on_chroot(pid)

    def _on_clone(self, pid: int, *_: int) -> bool | None:
        return self._on_chroot(pid)  # the filter reports only those with a mount namespace of their own

    def _on_pivot_root(self, pid: int, *_: int) -> bool | None:
        return self._on_chroot(pid)

    def _on_chroot(self, pid: int, *_: int) -> bool | None:
        """Paths may mean something else from now on: each task is asked where it stands."""
        if self._own_root is None:
            self._own_root = _standpoint("self")
            inner = self._activity_of
            self._activity_of = lambda task: self._if_same_root(task, inner)
        return None

    def _if_same_root(self, pid: int, inner: Callable[[int], Activity | None]) -> Activity | None:
        activity = inner(pid)
        if activity is not None and _standpoint(str(pid)) != self._own_root:
            activity.gap("mount_namespace")
            return None
        return activity

    def _on_io_uring_setup(self, pid: int, *_: int) -> bool | None:
        self._gap(pid, "io_uring")
        return None

    def _on_open_by_handle_at(self, pid: int, *_: int) -> bool | None:
        self._gap(pid, "memory")
        return None

    def on_other_abi(self, pid: int) -> None:
        """A program of another ABI opens or executes something."""
        self._gap(pid, "other_abi")


def _standpoint(pid: str) -> tuple[str, str] | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt"), os.readlink(f"/proc/{pid}/root")
    except OSError:
        return None
