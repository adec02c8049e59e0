"""Statements and their rows: names go into the text, quoted; everything else is a parameter.

A row is a list with a place for each base property, and a map for the rest: half as much to pack, in Python, as a map
of everything. Date-times travel as text, which the server reads far faster than the driver can translate them.
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from provgraph.model.vocabulary import PROPERTIES, RELATIONS, Kind
from provgraph.stores.cypher.values import hide, hide_name
from provgraph.stores.cypher_properties import INDEXED, INSTANTS, SUFFIX, is_plain_instant, is_too_long, to_server
from provgraph.stores.encoding import column

KINDS: Final = tuple(kind.value for kind in Kind)
_INTERNAL: Final = "Provgraph"
_APART: Final = "\U0010e000"
"""Before a label of a user's that looks like one of ours; ``show`` takes it off."""
NOT_SENT: Final = "restorable"
"""What one machine has, and no server."""
INT64: Final = range(-(2**63), 2**63)
_PLAIN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?\+00:00")


def quoted(name: str) -> str:
    """A label or relation in back-quotes: whatever it holds, it stays a name.

    Neo4j reads a backslash, u and four digits as a character wherever they stand, a back-quote among them, and before
    it looks for the end of the name. So the backslash itself is written like that.
    """
    return _quoted(hide_name(name))


def _quoted(hidden: str) -> str:
    return "`" + hidden.replace("\\", "\\u005C").replace("`", "``") + "`"


def label(name: str) -> str:
    """A label of a vertex, quoted."""
    return _quoted((_APART if name.startswith(_INTERNAL) else "") + hide_name(name))


@functools.lru_cache(maxsize=1000)
def labels_text(labels: tuple[str, ...]) -> str:
    """Labels as they follow a variable."""
    return "".join(":" + label(name) for name in labels)


@functools.lru_cache(maxsize=1000)
def columns_of(owners: tuple[str, ...]) -> tuple[str, ...]:
    """The base properties of vertices with these labels (or edges of this relation), each of which gets a place."""
    mine = set(owners)
    return tuple(key for key, known in PROPERTIES.items() if key != NOT_SENT and mine.intersection(known.on))


@functools.lru_cache(maxsize=1 << 14)
def readable(text: str) -> bool:
    """Whether the server reads a text as the date-time that ``to_server`` makes of it."""
    return _PLAIN.fullmatch(text) is not None and is_plain_instant(text)


def cells(properties: Mapping[str, Any], columns: tuple[str, ...], *, vertex: bool) -> list[Any]:
    """The base properties in their places, and a map of the rest (None where there is none).

    Together they are what ``to_server`` gives. Cost: 2 µs.
    """
    row: list[Any] = []
    left = len(properties)
    for key in columns:
        value: Any = properties.get(key)
        if value is None:
            row.append(None)
            continue
        kind = type(value)
        if key in INDEXED and is_too_long(value):
            value = None
        elif key in INSTANTS:
            value = value if kind is str and readable(value) else None
        elif kind is str:
            if not value.isascii():
                value = hide(value)
        elif kind is list:
            value = [hide(item) for item in value] if set(map(type, value)) <= {str} else None
        elif not (kind is float or kind is bool or (kind is int and value in INT64)):
            value = None
        left -= value is not None
        row.append(value)
    if left > (NOT_SENT in properties):
        # What is in its place already must not come again, least of all as text where it is a date-time.
        placed = {key for key, value in zip(columns, row, strict=True) if value is not None}
        if not any(key.endswith(SUFFIX) for key in properties):  # else names depend on each other
            properties = {key: value for key, value in properties.items() if key not in placed}
        row.append({key: value for key, value in to_server(properties, vertex=vertex).items() if key not in placed})
    else:
        row.append(None)
    return row


def _map(columns: Iterable[str], row: str, first: int, more: str = "") -> str:
    """The literal map that takes a row's cells, from the place ``first`` on."""
    pairs = [more] if more else []
    for place, key in enumerate(columns, first):
        cell = f"{row}[{place}]"
        pairs.append(f"{key}: datetime({cell})" if key in INSTANTS else f"{key}: {cell}")
    return "{" + ", ".join(pairs) + "}" if pairs else ""


@functools.lru_cache(maxsize=1000)
def create_vertices(labels: tuple[str, ...], *, numbered: bool, rest: bool) -> str:
    """Makes vertices. Rows: uid, then ``cells``."""
    columns = columns_of(labels)
    own = "uid: r[0], project: $project" + (", origin: $origin" if numbered else "")
    end = f" SET n += r[{len(columns) + 1}]" if rest else ""
    return f"UNWIND $rows AS r CREATE (n{labels_text(labels)} {_map(columns, 'r', 1, own)}){end}"


MINE: Final = "coalesce(b.project, $project) = $project"
"""The target of an edge is of this project, or waits for its event: it may not have been looked at."""


@functools.lru_cache(maxsize=1000)
def create_edges(relation: str, source: str, target: str, *, by_source: bool, rest: bool) -> str:
    """Makes edges, grouped by one end, which is looked up once.

    Rows: uid of that end, then a list of the others: uid of the other end, then ``cells``.
    """
    columns = columns_of((relation,))
    ends = {"a": source, "b": target}
    first, other = ("a", "b") if by_source else ("b", "a")
    end = f" SET x += e[{len(columns) + 1}]" if rest else ""
    return (
        f"UNWIND $rows AS r MATCH ({first}:{ends[first]} {{uid: r[0]}}) UNWIND r[1] AS e "
        f"MATCH ({other}:{ends[other]} {{uid: e[0]}}) WHERE {MINE} "
        f"CREATE (a)-[x:{quoted(relation)} {_map(columns, 'e', 1)}]->(b){end}"
    )


@functools.cache
def ends_of(relation: str) -> tuple[str, str] | None:
    """The kinds of a relation's source and target; None for a relation that the vocabulary does not have."""
    found = RELATIONS.get(relation)
    if found is None:
        return None
    (source,), (target,) = found.domain, found.range
    return source.value, target.value


def look_up(kind: str) -> str:
    """Finds vertices by uid."""
    return f"UNWIND $uids AS uid MATCH (n:{kind} {{uid: uid}}) RETURN uid, labels(n), properties(n)"


def locate(kind: str) -> str:
    """Tells which uids there are in this project."""
    return f"UNWIND $uids AS uid MATCH (b:{kind} {{uid: uid}}) WHERE {MINE} RETURN uid"


STAMPS: Final = "UNWIND $uids AS uid MATCH (s:ProvgraphStamp {uid: uid}) RETURN uid, s.data"
PUT_STAMPS: Final = "UNWIND $rows AS r MERGE (s:ProvgraphStamp {uid: r[0]}) SET s.of = $project, s.data = r[1]"
PUT_MEMBERS: Final = (
    "UNWIND $rows AS r MERGE (m:ProvgraphMembers {uid: r[0]}) SET m.of = $project, m.path = r[1], m.data = r[2]"
)


def members_path(path: str) -> str:
    """The folder under which members are found, as an index can hold it."""
    path = column(path)
    return "" if is_too_long(path) else path


def change_vertices(kind: str, new_kind: str, labels: tuple[str, ...]) -> str:
    """Changes vertices and adds labels. Rows: uid, changes."""
    moved = f" REMOVE n:{kind}" if new_kind != kind else ""
    added = f" SET n{labels_text(labels)}" if labels else ""
    return f"UNWIND $rows AS r MATCH (n:{kind} {{uid: r[0]}}) SET n += r[1]{moved}{added}"


def create_placeholders(kind: str) -> str:
    """Makes the ends of edges that have not come yet, and what was annotated too early. Rows: uid, properties."""
    return f"UNWIND $rows AS r CREATE (n:{kind} {{uid: r[0]}}) SET n += r[1]"


def find_edges(relation: str, source: str, target: str) -> str:
    """Finds edges between pairs of vertices. Rows: uid, uid."""
    return (
        f"UNWIND $rows AS r MATCH (a:{source} {{uid: r[0]}})-[x:{quoted(relation)}]->(b:{target} {{uid: r[1]}}) "
        "RETURN r[0], r[1], elementId(x), properties(x)"
    )


CHANGE_EDGES: Final = "UNWIND $rows AS r MATCH ()-[x]->() WHERE elementId(x) = r[0] SET x += r[1]"


def fill(rows: Sequence[list[Any]]) -> bool:
    """Whether any row has a rest; where some have, the others get an empty one, else the place is taken away."""
    rest = any(row[-1] is not None for row in rows)
    for row in rows:
        if not rest:
            row.pop()
        elif row[-1] is None:
            row[-1] = {}
    return rest
