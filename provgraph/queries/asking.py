"""Questions with references in them, asked of any reader: a store, or a graph that came as a file."""

from collections.abc import Iterable, Sequence

from provgraph.errors import QuestionError
from provgraph.graph.answers import Outline, Ways
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.reader import GraphReader
from provgraph.queries.outline import outline
from provgraph.queries.places import Places
from provgraph.queries.references import Resolved, resolve_all, resolve_one
from provgraph.queries.ways import ways


def lineage_of(
    reader: GraphReader,
    references: Sequence[str],
    places: Places,
    *,
    downstream: bool = False,
    depth: int | None = None,
    revisions: bool = False,
    environment: bool = False,
    notes: Iterable[str] = (),
) -> ProvGraph:
    """The lineage of what the references name. ``query`` keeps the question; its ``roots`` are the uids found.

    Raises:
        QuestionError: no reference, a depth below 0, or a reference that names nothing.
    """
    found = _beginnings(reader, references, places, depth)
    graph = reader.ancestors(
        found.uids, downstream=downstream, depth=depth, revisions=revisions, environment=environment
    )
    query = {
        "command": "lineage",
        "references": list(references),
        "roots": list(found.uids),
        "downstream": downstream,
        "depth": depth,
        "revisions": revisions,
        "environment": environment,
    }
    return graph.with_query(query, (*notes, *found.notes))


def outline_of(
    reader: GraphReader,
    references: Sequence[str],
    places: Places,
    *,
    max_depth: int = 14,
    everything: bool = False,
    downstream: bool = False,
    depth: int | None = None,
    revisions: bool = False,
    environment: bool = False,
    notes: Iterable[str] = (),
) -> Outline:
    """The same as lines of a tree; of a large history only what is drawn is read.

    Raises:
        QuestionError: as ``lineage_of``.
    """
    found = _beginnings(reader, references, places, depth)
    ask = reader.ancestors if everything else reader.walk  # to draw all, all is read at once
    graph = ask(found.uids, downstream=downstream, depth=depth, revisions=revisions, environment=environment)
    return outline(
        graph,
        found.uids,
        downstream=downstream,
        max_depth=max_depth,
        everything=everything,
        notes=(*notes, *found.notes),
    )


def _beginnings(reader: GraphReader, references: Sequence[str], places: Places, depth: int | None) -> Resolved:
    if not references:
        raise QuestionError("lineage of what? name a path, a uid, %1 or agent:NAME")
    if depth is not None and depth < 0:
        raise QuestionError(f"a depth of {depth} is none; --depth 1 is one activity far")
    return resolve_all(reader, references, places)


def ways_between(
    reader: GraphReader,
    source: str,
    target: str,
    places: Places,
    *,
    limit: int = 20,
    revisions: bool = False,
    notes: Iterable[str] = (),
) -> Ways:
    """Each way between what two references name, whichever of the two came first."""
    first, said = resolve_one(reader, source, places)
    second, more = resolve_one(reader, target, places)
    remarks = (*notes, *said, *more)
    for one, other in ((first, second), (second, first)):
        graph = reader.ancestors((one.uid,), revisions=revisions, environment=True)
        if other.uid in graph:
            return ways(graph, one.uid, other.uid, limit=limit, revisions=revisions, notes=remarks)
    return Ways(first, second, (), 0, remarks)
