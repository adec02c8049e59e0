"""Documents as JSON text: one element of a long list a line, so that it can be read, compared and streamed."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any


def json_chunks(document: Mapping[str, Any]) -> Iterator[str]:
    """A document as JSON, in pieces. Pure ASCII, so any terminal, file and lone surrogate can take it.

    Numbers that JSON cannot say are the strings "NaN", "Infinity" and "-Infinity", as in ProtoJSON.
    """
    yield "{"
    for place, (key, value) in enumerate(document.items()):
        yield ("," if place else "") + f"\n {one_line(key)}: "
        if isinstance(value, list) and value:
            yield "["
            for number, item in enumerate(value):
                yield ("," if number else "") + "\n  " + one_line(item)
            yield "\n ]"
        else:
            yield one_line(value)
    yield "\n}\n"


def one_line(value: object) -> str:
    """Any value as JSON on one line."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
