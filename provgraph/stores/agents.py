"""Who is who, as rows: every agent with what it did and which other one it was merged into."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from provgraph.stores.encoding import loads
from provgraph.stores.graph_tables import RELATION_IDS
from provgraph.stores.lineage import uid_text
from provgraph.stores.marks import merged_agents

_AGENTS: Final = (
    "SELECT a.vertex, v.uid, l.labels, a.name, a.email, (SELECT count(DISTINCT e.source) FROM edge e "
    "WHERE e.target = a.vertex AND e.type = ?) FROM agent a JOIN vertex v ON v.id = a.vertex "
    "JOIN labelset l ON l.id = v.labels ORDER BY v.uid"
)


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent. ``one``: uid of the one that it is the same as in the end, its own where it was not merged."""

    uid: str
    labels: tuple[str, ...]
    name: str
    email: str | None
    activities: int
    one: str

    @property
    def program(self) -> bool:
        """Whether it is no person."""
        return "SoftwareAgent" in self.labels


def known_agents(db: sqlite3.Connection) -> list[AgentRow]:
    """Every agent, by uid. Cost: one look-up an activity."""
    into = merged_agents(db)
    rows = db.execute(_AGENTS, (RELATION_IDS["wasAssociatedWith"],)).fetchall()
    uids = {row[0]: uid_text(row[1]) for row in rows}
    return [
        AgentRow(uids[id], tuple(loads(labels)), name or email or "", email, activities, uids[into.get(id, id)])
        for id, _, labels, name, email, activities in rows
    ]
