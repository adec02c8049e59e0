"""The question behind ``summarize --to``: references in, a segment for each snapshot that they name, a summary out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from provgraph.errors import QuestionError
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name, short_uid
from provgraph.graph.reader import GraphReader
from provgraph.graph.region import Region
from provgraph.graph.summary import Summary
from provgraph.queries.places import Places
from provgraph.queries.segmenting import segment_of
from provgraph.queries.summarization.presets import Keep, knobs
from provgraph.queries.summarization.summarizing import summarize

if TYPE_CHECKING:
    from provgraph.graph.segment import Segment

_NAMED = 3
"""So many segments are named in a note."""


def summary_of(
    reader: GraphReader,
    destinations: Iterable[str],
    sources: Iterable[str] | None,
    places: Places,
    *,
    keep: Keep | None = None,
    hops: int | None = None,
    resolution: str = "medium",
    pairwise: bool = False,
    notes: Iterable[str] = (),
    **boundary: Any,
) -> Summary:
    """A summary of the segments of all that ``destinations`` name, one for each.

    Parameters:
        destinations: references, globs, or ``where: …``.
        sources: the same; None for all roots. All are every segment's, but ``pairwise`` the first of them is that of
            what the first destination names, and so on.
        keep, hops, resolution: as for ``summarize``.
        boundary: as for ``segment``.

    Raises:
        QuestionError: as for both; also sources and destinations that are no pairs.

    Cost: that of a segment for each destination; the graph is loaded once.
    """
    knobs(keep, hops, resolution)  # what is wrong with them is said at once
    later, earlier = _texts(destinations), None if sources is None else _texts(sources)
    if not later:
        raise QuestionError("a summary of what? name destinations (--to 'model.pkl@*'): each is one segment's")
    once = cast("GraphReader", _Once(reader))
    found: dict[tuple[str, tuple[str, ...] | None], Segment] = {}
    remarks = dict.fromkeys(notes)
    own: dict[str, list[str]] = {}
    for text, starts in _pairs(later, earlier, pairwise=pairwise):
        plain = {**boundary, "match": None, "expand": None, "expand_downstream": None}
        named = segment_of(once, None, [text], places, **plain)
        remarks.update(dict.fromkeys(named.notes))
        for uid in sorted(named.destinations, key=lambda uid: _order(named[uid])):
            key = (uid, None if starts is None else tuple(starts))
            if key not in found:
                found[key] = one = segment_of(once, starts, [uid], places, **boundary)
                for note in one.notes:
                    own.setdefault(note, []).append(_name(one, uid))
    segments = list(found.values())
    summary = summarize(segments, keep, hops, resolution, [_name(one, uid) for (uid, _), one in found.items()])
    asked = {"destinations": later, "sources": earlier, "pairwise": pairwise, **_plain(boundary)}
    return replace(
        summary, query={**summary.query, **asked}, notes=(*remarks, *_own_notes(own, remarks), *summary.notes)
    )


def _pairs(
    later: Sequence[str], earlier: Sequence[str] | None, *, pairwise: bool
) -> list[tuple[str, Sequence[str] | None]]:
    if not pairwise or earlier is None:
        return [(text, earlier) for text in later]
    if len(earlier) != len(later):
        raise QuestionError(
            f"{len(earlier)} sources and {len(later)} destinations are no pairs; give one --from for all, "
            "or one for each --to"
        )
    return [(text, [source]) for text, source in zip(later, earlier, strict=True)]


def _own_notes(own: Mapping[str, Sequence[str]], told: Collection[str]) -> list[str]:
    """What was said of single segments: each note once, with the segments that it is said of."""
    found = []
    for note, names in own.items():
        more = f" and {len(names) - _NAMED:,} more segments" if len(names) > _NAMED else ""
        if note not in told:
            found.append(f"{', '.join(names[:_NAMED])}{more}: {note}")
    return found


def _name(segment: "Segment", uid: str) -> str:
    vertex = segment.vertex(uid)
    return short_uid(uid) if vertex is None else display_name(vertex)


def _order(vertex: Vertex) -> tuple[str, int, str]:
    """By path, then by number: as a reader of the names expects them."""
    sequence = vertex.properties.get("sequence")
    return (
        str(vertex.properties.get("path", display_name(vertex))),
        sequence if isinstance(sequence, int) else 0,
        vertex.uid,
    )


def _texts(given: Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _plain(boundary: dict[str, Any]) -> dict[str, Any]:
    """What was asked for beyond the defaults, as JSON has it."""
    found = {key: list(value) if isinstance(value, tuple) else value for key, value in boundary.items()}
    return {key: value for key, value in found.items() if value not in (None, [], {}, False) or key == "similar"}


class _Once:
    """A reader that reads its graph once for several questions."""

    def __init__(self, reader: GraphReader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    @cached_property
    def _region(self) -> Region:
        return self._reader.region()

    def region(self) -> Region:
        """A region of its own for each question, of which nothing is read twice."""
        return self._region.again()
