"""Activities inside this process: their beginning, what they say of themselves, and their end."""

from __future__ import annotations

import os
import sys
import time
from _thread import RLock, get_ident
from contextvars import ContextVar

from provgraph.client.moments import now
from provgraph.client.project import find_project, unusable
from provgraph.client.scrub_words import recorded_environment, scrubbed_text, scrubbed_words
from provgraph.client.settings import read_settings
from provgraph.client.spool import new_activity_uid
from provgraph.client.spool_writer import SpoolWriter
from provgraph.client.start_record import command_line, recorded_command, scrubbed_record, start_record
from provgraph.client.starting import wake
from provgraph.client.surroundings import start_ticks
from provgraph.client.values import as_metric, as_step, name_of, plain_mapping, scrubbed_mapping, shown_error, status_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from provgraph.client.audit import Watch
    from provgraph.client.supervised import Link

AUDIT, SECCOMP = "audit", "seccomp"
_BURST = 1000
"""So many points are written one by one, whenever they come …"""
_PAUSE_NS = 200_000
"""… and one more for each of these pauses; those that come faster for long are written together."""
_TOGETHER = 200
_MAIN_THREAD = get_ident()

_own: ContextVar[Activity | None] = ContextVar("provgraph_activity", default=None)
_shared: list[Activity] = []
"""Those of the whole process, the innermost last: begun with ``process``, or in the main thread."""


def current() -> Activity | None:
    """The innermost open activity of the calling context, else that of the process; None where there is none.

    A thread does not know who started it: what it does belongs to what the main thread is at. In the main thread,
    a context that knows of none is an asyncio task beside those that began some.
    """
    own = _own.get()
    while own is not None and own.ended:
        own = own.parent
    if own is not None:
        return own
    elsewhere = get_ident() != _MAIN_THREAD
    for shared in reversed(_shared):
        if not shared.ended and (shared.process or elsewhere):
            return shared
    return None


def project_root(folder: str | None = None) -> str | None:
    """The root of the project that is recorded into, or None."""
    return _project(folder)[0]


def why_not(folder: str | None = None) -> str | None:
    """Why nothing is recorded: one line with the next step; None where it is."""
    return _project(folder)[1]


def _project(folder: str | None = None) -> tuple[str | None, str | None]:
    if os.environ.get("PROVDB_DISABLE", "0") not in ("", "0"):
        return None, "PROVDB_DISABLE is set"
    try:
        root = find_project(folder or os.getcwd(), os.environ) or _project_of_command()
        if root is None:
            return None, "no project here; `provdb init` makes one"
        reason = unusable(root)
    except Exception as error:
        return None, f"no project can be found: {error}"
    return (None, reason) if reason else (root, None)


def _project_of_command() -> str | None:
    root = os.environ.get("PROVDB_ROOT")
    return find_project(root, {}) if root else None


def scrubbed(text: str, root: str | None = None) -> str:
    """A text without secrets, by the built-in patterns and those of the project."""
    return scrubbed_text(text, _patterns(root if root is not None else project_root()))


def _patterns(root: str | None) -> tuple[str, ...]:
    found = read_settings(root).get("scrub", ()) if root else ()
    return tuple(str(pattern) for pattern in found) if isinstance(found, list) else ()


class Activity:
    """An activity of this process. Made by :func:`begin`.

    Attributes:
        uid, root, kind, capture: see the package; ``root`` is "" where nothing is recorded.
        parent: the activity inside this process in which it was begun, or None.
    """

    def __init__(self, kind: str, parent: Activity | None) -> None:
        self.kind, self.parent = kind, parent
        self.uid = new_activity_uid()
        self.root = ""
        self.capture = AUDIT
        self.recorded = False
        self.ended = False
        self.audit = True
        self.durable = True
        self.process = False
        self._pid = os.getpid()
        self._spool: SpoolWriter | None = None
        self._link: Link | None = None
        self._patterns: tuple[str, ...] = ()
        self._points: list[list[object]] = []
        self._points_ns = 0
        self._allowed = float(_BURST)
        self._lock = RLock()
        self._cpu_s = 0.0
        self.watch: Watch | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Another process that is given it may say things of it, too; only this one ends it."""
        return _elsewhere, (self.kind, self.uid, self.root, self.capture, self.recorded and not self.ended)

    def join(self, uid: str, root: str, capture: str) -> None:
        """Become the likeness of an activity that another process has begun."""
        self.uid, self.root, self.capture, self._pid = uid, root, capture, -1
        path = f"{root}/.provdb/spool/{uid}.jsonl"
        if os.path.exists(path):
            self._patterns, self._spool, self.recorded = _patterns(root), SpoolWriter(path), True

    def without_secrets(self, text: str) -> str:
        """A text as it may be written: see :func:`scrubbed`."""
        return scrubbed_text(text, self._patterns)

    # -- what is recorded ----------------------------------------------------------------------------------------

    def operation(self, code: str, *rest: object) -> None:
        """Record one operation, now: ``[code, t, *rest]``, as the spool's schema says."""
        if self.recorded and not self.ended:
            self.write({"record": "progress", "ops": [[code, now(), *rest]]})

    def say(
        self,
        params: Mapping[str, object] | None = None,
        metrics: Mapping[str, object] | None = None,
        properties: Mapping[str, object] | None = None,
        tags: Mapping[str, object] | None = None,
        note: str | None = None,
        used: Iterable[object] = (),
        generated: Iterable[object] = (),
    ) -> None:
        """Say something of it: parameters, metrics (without steps), properties, tags, a note, files or URLs."""
        said: dict[str, object] = {}
        for key, values in (("params", params), ("properties", properties), ("tags", tags)):
            if values:
                said[key] = scrubbed_mapping(plain_mapping(key, values), self._patterns)
        if note is not None:
            said["note"] = self.without_secrets(str(note))
        if said:
            self._say(said)
        if metrics:
            self.log_metrics(metrics)
        for path in used:
            self.used(path)
        for path in generated:
            self.generated(path)

    def used(self, path: Any) -> Any:
        """It used a file (as it is now) or a URL; ``path`` is returned."""
        self._declare("used", path)
        return path

    def generated(self, path: Any) -> Any:
        """It generated a file (as it is at its end) or a URL; ``path`` is returned."""
        self._declare("generated", path)
        return path

    def log_metric(self, name: str, value: Any, step: int | None = None) -> None:
        """One point of a series.

        Raises:
            TypeError: the name is no text, the value no number, the step no whole number.
        """
        point: list[object] = [name_of(name), as_step(step), as_metric(value), time.time_ns()]
        if not self.recorded or self.ended:
            return
        with self._lock:
            self._points.append(point)
            at = now()
            self._allowed = min(_BURST, self._allowed + (at - self._points_ns) / _PAUSE_NS) - 1
            self._points_ns = at
            wait = self._allowed < 0 and len(self._points) < _TOGETHER
            self._allowed = max(self._allowed, -1)
        if not wait:
            self._flush()

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """One point of each of several series."""
        for name, value in metrics.items():
            self.log_metric(name, value, step)

    def log_param(self, name: str, value: object) -> None:
        """One parameter."""
        self.say(params={name: value})

    def log_params(self, params: Mapping[str, object]) -> None:
        """Several parameters."""
        self.say(params=params)

    def tag(self, name: str, value: object) -> None:
        """One property under a key of the user's own."""
        self.say(tags={name: value})

    def note(self, text: str) -> None:
        """A note; several stand below each other."""
        self.say(note=text)

    def _declare(self, direction: str, path: Any) -> None:
        from provgraph.client.files import declared

        for record in declared(self, direction, path):
            self.write(record)

    def _say(self, said: dict[str, object]) -> None:
        if self.recorded and not self.ended:
            self.write({"record": "said", "t": now(), "time": time.time_ns(), **said})

    def _flush(self) -> None:
        with self._lock:
            points, self._points = self._points, []
        if points and self._spool is not None:
            self._append({"record": "said", "t": now(), "time": time.time_ns(), "metrics": points})

    def write(self, record: dict[str, object]) -> None:
        """Append a record to its spool file; nothing where it is not recorded or has ended."""
        if self.recorded and not self.ended:
            if self._points:
                self._flush()
            self._append(record)

    def _append(self, record: dict[str, object], sync: bool = False) -> None:
        with self._lock:  # whoever ends it closes the file
            written = self._spool is None or self._spool.append(record, sync)
        if not written:
            self.recorded = False
        elif self._link is None:
            wake(self.root)

    def tell_thread(self, uid: str | None) -> None:
        """The calling thread is at another of the open activities: see :mod:`provgraph.client.switching`."""
        if self._link is not None:
            self._link.switch(uid)

    # -- its life ------------------------------------------------------------------------------------------------

    def start(self, root: str, record: dict[str, object], shared: bool) -> None:
        """Begin to record into the project at ``root``: what :func:`begin` does with it."""
        self.root = root
        self._patterns = _patterns(root)
        self._spool = SpoolWriter(f"{root}/.provdb/spool/{self.uid}.jsonl")
        begun_at = now()
        within = self.parent.uid if self.parent is not None and self.parent.root == root else None
        parent = within or recorded_command(root)
        from provgraph.client import supervised, switching

        link = supervised.link()
        answer = link.begin(root, self.uid, within, shared) if link is not None else None
        if link is not None and answer is not None:
            self._link, self.capture, parent = link, SECCOMP, answer or parent
            switching.begun(self)
        supervisor = os.getpid() if self._link is None else self._link.supervisor
        record.update(
            {
                "t": begun_at,
                "time": time.time_ns() - (now() - begun_at),
                "activity": self.uid,
                "capture": self.capture,
                "supervisor": supervisor,
                "supervisor_start": start_ticks(supervisor),
                "env": recorded_environment(os.environ, self._patterns),
                "argv": scrubbed_words(command_line(), self._patterns),
            }
        )
        if parent:
            record.update({"parent": parent, "inside": True})
        sync = self.durable and self._link is None
        self.recorded = self._spool.append(scrubbed_record(record, self._patterns), sync)
        if self._link is not None:
            self._link.started(self.uid, self.recorded)
        if not self.recorded:
            self._spool.discard()
            return
        self._cpu_s = time.process_time()
        self._watch()

    def _watch(self) -> None:
        """Where no supervisor does, Python's audit hook sees what is opened."""
        self.operation("v", sys.prefix)
        if self._link is None:
            from provgraph.client.audit import Watch

            try:
                self.watch = Watch(self)
            except Exception:  # another hook refuses ours, or the project's settings are damaged
                self.operation("g", "audit hook")
            wake(self.root, at_once=True)

    def end(self, status: int | None = None, error: BaseException | Mapping[str, object] | None = None) -> None:
        """End it, once. In a forked child, this does nothing: who began it ends it.

        Parameters:
            status: as an exit status; without it 0, or that of the error.
            error: an exception, or {"type", "message"} of one.
        """
        if self.ended or os.getpid() != self._pid:
            return
        wakes = False
        try:
            if self.recorded or self._link is not None:
                wakes = self._end(status, error)
        except Exception:
            pass
        finally:
            self.ended = True
            if self._link is not None:
                from provgraph.client import switching

                switching.ended(self)
            if _own.get() is self:
                _own.set(self.parent)
            if self in _shared:
                _shared.remove(self)
            self._close()
        if wakes:
            wake(self.root, at_once=True)

    def _close(self) -> None:
        with self._lock:
            if self._spool is not None:
                self._spool.close()

    def _end(self, status: int | None, error: BaseException | Mapping[str, object] | None) -> bool:
        """Write how it ended; returns whether the ingester is to be told."""
        self._flush()
        body: dict[str, object] = {
            "exit_status": status_of(error) if status is None else status,
            "cpu_s": round(time.process_time() - self._cpu_s, 6),
        }
        if error is not None and (shown := shown_error(error, self._patterns)) is not None:
            body["error"] = shown
        if self._link is not None and self._link.end(self.uid, body):
            return False
        if self._link is not None:
            self._append({"record": "lost", "t": now(), "time": time.time_ns()})
        if self.watch is not None:
            body["written"] = self.watch.finish()
        at: dict[str, object] = {"t": now(), "time": time.time_ns()}
        self._append({"record": "end", **at, "signal": None, "survivors": False, **body})
        self._append({"record": "closed", **at}, sync=self.durable)
        return True


def _elsewhere(kind: str, uid: str, root: str, capture: str, recorded: bool) -> Activity:
    activity = Activity(kind, None)
    try:
        if recorded:
            activity.join(uid, root, capture)
    except Exception:
        activity.recorded = False
    return activity


def begin(
    kind: str,
    name: str | None = None,
    about: Mapping[str, object] | None = None,
    *,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
    note: str | None = None,
    process: bool = False,
    audit: bool = True,
    durable: bool = True,
    root: str | None = None,
) -> Activity:
    """Begin an activity; see the package."""
    activity = Activity(kind, current())
    activity.audit, activity.durable, activity.process = audit, durable, process
    shared = process or get_ident() == _MAIN_THREAD
    try:
        found = root if root is not None else project_root()
        if found is not None:
            activity.start(found, start_record(kind, name, about, note), shared)
    except Exception:
        activity.recorded = False
    except BaseException:  # Ctrl-C: whoever asked for it will not end it
        activity.end()
        raise
    if shared:
        _shared.append(activity)
    if not process:
        _own.set(activity)
    if params or tags:
        activity.say(params=params, tags=tags)
    return activity


def _in_child() -> None:
    """After a fork: locks that other threads held are nobody's now, and what they waited to write is the parent's."""
    global _MAIN_THREAD  # noqa: PLW0603 - one process has one
    _MAIN_THREAD = get_ident()
    switching = sys.modules.get("provgraph.client.switching")
    if switching is not None:
        switching.forget()
    inherited, own = list(_shared), _own.get()
    while own is not None:
        inherited.append(own)
        own = own.parent
    for activity in inherited:
        activity._lock = RLock()  # noqa: SLF001 - its own module
        activity._points = []  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
