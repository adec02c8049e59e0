"""The ingester: follows the spool of one project, applies operations in the order of their times, journals."""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.errors import InputError, StoreError
from provgraph.events.ports import JournalPort, KnowledgePort, ObjectsPort
from provgraph.ingest.applying import Applier
from provgraph.ingest.collect import Collector
from provgraph.ingest.commits import KINDS, Commits
from provgraph.ingest.contents import Contents
from provgraph.ingest.describe import Annotate, Describer
from provgraph.ingest.environment import Environments
from provgraph.ingest.finish import Finisher, is_git, still_open
from provgraph.ingest.following import Followed, fix, late, written_to
from provgraph.ingest.growing import Growing, Unfollowed
from provgraph.ingest.growing import running as written
from provgraph.ingest.hashing import hash_one
from provgraph.ingest.interpreting import Interpreting, Uninterpreted
from provgraph.ingest.lookup import Lookup
from provgraph.ingest.notice import at_rest, changed_files, git_is_at_work, notice
from provgraph.ingest.places import Places
from provgraph.ingest.records import Record, SpoolTail, alive, never_begun, remove, runs, spool_files
from provgraph.ingest.settle import Settler
from provgraph.ingest.sharing import Sharing
from provgraph.ingest.state import Act
from provgraph.ingest.timeline import SPOOL_CLOCK, Timeline
from provgraph.ingest.write import Writer

_THE_DISKS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""What no activity is to blame for: ingestion waits for a better time."""
_LOOKS: Final = 20
_TOGETHER: Final = 50
"""Activities that end in a burst are journaled in one transaction, up to so many."""
_PATIENCE_NS: Final = 1_000_000_000
"""For so long, what has happened waits for what may have happened before it and is not written down."""
PROGRESS_NS: Final = 1_000_000_000
"""A running activity's uses are journaled about once a second."""


@dataclass(slots=True)
class Limits:
    """What the project's configuration sets."""

    collection_files: int = 1000
    hash_bytes: int = 1 << 30


@dataclass(slots=True)
class Wiring:
    """Everything that ingestion needs from outside."""

    spool: str
    places: Places
    journal: JournalPort
    knowledge: KnowledgePort
    objects: ObjectsPort
    annotate: Annotate
    validate: Callable[[Record], object]
    limits: Limits = field(default_factory=Limits)
    interpreting: Interpreting = field(default_factory=Uninterpreted)
    growing: Growing = field(default_factory=Unfollowed)


class Ingester:
    """Ingests one project's spool. One at a time for a project (the caller holds the lock)."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.log: list[str] = []
        """Failures, for the log file; each cost one activity at most."""
        self._one_by_one = False
        self._not_to_hash: set[str] = set()
        self._interpreted: set[str] = set()
        """Spool files of what is journaled, but for what ingestors find of it."""
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Hold nothing in memory: all that is not journaled is read from the spool again."""
        wiring = self.wiring
        contents = Contents(wiring.objects, wiring.knowledge, wiring.limits.hash_bytes)
        self.lookup = Lookup(wiring.places, contents, wiring.knowledge)
        self.timeline = Timeline(contents, wiring.spool)
        contents.refresh = self._read
        contents.is_late = lambda: bool(late(self._followed.values()))
        self.settler = Settler(self.lookup)
        self.collector = Collector(self.lookup, self.settler, wiring.limits.collection_files)
        self.sharing = Sharing(self.lookup, self.settler)
        self.finisher = Finisher(self.lookup, self.settler, self.collector, self.timeline, self.sharing)
        self.environments = Environments(self.lookup, self.settler)
        self.applier = Applier(self.lookup, self.settler, self.sharing, self.environments, self.collector)
        self.describer = Describer(wiring.annotate, self._next_number, wiring.places.root)
        self.writer = Writer(wiring.journal, wiring.knowledge, self.lookup, self.describer.describe)
        self.commits = Commits(
            wiring.journal, wiring.knowledge, self.lookup, self.settler, self.writer, lambda: self._flush([]),
            wiring.limits.collection_files,
        )  # fmt: skip
        self._followed: dict[str, Followed] = {}
        self._awaited: dict[str, int] = {}
        """Activities whose start is not there yet → when a command that runs in one began."""
        self._acts: list[Act] = []
        self._ended: list[Act] = []
        self._number = 0
        self._flushed_ns = 0

    # -- following ---------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether activities are known that have not ended, or that have and are not journaled."""
        return any(followed.start is not None for followed in self._followed.values())

    @property
    def waiting(self) -> bool:
        """Whether operations have been read that are too young to be applied."""
        return len(self.timeline) > 0

    @property
    def interpreting(self) -> bool:
        """Whether findings are awaited of activities that are journaled."""
        return bool(self._interpreted) or self.wiring.interpreting.busy

    def step(self) -> bool:
        """Read what has arrived, apply it, journal what is due. Returns whether anything happened."""
        arrived = False
        known = set(self._followed)
        while True:  # of an activity that was only just met, it is not known how far its supervisor has written
            written = written_to(self._followed.values())
            arrived = self._read() or arrived
            if self._followed.keys() <= known:
                break
            known = set(self._followed)
        applied = self._apply(written)
        self._give_up_on_the_dead()
        self._progress()
        found = self.wiring.interpreting.step()
        self.log += self.wiring.interpreting.log
        self.wiring.interpreting.log.clear()
        for name in found:
            path = os.path.join(self.wiring.spool, name + ".jsonl")
            self._interpreted.discard(path)
            remove(path)
        return arrived or applied or bool(found)

    @property
    def wakes(self) -> list[int]:
        """Descriptors that become readable when there is something to do."""
        return self.wiring.interpreting.wakes

    def close(self) -> None:
        """Let go of what works beside. What is not journaled is found in the spool again."""
        self.wiring.interpreting.close()

    def _read(self) -> bool:
        arrived = False
        files = [path for path in spool_files(self.wiring.spool) if path not in self._interpreted]
        fresh = [path for path in files if path not in self._followed]
        resumed = self.wiring.journal.resume([_spool_name(path) for path in fresh]) if fresh else {}
        for path in fresh:
            self._followed[path] = Followed(SpoolTail(path, self.wiring.validate))
        for path in files:
            followed = self._followed[path]
            for record in followed.tail.read():
                arrived = True
                self._take(path, followed, record, resumed)
        return arrived

    def _take(self, path: str, followed: Followed, record: Record, resumed: dict[str, Any]) -> None:
        kind = record["record"]
        name = _spool_name(path)
        earlier = resumed.get(name)
        if earlier is not None and earlier.closed:
            if path in self._followed:  # the first of its records
                self._interpret(path, name, earlier.first_uid)
            return
        if kind == "start":
            followed.start = record
            act = Act(spool=name, start=record)
            if earlier is not None:
                act.uid, act.number, act.begun, act.journaled_t = earlier.uid, earlier.number, True, earlier.t
                if earlier.first_uid != earlier.uid:
                    act.whole = Act(spool=name, start=record, uid=earlier.first_uid, number=earlier.number, begun=True)
            self.timeline.push(int(record["t"]), name, ("start", act))
            self._await_parent(name, record)
            for waiting in followed.early:
                self._take(path, followed, waiting, resumed)
            followed.early.clear()
            return
        if followed.start is None:
            followed.early.append(record)
            if kind == "progress" and not followed.read_to:
                followed.read_to = min((int(op[1]) for op in record["ops"]), default=1) - 1
            return
        if kind == "progress":
            for op in record["ops"]:
                fix(followed, op, self.lookup, self.collector.threshold)
                followed.read_to = max(followed.read_to, int(op[1]))
                # The start is timed by another process than the operations: none comes before it.
                self.timeline.push(max(int(op[1]), int(followed.start["t"])), name, op)
            return
        self.timeline.push(int(record["t"]), name, (kind, record))
        followed.ended = followed.ended or kind == "end"
        followed.closed = followed.closed or kind == "closed"

    def _await_parent(self, name: str, start: Record) -> None:
        """Another process writes the start of the activity that a nested command runs in: it may come later."""
        self._awaited.pop(name, None)
        parent = start.get("parent")
        followed = self._followed.get(os.path.join(self.wiring.spool, f"{parent}.jsonl"))
        if parent and (followed is None or followed.start is None) and not self.wiring.journal.resume([parent]):
            self._awaited.setdefault(parent, int(start["t"]))

    def _until(self, times: list[int], slow: list[Followed]) -> int | None:
        """Nothing later than this may be applied, since what came before it is not all there; None where it is."""
        old = time.clock_gettime_ns(SPOOL_CLOCK) - _PATIENCE_NS
        self._awaited = {name: t for name, t in self._awaited.items() if t > old}
        behind = [one.read_to for one in self._followed.values() if one.tail.behind]
        waited_for = [max(one.read_to, old) for one in slow if not one.closed]
        awaited = [t - 1 for t in self._awaited.values()]
        # Two processes write a file of the spool: operations may be there before the start.
        early = [one.read_to for one in self._followed.values() if one.start is None]
        return min([*times, *behind, *waited_for, *awaited, *(t for t in early if t > old)], default=None)

    # -- applying ----------------------------------------------------------------------------------------------

    def _apply(self, written: tuple[list[int], list[Followed]]) -> bool:
        applied = False
        name = ""
        try:
            all_ended = all(one.closed for one in self._followed.values())
            for t, _, name, what in self.timeline.due(all_ended=all_ended, until=self._until(*written)):
                applied = True
                self._apply_one(t, name, what)
                if len(self._ended) >= (1 if self._one_by_one else _TOGETHER):
                    self._journal_ended()
            self._journal_ended()
        except StoreError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _THE_DISKS:
                raise StoreError(f"{self.wiring.spool} cannot be ingested now: {error}") from error
            if self._one_by_one:
                self._fail(name, error)
            # Whose fault it is shows when all that is in the spool is ingested once more, one by one.
            self._one_by_one = True
            self._begin_anew()
        return applied

    def _apply_one(self, t: int, name: str, what: Any) -> None:
        if isinstance(what, tuple):
            kind, value = what
            if self.commits.is_hook(name, kind, value):
                self._hook(name, kind, value)
                return
            if kind == "start":
                self._acts.append(value)
                self.applier.start(value)
                if not value.begun and self.wiring.interpreting.wants_beginning(value.start):
                    self.writer.begin(self._parts())
                    self.wiring.interpreting.begun(value.first.uid)
                return
            act = self.lookup.running.get(name)
            if act is None:
                return
            if kind == "end":
                self._end(act, value)
            elif kind == "closed":
                self._closed(act, value)
            else:
                self.applier.other(act, t, kind, value)
            return
        act = self.lookup.running.get(name)
        if act is not None:
            self.applier.operate(act, t, what)
            self.lookup.running[name].applied_t = t

    # -- ending ------------------------------------------------------------------------------------------------

    def _end(self, act: Act, record: Record) -> None:
        act.end = record
        act.intermediate += int(record.get("rewrites") or 0)
        if record.get("survivors"):
            act = self._finish(act, int(record["t"]), int(record["time"]), still_open(act))
            act.applied_t = int(record["t"])
            self._journal_ended()
            self._flush([act])
            self.commits.command(act, self.wiring.spool)
        else:
            self.finisher.end(act, int(record["t"]))

    def _hook(self, name: str, kind: str, record: Record) -> None:
        """What a git hook tells; where git changed files, it is an activity that has ended."""
        if kind == "closed":
            self._journal_earlier()
        act = self.commits.hook(name, kind, record)
        if act is not None:
            self._acts.append(act)
            self._conclude(self._finish(act, int(record["t"]), int(record["time"]), frozenset()))
        if self.commits.waiting:
            self._journal_ended()  # what a commit holds is what there is now, not what comes next

    def _closed(self, act: Act, record: Record) -> None:
        if is_git(act):
            self._journal_earlier()
        self.commits.command(act, self.wiring.spool, closed=True)
        act = self._finish(act, int(record["t"]), int(record["time"]), frozenset())
        self._conclude(act)
        if self.commits.waiting:
            self._journal_ended()

    def _conclude(self, act: Act) -> None:
        """Nothing more will come of an activity: it is journaled with the others that end now."""
        self._parts()
        self.lookup.running.pop(act.spool, None)
        for absolute in [path for path, writer in self.lookup.dirty.items() if writer is act.first]:
            del self.lookup.dirty[absolute]
        self._ended.append(act)
        if any(snap.members is not None for snap, _, _, _ in act.generated):
            self._journal_ended()  # whose members a later command met is asked of the store

    def _journal_earlier(self) -> None:
        """What git brings back may be a state that was made a moment ago, and the store is asked for it."""
        if self._ended and not self.commits.waiting:
            self._journal_ended()

    def _journal_ended(self) -> None:
        if not self._ended and not self.commits.waiting:
            return
        hooks = self.commits.journaled()  # cut short, it is done anew: what is closed is not read again
        for act in self._ended:
            act.closed = True
        if self._ended:
            self._flush(self._ended)
        uids = {act.spool: act.first.uid for act in self._ended}
        for name in dict.fromkeys([*hooks, *uids]):
            self._interpret(os.path.join(self.wiring.spool, name + ".jsonl"), name, uids.get(name, ""))
        self._ended = []
        if not self.lookup.running:
            self._acts = []
            self.lookup.forget()
            self.applier.variables.forget()
            if not self.timeline:
                self.lookup.contents.forget_moves()

    def _finish(self, act: Act, t: int, wall_ns: int, keep_open: frozenset[str]) -> Act:
        act = self.finisher.finish(act, t, wall_ns, keep_open)
        return self.environments.finish(act, t)

    def _interpret(self, path: str, name: str, uid: str) -> None:
        """An activity is journaled: its spool file goes, once there is nothing more to find of it."""
        if uid and self.wiring.interpreting.ended(name, uid):
            self._interpreted.add(path)
            self._drop(path, name)
        else:
            self._leave(path, name)

    def _leave(self, path: str, name: str) -> None:
        """All of an activity is journaled: its spool file and its pre-images go."""
        self._drop(path, name)
        remove(path)

    def _drop(self, path: str, name: str) -> None:
        self.lookup.running.pop(name, None)
        self._followed.pop(path, None)
        self.timeline.drop(name)

    def _give_up_on_the_dead(self) -> None:
        """An activity whose supervisor and command are both gone and that never ended was interrupted (rule 19)."""
        for path, followed in list(self._followed.items()):
            start = followed.start
            if start is None:
                if followed.tail.rejected:
                    self._fail(_spool_name(path), InputError("the record of its start is damaged"))
                elif never_begun(path):
                    self._leave(path, _spool_name(path))
                continue
            if followed.closed or followed.tail.behind or alive(start) or runs(start):
                followed.dead_since = 0.0
                continue
            followed.dead_since = followed.dead_since or time.monotonic()
            if start.get("kind") in KINDS and time.monotonic() - followed.dead_since >= 1.0:
                for kind in ("end", "closed"):  # all that a hook has to say is in its start
                    self._take(path, followed, {"record": kind, "t": start["t"], "time": start["time"]}, {})
                continue
            act = self.lookup.running.get(_spool_name(path))
            if time.monotonic() - followed.dead_since < 1.0 or act is None or self.timeline:
                continue
            t = time.clock_gettime_ns(SPOOL_CLOCK)
            self._conclude(self._finish(act, t, time.time_ns(), frozenset()))
            self._journal_ended()

    def _fail(self, name: str, error: Exception) -> None:
        """Set an activity aside that cannot be ingested: the spool file stays, for ``doctor`` and a newer program."""
        self.log.append(f"{name}: {type(error).__name__}: {error}")
        path = os.path.join(self.wiring.spool, name + ".jsonl")
        self._followed.pop(path, None)
        if os.path.exists(path):
            os.replace(path, path + ".failed")

    # -- journaling --------------------------------------------------------------------------------------------

    def _progress(self) -> None:
        now = time.monotonic_ns()
        if now - self._flushed_ns < PROGRESS_NS or not self.lookup.running:
            return
        self.wiring.growing.look(written(self.lookup.running.values()))
        running = self.lookup.running.values()
        many = self.collector.threshold // 2
        if not all(act.begun for act in running):
            self.writer.begin(self._parts())
            self._flushed_ns = now
            return
        if any(len(act.deferred) + len(act.writes) + len(act.deleted) > many for act in running):
            return  # what may become a collection is not journaled file by file
        self._flush([])

    def _flush(self, ended: list[Act]) -> None:
        for act in list(self.lookup.running.values()):
            if len(act.deferred) <= self.collector.threshold // 2:
                self.settler.resolve(act)
        self.writer.flush(self._parts(), ended)
        self.lookup.contents.flush()
        self._flushed_ns = time.monotonic_ns()

    def _parts(self) -> list[Act]:
        """All activities in memory, each part of a split one before the next."""
        for live in self.lookup.running.values():
            chain: list[Act] = []
            part: Act | None = live
            while part is not None and part not in self._acts:
                chain.append(part)
                part = part.informed_by
            self._acts.extend(reversed(chain))
        return self._acts

    def _next_number(self) -> int:
        self._number = max(self._number + 1, self.wiring.knowledge.next_activity_number())
        return self._number

    def hash_later(self) -> bool:
        """Hash one file that was too large to be hashed in time (rule 18). Returns whether there was one."""
        return hash_one(self.wiring.journal, self.wiring.objects, self.lookup, self._not_to_hash)

    def notice(self, *, patient: bool = False) -> bool:
        """Look at all tracked files and journal what changed unseen.

        Parameters:
            patient: leave what changed in the last moments: a shell empties a file before its command is heard of.
        Returns:
            Whether nothing was left.
        """
        if patient and git_is_at_work(self.wiring.places.root):
            return False
        found = changed_files(self.lookup)
        now_ns = time.time_ns()
        candidates = [one for one in found if not patient or at_rest(one[1], now_ns)]
        if candidates:
            for _ in range(_LOOKS):  # a command that never rests must not keep whoever asked
                if not self.step():
                    break
        now_ns = time.time_ns()
        replaced = notice(self.lookup, candidates, now_ns)
        if replaced or self.lookup.log.entries:
            self._flush([])
        return len(candidates) == len(found)


def _spool_name(path: str) -> str:
    return os.path.basename(path).removesuffix(".jsonl")
