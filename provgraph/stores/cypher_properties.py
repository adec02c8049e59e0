r"""Properties as Cypher sees them: one conversion for both stores, and the way back.

What is recorded is JSON; what Cypher sees has the same names and types on the embedded store and on Neo4j, so it is
what both can hold:

- base times (``started_at``, ``at``, …) are date-times in UTC; a text that is no date-time stays text;
- texts, booleans, floats, integers of 64 bits, and lists of one of these types, are what they are (but texts of over
  8,000 bytes under the few keys that servers index, which cannot hold them);
- everything else (a list of several types or with null, a longer integer, nested JSON), and on a vertex what was
  recorded under the names ``uid``, ``project`` and ``origin``, which Cypher needs itself, is JSON text under
  ``<key>_json``.

JSON text that stands so for another value ends with a space for each ``_json`` that was added (one, but where a
recorded key has that name already); so what was recorded can be told from what Cypher sees: ``recorded(seen(x)) == x``.
A time comes back in the spelling of the recorder, with six digits and ``+00:00``.

Edges have no uid in Cypher: they are told apart by type, source, target and role. ``restorable`` is what one machine
has, and never sent. On the server texts are hidden (``hide``) where they hold lone surrogates, names (``hide_name``)
where they are empty or hold NUL, too.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from provgraph.model.vocabulary import PROPERTIES
from provgraph.stores.cypher.values import hide, hide_name, show
from provgraph.stores.encoding import dumps, loads

INSTANTS: Final = frozenset(p.key for p in PROPERTIES.values() if p.type == "datetime")
"""The keys that hold date-times."""
OWN: Final = frozenset(["uid", "project", "origin"])
"""The keys of a vertex that Cypher needs itself: its uid, the project's, and that of the origin that recorded it, which
a vertex that several may write (an artifact, a person) has not."""
SUFFIX: Final = "_json"
INDEXED: Final = frozenset(["path", "sha256", "name", "email", "started_at"])
"""The keys by which a server finds vertices (`neo4j.migrations`)."""
_INDEXED_BYTES: Final = 8_000
_INDEXED_CHARACTERS: Final = _INDEXED_BYTES // 4
"""What is no longer than this is surely not too long."""
_INT64: Final = range(-(2**63), 2**63)
_LONGEST: Final = len("2026-01-01T00:00:00.000000+00:00")
_SHORTEST: Final = len("2026-01-01T00:00Z") + 1


def seen(properties: Mapping[str, Any], *, vertex: bool = True) -> dict[str, Any]:
    """What Cypher sees of recorded properties; those of ``OWN`` are still to be added. Cost: 2 µs."""
    held: dict[str, Any] = {}
    others: list[str] = []
    for key, value in properties.items():
        if value is None:
            continue
        if (vertex and key in OWN) or not is_native(key, value):
            others.append(key)
        elif key in INSTANTS and isinstance(value, str):
            held[key] = instant(value) or value
        else:
            held[key] = value
    for key in sorted(others):
        name, spaces = key + SUFFIX, " "
        while name in properties or name in held:
            name, spaces = name + SUFFIX, spaces + " "
        held[name] = dumps(properties[key]) + spaces
    return held


def recorded(properties: Mapping[str, Any], *, vertex: bool = True) -> dict[str, Any]:
    """What was recorded, from what Cypher sees."""
    held: dict[str, Any] = {}
    for key, value in properties.items():
        if vertex and key in OWN:
            continue
        if isinstance(value, datetime):
            held[key] = value.astimezone(UTC).isoformat(timespec="microseconds")
        elif _stands_for_another(key, value):
            bare = value.rstrip(" ")
            held[key[: len(key) - len(SUFFIX) * (len(value) - len(bare))]] = loads(bare)
        else:
            held[key] = value
    return held


def instant(text: str) -> datetime | None:
    """The date-time in UTC that an ISO 8601 text with a zone means; None for any other text."""
    if len(text) < _SHORTEST:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_plain_instant(text: str) -> bool:
    """Whether ``text`` spells a date-time as ``instant(text).isoformat()`` would, or nearly. Cost: 0.2 µs."""
    return text.endswith("+00:00") and len(text) <= _LONGEST and instant(text) is not None


def sources(key: str) -> Iterable[str]:
    """The recorded keys that Cypher may see as ``key``."""
    yield key
    while key.endswith(SUFFIX):
        key = key[: -len(SUFFIX)]
        yield key


def to_server(properties: Mapping[str, Any], *, vertex: bool = True) -> dict[str, Any]:
    """Recorded properties as a parameter of the driver; those of ``OWN`` are still to be added."""
    if "restorable" in properties:
        properties = {key: value for key, value in properties.items() if key != "restorable"}
    return {hide_name(key): _hidden(value) for key, value in seen(properties, vertex=vertex).items()}


def from_server(properties: Mapping[str, Any], *, vertex: bool = True) -> dict[str, Any]:
    """What was recorded, from the properties of a node or relationship of the driver."""
    return recorded({show(key): _shown(value) for key, value in properties.items()}, vertex=vertex)


def server_changes(before: Mapping[str, Any], after: Mapping[str, Any], *, vertex: bool = True) -> dict[str, Any]:
    """What to ``SET x +=`` so that an element with ``before`` recorded has ``after``: None removes a property."""
    old, new = to_server(before, vertex=vertex), to_server(after, vertex=vertex)
    gone = dict.fromkeys(old.keys() - new.keys())
    return gone | {key: value for key, value in new.items() if key not in old or not _same(old[key], value)}


def is_native(key: str, value: Any) -> bool:
    """Whether both stores hold a recorded value under its own key."""
    kind = type(value)
    if key in INDEXED and is_too_long(value):
        return False
    if kind is str:
        return not _stands_for_another(key, value)
    if kind is bool or kind is float:
        return True
    if kind is int:
        return value in _INT64
    if kind is not list:
        return False
    kinds = set(map(type, value))
    if len(kinds) > 1 or not kinds <= {str, bool, float, int}:
        return False
    return kinds != {int} or all(item in _INT64 for item in value)


def is_too_long(value: Any) -> bool:
    """Whether no index of a server can hold a value."""
    if isinstance(value, list):
        return len(value) * 9 + sum(len(item) * 4 for item in value if isinstance(item, str)) > _INDEXED_BYTES
    if not isinstance(value, str) or len(value) <= _INDEXED_CHARACTERS:
        return False
    return len(hide(value).encode()) > _INDEXED_BYTES


def _stands_for_another(key: str, value: Any) -> bool:
    """Whether a value looks like JSON text that ``seen`` made."""
    return key.endswith(SUFFIX) and isinstance(value, str) and value.endswith(" ")


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, list):
        return [hide(item) if isinstance(item, str) else item for item in value]
    return value


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return show(value)
    if isinstance(value, list):
        return [show(item) if isinstance(item, str) else item for item in value]
    # A date-time of the driver, which this module does not import.
    return value.to_native() if hasattr(value, "to_native") else value


def _same(one: Any, other: Any) -> bool:
    """Equal in type and in every bit: 1 is not 1.0, 0.0 is not -0.0, NaN is NaN."""
    return type(one) is type(other) and repr(one) == repr(other)
