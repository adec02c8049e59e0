"""JSON for the wrapping path: the C halves of :mod:`json` without the module, whose import costs 2 ms a command."""

from __future__ import annotations

from _json import encode_basestring_ascii, make_encoder, make_scanner


def _unknown(value: object) -> str:
    """What no record should hold is kept as text: capture never fails on a value."""
    return repr(value)


class _Rules:
    """What json.JSONDecoder tells its scanner."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str] = {}  # noqa: RUF012 - the scanner asks for it


# The arguments of json.JSONEncoder's own call: markers, default, string encoder, indent, separators, sort, skip, NaN.
_encode = make_encoder(None, _unknown, encode_basestring_ascii, None, ":", ",", False, False, False)
_scan = make_scanner(_Rules)  # type: ignore[arg-type]


def dumps(value: object) -> bytes:
    r"""Compact ASCII JSON of dicts, lists, tuples, strings, numbers, booleans and None; no line feed in it.

    Bytes that were decoded with surrogateescape become lone ``\udcXX`` escapes, so nothing of a file name is lost.
    Numbers that JSON lacks (NaN, infinities) become null. Cost: 1 µs for an operation on a file.
    """
    try:
        return "".join(_encode(value, 0)).encode("ascii")
    except ValueError:
        return "".join(_encode(_finite(value), 0)).encode("ascii")


def loads(text: str) -> object:
    """The value that a JSON text holds.

    Raises:
        ValueError: it is none, or something follows it.
    """
    try:
        value, end = _scan(text, len(text) - len(text.lstrip()))
    except StopIteration as error:
        raise ValueError("no JSON") from error
    if text[end:].strip():
        raise ValueError("more than one value")
    return value  # type: ignore[no-any-return,unused-ignore]


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
