"""Which snapshot a file's state is: known, first seen, written by a running activity, or changed unseen (rules 2-5)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from provgraph.events.ports import KnowledgePort, Known, Stat
from provgraph.ingest.contents import Contents
from provgraph.ingest.places import Places, media_type
from provgraph.ingest.state import LINK, REGULAR, UPDATING, Act, Snap, Write, file_type


def iso(unix_ns: int) -> str:
    """Unix nanoseconds as ISO 8601 in UTC with microseconds."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat(timespec="microseconds")


@dataclass(eq=False, slots=True)
class Notice:
    """An Unseen activity: ``old`` became ``new`` between two moments (rule 5). One of the two may be missing.

    Where ``new`` has a generator already, nothing was unseen: it is a member of what that one generated (rule 17).
    """

    old: Snap | None
    new: Snap | None
    since: str
    until: str
    uid: str = ""


@dataclass(eq=False, slots=True)
class Gather:
    """A Gathering: a collection that was read, put together from what is recorded of its members (rule 17)."""

    collection: Snap
    sources: list[Snap]
    at: str
    uid: str = ""


@dataclass(slots=True)
class Log:
    """What was decided since the last flush, in the order in which later entries build on earlier ones."""

    entries: list["Notice | Gather | tuple[Act, Snap]"] = field(default_factory=list)
    """A Notice, a Gather, or (activity, snapshot): one that the activity generated or brought to light."""


class Lookup:
    """The newest state of every artifact, as far as this store knows, and the states that files are met in."""

    def __init__(self, places: Places, contents: Contents, knowledge: KnowledgePort) -> None:
        self.places, self.contents, self.knowledge = places, contents, knowledge
        self.log = Log()
        self.dirty: dict[str, Act] = {}
        """Absolute path → the first part of the running activity that wrote it last and is not settled."""
        self.running: dict[str, Act] = {}
        """Spool name → the newest part of each running activity."""
        self.before_update: Callable[[Act, str], Act] = lambda act, _: act
        """Called before a state is generated; returns the part of the activity that generates it."""
        self.on_generated: Callable[[Act, str], None] = lambda act, path: None
        self._current: dict[str, Snap | None] = {}

    def current(self, name: str) -> Snap | None:
        """The newest snapshot of an artifact."""
        if name not in self._current:
            known = self.knowledge.known(name)
            self._current[name] = None if known is None else snap_of(known)
        return self._current[name]

    def in_memory(self, name: str) -> Snap | None:
        """The newest snapshot of an artifact if it was looked up already: all that was made meanwhile has been."""
        return self._current.get(name)

    def set_current(self, snap: Snap) -> None:
        """Make a snapshot its artifact's newest."""
        self._current[snap.path] = snap

    def forget(self) -> None:
        """Drop what the knowledge port can tell again (nothing may be pending)."""
        self._current.clear()

    def meet(self, act: Act, absolute: str, stat: Stat, t: int) -> Snap | None:
        """The snapshot for the state in which ``act`` met a file; None where ``act`` itself wrote that state."""
        writer = self.dirty.get(absolute)
        if writer is act.first:
            return None
        live = None if writer is None else self.running.get(writer.spool)
        if live is not None and absolute in live.writes:
            return self.checkpoint(live, absolute, stat, t)
        name = self.places.name(absolute)
        snap = self.current(name)
        now = iso(act.wall_ns(t))
        if snap is not None and snap.same_file(stat):
            return snap
        if snap is not None and act.generated_earlier(snap):
            return None
        if t <= act.journaled_t:
            return snap
        sha256, kept = self.contents.read(absolute, stat, keep=self.keeps(absolute))
        proven = sha256 is not None and snap is not None and not snap.invalidated
        if proven and snap is not None and snap.sha256 == sha256 and snap.mode == stat[5] & 0o7777:
            snap.stat, snap.seen_at = stat, now
            return snap
        new = self.new_snap(absolute, stat, sha256, kept, now)
        self._introduce(act, snap, new, absolute, stat, now)
        return new

    def _introduce(self, act: Act, old: Snap | None, new: Snap, absolute: str, stat: Stat, now: str) -> None:
        """Enter a state that nobody recorded: of unknown origin if it was there before, else changed unseen."""
        if old is not None:
            self.credit_collection(absolute, old, new)
            self._notice(act, Notice(None if old.invalidated else old, new, old.seen_at, now))
            return
        since = self.appeared(absolute, stat)
        new.generator_uid = self.member_origin(absolute, new) or ""
        if since is None or new.generator_uid:
            self.introduce(act, new)
            return
        baseline = self.knowledge.baseline(self.places.name(absolute))
        if baseline is not None:
            before = self.new_snap(absolute, baseline.stat, None, False, baseline.seen_at)
            before.content = "unknown"
            new.sequence = before.sequence + 1
            self.introduce(act, before)
            self._notice(act, Notice(before, new, since, now))
            return
        self._notice(act, Notice(None, new, since, now))

    def appeared(self, absolute: str, stat: Stat) -> str | None:
        """Since when a file without snapshots may have come or changed; None where it was there from the start."""
        if not self.places.inside(absolute):
            return None
        baseline = self.knowledge.baseline(self.places.name(absolute))
        if baseline is None:
            return self.knowledge.walked_at()
        return None if baseline.stat[:5] == stat[:5] else baseline.seen_at

    def member_origin(self, absolute: str, snap: Snap) -> str | None:
        """uid of what generated the newest collection that holds this very content (rule 17)."""
        return self.knowledge.member_generator(self.places.name(absolute), snap.sha256)

    def credit_collection(self, absolute: str, old: Snap, new: Snap) -> None:
        """A state that a collection holds which came after ``old`` was generated with that collection (rule 17)."""
        if old.uid and new.sha256 is not None:
            name = self.places.name(absolute)
            new.generator_uid = self.knowledge.member_generator(name, new.sha256, old.uid) or ""

    def introduce(self, act: Act, snap: Snap) -> None:
        """Enter a state of which nobody knows where it came from, that ``act`` brought to light."""
        self.set_current(snap)
        act.first_seen.append(snap)
        self.log.entries.append((act, snap))

    def _notice(self, act: Act | None, notice: Notice) -> None:
        self.log.entries.append(notice)
        if notice.new is not None:
            self.set_current(notice.new)
            if act is not None:
                act.noticed.append(notice.new)

    def is_running(self, known: Known) -> bool:
        """Whether the activity that generated a snapshot still runs: it may come to use what another makes of it."""
        return any(known.generator in (one.uid, one.first.uid) for one in self.running.values())

    def notice(self, old: Snap | None, new: Snap | None, until: str) -> None:
        """Record a change that a walk found; a file that is there again after ``old`` was deleted has appeared."""
        since = old.seen_at if old is not None else self.knowledge.walked_at() or until
        gone = old is not None and old.invalidated
        if new is None and old is not None:
            old.invalidated = True
        self._notice(None, Notice(None if gone else old, new, since, until))

    def checkpoint(self, writer: Act, absolute: str, stat: Stat, t: int) -> Snap:
        """The state of a file that its writer still works on: generated by the writer, now (rule 2)."""
        write = writer.writes[absolute]
        if write.done is not None and write.done.same_file(stat):
            return write.done
        if write.how in UPDATING and write.done is None and write.old is not None and write.old.same_file(stat):
            return write.old
        sha256, kept = self.contents.read(absolute, stat, keep=self.keeps(absolute))
        if write.done is not None and sha256 is not None and write.done.sha256 == sha256:
            write.done.stat = stat
            return write.done
        writer = self.before_update(writer, absolute)
        snap = self.generate(writer, absolute, stat, t, sha256, kept)
        writer.checkpointed = True
        return snap

    def generate(self, act: Act, absolute: str, stat: Stat, t: int, sha256: str | None, kept: bool) -> Snap:
        """A new snapshot, generated by ``act``."""
        write = act.writes[absolute]
        snap = self.new_snap(absolute, stat, sha256, kept, iso(act.wall_ns(t)))
        snap.generator = act
        previous = write.done or write.old
        act.generated.append((snap, t, UPDATING.get(write.how, ""), write))
        act.own.add(id(snap))
        if previous is not None and previous.artifact == snap.artifact:
            act.derived.append((snap, previous, {"prov_type": "Revision"}))
        if write.renamed_from is not None and write.done is None and write.renamed_from.sha256 == sha256:
            act.derived.append((snap, write.renamed_from, {"prov_type": "Rename"}))
        write.done = snap
        self.set_current(snap)
        self.log.entries.append((act, snap))
        self.on_generated(act, absolute)
        return snap

    def new_snap(self, absolute: str, stat: Stat, sha256: str | None, kept: bool, at: str) -> Snap:
        """A snapshot with the artifact's next number. Only regular files and symlinks have a digest."""
        name = self.places.name(absolute)
        previous = self.current(name)
        content = None if sha256 is not None else "unknown"
        if sha256 is None and file_type(stat) == REGULAR and stat[2] > self.contents.hash_limit:
            content = "unhashed"
        properties = self.places.properties(absolute)
        properties["media_type"] = "inode/symlink" if file_type(stat) == LINK else media_type(name)
        return Snap(
            path=name,
            artifact=self.places.artifact(absolute),
            sequence=1 if previous is None else previous.sequence + 1,
            sha256=sha256,
            size=stat[2] if stat[2] >= 0 else None,
            mode=stat[5] & 0o7777,
            stat=stat if stat[2] >= 0 else None,
            seen_at=at,
            created_at=at,
            content=content,
            restorable=kept,
            properties=properties,
        )

    def keeps(self, absolute: str) -> bool:
        """Whether bytes of such a file are kept: the project's are, external data are not (rule 15)."""
        return self.places.inside(absolute) and self.places.classify(absolute) == "project"


def snap_of(known: Known) -> Snap:
    """A journaled snapshot as the settler sees it."""
    return Snap(
        path=known.path,
        artifact=known.artifact,
        sequence=known.sequence,
        sha256=known.sha256,
        size=known.size,
        mode=known.mode,
        stat=known.stat,
        seen_at=known.seen_at,
        created_at=known.seen_at,
        content=known.content,
        uid=known.uid,
        generator_uid=known.generator or "",
        invalidated=known.invalidated,
    )


def restats(snaps: Iterable[Snap]) -> list[tuple[str, Stat]]:
    """(path, stat) of snapshots whose present identity on disk is known."""
    return [(snap.path, snap.stat) for snap in snaps if snap.stat is not None and not snap.invalidated]


__all__ = ["Gather", "Log", "Lookup", "Notice", "Snap", "Write", "iso", "restats", "snap_of"]
