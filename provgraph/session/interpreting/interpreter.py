"""Runs ingestors beside ingestion: those that fire for an activity, one after the other, in a process of their own.

Nothing waits for it but the spool file of the activity, which stays until its findings are journaled, and with it the
questions, which wait for the spool. After a crash the file is still there, and the findings are made anew, once.
"""

import contextlib
import re
import shlex
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import StoreError
from provgraph.ingest.places import Places
from provgraph.ingest.records import Record
from provgraph.ingestors import posix
from provgraph.ingestors.port import ActivityWords, Match, Moment, Occurrence
from provgraph.session.interpreting.catalogue import Catalogue
from provgraph.session.interpreting.finding_events import FindingWriter, History, Outcome, scrubber
from provgraph.session.interpreting.ingesting import Described
from provgraph.session.interpreting.occurring import Given, Recollection, Recorded
from provgraph.session.interpreting.process import checked

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore

_PATTERN_S: Final = 0.5
"""For so long, the patterns of one ingestor are looked for in a command."""
_SOON_S: Final = 1e-6
"""A timer of 0 would never ring."""


@dataclass(slots=True, eq=False)
class _Task:
    """An activity that ingestors run for."""

    uid: str
    spool: str = ""
    """Its spool file; empty while it runs."""
    left: list[Described] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    given: dict[Moment, Given] = field(default_factory=dict)
    unmatched: tuple[Moment, ...] = ()
    """Ingestors of these moments may fire: which there are is not known yet."""


class Interpreter:
    """What ingestion needs of the ingestors (`ingest.interpreting.Interpreting`).

    Parameters:
        store: open for writing. places: of its project.
        patterns: the user's own of what is a secret.
    """

    def __init__(self, store: "EmbeddedStore", places: Places, patterns: Sequence[str] = ()) -> None:
        self._store, self._places = store, places
        self._recollection = Recollection(store, places)
        self._writer = FindingWriter(store, scrubber(patterns))
        self._catalogue = Catalogue(store)
        self._endless: dict[Described, str] = {}
        self._queue: deque[_Task] = deque()
        self._running: dict[str, _Task] = {}
        """By uid: activities that have begun and not ended, for which ingestors ran or run."""
        self.log: list[str] = []

    # -- what ingestion asks

    @property
    def busy(self) -> bool:
        """Whether ingestors run, or wait for their turn."""
        return bool(self._queue)

    @property
    def wakes(self) -> list[int]:
        """Descriptors that become readable when there is something to do."""
        return self._catalogue.process.wakes

    def wants_beginning(self, start: Record) -> bool:
        """Whether an ingestor may want to run *before* a command, by its words."""
        return self._guarded(shlex.join(map(str, start["argv"])), lambda: self._wants(start))

    def _wants(self, start: Record) -> bool:
        described = self._catalogue.known()
        if described is None:
            return True
        early = [one for one in described if one.moment is Moment.BEFORE]
        if not early:
            return False
        argv = tuple(str(word) for word in start["argv"])
        line = (start.get("line") or {}).get("source") or shlex.join(argv)
        words = ActivityWords(argv=argv, command=str(line), utility=posix.annotate(argv).utility)
        occurrence = Occurrence(Moment.BEFORE, self._places.root, words)
        return any(self._fits(one, occurrence) for one in early)

    def begun(self, uid: str) -> None:
        """The beginning of an activity is journaled."""
        self._guarded(uid, lambda: self._begin(uid))

    def _begin(self, uid: str) -> bool:
        recorded = self._recollection.recorded(uid)
        if recorded is None:
            return False
        task = _Task(recorded.uid)
        self._match(task, recorded, (Moment.BEFORE,))
        if task.left or task.unmatched:
            self._running[task.uid] = task
            self._queue.append(task)
        return True

    def ended(self, spool: str, uid: str) -> bool:
        """The end of an activity is journaled. Returns whether findings are awaited: its spool file stays so long."""
        return self._guarded(uid, lambda: self._end(spool, uid))

    def _end(self, spool: str, uid: str) -> bool:
        if any(task.spool == spool for task in self._queue):
            return True
        recorded = self._recollection.recorded(uid)
        if recorded is None:
            return False
        task = self._running.pop(recorded.uid, None) or _Task(recorded.uid)
        task.given.clear()
        task.spool = spool
        self._match(task, recorded, tuple(Moment))
        if task in self._queue:
            return True
        if not task.left and not task.outcomes and not task.unmatched:
            return False
        self._queue.append(task)
        return True

    def step(self) -> list[str]:
        """Journal what was found in the meantime; returns the spools of the activities that nothing is awaited of."""
        done: list[str] = []
        try:
            self._advance(done)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - as in ``_guarded``
            self.log.append(f"ingestors: {type(error).__name__}: {error}")
            done += [task.spool for task in self._queue if task.spool]
            self.close()
        return done

    def _advance(self, done: list[str]) -> None:
        while self._queue and self._catalogue.known() is not None:
            task = self._queue[0]
            process = self._catalogue.process
            if process.busy:
                answer = process.look()
                if answer is None:
                    break
                self._answered(task, *checked(answer))
            elif task.unmatched:
                self._guarded(task.uid, partial(self._match_late, task))
            elif task.left:
                self._ask(task)
            else:
                self._queue.popleft()
                self._guarded(task.uid, partial(self._journal, task))
                done += [task.spool] if task.spool else []

    def close(self) -> None:
        """End the process; what is not journaled is made anew, for its spool file is still there."""
        self._catalogue.process.close()
        self._queue.clear()
        self._running.clear()

    # -- which ones fire

    def _match(self, task: _Task, recorded: Recorded, moments: tuple[Moment, ...]) -> None:
        self._catalogue.try_again()
        described = self._catalogue.known()
        if described is None:
            task.unmatched = moments
            return
        task.unmatched = ()
        asked = {one.name for one in task.left} | {one.name for one in task.outcomes}
        before = self._history(recorded)
        for one in described:
            if one.moment not in moments or one.name in asked or before.tried(one.name, one.version):
                continue
            words = Occurrence(one.moment, self._places.root, self._recollection.words(recorded))
            try:
                if self._fits(one, words) and self._explains(one, recorded, task):
                    task.left.append(one)
            except (TimeoutError, re.error) as error:
                task.outcomes.append(Outcome(one.name, one.version, str(one.moment), error=f"its pattern: {error}"))

    def _match_late(self, task: _Task) -> bool:
        """It is known by now which ingestors there are."""
        moments, task.unmatched = task.unmatched, ()
        recorded = self._recollection.recorded(task.uid)
        if recorded is not None:
            self._match(task, recorded, moments)
        return True

    def _fits(self, one: Described, words: Occurrence) -> bool:
        """As ``fits_words``; one whose patterns took too long once is not tried again."""
        if one in self._endless:
            raise TimeoutError(self._endless[one])
        try:
            return fits_words(one.match, words)
        except TimeoutError as error:
            self._endless[one] = str(error)
            raise

    def _explains(self, one: Described, recorded: Recorded, task: _Task) -> bool:
        match = one.match
        if not match.files and not match.media_types:
            return True
        return bool(self._given(recorded, task, one.moment).occurrence.matching(match))

    def _given(self, recorded: Recorded, task: _Task, moment: Moment) -> Given:
        moment = moment if moment is Moment.BEFORE and not task.spool else Moment.AFTER
        if moment not in task.given:
            task.given[moment] = self._recollection.given(recorded, moment)
        return task.given[moment]

    def _history(self, recorded: Recorded) -> History:
        return History(self._store.found(recorded.uid))

    # -- running them

    def _ask(self, task: _Task) -> None:
        def ask() -> bool:
            recorded = self._recollection.recorded(task.uid)
            assert recorded is not None
            given = self._given(recorded, task, task.left[0].moment)
            self._catalogue.process.ask(request(task.left[0], given))
            return True

        if not self._guarded(task.uid, ask):
            task.left.pop(0)

    def _answered(self, task: _Task, value: dict[str, Any], error: str) -> None:
        one, read = task.left[0], value.get("read") or ()
        if one.moment is not Moment.BEFORE and any(given.changed(read) for given in task.given.values()):
            task.given.clear()  # it is asked once more, and no longer given the bytes of what has changed
            return
        task.left.pop(0)
        task.outcomes.append(outcome_of(one, value, error))

    def _journal(self, task: _Task) -> bool:
        recorded = self._recollection.recorded(task.uid)
        if recorded is None:
            return False
        given = self._recollection.given(recorded, Moment.AFTER)
        before = self._history(recorded)
        ready = [one for one in task.outcomes if one.error or not before.has(one.name, one.version)]
        if not task.spool:  # what names files that are not settled yet waits for the end
            ready = [one for one in ready if not self._writer.check(given, one)[0].error]
        self._writer.write(given, ready, before)
        task.outcomes = [one for one in task.outcomes if one not in ready]
        return True

    def _guarded(self, uid: str, do: Callable[[], bool]) -> bool:
        """What goes wrong here costs the findings of one activity, never what is recorded of it."""
        try:
            return do()
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001
            self.log.append(f"ingestors for {uid}: {type(error).__name__}: {error}")
            return False


def request(one: Described, given: Given) -> dict[str, object]:
    """What the process is asked."""
    occurrence = given.occurrence.to_json() | {"moment": str(one.moment)}
    return {"do": "run", "name": one.name, "occurrence": occurrence, "held": sorted(given.held)}


def outcome_of(one: Described, value: dict[str, Any], error: str) -> Outcome:
    """What an answer comes to."""
    found = value.get("findings")
    if not error and found is not None and not isinstance(found, dict):
        error = f"it returned a {type(found).__name__}, not an object"
    left_out, gone = tuple(value.get("left_out") or ()), tuple(value.get("gone") or ())
    return Outcome(one.name, one.version, str(one.moment), None if error else found, error, left_out, gone)


def fits_words(match: Match, words: Occurrence) -> bool:
    """Whether the command patterns of a match fit, in bounded time.

    Raises:
        TimeoutError: they take too long.
    """
    if not match.utility and not match.command:
        return True
    with _bounded(_PATTERN_S):
        return bool(Match(match.utility, match.command).explain(words))


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Interrupt what takes too long: a pattern may backtrack forever.

    Only where signals can (the main thread), and not where the alarm is somebody's who is no Python: it could not be
    given back. An alarm of the caller's own goes on afterwards.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGALRM) is None:
        yield
        return

    def ring(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"it was looked for in a command for over {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    left_s, interval_s = signal.setitimer(signal.ITIMER_REAL, seconds)
    began = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left_s:
            signal.setitimer(signal.ITIMER_REAL, max(left_s - (time.monotonic() - began), _SOON_S), interval_s)
