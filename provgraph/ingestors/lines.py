"""Lines of a growing text, bounded: as they are printed, carriage returns included."""

import codecs
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

LINE_CHARACTERS: Final = 16_384
"""Longer lines are no log lines; they are counted and left out."""
_END: Final = re.compile(r"\r*\n|\r+|\x08{2,}")


class Line(NamedTuple):
    """A line without its end. ``overwritten``: what a carriage return (or backspaces) wrote over on a terminal."""

    text: str
    overwritten: bool


class Lines:
    """Splits bytes that come in pieces into lines. UTF-8; what is none is replaced, never refused.

    Attributes:
        too_long: how many lines were left out.
    """

    def __init__(self, limit: int = LINE_CHARACTERS) -> None:
        self.too_long = 0
        self._limit = limit
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that these bytes complete; empty bytes are the end, which completes the last line."""
        text = self._rest + self._decoder.decode(data, not data)
        at = 0
        for end in _END.finditer(text):
            last = end.end() == len(text)
            if last and data and "\n" not in end[0]:
                break  # the line feed, or more of the same, may follow
            yield from self._line(text[at : end.start()], overwritten="\n" not in end[0] and not last)
            at = end.end()
        self._rest = text[at:]
        if not data and self._rest:
            yield from self._line(self._rest, overwritten=False)
            self._rest = ""
        elif len(self._rest) > self._limit and not _END.search(self._rest):
            self.too_long += not self._skipping
            self._skipping, self._rest = True, ""

    def _line(self, text: str, overwritten: bool) -> Iterator[Line]:
        if self._skipping:
            self._skipping = False
        elif len(text) > self._limit:
            self.too_long += 1
        else:
            yield Line(text, overwritten)
