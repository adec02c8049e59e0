"""The end of an activity: which of its writes are generations, and what it copied (rules 2, 3, 9, 11)."""

from provgraph.events.ports import Stat
from provgraph.ingest.collect import Collector
from provgraph.ingest.lookup import Lookup
from provgraph.ingest.settle import Settler
from provgraph.ingest.state import LINK, REGULAR, Act, Snap, Write, file_type
from provgraph.ingest.timeline import Timeline, as_stat, unknown_state


class Finisher:
    """Settles what an activity read and wrote, once its last process is gone."""

    def __init__(self, lookup: Lookup, settler: Settler, collector: Collector, timeline: Timeline) -> None:
        self.lookup, self.settler, self.collector, self.timeline = lookup, settler, collector, timeline

    def finish(self, act: Act, t: int, wall_ns: int, keep_open: frozenset[str] = frozenset()) -> Act:
        """Settle everything but the files that surviving processes still hold open for writing.

        Parameters:
            t, wall_ns: when it ended, by the spool's clock and in Unix nanoseconds.
        Returns:
            The newest part of the activity.
        """
        act = self.settler.resolve(self.collector.read(act))
        self.collector.deleted(act)
        final = self._final_states(act, t, wall_ns, keep_open)
        for path, stat in self.collector.generated(act, final, t).items():
            write = act.writes[path]
            sha256, kept = self.lookup.contents.read(path, stat, keep=self.lookup.keeps(path))
            snap = self.lookup.generate(act, path, stat, t, sha256, kept)
            if write.how in ("update", "append", "mode") and write.old is not None:
                act = self.settler.use(act, write.old, write.t)
            self._copied(act, snap, write)
        for path in [p for p in act.writes if p not in keep_open]:
            if self.lookup.dirty.get(path) is act.first:
                del self.lookup.dirty[path]
            del act.writes[path]
        return act

    def _final_states(self, act: Act, t: int, wall_ns: int, keep_open: frozenset[str]) -> dict[str, Stat]:
        """The files that an activity generated and nobody else wrote after it, as they were at its end."""
        found: dict[str, Stat] = {}
        for path, write in act.writes.items():
            if path in keep_open or self.lookup.dirty.get(path) is not act.first:
                continue
            stat, certain = _state_at_end(act, path), True
            if stat is None:
                stat, certain = self.timeline.state_after(path, t, wall_ns)
            if stat is None or file_type(stat) not in (REGULAR, LINK):
                continue
            if not certain:
                # Changed after the end, and nobody saw how: that it was written is known, what is not.
                stat = unknown_state(stat)
            if self._is_generation(act, path, write, stat):
                found[path] = stat
        return found

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
        if write.how not in ("update", "append", "mode") or write.old is None:
            return True
        if write.old.same_file(stat):
            return False
        sha256, _ = self.lookup.contents.read(path, stat, keep=self.lookup.keeps(path))
        if sha256 is not None and sha256 == write.old.sha256 and write.old.mode == stat[5] & 0o7777:
            write.old.stat = stat
            return False
        return True

    def _copied(self, act: Act, snap: Snap, write: Write) -> None:
        """A generated file with the bytes of one that was read is a copy of it; empty files prove nothing."""
        if not snap.size or snap.sha256 is None or write.renamed_from is not None:
            return
        for source, _, _ in act.used.values():
            if source.sha256 == snap.sha256 and source.artifact != snap.artifact:
                act.derived.append((snap, source, {"prov_type": "Copy"}))
                return


def _state_at_end(act: Act, path: str) -> Stat | None:
    """How a file that the calling shell had opened was when the command ended, if nothing of it lived on."""
    end = act.end or {}
    if end.get("survivors"):
        return None
    return next((as_stat(r["stat"]) for r in end.get("redirections", ()) if r["path"] == path), None)
