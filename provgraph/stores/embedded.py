"""The embedded store: journal, projection, local tables and objects of one project, as one value."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from provgraph.errors import CorruptError, StoreError
from provgraph.events import Event
from provgraph.graph.clones import Clones, short_names
from provgraph.model.identity import Namespace
from provgraph.stores import files, garbage, graph_tables, trust
from provgraph.stores.config import Config, read_config
from provgraph.stores.connection import connect, malformed
from provgraph.stores.journal import Journal
from provgraph.stores.knowledge import Knowledge
from provgraph.stores.local import Local, remove_database
from provgraph.stores.objects import Objects
from provgraph.stores.projection import Projection
from provgraph.stores.reader import SqliteReader, uid_bytes

_LARGE_CHUNK: Final = 200_000
"""Characters of a collection's members from which on their digests are not kept twice: some 5,000 files."""


class EmbeddedStore:
    """A project's store on this disk. Use ``stores.open_store`` and ``stores.init_project``.

    Attributes:
        root: the project's folder. folder: its ``.provdb``.
        trusted: whether its configuration and ingestors are what this user trusted; config: its configuration, of which
        only what protects is taken where it is not.
        journal: the truth (`events.ports.JournalPort`). knowledge: what ingestion asks (`KnowledgePort`).
        objects: contents (`ObjectsPort`). reader: what questions ask (`graph.reader.GraphReader`).
        projection_error: why the projection could not be brought up to date after the last batch; None where it was.
    """

    def __init__(self, root: str, *, write: bool) -> None:
        self.root, self.write = root, write
        self.folder = files.store_folder(root)
        self.trusted = trust.runs_code(root)
        config = read_config(self.folder / files.CONFIG)
        self.config: Config = config if self.trusted else config.without_trust()
        self.projection_error: Exception | None = None
        with contextlib.ExitStack() as opened:
            self.journal = Journal(self.folder / files.JOURNAL, write=write)
            opened.callback(self.journal.close)
            self.local = Local(self.folder / files.LOCAL, write=write)
            opened.callback(self.local.close)
            self.objects = Objects(
                self.folder / files.OBJECTS,
                file_limit=self.config.file_limit_bytes,
                secret_names=self.config.secret_names,
                make_room=lambda size: garbage.make_room(self, size),
                account=lambda delta: self.local.add_figure("objects_bytes", delta),
            )
            self._graph = self._open_graph()
            opened.callback(self._graph.close)
            self._wire()
            opened.pop_all()
        self.journal.after_commit = self._applied

    @property
    def project(self) -> str:
        """The project's uid."""
        return self.journal.project

    @property
    def origin(self) -> str:
        """The present origin's uid."""
        return self.journal.origin

    @property
    def namespace(self) -> Namespace:
        """The project's uids."""
        return self.journal.namespace

    def clones(self) -> Clones:
        """The clones that this store has events of. Cost: 50 µs a clone."""
        origins = {row[0] for row in self._graph.execute("SELECT uid FROM origin")} | {self.origin}
        told = {origin: self.journal.begun(origin).get("host") for origin in sorted(origins)}
        hosts = {origin: str(host) for origin, host in told.items() if host}
        return Clones(self.journal.lineage(), short_names(origins), hosts)

    # -- the projection

    def _open_graph(self) -> sqlite3.Connection:
        """The projection, or an empty one in its place where it is damaged, of another shape, or of another journal."""
        path = self.folder / files.GRAPH
        if not self.write and not _writable(self.folder):
            return self._open_graph_read_only(path)
        if not path.exists():
            remove_database(path)  # the log and the shared memory of a file that was removed are not the new one's
        try:
            db = graph_tables.open_graph(path, write=True)
            if not self._follows(db):
                graph_tables.reset(db)
            return db
        except (CorruptError, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not malformed(error):
                raise StoreError(f"{path} cannot be opened: {error}") from error
        except StoreError:
            if self.write:
                raise
            return self._open_graph_read_only(path)  # the disk is full
        remove_database(path)
        return graph_tables.open_graph(path, write=True)

    def _open_graph_read_only(self, path: Path) -> sqlite3.Connection:
        """On read-only media: the projection as it lies there, else one in memory."""
        with contextlib.suppress(StoreError, sqlite3.DatabaseError):
            db = connect(path, write=False)
            version = db.execute("PRAGMA user_version").fetchone()[0]
            watermark = db.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone()
            if version == graph_tables.SCHEMA_VERSION and watermark == (str(self.journal.last_seq()),):
                return db
            db.close()
        db = sqlite3.connect(":memory:", isolation_level=None)
        graph_tables.create(db)
        return db

    def _follows(self, db: sqlite3.Connection) -> bool:
        """Whether the newest event that the projection applied is the one that the journal has there."""
        rows = dict(db.execute("SELECT key, value FROM meta"))
        return not rows or self.journal.uid_at(int(rows["seq"])) == rows["event"]

    def _wire(self) -> None:
        self._projection = Projection(self._graph, self.journal.namespace, self.journal.lineage)
        self.knowledge = Knowledge(self._graph, self.local, self.journal, self.root, self.apply)
        self.journal.find_spools = self.knowledge.spools
        self.reader = SqliteReader(self._graph, self.journal, self.journal.namespace, self.objects.__contains__)

    def _applied(self, events: Sequence[Event]) -> None:
        """After a batch. A failure here is no failure of the batch, whose events are on the disk: it is kept."""
        try:
            if self._projection.watermark()[0] + 1 == events[0].seq:
                self._projection.apply(events)
            else:
                self.apply()
            self.projection_error = None
            for event in events:
                for place, row in enumerate(event.body.get("facts", {}).get("members", ())):
                    if len(row["chunk"]) > _LARGE_CHUNK:
                        self.knowledge.journaled(event.seq, place, row["chunk"])
        except (StoreError, sqlite3.Error) as error:
            self.projection_error = error

    def apply(self) -> int:
        """Bring the projection up to date; returns how many events were applied. Rebuilds it where it is damaged.

        Raises:
            CorruptError: the journal is damaged.
            StoreError: the projection cannot be written.
        """
        try:
            seq, _ = self._projection.watermark()
            if seq == self.journal.last_seq():
                return 0
            return self._projection.apply(self.journal.events(after=seq))
        except sqlite3.DatabaseError as error:
            if malformed(error):
                self.rebuild()
                return self.journal.last_seq()
            raise StoreError(f"{self.folder / files.GRAPH} cannot be written: {error}") from error

    def rebuild(self) -> str:
        """Make the projection anew from the journal; returns its digest. Cost: 50 µs a vertex with three edges.

        It is built aside and then copied over the old one in one transaction: other processes see the old or the new.
        """
        new = (self.folder / files.GRAPH).with_name(f"{files.GRAPH}.{os.getpid()}.new")
        remove_database(new)
        try:
            with contextlib.closing(graph_tables.open_graph(new, write=True)) as db:
                db.execute("PRAGMA journal_mode=OFF")
                db.execute("PRAGMA synchronous=OFF")
                Projection(db, self.journal.namespace, self.journal.lineage).apply(self.journal.events())
                try:
                    db.backup(self._graph)
                except sqlite3.DatabaseError as error:
                    if not malformed(error):
                        raise StoreError(f"{self.folder / files.GRAPH} cannot be written: {error}") from error
                    self._graph.close()
                    remove_database(self.folder / files.GRAPH)
                    self._graph = graph_tables.open_graph(self.folder / files.GRAPH, write=True)
                    db.backup(self._graph)
        finally:
            remove_database(new)
        for kept in (self.folder / files.CACHE).glob("*.arrays"):  # of rows that may have been damaged
            with contextlib.suppress(OSError):
                kept.unlink()
        self._graph.close()
        self._graph = self._open_graph()
        self._wire()
        return self.digest()

    def digest(self) -> str:
        """The SHA-256 over all rows of the projection. Cost: 1 µs a row."""
        return graph_tables.digest(self._graph)

    @property
    def graph(self) -> sqlite3.Connection:
        """The projection's database, for reading."""
        return self._graph

    # -- the rest

    def events(self, after: int = 0) -> Iterator[Event]:
        """The journal's events after number ``after``."""
        return self.journal.events(after)

    def found(self, activity: str) -> list[Event]:
        """What ingestors found of an activity, in order: events ``properties.found``.

        Cost: 0.5 µs for each event since it began.
        """
        query = "SELECT coalesce(min(e.born), 1) FROM vertex v JOIN edge e ON e.source = v.id WHERE v.uid = ?"
        raw = uid_bytes(activity)
        began = 1 if raw is None else self._graph.execute(query, (raw,)).fetchone()[0]
        events = self.journal.of_kind("properties.found", began - 1)
        return [event for event in events if event.body.get("facts", {}).get("activity") == activity]

    def close(self) -> None:
        """Close all databases."""
        self._graph.close()
        self.local.close()
        self.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)
