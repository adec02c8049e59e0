"""Values on their way to a server and back, as the embedded store's answers have them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import CypherError
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.rows import Path
from provgraph.model.identity import Namespace
from provgraph.stores.cypher.tokens import Token
from provgraph.stores.cypher.values import checked, hide, iso_duration, show
from provgraph.stores.cypher_properties import from_server
from provgraph.stores.encoding import column
from provgraph.stores.neo4j.reader_values import labels_in_order, recorded

if TYPE_CHECKING:
    import neo4j

_INT64: Final = range(-(2**63), 2**63)
ENDS: Final = "UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id RETURN id, n.uid, n.project"
"""The vertices at the ends of edges, of which an answer has nothing but their ids."""


def parameters(words: Sequence[Token], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the names in a query, as the driver takes them.

    Raises:
        CypherError: a name without a value, or a value that the server does not have.
    """
    found = {}
    for name in sorted({token.value for token in words if token.kind == "parameter"}):
        if name not in given:
            raise CypherError(f"the query has no value for ${name}; give it with `--param {name}=VALUE`")
        found[name] = _sent(name, checked(name, given[name]))
    return found


def _sent(name: str, value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        if value not in _INT64:
            raise CypherError(f"parameter {name}: an integer beyond 64 bits, which a server does not have; give text")
        return value
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, list):
        return [_sent(name, item) for item in value]
    if isinstance(value, dict):
        return {hide(key): _sent(name, item) for key, item in value.items()}
    if isinstance(value, datetime):
        # A time without zone that a user gives is local. The driver takes no zone but those that it knows.
        moment = value if value.tzinfo else value.astimezone()
        return moment.astimezone(timezone(moment.utcoffset() or timedelta()))
    if isinstance(value, timedelta):
        from neo4j.time import Duration

        micros = (value.days * 86_400 + value.seconds) * 10**6 + value.microseconds
        seconds, rest = divmod(abs(micros), 10**6)
        sign = -1 if micros < 0 else 1
        return Duration(seconds=sign * seconds, nanoseconds=sign * rest * 1000)
    return value


class Answer:
    """Turns what the driver returns into plain values, vertices, edges and paths.

    Parameters:
        project: uid of the project of edges whose ends do not say theirs.
    """

    def __init__(self, project: str) -> None:
        self._project = project
        self._ends: dict[str, tuple[str, str]] = {}
        """(uid, project) by element id."""

    def unknown_ends(self, rows: Iterable[Sequence[Any]]) -> list[str]:
        """Ids of vertices of which only edges in ``rows`` tell."""
        import neo4j.graph

        missing: set[str] = set()
        waiting: list[Any] = [cell for row in rows for cell in row]
        while waiting:
            value = waiting.pop()
            if isinstance(value, neo4j.graph.Node):
                self._ends[value.element_id] = (str(value.get("uid")), str(value.get("project")))
            elif isinstance(value, neo4j.graph.Relationship):
                missing |= {node.element_id for node in value.nodes if node is not None}
            elif isinstance(value, neo4j.graph.Path):
                waiting += [*value.nodes, *value.relationships]
            elif isinstance(value, Mapping):
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value
        return sorted(missing - self._ends.keys())

    def know(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take the rows of ``ENDS``."""
        self._ends |= {id: (str(uid), str(project)) for id, uid, project in rows}

    def value(self, value: Any) -> Any:
        """One cell of a result.

        Raises:
            CypherError: a value that rows cannot hold.
        """
        import neo4j.graph

        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return show(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, neo4j.graph.Node):
            return self._vertex(value)
        if isinstance(value, neo4j.graph.Relationship):
            return self._edge(value)
        if isinstance(value, neo4j.graph.Path):
            return Path(tuple(map(self._vertex, value.nodes)), tuple(map(self._edge, value.relationships)))
        if isinstance(value, Mapping):
            return {show(key): self.value(value[key]) for key in sorted(value)}  # as the embedded engine has them
        return _temporal(value)

    def _vertex(self, node: "neo4j.graph.Node") -> Vertex:
        return Vertex(str(node.get("uid")), labels_in_order(node.labels), recorded(dict(node.items())))

    def _edge(self, relation: "neo4j.graph.Relationship") -> Edge:
        source, target = (self._ends[node.element_id] for node in relation.nodes if node is not None)
        held, type = from_server(dict(relation.items()), vertex=False), show(relation.type)
        namespace = Namespace(source[1] if source[1] != "None" else self._project)
        uid = namespace.edge(type, source[0], target[0], column(str(held.get("role", ""))))
        return Edge(type, source[0], target[0], held, uid)


def _temporal(value: Any) -> Any:
    """Raises CypherError for what is no time."""
    from neo4j.time import Date, DateTime, Duration, Time

    if isinstance(value, DateTime):
        return _aware(value.to_native())
    if isinstance(value, Duration):
        return iso_duration(value.months, value.days, value.seconds * 10**9 + value.nanoseconds)
    if isinstance(value, Date):
        return value.to_native()
    if isinstance(value, Time):
        return value.to_native().isoformat()
    raise CypherError(f"the query returns a {type(value).__name__}, which rows cannot hold; return a part of it")


def _aware(value: datetime) -> datetime:
    """With a zone of Python's own, where it has one."""
    offset = value.utcoffset()
    return value if offset is None else value.replace(tzinfo=timezone(offset))
