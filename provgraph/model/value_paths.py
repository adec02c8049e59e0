"""Paths to values in JSON, YAML and TOML documents: ``optimizer.lr``, ``layers[0].size``, ``history[*].loss``.

A path is a small part of JSONPath. Its steps: ``.name``; ``["any name"]``; ``[2]`` and ``[-1]``, an item of a list;
``[*]`` or ``.*``, all items of a list or all values of an object. ``$`` at the start and the first dot may be left out.
There are no filters, slices, or ``..``.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from provgraph.errors import InputError

type Step = str | int | None
"""A name, the number of an item, or None for all."""

_STEP: Final = re.compile(
    r"""\.?(?P<all>\*)|\.?(?P<name>[^.\[\]*'"\s]+)|\[(?P<number>-?\d{1,9})\]|\[(?P<each>\*)\]|\[(?P<quoted>"[^"]*"|'[^']*')\]"""
)
_SHOWN: Final = "write it like optimizer.lr, layers[0].size or history[*].loss"


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path.

    Raises:
        InputError: it is none.
    """
    steps: list[Step] = []
    at = 1 if text.startswith("$") else 0
    while at < len(text):
        found = _STEP.match(text, at)
        named = found is not None and (found["name"] or found["all"])
        if found is None or (named and at > 1 and text[at] != "."):
            raise InputError(f"{text!r} is no path, from its character {at + 1} on; {_SHOWN}")
        if found["number"] is not None:
            steps.append(int(found["number"]))
        elif found["quoted"] is not None:
            steps.append(found["quoted"][1:-1])
        else:
            steps.append(found["name"])
        at = found.end()
    if not steps:
        raise InputError(f"{text!r} is no path: it names nothing; {_SHOWN}")
    return tuple(steps)


def last_name(steps: Sequence[Step]) -> str | None:
    """The name that a value found by a path has in its document; None where it has none, or several do."""
    return steps[-1] if steps and isinstance(steps[-1], str) else None


def has_several(steps: Sequence[Step]) -> bool:
    """Whether a path can lead to several values."""
    return None in steps


class Found(NamedTuple):
    """A value that a path leads to: the last name on the way to it, and whether others can have that name too."""

    name: str
    value: Any
    one_of_several: bool


def values_at(document: Any, steps: Sequence[Step]) -> Iterator[Found]:
    """Each value that a path leads to, in the order of the document. What is not there is left out.

    The values of an object that ``.*`` at the end leads to have each their own name. Cost: the values on the way.
    """
    yield from _walk(Found("", document, one_of_several=False), tuple(steps))


def _walk(found: Found, steps: tuple[Step, ...]) -> Iterator[Found]:
    if not steps:
        yield found
        return
    step, rest, (name, value, several) = steps[0], steps[1:], found
    if step is None and isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(Found(str(key), item, several or bool(rest)), rest)
    elif step is None and isinstance(value, list):
        for item in value:
            yield from _walk(Found(name, item, one_of_several=True), rest)
    elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
        yield from _walk(Found(name, value[step], several), rest)
    elif isinstance(step, str) and isinstance(value, dict):
        for key in (step, *_as_number(step)):
            if key in value:
                yield from _walk(Found(step, value[key], several), rest)
                break


def _as_number(name: str) -> list[int]:
    """YAML has keys that are numbers."""
    return [int(name)] if re.fullmatch(r"-?\d{1,18}", name, re.ASCII) else []
