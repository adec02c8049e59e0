"""What whoever records needs from a store, as ports: the journal, what is known, the objects."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from provgraph.events.envelope import EventBuilder
from provgraph.events.series import Standing

Stat = tuple[int, int, int, int, int, int]
"""(device, inode, size in bytes, mtime in ns, ctime in ns, mode) of a file, as one lstat gave them."""


@dataclass(frozen=True, slots=True)
class Known:
    """The newest state of a file that this store knows: its last snapshot on this disk."""

    uid: str
    artifact: str
    path: str
    sequence: int
    sha256: str | None
    size: int | None
    mode: int | None
    stat: Stat | None
    """The identity under which it was last seen; None where that is unknown."""
    invalidated: bool
    generator: str | None
    """uid of the activity that generated it."""
    content: str | None
    """'unknown', 'unhashed', or None where the digest was read."""
    seen_at: str
    """When it was last known to be so, ISO 8601 UTC."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A file that no activity has touched yet, as a walk saw it."""

    stat: Stat
    seen_at: str
    """When a walk last found it so, ISO 8601 UTC."""


class Batch(Protocol):
    """One write transaction of the journal: all of its events become visible together."""

    def event(self, kind: str, time: str) -> EventBuilder:
        """Begin an event; its number is fixed now. What the builder holds at the end of the batch is written."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What an earlier ingester journaled of an activity whose spool file is still there."""

    uid: str
    """The newest part of it."""
    first_uid: str
    number: int
    closed: bool
    """Whether its last event was journaled: only the spool file was left behind."""
    t: int
    """Operations up to this time were journaled."""


class JournalPort(Protocol):
    """The journal, for writing. The projection is brought up to date after each batch."""

    project: str
    origin: str

    def resume(self, spools: Sequence[str]) -> dict[str, Resumed]:
        """What was journaled of activities, by the ``spool`` that their events' facts name."""

    def batch(self) -> AbstractContextManager[Batch]:
        """Begin a transaction; committed at the end of the block, rolled back on an exception."""


class KnowledgePort(Protocol):
    """What the projection and the local tables know. Paths are from the project's root, absolute outside of it."""

    def known(self, path: str) -> Known | None:
        """The newest snapshot of the artifact at ``path``."""

    def known_below(self, folder: str) -> list[Known]:
        """The newest, not invalidated snapshots of all artifacts below ``folder`` ('' is the whole project)."""

    def deleted(self) -> Sequence[str]:
        """The paths in the project whose newest snapshot is invalidated."""

    def unhashed(self) -> list[Known]:
        """The newest snapshots whose content waits to be hashed."""

    def baseline(self, path: str) -> Baseline | None:
        """What a walk saw of a file that has no snapshot."""

    def baseline_below(self, folder: str) -> Iterable[tuple[str, Baseline]]:
        """The same for all below a folder."""

    def restat(self, rows: Iterable[tuple[str, Stat]], at: str) -> None:
        """Note under which identity snapshots' present contents are found on disk (local, not history)."""

    def digest_of(self, stat: Stat) -> str | None:
        """The SHA-256 read earlier from a file with this identity."""

    def remember_digests(self, rows: Iterable[tuple[Stat, str]]) -> None:
        """Keep digests for ``digest_of``."""

    def walked_at(self) -> str | None:
        """When a walk last looked at the whole project, ISO 8601 UTC; None where none did."""

    def member_generator(self, path: str, sha256: str | None, after: str = "") -> str | None:
        """uid of the activity that generated the newest collection in which ``path`` has this content.

        ``after``: uid of a snapshot; of the collections, only those that came after it.
        """

    def collections_near(self, folder: str) -> list[Known]:
        """The newest Collection snapshot of each folder at, below or above ``folder``."""

    def members(self, uid: str) -> Iterable[tuple[str, str | None]]:
        """(path as ``Known.path``, SHA-256) of a Collection snapshot's members."""

    def next_activity_number(self) -> int:
        """One more than the commands journaled so far by this origin."""

    def agent(self, label: str, name: str) -> str | None:
        """uid of an agent that is no person with an e-mail address."""

    def newest_version(self) -> str | None:
        """uid of the newest implicit version of this origin."""

    def has_vertex(self, uid: str) -> bool:
        """Whether anybody has recorded a vertex with this uid."""

    def has_edge(self, type: str, source: str, target: str | None = None) -> bool:
        """Whether anybody has recorded such an edge; to anything where no target is given."""

    def derived_from(self, uid: str) -> Iterable[str]:
        """uids of what a vertex was derived from, directly."""

    def snapshot_with(self, path: str, sha256: str) -> str | None:
        """uid of the newest snapshot of the artifact at ``path`` that has this content."""

    def committed(self, path: str, sha256: str) -> Known | None:
        """The snapshot of ``path`` with this content that a commit holds, else any; the newest of several."""

    def variable(self, path: str, session: str) -> tuple[Known, str | None] | None:
        """The newest snapshot of a notebook's variable in one kernel session, and its fingerprint."""

    def series(self, uid: str) -> Mapping[str, Standing]:
        """What is known of a vertex's series, by name. Within a batch: up to date with all that was journaled."""


class ObjectsPort(Protocol):
    """The content-addressed store."""

    def __contains__(self, sha256: str) -> bool:
        """Whether the bytes are here."""

    def put_file(self, path: str, expected: Stat | None = None) -> "Stored":
        """Hash a file and keep its bytes, in one read. Never follows a symlink at ``path``.

        ``expected``: where the file's identity differs from it before or after the read, nothing is kept.
        Raises:
            OSError: it cannot be read.
        """

    def digest_file(self, path: str, expected: Stat | None = None) -> "Stored":
        """Hash without keeping."""

    def put_bytes(self, data: bytes) -> "Stored":
        """Keep some bytes."""

    def is_secret(self, path: str) -> bool:
        """Whether a file's name or place says that its bytes must not be kept."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What reading a file gave."""

    sha256: str | None
    """None where the file changed while it was read."""
    stat: Stat
    kept: bool
    """Whether the bytes are in the store."""
