"""Asking the ``provdb`` process: the kernel itself holds no store, and its Python may be too old for one."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass

from provgraph.magics.commands import provdb_words
from provgraph.magics.questions import FACES, PICTURES, TEXTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_HINT = "provdb: this is provdb's own"
_NOTHING_FOUND = 1


class AskingError(Exception):
    """One line: what is wrong with a question, and what to type next."""


@dataclass
class Reply:
    """What ``provdb`` said.

    Attributes:
        document: the parsed ``--json``, or None where only text was asked for.
        svg: the picture, or None.
        text: standard output, where there is no document.
        notes: lines on standard error.
    """

    question: list[str]
    document: dict[str, Any] | None = None
    svg: str | None = None
    text: str = ""
    notes: tuple[str, ...] = ()


class Asker:
    """Asks one installed ``provdb``."""

    def __init__(self) -> None:
        self._words = provdb_words()

    def ask(self, words: Sequence[str], given: str | None = None) -> Reply:
        """Ask a question.

        Parameters:
            words: as after ``provdb``.
            given: what it reads on standard input.
        Raises:
            AskingError: the question is wrong, or there is no provdb or no project to ask.
        """
        if not self._words:
            raise AskingError("no provdb to ask: install it with `uv tool install provgraph`, or put it on PATH")
        reply = Reply(list(words))
        plain = any(word.split("=")[0] in FACES for word in words) or words[0] in TEXTS
        asked = [list(words)] if plain else [[*words, "--json"]]
        if words[0] in PICTURES and not plain:
            asked.append([*words, "--svg", "-"])
        processes = [self._start(one, given is not None) for one in asked]
        try:
            said = [process.communicate(given) for process in processes]
        except BaseException:
            for process in processes:
                process.kill()
                process.wait()
            raise
        notes = _notes(said[0][1])
        if processes[0].returncode not in (0, _NOTHING_FOUND):
            raise AskingError(_one_line(said[0][1]) or f"provdb {words[0]} ended with {processes[0].returncode}")
        if len(said) > 1 and processes[1].returncode == 0:
            reply.svg = said[1][0]
        if plain or not said[0][0].lstrip().startswith("{"):
            reply.text = said[0][0]
        else:
            reply.document = json.loads(said[0][0])
        reply.notes = tuple(notes)
        return reply

    def _start(self, words: Sequence[str], reads: bool) -> subprocess.Popen[str]:
        environment = {**os.environ, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
        for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"):  # the kernel's, not that of the program
            environment.pop(name, None)
        try:
            return subprocess.Popen(
                [*self._words, *words],
                stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise AskingError(f"{self._words[0]} cannot be run: {error.strerror}") from error


def _notes(text: str) -> list[str]:
    lines = [line.removeprefix("provdb: ") for line in text.splitlines()]
    return [line for line in lines if line.strip() and not f"provdb: {line}".startswith(_HINT)]


def _one_line(text: str) -> str:
    """The line that says what is wrong: the last one that is provdb's own."""
    own = [line for line in text.splitlines() if line.startswith("provdb: ") and not line.startswith(_HINT)]
    if own:
        return own[-1][len("provdb: ") :]
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
