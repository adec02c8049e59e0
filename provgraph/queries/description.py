"""One vertex: its properties, its relations, the other snapshots of its path."""

from provgraph.graph.answers import Description, Related
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.reader import GraphReader

MOST_EDGES = 5000


def describe(reader: GraphReader, vertex: Vertex, notes: tuple[str, ...] = ()) -> Description:
    """What ``show`` says of a vertex. Relations are sorted by type, direction and the other end's name.

    What a newer version of an ingestor has taken back is left out.

    Cost: two questions; at most ``MOST_EDGES`` relations are looked at, and a note says so where there are more.
    """
    edges = reader.edges_of(vertex.uid, MOST_EDGES + 1)
    if len(edges) > MOST_EDGES:
        edges = edges[:MOST_EDGES]
        notes = (
            *notes,
            f"it has more than {MOST_EDGES:,} relations; these are the first (`provdb cypher` reaches all)",
        )
    ends = {edge.target if edge.source == vertex.uid else edge.source for edge in edges}
    others = {other.uid: other for other in reader.vertices(ends)}
    relations = []
    for edge in edges:
        if edge.properties.get("superseded_by"):
            continue
        outgoing = edge.source == vertex.uid
        other = others.get(edge.target if outgoing else edge.source)
        if other is not None:
            relations.append(Related(edge, other, outgoing))
    relations.sort(key=lambda r: (not r.outgoing, r.edge.type, display_name(r.other), r.other.uid))
    members = vertex.properties.get("members_count")
    return Description(
        vertex,
        display_name(vertex),
        tuple(relations),
        _snapshots(reader, vertex),
        members if isinstance(members, int) else None,
        notes,
    )


def _snapshots(reader: GraphReader, vertex: Vertex) -> tuple[tuple[str, str, str], ...]:
    path = vertex.properties.get("path")
    if not isinstance(path, str) or not {"Snapshot", "Artifact"}.intersection(vertex.labels):
        return ()
    rows = reader.snapshots(path)
    names = {found.uid: display_name(found) for found in reader.vertices([row.uid for row in rows])}
    return tuple((row.uid, names[row.uid], row.created_at) for row in rows if row.uid in names)
