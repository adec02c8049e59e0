"""``Project.summarize``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provgraph.graph.summary import Summary
    from provgraph.session.opened import Opened


def summarize(
    project: "Opened",
    destinations: Iterable[str],
    sources: Iterable[str] | None = None,
    *,
    keep: Mapping[str, Sequence[str]] | None = None,
    hops: int | None = None,
    resolution: str = "medium",
    pairwise: bool = False,
    **boundary: Any,
) -> "Summary":
    """What the segments of all that ``destinations`` name have in common, and what is odd in one.

    Parameters:
        pairwise: the first source belongs to the first destination, and so on; else all sources to each.
        keep, hops, resolution: as for ``provgraph.summarize``.
        boundary: as for ``Project.segment``.

    Raises:
        QuestionError: as for ``provgraph.summarize`` and ``Project.segment``.
    """
    from provgraph.queries.summarization.asking import summary_of

    reader = project.reader()
    return summary_of(
        reader, destinations, sources, project.places(), keep=keep, hops=hops, resolution=resolution,
        pairwise=pairwise, notes=project.notes, **boundary,
    )  # fmt: skip
