"""Questions with references in them, asked of any reader: a store, or a graph that came as a file."""

from collections.abc import Iterable, Sequence
from typing import Any

from provgraph.errors import QuestionError
from provgraph.graph.answers import Outline, Ways
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.reader import GraphReader
from provgraph.queries.lineage import lineage, within
from provgraph.queries.outline import outline
from provgraph.queries.places import Places
from provgraph.queries.references import Resolved, resolve_all, resolve_one
from provgraph.queries.versions import limit, with_members
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
    since: str | None = None,
    until: str | None = None,
    notes: Iterable[str] = (),
) -> ProvGraph:
    """The lineage of what the references name. ``query`` keeps the question; its ``roots`` are the uids found.

    Parameters:
        since, until: times, commits or tags: the walk passes no activity that ended before, or started after.

    Raises:
        QuestionError: no reference, a depth below 0, or a reference that names nothing.
    """
    found = _beginnings(reader, references, places, depth)
    walk: dict[str, Any] = {
        "downstream": downstream,
        "depth": depth,
        "revisions": revisions,
        "environment": environment,
    }
    ends = _ends(reader, places, since, until)
    graph = _bounded(reader, found.uids, ends, walk) if ends else reader.ancestors(found.uids, **walk)
    query = {
        "command": "lineage",
        "references": list(references),
        "roots": list(found.uids),
        **walk,
        **({"since": ends[0], "until": ends[1]} if ends else {}),
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
    since: str | None = None,
    until: str | None = None,
    notes: Iterable[str] = (),
) -> Outline:
    """The same as lines of a tree; of a large history only what is drawn is read.

    Raises:
        QuestionError: as ``lineage_of``.
    """
    found = _beginnings(reader, references, places, depth)
    walk: dict[str, Any] = {
        "downstream": downstream,
        "depth": depth,
        "revisions": revisions,
        "environment": environment,
    }
    ends = _ends(reader, places, since, until)
    ask = reader.ancestors if everything else reader.walk  # to draw all, all is read at once
    graph = _bounded(reader, found.uids, ends, walk) if ends else ask(found.uids, **walk)
    return outline(
        graph,
        found.uids,
        downstream=downstream,
        max_depth=max_depth,
        everything=everything,
        notes=(*notes, *found.notes),
    )


def _ends(
    reader: GraphReader, places: Places, since: str | None, until: str | None
) -> tuple[str | None, str | None] | None:
    """The moments between which activities count; None where all do."""
    if since is None and until is None:
        return None
    return (
        None if since is None else limit(reader, since, places, places.zone),
        None if until is None else limit(reader, until, places, places.zone, end=True),
    )


def _bounded(
    reader: GraphReader, uids: Sequence[str], ends: tuple[str | None, str | None], walk: dict[str, Any]
) -> ProvGraph:
    """A walk that passes no activity outside of two moments."""
    return lineage(within(reader.ancestors(uids, **{**walk, "depth": None}), *ends), uids, **walk)


def _beginnings(reader: GraphReader, references: Sequence[str], places: Places, depth: int | None) -> Resolved:
    if not references:
        raise QuestionError("lineage of what? name a path, a uid, %1 or agent:NAME")
    if depth is not None and depth < 0:
        raise QuestionError(f"a depth of {depth} is none; --depth 1 is one activity far")
    found = resolve_all(reader, references, places)
    uids, notes = with_members(reader, found.uids)
    return Resolved(uids, (*found.notes, *notes))


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
