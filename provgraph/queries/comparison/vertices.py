"""Two vertices of any kind."""

from collections.abc import Iterable
from dataclasses import replace

from provgraph.graph.comparison import Comparison, Members
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.reader import GraphReader
from provgraph.queries.comparison.contents import Contents
from provgraph.queries.comparison.members import collection_members, version_members
from provgraph.queries.comparison.pairs import pair_of, related_of
from provgraph.queries.comparison.series import keys_of, series_differences


def compare_vertices(
    reader: GraphReader,
    first: Vertex,
    second: Vertex,
    *,
    contents: Contents | None = None,
    environment: bool = False,
    everything: bool = False,
    notes: Iterable[str] = (),
) -> Comparison:
    """What differs between two vertices: properties, contents, members, and what each used, generated, was done by.

    Parameters:
        contents: gives a snapshot's bytes.
        environment: also the installed software, where both used the same.
        everything: leave nothing out of contents.
    """
    said = list(notes)
    if first.uid == second.uid:
        said.append(f"both are {display_name(first)}")
    if first.kind is not second.kind:
        kinds = (f"{display_name(vertex)} is an {vertex.kind.value.lower()}" for vertex in (first, second))
        said.append(f"{', '.join(kinds)}: only their properties are compared")
    members: Members | None = None
    if first.uid != second.uid:
        members, more = _members(reader, first, second)
        said += more
    series = series_differences(reader, first, second) if first.uid != second.uid else ()
    told = frozenset[str]().union(*(keys_of(one.name) for one in series))
    pair = pair_of(first, second, contents, everything=everything)
    pair = replace(pair, properties=tuple(found for found in pair.properties if found.key not in told))
    return Comparison(
        kind="vertices",
        first=display_name(first),
        second=display_name(second),
        both=(pair,),
        related=related_of(reader, first, second, contents, environment=environment, everything=everything)
        if first.kind is second.kind
        else (),
        members=members,
        series=series,
        roots=((first.uid, second.uid),),
        query={"command": "compare", "first": first.uid, "second": second.uid},
        notes=tuple(said),
    )


def _members(reader: GraphReader, first: Vertex, second: Vertex) -> tuple[Members | None, tuple[str, ...]]:
    for label in ("Collection", "Version"):
        if label in first.labels and label in second.labels:
            if label == "Version":
                return version_members(reader, first.uid, second.uid)
            return collection_members(reader.members(first.uid), reader.members(second.uid))
    return None, ()
