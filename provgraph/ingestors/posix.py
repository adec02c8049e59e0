"""The default ingestor: what the words of any command are, after the POSIX utility syntax guidelines (XBD 12.2).

A table tells which options of the POSIX utilities take an argument. For all others the rules are guesses that fit
nearly all programs: ``--name=value``; ``--name value`` unless the name is that of a switch or a minus sign follows;
``-n 5`` where the next word is a number or the letter usually has an argument.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from typing import Any, NamedTuple

from provgraph.ingestors import posix_table as table
from provgraph.plugins import hookimpl

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\Z|\d[\d,-]*\Z")  # or a list of them
_NEGATIVE_NUMBER = re.compile(r"-(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\Z")
_VERSIONED = re.compile(r"(?P<name>[A-Za-z]+?)(?:-?\d+(?:\.\d+)*)?(?:\.exe)?\Z")
_SHELL_SYNTAX = re.compile(r"[|&;<>()$`\\\n*?\[#~{}!]")
_OLD_TAR = re.compile(r"[Acdrtux][A-Za-z]*\Z")


class Option(NamedTuple):
    """One option as it is written (``-k``, ``--lr``), and its argument or None."""

    name: str
    argument: str | None


class Annotation(NamedTuple):
    """What the words of a command are.

    ``wrappers`` ran the utility (``env``, ``nohup``); ``script`` is what an interpreter was given, and the options and
    operands are then the script's. ``unparsed`` says why the words could not be told apart, else "".
    """

    utility: str
    options: list[Option]
    operands: list[str]
    script: str | None = None
    unparsed: str = ""
    wrappers: tuple[str, ...] = ()

    def properties(self) -> dict[str, Any]:
        """The annotation as an activity's properties; an option and its argument are one text."""
        found: dict[str, Any] = {
            "utility": self.utility,
            "options": [name if argument is None else f"{name} {argument}" for name, argument in self.options],
            "operands": self.operands,
        }
        if self.script is not None:
            found["script"] = self.script
        if self.wrappers:
            found["wrappers"] = list(self.wrappers)
        if self.unparsed:
            found["unparsed"] = self.unparsed
        return found


def annotate(argv: Sequence[str]) -> Annotation:
    """Tell the words of a command apart. Never raises; cost: 20 µs."""
    words, wrappers = list(argv), []
    while words:
        inner = _unwrapped(words) or _launched(words)
        if not inner:
            break
        wrappers.append(os.path.basename(words[0]))
        words = inner
    if not words or not words[0]:
        return Annotation("", [], words[1:], unparsed="no command", wrappers=tuple(wrappers))
    return _annotate(words)._replace(wrappers=tuple(wrappers))


@hookimpl
def provgraph_annotate(argv: Sequence[str], cwd: str) -> dict[str, Any]:  # noqa: ARG001 - the hook's signature
    """Properties of any command: utility, options, operands, script."""
    return annotate(argv).properties()


def _unwrapped(words: list[str]) -> list[str]:
    """The command that a wrapper runs; [] where this is none, or runs nothing."""
    name = os.path.basename(words[0])
    if len(words) > 1 and (name, words[1]) in table.RUNNERS:
        return _after_runner(words[2:])
    if name in table.SHELLS and len(words) == 3 and words[1] == "-c" and not _SHELL_SYNTAX.search(words[2]):
        try:
            inner = shlex.split(words[2])
        except ValueError:
            return []
        return [] if not inner or _ASSIGNMENT.match(inner[0]) else inner
    if name not in table.WRAPPERS:
        return []
    letters, before = table.WRAPPERS[name]
    at = 1
    while at < len(words):
        word = words[at]
        if word == "--":
            at += 1
            break
        if _is_option(word):
            _, used = _option_at(words, at, _arguments_of(letters), frozenset())
            if name == "command" and word[1:2] in {"v", "V"}:
                return []
            at += used
        elif (name == "env" and _ASSIGNMENT.match(word)) or before:
            before -= not _ASSIGNMENT.match(word)
            at += 1
        else:
            break
    return words[at:]


def _launched(words: list[str]) -> list[str]:
    """The program that ``mpirun`` and its like start several times; [] where this is none of them."""
    name = os.path.basename(words[0])
    if name not in table.LAUNCHERS:
        return []
    letters, at = _arguments_of(table.LAUNCHERS[name]), 1
    while at < len(words) and _is_option(words[at]):
        at += _option_at(words, at, letters, frozenset())[1]
    return words[at:]


def _after_runner(words: list[str]) -> list[str]:
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        at += 2 if words[at] in table.RUNNER_OPTIONS else 1
    return words[at + 1 :] if words[at : at + 1] == ["--"] else words[at:]


def _annotate(words: list[str]) -> Annotation:
    utility = os.path.basename(words[0])
    versioned = _VERSIONED.match(utility)
    family = versioned["name"] if versioned else utility
    if utility == "find":
        return _find(words)
    if utility in table.WITHOUT_OPTIONS:
        return Annotation(utility, [], words[1:])
    if utility == "tar" and len(words) > 1 and _OLD_TAR.match(words[1]):
        words = [words[0], "-" + words[1], *words[2:]]
        return _old_tar(words)
    if family in table.INTERPRETERS or utility in table.INTERPRETERS:
        return _interpreted(words, family if family in table.INTERPRETERS else utility)
    options, operands = _split(words[1:], utility)
    return Annotation(utility, options, operands)


def _arguments_of(letters: str) -> dict[str, str]:
    """Each letter of an option string with "", ":" or "::"."""
    return {match[1]: match[2] for match in re.finditer(r"(.)(:{0,2})", letters)}


def _is_option(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and word != "--" and not _NEGATIVE_NUMBER.match(word)


def _split(words: list[str], utility: str) -> tuple[list[Option], list[str]]:
    """Options and operands, options also behind operands, as GNU and argparse take them; ``--`` ends them."""
    known = table.UTILITIES.get(utility)
    letters = None if known is None else _arguments_of(known)
    long_names = table.LONG_WITH_ARGUMENT.get(utility, frozenset())
    options: list[Option] = []
    operands: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            operands += words[at + 1 :]
            break
        if not _is_option(word) and not (letters is not None and _NEGATIVE_NUMBER.match(word)):
            operands.append(word)
            at += 1
            continue
        found, used = _option_at(words, at, letters, long_names)
        options += found
        at += used
    return options, operands


def _option_at(
    words: Sequence[str], at: int, letters: dict[str, str] | None, long_names: frozenset[str]
) -> tuple[list[Option], int]:
    """The options in one word, and how many words they take."""
    word = words[at]
    following = words[at + 1] if at + 1 < len(words) else None
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        if equals:
            return [Option(name, value)], 1
        wanted = name[2:] in long_names if letters is not None else _takes_next(name[2:], following)
        return ([Option(name, following)], 2) if wanted and following is not None else ([Option(name, None)], 1)
    if letters is None:
        return _unknown(word, following)
    if _NEGATIVE_NUMBER.match(word) and word[1] not in letters:
        return [Option(word, None)], 1  # head -20, kill -9
    options: list[Option] = []
    for index, letter in enumerate(word[1:], 2):
        kind, rest = letters.get(letter, ""), word[index:]
        if kind == ":" and not rest:
            return [*options, Option(f"-{letter}", following)], 2 if following is not None else 1
        if kind and (rest or kind == ":"):
            return [*options, Option(f"-{letter}", rest)], 1
        options.append(Option(f"-{letter}", None))
    return options, 1


def _takes_next(name: str, following: str | None) -> bool:
    """Whether the long option of an unknown utility takes the next word."""
    if following is None or _is_option(following) or following == "--":
        return False
    return name not in table.SWITCHES and not name.startswith(("no-", "no_", "enable-", "disable-", "use-", "use_"))


def _unknown(word: str, following: str | None) -> tuple[list[Option], int]:
    """A word with a single minus sign of an unknown utility: not bundled, since ``-lr 0.1`` is as frequent."""
    name, equals, value = word.partition("=")
    if equals:
        return [Option(name, value)], 1
    if following is not None and not _is_option(following) and following != "--":
        usual = len(word) == 2 and word[1] in table.USUAL_WITH_ARGUMENT
        if usual or _NUMBER.match(following):
            return [Option(word, following)], 2
    return [Option(word, None)], 1


def _interpreted(words: list[str], family: str) -> Annotation:
    """An interpreter and its script: what follows the script belongs to it."""
    letters, ends = table.INTERPRETERS[family]
    arguments = _arguments_of(letters)
    utility = os.path.basename(words[0])
    options: list[Option] = []
    at = 1
    while at < len(words) and _is_option(words[at]):
        found, used = _option_at(words, at, arguments, frozenset())
        options += found
        at += used
        if found[-1].name[1:] in ends or (family in table.SHELLS and any(option.name == "-c" for option in found)):
            break
    rest = words[at + (words[at : at + 1] == ["--"]) :]
    given = next((option for option in options if option.name in {"-c", "-m", "-e"} and option.argument), None)
    if given is not None and given.name == "-m":
        inner_options, operands = _split(rest, "")
        return Annotation(utility, [*options[:-1], *inner_options], operands, script=given.argument)
    if family in table.SHELLS and any(option.name == "-c" for option in options):
        return Annotation(utility, [*options[:-1], Option("-c", rest[0] if rest else None)], rest[1:])
    if given is not None or not rest or rest[0] == "-":
        return Annotation(utility, options, rest)
    inner_options, operands = _split(rest[1:], "")
    return Annotation(utility, options + inner_options, operands, script=rest[0])


def _old_tar(words: list[str]) -> Annotation:
    """``tar czf out.tgz folder``: the arguments of bundled letters follow in their order."""
    letters, rest = _arguments_of(table.UTILITIES["tar"]), words[2:]
    options = [Option(f"-{letter}", rest.pop(0) if letters.get(letter) and rest else None) for letter in words[1][1:]]
    more, operands = _split(rest, "tar")
    return Annotation("tar", options + more, operands)


def _find(words: list[str]) -> Annotation:
    """``find``: operands come first, then an expression whose primaries look like options."""
    at = 1
    options: list[Option] = []
    operands: list[str] = []
    while at < len(words):
        word = words[at]
        if word in table.FIND_COMMANDS:
            end = next((i for i in range(at + 1, len(words)) if words[i] in {";", "+"}), len(words))
            options.append(Option(word, shlex.join(words[at + 1 : end])))
            at = end + 1
        elif word in table.FIND_WITH_ARGUMENT and at + 1 < len(words):
            options.append(Option(word, words[at + 1]))
            at += 2
        else:
            if _is_option(word) or word in {"!", "(", ")", ","}:
                options.append(Option(word, None))
            else:
                operands.append(word)
            at += 1
    return Annotation("find", options, operands)
