"""What is refused before a query goes to a server: what writes, reaches outside of the project, or hides from us.

Beside the embedded store's own rules (``stores.cypher.guard``) those for what only a server has. That a query is run in
a read transaction, after the server itself has called its plan a reading one, is the second line of defence; for what
reads files and addresses (LOAD CSV, procedures, functions of plug-ins) there is none but this one.
"""

import re
from collections.abc import Sequence
from typing import Final

from provgraph.errors import CypherError
from provgraph.stores.cypher.guard import begins_clause, check_reads
from provgraph.stores.cypher.tokens import Token

_SIGNS: Final = frozenset("( ) [ ] { } < > - + * / % ^ = . , : | & ! .. <= >= <> =~".split())
_NUMBER: Final = re.compile(r"\d+|0[xX][0-9a-fA-F]+|0o[0-7]+|(\d+(\.\d+)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NAMESPACES: Final = frozenset(
    ["date", "datetime", "localdatetime", "localtime", "time", "duration", "point", "vector.similarity"]
)
"""Of functions that are part of Cypher itself and look at nothing but their arguments."""
_FIRST: Final = {
    "EXPLAIN": "the plan of a question is seen in Neo4j Browser",
    "PROFILE": "the plan of a question is seen in Neo4j Browser",
    "CYPHER": "the server's own settings stand",
}
_ADMINISTERS: Final = frozenset("SHOW TERMINATE STOP START ENABLE DRYRUN DEALLOCATE REALLOCATE".split())
_TRANSACTIONS: Final = frozenset(["TRANSACTION", "TRANSACTIONS"])
_FOLDING: Final = frozenset("\u017f\u0131\u0130\u212a")
"""Letters that some take for s, i and k in other case."""


def check(words: Sequence[Token]) -> None:
    """Refuse what must not reach a server.

    Raises:
        CypherError: with the reason and what to write instead.
    """
    check_reads(words)
    for place, token in enumerate(words):
        _check_spelling(words, place, token)
    first = words[0].word
    if first in _FIRST:
        raise CypherError(f"{first} is refused at a server: {_FIRST[first]}")
    if first in _ADMINISTERS:
        raise CypherError(f"{first} administers the server, and `cypher` only reads what is recorded")
    for place, token in enumerate(words):
        if token.word == "USE" and begins_clause(words, place):
            raise CypherError(
                "USE is refused: the project is chosen by PROVDB_PROJECT or the folder, the server with --at. "
                "(A variable of that name goes into back-quotes.)"
            )
        if token.word in _TRANSACTIONS and _behind_subquery(words, place):
            raise CypherError("CALL { … } IN TRANSACTIONS is for what writes, and `cypher` only reads")
        if token.text == "(" and token.kind == "sign" and place:
            _check_function(words, place)


def _check_spelling(words: Sequence[Token], place: int, token: Token) -> None:
    """Refuse what a server may read as other words than we do."""
    if token.kind == "sign" and token.text == "$":
        raise CypherError("a computed label or relation is refused; compare `labels(n)` or `type(r)` in WHERE")
    if token.kind == "sign" and token.text not in _SIGNS:
        known = token.text if token.text.isprintable() else repr(token.text)
        raise CypherError(
            f"the character {known} is none of Cypher's; one statement is run at a time, and signs are those of ASCII"
        )
    if token.kind == "number" and not _NUMBER.fullmatch(token.text):
        raise CypherError(f"{token.text} is no number; put a space between the number and the word")
    if token.kind in ("quoted", "parameter") and "\\" in token.text:
        raise CypherError(
            f"the name {token.text} holds a backslash, which servers read in different ways; "
            "read such a property as n[$key], with --param key=NAME"
        )
    if token.kind == "name" and not token.text.isascii() and not _FOLDING.isdisjoint(token.text):
        raise CypherError(f"the name {token.text} goes into back-quotes: `{token.text}`")
    if token.kind == "quoted" and place + 1 < len(words) and words[place + 1].text == "(":
        raise CypherError(f"{token.text}( is refused: a function is written without back-quotes")


def _behind_subquery(words: Sequence[Token], place: int) -> bool:
    """``} IN TRANSACTIONS``, ``} IN 4 CONCURRENT TRANSACTIONS``."""
    for back in range(1, 4):
        if place - back > 0 and words[place - back].word == "IN":
            return words[place - back - 1].text == "}"
    return False


def _check_function(words: Sequence[Token], place: int) -> None:
    """Functions of plug-ins can run any Cypher, and read any file."""
    begin = place - 1
    if not words[begin].named:
        return
    while begin > 1 and words[begin - 1].text == "." and words[begin - 2].named:
        begin -= 2
    if begin == place - 1:
        if words[begin - 1].text == "." and begin:
            raise CypherError("a property cannot be called; a function is written without anything before it")
        return
    if begin and words[begin - 1].word == "CALL":
        return
    name = "".join(token.value for token in words[begin:place])
    if name.rpartition(".")[0].lower() not in _NAMESPACES or any(w.kind == "quoted" for w in words[begin:place]):
        raise CypherError(f"the function {name} is refused: only those of Cypher itself may be called")
