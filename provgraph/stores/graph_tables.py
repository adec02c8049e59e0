"""The tables of ``graph.db``: vertices, edges, and what questions need to know of them at once.

All of it follows from the journal, event by event: ids are given in the order in which uids first occur, so the same
journal gives the same tables, however often and in however large steps it is applied. Journals that hold the same
events in another order, as those of two clones do, give the same vertices and edges under other ids: where several
clones wrote one property, its stamp decides, never who came first.
"""

import hashlib
import sqlite3
from pathlib import Path
from typing import Final

from provgraph.model.vocabulary import RELATIONS
from provgraph.stores.connection import connect
from provgraph.stores.series import TABLE as SERIES

SCHEMA_VERSION: Final = 3
"""Of the projection alone: another version is rebuilt, never migrated."""

TABLES: Final = (
    """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE origin (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    own INTEGER NOT NULL,        -- 1: this disk's; an origin that was left at a fork has two rows, before and after
    UNIQUE (uid, own)
);
CREATE TABLE span (
    first INTEGER PRIMARY KEY,   -- number of an event: from here on
    origin INTEGER NOT NULL      -- they are this one's
);
CREATE TABLE relation (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE labelset (
    id INTEGER PRIMARY KEY, labels TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, environment INTEGER NOT NULL
);
CREATE TABLE vertex (
    id INTEGER PRIMARY KEY,
    uid BLOB NOT NULL UNIQUE,
    labels INTEGER,              -- NULL: an edge named it, no event has brought it yet
    properties TEXT NOT NULL,
    seq INTEGER NOT NULL,        -- of the event that touched it last
    origin INTEGER NOT NULL,     -- that recorded it; 0: several may (it has a uid of its own), or none has yet
    stamps TEXT                  -- of the properties that several origins may write, as JSON (projection.stamp_of)
);
CREATE INDEX vertex_labels ON vertex (labels);
CREATE INDEX vertex_seq ON vertex (seq);
CREATE TABLE edge (
    id INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    source INTEGER NOT NULL,
    target INTEGER NOT NULL,
    role TEXT NOT NULL,
    properties TEXT NOT NULL,
    seq INTEGER NOT NULL,        -- of the event that brought it last
    born INTEGER NOT NULL,       -- of the event that brought it first
    stamps TEXT                  -- as those of a vertex
);
CREATE UNIQUE INDEX edge_forth ON edge (source, type, target, role);
CREATE INDEX edge_back ON edge (target, type, source);
CREATE INDEX edge_seq ON edge (seq);
CREATE TABLE artifact (
    vertex INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    newest INTEGER               -- of the snapshots that this disk recorded
);
CREATE INDEX artifact_path ON artifact (path);
CREATE TABLE snapshot (
    vertex INTEGER PRIMARY KEY,
    artifact INTEGER,
    path TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    sha256 BLOB,
    size INTEGER,
    mode INTEGER,
    content TEXT,
    created_at TEXT NOT NULL,
    origin INTEGER NOT NULL,
    seq INTEGER NOT NULL,        -- of the event that brought it
    invalidated INTEGER NOT NULL DEFAULT 0,  -- 1: by an event of this disk, 2: by another clone's, 3: by both
    generator INTEGER            -- of this disk's snapshots the one that an event of this disk names
);
CREATE INDEX snapshot_path ON snapshot (path);
CREATE INDEX snapshot_unhashed ON snapshot (vertex) WHERE content = 'unhashed';
CREATE INDEX snapshot_sha256 ON snapshot (sha256) WHERE sha256 IS NOT NULL;
CREATE TABLE activity (
    vertex INTEGER PRIMARY KEY,
    number INTEGER,
    started_at TEXT NOT NULL,
    whole BLOB,
    unseen INTEGER NOT NULL,     -- 1: no command that a person ran (Unseen, Gathering, Commit)
    origin INTEGER NOT NULL
);
CREATE INDEX activity_started ON activity (started_at, vertex);
CREATE INDEX activity_number ON activity (origin, number);
CREATE TABLE agent (vertex INTEGER PRIMARY KEY, name TEXT, email TEXT, same_as BLOB);
CREATE INDEX agent_name ON agent (name);
CREATE INDEX agent_merged ON agent (vertex) WHERE same_as IS NOT NULL;
CREATE TABLE version (
    vertex INTEGER PRIMARY KEY,
    origin INTEGER NOT NULL,
    own INTEGER                  -- number of the first event of this disk that brought it
);
CREATE INDEX version_own ON version (own) WHERE own IS NOT NULL;
CREATE TABLE spool (
    name TEXT PRIMARY KEY, newest INTEGER, first INTEGER, closed INTEGER NOT NULL, t INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE collection (
    vertex INTEGER PRIMARY KEY, list INTEGER NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL
);
CREATE TABLE member_list (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE);
CREATE TABLE member (key INTEGER, list INTEGER, PRIMARY KEY (key, list)) WITHOUT ROWID;
CREATE TABLE property_key (key TEXT, owner TEXT, PRIMARY KEY (key, owner)) WITHOUT ROWID;
CREATE TABLE event_kind (kind TEXT PRIMARY KEY, known INTEGER NOT NULL, events INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE violation (seq INTEGER, rule TEXT, source BLOB, target BLOB, PRIMARY KEY (seq, rule, source, target))
    WITHOUT ROWID;
"""
    + SERIES
)

RELATION_IDS: Final = {name: number for number, name in enumerate(RELATIONS, 1)}
"""Ids of the vocabulary's relations; others follow in the order in which they occur."""

_DIGESTED: Final = (
    "meta", "origin", "span", "relation", "labelset", "vertex", "edge", "artifact", "snapshot", "activity", "agent",
    "version", "spool", "collection", "member_list", "member", "series", "property_key", "event_kind", "violation",
)  # fmt: skip


def open_graph(path: Path, *, write: bool) -> sqlite3.Connection:
    """The projection's database; where there is none, or one of another shape, an empty one.

    Raises:
        CorruptError: it is damaged.
        StoreError: it cannot be opened, or must be made anew and ``write`` is False.
    """
    db = connect(path, write=write, synchronous="NORMAL", create=write)
    if write and db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        create(db)
    return db


def create(db: sqlite3.Connection) -> None:
    """Make all tables, dropping what is there."""
    db.execute("BEGIN IMMEDIATE")
    if db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        drop(db)
        make(db)
    db.execute("COMMIT")


def reset(db: sqlite3.Connection) -> None:
    """Empty the projection: drop all tables and make them anew."""
    db.execute("BEGIN IMMEDIATE")
    drop(db)
    make(db)
    db.execute("COMMIT")


def drop(db: sqlite3.Connection) -> None:
    """Drop all tables, within a transaction."""
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        db.execute(f'DROP TABLE "{name}"')


def make(db: sqlite3.Connection) -> None:
    """Make all tables, within a transaction."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.executemany("INSERT INTO relation VALUES (?, ?)", ((number, name) for name, number in RELATION_IDS.items()))
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def digest(db: sqlite3.Connection) -> str:
    """The SHA-256 over every row of every table, in the order of the primary keys. Cost: 1 µs a row."""
    sha = hashlib.sha256()
    for table in _DIGESTED:
        sha.update(f"{table}\n".encode())
        keys = [row[1] for row in sorted(db.execute(f"PRAGMA table_info({table})"), key=lambda row: row[5]) if row[5]]
        for row in db.execute(f"SELECT * FROM {table} ORDER BY {', '.join(keys)}"):
            sha.update(repr(row).encode("utf-8", "surrogatepass"))
    return sha.hexdigest()
