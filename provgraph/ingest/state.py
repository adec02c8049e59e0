"""What ingestion holds in memory: snapshots and activities on their way to the journal, and what each one did."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provgraph.events.ports import Stat

if TYPE_CHECKING:
    from provgraph.ingest.said import Said

REGULAR, LINK, FOLDER = 0o100000, 0o120000, 0o040000
UPDATING = {"update": "updated", "append": "appended", "mode": "updated"}
"""How something is written that was used before, as it was, and the role of both edges (rule 9)."""
CLOCK_TICK_NS: Final = 10_000_000
"""Files bear times of the kernel's coarse clock, which is late by a tick: at most so much, by HZ=100."""


def file_type(stat: Stat) -> int:
    """The file type bits of a stat's mode."""
    return stat[5] & 0o170000


@dataclass(eq=False, slots=True)
class Snap:
    """A snapshot. ``uid`` is empty until it is journaled; from then on it is a value that others refer to."""

    path: str
    """From the project's root; absolute outside. Bytes that are no UTF-8 are percent-escaped."""
    artifact: str
    sequence: int
    sha256: str | None
    size: int | None
    mode: int | None
    stat: Stat | None
    seen_at: str
    created_at: str
    content: str | None = None
    restorable: bool = False
    labels: tuple[str, ...] = ()
    uid: str = ""
    generator: "Act | None" = None
    generator_uid: str = ""
    invalidated: bool = False
    members: list[tuple[str, str | None, int]] | None = None
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def generated(self) -> bool:
        """Whether it is known what generated it."""
        return self.generator is not None or bool(self.generator_uid)

    def same_file(self, stat: Stat | None) -> bool:
        """Whether a stat shows the very file that was seen (device, inode, size, both times, mode)."""
        return stat is not None and self.stat == stat and not self.invalidated


@dataclass(eq=False, slots=True)
class Write:
    """What an activity did to one file, from its first write on."""

    how: str
    """create, truncate, update, append, link, symlink or mode; the first one counts."""
    old: Snap | None
    """The state that the first write replaced."""
    t: int
    renamed_from: Snap | None = None
    done: Snap | None = None
    """The newest state of it that was journaled already (a checkpoint that another activity opened)."""
    begun: Stat | None = None
    """Of a file that its caller opened for it: the state in which it was got."""


@dataclass(eq=False, slots=True)
class Act:
    """An activity on its way to the journal (a part of one, where it had to be split)."""

    spool: str
    start: dict[str, Any]
    uid: str = ""
    whole: "Act | None" = None
    part: int = 1
    number: int = 0
    begun: bool = False
    deferred: dict[str, tuple[int, Stat, str]] = field(default_factory=dict)
    """Reads whose snapshot is not looked up yet: absolute path → (t, stat, role)."""
    used: dict[int, tuple[Snap, int, str]] = field(default_factory=dict)
    """Reads that are: id of the snapshot → (snapshot, t, role)."""
    used_sent: set[int] = field(default_factory=set)
    writes: dict[str, Write] = field(default_factory=dict)
    generated: list[tuple[Snap, int, str, Write | None]] = field(default_factory=list)
    """Generations not journaled yet: (snapshot, t, role, write)."""
    own: set[int] = field(default_factory=set)
    """ids of all snapshots that it generated."""
    deleted: dict[str, tuple[Snap, int]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    """Paths of what it deleted, for the version after it."""
    first_seen: list[Snap] = field(default_factory=list)
    """Snapshots without a generation that its reads or writes brought to light, not journaled yet."""
    noticed: list[Snap] = field(default_factory=list)
    """Members of the implicit version before it."""
    derived: list[tuple[Snap, Snap, dict[str, Any]]] = field(default_factory=list)
    programs: list[list[str]] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    installed_in: set[str] = field(default_factory=set)
    """Prefixes of environments in which it changed files."""
    operands: frozenset[str] = frozenset()
    """Absolute paths that its command line names as operands."""
    environment: Snap | None = None
    gaps: dict[str, int] = field(default_factory=dict)
    """What could not be seen, or was not understood → how often."""
    said: "Said | None" = None
    """What it said of itself that is not journaled (of the first part)."""
    scratch: int = 0
    intermediate: int = 0
    informed_by: "Act | None" = None
    parent: "Act | None" = None
    journaled_t: int = 0
    """Operations up to this time were journaled by an ingester that is gone: they bring nothing new."""
    applied_t: int = 0
    """The time of the newest operation that was applied."""
    lost_at: int | None = None
    end: dict[str, Any] | None = None
    closed: bool = False
    checkpointed: bool = False
    """Whether a state of it was generated while it ran: only then can a cycle close through it."""

    @property
    def first(self) -> "Act":
        """The first part of it."""
        return self.whole or self

    def next_part(self) -> "Act":
        """The part that goes on where this one ends, with all that is told of the whole when it has ended.

        Lists are shared by the parts: what is in them is journaled with one part, and told once, by the last.
        """
        part = Act(
            spool=self.spool,
            start=self.start,
            whole=self.first,
            part=self.part + 1,
            number=self.number,
            deferred=self.deferred,
            writes=self.writes,
            generated=self.generated,
            deleted=self.deleted,
            removed=self.removed,
            first_seen=self.first_seen,
            noticed=self.noticed,
            programs=self.programs,
            prefixes=self.prefixes,
            installed_in=self.installed_in,
            environment=self.environment,
            gaps=self.gaps,
            scratch=self.scratch,
            intermediate=self.intermediate,
            informed_by=self,
            journaled_t=self.journaled_t,
            applied_t=self.applied_t,
            lost_at=self.lost_at,
            end=self.end,
            closed=self.closed,
        )
        self.deferred, self.writes, self.deleted = {}, {}, {}
        return part

    def refused(self, what: str) -> None:
        """Count something that could not be seen, or was not understood."""
        self.gaps[what] = self.gaps.get(what, 0) + 1

    def generated_earlier(self, snap: Snap) -> bool:
        """Whether a snapshot is a state that this activity, in any of its parts, generated itself."""
        if snap.generator is not None:
            return snap.generator.first is self.first
        return bool(snap.generator_uid) and snap.generator_uid in (self.uid, self.first.uid)

    def wall_ns(self, t: int) -> int:
        """Unix time in nanoseconds of a monotonic time, by the clock at its start (a clock set back does no harm)."""
        return int(self.start["time"]) + t - int(self.start["t"])
