"""Series in the server: a node for each piece of points that an event brought, as the embedded store has a row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from provgraph.events import Event
from provgraph.events.series_rows import Piece, Row, rows_of
from provgraph.stores.encoding import column

PUT: Final = (
    "UNWIND $rows AS r MERGE (s:ProvgraphSeries {uid: r[0]}) SET s.of = $project, s.vertex = r[1], s.name = r[2], "
    "s.origin = r[3], s.number = r[4], s.place = r[5], s.time = r[6], s.first = r[7], s.ingestor = r[8], "
    "s.steps = r[9], s.numbers = r[10], s.times = r[11]"
)
REMOVE: Final = "UNWIND $rows AS r MATCH (s:ProvgraphSeries {uid: r}) DELETE s"
MOVE: Final = "UNWIND $rows AS r MATCH (s:ProvgraphSeries {vertex: r[0]}) SET s.vertex = r[1]"
_READ: Final = (
    "MATCH (s:ProvgraphSeries {vertex: $uid}) WHERE s.of = $project AND ($name IS NULL OR s.name = $name) "
    "RETURN s.name, s.origin, s.number, s.place, s.time, s.first, s.steps, s.numbers, s.times, s.ingestor"
)
_BYTES: Final = 1 << 20
_PAGE: Final = 1_000

Cells = list[Any]


def cells_of(event: Event) -> list[Cells]:
    """The rows of PUT that an event's facts come to."""
    found = []
    for place, row in enumerate(rows_of(event.body.get("facts", {}))):
        uid = f"{event.origin}:{event.origin_seq}:{place}"
        found.append([uid, *_cells(event, place, row)])
    return found


def _cells(event: Event, place: int, row: Row) -> Cells:
    of_event = [event.origin, event.origin_seq, place, event.time]
    return [row.vertex, column(row.name), *of_event, row.first, column(row.by), row.steps, row.values, row.times]


def pages(rows: Iterable[Cells]) -> Iterator[list[Cells]]:
    """Rows in lists that one statement can take."""
    page: list[Cells] = []
    held = 0
    for row in rows:
        size = sum(len(cell) for cell in row if isinstance(cell, bytes))
        if page and (held + size > _BYTES or len(page) >= _PAGE):
            yield page
            page, held = [], 0
        page.append(row)
        held += size
    if page:
        yield page


def read(run: Callable[..., Iterable[Sequence[Any]]], uid: str | None, name: str | None = None) -> list[Piece]:
    """The pieces of a vertex's series, or of one of them.

    Parameters:
        run: asks the server.
    """
    found = []
    for row in run(_READ, uid=uid, name=None if name is None else column(name)):
        steps, numbers = bytes(row[6]), bytes(row[7])
        times = None if row[8] is None else bytes(row[8])
        origin, number, place, time, first = row[1:6]
        found.append(Piece(row[0], origin, number, place, time, first, steps, numbers, times, row[9]))
    return found
