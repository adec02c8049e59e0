"""Completion after ``%provdb``: commands, their options, recorded paths; properties and labels in a Cypher cell."""

from __future__ import annotations

import os
import re
import threading
import time

from provgraph.magics.options import MAGIC
from provgraph.magics.questions import INTO, OWN, QUESTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

FRESH_S = 30.0
"""For so long an answer about the graph is taken to hold."""
PATIENCE_S = 2.0
"""So long a completion waits for an answer; the next one will have it."""
SHOWN = 200
_LINE = re.compile(r"\s*%provdb[ \t]+(?P<rest>.*)\Z", re.DOTALL)
_OPTIONS = {
    "on": ("--tag", "--notebook"),
    "lineage": ("--downstream", "--depth", "--revisions", "--environment", "--into"),
    "segment": ("--from", "--to", "--exclude", "--match", "--expand", "--no-similar", "--environment", "--into"),
    "summarize": ("--keep", "--hops", "--into"),
    "compare": ("--into",),
    "log": ("--since", "--until", "--grep", "--agent", "--limit", "--into"),
    "show": ("--series", "--into"),
    "cypher": ("--param", "--into"),
}
_CELL = ("cypher", "--name", "--tag", "--note")
_PATHS = "MATCH (a:Artifact) WHERE NOT a.path STARTS WITH '/' RETURN DISTINCT a.path AS path ORDER BY path LIMIT 2000"
_KEYS = "MATCH (n) UNWIND keys(n) AS key RETURN DISTINCT key ORDER BY key LIMIT 1000"
_LABELS = "MATCH (n) UNWIND labels(n) AS label RETURN DISTINCT label ORDER BY label LIMIT 200"
_WORDS = "MATCH OPTIONAL WHERE RETURN DISTINCT ORDER BY LIMIT SKIP WITH UNWIND AS COUNT COLLECT STARTS ENDS CONTAINS"


class Known:
    """The first column of a query, asked beside the kernel and kept for a while."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, list[str]]] = {}
        self._asking: dict[str, threading.Thread] = {}

    def __call__(self, query: str) -> list[str]:
        at, found = self._found.get(query, (-FRESH_S, []))
        if time.monotonic() - at < FRESH_S:
            return found
        thread = self._asking.get(query)
        if thread is None or not thread.is_alive():
            thread = self._asking[query] = threading.Thread(target=self._ask, args=(query,), daemon=True)
            thread.start()
        thread.join(PATIENCE_S)
        return self._found.get(query, (0.0, []))[1]

    def _ask(self, query: str) -> None:
        from provgraph.magics.asking import Asker

        try:
            document = Asker().ask(["cypher", query]).document or {}
        except Exception:  # no completion then
            document = {}
        self._found[query] = time.monotonic(), [str(row[0]) for row in document.get("rows", ()) if row and row[0]]


def candidates(text: str, known: Callable[[str], Sequence[str]]) -> tuple[str, list[str]] | None:
    """What may stand at the end of a text: (what is there of it, completions); None where it is not about provdb.

    Parameters:
        text: the cell or the line up to the cursor.
        known: the first column of a Cypher query.
    """
    cell = MAGIC.match(text)
    if cell is not None and "\n" not in text[cell.start("rest") :]:
        words = cell["rest"].split(" ")
        options = _OPTIONS["cypher"] if words[0] == "cypher" and len(words) > 1 else _CELL
        return words[-1], _beginning(words[-1], options)
    if cell is not None:
        return _in_query(text, known) if cell["rest"].split()[:1] == ["cypher"] else None
    line = _LINE.match(text.rpartition("\n")[2])
    if line is None:
        return None
    words = line["rest"].split(" ")
    if len(words) == 1:
        return words[0], _beginning(words[0], (*OWN, *QUESTIONS))
    if words[0] not in QUESTIONS:
        return words[-1], _beginning(words[-1], _OPTIONS.get(words[0], ()))
    if words[-1].startswith("-"):
        return words[-1], _beginning(words[-1], (*_OPTIONS.get(words[0], ("--into",)), "--help"))
    if words[-2] == "--into":
        return words[-1], _beginning(words[-1], (INTO,))
    return words[-1], _paths(words[-1], known)


def _in_query(text: str, known: Callable[[str], Sequence[str]]) -> tuple[str, list[str]]:
    property_key = re.search(r"\b[A-Za-z_]\w*\.(\w*)\Z", text)
    if property_key:
        return property_key[1], _beginning(property_key[1], known(_KEYS))
    label = re.search(r"[\w(\[]:(\w*)\Z", text)
    if label:
        return label[1], _beginning(label[1], known(_LABELS))
    path = re.search(r"['\"]([^'\"\n]*)\Z", text)
    if path and (text.count("'") % 2 or text.count('"') % 2):
        return path[1], _paths(path[1], known)
    word = re.search(r"[A-Za-z]*\Z", text)
    typed = word[0] if word else ""
    return typed, _beginning(typed.upper(), _WORDS.split()) if typed else []


def _paths(typed: str, known: Callable[[str], Sequence[str]]) -> list[str]:
    """Recorded paths, from where the notebook stands; ``n.ipynb:NAME`` among them."""
    folder = _from_root()
    here = [path[len(folder) :] for path in known(_PATHS) if path.startswith(folder)]
    above = [path for path in known(_PATHS) if folder and not path.startswith(folder)]
    return _beginning(typed, [*here, *above])


def _from_root() -> str:
    from provgraph.client import project_root

    root, here = project_root(), os.path.realpath(os.getcwd())
    return here[len(root) + 1 :] + "/" if root and here.startswith(root + "/") else ""


def _beginning(typed: str, words: Sequence[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word.startswith(typed)][:SHOWN]


def add_matcher(shell: Any) -> None:
    """Complete in one shell; nothing where its IPython has no matchers."""
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:
        return
    known = Known()

    @context_matcher()  # type: ignore[untyped-decorator, unused-ignore]
    def provdb_matcher(context: Any) -> Any:
        try:
            lines = context.full_text.splitlines(keepends=True)[: context.cursor_line]
            found = candidates("".join(lines) + context.text_until_cursor, known)
        except Exception:  # a completion that fails is none
            found = None
        if found is None:
            return {"completions": [], "suppress": False}
        typed, words = found
        completions = [SimpleCompletion(text=word, type="provdb") for word in words]
        return {"completions": completions, "matched_fragment": typed, "suppress": bool(words), "ordered": True}

    shell.Completer.custom_matchers.append(provdb_matcher)


def remove_matcher(shell: Any) -> None:
    """Complete no longer."""
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", [])
    matchers[:] = [one for one in matchers if getattr(one, "__name__", "") != "provdb_matcher"]
