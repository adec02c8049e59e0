"""Values on their way into the engine and back, bit for bit or refused.

Grafeo 0.6.0 (measured) keeps a Python list of floats as a float32 vector, drops the zone of a Python date-time, refuses
lone surrogates and integers of more than 38 digits, and returns integers beyond 64 bits as Decimal. So:

- lone surrogates travel as characters of a private plane, wherever a string goes in or comes out;
- a list of floats goes in behind a mark, which ``[1..]`` then takes off inside the engine, where lists are exact; a
  date-time goes in as marked text, which ``datetime()`` then reads there;
- date-times with a zone, and whatever else the engine would change in a parameter, are written into the query as
  literals;
- what has no native form at all travels as JSON text behind a mark.
"""

import json
import math
import operator
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from provgraph.errors import CypherError

_LARGEST: Final = 10**38
_INT64: Final = range(-(2**63), 2**63)
_MARK: Final = "\U0010e000"
_OPAQUE: Final = "\U0010e001"
FLOATS: Final = "\U0010e002"
"""First item of a list of floats until the engine has taken it off."""
INSTANT: Final = "\U0010e003"
"""First character of a date-time until the engine has read it."""
_NUL: Final = "\U0010e004"
_EMPTY: Final = "\U0010e005"
"""In names, for what names cannot hold on the server."""
_SHIFT: Final = 0x100000
_TO_HIDE: Final = re.compile("[\ud800-\udfff\U0010d800-\U0010dfff\U0010e000-\U0010e00f]")
_HIDDEN: Final = re.compile("\U0010e000(.)|[\U0010d800-\U0010dfff\U0010e004\U0010e005]", re.DOTALL)
_NAMES: Final = {_NUL: "\0", _EMPTY: ""}


def hide(text: str) -> str:
    """``text`` without lone surrogates, one to one: equal texts stay equal, and parts stay parts."""
    return text if text.isascii() else _TO_HIDE.sub(_hide_one, text)


def _hide_one(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(_SHIFT + code) if code < 0xE000 else _MARK + match[0]


def hide_name(name: str) -> str:
    """A key, label or relation as a server can hold it: ``hide``, and neither empty nor with NUL in it."""
    return hide(name).replace("\0", _NUL) or _EMPTY


def show(text: str) -> str:
    """What ``hide`` or ``hide_name`` was given."""
    return text if text.isascii() else _HIDDEN.sub(_show_one, text)


def _show_one(match: re.Match[str]) -> str:
    if match[1]:
        return match[1]
    return _NAMES[match[0]] if match[0] in _NAMES else chr(ord(match[0]) - _SHIFT)


def stored(value: Any) -> Any:
    """A property's value as the engine is to take it."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < _LARGEST):
        return value
    if isinstance(value, list) and all(_scalar(item) for item in value):
        items = [hide(item) if isinstance(item, str) else item for item in value]
        return [FLOATS, *items] if items and all(isinstance(item, float) for item in items) else items
    return opaque(value)


def mark_of(value: Any) -> str:
    """FLOATS or INSTANT where the engine must still convert what ``stored`` gave, else the empty string."""
    if isinstance(value, list) and value and value[0] == FLOATS:
        return FLOATS
    return INSTANT if isinstance(value, str) and value.startswith(INSTANT) else ""


def opaque(value: Any) -> str:
    """A value that only comes back, and compares with nothing."""
    return _OPAQUE + json.dumps(value)


def _scalar(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < _LARGEST
    return value is None or isinstance(value, bool | float | str)


class Returned:
    """Turns what the engine returns into plain values. Subclassed by what knows the elements."""

    def value(self, value: Any) -> Any:
        """One cell of a result."""
        if isinstance(value, str):
            return json.loads(value[1:]) if value.startswith(_OPAQUE) else show(value)
        if value is None or isinstance(value, bool | int | float | datetime | date):
            return value
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if isinstance(value, Mapping):
            return self.mapping(value)
        if isinstance(value, Decimal):
            return int(value) if value == value.to_integral_value() else float(value)
        if isinstance(value, time):
            return value.isoformat()
        raise CypherError(f"the query returns a {type(value).__name__}, which rows cannot hold; return a part of it")

    def mapping(self, value: Mapping[str, Any]) -> Any:
        """A map, or a duration, which the engine returns as one."""
        if value.keys() == {"months", "days", "nanos"}:
            return iso_duration(value["months"], value["days"], value["nanos"])
        return {show(key): self.value(item) for key, item in value.items()}


def iso_duration(months: int, days: int, nanos: int) -> str:
    """A duration in ISO 8601: ``P1M2DT3.5S``."""
    text = (f"{months}M" if months else "") + (f"{days}D" if days else "")
    if nanos:
        whole, part = divmod(abs(nanos), 10**9)
        seconds = f"{whole}.{part:09d}".rstrip("0") if part else str(whole)
        text += f"T{'-' if nanos < 0 else ''}{seconds}S"
    return f"P{text or 'T0S'}"


def parameter(name: str, value: Any) -> tuple[bool, Any]:
    """How a parameter reaches the engine: (False, native value), or (True, literal to write in its place).

    Raises:
        CypherError: a value that Cypher does not have, or that would come back changed.
    """
    value = checked(name, value)
    if _needs_literal(value):
        return True, _literal(name, value)
    return False, _native(value)


def checked(name: str, value: Any) -> Any:
    """A parameter's value in types that Cypher has: lists for tuples, int for whatever is an integer.

    Raises:
        CypherError: one that it has not.
    """
    if value is None or isinstance(value, bool | str | float):
        return float(value) if isinstance(value, float) else value
    if isinstance(value, datetime | date | time | timedelta):
        return value
    if isinstance(value, list | tuple):
        return [checked(name, item) for item in value]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise CypherError(f"parameter {name}: the key {key!r} of a map is no text; give text")
        return {key: checked(name, item) for key, item in value.items()}
    try:
        number = operator.index(value)
    except TypeError:
        raise CypherError(
            f"parameter {name}: Cypher has no {type(value).__name__}; give text, a number, a boolean, a date-time, "
            "a list or a map"
        ) from None
    if abs(number) >= _LARGEST:
        raise CypherError(f"parameter {name}: an integer of more than 38 digits; give it as text")
    return number


def _needs_literal(value: Any) -> bool:
    if isinstance(value, datetime | timedelta):
        return True
    if isinstance(value, list):
        floats = bool(value) and all(isinstance(item, float) for item in value)
        return floats or any(_needs_literal(item) for item in value)
    if isinstance(value, dict):
        return any(_needs_literal(item) for item in value.values())
    return False


def _native(value: Any) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, list):
        return [_native(item) for item in value]
    if isinstance(value, dict):
        return {hide(key): _native(item) for key, item in value.items()}
    return value


def _literal(name: str, value: Any) -> str:
    """``value`` as Cypher spells it."""
    if isinstance(value, list):
        return "[" + ", ".join(_literal(name, item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name_of(key)}: {_literal(name, item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return quote(hide(value))
    if isinstance(value, datetime | date | time | timedelta):
        return _temporal(value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, float):
        return _float(value)
    if value not in _INT64:
        raise CypherError(
            f"parameter {name}: an integer beyond 64 bits beside date-times or lists of floats; give it as a "
            "parameter of its own, or as text"
        )
    return f"({value})"


def _temporal(value: datetime | date | time | timedelta) -> str:
    if isinstance(value, datetime):
        # A time without zone that a user gives is local.
        return f"datetime('{(value if value.tzinfo else value.astimezone()).isoformat()}')"
    if isinstance(value, date):
        return f"date('{value.isoformat()}')"
    if isinstance(value, time):
        return f"{'time' if value.tzinfo else 'localtime'}('{value.isoformat()}')"
    micros = (value.days * 86_400 + value.seconds) * 10**6 + value.microseconds
    return f"duration('{iso_duration(0, 0, micros * 1000)}')"


def _float(value: float) -> str:
    if math.isnan(value):
        return "(0.0/0.0)"
    if math.isinf(value):
        return "(1.0/0.0)" if value > 0 else "(-1.0/0.0)"
    return f"({value!r})"


def quote(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def name_of(key: str) -> str:
    """A key, back-quoted.

    Raises:
        CypherError: one that holds a back-quote, which the engine cannot read.
    """
    if "`" in key:
        raise CypherError(f"the key {key!r} holds a back-quote, which the embedded engine cannot read")
    return f"`{hide(key)}`"
