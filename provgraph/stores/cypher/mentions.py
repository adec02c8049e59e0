"""What a query names: property keys (only those are fed), labels, relations. Everything errs on the side of more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.stores.cypher.tokens import Token

_WHOLE: Final = frozenset(["KEYS", "PROPERTIES", "PROPERTY_EXISTS"])
_BEFORE_LITERAL: Final = frozenset(
    "IN RETURN WITH UNWIND WHERE AND OR NOT XOR THEN ELSE WHEN CASE DISTINCT BY CONTAINS".split()
)


@dataclass(slots=True)
class Mentions:
    """The names in a query.

    ``keys``: every key that it can touch, or more; ``every_key``: it can touch keys that it does not spell
    (``keys(n)``, ``n[$key]``, ``n {.*}``). ``spelled``: keys that it reads from an element, for hints.
    """

    keys: set[str] = field(default_factory=set)
    every_key: bool = False
    spelled: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    relations: set[str] = field(default_factory=set)


def mentions(words: Sequence[Token], parameters: Mapping[str, Any]) -> Mentions:
    """Collect the names in ``words``. Linear."""
    found = Mentions()
    map_keys: set[str] = set()
    for value in parameters.values():
        _parameter_keys(value, map_keys)
    brackets: list[int] = []
    for place, token in enumerate(words):
        if token.kind == "sign" and token.text in ("(", "[", "{"):
            brackets.append(place)
            if token.text == "[":
                _subscript(words, place, found)
        elif token.kind == "sign" and token.text in (")", "]", "}"):
            if brackets:
                brackets.pop()
        elif token.named and place:
            _name(words, place, brackets, found, map_keys)
        if token.word in _WHOLE and _text(words, place + 1) == "(":
            found.every_key = True
        if token.kind == "parameter" and _text(words, place + 1) == ")" and words[place - 1].named:
            found.every_key = True  # (n:Label $properties)
        if token.text == "*" and place and words[place - 1].text == ".":
            found.every_key = True
        if token.word == "CALL" and _text(words, place + 1) == "db":
            found.every_key = True
    found.spelled -= map_keys
    found.keys |= map_keys
    return found


def _text(words: Sequence[Token], place: int) -> str:
    return words[place].text if 0 <= place < len(words) else ""


def _name(words: Sequence[Token], place: int, brackets: list[int], found: Mentions, map_keys: set[str]) -> None:
    name, before, after = words[place].value, _text(words, place - 1), _text(words, place + 1)
    top = brackets[-1] if brackets else -1
    if before == "." and words[place - 1].kind == "sign":
        if after != "(":
            found.keys.add(name)
            # The second of n.started_at.year is a component, not a property.
            if _text(words, place - 3) != "." and not _calls_function(words, place):
                found.spelled.add(name)
    elif after == ":" and before in ("{", ",") and _text(words, top) == "{":
        found.keys.add(name)
        if _in_pattern(words, top):
            found.spelled.add(name)
        else:
            map_keys.add(name)
    elif before in (":", "|") and not _is_map_value(words, place, top):
        if _is_relationship(words, top):
            if before == ":" or _text(words, place - 2) != ":":
                found.relations.add(name)
        elif before == ":":
            found.labels.add(name)


def _calls_function(words: Sequence[Token], place: int) -> bool:
    """Whether the name is part of ``duration.between(`` or ``CALL db.labels``."""
    after = place + 1
    while _text(words, after) == "." and after + 1 < len(words) and words[after + 1].named:
        after += 2
    begins = place - 2
    return (_text(words, after) == "(" and after > place + 1) or words[max(begins - 1, 0)].word == "CALL"


def _is_map_value(words: Sequence[Token], place: int, top: int) -> bool:
    """``{key: name}``."""
    return _text(words, top) == "{" and _text(words, place - 1) == ":" and _text(words, place - 3) in ("{", ",")


def _is_relationship(words: Sequence[Token], top: int) -> bool:
    """``-[``; a negated list begins so too, but has no colon behind a name."""
    return _text(words, top) == "[" and _text(words, top - 1) == "-"


def _in_pattern(words: Sequence[Token], top: int) -> bool:
    """Whether the ``{`` at ``top`` belongs to ``(n:Label {…})``, ``({…})`` or ``-[r:used {…}]-``."""
    before = words[top - 1] if top > 0 else None
    if before is None:
        return False
    if before.named:
        return _text(words, top - 2) in ("(", "[", ":", "|")
    if before.text == "(":
        # f({…}) is a call, MATCH ({…}) is a vertex.
        caller = words[top - 2] if top > 1 else None
        return caller is None or not caller.named or caller.word in ("MATCH", "EXISTS", "COUNT", "WHERE", "AND", "OR")
    return False


def _subscript(words: Sequence[Token], place: int, found: Mentions) -> None:
    """``x[…]`` may read a property whose key is computed."""
    if not place:
        return
    before = words[place - 1]
    applies = before.kind in ("name", "quoted", "parameter") or before.text in (")", "]", "}")
    if not applies or before.word in _BEFORE_LITERAL:
        return
    inner, end = (words[place + 1] if place + 1 < len(words) else None), _text(words, place + 2)
    if inner is not None and inner.kind == "string" and end == "]":
        found.keys.add(inner.value)
        found.spelled.add(inner.value)
    elif inner is None or not (inner.kind == "number" or inner.text in ("..", "-") or end == ".."):
        found.every_key = True


def _parameter_keys(value: Any, keys: set[str]) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str):
                keys.add(key)
            _parameter_keys(inner, keys)
    elif isinstance(value, list | tuple):
        for inner in value:
            if isinstance(inner, Mapping | list | tuple):
                _parameter_keys(inner, keys)
