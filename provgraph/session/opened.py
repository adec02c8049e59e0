"""An open project: its store, opened when it is first needed, and where its questions are asked."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from provgraph.errors import RemoteError, StoreError
from provgraph.queries.places import Places
from provgraph.session.disk import Disk
from provgraph.session.git_references import GitReferences
from provgraph.session.pending import spooled

if TYPE_CHECKING:
    from types import TracebackType

    from provgraph.graph.reader import GraphReader
    from provgraph.session.interpreting.ingestors import Ingestors
    from provgraph.session.remotes import Remotes
    from provgraph.stores import EmbeddedStore
    from provgraph.stores.cypher import CypherCache
    from provgraph.stores.neo4j import TeamStore

WAIT_S: Final = 10.0
PATIENCE_S: Final = 0.5
LOCAL: Final = "local"
"""The name that stands for the store on this disk, where a remote's is asked for."""


class Opened:
    """A project's store, and the server where that is asked instead.

    Parameters:
        root: the folder that holds ``.provdb``.
        cwd: where relative paths begin; the root by default.
        progress: is told, in a sentence, what is being waited for.
        at: the remote that answers questions; ``local`` for the store here, None for what the configuration says.
        ask: asks the person for a password, where somebody can be asked.
    """

    def __init__(
        self,
        root: str,
        *,
        cwd: str | None = None,
        progress: Callable[[str], None] = lambda _text: None,
        at: str | None = None,
        ask: Callable[[str], str] | None = None,
    ) -> None:
        self.root, self.disk, self.progress = root, Disk(root, cwd or root), progress
        self.at, self.ask = at, ask
        self.notes: list[str] = []
        self.keyring_wait_s: float | None = None
        """How long a keyring is waited for that wants to be unlocked; None where somebody may do so."""
        self._store: EmbeddedStore | None = None
        self._team: TeamStore | None = None
        self._cypher: CypherCache | None = None
        self._writes = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Project {self.root}" + (f" at={self.at!r}>" if self.at else ">")

    def close(self) -> None:
        """Close the store and connections. The next question opens them again."""
        for opened in (self._cypher, self._team, self._store):
            if opened is not None:
                opened.close()
        self._cypher = self._team = self._store = None

    def store(self, *, write: bool = False) -> "EmbeddedStore":
        """The store on this disk, opened when it is first needed, its projection up to date."""
        from provgraph.stores import open_store

        if self._store is not None and write and not self._writes:
            self.close()
        if self._store is None:
            self._store, self._writes = open_store(self.root, write=write), write
        self._store.apply()
        return self._store

    @property
    def remotes(self) -> "Remotes":
        """The teams' servers that this project knows."""
        from provgraph.session.remotes import Remotes

        return Remotes(self)

    @property
    def ingestors(self) -> "Ingestors":
        """What interprets this project's commands."""
        from provgraph.session.interpreting.ingestors import Ingestors

        return Ingestors(self)

    def team(self) -> "TeamStore | None":
        """The server that answers questions; None where the store here does.

        Raises:
            RemoteError: it does not answer.
        """
        name = self.at or self.store().config.ask_at
        if name in ("", LOCAL):
            return None
        if self._team is None:
            try:
                self._team = self.remotes.connect(name)
            except RemoteError as error:
                hint = "`--at local` (in Python: at='local') asks the store on this disk"
                raise RemoteError(f"{error}; {hint}", passing=error.passing) from error
        return self._team

    def reader(self) -> "GraphReader":
        """What questions ask: the server where that is asked for, else the store here, once all is ingested."""
        team = self.team()
        if team is not None:
            self.notes = []
            return team.reader
        self.settle_pending()
        return self.store().reader

    def settle_pending(self) -> None:
        """Wait until everything that has ended is ingested; what is still missing after ten seconds is a note."""
        self.notes = []
        if not any(spooled(self.root)):
            return  # most questions find nothing, and need no ingester
        from provgraph.session.ingester import catch_up

        waiting = _Waiting(self.progress)
        try:
            pending = catch_up(self.root, timeout_s=WAIT_S, progress=waiting)
        except (StoreError, OSError) as error:  # a disk that is full or read-only: what is journaled can be asked for
            self.notes.append(f"what has ended since is not in this answer, for it cannot be ingested: {error}")
            return
        if pending.commands:
            what = "command is" if pending.commands == 1 else "commands are"
            self.notes.append(
                f"{pending.commands} ended {what} not in this answer: not ingested after {pending.waited_s:.0f} s; "
                "`provdb status` tells how it stands"
            )

    def places(self) -> Places:
        """Where references are resolved: this project's paths, files and clock."""
        store = self.store()
        git = self.git_references()
        return Places(
            self.disk.locate, self.disk.digest, None, store.origin, store.clones().by_name, git.commit, git.committed
        )

    def git_references(self) -> GitReferences:
        """The commits of this project's repositories, as they are called where the question is asked."""
        return GitReferences(self.root, self.store().namespace, self.disk.cwd)

    def now(self) -> str:
        """The time, ISO 8601 in UTC."""
        return datetime.now(UTC).isoformat(timespec="microseconds")


class _Waiting:
    """Says once that something is waited for, when that takes over half a second."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._began, self._said = say, time.monotonic(), False

    def __call__(self, left: int) -> None:
        if left and not self._said and time.monotonic() - self._began > PATIENCE_S:
            self._said = True
            self._say(f"waiting until {left} ended {'command is' if left == 1 else 'commands are'} ingested …")
