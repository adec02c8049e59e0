"""What is refused before it runs: clauses that write, and Cypher that one of the two stores does not have.

The engine would run both LOAD CSV and CREATE, so nothing else than a word of the text decides. The words are refused
wherever a clause can begin; a property, label or parameter of that name is allowed, a variable is after back-quotes.
"""

from collections.abc import Sequence
from typing import Final

from provgraph.errors import CypherError
from provgraph.stores.cypher.tokens import Token

_WRITES: Final = frozenset(
    "CREATE MERGE SET DELETE DETACH NODETACH REMOVE FOREACH DROP ALTER INSERT GRANT DENY REVOKE RENAME".split()
)
_OUTSIDE: Final = frozenset(["LOAD", "COPY", "IMPORT", "EXPORT"])
_OTHER: Final = {
    "SHOW": "write `CALL db.labels()`, `CALL db.relationshipTypes()` or `CALL db.propertyKeys()`",
    "USE": "the project is chosen by PROVDB_PROJECT or the folder",
    "SESSION": "there is no session to set up",
}
PROCEDURES: Final = frozenset(["db.labels", "db.relationshipTypes", "db.propertyKeys"])
"""The procedures that read, and that both stores have."""

_BEFORE_OPERAND: Final = frozenset(". : | & ! $ ( [ , - / ^ = < > <> <= >= =~ .. +=".split())
"""Signs behind which no clause can begin. ``*``, ``+`` and ``%`` may end one: ``WITH *``, ``((a)-->(b))+``, ``n:%``."""


def check(words: Sequence[Token]) -> None:
    """Refuse what writes, reaches outside of the store, or does not run on the embedded store.

    Raises:
        CypherError: with the reason and what to write instead.
    """
    check_reads(words)
    _check_patterns(words)
    _check_map_keys(words)


def check_reads(words: Sequence[Token]) -> None:
    """Refuse what writes or reaches outside of the store, whichever store it is.

    Raises:
        CypherError: with the reason and what to write instead.
    """
    if not words:
        raise CypherError("the query is empty; try `provdb cypher --examples`")
    for place, token in enumerate(words):
        if token.kind == "name":
            _check_name(words, place)


def begins_clause(words: Sequence[Token], place: int) -> bool:
    """Whether a clause can begin with the bare name at ``place``."""
    before = words[place - 1].text if place else ""
    after = words[place + 1].text if place + 1 < len(words) else ""
    if place and words[place - 1].kind == "sign" and before in _BEFORE_OPERAND:
        return False
    return not (before in ("{", ",") and after == ":") and after != "."


def _check_name(words: Sequence[Token], place: int) -> None:
    word = words[place].word
    if word in _WRITES and begins_clause(words, place):
        raise CypherError(
            f"{word} would change the graph, and `cypher` only reads. Provenance is recorded by running commands; "
            "`provdb annotate` and `provdb record` add to it. (A variable of that name goes into back-quotes.)"
        )
    if word in _OUTSIDE and begins_clause(words, place):
        raise CypherError(
            f"{word} reaches outside of the store, and `cypher` only reads what is recorded. "
            "(A variable of that name goes into back-quotes.)"
        )
    if word in _OTHER and place == 0:
        raise CypherError(f"{word} does not run on both stores: {_OTHER[word]}")
    if word == "CALL" and begins_clause(words, place):
        _check_call(words, place)


def _check_call(words: Sequence[Token], place: int) -> None:
    if place + 1 < len(words) and words[place + 1].text in ("{", "("):
        return
    name, after = "", place + 1
    while after < len(words) and (words[after].named or words[after].text == "."):
        name += words[after].value
        after += 1
        if words[after - 1].named and (after == len(words) or words[after].text != "."):
            break
    if name not in PROCEDURES:
        raise CypherError(
            f"CALL {name} is refused: only procedures that read and that both stores have may be called: "
            f"{', '.join(sorted(PROCEDURES))}. Subqueries `CALL {{ … }}` are fine."
        )


def _check_patterns(words: Sequence[Token]) -> None:
    """Newer pattern syntax that the embedded engine lacks, told apart by the brackets around it."""
    open_brackets: list[str] = []
    for place, token in enumerate(words):
        text, after = token.text, [w.text for w in words[place + 1 : place + 4]]
        before = words[place - 1].text if place else ""
        if token.kind == "sign" and text in ("(", "[", "{"):
            open_brackets.append(text)
        elif token.kind == "sign" and text in (")", "]", "}") and open_brackets:
            open_brackets.pop()
        inside = open_brackets[-1] if open_brackets else ""
        if text == ":" and token.kind == "sign" and inside != "[":
            _check_labels(words, place)
        if text == "." and after[1:2] == ["("]:
            _check_function(words, place)
        if text == "{" and before in (")", ">", "-") and after and words[place + 1].kind == "number":
            raise CypherError(
                "a quantified pattern does not run on the embedded store; give the relation a length "
                "instead: `-[:used|wasGeneratedBy*1..5]->`"
            )
        if token.word == "COLLECT" and after[:1] == ["{"]:
            raise CypherError(
                "COLLECT { … } does not run on the embedded store; write a list comprehension "
                "`[(a)-[:used]->(e) | e.path]`, or `collect(…)` after WITH"
            )
        if token.word == "SHORTEST" and before != "." and place + 1 < len(words):
            raise CypherError(
                "SHORTEST does not run on the embedded store; write `p = shortestPath((a)-[*]->(b))` "
                "or `allShortestPaths(…)`"
            )


def _check_function(words: Sequence[Token], place: int) -> None:
    """``duration.between(`` and its like, which the engine cannot even read."""
    begin = place - 1
    while begin > 1 and words[begin - 1].text == "." and words[begin - 2].named:
        begin -= 2
    if begin >= 0 and words[begin].named and words[begin - 1].word != "CALL":
        name = "".join(token.text for token in words[begin : place + 2])
        raise CypherError(
            f"the function {name} does not run on the embedded store; seconds between two date-times are "
            "`(a.ended_at.epochMillis - a.started_at.epochMillis) / 1000.0`, days `date(a.started_at)`"
        )


def _check_labels(words: Sequence[Token], place: int) -> None:
    rest = words[place + 1 : place + 4]
    first = rest[0].text if rest else ""
    joined = rest[1].text if len(rest) > 1 else ""
    if joined in ("|", "&") and rest[0].named:
        second = rest[2].value if len(rest) > 2 and rest[2].named else "B"
        instead = f"`WHERE n:{first} OR n:{second}`" if joined == "|" else f"`(n:{first}:{second})`"
        raise CypherError(
            f"the label expression {first}{joined}{second} does not run on the embedded store; write "
            f"{instead}, which runs on both"
        )
    if first in ("!", "%") and rest[0].kind == "sign":
        raise CypherError(
            "a label expression with ! or % does not run on the embedded store; write "
            "`WHERE NOT n:Label`, which runs on both"
        )


def _check_map_keys(words: Sequence[Token]) -> None:
    """The engine returns elements and paths as maps; a literal map of that shape could not be told from one."""
    keys = {
        token.value
        for place, token in enumerate(words)
        if token.named
        and 0 < place < len(words) - 1
        and words[place - 1].text in ("{", ",")
        and words[place + 1].text == ":"
    }
    for taken in ({"nodes", "edges"}, {"_id", "_labels"}, {"_id", "_type"}, {"months", "days", "nanos"}):
        if taken <= keys:
            raise CypherError(
                f"a map with the keys {' and '.join(sorted(taken))} cannot be told from what the engine "
                "returns for elements, paths and durations; call one of them something else"
            )
