"""The words of a Cypher text, so that rules about it never look into strings, comments or back-quoted names."""

import re
from dataclasses import dataclass

from provgraph.errors import CypherError

_WORDS = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")
    | (?P<quoted>`(?:``|[^`])*`)
    | (?P<parameter>\$(?:`(?:``|[^`])*`|\w+))
    | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?\w*)
    | (?P<name>[^\W\d]\w*)
    | (?P<sign>\.\.|<=|>=|<>|=~|\+=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """One word: ``kind`` is string, quoted, parameter, number, name or sign; ``text`` as it was written."""

    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        """A bare name in upper case, to compare with a keyword; anything else is the empty string."""
        return self.text.upper() if self.kind == "name" else ""

    @property
    def value(self) -> str:
        """What a name, back-quoted name, parameter or string stands for."""
        if self.kind == "string":
            return _ESCAPE.sub(_unescape, self.text[1:-1])
        text = self.text[1:] if self.kind == "parameter" else self.text
        return text[1:-1].replace("``", "`") if text.startswith("`") else text

    @property
    def named(self) -> bool:
        """Whether it can be the name of something."""
        return self.kind in ("name", "quoted")


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)


def tokens(query: str) -> list[Token]:
    """The words of ``query`` without white space and comments. Linear in its length.

    Raises:
        CypherError: a string, name or comment that does not end, or a backslash outside of them.
    """
    found: list[Token] = []
    for match in _WORDS.finditer(query):
        kind, text = str(match.lastgroup), match[0]
        if kind == "space":
            continue
        if kind == "sign" and (text in "'\"`\\" or query.startswith("/*", match.start())):
            raise CypherError(_broken(text, query, match.start()))
        found.append(Token(kind, text, match.start()))
    return found


def _broken(text: str, query: str, start: int) -> str:
    where = f"line {query.count(chr(10), 0, start) + 1}, column {start - query.rfind(chr(10), 0, start)}"
    if text == "\\":
        return f"a backslash at {where} stands outside of a string; write the name itself, in back-quotes if need be"
    if text == "/":
        return f"the comment that begins at {where} does not end; close it with */"
    return f"what begins with {text} at {where} does not end; close it with another {text}"
