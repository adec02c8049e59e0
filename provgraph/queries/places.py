"""What reference resolution must know of the world outside the graph, as one small port."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from provgraph.graph.clones import short_origin
from provgraph.graph.reader import SnapshotRow


def as_written(text: str) -> str:
    """The store's path of what a user typed, where there is no project: the text without ``./``."""
    return text.removeprefix("./")


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit: its id, the uid of its version (recorded or not), when it was committed (ISO 8601 UTC)."""

    id: str
    uid: str
    at: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where a question is asked.

    Attributes:
        locate: the store's path (from the project's root, absolute outside) of a path as the user typed it.
        digest: SHA-256 of the file or symlink on disk at a path as the user typed it, None where there is none.
        zone: of times that name none; None is the machine's own.
        origin: uid of the clone at hand, empty where there is none.
        commit: the commit that a text names, for a file at a store's path ("" for none); None where it names none.
        committed: SHA-256 of what a commit has at a store's path; "" where it has nothing, None where nobody can tell.
        origins: the clones' uids by each name that they may be called by: short name, whole uid, machine.
        exact: of a commit's state that nobody recorded, no other state may stand for it.
    """

    locate: Callable[[str], str] = as_written
    digest: Callable[[str], str | None] = lambda _path: None
    zone: tzinfo | None = None
    origin: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)
    commit: Callable[[str, str], Committed | None] = lambda _text, _path: None
    committed: Callable[[str, str], str | None] = lambda _commit, _path: None
    exact: bool = False

    def is_of(self, row: SnapshotRow, origin: str) -> bool:
        """Whether a clone recorded a snapshot; what this one was forked from counts as its own up to the fork."""
        return row.own if row.own is not None and origin == self.origin else row.origin == origin

    def row_name(self, row: SnapshotRow) -> str:
        """The name of a snapshot, ``ORIGIN:`` before another clone's."""
        name = f"{row.path}@{row.sequence}"
        return name if not row.origin or self.is_of(row, self.origin) else f"{self.short(row.origin)}:{name}"

    def short(self, origin: str) -> str:
        """The short name of a clone."""
        names = [name for name, uid in self.origins.items() if uid == origin]
        ends = [name for name in names if origin.replace("-", "").endswith(name)] or names
        return min(ends, key=lambda name: (len(name), name), default=short_origin(origin))
