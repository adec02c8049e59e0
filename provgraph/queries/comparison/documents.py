"""JSON and TOML documents value by value: ``model.layers[2].size  64 → 128``."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from provgraph.graph.comparison import Change, Content
from provgraph.queries.comparison.lines import steps
from provgraph.queries.comparison.values import same_value

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][\w$-]*")
_DEEPEST: Final = 200
"""Containers within one another; Python cannot compare, nor print, many times more."""


def parsed(text: str, language: str) -> tuple[bool, Any]:
    """(whether it is such a document, its value); ``language`` is json or toml. One nested too deep is read as none."""
    try:
        found = json.loads(text) if language == "json" else json.loads(json.dumps(tomllib.loads(text), default=str))
    except (ValueError, RecursionError):
        return False, None
    return (False, None) if _too_deep(found) else (True, found)


def _too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(_DEEPEST):
        below = chain.from_iterable(one.values() if isinstance(one, dict) else one for one in level)
        level = [one for one in below if isinstance(one, dict | list)]
        if not level:
            return False
    return True


def document_difference(first: Any, second: Any, most: int) -> Content:
    """What differs between two values, by the way to it; ``most`` of the changes."""
    changes: list[Change] = []
    count = 0
    for change in _changes(first, second, ""):
        count += 1
        if count <= most:
            changes.append(change)
    reason = "" if count else "the values are the same, only written differently"
    return Content(
        "differs", "document", reason,
        changes=tuple(changes), changes_count=count, left_out=count - len(changes),
    )  # fmt: skip


def _changes(first: Any, second: Any, path: str) -> Iterator[Change]:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        yield from _in_mappings(first, second, path)
    elif isinstance(first, list) and isinstance(second, list):
        yield from _in_lists(first, second, path)
    elif not same_value(first, second):
        yield Change(path, "differs", first, second)


def _in_mappings(first: Mapping[str, Any], second: Mapping[str, Any], path: str) -> Iterator[Change]:
    for key in dict.fromkeys((*first, *second)):
        below = _below(path, key)
        if key not in second:
            yield Change(below, "first", first=first[key])
        elif key not in first:
            yield Change(below, "second", second=second[key])
        else:
            yield from _changes(first[key], second[key], below)


def _in_lists(first: Sequence[Any], second: Sequence[Any], path: str) -> Iterator[Change]:
    """Items by their place; where lists differ in length, those first that are on both sides in the same order."""
    if len(first) == len(second):
        for place, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from _changes(one, other, f"{path}[{place}]")
        return
    one_way = [json.dumps(item, sort_keys=True) for item in first]
    other_way = [json.dumps(item, sort_keys=True) for item in second]
    for equal, a, b in steps(one_way, other_way):
        if equal:
            continue
        shared = min(a[1] - a[0], b[1] - b[0])
        for place in range(shared):
            yield from _changes(first[a[0] + place], second[b[0] + place], f"{path}[{a[0] + place}]")
        for place in range(a[0] + shared, a[1]):
            yield Change(f"{path}[{place}]", "first", first=first[place])
        for place in range(b[0] + shared, b[1]):
            yield Change(f"{path}[{place}]", "second", second=second[place])


def _below(path: str, key: str) -> str:
    word = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
    return f"{path}.{word}" if path else word
