"""The rows of ``graph.db`` as arrays: vertex row 1 is place 0, and so on; read whole, or what events brought since.

Rows are added and changed, never removed, and the same journal gives them the same ids: arrays of an earlier state
plus the rows with a later ``seq`` are the arrays of the present one.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from provgraph.graph.arrays import KIND_CODES, RELATION_CODES, Adjacency, Arrays
from provgraph.model.vocabulary import ANCESTRY, Kind
from provgraph.stores.encoding import loads

ABSENT: Final = -1
"""The kind of a row that is no vertex yet (an edge named it), the relation of one that this version lacks, and where a
row id is nobody's the ends too."""
ANCESTRY_KEY: Final = tuple(sorted(ANCESTRY))
_CHUNK: Final = 1 << 16
_BITS: Final = 28
"""Of a row id where two of them and a relation share 63 bits: 268 million vertices."""
_MASK: Final = (1 << _BITS) - 1
_FEW: Final = 2_000

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class GraphRows:
    """The state of the tables after event ``seq``.

    ``uids``: uint8 (n, 16). ``order``: the places of all vertex rows by uid. ``labelsets``: (id, labels), by id.
    """

    seq: int
    event: str | None
    labelsets: tuple[tuple[int, tuple[str, ...]], ...]
    uids: npt.NDArray[np.uint8]
    order: Ints
    kinds: npt.NDArray[np.int8]
    labels: Ints
    relations: npt.NDArray[np.int8]
    sources: Ints
    targets: Ints
    adjacencies: dict[bool, Adjacency] = field(default_factory=dict)
    """Of ancestry edges, by their source (False) and by their target (True)."""

    @property
    def size(self) -> int:
        """The number of rows."""
        return len(self.kinds) + len(self.relations)

    def arrays(self) -> Arrays:
        """The arrays of all rows, absent ones too."""
        arrays = Arrays(
            kinds=self.kinds,
            labels=self.labels,
            labelsets=tuple(labels for _, labels in self.labelsets),
            relations=self.relations,
            sources=self.sources,
            targets=self.targets,
        )
        for reverse, adjacency in self.adjacencies.items():
            arrays.adjacencies[ANCESTRY_KEY, reverse] = adjacency
        return arrays


def watermark(db: sqlite3.Connection) -> tuple[int, str | None]:
    """(number, uid) of the newest event in the tables; (0, None) where there is none."""
    rows = dict(db.execute("SELECT key, value FROM meta"))
    return int(rows.get("seq", "0")), rows.get("event")


def read_all(db: sqlite3.Connection) -> GraphRows:
    """All rows, within the caller's transaction. Cost: 0.4 µs an edge, 1 µs a vertex."""
    seq, event = watermark(db)
    labelsets = _labelsets(db)
    kinds, labels = _labels(db, labelsets)
    uids = _uids(db, len(kinds))
    relations, sources, targets = _edges(db)
    rows = GraphRows(seq, event, labelsets, uids, order_of(uids), kinds, labels, relations, sources, targets)
    return replace(rows, adjacencies=ancestry(rows.arrays()))


def _labelsets(db: sqlite3.Connection) -> tuple[tuple[int, tuple[str, ...]], ...]:
    return tuple((id, tuple(loads(text))) for id, text in db.execute("SELECT id, labels FROM labelset ORDER BY id"))


def _codes(db: sqlite3.Connection, labelsets: tuple[tuple[int, tuple[str, ...]], ...]) -> dict[int, tuple[int, int]]:
    """(place among the labelsets, kind) by labelset id."""
    kinds = dict(db.execute("SELECT id, kind FROM labelset"))
    return {id: (place, KIND_CODES[Kind(kinds[id])]) for place, (id, _) in enumerate(labelsets)}


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])


def _labels(
    db: sqlite3.Connection, labelsets: tuple[tuple[int, tuple[str, ...]], ...]
) -> tuple[npt.NDArray[np.int8], Ints]:
    count = _count(db, "vertex")
    kinds, labels = np.full(count, ABSENT, np.int8), np.zeros(count, np.int32)
    query = "SELECT group_concat(id) FROM vertex WHERE labels = ? AND id > ? AND id <= ?"
    for id, (place, kind) in _codes(db, labelsets).items():
        for start in range(0, count, _CHUNK * 16):
            text = db.execute(query, (id, start, start + _CHUNK * 16)).fetchone()[0]
            if text:
                places = _numbers(text) - 1
                kinds[places], labels[places] = kind, place
    return kinds, labels


def _numbers(text: str) -> npt.NDArray[np.int64]:
    """Numbers that SQLite strung together: half the cost of a Python number for each."""
    return np.fromstring(text, np.int64, sep=",")


def _uids(db: sqlite3.Connection, count: int) -> npt.NDArray[np.uint8]:
    uids = np.zeros((count, 16), np.uint8)
    query = "SELECT group_concat(hex(uid), '') FROM vertex NOT INDEXED WHERE id > ? AND id <= ?"
    for start in range(0, count, _CHUNK):
        text = db.execute(query, (start, start + _CHUNK)).fetchone()[0] or ""
        part = np.frombuffer(bytes.fromhex(text), np.uint8).reshape(-1, 16)
        uids[_places(db, "vertex", start, len(part), count)] = part
    return uids


def _places(db: sqlite3.Connection, table: str, start: int, found: int, count: int) -> slice | npt.NDArray[np.int64]:
    """Where a chunk's rows belong: one after the other, but where ids have gaps."""
    if found == min(_CHUNK, count - start):
        return slice(start, start + found)
    query = f"SELECT group_concat(id) FROM {table} NOT INDEXED WHERE id > ? AND id <= ?"
    text = db.execute(query, (start, start + _CHUNK)).fetchone()[0]
    return _numbers(text or "") - 1


def _edges(db: sqlite3.Connection) -> tuple[npt.NDArray[np.int8], Ints, Ints]:
    count, codes = _count(db, "edge"), _relation_codes(db)
    relations = np.full(count, ABSENT, np.int8)
    sources, targets = np.full(count, ABSENT, np.int32), np.full(count, ABSENT, np.int32)
    query = (
        f"SELECT group_concat((type << {2 * _BITS}) | (source << {_BITS}) | target) FROM edge NOT INDEXED "
        "WHERE id > ? AND id <= ?"
    )
    for start in range(0, count, _CHUNK):
        packed = _numbers(db.execute(query, (start, start + _CHUNK)).fetchone()[0] or "")
        places = _places(db, "edge", start, len(packed), count)
        relations[places] = codes[packed >> (2 * _BITS)]
        sources[places] = ((packed >> _BITS) & _MASK) - 1
        targets[places] = (packed & _MASK) - 1
    return relations, sources, targets


def _relation_codes(db: sqlite3.Connection) -> npt.NDArray[np.int8]:
    rows = db.execute("SELECT id, name FROM relation").fetchall()
    codes = np.full(max((id for id, _ in rows), default=0) + 1, ABSENT, np.int8)
    for id, name in rows:
        codes[id] = RELATION_CODES.get(name, ABSENT)
    return codes


def order_of(uids: npt.NDArray[np.uint8]) -> Ints:
    """The places of uids, sorted."""
    words = np.ascontiguousarray(uids).view(">u8").astype(np.uint64)
    order = np.argsort(words[:, 0])
    first = words[order, 0]
    if len(first) > 1 and (first[1:] == first[:-1]).any():
        order = np.lexsort((words[:, 1], words[:, 0]))
    return order.astype(np.int32)


def sound(rows: GraphRows) -> bool:
    """Whether every number stands for something. Whoever walks compiled does not look again. Cost: 10 ns an edge."""
    n, m = len(rows.kinds), len(rows.relations)
    ends = (rows.sources, rows.targets)
    return (
        rows.uids.shape == (n, 16)
        and _within(rows.order, n, 0, n)
        and _within(rows.kinds, n, ABSENT, len(KIND_CODES))
        and _within(rows.labels, n, 0, max(1, len(rows.labelsets)))
        and _within(rows.relations, m, ABSENT, len(RELATION_CODES))
        and all(_within(array, m, ABSENT, n) and bool((rows.relations[array < 0] == ABSENT).all()) for array in ends)
        and all(_leads(adjacency, n, m) for adjacency in rows.adjacencies.values())
    )


def _within(array: npt.NDArray[Any], count: int, low: int, high: int) -> bool:
    if array.shape != (count,) or array.dtype.kind != "i":
        return False
    return not count or bool(low <= array.min() and array.max() < high)


def _leads(adjacency: Adjacency, n: int, m: int) -> bool:
    ptr, count = adjacency.ptr, len(adjacency.edge)
    if not (_within(ptr, n + 1, 0, count + 1) and _within(adjacency.other, count, 0, n)):
        return False
    return _within(adjacency.edge, count, 0, m) and ptr[0] == 0 and ptr[-1] == count and bool((np.diff(ptr) >= 0).all())


def ancestry(arrays: Arrays) -> dict[bool, Adjacency]:
    """Ancestry edges by their source (False) and by their target (True)."""
    return {reverse: arrays.adjacency(ANCESTRY_KEY, reverse=reverse) for reverse in (False, True)}


# -- what events brought since


def changed_since(db: sqlite3.Connection, seq: int) -> int:
    """How many rows have changed since event ``seq``."""
    query = "SELECT (SELECT count(*) FROM vertex WHERE seq > ?) + (SELECT count(*) FROM edge WHERE seq > ?)"
    return int(db.execute(query, (seq, seq)).fetchone()[0])


def read_since(db: sqlite3.Connection, old: GraphRows) -> GraphRows:
    """The state now, from an earlier one; within the caller's transaction. Cost: 1 µs a changed row, and one copy."""
    seq, event = watermark(db)
    labelsets = _labelsets(db)
    codes = _codes(db, labelsets)
    n, m = len(old.kinds), len(old.relations)
    uids, kinds, labels = (
        _longer(array, _count(db, "vertex"), fill)
        for array, fill in ((old.uids, 0), (old.kinds, ABSENT), (old.labels, 0))
    )
    for id, uid, labelset in db.execute("SELECT id, uid, labels FROM vertex WHERE seq > ?", (old.seq,)):
        uids[id - 1] = np.frombuffer(uid, np.uint8)
        if labelset is not None:
            labels[id - 1], kinds[id - 1] = codes[labelset]
    relations, sources, targets = (
        _longer(array, _count(db, "edge"), fill)
        for array, fill in ((old.relations, ABSENT), (old.sources, ABSENT), (old.targets, ABSENT))
    )
    names = _relation_codes(db)
    for id, type, source, target in db.execute("SELECT id, type, source, target FROM edge WHERE id > ?", (m,)):
        relations[id - 1], sources[id - 1], targets[id - 1] = names[type], source - 1, target - 1
    order = order_of(uids) if len(uids) - n > _FEW else _order_with(uids, old.order)
    rows = GraphRows(seq, event, labelsets, uids, order, kinds, labels, relations, sources, targets)
    return replace(rows, adjacencies=dict(_adjacencies_with(rows.arrays(), old, m)))


def _longer(array: npt.NDArray[Any], count: int, fill: int) -> npt.NDArray[Any]:
    """A copy with room for more rows."""
    new = np.full((count, *array.shape[1:]), fill, array.dtype)
    new[: len(array)] = array
    return new


def _order_with(uids: npt.NDArray[np.uint8], order: Ints) -> Ints:
    """The order with the few rows that are not in it yet."""
    new = sorted(range(len(order), len(uids)), key=lambda place: uids[place].tobytes())
    where = [first_from(uids, order, uids[place].tobytes()) for place in new]
    return np.insert(order, where, new).astype(np.int32)


def first_from(uids: npt.NDArray[np.uint8], order: Ints, uid: bytes) -> int:
    """Where in ``order`` the first uid stands that is not less."""
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        if uids[order[middle]].tobytes() < uid:
            low = middle + 1
        else:
            high = middle
    return low


def _adjacencies_with(arrays: Arrays, old: GraphRows, m: int) -> Iterator[tuple[bool, Adjacency]]:
    """The old adjacencies with the new edges, which stand last among those of their vertex."""
    fresh = np.flatnonzero(arrays.with_relations(ANCESTRY_KEY)[m:]).astype(np.int32) + np.int32(m)
    # A relation that this version lacks has the code -1, which stands for the last one of the table: none of ancestry.
    for reverse, (ptr, other, edge) in old.adjacencies.items():
        here, there = (arrays.targets, arrays.sources) if reverse else (arrays.sources, arrays.targets)
        chosen = fresh[np.argsort(here[fresh], kind="stable")]
        ends = here[chosen]
        whole = np.concatenate((ptr, np.full(arrays.vertex_count + 1 - len(ptr), ptr[-1])))
        where = whole[ends + 1]
        added = np.zeros_like(whole)
        np.cumsum(np.bincount(ends, minlength=arrays.vertex_count), out=added[1:])
        yield (
            reverse,
            Adjacency(
                whole + added,
                np.insert(other, where, there[chosen]),
                np.insert(edge, where, chosen),
            ),
        )
