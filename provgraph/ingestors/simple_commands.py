"""The simple commands in an activity's words: those of a shell line each for itself, without redirections."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from provgraph.ingestors import posix, posix_table

_LINE: Final = 1 << 16
_COMMANDS: Final = 100
_OPERATOR: Final = re.compile(r"[|&;()<>\n]+\Z")
_REDIRECTION: Final = re.compile(r"&?(?:<<<|<<|<>|<&|<|>>|>&|>\||>)&?\Z")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=", re.ASCII)
_WORDS_OF_THE_SHELL: Final = frozenset(
    "if then else elif fi for while until do done case esac in { } ! time exec command builtin".split()
)


class SimpleCommand(NamedTuple):
    """One command: what runs (without wrappers such as ``nohup``), and all its words."""

    utility: str
    argv: list[str]


def simple_commands(argv: Sequence[str]) -> list[SimpleCommand]:
    """Those of a command's words: the one that they are, or those of the line that they give a shell.

    Cautious: words that only the shell could tell (``$X``, ``$(…)``) stay as they are written; a line that cannot be
    told apart has none.
    """
    line = _line(argv)
    if line is None:
        return [_command(list(argv))] if argv else []
    return [_command(words) for words in _split(line)][:_COMMANDS]


def _command(words: list[str]) -> SimpleCommand:
    return SimpleCommand(posix.annotate(words).utility, words)


def _line(argv: Sequence[str]) -> str | None:
    """The line that a shell was given by ``-c``."""
    if len(argv) < 3 or os.path.basename(argv[0]) not in posix_table.SHELLS:
        return None
    if not re.fullmatch(r"-[a-z]*c[a-z]*", argv[1]):
        return None
    return argv[2][:_LINE]


def _split(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError:
        return  # a quote that does not end
    words: list[str] = []
    skip = False
    for token in [*tokens, ";"]:
        if skip:
            skip = False
        elif _REDIRECTION.match(token):
            if words and words[-1].isdigit() and f"{words[-1]}{token}" in line:
                words.pop()  # 2> file
            skip = True
        elif _OPERATOR.match(token):
            if words:
                yield words
            words = []
        elif words or not (token in _WORDS_OF_THE_SHELL or _ASSIGNMENT.match(token)):
            words.append(token)
