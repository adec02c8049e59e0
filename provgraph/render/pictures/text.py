"""Text in a picture: how wide it is, what is left of it where there is little room, what XML can hold."""

from typing import Final

from provgraph.render.text import printable

_WIDTHS: Final = (
    "32 40 46 84 64 95 78 27 39 39 50 84 32 36 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 84 84 53 "
    "100 68 69 70 77 63 58 77 75 30 30 66 56 86 75 79 60 79 69 63 61 73 68 99 68 61 68 39 34 39 84 50 "
    "50 61 63 55 63 62 35 63 63 28 28 58 28 97 63 61 63 63 41 52 39 63 59 82 59 59 52 64 34 64 84"
)
WIDTHS: Final = tuple(int(width) / 100 for width in _WIDTHS.split())
"""Of the printable ASCII characters, in ems, of a wide sans serif: others take less room, so boxes fit with any."""
_WIDE, _OTHER = 1.05, 0.68


def text_width(text: str, size: float) -> float:
    """How wide a text is drawn, in pixels at most, in a font of so many pixels."""
    return size * sum([_char_width(char) for char in text])


def _char_width(char: str) -> float:
    place = ord(char) - 32
    if 0 <= place < len(WIDTHS):
        return WIDTHS[place]
    return _WIDE if ord(char) >= 0x1100 else _OTHER


def shortened(text: str, room: float, size: float) -> str:
    """A text on one line that fits, its middle cut out where it is too long: of a path both ends tell something."""
    text = printable(text[:2000])
    if text_width(text, size) <= room:
        return text
    room = room / size - _char_width("…")
    head: list[str] = []
    tail: list[str] = []
    left, right = 0, len(text) - 1
    while left <= right:
        from_tail = len(tail) < len(head)
        char = text[right if from_tail else left]
        room -= _char_width(char)
        if room < 0:
            break
        if from_tail:
            tail.append(char)
            right -= 1
        else:
            head.append(char)
            left += 1
    return "".join(head) + "…" + "".join(reversed(tail))


def wrapped(text: str, room: float, size: float) -> list[str]:
    """A text in lines that fit, broken between words; a word that fits in none is cut."""
    lines: list[str] = []
    line = ""
    for word in printable(text).split(" "):
        longer = f"{line} {word}" if line else word
        if line and text_width(longer, size) > room:
            lines.append(line)
            longer = word
        line = shortened(longer, room, size)
    return [*lines, line] if line else lines


def xml(text: str) -> str:
    """A text as XML holds it: printable characters alone, escaped; lines stay lines."""
    kept = "\n".join(printable(line) for line in text.split("\n"))
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
