"""Whose doing is it: which activity each watched process belongs to.

One supervisor watches everything below it, since the kernel allows a process one listener: the command, nested
``provdb`` commands (each registers, see :mod:`provgraph.capture.registration`) and the elements of ``-c`` lines (each
opens a mark before it runs). A process belongs to the activity of its nearest known ancestor. As long as there is but
one activity, no ancestry is asked for.
"""

from __future__ import annotations

import os

from provgraph.capture.activity import Activity
from provgraph.capture.run import Run, ending

_CACHED_TASKS = 4096
_MAX_DEPTH = 1000


class Attribution:
    """All runs that one supervisor watches. ``main`` is the supervisor's own, set once its command has a pid."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._owner: dict[int, tuple[Run, Activity] | None] = {}
        self._fixed: set[int] = set()  # tasks that said themselves what they are: not to be forgotten
        self._single: Activity | None = None
        self._servers: set[int] = set()  # what they start is the doing of whoever asked: of their parent, at that time

    @property
    def main(self) -> Run:
        """The supervisor's own run."""
        return self.runs[0]

    def add(self, run: Run) -> None:
        """Watch a run: its leader and what that starts belong to its first element."""
        self.runs.append(run)
        self._single = run.activities[0] if len(self.runs) == 1 else None
        self._fix(run.leader, (run, run.activities[0]))

    def watch_too(self, run: Run) -> None:
        """Watch a run inside a process: which tasks belong to it is said by :meth:`put`."""
        self.runs.append(run)
        self._single = None

    def put(self, pid: int, owner: tuple[Run, Activity] | None, keep: bool = False) -> None:
        """A task belongs to ``owner`` from now on; ``keep``: that is not to be forgotten."""
        self._owner[pid] = owner
        if keep:
            self._fixed.add(pid)

    def forget_closed(self) -> None:
        """Runs inside processes are many: those that have closed go."""
        for run in [run for run in self.runs if run.inside and all(one.is_done for one in run.activities.values())]:
            self.runs.remove(run)
            for activity in run.activities.values():
                activity.release()
            gone = [pid for pid, owner in self._owner.items() if owner is not None and owner[0] is run]
            for pid in gone:
                self._fixed.discard(pid)
                del self._owner[pid]

    def activities(self) -> list[Activity]:
        """Those of all runs."""
        return [activity for run in self.runs for activity in run.activities.values()]

    def activity_of(self, pid: int) -> Activity | None:
        """The activity that a task belongs to; None where it is nobody's (a nested provdb's own doing)."""
        if self._single is not None:
            return self._single
        owner = self.owner_of(pid)
        return None if owner is None else owner[1]

    def owner_of(self, pid: int) -> tuple[Run, Activity] | None:
        """The run and the activity of a task. Cost: a look-up, or a read in /proc per unknown ancestor."""
        try:
            return self._owner[pid]
        except KeyError:
            pass
        chain: list[int] = []
        owner: tuple[Run, Activity] | None = (self.main, self.main.current())
        task = pid
        while task > 1 and len(chain) < _MAX_DEPTH:
            if task in self._owner:
                owner = self._owner[task]
                break
            chain.append(task)
            task = _above(task)
        if len(self._owner) > _CACHED_TASKS:
            self._owner = {task: self._owner[task] for task in self._fixed}
        for task in chain:
            if task != os.getpid() and task not in self._servers:
                self._owner[task] = owner
        return owner

    def nobody(self, pid: int) -> None:
        """What a task does from now on is its own business."""
        self._single = None
        self._fix(pid, None)

    @staticmethod
    def is_below(pid: int) -> bool:
        """Whether a process descends from the supervisor."""
        own, depth = os.getpid(), 0
        while pid > 1 and depth < _MAX_DEPTH:
            pid, depth = _above(pid), depth + 1
            if pid == own:
                return True
        return False

    def parent_of(self, pid: int) -> str | None:
        """The activity that encloses a nested provdb: that of the process which started it."""
        owner = self.owner_of(_above(pid))
        return None if owner is None else owner[1].uid

    def _fix(self, pid: int, owner: tuple[Run, Activity] | None) -> None:
        self._owner[pid] = owner
        self._fixed.add(pid)

    def executes(self, pid: int, program: str, argv: list[str]) -> None:
        """A task is about to become another program: provdb's own doing is nobody's, unless it runs something."""
        self._servers.discard(pid)
        if is_own_program(program, argv):
            self.nobody(pid)
        elif _is_fork_server(argv):
            self._servers.add(pid)
            self._owner.pop(pid, None)
        elif self._single is None and pid in self._fixed and self._owner.get(pid, self) is None:
            self._fixed.discard(pid)
            del self._owner[pid]

    def mark(self, pid: int, path: str) -> None:
        """A ``-c`` line opens a mark: an element begins in this task, or the status of the one before is known."""
        owner = self.owner_of(pid)
        kind, _, text = path.rpartition("/")
        if owner is None or not text.isdecimal():
            return
        run, before = owner
        number = int(text)
        if kind.endswith("/element") and number < len(run.uids):
            self.adopt_children(pid, pid, owner)
            activity = run.begin(number, pid)
            run.shells[pid] = number
            if activity is not before:
                self._single = None
            self._fix(pid, (run, activity))
        elif kind.endswith("/status") and pid in run.shells:
            run.status_before(run.shells[pid], number, self.has_task)

    def adopt_children(self, pid: int, task: int, owner: tuple[Run, Activity] | None) -> None:
        """Children of a task of ``pid`` that have not been heard of belong to what it was at until now."""
        try:
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                children = [int(word) for word in file.read().split()]
        except OSError:
            return
        for child in children:
            if child not in self._servers:
                self._owner.setdefault(child, owner)

    def look_for_ends(self) -> None:
        """End background elements whose shell is gone; close what has ended and has no process left."""
        for run in self.runs:
            for index, activity in list(run.activities.items()):
                if activity.closed:
                    continue
                if not activity.ended and run.background[index]:
                    shells = [pid for pid, at in run.shells.items() if at == index]
                    if shells and not any(is_alive(pid) for pid in shells):
                        run.end(index, ending(None, None, survivors=self.has_task(activity)))
                if activity.ended and (run is not self.main or len(run.uids) > 1) and not self.has_task(activity):
                    run.close(index)

    def has_task(self, activity: Activity) -> bool:
        """Whether a process of an activity is left."""
        return any(owner is not None and owner[1] is activity and is_alive(pid) for pid, owner in self._owner.items())


def is_own_program(program: str, argv: list[str]) -> bool:
    """Whether this is provdb: the console script, or ``python -m provgraph``."""
    name = program.rpartition("/")[2]
    if name == "provdb":
        return True
    if not name.startswith("python"):
        return False
    head = argv[1:6]
    script = next((word for word in head if not word.startswith("-")), "")
    return script.rpartition("/")[2] == "provdb" or (script == "provgraph" and "-m" in head)


def _is_fork_server(argv: list[str]) -> bool:
    """Whether this is the process of Python's multiprocessing that starts workers whenever it is asked to."""
    return any("multiprocessing.forkserver" in w or "multiprocessing.resource_tracker" in w for w in argv[1:8])


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return False


def tasks_of(pid: int) -> list[int]:
    """The threads of a process; [] where it is gone."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _above(pid: int) -> int:
    """The thread group's leader of a thread, the parent of a process; 0 where it is gone."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            text = file.read(1024)
    except OSError:
        return 0
    fields = dict(line.split(b":\t", 1) for line in text.split(b"\n") if b":\t" in line)
    group = int(fields.get(b"Tgid", b"0"))
    return group if group != pid else int(fields.get(b"PPid", b"0"))
