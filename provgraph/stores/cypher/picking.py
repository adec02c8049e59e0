"""Properties on their way from the projection's JSON text into the engine: only what is asked for, in its form."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from provgraph.stores.cypher.values import FLOATS, INSTANT, hide, mark_of, opaque, show, stored
from provgraph.stores.cypher_properties import INSTANTS, OWN, is_native, is_plain_instant, seen, sources
from provgraph.stores.encoding import loads

_WIDEST: Final = 2**63


class Picker:
    """Picks properties of one kind of element.

    Parameters:
        keys: the keys, as Cypher sees them, that are asked for; None for all.
        vertex: whether the elements are vertices.
    """

    def __init__(self, keys: frozenset[str] | None, *, vertex: bool = True) -> None:
        self.keys = keys
        self.marks: set[tuple[str, str]] = set()
        """(mark, key) of what the engine still has to convert."""
        self._vertex = vertex
        self._special = INSTANTS | OWN if vertex else INSTANTS
        self._recorded = frozenset(source for key in keys or () for source in sources(key))

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return self.keys is None or bool(self.keys)

    def pick(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """The properties in each of ``texts``. Cost: 3 µs each."""
        if not self:
            return [{} for _ in texts]
        # One parse of many objects takes a third of the time of many parses.
        parsed = loads(f"[{','.join(texts)}]")
        if self.keys is None:
            return [self._all(found) for found in parsed]
        if len(self._recorded) == 1:
            (key,) = self._recorded
            return self._column(key, [found.get(key) for found in parsed])
        return [self._some(found, self.keys) for found in parsed]

    def _column(self, key: str, values: list[Any]) -> list[dict[str, Any]]:
        """One key alone, which is how 300,000 edges are asked for ``at``."""
        if key not in INSTANTS:
            return [{} if value is None else self._all({key: value}) for value in values]
        instants = [isinstance(value, str) and is_plain_instant(value) for value in values]
        if any(instants):
            self.marks.add((INSTANT, key))
        return [
            {key: INSTANT + value} if instant else {} if value is None else self._all({key: value})
            for value, instant in zip(values, instants, strict=True)
        ]

    def _some(self, found: dict[str, Any], wanted: frozenset[str]) -> dict[str, Any]:
        held = self._all({key: found[key] for key in self._recorded if key in found})
        return {key: value for key, value in held.items() if show(key) in wanted}

    def _all(self, found: dict[str, Any]) -> dict[str, Any]:
        held: dict[str, Any] = {}
        for key, value in found.items():
            kind = type(value)
            if key not in self._special and (
                kind is bool
                or kind is float
                or (kind is int and -_WIDEST <= value < _WIDEST)
                or (kind is str and value.isascii() and value[-1:] != " ")
            ):
                held[hide(key)] = value  # nearly all of them: nothing to do
            elif kind is str and key in INSTANTS and is_plain_instant(value):
                self.marks.add((INSTANT, key))
                held[key] = INSTANT + value
            elif key not in self._special and is_native(key, value):
                held |= self._one(key, value)
            elif value is not None:
                return self._seen(found)
        return held

    def _seen(self, found: dict[str, Any]) -> dict[str, Any]:
        """What has a value that Cypher sees as something else."""
        held: dict[str, Any] = {}
        for key, value in seen(found, vertex=self._vertex).items():
            held |= self._one(key, value)
        return held

    def _one(self, key: str, value: Any) -> dict[str, Any]:
        kept = INSTANT + value.isoformat() if isinstance(value, datetime) else stored(value)
        name = hide(key)
        mark = mark_of(kept)
        if mark and "`" in key:
            # No statement can name such a key, so nothing could convert its value later.
            return {name: opaque(value)}
        if mark:
            self.marks.add((mark, name))
        return {name: kept}


def conversion(mark: str, key: str) -> str:
    """The end of a statement that makes the engine's own value of a marked one of ``x``."""
    name = f"x.`{key}`"
    if mark == FLOATS:
        return f"{name}[0] = '{FLOATS}' SET {name} = {name}[1..]"
    return f"{name} STARTS WITH '{INSTANT}' SET {name} = datetime(substring({name}, 1))"
