r"""A query as the server is to read it: kept to one project, and spelled so that it reads the words that were checked.

Neo4j reads escapes (``\u0027``) before it looks for the ends of strings, and ends a comment at a carriage return; our
reading of the words does neither. So comments are not sent, strings with a backslash go as parameters, and a name with
one is refused (``cypher_guard``). Everything else is sent as it was written, at the same place of the line.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from provgraph.stores.cypher.tokens import Token
from provgraph.stores.cypher.values import hide
from provgraph.stores.neo4j.cypher_patterns import Node, matching, nodes

_PROJECT: Final = "`project`"
_KINDS: Final = "(Entity|Activity|Agent)"
"""Every vertex is of one of them. Where a pattern has no labels, saying so lets the server look things up by index, one
kind after the other, in the place of going through all that it has."""
_VISIBLE: Final = re.compile(r"[^\n\r]")


@dataclass(frozen=True, slots=True)
class Scoped:
    """A query for the server.

    ``text``; ``texts``: values of parameters that stand for strings; ``project``: the name of the parameter that the
    project's uid goes into, of which the query knows nothing.
    """

    text: str
    texts: Mapping[str, str]
    project: str
    _original: str
    _pieces: tuple[tuple[int, int], ...]
    """(offset in ``text``, offset in the original), ascending, of all that was sent as it was written."""

    def original(self, column: str) -> str:
        """A column's name as it is in the user's text, where the server named it after what we changed in it."""
        if not any(name in column for name in (self.project, _PROJECT, _KINDS, *self.texts)):
            return column
        found = self.text.find(column)
        if found < 0:
            return column
        return self._original[self.offset(found) : self.offset(found + len(column))]

    def offset(self, offset: int) -> int:
        """The place in the user's text of one in ``text``."""
        at = bisect_right(self._pieces, (offset, len(self._original))) - 1
        sent, written = self._pieces[at]
        after = self._pieces[at + 1][1] if at + 1 < len(self._pieces) else len(self._original)
        return min(written + offset - sent, after)

    def place(self, offset: int) -> tuple[int, int]:
        """(line, column) in the user's text of an offset in ``text``, both from 1."""
        before = self._original[: self.offset(offset)]
        return before.count("\n") + 1, len(before) - before.rfind("\n")


def scoped(query: str, words: Sequence[Token], given: Collection[str], *, all_projects: bool = False) -> Scoped:
    """``query`` within one project, or with ``all_projects`` within all that are one.

    Raises:
        CypherError: a pattern that cannot be placed.
    """
    taken = {token.value for token in words if token.kind == "parameter"} | set(given)
    project = _free("provgraph_project", taken)
    before, instead = _changes(words, nodes(words), f"$`{project}`", all_projects=all_projects)
    texts: dict[str, str] = {}
    for place, token in enumerate(words):
        if token.kind == "string" and "\\" in token.text:
            name = _free(f"provgraph_text_{len(texts)}", taken)
            texts[name], instead[place] = token.value, f"$`{name}`"
    return _assembled(query, words, before, instead, texts, project)


def _free(name: str, taken: Collection[str]) -> str:
    while any(name in other for other in taken):
        name += "_"
    return name


def _changes(
    words: Sequence[Token], found: Sequence[Node], project: str, *, all_projects: bool
) -> tuple[dict[int, str], dict[int, str]]:
    """What to put before a word, and what in its place."""
    before: dict[int, str] = {}
    instead: dict[int, str] = {}
    close = matching(words)
    any_kind = f":{_KINDS}" if not _mixes(words, found) else ""
    for node in found:
        kinds = any_kind if node.labels == node.properties else ""
        if any_kind:
            _join_labels(words, node, instead)
        if all_projects and node.variable is None:
            if node.labels == node.properties:
                before[node.properties] = f"{kinds} "
            elif any_kind:
                _of_any_kind(words, node, before, instead)
            continue
        # Of all projects is what is of one: null equals nothing, itself neither.
        own = f"{hide(words[node.variable].text)}.{_PROJECT}" if all_projects and node.variable is not None else project
        if words[node.properties].text == "{":
            before[node.properties] = f"{kinds} " if kinds else ""
            _with_entry(words, node.properties, close, own, before)
        else:
            before[node.properties] = f"{kinds} {{{_PROJECT}: {own}}} "
    return before, instead


def _with_entry(
    words: Sequence[Token], begin: int, close: Mapping[int, int], project: str, before: dict[int, str]
) -> None:
    """Bind a map to the project; where it names one itself, both have to be right."""
    place, key = begin + 1, begin + 1
    own: tuple[int, int] | None = None
    while place < close[begin]:
        if words[place].text == "," and words[place].kind == "sign":
            key = place + 1
        following = close[place] + 1 if place in close else place + 1
        ends = following == close[begin] or words[following].text == ","
        if ends and words[key].value == "project" and words[key + 1].text == ":":
            own = key + 2, following
        place = following
    if own is None:
        comma = "" if close[begin] == begin + 1 else ", "
        before[begin + 1] = f"{_PROJECT}: {project}{comma}" + before.get(begin + 1, "")
    else:
        before[own[0]] = "CASE WHEN (" + before.get(own[0], "")
        before[own[1]] = f") = {project} THEN {project} END" + before.get(own[1], "")


def _of_any_kind(words: Sequence[Token], node: Node, before: dict[int, str], instead: dict[int, str]) -> None:
    """What no project has (the server's own book-keeping) is of no kind."""
    first = node.labels
    if words[first].word == "IS":
        instead[first] = ":"
    before[first + 1] = "(" + before.get(first + 1, "")
    before[node.properties] = f")&{_KINDS} " + before.get(node.properties, "")


def _join_labels(words: Sequence[Token], node: Node, instead: dict[int, str]) -> None:
    """``:A:B`` as ``:A&B``, for Neo4j refuses colons beside the bars of our kinds."""
    for place in range(node.labels + 1, node.properties):
        if words[place].text == ":" and words[place].kind == "sign":
            instead[place] = "&"


def _mixes(words: Sequence[Token], found: Sequence[Node]) -> bool:
    """Whether the query says ``n:A:B`` or ``[:a|:b]`` outside of patterns of vertices, where it cannot be joined.

    No kinds are put into such a query: what they stand for is only speed, and with all projects the book-keeping that
    patterns without a name would count.
    """
    joined = {place for node in found for place in range(node.labels, node.properties)}
    signs = [token.text if token.kind == "sign" else "" for token in words]
    for place, sign in enumerate(signs):
        if sign == "|" and signs[place + 1 : place + 2] == [":"]:
            return True
        chain = sign == ":" and signs[place + 2 : place + 3] == [":"] and place not in joined
        if chain and words[place + 1].named:
            return True
    return False


def _assembled(
    query: str,
    words: Sequence[Token],
    before: Mapping[int, str],
    instead: Mapping[int, str],
    texts: Mapping[str, str],
    project: str,
) -> Scoped:
    parts: list[str] = []
    pieces: list[tuple[int, int]] = [(0, 0)]
    length = written = 0

    def put(text: str) -> None:
        nonlocal length
        parts.append(text)
        length += len(text)

    for place, token in enumerate(words):
        put(_VISIBLE.sub(" ", query[written : token.start]).replace("\r", " "))
        if place in before:
            put(before[place])
        pieces.append((length, token.start))
        put(instead[place] if place in instead else hide(token.text))
        written = token.start + len(token.text)
        pieces.append((length, written))
    return Scoped("".join(parts), texts, project, query, tuple(pieces))
