"""Notes beside an answer: names in the query that exist nowhere, and what they may have been meant to be."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from provgraph.graph.reader import GraphReader
from provgraph.model.vocabulary import KINDS, LABELS, PROPERTIES, RELATIONS
from provgraph.stores.cypher.mentions import Mentions

FAMILIAR: Final[dict[str, frozenset[str]]] = {
    "label": KINDS | LABELS.keys(),
    "relation": frozenset(RELATIONS),
    "property": frozenset({"uid", "project", "origin", *PROPERTIES}),
}
"""Names that no query is wrong about, though nothing bears them yet."""
_PREFIXES: Final = ("metric_", "param_")
_SUFFIXES: Final = ("_json",)
_COMPONENTS: Final = frozenset(
    "year month day hour minute second millisecond microsecond nanosecond week weekYear quarter dayOfWeek dayOfQuarter "
    "ordinalDay weekDay timezone offset offsetMinutes offsetSeconds epochSeconds epochMillis years months weeks days "
    "hours minutes seconds milliseconds microseconds nanoseconds x y z".split()
)


def notes(named: Mentions, reader: GraphReader) -> list[str]:
    """A sentence for each name in a query that neither the store nor the vocabulary knows."""
    from provgraph.stores.cypher_properties import sources  # which imports this package

    found: list[str] = []
    for what, strange in unfamiliar(named).items():
        if what == "label":
            known = FAMILIAR[what] | reader.labels().keys()
        elif what == "relation":
            known = FAMILIAR[what] | reader.relations().keys()
        else:
            known = FAMILIAR[what] | reader.property_keys().keys()
        found += [told(what, name, known) for name in strange if known.isdisjoint(sources(name))]
    return found


def unfamiliar(named: Mentions) -> dict[str, list[str]]:
    """The names in a query that the vocabulary does not have: label, relation, property."""
    names = {"label": named.labels, "relation": named.relations, "property": named.spelled - _COMPONENTS}
    strange = {what: sorted(found - FAMILIAR[what]) for what, found in names.items()}
    return {what: found for what, found in strange.items() if found}


def told(what: str, name: str, known: Collection[str]) -> str:
    """What to say of a name that exists nowhere."""
    meant = nearest(name, known)
    return f"no {what} `{name}`" + (f"; did you mean `{meant}`?" if meant else "")


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
