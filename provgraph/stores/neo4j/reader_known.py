"""What stands in a project's whole graph at the server, asked in words: a question sees a part of it alone."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import RELATIONS, Kind
from provgraph.stores.cypher_properties import from_server
from provgraph.stores.neo4j.reader_explorer import Explorer
from provgraph.stores.neo4j.reader_table import drawn
from provgraph.stores.neo4j.reader_values import names_on_server, recorded

if TYPE_CHECKING:
    from provgraph.stores.neo4j.reader import Neo4jReader

_DIFFERENT: Final = 10_000
"""Different combinations of values of edges that are looked at."""
_VERSIONS: Final = "MATCH (n:Version) WHERE n.project = $project RETURN n.uid, labels(n), properties(n)"
_MEMBERS: Final = "MATCH (n:Entity {uid: $uid})-[:hadMember]->(m) RETURN m.uid"


class ServerKnown:
    """Implements ``graph.region.Known``. Each answer is asked for once.

    Cost: ``labels``, ``keys`` and what nothing bears take a look at every vertex, at the server.
    """

    def __init__(self, reader: "Neo4jReader") -> None:
        self._reader = reader
        self._labels: set[str] | None = None
        self._keys: set[str] | None = None
        self._versions: list[Vertex] | None = None
        self._values: dict[tuple[str, bool], tuple[Any, ...]] = {}

    def labels(self) -> Collection[str]:
        """Every label in use."""
        if self._labels is None:
            self._labels = set(self._reader.labels())
        return self._labels

    def keys(self) -> Collection[str]:
        """Every property key in use."""
        if self._keys is None:
            self._keys = set(self._reader.recorded_keys())
        return self._keys

    def values(self, key: str, *, edges: bool = False) -> Sequence[Any]:
        """Of the values of a property one that is a number and one that is none, where there are such."""
        found = self._values.get((key, edges))
        if found is None:
            found = self._values[key, edges] = self._read_values(key, edges=edges)
        return found

    def _read_values(self, key: str, *, edges: bool) -> tuple[Any, ...]:
        of, read = ("e" if edges else "n"), list[Any]()
        number = f"{of}[key] IS :: INTEGER | FLOAT"
        pattern = "(n:KIND)-[e]->()" if edges else "(n:KIND)"
        for condition in (number, f"NOT {number}"):
            for kind in Kind:
                rows = self._reader.run(
                    f"MATCH {pattern} WHERE n.project = $project UNWIND $names AS key "
                    f"WITH {of}, key WHERE {of}[key] IS NOT NULL AND {condition} "
                    f"RETURN key, {of}[key] LIMIT 1".replace("KIND", kind),
                    names=names_on_server([key]),
                )
                back = [from_server({name: value}, vertex=not edges) for name, value in rows]
                if values := [one[key] for one in back if key in one]:
                    read += values[:1]
                    break
        return tuple(read)

    def agents(self) -> Sequence[Vertex]:
        """All agents."""
        return self._reader.agents.all()

    def versions(self) -> Sequence[Vertex]:
        """All versions."""
        if self._versions is None:
            self._versions = [self._reader.made(*row) for row in self._reader.run(_VERSIONS)]
        return self._versions

    def members(self, uid: str) -> Collection[str]:
        """Where the ``hadMember`` edges of a version lead."""
        return [row[0] for row in self._reader.run(_MEMBERS, uid=uid)]

    def bearing(self, names: Collection[str] | None, keys: Collection[str], *, generated: bool) -> ProvGraph:
        """The vertices that bear one of ``names`` as a label or as a property; None: all."""
        explorer = Explorer(self._reader, keys=keys)
        for kind in [Kind.ENTITY] if generated else Kind:
            condition = _bears(names, self.labels(), "n")
            if generated and names is not None:
                condition += f" OR EXISTS {{ (n)-[:wasGeneratedBy]->(a) WHERE {_bears(names, self.labels(), 'a')} }}"
            more: dict[str, Any] = {} if names is None else {"borne": names_on_server(names)}
            query = f"MATCH (n:{kind}) WHERE n.project = $project AND ({condition}) RETURN n.uid"
            uids = [row[0] for row in self._reader.run(query, **more)]
            explorer.expand(dict.fromkeys(uids, kind), levels=1)
            if generated:
                ends = [end for uid in uids if uid in explorer.found for end in explorer.found[uid].ahead]
                explorer.expand(dict.fromkeys(ends, Kind.ACTIVITY), levels=1)
        return drawn(self._reader, explorer.found.values(), explorer.keys).graph

    def edges_bearing(self, names: Collection[str]) -> ProvGraph:
        """An edge for each combination of relation and values of these properties; its ends are made up."""
        vertices, edges = list[Vertex](), list[Edge]()
        query = (
            "MATCH (n:KIND)-[e]->() WHERE n.project = $project WITH DISTINCT type(e) AS type, "
            "[key IN $names WHERE e[key] IS NOT NULL | [key, e[key]]] AS found LIMIT $most RETURN type, found"
        )
        for kind in Kind:
            asked = {"names": names_on_server(names), "most": _DIFFERENT}
            for type, found in self._reader.run(query.replace("KIND", kind), **asked):
                relation = RELATIONS.get(type)
                if relation is None:
                    continue
                ends = []
                for side, its in (("source", relation.domain), ("target", relation.range)):
                    ends.append(Vertex(f"{side} {kind} {len(edges)}", (min(its).value,)))
                vertices += ends
                properties = from_server(dict(found), vertex=False)
                edges.append(Edge(type, ends[0].uid, ends[1].uid, properties, f"edge {len(edges)}"))
        return ProvGraph(vertices, edges)

    def of_kind(self, kind: str, key: str) -> bool:
        """Whether a vertex of a kind has a property."""
        rows = self._reader.run(
            f"MATCH (n:{Kind(kind)}) WHERE n.project = $project UNWIND $names AS key "
            "WITH n, key WHERE n[key] IS NOT NULL RETURN key, n[key] LIMIT 1",
            names=names_on_server([key]),
        )
        return any(key in recorded({name: value}) for name, value in rows)


def _bears(names: Collection[str] | None, labels: Collection[str], vertex: str) -> str:
    """A condition: a vertex has one of ``names`` among its labels (that are in use) or its properties."""
    if names is None:
        return "true"
    own = [f"{vertex}:`{name.replace('`', '``')}`" for name in sorted(set(names) & set(labels))]
    return " OR ".join([*own, f"any(key IN $borne WHERE {vertex}[key] IS NOT NULL)"])
