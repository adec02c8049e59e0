"""A comparison of what two references name, asked of any reader."""

from collections.abc import Iterable

from provgraph.errors import QuestionError
from provgraph.graph.comparison import Comparison
from provgraph.graph.naming import display_name
from provgraph.graph.reader import GraphReader
from provgraph.queries.comparison.contents import Contents
from provgraph.queries.comparison.graphs import compare
from provgraph.queries.comparison.vertices import compare_vertices
from provgraph.queries.places import Places
from provgraph.queries.references import resolve_one


def compare_references(
    reader: GraphReader,
    references: tuple[str, str],
    places: Places,
    *,
    contents: Contents | None = None,
    lineage: bool = False,
    depth: int | None = None,
    environment: bool = False,
    everything: bool = False,
    notes: Iterable[str] = (),
) -> Comparison:
    """What differs between two vertices, or with ``lineage`` between what they came from.

    Raises:
        UnknownReferenceError: a reference names nothing, or more than one thing.
        QuestionError: a depth without ``lineage``, or below 0.
    """
    if depth is not None and not lineage:
        raise QuestionError("a depth is that of a lineage; add --lineage, or leave --depth out")
    if depth is not None and depth < 0:
        raise QuestionError(f"a depth of {depth} is none; --depth 1 is one activity far")
    (first, said), (second, more) = (resolve_one(reader, text, places) for text in references)
    remarks = tuple(dict.fromkeys((*notes, *said, *more)))
    if not lineage:
        return compare_vertices(
            reader, first, second,
            contents=contents, environment=environment, everything=everything, notes=remarks,
        )  # fmt: skip
    graphs = [
        reader.ancestors((vertex.uid,), depth=depth, environment=environment).with_query(
            {
                "command": "lineage", "references": [text], "roots": [vertex.uid], "downstream": False,
                "depth": depth, "revisions": False, "environment": environment,
            },
            remarks,
        )
        for text, vertex in zip(references, (first, second), strict=True)
    ]  # fmt: skip
    names = display_name(first), display_name(second)
    return compare(graphs[0], graphs[1], contents=contents, names=names, everything=everything)
