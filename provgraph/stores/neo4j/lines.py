"""Many rows of one shape as one text: packing values one by one is most of what a driver in Python does.

A row is a line, a value a field in it, and the statement says how the server reads each field. Only plain values go
this way, and only where no text holds a separator; the others go as rows (`statements`).
"""

import functools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from provgraph.stores.cypher.values import hide
from provgraph.stores.cypher_properties import INDEXED, INSTANTS, OWN, SUFFIX, is_too_long
from provgraph.stores.neo4j.statements import INT64, MINE, NOT_SENT, labels_text, quoted, readable

LINE, FIELD, ITEM = "\x1f", "\x1e", "\x1d"
FEWEST = 100
"""Rows of one shape for which a statement of their own is worth its planning."""
LARGEST: Final = 2 << 20
"""Characters of one parameter, roughly."""

Properties = Mapping[str, Any]
Shape = tuple[tuple[str, str], ...]
"""(key, how its field is read) for each field."""
_READ: Final = {
    "text": "{0}",
    "instant": "datetime({0})",
    "integer": "toInteger({0})",
    "float": "toFloat({0})",
    "boolean": "toBoolean({0})",
    "texts": "split({0}, '\\u001d')",
}
_LINES: Final = "UNWIND split($text, '\\u001f') AS line WITH split(line, '\\u001e') AS r"


def by_keys(rows: Sequence[Properties], *, vertex: bool) -> Iterator[tuple[tuple[str, ...] | None, list[int]]]:
    """The places of rows that have the same keys; None for those that must not go as fields, whose places come last."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        groups[tuple(row)].append(place)
    others: list[int] = []
    for keys, places in groups.items():
        sent = tuple(key for key in keys if key != NOT_SENT)
        if len(places) < FEWEST or not all(_plain(key, vertex) for key in sent):
            others += places
        else:
            yield sent, places
    if others:
        yield None, sorted(others)


def _plain(key: str, vertex: bool) -> bool:
    return bool(key) and "\0" not in key and not key.endswith(SUFFIX) and not (vertex and key in OWN)


def fields(keys: Sequence[str], rows: Sequence[Properties]) -> tuple[Shape, list[Sequence[str]]] | None:
    """The shape of rows with the same keys, and the fields of each column; None where a value is odd.

    Cost: 0.2 µs a value.
    """
    shape, columns = [], []
    for key in keys:
        found = _column(key, [row[key] for row in rows])
        if found is None:
            return None
        shape.append((key, found[0]))
        columns.append(found[1])
    return tuple(shape), columns


def _column(key: str, values: list[Any]) -> tuple[str, Sequence[str]] | None:
    """How values of one key are read, and their fields; None where they are odd, or of several types."""
    if key in INDEXED and any(map(is_too_long, values)):
        return None
    kinds = set(map(type, values))
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is str:
        if key in INSTANTS:
            return ("instant", values) if all(map(readable, values)) else None
        return _texts("text", values)
    if kind is None or key in INSTANTS:
        return None
    if kind is bool:
        return "boolean", ["true" if value else "false" for value in values]
    if kind is int:
        return ("integer", list(map(str, values))) if min(values) in INT64 and max(values) in INT64 else None
    if kind is float:
        return ("float", list(map(repr, values))) if all(map(math.isfinite, values)) else None
    if kind is list and all(value and set(map(type, value)) == {str} for value in values):
        joined = list(map(ITEM.join, values))
        # An item that holds the separator would be two.
        return _texts("texts", joined) if sum(map(len, values)) - len(values) == "".join(joined).count(ITEM) else None
    return None


def separable(uids: Sequence[str]) -> bool:
    """Whether no uid holds a separator: an event's schema sees to it, this does not rely on it."""
    whole = "".join(uids)
    return LINE not in whole and FIELD not in whole


def _texts(how: str, values: list[str]) -> tuple[str, Sequence[str]] | None:
    whole = "".join(values)
    if LINE in whole or FIELD in whole:
        return None
    return how, values if whole.isascii() else list(map(hide, values))


def parameters(lines: Sequence[str]) -> Iterator[str]:
    """Lines as texts that fit into one parameter each."""
    start = size = 0
    for place, line in enumerate(lines):
        size += len(line) + 1
        if size > LARGEST:
            yield LINE.join(lines[start : place + 1])
            start, size = place + 1, 0
    if start < len(lines):
        yield LINE.join(lines[start:])


def _map(shape: Shape, field: str, first: int, more: str = "") -> str:
    pairs = [more] if more else []
    for place, (key, how) in enumerate(shape, first):
        pairs.append(f"{quoted(key)}: {_READ[how].format(field.format(place))}")
    return "{" + ", ".join(pairs) + "}" if pairs else ""


@functools.lru_cache(maxsize=1000)
def create_vertices(labels: tuple[str, ...], shape: Shape, *, numbered: bool) -> str:
    """Makes vertices. Lines: uid, then the fields."""
    own = "uid: r[0], project: $project" + (", origin: $origin" if numbered else "")
    return f"{_LINES} CREATE (n{labels_text(labels)} {_map(shape, 'r[{0}]', 1, own)})"


@functools.lru_cache(maxsize=1000)
def create_edges(relation: str, source: str, target: str, shape: Shape, *, by_source: bool) -> str:
    """Makes edges, grouped by one end. Lines: uid of that end, then for each other end its uid and the fields."""
    ends = {"a": source, "b": target}
    first, other = ("a", "b") if by_source else ("b", "a")
    return (
        f"{_LINES} MATCH ({first}:{ends[first]} {{uid: r[0]}}) UNWIND range(1, size(r) - 1, {1 + len(shape)}) AS i "
        f"MATCH ({other}:{ends[other]} {{uid: r[i]}}) WHERE {MINE} "
        f"CREATE (a)-[x:{quoted(relation)} {_map(shape, 'r[i + {0}]', 1)}]->(b)"
    )


def vertex_lines(uids: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    """A line for each vertex, by uid."""
    return sorted(map(FIELD.join, zip(uids, *columns, strict=True)))


def edge_lines(ends: Sequence[str], others: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    """A line for each of ``ends``, by uid, with all its edges."""
    groups: dict[str, list[str]] = defaultdict(list)
    for end, fields_of_other in zip(ends, zip(others, *columns, strict=True), strict=True):
        groups[end] += fields_of_other
    return [FIELD.join((end, *groups[end])) for end in sorted(groups)]
