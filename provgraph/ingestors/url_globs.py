"""The patterns in URLs that curl expands itself: ``{one,two}``, ``[1-10]``, ``[001-100:2]``, ``[a-z]``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final, NamedTuple

_NUMBERS: Final = re.compile(r"\[(\d{1,18})-(\d{1,18})(?::(\d{1,18}))?\]", re.ASCII)
_LETTERS: Final = re.compile(r"\[([A-Za-z])-([A-Za-z])(?::(\d{1,18}))?\]", re.ASCII)
_ADDRESS: Final = re.compile(r"\[\]|\[[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*(?:%[\w.~-]+)?\]", re.ASCII)
"""An IPv6 address, or nothing: no pattern."""
_IN_NAMES: Final = re.compile(r"#(\d+)", re.ASCII)


class GlobError(ValueError):
    """Curl refuses such a URL."""


class Expanded(NamedTuple):
    """One URL, and the value of each pattern in it."""

    url: str
    values: tuple[str, ...]


class UrlGlob:
    """A URL with patterns.

    Parameters:
        text: as curl was given it.

    Raises:
        GlobError: curl would refuse it.
    """

    def __init__(self, text: str) -> None:
        self._fixed: list[str] = [""]
        self._choices: list[Sequence[str]] = []
        """Between two of the fixed texts stands one of these."""
        at = 0
        while at < len(text):
            at = self._take(text, at)

    def __len__(self) -> int:
        return min(math.prod(len(choice) for choice in self._choices), 1 << 62)

    def __iter__(self) -> Iterator[Expanded]:
        """All URLs, in the order in which curl asks for them."""
        for number in count():
            values, left = list[str](), number
            for choice in reversed(self._choices):
                left, place = divmod(left, len(choice))
                values.append(choice[place])
            if left:
                return
            rest = (f"{value}{fixed}" for value, fixed in zip(reversed(values), self._fixed[1:], strict=True))
            yield Expanded(self._fixed[0] + "".join(rest), tuple(reversed(values)))

    def _take(self, text: str, at: int) -> int:
        """Take what stands at a place; returns where it ends."""
        character = text[at]
        if character == "\\" and text[at + 1 : at + 2] in ("{", "}", "[", "]"):
            self._fixed[-1] += text[at + 1]
            return at + 2
        if character == "{":
            return self._set(text, at + 1)
        if character == "[":
            address = _ADDRESS.match(text, at)
            if address is None:
                return self._range(text, at)
            self._fixed[-1] += address[0]
            return address.end()
        if character in "]}":
            raise GlobError(f"a {character} that closes nothing")
        self._fixed[-1] += character
        return at + 1

    def _set(self, text: str, at: int) -> int:
        words, begin = [""], at
        while at < len(text) and text[at] != "}":
            if text[at] in "{[]":
                raise GlobError(f"a {text[at]} within braces")
            if text[at] == "\\" and at + 1 < len(text):
                at += 1
                words[-1] += text[at]
            elif text[at] == ",":
                words.append("")
            else:
                words[-1] += text[at]
            at += 1
        if at >= len(text) or at == begin:
            raise GlobError("empty braces" if at < len(text) else "a { that is not closed")
        self._add(words)
        return at + 1

    def _range(self, text: str, at: int) -> int:
        numbers, letters = _NUMBERS.match(text, at), _LETTERS.match(text, at)
        found = numbers or letters
        if found is None:
            raise GlobError("brackets that are no range")
        first, last = (int(one) if numbers else ord(one) for one in found.group(1, 2))
        step = int(found[3] or 1)
        if step < 1 or first > last or (step > last - first and (step, first) != (1, last)):
            raise GlobError("a range that is none")
        if letters and last - first > ord("z") - ord("a"):
            raise GlobError("a range that is none")
        width = len(found[1]) if found[1].startswith("0") else 0
        self._add(_Range(range(first, last + 1, step), width if numbers else None))
        return found.end()

    def _add(self, choice: Sequence[str]) -> None:
        self._choices.append(choice)
        self._fixed.append("")


class _Range(Sequence[str]):
    """Numbers with leading zeros, or letters (``width`` is None), made when they are asked for."""

    def __init__(self, values: range, width: int | None) -> None:
        self._values, self._width = values, width

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        value = self._values[place]
        return chr(value) if self._width is None else str(value).zfill(self._width)


def filled(name: str, values: Sequence[str]) -> str:
    """The name of an output, ``#1`` in it replaced by the value of the first pattern; other numbers stay."""

    def value(match: re.Match[str]) -> str:
        place = int(match[1]) if len(match[1]) < 9 else 0
        return values[place - 1] if 0 < place <= len(values) else match[0]

    return _IN_NAMES.sub(value, name)
