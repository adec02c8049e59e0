"""Events: facts already decided, as vertices and edges to add and properties to set.

Every body has the same four lists, whatever the kind, so the projection is a mechanical expansion and can show what a
newer program recorded. The kind says what happened; ``facts`` holds what only that kind knows::

    {"vertices": [[labels, properties] | [labels, properties, uid], …],
     "edges":    [[type, source, target] | [type, source, target, properties], …],
     "set":      [[uid, properties], …],
     "facts":    {…}}

A vertex without a uid of its own is identified by (origin, origin_seq, its place in the list). ``source`` and
``target`` are such a place (an integer) or a uid. Lists that are empty are left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provgraph.model.identity import Namespace

KINDS: Final[dict[str, tuple[int, str]]] = {
    "project.begun": (1, "init made the project"),
    "origin.begun": (1, "a store began to number its own events (a new project, a copied folder, a restored backup)"),
    "activity.begun": (1, "a command started"),
    "activity.progressed": (1, "what a running command used or generated so far"),
    "activity.ended": (1, "a command ended, with what it used, generated and invalidated"),
    "activity.interrupted": (1, "a command whose end nobody saw"),
    "change.noticed": (1, "a change that no activity explains (Unseen)"),
    "transfer.noticed": (1, "a file that came from another clone, joined to what was generated there (Unseen)"),
    "version.made": (1, "an implicit version of the project"),
    "commit.recorded": (1, "a git commit: an explicit version, and who made it"),
    "commits.rewritten": (1, "git commits that took the place of others (amend, rebase, squash)"),
    "content.hashed": (1, "a digest that was read later than the snapshot was recorded"),
    "properties.found": (1, "what an ingestor read out of a command or a file"),
    "series.logged": (1, "points of series, as a running command logs them"),
    "properties.annotated": (1, "what a user added to a vertex"),
    "agents.merged": (1, "two agents are one"),
    "provenance.declared": (1, "what a user declared with `provdb record`"),
    "content.purged": (1, "a tombstone: names or bytes were removed for good"),
}
"""Event kinds: the current version of the body, and the meaning."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact in the journal.

    ``seq`` numbers the journal at hand; (``origin``, ``origin_seq``) identify the event everywhere.
    ``time`` is ISO 8601 in UTC with offset.
    """

    seq: int
    uid: str
    origin: str
    origin_seq: int
    kind: str
    schema: int
    time: str
    body: Mapping[str, Any]


class EventBuilder:
    """Collects one event's body; knows the uids of its vertices before it is written.

    Made by ``Journal.begin()``'s batch, which fixes ``origin_seq`` inside the write transaction.
    """

    def __init__(self, namespace: Namespace, origin: str, origin_seq: int, kind: str, time: str) -> None:
        self.namespace, self.origin, self.origin_seq, self.kind, self.time = namespace, origin, origin_seq, kind, time
        self.facts: dict[str, Any] = {}
        self._vertices: list[list[Any]] = []
        self._edges: list[list[Any]] = []
        self._set: list[list[Any]] = []
        self._places: dict[str, int] = {}

    def vertex(self, labels: Iterable[str], properties: Mapping[str, Any], uid: str | None = None) -> str:
        """Add a vertex and return its uid. With ``uid``, one that may be known already: properties are merged."""
        place = len(self._vertices)
        row: list[Any] = [list(labels), {k: v for k, v in properties.items() if v is not None}]
        if uid is not None:
            row.append(uid)
        self._vertices.append(row)
        found = uid or self.namespace.vertex(self.origin, self.origin_seq, place)
        self._places[found] = place
        return found

    def edge(self, type: str, source: str, target: str, /, **properties: Any) -> None:
        """Add an edge between two uids. ``role`` is part of its identity; the same edge twice is one."""
        row: list[Any] = [type, self._places.get(source, source), self._places.get(target, target)]
        kept = {k: v for k, v in properties.items() if v is not None}
        if kept:
            row.append(kept)
        self._edges.append(row)

    def set(self, uid: str, /, **properties: Any) -> None:
        """Set properties of a vertex that an earlier event brought (``None`` removes one)."""
        self._set.append([uid, properties])

    @property
    def body(self) -> dict[str, Any]:
        """The body so far, empty lists left out."""
        parts = {"vertices": self._vertices, "edges": self._edges, "set": self._set, "facts": self.facts}
        return {key: part for key, part in parts.items() if part}
