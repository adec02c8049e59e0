"""Two references of a project compared, contents and all."""

from typing import TYPE_CHECKING

from provgraph.graph.comparison import Comparison
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.comparison import compare as compare_graphs
from provgraph.queries.comparison.asking import compare_references
from provgraph.session.restoring import content

if TYPE_CHECKING:
    from provgraph.session.opened import Opened


def compare(
    project: "Opened",
    first: str,
    second: str,
    *,
    lineage: bool = False,
    depth: int | None = None,
    environment: bool = False,
    everything: bool = False,
) -> Comparison:
    """What differs between what two references name.

    Parameters:
        lineage: compare everything that the two came from, aligned.
        depth: of a lineage, so many activities far.
        environment: also the installed software.
        everything: leave no line of a diff out.

    Raises:
        UnknownReferenceError: a reference names nothing, or more than one thing.
        QuestionError: a depth without ``lineage``, or below 0.
    """
    reader, store = project.reader(), project.store()
    return compare_references(
        reader,
        (first, second),
        project.places(),
        contents=lambda vertex: content(store, vertex),
        lineage=lineage,
        depth=depth,
        environment=environment,
        everything=everything,
        notes=project.notes,
    )


def compare_files(project: "Opened | None", first: ProvGraph, second: ProvGraph, *, everything: bool) -> Comparison:
    """Two graphs that came as files; where they are a project's own, contents come from its store."""
    if project is None:
        return compare_graphs(first, second, everything=everything)
    store = project.store()
    return compare_graphs(first, second, contents=lambda vertex: content(store, vertex), everything=everything)
