"""The invariant that nothing is its own ancestor, over ``used``, ``wasGeneratedBy`` and ``wasDerivedFrom`` (rule 4)."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from provgraph.stores.graph_tables import RELATION_IDS

ACYCLIC: Final = tuple(RELATION_IDS[name] for name in ("used", "wasGeneratedBy", "wasDerivedFrom"))
_TYPES: Final = ",".join(map(str, ACYCLIC))

_INTO: Final = f"SELECT source FROM edge WHERE target = ? AND type IN ({_TYPES}) AND born <= ?"

EdgeRow = tuple[int, int, int, str, str, int]


def check(db: sqlite3.Connection, edges: Sequence[EdgeRow], first_new: int) -> None:
    """Write down in ``violation`` each of the new edges that closes a cycle with what was there before or came along.

    Only a source that something already leads to can close one, and what leads to a new activity are its own few
    outputs. The edges stay: the journal is the truth.

    Parameters:
        edges: (relation, source, target, role, properties, number of the event), in the tables already.
        first_new: vertices with this row id or a larger one came with these edges: nothing else leads to them.
    """
    targets: dict[tuple[int, int], set[int]] = defaultdict(set)
    into: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for type, source, target, _role, _text, seq in edges:
        if type in ACYCLIC:
            targets[source, seq].add(target)
            into[target].append((seq, source))

    def leading_to(node: int, seq: int) -> list[int]:
        if node >= first_new:
            return [source for born, source in into.get(node, ()) if born <= seq]
        return [row[0] for row in db.execute(_INTO, (node, seq))]

    for (source, seq), found in targets.items():
        downstream, ready = {source}, [source]
        while ready:
            fresh = [node for node in leading_to(ready.pop(), seq) if node not in downstream]
            downstream.update(fresh)
            ready += fresh
        for target in sorted(found & downstream):
            db.execute(
                "INSERT OR IGNORE INTO violation SELECT ?, 'cycle', s.uid, t.uid FROM vertex s, vertex t "
                "WHERE s.id = ? AND t.id = ?",
                (seq, source, target),
            )


def cycles(db: sqlite3.Connection) -> list[list[int]]:
    """Every set of vertices that are each other's ancestors, as sorted ids: the full check. Cost: 1 µs an edge.

    What has no ancestors left is taken away until nothing more goes, then what has no descendants left: only cycles,
    and what lies between two of them, stay. Each of the rest is asked for what leads back to it.
    """
    up: dict[int, list[int]] = defaultdict(list)
    down: dict[int, list[int]] = defaultdict(list)
    for source, target in db.execute(f"SELECT source, target FROM edge WHERE type IN ({_TYPES})"):
        up[source].append(target)
        down[target].append(source)
    left = _peel(_peel(set(up) | set(down), up, down), down, up)
    found = []
    while left:
        start = min(left)
        component = _reached(start, up, left) & _reached(start, down, left)
        if component:
            found.append(sorted(component))
        left -= component or {start}
    return found


def _peel(nodes: set[int], ahead: dict[int, list[int]], behind: dict[int, list[int]]) -> set[int]:
    """``nodes`` without those from which every way ahead ends."""
    left = set(nodes)
    degree = {node: sum(other in left for other in ahead.get(node, ())) for node in left}
    ready = [node for node, count in degree.items() if not count]
    while ready:
        node = ready.pop()
        left.discard(node)
        for other in behind.get(node, ()):
            if other in left:
                degree[other] -= 1
                if not degree[other]:
                    ready.append(other)
    return left


def _reached(start: int, ahead: dict[int, list[int]], within: set[int]) -> set[int]:
    """What one or more steps from ``start`` reach."""
    found: set[int] = set()
    ready = [start]
    while ready:
        for other in ahead.get(ready.pop(), ()):
            if other in within and other not in found:
                found.add(other)
                ready.append(other)
    return found
