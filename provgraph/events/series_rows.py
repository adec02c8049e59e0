"""Points of series as they lie in events and tables, and how their pieces make a series again.

A piece says from which index on the series is its points (``first``), so what it follows is not needed to keep it, and
pieces may arrive in any order: a clone's in the order in which it wrote them; those of several clones by time.
"""

import base64
import binascii
import re
import sys
import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

ROW_POINTS: Final = 1 << 16
"""Points of one row of the facts; longer ones are several."""
_COMPRESSED: Final = "~"
_NUMBER_BYTES: Final = 8
_LARGEST_ARRAY: Final = ROW_POINTS * _NUMBER_BYTES
_UID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NO_TIME: Final = -(1 << 63)
"""The time of a point whose time was not told, among others whose was (NumPy's NaT)."""


class Points(NamedTuple):
    """Points of one series, in the order in which they were logged."""

    steps: Sequence[int]
    """None in place of a step: the number of points before it."""
    values: Sequence[float]
    times: Sequence[int] | None = None
    """Unix time in nanoseconds."""


class Row(NamedTuple):
    """A row of an event's facts; its arrays as the bytes of ``little_endian``."""

    vertex: str
    name: str
    first: int
    steps: bytes
    values: bytes
    times: bytes | None
    by: str


class Piece(NamedTuple):
    """A row as a table has it: of which series, and of which event (its origin, number there, and time)."""

    name: str
    origin: str
    number: int
    place: int
    time: str
    first: int
    steps: bytes
    values: bytes
    times: bytes | None
    by: str


class Joined(NamedTuple):
    """A whole series, as arrays of little-endian int64 and float64."""

    steps: bytes
    values: bytes
    times: bytes | None
    by: str

    @property
    def points(self) -> Points:
        """The numbers. Cost: 10 ms for 1,000,000 points."""
        times = None if self.times is None else from_little_endian(self.times, "q")
        return Points(from_little_endian(self.steps, "q"), from_little_endian(self.values, "d"), times)


def joined(pieces: Iterable[Piece]) -> dict[str, Joined]:
    """Whole series, by name in order, from all pieces of a vertex in any order. Cost: 3 µs a piece."""
    found: dict[str, list[Piece]] = defaultdict(list)
    for piece in in_order(pieces):
        found[piece.name].append(piece)
    series = {name: _join(found[name]) for name in sorted(found)}
    return {name: one for name, one in series.items() if one.values}


def in_order(pieces: Iterable[Piece]) -> list[Piece]:
    """Pieces in the order in which they count, whatever clocks did: those of one origin by their number.

    Those of several origins by time, where an origin's clock that went back is taken to have stood still.
    """
    found = sorted(pieces, key=lambda piece: (piece.origin, piece.number, piece.place))
    keyed, origin, latest = [], "", ""
    for piece in found:
        latest = piece.time if piece.origin != origin else max(latest, piece.time)
        origin = piece.origin
        keyed.append(((latest, origin, piece.number, piece.place), piece))
    keyed.sort(key=lambda pair: pair[0])
    return [piece for _, piece in keyed]


def _join(pieces: Sequence[Piece]) -> Joined:
    kept: list[tuple[Piece, int]] = []  # with how many points of it count
    total = 0
    for piece in pieces:
        while total > piece.first:
            last, count = kept.pop()
            total -= count
            if total < piece.first:
                kept.append((last, piece.first - total))
                total = piece.first
        count = len(piece.values) // _NUMBER_BYTES
        kept.append((piece, count))
        total += count
    timed = any(piece.times is not None for piece, _ in kept)
    steps = b"".join(piece.steps[: count * _NUMBER_BYTES] for piece, count in kept)
    values = b"".join(piece.values[: count * _NUMBER_BYTES] for piece, count in kept)
    times = b"".join(_times(piece, count) for piece, count in kept) if timed else None
    return Joined(steps, values, times, kept[-1][0].by)


def _times(piece: Piece, count: int) -> bytes:
    if piece.times is None:
        return NO_TIME.to_bytes(_NUMBER_BYTES, "little", signed=True) * count
    return piece.times[: count * _NUMBER_BYTES]


def rows_of(facts: Mapping[str, Any]) -> Iterator[Row]:
    """The points in an event's facts. Rows that are damaged or of a later program's shape are passed over."""
    for row in _listed(facts):
        try:
            steps, values = decode(row["steps"]), decode(row["values"])
            times = decode(row["times"]) if row.get("times") is not None else None
            vertex, name, first = row["vertex"], row["name"], row["first"]
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
        equal = len(steps) == len(values) and (times is None or len(times) == len(values))
        if equal and isinstance(name, str) and _is_uid(vertex) and _is_index(first):
            yield Row(vertex, name, first, steps, values, times, str(row.get("by", "")))


def vertices_of(facts: Mapping[str, Any]) -> Iterator[str]:
    """The uids of the vertices whose series get points."""
    yield from (row["vertex"] for row in _listed(facts) if isinstance(row, dict) and _is_uid(row.get("vertex")))


def _listed(facts: Mapping[str, Any]) -> Sequence[Any]:
    found = facts.get("series")
    return found if isinstance(found, list) else ()


def _is_uid(value: Any) -> bool:
    return isinstance(value, str) and _UID.fullmatch(value) is not None


def _is_index(first: Any) -> bool:
    return isinstance(first, int) and not isinstance(first, bool) and 0 <= first < 1 << 53


def encode(numbers: "array[Any]") -> str:
    """An array as the facts have it."""
    raw = little_endian(numbers)
    small = zlib.compress(raw, 6) if len(raw) >= 64 else raw
    if len(small) * 10 <= len(raw) * 9:
        return _COMPRESSED + base64.b64encode(small).decode("ascii")
    return base64.b64encode(raw).decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of the array that ``encode`` was given.

    Raises:
        ValueError: it is damaged, or longer than a row may be.
    """
    try:
        raw = base64.b64decode(text.removeprefix(_COMPRESSED), validate=True)
        if text.startswith(_COMPRESSED):
            raw = zlib.decompressobj().decompress(raw, _LARGEST_ARRAY + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"an array of a series is damaged: {error}") from error
    if len(raw) > _LARGEST_ARRAY or len(raw) % _NUMBER_BYTES:
        raise ValueError(f"an array of a series has {len(raw)} bytes")
    return raw


def little_endian(numbers: "array[Any]") -> bytes:
    """The bytes of an ``array`` of 64-bit numbers, in the order that events and tables have them."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def from_little_endian(raw: bytes, code: str) -> "array[Any]":
    """What ``little_endian`` was given.

    Raises:
        ValueError: no whole number of numbers.
    """
    found = array(code)
    found.frombytes(raw)
    if sys.byteorder == "big":
        found.byteswap()
    return found
