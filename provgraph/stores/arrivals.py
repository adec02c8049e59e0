"""What transfers between clones are found by: files here of unknown origin, and the same bytes elsewhere (rule 24)."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from provgraph.stores.acyclicity import ACYCLIC
from provgraph.stores.graph_tables import RELATION_IDS
from provgraph.stores.lineage import uid_text
from provgraph.stores.reader import uid_bytes

_TYPES: Final = ",".join(map(str, ACYCLIC))
_UNSEEN: Final = "(SELECT id FROM labelset WHERE labels LIKE '%\"Unseen\"%')"
_ARRIVALS: Final = (
    "SELECT v.uid, s.path, s.created_at, w.uid, f.created_at, p.uid, g.uid FROM snapshot f "
    "JOIN origin p ON p.id = f.origin AND NOT p.own JOIN vertex m ON m.id = f.generator "
    "JOIN snapshot s ON s.sha256 = f.sha256 AND s.path = f.path JOIN origin o ON o.id = s.origin AND o.own "
    "JOIN vertex v ON v.id = s.vertex JOIN vertex w ON w.id = f.vertex JOIN labelset l ON l.id = v.labels "
    "LEFT JOIN vertex g ON g.id = s.generator "
    f"WHERE NOT l.environment AND coalesce(s.size, -1) != 0 AND m.labels NOT IN {_UNSEEN} "
    f"AND (g.id IS NULL OR g.labels IN {_UNSEEN} AND NOT EXISTS (SELECT 1 FROM edge e "
    f"JOIN snapshot u ON u.vertex = e.target JOIN origin q ON q.id = u.origin AND NOT q.own "
    f"WHERE e.source = g.id AND e.type = {RELATION_IDS['used']})) ORDER BY s.vertex, f.vertex"
)


def arrivals(db: sqlite3.Connection) -> Iterator[tuple[str, str, str, str, str, str, str | None]]:
    """(uid, path, first seen at) of each snapshot of this disk whose generation nobody saw, with (uid, created at,
    origin) of each that an activity of another clone generated at the same path with the same bytes, and the uid of the
    unseen change that the one here came by, if there is one. Empty files and environments are left out.

    Cost: 2 µs a snapshot of another clone.
    """
    for here, path, at, there, made_at, origin, unseen in db.execute(_ARRIVALS):
        yield uid_text(here), path, at, uid_text(there), made_at, origin, None if unseen is None else uid_text(unseen)


class Descent:
    """What came from what, for whoever must not close a cycle; of one moment.

    Most of what other clones made owes nothing to this one: that is found out once, for all questions.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @cached_property
    def _made_of_ours(self) -> set[bytes]:
        """What other clones recorded that came from something of this disk. Cost: 1 µs a vertex of theirs."""
        query = (
            "WITH RECURSIVE made(id) AS (SELECT a.id FROM vertex a JOIN origin p ON p.id = a.origin AND NOT p.own "
            f"JOIN edge e ON e.source = a.id AND e.type IN ({_TYPES}) JOIN vertex b ON b.id = e.target "
            "JOIN origin o ON o.id = b.origin AND o.own "
            f"UNION SELECT e.source FROM made JOIN edge e ON e.target = made.id AND e.type IN ({_TYPES})) "
            "SELECT v.uid FROM made JOIN vertex v ON v.id = made.id"
        )
        return {row[0] for row in self._db.execute(query)}

    def leads_to(self, earlier: str, later: str, planned: Mapping[str, Sequence[str]]) -> bool:
        """Whether ``later``, of another clone, came from ``earlier``, of this disk, over ancestry and derivations.

        ``planned``: what is about to be added, results by their sources. Cost: linear in what came from ``earlier``.
        """
        step = (
            "SELECT v.uid FROM edge e JOIN vertex t ON t.id = e.target JOIN vertex v ON v.id = e.source "
            f"WHERE t.uid = ? AND e.type IN ({_TYPES})"
        )
        wanted, start = uid_bytes(later), uid_bytes(earlier)
        if wanted not in self._made_of_ours:
            return False
        extra = {uid_bytes(source): [uid_bytes(uid) for uid in found] for source, found in planned.items()}
        seen, ready = {start}, [start]
        while ready:
            uid = ready.pop()
            if uid == wanted:
                return True
            for other in (*(row[0] for row in self._db.execute(step, (uid,))), *extra.get(uid, ())):
                if other not in seen:
                    seen.add(other)
                    ready.append(other)
        return False
