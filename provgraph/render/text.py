"""Text for a terminal: what may be printed, how wide it is, and colour that never stands alone."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Colour = Literal["plain", "strong", "faint", "good", "bad", "entity", "activity", "agent"]

_CODES: Final[dict[str, str]] = {
    "strong": "1",
    "faint": "2",
    "good": "32",
    "bad": "31",
    "entity": "36",
    "activity": "33",
    "agent": "35",
}
_ESCAPES: Final[dict[str, str]] = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\x1b": "\\e"}


def printable(text: str) -> str:
    """``text`` with everything that could move a cursor or break a line written as an escape.

    File names and command lines are anybody's: a name may hold newlines, escape sequences or bytes that are no UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as Python carries it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """Columns that ``text`` takes on a terminal: wide East Asian characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clip(text: str, columns: int) -> str:
    """``text`` in at most so many columns, the last one ``…`` where something is cut off."""
    if width(text) <= columns:
        return text
    kept, taken = [], 0
    for char in text:
        taken += _char_width(char)
        if taken > columns - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def clip_middle(text: str, columns: int) -> str:
    """The same with the middle cut out: of a path both ends tell something."""
    if width(text) <= columns or columns < 5:
        return clip(text, columns)
    tail: list[str] = []
    taken = 0
    for char in reversed(text):
        taken += _char_width(char)
        if taken > (columns - 1) // 2:
            break
        tail.append(char)
    rest = "".join(reversed(tail))
    return clip(text, columns - width(rest)) + rest


def pad(text: str, columns: int, right: bool = False) -> str:
    """``text`` filled with blanks to so many columns."""
    blanks = " " * max(0, columns - width(text))
    return blanks + text if right else text + blanks


@dataclass(frozen=True, slots=True)
class Page:
    """What is printed on: how wide it is, and whether it shows colour."""

    columns: int = 80
    colour: bool = False

    def paint(self, text: str, colour: Colour) -> str:
        """``text`` in a colour where there are colours. It must say the same without."""
        code = _CODES.get(colour)
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text else text


def page(stream_is_terminal: bool, environ: Mapping[str, str], columns: int | None = None) -> Page:
    """The page of a stream: colour only on a terminal, and never where NO_COLOR is set or TERM is dumb."""
    colour = stream_is_terminal and not environ.get("NO_COLOR") and environ.get("TERM", "") != "dumb"
    return Page(columns or 80, colour)
