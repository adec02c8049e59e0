"""Properties of two vertices side by side, and command lines word by word."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from provgraph.graph.comparison import Change, Difference, Group, State, Word
from provgraph.graph.elements import Vertex
from provgraph.model.vocabulary import PROPERTIES
from provgraph.queries.comparison.documents import document_difference, parsed
from provgraph.queries.comparison.lines import steps
from provgraph.queries.comparison.values import same_value

_MEASURES: Final = ("duration_s", "cpu_s", "max_rss_bytes")
_CIRCUMSTANCES: Final = frozenset(("git_commit", "git_branch", "git_dirty"))
"""Where a project stood when a command ran: what that changed is told by the files that it used."""
_INCIDENTAL: Final = frozenset(
    (
        "number", "sequence", "created_at", "started_at", "ended_at", "whole", "activity", "origin",
        "line", "element", "ingestors",
    )
)  # fmt: skip
"""Different between any two runs, or any two snapshots of one path; ``line`` is what else a command was typed with."""
_OF_CONTENT: Final = frozenset(
    (
        "sha256", "size_bytes", "content", "members_count", "members_chunk", "removed", "changes", "changes_count",
        "changes_json",
    )
)  # fmt: skip
"""Said by the difference between contents or members, also what changed inside since the snapshot before."""
_OF_STORE: Final = frozenset(("restorable",))
"""Said by each store of itself: no difference between two things, and unknown to a server."""
INSTALLED: Final = "distributions_json"
_OF_ENVIRONMENT: Final = frozenset((INSTALLED, "distributions_count"))
_OF_COMMAND: Final = ("argv", "command", "options", "operands", "utility", "script", "wrappers")
"""One command line, told in several ways; a comparison tells it once."""
_ORDER: Final = {
    "parameter": 0,
    "metric": 1,
    "command": 2,
    "property": 3,
    "circumstance": 4,
    "measure": 5,
    "incidental": 6,
}
_PLACES: Final = {key: place for place, key in enumerate(PROPERTIES)}
MOST_INSIDE: Final = 100
_NUMBERED: Final = re.compile(r" #\d+$")
_SHELL_WORD: Final = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$))+""", re.DOTALL)


def property_differences(first: Vertex, second: Vertex, *, told: bool = True) -> tuple[Difference, ...]:
    """All properties of both, each once: what differs first, then by group, in the vocabulary's order.

    Parameters:
        told: a content or member difference is told beside them, so digests and sizes are left out.
    """
    one, other = first.properties, second.properties
    left_out = _OF_STORE | (_OF_CONTENT | _OF_ENVIRONMENT if told else frozenset())
    keys = [key for key in {**one, **other} if key not in left_out]
    command = _command(one, other)
    found = [_difference(key, one, other) for key in keys if not (command and key in _OF_COMMAND)]
    found += command + _labels(first, second)
    return tuple(sorted(found, key=_rank))


def _rank(found: Difference) -> tuple[bool, int, int, str]:
    return found.state == "equal", _ORDER[found.group], _PLACES.get(found.key, len(_PLACES)), found.key


def _difference(key: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Difference:
    group = _group(key)
    if key == "name" and _follows(one, other):
        group = "incidental"
    state = state_of(key, one, other)
    changes = _inside(one[key], other[key]) if state == "differs" and key.endswith("_json") else ()
    return Difference(key, state, group, one.get(key), other.get(key), changes=changes)


def _inside(first: object, second: object) -> tuple[Change, ...]:
    (one, ours), (other, theirs) = (parsed(str(text), "json") for text in (first, second))
    return document_difference(ours, theirs, MOST_INSIDE).changes if one and other else ()


def state_of(key: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> State:
    """Who has a key, and whether both have it alike."""
    if key not in one:
        return "second"
    if key not in other:
        return "first"
    return "equal" if same_value(one[key], other[key]) else "differs"


def _group(key: str) -> Group:
    if key.startswith("param_"):
        return "parameter"
    if key.startswith("metric_"):
        return "metric"
    if key in _MEASURES:
        return "measure"
    if key in _CIRCUMSTANCES:
        return "circumstance"
    if key in _INCIDENTAL:
        return "incidental"
    return "command" if key in ("exit_status", "utility", "script", "cwd", "interrupted") else "property"


def _follows(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two names differ only in a number, or as their commands do."""
    names = [_NUMBERED.sub("", str(side.get("name", ""))) for side in (one, other)]
    return names[0] == names[1] or not same_value(*_words(one, other))


def _labels(first: Vertex, second: Vertex) -> list[Difference]:
    if set(first.labels) == set(second.labels):
        return []
    return [Difference("labels", "differs", "property", sorted(first.labels), sorted(second.labels))]


def _command(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Difference]:
    if not any(key in side for key in ("argv", "command") for side in (one, other)):
        return []
    first, second = _words(one, other)
    key = "command"
    lines = [side.get("command", " ".join(words)) for side, words in ((one, first), (other, second))]
    if not (first and second):
        state: State = "first" if first else "second" if second else "equal"
        return [Difference(key, state, "command", lines[0] if first else None, lines[1] if second else None)]
    if same_value(first, second):
        return [Difference(key, "equal", "command", lines[0], lines[1])]
    words = tuple(words_between(first, second))
    return [Difference(key, "differs", "command", lines[0], lines[1], words)]


def _words(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Two command lines in words: as they were given, or as they were typed where a shell was handed one of them."""
    if _in_shell(one) or _in_shell(other):
        return _typed(one), _typed(other)
    return _given(one), _given(other)


def _in_shell(side: Mapping[str, Any]) -> bool:
    """Whether a command was an element of a shell line: its ``argv`` is then ``bash -c`` and its text."""
    return "line" in side and "command" in side


def _typed(side: Mapping[str, Any]) -> list[str]:
    return _SHELL_WORD.findall(str(side["command"])) if "command" in side else [shlex.quote(w) for w in _given(side)]


def _given(side: Mapping[str, Any]) -> list[str]:
    argv = side.get("argv")
    if isinstance(argv, list | tuple):
        return [str(word) for word in argv]
    return str(side.get("command", "")).split()


def words_between(first: Sequence[str], second: Sequence[str]) -> Iterable[Word]:
    """How to get from one command line to another: words of both, of the first alone, of the second alone."""
    for equal, a, b in steps(first, second):
        if equal:
            yield from (("=", word) for word in first[a[0] : a[1]])
        else:
            yield from (("-", word) for word in first[a[0] : a[1]])
            yield from (("+", word) for word in second[b[0] : b[1]])
