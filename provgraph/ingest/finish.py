"""The end of an activity: which of its writes are generations, and what it copied (rules 2, 3, 9, 11)."""

import os

from provgraph.events.ports import Stat
from provgraph.ingest.collect import Collector
from provgraph.ingest.lookup import Lookup, snap_of
from provgraph.ingest.said import missing
from provgraph.ingest.settle import Settler
from provgraph.ingest.sharing import Sharing
from provgraph.ingest.sides import Sides
from provgraph.ingest.state import LINK, REGULAR, UPDATING, Act, Snap, Write, file_type
from provgraph.ingest.timeline import Timeline, as_stat, unknown_state


class Finisher:
    """Settles what an activity read and wrote, once its last process is gone."""

    def __init__(
        self, lookup: Lookup, settler: Settler, collector: Collector, timeline: Timeline, sharing: Sharing
    ) -> None:
        self.lookup, self.settler, self.collector, self.timeline = lookup, settler, collector, timeline
        self.sharing = sharing
        self._sides: Sides | None = None

    def end(self, act: Act, t: int) -> Act:
        """The command ended, and nothing of it lives on: settle the files that its caller had opened for it.

        Others may write to them before the last process of the command is seen to be gone.
        """
        states = [(path, _state_at_end(act, path)) for path in self.sharing.held(act)]
        if any(stat is not None for _, stat in states):
            act = self.settler.resolve(self.collector.read(act))
        for path, stat in states:
            if stat is not None:
                act = self._settle_shared(act, path, stat, t)
        return act

    def finish(self, act: Act, t: int, wall_ns: int, keep_open: frozenset[str] = frozenset()) -> Act:
        """Settle everything but the files that surviving processes still hold open for writing.

        Parameters:
            t, wall_ns: when it ended, by the spool's clock and in Unix nanoseconds.
        Returns:
            The newest part of the activity.
        """
        act = self.settler.resolve(self.collector.read(act))
        self.collector.deleted(act)
        for path in self.sharing.held(act):
            if path not in keep_open:
                act = self._settle_shared(act, path, self._state(act, path, t, wall_ns), t)
        final = self._final_states(act, t, wall_ns, keep_open)
        for path, stat in self.collector.generated(act, final, t).items():
            done = act.writes[path].done
            if done is None or not done.same_file(stat):  # a split on the way settles what came before it
                act = self._generate(act, path, stat, t)
        for path in [p for p in act.writes if p not in keep_open]:
            if self.lookup.dirty.get(path) is act.first:
                del self.lookup.dirty[path]
                if path not in final and not os.path.isfile(path) and not os.path.islink(path):
                    missing(act, path)
            del act.writes[path]
        return act

    def _settle_shared(self, act: Act, path: str, stat: Stat | None, t: int) -> Act:
        """Settle a file that others may go on writing to."""
        if stat is not None and path in act.writes:
            stat = self.sharing.newest(path, stat)
            self.sharing.contend(act, path, stat, t)
            write = act.writes[path]
            if self.lookup.dirty.get(path) is act.first and file_type(stat) == REGULAR:
                generated = self.sharing.is_generation(act, path, stat)
                if self._is_generation(act, path, write, stat) if generated is None else generated:
                    act = self._generate(act, path, stat, t)
        self.sharing.leave(act, path, t)
        return act

    def _generate(self, act: Act, path: str, stat: Stat, t: int) -> Act:
        act = self.settler.before_update(act, path)
        sha256, kept = self.lookup.contents.read(path, stat, keep=self.lookup.keeps(path))
        write = act.writes[path]
        source = self._brought_back(act, path, stat, sha256)
        if source is not None:
            act = self.settler.use(act, source, t, "committed")
        elif is_git(act):
            act = self._use_sides(act, path, t)
        self._copied(act, self.lookup.generate(act, path, stat, t, sha256, kept), write, source)
        return act

    def _brought_back(self, act: Act, path: str, stat: Stat, sha256: str | None) -> Snap | None:
        """The earlier state that a git command took out of the repository; empty files prove nothing."""
        if sha256 is None or stat[2] == 0 or not is_git(act):
            return None
        known = self.lookup.knowledge.committed(self.lookup.places.name(path), sha256)
        return None if known is None or self.lookup.is_running(known) else snap_of(known)

    def _use_sides(self, act: Act, path: str, t: int) -> Act:
        """A git command that put a file together used what is recorded of the states that both sides had."""
        if self._sides is None or self._sides.act.first is not act.first:
            self._sides = Sides(act)
        old = act.writes[path].old
        for sha256 in dict.fromkeys(self._sides.before(path)):
            known = self.lookup.knowledge.committed(self.lookup.places.name(path), sha256)
            if old is not None and old.sha256 == sha256:
                act = self.settler.use(act, old, t, "merged")
            elif known is not None and not self.lookup.is_running(known):
                act = self.settler.use(act, snap_of(known), t, "merged")
        return act

    def _final_states(self, act: Act, t: int, wall_ns: int, keep_open: frozenset[str]) -> dict[str, Stat]:
        """The files that an activity generated and nobody else wrote after it, as they were at its end."""
        found: dict[str, Stat] = {}
        for path, write in act.writes.items():
            if path in keep_open or self.lookup.dirty.get(path) is not act.first:
                continue
            stat = self._state(act, path, t, wall_ns)
            if stat is None or file_type(stat) not in (REGULAR, LINK):
                continue
            if self._is_generation(act, path, write, stat):
                found[path] = stat
        return found

    def _state(self, act: Act, path: str, t: int, wall_ns: int) -> Stat | None:
        """How a file was at the end of an activity."""
        stat = _state_at_end(act, path)
        if stat is not None:
            return stat
        stat, certain = self.timeline.state_after(path, t, wall_ns)
        if stat is None or certain:
            return stat
        return unknown_state(stat)  # changed since, and nobody saw how: that it was written is known, what is not

    def _is_generation(self, act: Act, path: str, write: Write, stat: Stat) -> bool:
        """Whether the file was changed: truncated and renamed-over ones are, others where bytes or mode differ."""
        if write.done is not None:
            if write.done.same_file(stat):
                return False
            sha256, _ = self.lookup.contents.read(path, stat, keep=self.lookup.keeps(path))
            if sha256 is not None and sha256 == write.done.sha256:
                write.done.stat = stat
                return False
            return True
        if write.how not in UPDATING or write.old is None:
            return True
        if write.old.same_file(stat):
            return False
        sha256, _ = self.lookup.contents.read(path, stat, keep=self.lookup.keeps(path))
        if sha256 is not None and sha256 == write.old.sha256 and write.old.mode == stat[5] & 0o7777:
            write.old.stat = stat
            return False
        return True

    def _copied(self, act: Act, snap: Snap, write: Write, source: Snap | None) -> None:
        """A generated file with the bytes of one that was read is a copy of it; empty files prove nothing.

        Parameters:
            source: the state that it is known to be a copy of.
        """
        if not snap.size or snap.sha256 is None or write.renamed_from is not None:
            return
        same = (used for used, _, _ in act.used.values() if used.sha256 == snap.sha256)
        source = source or next((used for used in same if used.artifact != snap.artifact), None)
        if source is not None:
            act.derived.append((snap, source, {"prov_type": "Copy"}))


def is_git(act: Act) -> bool:
    """Whether an activity is a git command and nothing else, known by a hook or by the prefix."""
    argv = act.start.get("argv") or [""]
    return os.path.basename(str(argv[0])) == "git"


def _state_at_end(act: Act, path: str) -> Stat | None:
    """How a file was when the command ended, if nothing of it lived on: its supervisor has looked."""
    end = act.end or {}
    if end.get("survivors"):
        return None
    seen = (*end.get("redirections", ()), *end.get("written", ()))
    return next((as_stat(found["stat"]) for found in seen if found["path"] == path), None)


def still_open(act: Act) -> frozenset[str]:
    """Those of the files that an activity wrote that some process still holds open for writing."""
    wanted, found = set(act.writes), set[str]()
    for process in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not process.isdigit() or not wanted:
            continue
        folder = f"/proc/{process}/fd"
        try:
            descriptors = os.listdir(folder)
        except OSError:
            continue
        for descriptor in descriptors:
            try:
                target = os.readlink(f"{folder}/{descriptor}")
                if target not in wanted:
                    continue
                with open(f"/proc/{process}/fdinfo/{descriptor}") as file:
                    flags = next(int(line.split()[1], 8) for line in file if line.startswith("flags:"))
            except (OSError, StopIteration):
                continue
            if flags & os.O_ACCMODE != os.O_RDONLY:
                found.add(target)
    return frozenset(found)
