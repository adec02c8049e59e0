"""Pictures of answers, for a notebook and for the command line; what is too large for one is drawn as a summary.

Imported when the package is first used, so that a notebook can draw: it imports nothing that costs before it does.
"""

from typing import TYPE_CHECKING

from provgraph.errors import QuestionError
from provgraph.graph import display

if TYPE_CHECKING:
    from provgraph.graph.comparison import Comparison
    from provgraph.graph.provgraph import ProvGraph
    from provgraph.graph.summary import Summary
    from provgraph.render.pictures.picture import Picture

MOST_SUMMARIZED = 5_000
"""A summary of more vertices takes seconds, and is seldom small enough for a picture."""
MOST_IN_NOTEBOOK = 20_000
"""A graph with more vertices is only named when a cell ends with it: nobody shall wait for that."""


def picture_of(answer: "ProvGraph | Summary | Comparison") -> "Picture":
    """The picture of a graph, a segment, a summary or a comparison.

    Raises:
        TooLargeError: there is too much to draw, and nothing that one could begin from.
    """
    from provgraph.graph.provgraph import ProvGraph
    from provgraph.graph.summary import Summary

    if isinstance(answer, Summary):
        from provgraph.render.pictures.summaries import picture_of_summary

        return picture_of_summary(answer)
    if isinstance(answer, ProvGraph):
        return _picture_of_graph(answer)
    from provgraph.render.pictures.comparisons import picture_of_comparison

    return picture_of_comparison(answer)


def _picture_of_graph(graph: "ProvGraph") -> "Picture":
    from contextlib import suppress

    from provgraph.render.pictures.graphs import picture_of_graph
    from provgraph.render.pictures.picture import MOST, TooLargeError

    if graph.reached <= MOST:
        with suppress(TooLargeError):  # so many agents that do not stand inside
            return picture_of_graph(graph)
    if graph.reached <= MOST_SUMMARIZED and (summary := _summary(graph)) is not None:
        return summary
    return _nearest(graph)


def _summary(graph: "ProvGraph") -> "Picture | None":
    """A summary of one graph, where that is small enough."""
    from dataclasses import replace

    from provgraph.queries.summarization import summarize
    from provgraph.render.pictures.graphs import title_of
    from provgraph.render.pictures.picture import TooLargeError
    from provgraph.render.pictures.summaries import picture_of_summary

    for resolution in ("medium", "coarse"):
        try:
            drawn = picture_of_summary(summarize([graph], resolution=resolution), f"{title_of(graph)}: a summary")
        except TooLargeError:
            continue
        said = f"{graph.reached:,} vertices are too many for a picture: this is a summary of them, not each of them"
        return replace(drawn, notes=(*graph.notes, said))
    return None


def _nearest(graph: "ProvGraph") -> "Picture":
    """What is nearest to what was asked for."""
    from dataclasses import replace

    from provgraph.render.pictures.graphs import asked_for, picture_of_graph, title_of
    from provgraph.render.pictures.nearest import nearest_part
    from provgraph.render.pictures.picture import MOST, TooLargeError

    asked = asked_for(graph)
    if not asked:
        raise TooLargeError(graph.reached)
    part = nearest_part(graph, asked, MOST // 2)
    drawn = picture_of_graph(part, asked, getattr(graph, "why", None), title_of(graph))
    said = (
        f"{graph.reached:,} vertices are too many for a picture: drawn are the {part.reached} nearest to what was "
        "asked for; `--depth N` or `provdb segment` narrow it down, --json lists all"
    )
    return replace(drawn, notes=(*graph.notes, said))


def svg_of(answer: "ProvGraph | Summary | Comparison") -> str | None:
    """The SVG for a notebook, None for what is empty or too large."""
    from provgraph.graph.provgraph import ProvGraph
    from provgraph.render.pictures.svg import svg_text

    if isinstance(answer, ProvGraph) and not 0 < len(answer) <= MOST_IN_NOTEBOOK:
        return None
    try:
        return svg_text(picture_of(answer))
    except QuestionError:
        return None


display.renderer = svg_of
