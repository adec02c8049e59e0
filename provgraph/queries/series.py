"""The series of a vertex, all or some of them."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from provgraph.errors import QuestionError
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.reader import GraphReader
from provgraph.graph.series import AllSeries


def series_of(reader: GraphReader, vertex: Vertex, names: Sequence[str] = (), notes: Iterable[str] = ()) -> AllSeries:
    """The series that were logged for a vertex, whole.

    Parameters:
        names: which ones, also as globs (``val_*``); all where there are none.

    Raises:
        QuestionError: there is none of a name; the message lists those that there are.
    """
    found = reader.series(vertex.uid)
    for name in names:
        if not any(fnmatchcase(one, name) for one in found):
            raise QuestionError(_unknown(vertex, name, list(found)))
    if names:
        found = {one: series for one, series in found.items() if any(fnmatchcase(one, name) for name in names)}
    return AllSeries(vertex, found, tuple(notes))


def _unknown(vertex: Vertex, name: str, there: Sequence[str]) -> str:
    shown = display_name(vertex)
    if not there:
        return f"{shown} has no series: nothing that logs points step by step was read of it"
    like = get_close_matches(name.removeprefix("metric_"), there, n=1, cutoff=0.5)
    meant = f"; did you mean {like[0]}?" if like else ";"
    few = ", ".join(there[:20]) + (f" and {len(there) - 20} more" if len(there) > 20 else "")
    return f"{shown} has no series {name!r}{meant} there are {few}"
