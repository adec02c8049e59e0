"""Ancestors and descendants by recursive queries, and graphs of any size whose properties are parsed when asked for."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from provgraph.graph.elements import Vertex
from provgraph.model.vocabulary import ANCESTRY, RESPONSIBILITY
from provgraph.stores.graph_tables import RELATION_IDS
from provgraph.stores.marks import Marks


def _types(names: tuple[str, ...]) -> str:
    """A condition on an edge's type: a range where the ids are neighbours, which costs half of what a list does."""
    ids = sorted(RELATION_IDS[name] for name in names)
    if ids == list(range(ids[0], ids[-1] + 1)):
        return f"BETWEEN {ids[0]} AND {ids[-1]}"
    return f"IN ({','.join(map(str, ids))})"


_ANCESTRY: Final = _types(ANCESTRY)
_REVISIONS: Final = _types((*ANCESTRY, "wasDerivedFrom"))
RESPONSIBLE: Final = _types(RESPONSIBILITY)
_ENVIRONMENTS: Final = (
    "SELECT vertex.id FROM labelset JOIN vertex ON vertex.labels = labelset.id WHERE labelset.environment"
)


class LazyProperties(Mapping[str, Any]):
    """Properties of a vertex or an edge, parsed from their JSON the first time that one is asked for."""

    __slots__ = ("_load", "_values")

    def __init__(self, load: Callable[[], dict[str, Any]]) -> None:
        self._load: Callable[[], dict[str, Any]] | None = load
        self._values: dict[str, Any] = {}

    def _parsed(self) -> dict[str, Any]:
        if self._load is not None:
            self._values, self._load = self._load(), None
        return self._values

    def __getitem__(self, key: str) -> Any:
        return self._parsed()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parsed())

    def __len__(self) -> int:
        return len(self._parsed())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self._parsed() == dict(other)

    __hash__ = None  # type: ignore[assignment]  # as a dict

    def __repr__(self) -> str:
        return repr(self._parsed())


Row = tuple[int, bytes, int, str, int]
"""(row id, 16 bytes of uid, labelset id, JSON text of the properties, row id of the origin) of a vertex."""


@dataclass(frozen=True, slots=True)
class LineageRows:
    """A lineage as plain rows, so that a face can fold a large one without parsing a property.

    ``vertices``: by uid.
    ``edges``: (relation id, source's row id, target's row id, role, JSON text), ancestry and revision edges, then
    those to agents. ``reached``: how many of the vertices are no agents.
    """

    vertices: list[Row]
    edges: list[tuple[int, int, int, str, str]]
    reached: int


@dataclass(frozen=True, slots=True)
class Steps:
    """Which edges a walk goes over: from ``roots`` (row ids), from ``here`` to ``there``, where ``condition`` holds."""

    roots: tuple[int, ...]
    here: str
    there: str
    condition: str

    @property
    def walk(self) -> str:
        """A recursive table ``walk(id)`` of all that the steps reach."""
        values = ",".join(f"({root})" for root in self.roots) or "(0)"
        return (
            f"WITH RECURSIVE walk(id) AS (VALUES {values} UNION "
            f"SELECT e.{self.there} FROM walk CROSS JOIN edge e ON e.{self.here} = walk.id AND {self.condition})"
        )


def steps_from(
    db: sqlite3.Connection, starts: Sequence[bytes], *, downstream: bool, revisions: bool, environment: bool
) -> Steps:
    """The steps of a lineage (rule 12); the parameters are those of ``lineage_rows``."""
    here, there = ("target", "source") if downstream else ("source", "target")
    marks = ",".join("?" * len(starts))
    found = db.execute(f"SELECT id FROM vertex WHERE uid IN ({marks}) AND labels IS NOT NULL", starts)
    roots = tuple(row[0] for row in found)
    skip = "" if environment else _without_environments(db, roots, there)
    return Steps(roots, here, there, f"e.type {_REVISIONS if revisions else _ANCESTRY}{skip}")


def lineage_rows(
    db: sqlite3.Connection,
    starts: Sequence[bytes],
    *,
    downstream: bool,
    depth: int | None,
    revisions: bool,
    environment: bool,
) -> LineageRows:
    """What vertices came from (or what came from them), and the agents of what was found (rule 12).

    Parameters:
        starts: uids, 16 bytes each; unknown ones are left out. An environment that is asked for by name stays.
        depth: how many activities far; None is all the way.
    Cost: linear in the answer: 1 µs a vertex or edge.
    """
    steps = steps_from(db, starts, downstream=downstream, revisions=revisions, environment=environment)
    db.execute("CREATE TEMP TABLE IF NOT EXISTS found (id INTEGER PRIMARY KEY)")
    db.execute("DELETE FROM temp.found")
    if depth is None:
        db.execute(f"INSERT INTO temp.found {steps.walk} SELECT id FROM walk")
        inside = ""  # the walk went over every edge that is not skipped: both ends were found
    else:
        near = ((id,) for id in within(db, steps, depth))
        db.executemany("INSERT OR IGNORE INTO temp.found VALUES (?)", near)
        inside = f" CROSS JOIN temp.found g ON g.id = +e.{steps.there}"
    reached = int(db.execute("SELECT count(*) FROM temp.found").fetchone()[0])
    edges = db.execute(
        "SELECT e.type, e.source, e.target, e.role, e.properties FROM temp.found f CROSS JOIN edge e "
        f"ON e.{steps.here} = f.id AND {steps.condition}{inside}"
    ).fetchall()
    edges += _agents(db)
    vertices = db.execute(
        "SELECT v.id, v.uid, v.labels, v.properties, v.origin FROM temp.found f CROSS JOIN vertex v ON v.id = f.id "
        "WHERE v.labels IS NOT NULL"
    ).fetchall()
    vertices.sort(key=lambda row: row[1])
    db.execute("DELETE FROM temp.found")
    return LineageRows(vertices, edges, reached)


def _without_environments(db: sqlite3.Connection, roots: tuple[int, ...], there: str) -> str:
    """A condition that leaves environments out, but for those that were asked for; none where there are none."""
    found = {row[0] for row in db.execute(_ENVIRONMENTS)} - set(roots)
    return f" AND e.{there} NOT IN ({','.join(map(str, sorted(found)))})" if found else ""


def within(db: sqlite3.Connection, steps: Steps, depth: int) -> set[int]:
    """The row ids that are at most ``depth`` activities far; the last activity's own entities are among them."""
    activities = {row[0] for row in db.execute("SELECT id FROM labelset WHERE kind = 'Activity'")}
    roots = steps.roots
    kinds = dict(db.execute(f"SELECT id, labels FROM vertex WHERE id IN ({','.join(map(str, roots)) or '0'})"))
    query = (
        f"SELECT e.{steps.there}, v.labels FROM edge e JOIN vertex v ON v.id = e.{steps.there} "
        f"WHERE e.{steps.here} = ? AND {steps.condition}"
    )
    seen = set(roots)
    level = [(root, 1 if kinds[root] in activities else 0) for root in roots]
    while level:
        following: dict[int, int] = {}
        for node, far in level:
            for other, labels in db.execute(query, (node,)):
                distance = far + 1 if labels in activities else far
                if other not in seen and distance <= depth:
                    following[other] = min(distance, following.get(other, distance))
        seen.update(following)
        level = list(following.items())
    return seen


def _agents(db: sqlite3.Connection) -> list[tuple[int, int, int, str, str]]:
    """The agents of what was found, one step; adds them to what was found."""
    edges = db.execute(
        "SELECT e.type, e.source, e.target, e.role, e.properties FROM temp.found f CROSS JOIN edge e "
        f"ON e.source = f.id AND e.type {RESPONSIBLE}"
    ).fetchall()
    db.executemany("INSERT OR IGNORE INTO temp.found VALUES (?)", {(edge[2],) for edge in edges})
    return edges


def make_vertices(
    rows: Sequence[Row],
    labels: Mapping[int, tuple[str, ...]],
    parse: Callable[[str, tuple[str, ...]], dict[str, Any]],
    marks: Marks,
) -> dict[int, Vertex]:
    """Vertices by row id, in the order of the rows, their properties not yet parsed."""
    made = {}
    for id, uid, labelset, text, origin in rows:
        names = labels[labelset]
        properties = LazyProperties(lambda text=text, names=names: parse(text, names))  # type: ignore[misc]
        made[id] = Vertex(uid_text(uid), names, properties, marks.of(id, origin, names))
    return made


def uid_text(uid: bytes) -> str:
    """16 bytes as the text of a uid."""
    text = uid.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
