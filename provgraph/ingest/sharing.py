"""Files that a calling shell opened for several activities, as redirections are: whose each change is (rules 2, 4, 9).

What is written through an inherited descriptor is not seen. The file is looked at where an activity that holds one
begins and where it ends. A change between two looks is the innermost's: a nested command's, not that of what it runs
in. Where several that are not nested held the file, any of them may have written: the others generate a version of
their own at their end unless they have one already.
"""

from provgraph.events.ports import Stat
from provgraph.ingest.lookup import Lookup, iso
from provgraph.ingest.settle import Settler
from provgraph.ingest.state import Act, Write

_SILENT, _PERHAPS, _WROTE = "silent", "perhaps", "wrote"
_IN_PLACE = ("update", "mode")
"""How a file is opened where what is in it may change. All else goes on at its end."""


class Sharing:
    """Which running activities hold which file, and who of them wrote.

    The writer by :attr:`Lookup.dirty` is the innermost; when it ends, the one before it goes on from where it was.
    """

    def __init__(self, lookup: Lookup, settler: Settler) -> None:
        self.lookup, self.settler = lookup, settler
        self._holders: dict[str, dict[Act, str]] = {}
        """Absolute path → first parts of the running activities that hold it, in the order in which they began."""
        self._files: dict[str, tuple[int, int]] = {}
        """Absolute path → device and inode of the file that is held."""
        lookup.on_generated = self._generated

    def begin(self, act: Act, t: int, path: str, stat: Stat, mode: str) -> None:
        """An activity begins with a file that was opened for writing by its caller."""
        if path in act.writes or not self.lookup.places.counts(path):
            return
        found, stat = stat, self.newest(path, stat)
        self._keep_holders(path, stat)
        self._adopt(act, path, stat)
        current = self.lookup.current(self.lookup.places.name(path))
        late = found != stat and current is not None and iso(act.wall_ns(t)) <= current.created_at
        write = self._writer(path)[1]
        if write is not None and write.done is None and write.begun == stat:
            # Nothing was written yet: what the caller did to the file is the doing of whoever is first to write.
            act.writes[path] = _onward(write, t)
            self.lookup.dirty[path] = act.first
        else:
            self._open(act, t, path, stat, mode if write is None else "a")
            act.writes[path].begun = stat
        self._holders.setdefault(path, {})[act.first] = _PERHAPS if late else _SILENT
        self._files[path] = stat[:2]

    def _adopt(self, act: Act, path: str, stat: Stat) -> None:
        """What an activity runs in opened a file itself and hands it on: it holds the file too, and goes on after it.

        Parameters:
            act: the one that begins with the file.
        """
        outer = self.lookup.dirty.get(path)
        if outer is None or outer in self._holders.get(path, ()) or not _encloses(outer, act):
            return
        live = self.lookup.running.get(outer.spool)
        write = None if live is None else live.writes.get(path)
        if write is None:
            return
        if stat[2] == 0:
            write.begun = stat  # nothing was written yet; else what was is met as any state, where ``act`` begins
        if write.how not in _IN_PLACE:
            self.lookup.contents.held(outer.spool, path, stat)
        self._holders.setdefault(path, {})[outer] = _SILENT
        self._files[path] = stat[:2]

    def _open(self, act: Act, t: int, path: str, stat: Stat, mode: str) -> None:
        known = self.lookup.current(self.lookup.places.name(path))
        if mode == "rw" and (stat[2] > 0 or known is not None):
            self.settler.write(act, t, path, stat, "update")
        elif stat[2] > 0 or path in self._holders or (known is not None and known.same_file(stat)):
            # Whoever opened it wrote to it before the command began: what is written now comes after that.
            self.settler.write(act, t, path, stat, "append")
        else:
            # The shell emptied the file before we could look: what it replaced is the last state that is known.
            before = None if known is None or known.invalidated else known.stat
            self.settler.write(act, t, path, before, "truncate")

    def held(self, act: Act) -> list[str]:
        """The files that an activity holds."""
        return [path for path, holders in self._holders.items() if act.first in holders]

    def newest(self, path: str, stat: Stat) -> Stat:
        """A state of a file, or the newest known one where that is younger: who began later may have looked earlier."""
        current = self.lookup.current(self.lookup.places.name(path))
        writer = self._writer(path)[1]
        for known in (current.stat if current is not None else None, writer.begun if writer is not None else None):
            if known is not None and known[:2] == stat[:2] and (known[4], known[2]) > (stat[4], stat[2]):
                stat = known
        return stat

    def contend(self, act: Act, path: str, stat: Stat, t: int) -> None:
        """At the end of a holder: what was written since the last look may be its, though another began after it."""
        self._keep_holders(path, stat)
        writer, write = self._writer(path)
        if writer is None or write is None or writer is act.first:
            return
        seen = write.begun if write.done is None else write.done.stat
        if _encloses(act, writer):
            if seen != stat:
                self.lookup.checkpoint(self.lookup.running[writer.spool], path, stat, t)
        elif seen != stat or self._holders[path][act.first] == _PERHAPS:
            act.writes[path] = _onward(write, t)
            self.lookup.dirty[path] = act.first

    def is_generation(self, act: Act, path: str, stat: Stat) -> bool | None:
        """Whether a holder generated the state at its end; None where that is as for any file."""
        write, holders = act.writes[path], self._holders.get(path, {})
        if act.first not in holders:
            return None
        if holders[act.first] == _PERHAPS:
            return True
        if write.done is None and write.begun == stat and len(holders) > 1:
            return False
        current = self.lookup.current(self.lookup.places.name(path))
        return False if current is not None and current is not write.old and current.same_file(stat) else None

    def leave(self, act: Act, path: str, t: int) -> None:
        """An activity holds a file no longer: the one that began before it goes on."""
        self.lookup.contents.let_go(act.spool, path, t)
        holders = self._holders.get(path, {})
        holders.pop(act.first, None)
        write = act.writes.pop(path, None)
        if write is not None and self.lookup.dirty.get(path) is act.first:
            del self.lookup.dirty[path]
            for heir in reversed(holders):
                live = self.lookup.running.get(heir.spool)
                if live is not None:
                    live.writes[path] = _onward(write, t)
                    self.lookup.dirty[path] = heir
                    break
        if not holders:
            self._holders.pop(path, None)

    def _keep_holders(self, path: str, stat: Stat) -> None:
        """Nobody holds what has come to a path in place of the file that was held."""
        if path in self._holders and stat[1] >= 0 and self._files[path] != stat[:2]:
            del self._holders[path]

    def _writer(self, path: str) -> tuple[Act, Write] | tuple[None, None]:
        """The holder that is the writer now, and what it did."""
        writer = self.lookup.dirty.get(path)
        if writer is None or writer not in self._holders.get(path, ()):
            return None, None
        live = self.lookup.running.get(writer.spool)
        write = None if live is None else live.writes.get(path)
        return (None, None) if write is None else (writer, write)

    def _generated(self, act: Act, path: str) -> None:
        written = act.writes[path].done
        if written is not None and written.stat is not None:
            self._keep_holders(path, written.stat)
        holders = self._holders.get(path, {})
        for other, state in holders.items():
            if other is act.first:
                holders[other] = _WROTE
            elif state == _SILENT and not _encloses(other, act):
                holders[other] = _PERHAPS


def _onward(write: Write, t: int) -> Write:
    """What goes on from where a write has got to."""
    if write.done is None:
        return Write(write.how, write.old, t, begun=write.begun)
    return Write("append", write.done, t, begun=write.done.stat)


def _encloses(outer: Act, inner: Act) -> bool:
    """Whether an activity runs below another."""
    found = inner.first.parent
    while found is not None and found.first is not outer.first:
        found = found.first.parent
    return found is not None
