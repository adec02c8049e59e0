"""Activities that overlap in one process (asyncio tasks, threads): the supervisor is told which one a thread is at.

It knows threads, Python knows contexts. So where activities of one process overlap, Python's audit hook compares the
two before a file is opened or a program is started, and tells the supervisor where they differ.
"""

from __future__ import annotations

import sys
from _thread import get_ident

from provgraph.client.supervised import asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from provgraph.client.recording import Activity

_EVENTS = frozenset(
    {
        "open", "os.chmod", "os.exec", "os.fork", "os.link", "os.posix_spawn", "os.remove", "os.rename", "os.spawn",
        "os.symlink", "os.system", "os.truncate", "subprocess.Popen",
    }
)  # fmt: skip

_open: list[Activity] = []
_told: dict[int, str] = {}
"""Thread → uid of the activity that the supervisor takes it to be at, "" for none inside this process."""
_state = {"installed": False, "overlap": False}
_busy: set[int] = set()


def begun(activity: Activity) -> None:
    """An activity began that is supervised."""
    _told[get_ident()] = activity.uid
    outer: set[Activity] = set()
    above = activity.parent
    while above is not None:
        outer.add(above)
        above = above.parent
    if any(other not in outer for other in _open):
        _state["overlap"] = True
        if not _state["installed"]:
            _state["installed"] = True
            sys.addaudithook(_hook)
    _open.append(activity)


def ended(activity: Activity) -> None:
    """It ended: its threads are at what it was in."""
    if activity in _open:
        _open.remove(activity)
    above = activity.parent
    while above is not None and above.ended:
        above = above.parent
    for thread in [thread for thread, uid in _told.items() if uid == activity.uid]:
        _told[thread] = above.uid if above is not None else ""
    if not _open:
        _state["overlap"] = False
        _told.clear()


def _hook(event: str, _arguments: tuple[Any, ...]) -> None:
    if not _state["overlap"] or event not in _EVENTS:
        return
    thread = get_ident()
    if thread in _busy or thread in asking:
        return
    _busy.add(thread)
    try:
        from provgraph.client.recording import current

        at = current()
        while at is not None and at not in _open:
            at = at.parent
        uid = "" if at is None else at.uid
        if _told.get(thread) != uid and _open:
            _open[-1].tell_thread(uid or None)
            _told[thread] = uid
    except Exception:
        pass  # the program goes first
    finally:
        _busy.discard(thread)


def forget() -> None:
    """In a forked child: what is open is the parent's."""
    _open.clear()
    _told.clear()
    _busy.clear()
    _state["overlap"] = False
