"""Activities inside a watched process: those that ``provgraph.client`` begins (semantics rule 4).

A process tells over the registration socket which of its activities its threads are at. What a thread does belongs to
the activity that it is at, and what it starts meanwhile belongs to that too. Threads that began none are at what the
main thread is at (to the kernel, a process is its main thread).
"""

from __future__ import annotations

import os

from provgraph.capture.attribution import Attribution, tasks_of
from provgraph.capture.run import Run, ending, outputs_of
from provgraph.client.light_json import loads
from provgraph.client.moments import states_of
from provgraph.client.supervised import BEGIN, FINISH, NOBODY, STARTED, SWITCH, THREAD, UID_BYTES, UNRECORDED

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Callable

    from provgraph.capture.activity import Activity


_OF_UIDS = frozenset("0123456789abcdef-")


class Insider:
    """The activities of one process.

    Parameters:
        attribution: learns whose doing it is.
        pid: the process.
        send: answers it.
    """

    def __init__(self, attribution: Attribution, pid: int, send: Callable[[bytes], None]) -> None:
        self._attribution = attribution
        self._pid = pid
        self._send = send
        self._runs: dict[str, Run] = {}
        self._within: dict[str, str] = {}  # uid → that of the activity in this process that it is in
        self._base = attribution.owner_of(pid)

    def heed(self, kind: bytes, rest: bytes, flush: Callable[[], None]) -> None:
        """One message of the process."""
        uid, rest = rest[:UID_BYTES].decode("ascii", "replace"), rest[UID_BYTES:]
        if len(uid) != UID_BYTES or not _OF_UIDS.issuperset(uid.strip()):
            return  # it becomes the name of a file
        if kind == BEGIN:
            thread, rest = THREAD.unpack_from(rest)[0], rest[THREAD.size :]
            self._begin(uid, thread, rest[:1] == b"1", rest[1:])
        elif kind == STARTED and uid in self._runs:
            self._runs[uid].started(0, rest == b"1")
        elif kind == SWITCH:
            self._attribution.put(THREAD.unpack(rest)[0], self._owner(uid))
            self._send(SWITCH + uid.encode())
        elif kind == FINISH:
            if uid in self._runs:
                self._finish(uid, rest)
                flush()
            self._send(FINISH + uid.encode())

    def _begin(self, uid: str, thread: int, shared: bool, rest: bytes) -> None:
        within, root = rest[:UID_BYTES], os.fsdecode(rest[UID_BYTES:])
        attribution = self._attribution
        if not attribution.is_below(self._pid):  # it inherited our name, but not our filter
            self._send(UNRECORDED + uid.encode())
            return
        parent = "" if within == NOBODY else within.decode()
        run = Run([uid], [False], root, self._pid, _announced, like=attribution.main)
        attribution.watch_too(run)
        outer = self._owner(parent)
        self._runs[uid], self._within[uid] = run, parent
        if shared:
            self._move(outer, self._owner(uid))
        attribution.adopt_children(self._pid, thread, outer)
        attribution.put(thread, self._owner(uid), keep=thread == self._pid)
        self._send(BEGIN + uid.encode() + (outer[1].uid if outer is not None else "").encode())

    def _owner(self, uid: str) -> tuple[Run, Activity] | None:
        run = self._runs.get(uid)
        return self._base if run is None else (run, run.activities[0])

    def _move(self, old: tuple[Run, Activity] | None, new: tuple[Run, Activity] | None) -> None:
        """Those of the process's threads that are at ``old`` are at ``new``; its children stay what they are."""
        attribution = self._attribution
        for task in tasks_of(self._pid):
            if attribution.owner_of(task) == old:
                attribution.adopt_children(self._pid, task, old)
                attribution.put(task, new, keep=task == self._pid)

    def _finish(self, uid: str, text: bytes) -> None:
        run, outer = self._leave(uid)
        activity = run.activities[0]
        survivors = self._attribution.has_task(activity)
        try:
            said = loads(text.decode("utf-8", "surrogateescape"))
        except ValueError:
            said = None
        body: dict[str, object] = said if isinstance(said, dict) else {}
        record = {**ending(None, None, survivors), "max_rss_bytes": None, **body, "survivors": survivors}
        if not survivors and (written := activity.states()):
            record["written"] = written
        run.end(0, record)
        if not survivors:
            run.close(0)
        self._hand_over(activity, outer)

    def _hand_over(self, activity: Activity, outer: tuple[Run, Activity] | None) -> None:
        """What it leaves open for writing is written on by what it was in: nobody sees that until the end."""
        if outer is not None and activity.has_written:
            left_open = [path for path in outputs_of(self._pid) if activity.is_written(path)]
            for output in states_of(left_open):
                outer[1].inherited(output["path"], output["stat"])

    def _leave(self, uid: str) -> tuple[Run, tuple[Run, Activity] | None]:
        """Its threads are at what it was in; that is returned, too."""
        run, within = self._runs[uid], self._within.pop(uid)
        while within and within not in self._runs:
            within = self._within.get(within, "")
        outer = self._owner(within)
        self._move(self._owner(uid), outer)
        del self._runs[uid]
        return run, outer

    def lost(self) -> None:
        """The process is gone, or another program now: what it had not ended was interrupted."""
        for uid in list(self._runs):
            run, _ = self._leave(uid)
            run.activities[0].ended = True
            run.close(0)


def _announced(_index: int, _pid: int, _at: int) -> None:
    """The process itself writes the start record."""
