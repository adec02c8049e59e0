"""Where a Cypher text has patterns of vertices: a walk over its words that knows clauses, brackets and subqueries.

The server holds several projects, and what keeps a question within one is a condition in every pattern of a vertex.
So nothing is guessed here: what the walk cannot place is refused, and nothing that it does not know reaches the server.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from provgraph.errors import CypherError
from provgraph.stores.cypher.guard import begins_clause
from provgraph.stores.cypher.tokens import Token

_ENDS_PATTERN: Final = frozenset(
    "WHERE RETURN WITH UNWIND OPTIONAL CALL UNION ORDER SKIP OFFSET LIMIT USING YIELD FINISH FILTER LET FOR "
    "NEXT".split()
)
"""Words behind which a pattern is over, until the next MATCH."""
_BEGINS_QUERY: Final = _ENDS_PATTERN | {"MATCH"}
_BEFORE_EXPRESSION: Final = _ENDS_PATTERN | frozenset(
    "MATCH AND OR XOR NOT IN DISTINCT WHEN THEN ELSE CASE ON BY CONTAINS STARTS ENDS IS AS ASC DESC ASCENDING "
    "DESCENDING ALL END NULL TRUE FALSE".split()
)
"""Words that are no functions though a bracket may follow."""
_SHORTEST: Final = frozenset(["SHORTESTPATH", "ALLSHORTESTPATHS"])
_SUBQUERIES: Final = frozenset(["EXISTS", "COUNT", "COLLECT"])
_OPEN: Final = {"(": ")", "[": "]", "{": "}"}
_BEFORE_NAME: Final = (".", ":", "|", "&", "!")
_LONGEST: Final = 400
"""Words of a label expression."""
_IN_LABELS: Final = frozenset(":|&!%()")


@dataclass(frozen=True, slots=True)
class Node:
    """A pattern of a vertex, by the places of its words.

    ``variable``: its name, None where it has none; ``labels``: where the label expression begins (or would);
    ``properties``: where the map or WHERE begins, or the closing bracket; ``end``: the closing bracket.
    """

    variable: int | None
    labels: int
    properties: int
    end: int


def nodes(words: Sequence[Token]) -> list[Node]:
    """Every pattern of a vertex in a query.

    Raises:
        CypherError: a text that cannot be placed.
    """
    walk = _Walk(words)
    try:
        walk.query(0, len(words))
    except RecursionError:
        raise CypherError("the query is nested too deeply; name parts of it with WITH … AS") from None
    return walk.found


def matching(words: Sequence[Token], query: str = "") -> dict[int, int]:
    """The place of the closing bracket for each opening one.

    Parameters:
        query: the text of the words, to say where one does not match.

    Raises:
        CypherError: brackets that do not match.
    """
    found: dict[int, int] = {}
    waiting: list[int] = []
    for place, token in enumerate(words):
        if token.kind != "sign":
            continue
        if token.text in _OPEN:
            waiting.append(place)
        elif token.text in (")", "]", "}"):
            if not waiting or _OPEN[words[waiting[-1]].text] != token.text:
                raise CypherError(_unmatched(token, query, "closes nothing"))
            found[waiting.pop()] = place
    if waiting:
        raise CypherError(_unmatched(words[waiting[-1]], query, "is not closed"))
    return found


def _unmatched(token: Token, query: str, what: str) -> str:
    before = query[: token.start]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    where = f" at line {line}, column {column}" if query else ""
    return f"the query does not run: the {token.text}{where} {what}; `provdb cypher --examples` shows queries that do"


class _Walk:
    def __init__(self, words: Sequence[Token]) -> None:
        self._words, self._close = words, matching(words)
        self._scopes: set[int] = set()
        """Closing brackets of ``CALL (x)``."""
        self.found: list[Node] = []

    def _text(self, place: int) -> str:
        """A sign; the empty string for any other word."""
        words = self._words
        return words[place].text if 0 <= place < len(words) and words[place].kind == "sign" else ""

    def _word(self, place: int) -> str:
        return self._words[place].word if 0 <= place < len(self._words) else ""

    # -- a query, and what it consists of

    def query(self, place: int, end: int, *, pattern: bool = False) -> None:
        """Clauses; ``pattern``: it begins with one, as ``EXISTS { (a)-->(b) }`` does."""
        while place < end:
            word = self._word(place)
            if pattern:
                if word in _ENDS_PATTERN and self._text(place + 1) != "=":
                    pattern = False
                    place += 1
                else:
                    place = self._in_pattern(place)
            elif word == "MATCH" and begins_clause(self._words, place):
                pattern = True
                place += 1
            else:
                place = self._in_expression(place)

    def _in_pattern(self, place: int) -> int:
        """One word or bracket between MATCH and the next clause; the place behind it."""
        sign = self._text(place)
        if sign == "(":
            if self._word(place - 1) in _SHORTEST or self._is_nested(place):
                return self._path(place)
            return self._node(place)
        if sign == "[":
            return self._relation(place)
        if sign == "{":
            return self._quantifier(place)
        return place + 1

    def _is_nested(self, place: int) -> bool:
        """Whether a bracket holds a path: ``((a)-->(b)){1,5}``, ``(p = (a)-->(b))``."""
        named = place + 1 < len(self._words) and self._words[place + 1].named
        return self._text(place + 1) == "(" or (named and self._text(place + 2) == "=")

    def _path(self, place: int) -> int:
        end, pattern = self._close[place], True
        place += 1
        while place < end:
            if pattern and self._word(place) == "WHERE":
                pattern = False
                place += 1
            else:
                place = self._in_pattern(place) if pattern else self._in_expression(place)
        return end + 1

    def _node(self, place: int) -> int:
        end = self._close[place]
        begin = self._properties(place)
        if begin is None:
            raise CypherError(
                f"{self._spelled(place, end)} is no pattern of a vertex that can be kept to the project; write it like "
                "`(n:Label {key: value})`"
            )
        labels = self._labels(place)
        self.found.append(Node(place + 1 if labels > place + 1 else None, labels, begin, end))
        rest = begin
        if self._text(begin) == "{":
            self._group(begin)
            rest = self._close[begin] + 1
        if rest < end:
            self._expressions(rest + 1, end)  # behind WHERE
        return end + 1

    def _properties(self, place: int) -> int | None:
        """Where the map, WHERE or the end of the pattern stands that opens at ``place``; None where it is none."""
        end, begin = self._close[place], place + 1
        while begin < end and self._text(begin) != "{" and self._word(begin) != "WHERE":
            if begin > place + _LONGEST:  # not all of what many brackets hold, for each of them
                return None
            token = self._words[begin]
            if token.kind == "parameter":
                return None
            if not token.named and token.text not in _IN_LABELS:
                return None
            begin += 1
        behind = self._close[begin] + 1 if self._text(begin) == "{" else begin
        if behind != end and self._word(behind) != "WHERE":
            return None
        return begin if self._plain(place + 1, begin) else None

    def _plain(self, place: int, end: int) -> bool:
        """Whether what stands there is a variable, labels, or both."""
        words = self._words
        if place < end and words[place].named and not (words[place].word == "IS" and end - place > 1):
            place += 1
        return place == end or self._text(place) == ":" or words[place].word == "IS"

    def _labels(self, place: int) -> int:
        words, begin = self._words, place + 1
        variable = words[begin].named and (words[begin].word != "IS" or self._text(begin + 1) != "")
        return begin + 1 if variable and words[begin].word != "WHERE" else begin

    def _relation(self, place: int) -> int:
        end = self._close[place]
        place += 1
        while place < end and self._text(place) != "{" and self._word(place) != "WHERE":
            called = self._words[place].kind == "parameter" and self._text(place + 1) == "("
            if called or self._text(place) == "$":
                raise CypherError("a relation whose type is computed is refused; compare `type(r)` in WHERE")
            place += 1
        self._expressions(place, end)
        return end + 1

    def _quantifier(self, place: int) -> int:
        end = self._close[place]
        inner = self._words[place + 1 : end]
        if any(token.kind not in ("number", "parameter") and token.text != "," for token in inner):
            raise CypherError(f"{self._spelled(place, end)} cannot stand in a pattern there")
        return end + 1

    # -- expressions

    def _expressions(self, place: int, end: int) -> None:
        while place < end:
            place = self._in_expression(place)

    def _in_expression(self, place: int) -> int:
        """One word or bracket; the place behind it."""
        sign = self._text(place)
        if sign == "(":
            return self._bracket(place)
        if sign == "{" and self._is_subquery(place):
            begin, end = place + 1, self._close[place]
            named = self._text(begin + 1) == "="  # a path whose name is that of a clause
            self.query(begin, end, pattern=named or self._word(begin) not in _BEGINS_QUERY)
            return end + 1
        if sign in ("[", "{"):
            return self._group(place)
        return place + 1

    def _is_subquery(self, place: int) -> bool:
        if place - 1 in self._scopes or self._word(place - 1) == "CALL":
            return True
        return self._word(place - 1) in _SUBQUERIES and self._text(place - 2) != "."

    def _bracket(self, place: int) -> int:
        before = self._word(place - 1)
        if before in _SHORTEST:
            return self._path(place)
        if before == "CALL":
            self._scopes.add(self._close[place])
            return self._group(place)
        called = place > 0 and self._words[place - 1].named and before not in _BEFORE_EXPRESSION
        behind = None if called else self._path_end(place)
        if behind is None:
            return self._group(place)
        while place < behind:
            place = self._in_pattern(place)
        return behind

    def _group(self, place: int) -> int:
        end = self._close[place]
        place += 1
        while place < end:
            named = self._text(place - 1) in _BEFORE_NAME or self._text(place + 1) == ":"
            if self._word(place) == "MATCH" and not named:
                raise CypherError("MATCH stands where no query can begin; put it into EXISTS, COUNT or CALL { … }")
            place = self._in_expression(place)
        return end + 1

    def _path_end(self, place: int) -> int | None:
        """The place behind ``(a)-[…]->(b)…`` in an expression; None where the bracket is an ordinary one."""
        behind, steps = self._close[place] + 1, 0
        while True:
            arrow = self._arrow_end(behind)
            if arrow is None or self._text(arrow) != "(":
                return behind if steps else None
            for vertex in (place, arrow):
                if self._properties(vertex) is None:
                    raise CypherError(
                        f"{self._spelled(vertex, self._close[vertex])} is no pattern of a vertex that can be kept to "
                        "the project; write it like `(n:Label {key: value})`, and what is subtracted without a second -"
                    )
            behind, steps = self._close[arrow] + 1, steps + 1

    def _arrow_end(self, place: int) -> int | None:
        place += self._text(place) == "<"
        if self._text(place) != "-":
            return None
        place += 1
        if self._text(place) == "[":
            place = self._close[place] + 1
        if self._text(place) != "-":
            return None
        place += 1
        place += self._text(place) == ">"
        if self._text(place) in ("+", "*"):
            place += 1
        elif self._text(place) == "{":
            place = self._close[place] + 1
        return place

    def _spelled(self, place: int, end: int) -> str:
        return "`" + " ".join(token.text for token in self._words[place : end + 1])[:80] + "`"
