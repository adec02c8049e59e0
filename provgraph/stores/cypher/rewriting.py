"""The query as the engine is to read it: values that it would change as literals, keywords in back-quotes.

And ``sum(x)``, which is null in the engine where there is nothing to sum, as ``coalesce(sum(x), 0)``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from provgraph.errors import CypherError
from provgraph.stores.cypher.tokens import Token
from provgraph.stores.cypher.values import parameter

_KEYWORDS: Final = frozenset(
    "ALL ALTER AND ANY AS ASC ASCENDING BY CALL CASE CONSTRAINT CONTAINS COPY COUNT CREATE CSV DELETE DESC DESCENDING "
    "DETACH DISTINCT DROP ELSE END ENDS EXISTS EXPLAIN EXPORT FALSE FOREACH FROM HEADERS IMPORT IN INDEX INSERT IS "
    "LIMIT LOAD MATCH MERGE NODETACH NONE NOT NULL ON OPTIONAL OR ORDER PROFILE REMOVE RENAME RETURN REVOKE SET SHOW "
    "SINGLE SKIP STARTS THEN TRUE UNION UNIQUE UNWIND USE USING WHEN WHERE WITH XOR YIELD".split()
)
"""Words that the engine, unlike Neo4j, does not take for a name where only a name can stand."""


_SUM: Final = "coalesce(sum("
_SUMMED: Final = "), 0)"


def rewrite(query: str, words: Sequence[Token], given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The text for the engine, and the parameters that it can take as they are.

    Raises:
        CypherError: a parameter has no value, or one that Cypher does not have.
    """
    native: dict[str, Any] = {}
    literal: dict[str, str] = {}
    for name in sorted({token.value for token in words if token.kind == "parameter"}):
        if name not in given:
            raise CypherError(f"the query has no value for ${name}; give it with `--param {name}=VALUE`")
        as_literal, value = parameter(name, given[name])
        if as_literal:
            literal[name] = value
        else:
            native[name] = value
    pieces: list[str] = []
    done = 0
    brackets: list[tuple[str, bool]] = []
    for place, token in enumerate(words):
        closed = False
        if token.kind == "sign" and token.text in "([{":
            brackets.append((token.text, _sums(words, place - 1)))
        elif token.kind == "sign" and token.text in ")]}" and brackets:
            closed = brackets.pop()[1]
        if closed or _sums(words, place):
            text: str | None = _SUMMED if closed else f"coalesce({token.text}"
        else:
            text = _spelled(words, place, bool(brackets) and brackets[-1][0] == "{", literal)
        if text is not None:
            pieces += [query[done : token.start], text]
            done = token.start + len(token.text)
    return "".join([*pieces, query[done:]]), native


def _sums(words: Sequence[Token], place: int) -> bool:
    """Whether a word is the name of the function ``sum``."""
    if place < 0 or words[place].word != "SUM" or place + 1 == len(words) or words[place + 1].text != "(":
        return False
    return place == 0 or words[place - 1].text != "."


def column(name: str) -> str:
    """A column's name without what was put around a sum in it."""
    begin = name.find(_SUM)
    if begin < 0:
        return name
    depth, place = 1, begin + len(_SUM)
    while place < len(name) and depth:
        depth += {"(": 1, ")": -1}.get(name[place], 0)
        place += 1
    if not name.startswith(_SUMMED[1:], place):
        return name[:place] + column(name[place:])
    inner = name[begin + len(_SUM) - len("sum(") : place]
    return name[:begin] + inner + column(name[place + len(_SUMMED) - 1 :])


def _spelled(words: Sequence[Token], place: int, in_braces: bool, literal: Mapping[str, str]) -> str | None:
    """What to write in the place of a word; None where it can stay."""
    token = words[place]
    if token.kind == "parameter":
        if token.value in literal:
            return literal[token.value]
        return f"$`{token.value}`" if token.value.upper() in _KEYWORDS else None
    if token.word not in _KEYWORDS or not place:
        return None
    before, after = words[place - 1].text, words[place + 1].text if place + 1 < len(words) else ""
    key = in_braces and before in ("{", ",") and after == ":"
    accessed = before == "." and after != "("
    named = before == ":" and not in_braces  # (n:Create and [:set, not {key: null}
    return f"`{token.text}`" if key or accessed or named or _alternative(words, place) else None


def _alternative(words: Sequence[Token], place: int) -> bool:
    """The second name in ``[r:used|set]``, however many stand between."""
    while place > 1 and words[place - 1].text == "|" and words[place - 2].named:
        place -= 2
        if words[place - 1].text == ":":
            return True
    return False
