"""Deciding what a command's operations mean (semantics rules 2, 4, 9, 10): one method for each code of the spool."""

import os
from collections.abc import Callable, Iterator

from provgraph.events.ports import Stat
from provgraph.ingest.contents import lstat
from provgraph.ingest.lookup import Lookup, iso
from provgraph.ingest.state import CLOCK_TICK_NS, FOLDER, LINK, REGULAR, UPDATING, Act, Snap, Write, file_type


class Settler:
    """Applies operations, in the order of their times over all running activities.

    Parameters:
        lookup: the newest states, the log, what is dirty.
    """

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self._deferred: dict[str, list[Act]] = {}
        self.before_split: Callable[[Act], Act] = lambda act: act
        """Called before a part of an activity ends: takes deferred reads out that are one together (rule 17)."""
        lookup.before_update = self.before_update

    # -- reads -------------------------------------------------------------------------------------------------

    def read(self, act: Act, t: int, absolute: str, stat: Stat, role: str = "") -> None:
        """Opened for reading. What comes of activities that still run is looked up now, the rest when it is needed."""
        if not self.lookup.places.counts(absolute) or file_type(stat) not in (REGULAR, LINK):
            return
        writer = self.lookup.dirty.get(absolute)
        if writer is act.first:
            write = act.writes.get(absolute)
            if write is not None and write.old is not None and write.old.same_file(stat):
                self.use(act, write.old, t, role)  # opened for writing, and read before anything was written
            return
        if writer is not None or (act.checkpointed and self._is_in_flux(absolute)):
            self._use(act, absolute, stat, t, role)
        elif absolute not in act.deferred:
            act.deferred[absolute] = (t, stat, role)
            self._deferred.setdefault(absolute, []).append(act)

    def _is_in_flux(self, absolute: str) -> bool:
        """Whether something that still runs is in the past of a file: what comes of it may be read back into it.

        What has read such a file is split then and there: what it goes on to write comes of what it read.
        """
        snap = self.lookup.in_memory(self.lookup.places.name(absolute))
        running = self.lookup.running
        return snap is not None and any(running.get(found.spool) is found for found in _past(snap))

    def resolve(self, act: Act, until: int | None = None) -> Act:
        """Look up the deferred reads of an activity, or those until a time; its newest part is returned."""
        while act.deferred:
            absolute, (t, stat, role) = next(iter(act.deferred.items()))
            if until is not None and t > until:
                break
            self.take_deferred(act, absolute)
            act = self._use(act, absolute, stat, t, role)
        return act

    def take_deferred(self, act: Act, absolute: str) -> tuple[int, Stat, str]:
        """Take one deferred read out."""
        self._drop_deferred(absolute, act)
        return act.deferred.pop(absolute)

    def _drop_deferred(self, absolute: str, act: Act) -> None:
        waiting = self._deferred.get(absolute)
        if waiting is not None and act in waiting:
            waiting.remove(act)
            if not waiting:
                del self._deferred[absolute]

    def settle_readers(self, absolute: str) -> None:
        """Before a state goes: those who read it get their snapshot."""
        while waiting := self._deferred.get(absolute):
            act = waiting[0]
            t, stat, role = self.take_deferred(act, absolute)
            self._use(self.lookup.running.get(act.spool, act), absolute, stat, t, role)

    def _settle_readers_of(self, act: Act, absolute: str) -> Act:
        """The same before ``act`` changes a file; it may be one of those who read it, and its newest part goes on."""
        self.settle_readers(absolute)
        return self.lookup.running.get(act.spool, act)

    def _use(self, act: Act, absolute: str, stat: Stat, t: int, role: str) -> Act:
        snap = self.lookup.meet(act, absolute, stat, t)
        return act if snap is None else self.use(act, snap, t, role)

    def use(self, act: Act, snap: Snap, t: int, role: str = "") -> Act:
        """Add a ``used`` edge; where it would close a cycle, to a new part of the activity (rule 4)."""
        if id(snap) in act.used:
            if role != "inherited" == act.used[id(snap)][2] and id(snap) not in act.used_sent:
                act.used[id(snap)] = (snap, t, role)  # what it met itself says more
            return act
        if act.generated_earlier(snap):
            return act
        if act.checkpointed and _reaches(snap, act):
            act = self.resolve(self.before_split(act), t)  # what it read before, it read for what it wrote before
            if _reaches(snap, act):
                act = self.split(act, t)
        act.used[id(snap)] = (snap, t, role)
        return act

    def before_update(self, act: Act, absolute: str) -> Act:
        """An activity that is about to generate a state used the one that it changed (rule 9)."""
        write = act.writes[absolute]
        role = UPDATING.get(write.how)
        return act if role is None or write.old is None else self.use(act, write.old, write.t, role)

    def split(self, act: Act, t: int) -> Act:
        """End one part of a running activity at a time and begin the next: what it wrote until then is the first's.

        What it deleted, and all that is told of the whole at its end, goes on to the newest part.
        """
        for absolute, write in list(act.writes.items()):
            stat = lstat(absolute)
            mine = self.lookup.dirty.get(absolute) is act.first
            if mine and stat is not None and not _goes_on(act, write, stat, t):
                self.lookup.checkpoint(act, absolute, stat, t)
            if write.done is not None:
                write.old, write.renamed_from = write.done, None
        part = act.next_part()
        for waiting in self._deferred.values():
            waiting[:] = [part if other is act else other for other in waiting]
        self.lookup.running[act.spool] = part
        return part

    # -- writes ------------------------------------------------------------------------------------------------

    def write(self, act: Act, t: int, absolute: str, before: Stat | None, how: str) -> None:
        """Opened for writing, or changed in another way."""
        if not self.lookup.places.counts(absolute):
            return
        act = self._settle_readers_of(act, absolute)
        mine = self.lookup.dirty.get(absolute) is act.first
        if mine and absolute in act.writes:
            act.intermediate += 1
            return
        old = None if before is None else self.lookup.meet(act, absolute, before, t)
        if before is None:
            self._vanished(act, absolute, t)
        deleted = act.deleted.pop(absolute, None)
        if deleted is not None:
            old, how = deleted[0], "truncate"
        if how in ("update", "append", "mode") and old is None:
            how = "create"
        write = act.writes[absolute] = Write(how, old, t)
        self.lookup.dirty[absolute] = act.first
        if t <= act.journaled_t:
            current = self.lookup.current(self.lookup.places.name(absolute))
            if current is not None and act.generated_earlier(current):
                write.done = current

    def delete(self, act: Act, t: int, absolute: str, before: Stat | None) -> None:
        """Deleted: a scratch file is only counted, any other state is invalidated (rules 2 and 10)."""
        if before is None or not self.lookup.places.counts(absolute) or file_type(before) not in (REGULAR, LINK):
            return
        act = self._settle_readers_of(act, absolute)
        write = act.writes.get(absolute)
        if write is not None and self.lookup.dirty.get(absolute) is act.first:
            del act.writes[absolute]
            del self.lookup.dirty[absolute]
            last = write.done or write.old
            if last is None:
                act.scratch += 1
                return
        else:
            last = self.lookup.meet(act, absolute, before, t)
            self.lookup.dirty.pop(absolute, None)
        if last is not None:
            last.invalidated = True
            act.deleted[absolute] = (last, t)

    def rename(self, act: Act, t: int, old_path: str, new_path: str, moved: Stat | None, over: Stat | None) -> None:
        """Renamed: the new name is generated with the old one's content (rule 10)."""
        if moved is None:
            return
        if file_type(moved) == FOLDER:
            self._rename_folder(act, t, old_path, new_path)
            return
        from_counts, to_counts = (self.lookup.places.counts(path) for path in (old_path, new_path))
        if not to_counts:
            self.delete(act, t, old_path, moved)
            return
        if not from_counts:
            self.write(act, t, new_path, over, "create" if over is None else "truncate")
            return
        act = self._settle_readers_of(act, old_path)
        if over is not None:
            act = self._settle_readers_of(act, new_path)
        source = act.writes.get(old_path)
        own = source is not None and self.lookup.dirty.get(old_path) is act.first
        if own and source is not None and source.old is None and source.done is None:
            self._forget_write(act, old_path)
            self.write(act, t, new_path, over, "create" if over is None else "truncate")
            return
        state = source.done or source.old if own and source is not None else None
        if state is None:
            state = self.lookup.meet(act, old_path, moved, t)
        replaced = None if over is None else self.lookup.meet(act, new_path, over, t)
        self._forget_write(act, old_path)
        deleted = act.deleted.pop(new_path, None)
        if deleted is not None:
            replaced = deleted[0]
        if state is not None:
            act = self.use(act, state, t)
            state.invalidated = True
            act.deleted[old_path] = (state, t)
        act.writes[new_path] = Write("create" if replaced is None else "truncate", replaced, t, renamed_from=state)
        self.lookup.dirty[new_path] = act.first

    def link(self, act: Act, t: int, old_path: str, new_path: str, stat: Stat | None) -> None:
        """A hard link: the new name is a copy."""
        if stat is None:
            return
        self.read(act, t, old_path, stat)
        self.write(act, t, new_path, None, "link")

    def _forget_write(self, act: Act, absolute: str) -> None:
        act.writes.pop(absolute, None)
        if self.lookup.dirty.get(absolute) is act.first:
            del self.lookup.dirty[absolute]

    def _rename_folder(self, act: Act, t: int, old_folder: str, new_folder: str) -> None:
        """Expand a folder's rename without reading bytes: what was known below the old name is below the new one."""
        places, inside = self.lookup.places, old_folder.rstrip("/") + "/"
        below = {path for path in act.writes if path.startswith(inside)}
        below.update(path for path in self.lookup.dirty if path.startswith(inside))
        if places.inside(old_folder):
            name = places.name(old_folder)
            below.update(places.absolute(known.path) for known in self.lookup.knowledge.known_below(name))
            below.update(places.absolute(path) for path, _ in self.lookup.knowledge.baseline_below(name))
        found = files_below(self.lookup.contents.place(new_folder), act.wall_ns(t))
        below.update(path for path in (inside + relative for relative in found) if places.counts(path))
        for path in sorted(below):
            moved_to = new_folder.rstrip("/") + "/" + path[len(inside) :]
            stat = lstat(self.lookup.contents.place(moved_to))
            if stat is not None:
                self.rename(act, t, path, moved_to, self._state_before(path, stat), None)

    def _state_before(self, path: str, stat: Stat) -> Stat:
        """A rename leaves device, inode, size and mtime alone; a known state keeps its identity."""
        snap = self.lookup.current(self.lookup.places.name(path))
        if snap is not None and snap.stat is not None and snap.stat[:4] == stat[:4]:
            return snap.stat
        baseline = self.lookup.knowledge.baseline(self.lookup.places.name(path))
        if baseline is not None and baseline.stat[:4] == stat[:4]:
            return baseline.stat
        return stat

    def _vanished(self, act: Act, absolute: str, t: int) -> None:
        """A file that was known and is not there when it is created anew was deleted unseen."""
        snap = self.lookup.current(self.lookup.places.name(absolute))
        if snap is not None and not snap.invalidated and absolute not in act.deleted and snap.generator is not act:
            self.lookup.notice(snap, None, iso(act.wall_ns(t)))


def files_below(folder: str, until_ns: int) -> list[str]:
    """Paths, from ``folder``, of the files below it whose state is as old as a moment (Unix nanoseconds)."""
    found, stack = [], [""]
    while stack:
        prefix = stack.pop()
        try:
            entries = list(os.scandir(os.fsencode(f"{folder}/{prefix}")))
        except OSError:
            continue
        for entry in entries:
            name = prefix + os.fsdecode(entry.name)
            if entry.is_dir(follow_symlinks=False):
                stack.append(name + "/")
            elif entry.stat(follow_symlinks=False).st_ctime_ns <= until_ns:
                found.append(name)
    return found


def _goes_on(act: Act, write: Write, stat: Stat, t: int) -> bool:
    """Whether what an activity wrote is the doing of its next part.

    In doubt it is: what the first part used is in the past of what ends it.
    """
    if write.t > t or stat[4] > act.wall_ns(t) - CLOCK_TICK_NS:
        return True
    updates = write.done is None and write.how in UPDATING
    return updates and write.old is not None and _reaches(write.old, act)


def _reaches(snap: Snap, act: Act) -> bool:
    """Whether the past of a snapshot contains ``act``: an edge from ``act`` to it would close a cycle."""
    return any(found is act for found in _past(snap))


def _past(snap: Snap) -> Iterator[Act]:
    """The activities in the past of a snapshot, as far as they are in memory."""
    stack, seen = [snap.generator], set[int]()
    while stack:
        found = stack.pop()
        if found is None or id(found) in seen:
            continue
        yield found
        seen.add(id(found))
        stack.extend(used.generator for used, _, _ in found.used.values())
