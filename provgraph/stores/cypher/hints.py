"""Notes beside an answer: names in the query that exist nowhere, and what they may have been meant to be."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Final

from provgraph.graph.reader import GraphReader
from provgraph.model.vocabulary import KINDS, LABELS, PROPERTIES, RELATIONS
from provgraph.stores.cypher.mentions import Mentions

_PREFIXES: Final = ("metric_", "param_")
_SUFFIXES: Final = ("_json",)
_COMPONENTS: Final = frozenset(
    "year month day hour minute second millisecond microsecond nanosecond week weekYear quarter dayOfWeek dayOfQuarter "
    "ordinalDay weekDay timezone offset offsetMinutes offsetSeconds epochSeconds epochMillis years months weeks days "
    "hours minutes seconds milliseconds microseconds nanoseconds x y z".split()
)


def notes(named: Mentions, reader: GraphReader) -> list[str]:
    """A sentence for each name in a query that neither the store nor the vocabulary knows."""
    found: list[str] = []
    if named.labels:
        known = KINDS | LABELS.keys() | reader.labels().keys()
        found += _unknown("label", named.labels, known)
    if named.relations:
        found += _unknown("relation", named.relations, RELATIONS.keys() | reader.relations().keys())
    if named.spelled:
        keys = PROPERTIES.keys() | reader.property_keys().keys() | {"uid"}
        found += _unknown("property", named.spelled - _COMPONENTS, keys)
    return found


def _unknown(what: str, names: Iterable[str], known: Collection[str]) -> list[str]:
    return [
        f"no {what} `{name}`" + (f"; did you mean `{meant}`?" if (meant := nearest(name, known)) else "")
        for name in sorted(set(names) - set(known))
    ]


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that ``name`` was most likely meant to be; ``acuracy`` may be ``metric_accuracy``."""
    shapes: dict[str, str] = {}
    for candidate in sorted(known):
        shapes.setdefault(candidate.casefold(), candidate)
        bare = candidate
        for prefix in _PREFIXES:
            bare = bare.removeprefix(prefix)
        for suffix in _SUFFIXES:
            bare = bare.removesuffix(suffix)
        shapes.setdefault(bare.casefold(), candidate)
    matches = get_close_matches(name.casefold(), shapes, n=1, cutoff=0.7)
    return shapes[matches[0]] if matches else None
