"""The first record of an activity: what was run, where, by whom, and what the calling shell had already opened."""

from __future__ import annotations

import os
import stat
import time

from provgraph.capture.job import Element, Job
from provgraph.client.moments import now, stat_of
from provgraph.client.path_class import ENVIRONMENT, IGNORED
from provgraph.client.scrub_words import recorded_environment, scrubbed_text, scrubbed_words
from provgraph.client.settings import project_classifier
from provgraph.client.surroundings import IDENTITY, boot_id, git_state, scrubbed_tag, start_ticks

TYPE_CHECKING = False


class Surroundings:
    """What the start records of all elements of a job share. To be made before anything is closed.

    Parameters:
        job: what runs.
        files: what :func:`open_files` returned before the command could begin.
    """

    def __init__(self, job: Job, files: dict[int, os.stat_result]) -> None:
        self.redirections = redirections(job.root, files)
        self.stdin_pipe = _is_pipe(0)
        self.environ = recorded_environment(os.environ, job.scrub)
        self.git: dict[str, object] | None = None
        self.git_known = False
        self._job = job

    def record(self, element: Element, pid: int, at: int, method: str, supervisor: int) -> dict[str, object]:
        """The start record of ``element``, which runs in process ``pid`` since ``at``."""
        job = self._job
        if not self.git_known:
            self.git, self.git_known = git_state(job.cwd), True
        elapsed_ns = now() - at
        record: dict[str, object] = {
            "record": "start",
            "schema": 1,
            "activity": element.uid,
            "t": at,
            "time": time.time_ns() - elapsed_ns,
            "boot_id": boot_id(),
            "argv": scrubbed_words(element.argv, job.scrub),
            "cwd": job.cwd,
            "pid": pid,
            "supervisor": supervisor,
            "supervisor_start": start_ticks(supervisor),
            "uid": os.geteuid(),
            "host": os.uname().nodename,
            "capture": method,
            "env": self.environ,
            "identity": {name: os.environ[name] for name in IDENTITY if name in os.environ},
            "tags": {key: scrubbed_tag(key, value, job.scrub) for key, value in job.tags.items()},
            "stdin_pipe": self.stdin_pipe,
            "redirections": self.redirections,
        }
        optional = {
            "name": job.name,
            "note": None if job.note is None else scrubbed_text(job.note, job.scrub),
            "parent": job.parent,
            "line": element.line,
            "git": self.git,
        }
        record.update((key, value) for key, value in optional.items() if value is not None)
        return record


def open_files() -> dict[int, os.stat_result]:
    """The regular files that this process was started with as open descriptors, as they are now: a few microseconds."""
    found: dict[int, os.stat_result] = {}
    try:
        descriptors = sorted(map(int, os.listdir("/proc/self/fd")))
    except OSError:
        return found
    for fd in descriptors:
        try:
            status = os.fstat(fd)
            if stat.S_ISREG(status.st_mode) and status.st_nlink and os.get_inheritable(fd):
                found[fd] = status
        except OSError:
            continue
    return found


def redirections(root: str, files: dict[int, os.stat_result]) -> list[dict[str, object]]:
    """Those of the open files that are recorded: the caller's redirections."""
    found: list[dict[str, object]] = []
    classifier = project_classifier(root) if files else None
    for fd, status in files.items():
        try:
            path = os.readlink(f"/proc/self/fd/{fd}")
            if classifier is not None and classifier.classify(path) not in (IGNORED, ENVIRONMENT):
                found.append({"fd": fd, "path": path, "mode": _mode(fd), "stat": stat_of(status)})
        except OSError:
            continue
    return found


def _mode(fd: int) -> str:
    """How a descriptor was opened: "r", "w", "rw" or "a"."""
    flags = open_flags("self", fd)
    if flags & os.O_ACCMODE == os.O_RDONLY:
        return "r"
    if flags & os.O_APPEND:
        return "a"
    return "rw" if flags & os.O_ACCMODE == os.O_RDWR else "w"


def open_flags(process: int | str, fd: int | str) -> int:
    """The flags with which a process has a descriptor open.

    Raises:
        OSError: one of the two is gone, or somebody else's.
    """
    with open(f"/proc/{process}/fdinfo/{fd}", "rb") as info:
        for line in info:
            if line.startswith(b"flags:"):
                return int(line[6:], 8)
    raise OSError


def _is_pipe(fd: int) -> bool:
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
