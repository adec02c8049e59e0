"""Notes beside a server's answer: names in the query that nothing in the project bears.

The server tells at once which names its database has at all. Only those of the query that are among them are looked
for in the project, and only names that the project has are proposed: what other projects call things is theirs.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from provgraph.stores.cypher.hints import FAMILIAR, nearest, told, unfamiliar
from provgraph.stores.cypher.mentions import Mentions
from provgraph.stores.cypher.values import show
from provgraph.stores.cypher_properties import sources
from provgraph.stores.neo4j.statements import label, quoted

_ALL: Final = {
    "label": "CALL db.labels()",
    "relation": "CALL db.relationshipTypes()",
    "property": "CALL db.propertyKeys()",
}
_ANY: Final = "(n:Entity|Activity|Agent {{project: $project}})"
_HERE: Final = {
    "label": ("MATCH (n:{0} {{project: $project}}) RETURN 1 LIMIT 1",),
    "relation": (f"MATCH {_ANY}-[:{{0}}]->() RETURN 1 LIMIT 1",),
    "property": (
        f"MATCH {_ANY} WHERE n.{{0}} IS NOT NULL RETURN 1 LIMIT 1",
        f"MATCH {_ANY}-[r]->() WHERE r.{{0}} IS NOT NULL RETURN 1 LIMIT 1",
    ),
}
_INTERNAL: Final = "Provgraph"
_PROPOSALS: Final = 5

Ask = Callable[[str, dict[str, Any]], Sequence[Sequence[Any]]]
"""Runs a query of ours in the transaction of the user's."""


def notes(named: Mentions, ask: Ask, project: str) -> list[str]:
    """A sentence for each name in a query that neither the project nor the vocabulary knows."""
    found: list[str] = []
    for what, names in unfamiliar(named).items():
        everywhere = {show(str(name)) for (name,) in ask(_ALL[what], {})}

        def is_here(name: str, what: str = what, everywhere: set[str] = everywhere) -> bool:
            return name in everywhere and _is_here(what, name, ask, project)

        for name in names:
            if name in FAMILIAR[what] or any(is_here(other) for other in sources(name)):
                continue
            found.append(told(what, name, _proposals(what, name, everywhere, is_here)))
    return found


def _is_here(what: str, name: str, ask: Ask, project: str) -> bool:
    name = label(name) if what == "label" else quoted(name)
    return any(ask(query.format(name), {"project": project}) for query in _HERE[what])


def _proposals(what: str, name: str, everywhere: set[str], is_here: Callable[[str], bool]) -> set[str]:
    """Names to choose a proposal from: those of the vocabulary, and the likely ones that the project has."""
    known = FAMILIAR[what] | {other for other in everywhere if not other.startswith(_INTERNAL)}
    for _ in range(_PROPOSALS):
        meant = nearest(name, known)
        if meant is None or meant in FAMILIAR[what] or is_here(meant):
            return set(known)
        known -= {meant}
    return set(FAMILIAR[what])
