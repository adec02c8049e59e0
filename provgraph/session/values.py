"""Values that users type: numbers stay numbers, and the base's own properties are not for the taking."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from provgraph.errors import QuestionError
from provgraph.model.vocabulary import OWN_KEYS, PROPERTIES

_INTEGERS: Final = range(-(2**63), 2**63)
"""What a graph database takes as an integer."""
_ENCLOSED: Final = ('""', "[]", "{}")
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


def typed(text: str) -> Any:
    """A value as a user typed it: JSON where it is a number, true, false, or in ``"…"``, ``[…]``, ``{…}``; else text.

    There is no null, and no number that JSON cannot say: both are text.
    """
    if text not in ("true", "false") and text[:1] + text[-1:] not in _ENCLOSED and not _NUMBER.fullmatch(text):
        return text
    try:
        found = json.loads(text)
        json.dumps(found, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return found


def pairs(texts: Iterable[str], what: str = "KEY=VALUE") -> dict[str, Any]:
    """``KEY=VALUE`` words as a dict; split at the first ``=``.

    Raises:
        QuestionError: a word without ``=``, or without a key.
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise QuestionError(f"{text!r} is no {what}; write it like lr=0.1")
        found[key.strip()] = typed(value)
    return found


def tags(texts: Iterable[str]) -> dict[str, Any]:
    """The tags that a user gives to a command: ``KEY=VALUE`` words as properties.

    Raises:
        QuestionError: no such word, or a key of the base.
    """
    return own_properties(pairs(texts))


def own_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties that a user may set, as the graph keeps them: nested values as JSON text under ``<key>_json``.

    An integer of more than 64 bits is text: no database answers with it as a number.

    Raises:
        QuestionError: a key of the base, or a value that is no JSON.
    """
    found: dict[str, Any] = {}
    for key, given in properties.items():
        value = _in_64_bits(key, given)
        if not key:
            raise QuestionError("a key is empty; write KEY=VALUE")
        if key in OWN_KEYS:
            meaning = f" ({PROPERTIES[key].meaning})" if key in PROPERTIES else ""
            raise QuestionError(f"{key!r} is a property of the base{meaning}; choose another key, like my_{key}")
        if isinstance(value, Mapping) or (isinstance(value, list | tuple) and not _is_flat(value)):
            found[f"{key}_json"] = _json(key, value)
        elif value is None or isinstance(value, str | bool | int | float):
            found[key] = value
        elif isinstance(value, list | tuple):
            found[key] = list(value)
        else:
            raise QuestionError(
                f"{key} = {value!r} is a {type(value).__name__}; JSON has no such thing: make it a text"
            )
    return found


def metrics(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same values, if all are numbers, as metrics must be; an integer of more than 64 bits as a float.

    Raises:
        QuestionError: a value that is none; NaN and infinities are none.
    """
    found: dict[str, int | float] = {}
    for key, value in properties.items():
        number = None if isinstance(value, bool) or not isinstance(value, int | float) else _number(value)
        if number is None:
            raise QuestionError(
                f"the metric {key} is {value!r}, and a metric is a finite number, like f1=0.93; "
                f"what is none is a parameter or a tag: --param {key}=…, --tag {key}=…"
            )
        found[key] = number
    return found


def _number(value: float) -> int | float | None:
    """A finite number that a database knows as one; None where there is none."""
    try:
        number = value if isinstance(value, int) and value in _INTEGERS else float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _in_64_bits(key: str, value: Any) -> Any:
    """A value, or the items of a list, with large integers as text."""
    if isinstance(value, list | tuple):
        large = any(_is_large(item) for item in value)
        return [_in_64_bits(key, item) for item in value] if large else value
    if not _is_large(value):
        return value
    try:
        return str(value)
    except ValueError:
        raise QuestionError(f"{key} is a number of {value.bit_length():,} bits; make it a text") from None


def _is_large(value: Any) -> bool:
    return isinstance(value, int) and value not in _INTEGERS


def _is_flat(values: Iterable[Any]) -> bool:
    """Whether a list can be a property: all of one scalar type."""
    kinds = {float if isinstance(v, int | float) and not isinstance(v, bool) else type(v) for v in values}
    return len(kinds) <= 1 and kinds <= {str, float, bool}


def _json(key: str, value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise QuestionError(f"{key} cannot be said in JSON: {error}") from None
