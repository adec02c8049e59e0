"""The text format of protocol buffers (``*.prototxt``), without the messages' definitions: names, values, nesting.

https://protobuf.dev/reference/protobuf/textformat-spec. What is no such text is an error that names line and column.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

MAX_BYTES: Final = 4 << 20
MAX_DEPTH: Final = 100
"""Of messages within messages; that of protoc's own parser."""

_TOKEN: Final = re.compile(
    r"""(?P<space>(?:[ \t\r\n\f\v]|\#[^\n]*)+)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<number>-?[ \t]*(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[fF]?)(?![\w.])
              |-[ \t]*(?:inf|infinity|nan)\b)
    |(?P<text>"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*')
    |(?P<extension>\[[ \t]*[A-Za-z_][\w./-]*[ \t]*\](?=\s*[:{<]))
    |(?P<mark>[{}<>\[\]:,;])""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE: Final = re.compile(r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_PLAIN_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_QUOTED_SELF: Final = frozenset("\\'\"?")
_WORDS: Final = {
    "true": True, "True": True, "t": True, "false": False, "False": False, "f": False,
    "inf": math.inf, "infinity": math.inf, "nan": math.nan,
}  # fmt: skip


class PrototxtError(ValueError):
    """A text that is no protocol buffer text; the message says where."""


class Field(NamedTuple):
    """One field as it stands there. ``value`` is a number, a truth value, a text, the name of an enum's value (an
    :class:`Enum`), or the fields of a message.
    """

    name: str
    value: Any


class Enum(str):
    """A word without quotes: ``MAX``."""

    __slots__ = ()


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(data: bytes) -> list[Field]:
    """The fields of a message, in their order; repeated ones as often as they are there.

    Cost: about 1 s for 1 MB.

    Raises:
        PrototxtError: it is none, or it is larger or deeper than the limits.
    """
    if len(data) > MAX_BYTES:
        raise PrototxtError(f"it has more than {MAX_BYTES:,} bytes, and larger ones are not read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise PrototxtError(f"line {line}, column {column}: it is no UTF-8") from None
    return _Parser(text).message()


def tree(fields: list[Field]) -> dict[str, Any]:
    """The fields as a dict: what occurs once as its value, what is repeated as a list."""
    found: dict[str, list[Any]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(tree(value) if isinstance(value, list) else value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def values(fields: list[Field], name: str) -> list[Any]:
    """All values of one field."""
    return [field.value for field in fields if field.name == name]


def messages(fields: list[Field], *names: str) -> Iterator[list[Field]]:
    """All messages in the fields of these names."""
    return (field.value for field in fields if field.name in names and isinstance(field.value, list))


class _Parser:
    """Recursive descent over one text. ``_next`` is the token that comes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._next = self._token()

    def message(self) -> list[Field]:
        """The whole text."""
        found = self._fields("", 0)
        if self._next.kind != "end":
            raise self._error(f"{self._next.text!r} closes nothing")
        return found

    # -- grammar

    def _fields(self, closing: str, depth: int, opened: int = 0) -> list[Field]:
        found: list[Field] = []
        while self._next.kind in ("name", "extension"):
            name = self._take().text
            found += self._field(name, depth)
            if self._next.text in (",", ";") and self._next.kind == "mark":
                self._take()
        if self._next.text == closing or (not closing and self._next.text in ("}", ">") and self._next.kind == "mark"):
            return found
        if self._next.kind == "end":
            if closing:
                raise self._error(f"the text ends before the {closing!r} of what is opened here", opened)
            return found
        raise self._error(f"{_shown(self._next.text)} stands where the name of a field is expected")

    def _field(self, name: str, depth: int) -> list[Field]:
        colon = self._is(":")
        if colon:
            self._take()
        if self._is("{") or self._is("<"):
            return [Field(name, self._nested(depth))]
        if not colon:
            raise self._error(f"after the name {_shown(name)} comes ':' or '{{', not {_shown(self._next.text)}")
        if not self._is("["):
            return [Field(name, self._scalar(name))]
        self._take()
        found: list[Field] = []
        while not self._is("]"):
            opens = self._is("{") or self._is("<")
            found.append(Field(name, self._nested(depth) if opens else self._scalar(name)))
            if not self._is(","):
                break
            self._take()
        if not self._is("]"):
            raise self._error(f"a list goes on with ',' or ends with ']', not {_shown(self._next.text)}")
        self._take()
        return found

    def _nested(self, depth: int) -> list[Field]:
        if depth + 1 > MAX_DEPTH:
            raise self._error(f"messages are nested more than {MAX_DEPTH} deep")
        opening = self._take()
        found = self._fields("}" if opening.text == "{" else ">", depth + 1, opening.at)
        self._take()
        return found

    def _scalar(self, name: str) -> Any:
        token = self._next
        if token.kind == "text":
            parts = []
            while self._next.kind == "text":
                parts.append(self._unquoted(self._take()))
            return "".join(parts)
        if token.kind == "number":
            return self._number(self._take())
        if token.kind == "name":
            self._take()
            return _WORDS.get(token.text, Enum(token.text))
        raise self._error(f"the value of {_shown(name)} is missing: {_shown(token.text)} is none")

    # -- tokens

    def _is(self, mark: str) -> bool:
        return self._next.text == mark and self._next.kind == "mark"

    def _take(self) -> _Token:
        taken, self._next = self._next, self._token()
        return taken

    def _token(self) -> _Token:
        while True:
            if self._at >= len(self._text):
                return _Token("end", "the end", self._at)
            match = _TOKEN.match(self._text, self._at)
            if match is None:
                char = self._text[self._at]
                if char in "'\"":
                    raise self._error("the text that begins here is not closed on its line", self._at)
                raise self._error(f"{_shown(self._text[self._at :])} cannot stand here", self._at)
            start, self._at = self._at, match.end()
            if match.lastgroup != "space":
                return _Token(str(match.lastgroup), match[0], start)

    def _number(self, token: _Token) -> int | float:
        text = re.sub(r"[ \t]", "", token.text)
        try:
            if re.fullmatch(r"-?0\d+", text):
                return int(text, 8)
            if re.fullmatch(r"-?(?:0[xX][0-9a-fA-F]+|\d+)", text):
                return int(text, 16 if "x" in text.lower() else 10)
            return float(text if "inf" in text else text.rstrip("fF"))
        except ValueError:
            raise self._error(f"{_shown(text)} is no number", token.at) from None

    def _unquoted(self, token: _Token) -> str:
        def meant(match: re.Match[str]) -> str:
            octal, hexadecimal, short, long, char = match.groups()
            if octal or hexadecimal:
                return chr(int(octal, 8) & 0xFF if octal else int(hexadecimal, 16))
            if short or long:
                code = int(short or long, 16)
                if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                    raise self._error(f"{match[0]} is no character", token.at + 1 + match.start())
                return chr(code)
            if char in _QUOTED_SELF:
                return str(char)
            if char not in _PLAIN_ESCAPES:
                raise self._error(f"{_shown(match[0])} is no escape", token.at + 1 + match.start())
            return _PLAIN_ESCAPES[char]

        return _ESCAPE.sub(meant, token.text[1:-1]) if "\\" in token.text else token.text[1:-1]

    def _error(self, what: str, at: int | None = None) -> PrototxtError:
        place = self._next.at if at is None else at
        line = self._text.count("\n", 0, place) + 1
        column = place - (self._text.rfind("\n", 0, place) + 1) + 1
        return PrototxtError(f"line {line}, column {column}: {what}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 20 else text[:20] + "…")
