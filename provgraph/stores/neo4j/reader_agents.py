"""The agents of a project at the server: a few people and programs, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provgraph.graph.elements import Vertex
from provgraph.graph.merged import merged_into
from provgraph.stores.neo4j.reader_values import Asks, labels_in_order, recorded

_ALL = "MATCH (n:Agent) WHERE n.project = $project RETURN n.uid, labels(n), properties(n)"


@dataclass
class Agents:
    """All agents as they were when somebody first asked."""

    asks: Asks

    @cached_property
    def _known(self) -> dict[str, tuple[tuple[str, ...], dict[str, Any]]]:
        rows = sorted(self.asks.run(_ALL), key=lambda row: row[0])
        return {uid: (labels_in_order(labels), recorded(properties)) for uid, labels, properties in rows}

    @cached_property
    def one(self) -> dict[str, str]:
        """Who each merged agent is in the end; of a ring, it is the one with the smallest uid."""
        return merged_into(Vertex(uid, *known) for uid, known in self._known.items())

    def mark(self, uid: str) -> str:
        """The name of the agent that this one was merged into; empty where it was not."""
        if uid not in self.one:
            return ""
        properties = self._known[self.one[uid]][1]
        return str(properties.get("name") or properties.get("email") or "")

    def all(self) -> list[Vertex]:
        """All agents, by uid."""
        return [self._made(uid) for uid in self._known]

    def called(self, name: str) -> list[Vertex]:
        """Whoever has this name or e-mail address, with all whom they are the same as, by uid."""
        named = {self.one.get(uid, uid) for uid, (_, mine) in self._known.items() if name.casefold() in _names(mine)}
        return [self._made(uid) for uid in self._known if self.one.get(uid, uid) in named]

    def _made(self, uid: str) -> Vertex:
        return Vertex(uid, *self._known[uid], self.mark(uid))


def _names(properties: Mapping[str, Any]) -> set[str]:
    found = (properties.get(key) for key in ("name", "email"))
    return {name.casefold() if isinstance(name, str) else "" for name in found}
