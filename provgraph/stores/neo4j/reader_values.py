"""What comes from a team's server, as values of the graph; and the pieces of queries that all readers share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import LABELS, Kind
from provgraph.stores.cypher.values import hide_name, show
from provgraph.stores.cypher_properties import SUFFIX, from_server
from provgraph.stores.lineage import uid_text
from provgraph.stores.reader import uid_bytes

PAGE: Final = 10_000
"""Uids that one query asks for."""
HERE: Final = "coalesce(n.project, '') = $project"
"""A vertex ``n`` is the project's; in a call, so that the project's index is never taken for the better one."""
_LABEL_ORDER: Final = {name: place for place, name in enumerate((*Kind, *LABELS))}


class Reads(Protocol):
    """Asks a server: each query in a read transaction of its own."""

    def run(self, query: str, /, **parameters: Any) -> Sequence[Any]:
        """The records, each a sequence of values."""


class Asks(Protocol):
    """The same within one project, whose uid the query may name as ``$project``."""

    def run(self, query: str, /, **parameters: Any) -> Sequence[Any]:
        """The records."""


def for_each_kind(query: str) -> str:
    """``query`` asked of entities, activities and agents together; ``KIND`` in it is the kind."""
    return " UNION ALL ".join(query.replace("KIND", kind) for kind in Kind)


def uid_of(text: str) -> str | None:
    """A uid as the graph has it; None for what is none."""
    raw = uid_bytes(text)
    return None if raw is None else uid_text(raw)


def labels_in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels, which the server has in no order: the kind, the vocabulary's, then others by name."""
    shown = map(show, labels)
    return tuple(sorted(shown, key=lambda label: (_LABEL_ORDER.get(label, len(_LABEL_ORDER)), label)))


def recorded(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded properties of a vertex, from those that the server has."""
    return from_server(properties)


def names_on_server(keys: Iterable[str]) -> list[str]:
    """The names under which the server may have recorded properties."""
    return [hide_name(key + SUFFIX * more) for key in sorted(set(keys)) for more in range(3)]


def graph_of(vertices: Iterable[Vertex], edges: Iterable[Edge]) -> ProvGraph:
    """A graph of what came from the server, which keeps the rules itself."""
    rows = list(vertices)
    return ProvGraph.from_rows(
        ((v.uid, v.labels, v.properties) for v in rows),
        ((e.type, e.source, e.target, e.properties, e.uid) for e in edges),
        marks={v.uid: v.mark for v in rows if v.mark},
    )
