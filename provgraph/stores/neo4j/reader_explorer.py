"""Reads vertices and the edges that lead on from them, in batches of uids: many for a query, several levels at once.

A walk that is narrow and deep (a chain of 100,000 runs) would need a round trip for each level. Where few vertices
stand at its front, one query therefore goes several levels ahead, breadth first; Neo4j prunes such an expansion whose
ends alone are asked for, so that it meets each vertex once and no path is ever enumerated. How far ahead, and how many
vertices it may bring, depends on how much of the last query was of use.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.model.vocabulary import Kind, kind_of
from provgraph.stores.neo4j.reader_values import HERE, PAGE, Asks, labels_in_order, names_on_server

_FRONT: Final = 64
"""Vertices at the front of a walk up to which it goes several levels ahead."""
_AHEAD: Final = 5_000
"""Vertices that going ahead may bring."""
_DEEPEST: Final = 1 << 12
_START_HERE: Final = HERE.replace("n.", "s.")


@dataclass(slots=True)
class Found:
    """A vertex, and where edges lead from it."""

    uid: str
    labels: tuple[str, ...]
    kind: Kind
    ahead: list[Any]
    """Where ancestry edges lead (in the direction of the walk): uids, or [uid, properties] of a thorough explorer."""
    revisions: list[Any]
    """Where ``wasDerivedFrom`` leads; only where it was asked for."""
    agents: list[Any]
    """Where responsibility edges lead."""
    properties: dict[str, Any] = field(default_factory=dict)
    """As the server has them: all of a thorough explorer, else those that were asked for."""


def end_of(item: Any) -> str:
    """The uid in an item of ``Found``'s lists."""
    return item if isinstance(item, str) else item[0]


class Explorer:
    """What was read so far. Nothing is read twice.

    Parameters:
        asks: the server, within one project.
        downstream: which way ancestry edges are followed.
        revisions: whether ``wasDerivedFrom`` is, too.
        thorough: whether all properties are read, those of edges too; else the vertices' own ``keys``.
    """

    def __init__(
        self,
        asks: Asks,
        *,
        downstream: bool = False,
        revisions: bool = False,
        thorough: bool = False,
        keys: Collection[str] = (),
    ) -> None:
        self._asks, self.downstream, self._revisions, self._thorough = asks, downstream, revisions, thorough
        self.keys = frozenset(keys)
        self._names = names_on_server(keys)
        self.found: dict[str, Found] = {}
        self.order: list[Found] = []
        """The same as they came."""
        self.missing: set[str] = set()
        self.drawing: tuple[int, Any] | None = None
        """What somebody made of the first so many of ``order``."""
        self._levels = 4
        self._ahead: set[str] = set()
        """What the last query brought besides what it was asked for, and nobody has asked for yet."""
        self._brought = 0

    # -- the queries

    def _edges(self, relations: str) -> str:
        start, end = ("<-", "-") if self.downstream else ("-", "->")
        return self._ends(f"(n){start}[e:{relations}]{end}(m)")

    def _ends(self, pattern: str) -> str:
        return f"[{pattern} | {'[m.uid, properties(e)]' if self._thorough else 'm.uid'}]"

    def _columns(self) -> str:
        if self._thorough:
            properties = "properties(n)"
        elif self._names:
            properties = "[key IN $names WHERE n[key] IS NOT NULL | [key, n[key]]]"
        else:
            properties = "null"
        ahead, agents = self._edges("used|wasGeneratedBy"), self._ends("(n)-[e:wasAssociatedWith|wasAttributedTo]->(m)")
        revisions = self._edges("wasDerivedFrom") if self._revisions else "null"
        return (
            f"WITH labels(n) AS labels, [n.uid, {ahead}, {agents}, {revisions}, {properties}] AS row "
            "RETURN labels, collect(row)"
        )

    def _query(self, kind: Kind, levels: int) -> str:
        begin = f"UNWIND $uids AS uid MATCH (s:{kind} {{uid: uid}}) WHERE {_START_HERE} "
        if not levels:
            return f"{begin} WITH s AS n {self._columns()}"
        start, end = ("<-", "-") if self.downstream else ("-", "->")
        relations = "used|wasGeneratedBy" + ("|wasDerivedFrom" if self._revisions else "")
        further = f"MATCH (s){start}[:{relations}*0..{levels}]{end}(n) WITH DISTINCT n LIMIT $most WHERE {HERE} "
        return f"{begin} {further} {self._columns()}"

    def _ask(self, kind: Kind, uids: Sequence[str], levels: int = 0) -> set[str]:
        """Read vertices (and those up to so many levels on); returns those that are new."""
        more: dict[str, Any] = {"names": self._names} if self._names and not self._thorough else {}
        if levels:
            more["most"] = _AHEAD
        new: set[str] = set()
        for labels, rows in self._asks.run(self._query(kind, levels), uids=list(uids), **more):
            ordered = labels_in_order(labels)
            own = kind_of(ordered)
            for uid, ahead, agents, revisions, properties in rows:
                if uid not in self.found:
                    one = Found(uid, ordered, own, ahead, revisions or [], agents, _properties(properties))
                    self.found[uid] = one
                    self.order.append(one)
                    new.add(uid)
        return new

    # -- what walks ask

    def roots(self, uids: Iterable[str]) -> list[Found]:
        """The vertices with these uids, of whatever kind; unknown ones are left out."""
        wanted = list(dict.fromkeys(uids))
        for kind in Kind:
            left = [uid for uid in wanted if uid not in self.found]
            for start in range(0, len(left), PAGE):
                self._ask(kind, left[start : start + PAGE])
        return [self.found[uid] for uid in wanted if uid in self.found]

    def expand(self, front: Mapping[str, Kind], levels: int = _DEEPEST) -> None:
        """Read the vertices at the front of a walk, and what it pays to read with them.

        Parameters:
            front: uids, and their kinds.
            levels: how many levels further the walk may go.
        """
        self._ahead -= front.keys()
        while left := {uid: kind for uid, kind in front.items() if uid not in self.found and uid not in self.missing}:
            narrow = len(left) <= _FRONT and levels > 1
            further = min(self._next_levels(), levels) if narrow else 0
            for kind in Kind:
                uids = [uid for uid, its in left.items() if its is kind]
                for start in range(0, len(uids), PAGE):
                    self._read(kind, uids[start : start + PAGE], further)

    def _read(self, kind: Kind, uids: list[str], further: int) -> None:
        brought = self._ask(kind, uids, further)
        if further:
            self._ahead = brought - set(uids)
            self._brought = len(self._ahead)
        if not further or not any(uid in self.found for uid in uids):
            self.missing.update(uid for uid in uids if uid not in self.found)

    def _next_levels(self) -> int:
        """How far ahead to go, from how much the walk has asked for of what the last query brought besides."""
        used = self._brought - len(self._ahead)
        if used * 4 < self._brought:
            self._levels = max(1, self._levels // 4)
        elif used * 2 >= self._brought and self._brought * 2 < _AHEAD:
            self._levels = min(self._levels * 2, _DEEPEST)
        self._ahead, self._brought = set(), 0
        return self._levels


def _properties(read: Any) -> dict[str, Any]:
    return {} if read is None else dict(read)
