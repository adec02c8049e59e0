r"""JSON as the stores keep it: exact for every number and string that Python has, strict for everybody else.

- Integers of any size and all finite floats are JSON numbers, written so that they come back bit for bit.
- What JSON has no number for is ``{"$float": "nan" | "inf" | "-inf"}``; a key that begins with ``$`` gets one more.
- Everything is ASCII: lone surrogates (bytes of file names that are no UTF-8) are ``\udcXX`` escapes. (A high one
  followed by a low one, which no file name gives, comes back as the character that the two mean.)

A blob of the journal is one byte that tells what follows (``0`` JSON text, ``1`` zlib), then the rest.
"""

import json
import math
import zlib
from typing import Any, Final

RAW: Final = b"\x00"
ZLIB: Final = b"\x01"
_SMALL: Final = 200  # bytes: below this zlib never saves a tenth of anything that matters
_FLOATS: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

_strict = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), check_circular=True).encode


def _escape(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    if isinstance(value, dict):
        return {"$" + key if key[:1] == "$" else key: _escape(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escape(item) for item in value]
    return value


def _unescape(pairs: dict[str, Any]) -> Any:
    if "$float" in pairs and len(pairs) == 1:
        return _FLOATS[pairs["$float"]]
    return {key[1:] if key[:2] == "$$" else key: item for key, item in pairs.items()}


def dumps(value: Any) -> str:
    """``value`` as strict ASCII JSON. Cost: that of ``json.dumps``; twice that where something must be escaped.

    Raises:
        TypeError: a value that JSON does not have.
    """
    try:
        text = _strict(value)
    except ValueError:  # NaN or an infinity (or a cycle, which raises again)
        return _strict(_escape(value))
    # A quote, then a dollar: perhaps a key that begins so. Strings as values land here too, and come out the same.
    return _strict(_escape(value)) if '"$' in text else text


def loads(text: str | bytes) -> Any:
    """What ``dumps`` was given (tuples come back as lists).

    Raises:
        ValueError: no JSON.
    """
    if (b'"$' if isinstance(text, bytes) else '"$') in text:  # type: ignore[operator]
        return json.loads(text, object_hook=_unescape)
    return json.loads(text)


def pack(value: Any) -> bytes:
    """``value`` as a blob: JSON, compressed where that saves a tenth."""
    text = dumps(value).encode("ascii")
    if len(text) >= _SMALL:
        small = zlib.compress(text, 6 if len(text) < 1 << 20 else 1)
        if len(small) * 10 <= len(text) * 9:
            return ZLIB + small
    return RAW + text


def unpack(blob: bytes) -> Any:
    """What ``pack`` was given.

    Raises:
        ValueError: a damaged blob.
    """
    head, rest = blob[:1], blob[1:]
    if head == ZLIB:
        try:
            rest = zlib.decompress(rest)
        except zlib.error as error:
            raise ValueError(f"a compressed blob is damaged: {error}") from error
    elif head != RAW:
        raise ValueError(f"a blob begins with {head!r}")
    return loads(rest)


def column(text: str) -> str:
    """``text`` as SQLite can hold it: lone surrogates, which it cannot, percent-escaped as in ``path`` (rule 20)."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join(
            char if not "\ud800" <= char <= "\udfff" else f"%{(ord(char) - 0xDC00) & 0xFFFF:02X}" for char in text
        )
    return text
