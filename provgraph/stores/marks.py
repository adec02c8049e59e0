"""What listings say beside a vertex: whose it is where it is another clone's, and who an agent is that was merged."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provgraph.graph.clones import short_names
from provgraph.graph.merged import final
from provgraph.stores.encoding import loads

_MERGED: Final = (
    "SELECT a.vertex, b.id FROM agent a JOIN vertex b ON b.uid = a.same_as "
    "WHERE a.same_as IS NOT NULL AND b.labels IS NOT NULL ORDER BY a.vertex"
)


@dataclass(frozen=True, slots=True)
class Marks:
    """``clones``: short names of other clones by row ids of origins; ``agents``: names by row ids of vertices."""

    clones: Mapping[int, str]
    agents: Mapping[int, str]

    def __bool__(self) -> bool:
        return bool(self.clones or self.agents)

    def of(self, vertex: int, origin: int, labels: tuple[str, ...]) -> str:
        """The mark of a vertex (`Vertex.mark`); "" for almost all. People and programs are nobody's."""
        return self.agents.get(vertex, "") if "Agent" in labels else self.clones.get(origin, "")


def read_marks(db: sqlite3.Connection) -> Marks:
    """The marks now. Cost: 10 µs."""
    origins = db.execute("SELECT id, uid, own FROM origin").fetchall()
    names = short_names({uid for _, uid, _ in origins})
    clones = {id: names[uid] for id, uid, own in origins if not own}
    one = merged_agents(db)
    return Marks(clones, {id: _name(db, other) for id, other in one.items()})


def _name(db: sqlite3.Connection, id: int) -> str:
    properties = loads(db.execute("SELECT properties FROM vertex WHERE id = ?", (id,)).fetchone()[0])
    return str(properties.get("name") or properties.get("email") or "")


def merged_agents(db: sqlite3.Connection) -> dict[int, int]:
    """Row id of the agent that each merged one is in the end."""
    step: dict[int, int] = dict(db.execute(_MERGED))
    if not step:
        return {}
    ids = ",".join(map(str, {*step, *step.values()}))
    uids: dict[int, bytes] = dict(db.execute(f"SELECT id, uid FROM vertex WHERE id IN ({ids})"))
    return final(step, uids.__getitem__)
