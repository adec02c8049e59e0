"""The words after ``%%provdb`` and ``%provdb on``, and which cells are to be recorded."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAGIC = re.compile(r"\s*%%provdb(?![\w-])[ \t]*(?P<rest>[^\n]*)")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d+)?([eE][+-]?\d{1,2})?")
_LINE_MAGIC = re.compile(r"\s*%provdb(?![\w-])")


class WrongWordsError(ValueError):
    """What is wrong with what was typed, and what to type instead."""


@dataclass
class CellOptions:
    """How a cell is recorded."""

    name: str | None = None
    note: str | None = None
    tags: dict[str, object] = field(default_factory=dict)
    notebook: str | None = None


def words_of(line: str) -> list[str]:
    """The words of a line, as a shell takes them.

    Raises:
        WrongWordsError: a quotation mark is missing.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise WrongWordsError(f"{line.strip()!r}: {str(error).lower()}") from error


def parse(words: Sequence[str], usage: str, *, notebook: bool = False) -> CellOptions:
    """``--name NAME``, ``--tag KEY=VALUE`` and ``--note TEXT``; with ``notebook``, ``--tag`` and ``--notebook FILE``.

    Raises:
        WrongWordsError: any other word.
    """
    found, waiting = CellOptions(), list(words)
    allowed = ("--tag", "--notebook") if notebook else ("--name", "--tag", "--note")
    while waiting:
        word = waiting.pop(0)
        option, equals, value = word.partition("=")
        if option not in allowed:
            raise WrongWordsError(f"{word!r} is none of {', '.join(allowed)}; {usage}")
        if not equals:
            if not waiting:
                raise WrongWordsError(f"{option} needs a value; {usage}")
            value = waiting.pop(0)
        if option == "--tag":
            key, equals, text = value.partition("=")
            if not equals or not key:
                raise WrongWordsError(f"--tag {value!r} is not KEY=VALUE; {usage}")
            found.tags[key] = scalar(text)
        else:
            setattr(found, option[2:], value)
    return found


def scalar(text: str) -> object:
    """A value as ``provdb run --tag`` takes it: JSON where it is a number, true or false; else text."""
    if text in ("true", "false") or _NUMBER.fullmatch(text):
        return json.loads(text)
    return text


CELL_USAGE = "%%provdb [--name NAME] [--tag KEY=VALUE] [--note TEXT] records this cell, %%provdb cypher asks"


def cell_options(source: str, *, on: bool) -> CellOptions | None:
    """How a cell is to be recorded; None where it is not.

    A cell that asks ``provdb`` and does nothing else is none that makes anything.
    """
    magic = MAGIC.match(source)
    if magic is not None:
        try:
            words = words_of(magic["rest"])
            return None if words[:1] == ["cypher"] else parse(words, CELL_USAGE)
        except WrongWordsError:
            return None  # the magic itself will say so
    if not on:
        return None
    lines = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return CellOptions() if any(not _LINE_MAGIC.match(line) for line in lines) else None


def without_magic(source: str) -> str:
    """The cell below ``%%provdb``: its line becomes a comment, or goes where another magic stands below it."""
    lines = source.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None or cell_options(source, on=False) is None:
        return source
    below = "".join(lines[first + 1 :])
    if below.lstrip().startswith("%%"):
        return below.lstrip()
    return "".join(lines[:first]) + "# " + lines[first].lstrip() + below


def transformed(lines: list[str]) -> list[str]:
    """``without_magic`` for IPython's transformers of cells, which work on lines."""
    source = "".join(lines)
    if not MAGIC.match(source):
        return lines
    return without_magic(source).splitlines(keepends=True)
