"""The activities of one front end: a command is one, the elements of a ``-c`` line are one each."""

from __future__ import annotations

import os

from provgraph.capture.activity import Activity
from provgraph.capture.start import open_flags
from provgraph.client.moments import now, states_of
from provgraph.client.settings import project_classifier

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Callable

    from provgraph.client.path_class import Classifier


class Run:
    """What one front end runs: its activities by element, and how to reach it.

    Parameters:
        uids: an activity's uid for each element.
        background: for each element, whether it is followed by ``&``.
        root: its project's root.
        leader: the process that the front end started (the shell of a line).
        began: called with (element, pid, time) when an element other than the first begins.
        like: the run of the supervisor's own command, for one inside a process: it opened no files for it.
    """

    def __init__(
        self,
        uids: list[str],
        background: list[bool],
        root: str,
        leader: int,
        began: Callable[[int, int, int], None],
        like: Run | None = None,
    ) -> None:
        self.uids = uids
        self.background = background
        self.root = root
        self.leader = leader
        self.inside = like is not None
        self.classifier: Classifier = (
            like.classifier if like is not None and like.root == root else project_classifier(root)
        )
        self.activities: dict[int, Activity] = {}
        self.shells: dict[int, int] = {}  # pid of an element's shell → the element it is at
        self._outputs = [] if self.inside else outputs_of(leader)
        self._began = began
        self.begin(0, leader, announced=True)

    def begin(self, index: int, pid: int, announced: bool = False) -> Activity:
        """Element ``index`` begins in process ``pid``."""
        activity = self.activities.get(index)
        if activity is None:
            activity = self.activities[index] = Activity(self.uids[index], self.root, self.classifier)
            if not announced:
                for output in states_of(self._outputs):
                    activity.inherited(output["path"], output["stat"])
                self._began(index, pid, now())
        return activity

    def current(self) -> Activity:
        """The activity of the element that the leader is at."""
        return self.activities[self.shells.get(self.leader, 0)]

    def end(self, index: int, record: dict[str, object]) -> None:
        """Write an element's end, once."""
        activity = self.activities[index]
        if not activity.ended:
            activity.ended = True
            if activity.rewrites:
                record["rewrites"] = activity.rewrites
            if self._outputs:
                record["redirections"] = states_of(self._outputs)
            activity.finish({"record": "end", "t": 0, "time": 0, **record})

    def close(self, index: int) -> None:
        """Write that an element's last process is gone, once."""
        activity = self.activities[index]
        if not activity.closed:
            activity.closed = True
            activity.finish({"record": "closed"})

    def started(self, index: int, recording: bool) -> None:
        """The front end has written the start record of an element, or could not."""
        activity = self.activities.get(index)
        if activity is not None:
            activity.started = True
            activity.recording = recording

    @property
    def awaits_start(self) -> bool:
        """Whether a start record is still to be written by the front end."""
        return not all(activity.started for activity in self.activities.values())

    def command_ended(self, status: int, usage: tuple[float, int], survivors: bool, alone: bool = False) -> None:
        """The leader ended with a wait status: so did the element that it was at.

        ``alone``: no process of it or of another is left that could still write.
        """
        for index in sorted(self.activities, reverse=True):
            if not self.background[index] or len(self.uids) == 1:
                record = ending_of_wait(status, usage, survivors)
                if alone and (written := self.activities[index].states()):
                    record["written"] = written
                self.end(index, record)
                return

    def close_all(self) -> None:
        """The last watched process is gone."""
        for index, activity in self.activities.items():
            if self.inside:  # who began it was to end it: it was interrupted
                activity.ended = True
            self.end(index, ending(None, None, survivors=False))
            self.close(index)

    def status_before(self, index: int, status: int, lives: Callable[[Activity], bool]) -> None:
        """``$?`` was ``status`` when element ``index`` began: the status of the foreground element before it.

        ``lives``: whether processes of an activity are left; asked where one may write to what its caller opened.
        """
        for before in range(index - 1, -1, -1):
            if self.background[before]:
                return
            if before in self.activities:
                survivors = bool(self._outputs) and lives(self.activities[before])
                self.end(before, ending(status, None, survivors))
                return


def outputs_of(pid: int) -> list[str]:
    """The files that a process which was not started yet has open for writing: the caller's redirections."""
    found = set[str]()
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []  # it is somebody else's: the ingester looks at the files itself, later
    for name in names:
        try:
            path = os.readlink(f"/proc/{pid}/fd/{name}")
            on_disk = path.startswith("/") and not path.startswith(("/dev/", "/proc/", "/memfd:"))
            if on_disk and open_flags(pid, name) & os.O_ACCMODE != os.O_RDONLY:
                found.add(path)
        except OSError:
            continue  # it is on its way to becoming the command, and closes what is not the command's
    return sorted(found)


def ending(status: int | None, usage: tuple[float, int] | None, survivors: bool) -> dict[str, object]:
    """The body of an end record: a shell's exit status (128+n is signal n), CPU seconds and peak memory."""
    cpu_s, max_rss_bytes = usage or (0.0, 0)
    return {
        "exit_status": status,
        "signal": None,
        "cpu_s": cpu_s,
        "max_rss_bytes": max_rss_bytes,
        "survivors": survivors,
    }


def ending_of_wait(status: int, usage: tuple[float, int], survivors: bool) -> dict[str, object]:
    """The same from a wait status; a signal counts as 128+n, as in a shell."""
    record = ending(None, usage, survivors)
    if os.WIFSIGNALED(status):
        return {**record, "exit_status": 128 + os.WTERMSIG(status), "signal": os.WTERMSIG(status)}
    return {**record, "exit_status": os.WEXITSTATUS(status)}
