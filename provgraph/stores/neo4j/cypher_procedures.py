"""The three procedures that list names, answered of the project alone: a server's own tell those of all projects."""

from collections.abc import Sequence
from typing import Final

from provgraph.errors import CypherError
from provgraph.stores.cypher.tokens import Token, tokens

_ANSWERS: Final = {
    "db.labels": ("label", "MATCH (n) UNWIND labels(n) AS x RETURN DISTINCT x AS {0}"),
    "db.relationshipTypes": ("relationshipType", "MATCH ()-[r]->() RETURN DISTINCT type(r) AS {0}"),
    "db.propertyKeys": (
        "propertyKey",
        (
            "MATCH (n) UNWIND keys(n) AS x RETURN DISTINCT x AS {0} "
            "UNION MATCH ()-[r]->() UNWIND keys(r) AS x RETURN DISTINCT x AS {0}"
        ),
    ),
}
_ENDS: Final = frozenset("WHERE RETURN WITH UNWIND OPTIONAL MATCH CALL UNION".split())


def answered(query: str, words: Sequence[Token]) -> tuple[str, list[Token]]:
    """The query with these procedures in Cypher of their own, and its words; as it was where it calls none.

    Raises:
        CypherError: a call in a form that is not known.
    """
    parts: list[str] = []
    written = place = 0
    while place < len(words):
        if words[place].word != "CALL" or place + 3 >= len(words) or words[place + 2].text != ".":
            place += 1
            continue
        text, after = _answer(words, place)
        end = words[after].start if after < len(words) else len(query)
        parts += [query[written : words[place].start], text, " "]
        written, place = end, after
    if not parts:
        return query, list(words)
    whole = "".join([*parts, query[written:]])
    return whole, tokens(whole)


def _answer(words: Sequence[Token], place: int) -> tuple[str, int]:
    """What stands for the call at ``place``, and the place behind it."""
    name = f"{words[place + 1].value}.{words[place + 3].value}"
    column, answer = _ANSWERS[name]  # the guard has refused all others
    after = place + 4
    if [token.text for token in words[after : after + 2]] == ["(", ")"]:
        after += 2
    if after == len(words):
        if place:
            raise CypherError(f"CALL {name} behind other clauses needs YIELD {column}")
        return answer.format(column), after
    if words[after].word != "YIELD":
        raise CypherError(f"CALL {name}() is followed by YIELD {column}, or by nothing")
    alias = column
    if after + 1 >= len(words) or words[after + 1].value != column:
        raise CypherError(f"CALL {name}() yields {column}, and nothing else; write YIELD {column}")
    after += 2
    if after + 1 < len(words) and words[after].word == "AS" and words[after + 1].named:
        alias = words[after + 1].text
        after += 2
    if after < len(words) and words[after].word not in _ENDS:
        raise CypherError(f"write CALL {name}() YIELD {column}, then RETURN, WITH or WHERE")
    if after == len(words) and not place:
        return answer.format(alias), after
    subquery = f"CALL {{ {answer.format(alias)} }}"
    return (f"{subquery} WITH *" if after < len(words) and words[after].word == "WHERE" else subquery), after
