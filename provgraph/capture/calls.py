"""What the handlers of watched calls share: who did it, which path is meant, what old content must be kept."""

from __future__ import annotations

import os
import stat

from provgraph.capture import seccomp
from provgraph.capture.activity import Activity
from provgraph.capture.job import Job
from provgraph.capture.preimage import PreImages
from provgraph.capture.tracee import Memory, Paths
from provgraph.client.moments import stat_of
from provgraph.client.path_class import ENVIRONMENT, IGNORED, PROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Callable

    Handler = Callable[[int, int, int, int, int, int], bool | None]

AT_FDCWD = -100
NEVER = (IGNORED, ENVIRONMENT)  # classes whose files are not recorded one by one


class Calls:
    """What the handlers of all calls share.

    Parameters:
        listener: receives the calls and lets them run.
        preimages: keeps old contents.
        activity_of: which activity a task belongs to; None where nobody's.
        marker: called with (task, path) for a path in the folder of the marks of ``-c``.
        job: what runs.
    """

    def __init__(
        self,
        listener: seccomp.Listener,
        preimages: PreImages,
        activity_of: Callable[[int], Activity | None],
        marker: Callable[[int, str], None],
        job: Job,
    ) -> None:
        self._let_run = listener.let_run
        self._is_valid = listener.is_valid
        self._preimages = preimages
        self._activity_of = activity_of
        self._marks = job.marks
        self._marker = marker
        self._job = job
        self._special = (b"/proc/", b"/dev/", os.fsencode(job.marks))
        self._memory = Memory()
        self._paths = Paths()
        self._cwds = self._paths.cwds
        self._string = self._memory.string
        self._trusted = os.geteuid() == 0
        self._own_root: tuple[str, str] | None = None
        self.on_execute: Callable[[int, str, list[str]], None] | None = None

    def _argument(self, pid: int, dirfd: int, address: int) -> tuple[Activity | None, str | None]:
        """The activity of a task and the path that an argument names."""
        activity = self._activity_of(pid)
        return activity, None if activity is None else self._path(pid, dirfd, address)

    def _path(self, pid: int, dirfd: int, address: int) -> str | None:
        raw = self._string(pid, address)
        if raw is None:
            self._gap(pid, "memory")
            return None
        base = "" if raw.startswith(b"/") else self._paths.base(pid, dirfd)
        return self._paths.locate(pid, base, os.fsdecode(raw)) if raw and base is not None else None

    def _gap(self, pid: int, what: str) -> None:
        activity = self._activity_of(pid)
        if activity is not None:
            activity.gap(what)

    def _forget(self) -> None:
        self._paths.forget()

    def _can_create(self, path: str) -> bool:
        folder = path.rpartition("/")[0] or "/"
        return os.access(folder, os.W_OK | os.X_OK)

    def _write(self, activity: Activity, path: str, status: os.stat_result | None, how: str) -> None:
        """Record an opening for writing, with the old content where it is about to be lost."""
        if status is not None and not stat.S_ISREG(status.st_mode):
            return
        kind = activity.classify(path)
        if kind == ENVIRONMENT:
            activity.changed_environment(path)
        if kind in NEVER:
            return
        preimage = None
        if kind == PROJECT and status is not None and how in ("truncate", "update") and not activity.is_own(path):
            if self._is_valid():
                preimage = self._preimages.copy(activity.uid, path, status)
            activity.saved.add(path)
        activity.wrote(path, None if status is None else stat_of(status), how, preimage)

    def _kept(self, activity: Activity, path: str, status: os.stat_result, kind: str) -> str | None:
        """Hold the content of a file of the project that loses its name."""
        if kind != PROJECT or activity.is_own(path) or not self._is_valid():
            return None
        return self._preimages.hold(activity.uid, path, status)


def lstat(path: str | None) -> os.stat_result | None:
    """The status of ``path`` itself; None where there is nothing, or no path."""
    if path is None:
        return None
    try:
        return os.lstat(path)
    except (OSError, ValueError):
        return None
