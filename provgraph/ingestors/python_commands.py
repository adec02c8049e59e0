"""Python's commands: which module, and what the script was told, as ``param_*``.

Cautious: a word counts as a parameter only where it looks like one to ``argparse`` (``--lr 0.1``, ``--lr=0.1``,
``-e 5``, ``--resume``) or to Hydra (``lr=0.1``, ``+trainer.epochs=5``). All words are in ``argv`` anyway.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from provgraph.ingestors import posix_table
from provgraph.ingestors.port import Findings, Match, Moment, Occurrence
from provgraph.ingestors.simple_commands import simple_commands

_PYTHON: Final = r"python[\d.]*|pypy[\d.]*|ipython[\d.]*"
_LAUNCHERS: Final = r"torchrun|accelerate|deepspeed"
_TOOLS: Final = frozenset(
    """pip venv ensurepip pytest unittest doctest coverage build twine http json timeit site zipfile tarfile compileall
    cProfile profile pdb trace py_compile pydoc IPython jupyter notebook ipykernel ruff mypy black isort flake8 pylint
    sphinx tox nox pre_commit poetry pdm hatch uv setuptools""".split()
)
"""Modules whose options say nothing of an experiment."""
_PARAMETERS: Final = 200
_VALUE: Final = 1_000
_NUMBER: Final = re.compile(
    r"-?(?:0|[1-9]\d{0,300})(?:\.\d*)?(?:[eE][-+]?\d{1,3})?|-?\.\d+(?:[eE][-+]?\d{1,3})?", re.ASCII
)
_EXPANDED: Final = re.compile(r"\$[\w({]|`")
"""What the shell put something else for, in a line that is known only as it was written."""
_NAME: Final = re.compile(r"[A-Za-z][\w.-]{0,100}", re.ASCII)
_HYDRA: Final = re.compile(r"\+{0,2}(?P<name>[A-Za-z_][\w.-]{0,100})=(?!=)(?P<value>.*)", re.ASCII | re.DOTALL)


class PythonCommand:
    """Reads the words of Python commands."""

    name = "python"
    version = "1"
    moment = Moment.BEFORE
    match = Match(command=rf"(?:^|[\s/(|;&])(?:{_PYTHON}|{_LAUNCHERS})\s|\.py\b")
    description = "Python: the module, and options like --lr 0.1 as param_lr"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """Properties of the activity."""
        findings = Findings()
        told: dict[str, Any] = {}
        for command in simple_commands(occurrence.activity.argv):
            if not re.fullmatch(rf"{_PYTHON}|{_LAUNCHERS}|.*\.py", command.utility):
                continue
            module, words = script_words(command.argv, command.utility)
            if module is not None:
                findings.activity(module=module)
            if words is not None and (module or "").partition(".")[0] not in _TOOLS:
                said = dict(parameters(words))
                differ = {name for name in said if name in told and told[name] != said[name]}
                told = {name: value for name, value in {**said, **told}.items() if name not in differ}
        findings.activity(**{f"param_{name}": value for name, value in list(told.items())[:_PARAMETERS]})
        return findings.to_json()


def script_words(argv: Sequence[str], utility: str) -> tuple[str | None, list[str] | None]:
    """(the module that ``-m`` runs, the words that the program in Python was given); None where there is none."""
    at = next((i for i, word in enumerate(argv) if os.path.basename(word) == utility), None)
    if at is None:
        return None, None
    rest = list(argv[at + 1 :])
    if utility.endswith(".py"):
        return None, rest
    if re.fullmatch(_LAUNCHERS, utility):
        script = next((i for i, word in enumerate(rest) if word.endswith(".py")), None)
        return None, None if script is None else rest[script + 1 :]
    letters = posix_table.INTERPRETERS["python"][0]
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        word = rest.pop(0)
        if word.startswith("--"):
            if word == "--":
                break
            continue
        for place, letter in enumerate(word[1:], 2):
            if letters.partition(letter)[2].startswith(":"):
                value = word[place:] or (rest.pop(0) if rest else "")
                if letter == "m":
                    return value or None, rest
                if letter == "c":
                    return None, None
                break
    return (None, rest[1:]) if rest and rest[0] != "-" else (None, None)


def parameters(words: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Names and values; a name that is there several times has a list."""
    found: dict[str, list[Any]] = {}
    for name, value in _pairs(words):
        found.setdefault(name.replace("-", "_"), []).append(value)
    for name, values in found.items():
        if not any(isinstance(value, str) and _EXPANDED.search(value) for value in values):
            yield name, values[0] if len(values) == 1 else _list(values)


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, Any]]:
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            return
        if not word.startswith("-") or _NUMBER.fullmatch(word):
            hydra = _HYDRA.fullmatch(word)
            if hydra is not None:
                yield hydra["name"], _typed(hydra["value"])
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not _NAME.fullmatch(name):
            continue
        if equals:
            yield name, _typed(value)
            continue
        values = _values(words[at:], name, long=word.startswith("--"))
        at += len(values)
        yield name, True if not values else _typed(values[0]) if len(values) == 1 else _list(map(_typed, values))


def _values(following: Sequence[str], name: str, *, long: bool) -> Sequence[str]:
    """The words that are an option's value: all numbers behind it, else one word where an option like this has one."""
    count = 0
    while count < len(following) and _NUMBER.fullmatch(following[count]):
        count += 1
    if count:
        return following[:count]
    if not following or following[0].startswith("-") or _HYDRA.fullmatch(following[0]):
        return ()
    switch = name in posix_table.SWITCHES or name.startswith(("no-", "no_", "enable-", "disable-", "use-", "use_"))
    takes = not switch if long or len(name) > 1 else name in posix_table.USUAL_WITH_ARGUMENT
    return following[:1] if takes else ()


def _typed(text: str) -> Any:
    """A number or a truth value where the word is one; else the word."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _NUMBER.fullmatch(text):
        value = float(text) if set(text) & set(".eE") else json.loads(text)
        if isinstance(value, float) or value.bit_length() < 64:
            return value if value - value == 0 else text
    return text[:_VALUE]


def _list(values: Any) -> list[Any]:
    """A list of one type; of several: all as text."""
    found = list(values)
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in found)
    return found if numbers or len({type(value) for value in found}) == 1 else [str(value) for value in found]


INGESTOR = PythonCommand()
