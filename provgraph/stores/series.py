"""Series in ``graph.db``: a row for each piece of points that an event brought, its columns as binary arrays.

Rows are what events say, and depend on nothing else; ``events.series_rows.joined`` makes series of them. Cost of
reading: 20 ms for 1,000,000 points in 1,000 pieces.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from provgraph.events.series import Standing, extended
from provgraph.events.series_rows import Joined, Piece, Points, Row, from_little_endian, joined
from provgraph.stores.encoding import column

TABLE: Final = """
CREATE TABLE series (
    vertex INTEGER NOT NULL,
    name TEXT NOT NULL,
    origin INTEGER NOT NULL,     -- whose event brought it,
    number INTEGER NOT NULL,     -- its number there,
    place INTEGER NOT NULL,      -- and the row's in its facts
    seq INTEGER NOT NULL,        -- the event's number in the journal
    time TEXT NOT NULL,          -- of the event
    first INTEGER NOT NULL,      -- from this index on, the series is these points
    ingestor TEXT NOT NULL,      -- that read them; empty where the program told them
    steps BLOB NOT NULL,         -- little-endian int64
    numbers BLOB NOT NULL,       -- little-endian float64
    times BLOB,                  -- Unix time in ns, little-endian int64
    PRIMARY KEY (vertex, name, origin, number, place)
);
"""
_INSERT: Final = "INSERT OR REPLACE INTO series VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
_COLUMNS: Final = "s.name, o.uid, s.number, s.place, s.time, s.first, s.steps, s.numbers, s.times, s.ingestor"
_FROM: Final = "FROM series s JOIN vertex v ON v.id = s.vertex JOIN origin o ON o.id = s.origin WHERE v.uid = ?"
_REMEMBERED: Final = 32

EventAt = tuple[int, int, int, str]
"""(origin's id, number there, number in the journal, time) of an event."""


def write(db: sqlite3.Connection, vertex: int, row: Row, place: int, event: EventAt) -> None:
    """Keep one row of an event's facts."""
    origin, number, seq, time = event
    values = vertex, column(row.name), origin, number, place, seq, time, row.first, column(row.by)
    db.execute(_INSERT, (*values, row.steps, row.values, row.times))


def read(db: sqlite3.Connection, uid: bytes, name: str | None = None) -> list[Piece]:
    """The pieces of a vertex's series, or of one of them."""
    named, values = ("", (uid,)) if name is None else (" AND s.name = ?", (uid, column(name)))
    return list(map(Piece._make, db.execute(f"SELECT {_COLUMNS} {_FROM}{named}", values)))


class Standings:
    """What is known of vertices' series; of those that were asked for last, only what is new is read.

    Parameters:
        db: the projection.
        catch_up: brings it up to date with the journal.
    """

    def __init__(self, db: sqlite3.Connection, catch_up: Callable[[], object]) -> None:
        self._db, self._catch_up = db, catch_up
        self._known: OrderedDict[bytes, tuple[int, dict[str, Standing]]] = OrderedDict()

    def of(self, uid: bytes) -> Mapping[str, Standing]:
        """What is known of a vertex's series, by name."""
        self._catch_up()
        seq, known = self._known.pop(uid, (0, {}))
        newest = self._db.execute(f"SELECT coalesce(max(s.seq), 0) {_FROM}", (uid,)).fetchone()[0]
        if newest > seq:
            known = self._extended(uid, seq, known)
        self._known[uid] = newest, known
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known

    def _extended(self, uid: bytes, seq: int, known: dict[str, Standing]) -> dict[str, Standing]:
        """With what came since: at the end of what there was, as nearly always, or else all of it once more."""
        query = f"SELECT {_COLUMNS} {_FROM} AND s.seq > ? ORDER BY s.seq, s.place"
        found = dict(known)
        origins = {row[0] for row in self._db.execute(f"SELECT DISTINCT s.origin {_FROM}", (uid,))}
        for piece in map(Piece._make, self._db.execute(query, (uid, seq))):
            before = found.get(piece.name)
            if piece.first != (0 if before is None else before.count) or len(origins) > 1:
                return {name: standing(series) for name, series in joined(read(self._db, uid)).items()}
            points = Points(from_little_endian(piece.steps, "q"), from_little_endian(piece.values, "d"))
            found[piece.name] = extended(before, points, piece.by)
        return dict(sorted(found.items()))


def standing(series: Joined) -> Standing:
    """What is known of a whole series."""
    return extended(None, series.points, series.by)
