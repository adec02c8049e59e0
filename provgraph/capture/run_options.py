"""The options of ``provdb run``, parsed by hand: the wrapping path imports no argument parser."""

from __future__ import annotations

import os

from provgraph.capture.command import say
from provgraph.capture.prefix import Options
from provgraph.client.settings import METHODS

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Callable
    from typing import NoReturn

    Tags = Callable[[list[str]], dict[str, object]]

_USAGE_STATUS = 2
_WITH_VALUE = ("--name", "--tag", "--note", "--capture")


def parse(argv: list[str], tags: Tags) -> tuple[Options, list[str]]:
    """What stands after ``provdb run``: the options and the command. Ends with status 2 where they make no sense.

    Parameters:
        tags: makes properties of ``KEY=VALUE`` words; called where there are any, and may raise.
    """
    options = Options()
    rest, pairs = list(argv), list[str]()
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        if word == "-c":
            options.line = True
            break
        name, equals, value = word.partition("=")
        if name == "--keep-output" and not equals:
            options.keep_output = True
            continue
        if name not in _WITH_VALUE:
            _refuse(f"run: unknown option {name}; see `provdb run --help`")
        if not equals:
            if not rest:
                _refuse(f"run: {name} needs a value")
            value = rest.pop(0)
        if name == "--tag":
            pairs.append(value)
        else:
            _take(options, name, value)
    if pairs:
        try:
            options.tags = tags(pairs)
        except Exception as error:  # what it says is for the user, whoever raised it
            _refuse(f"run: --tag: {error}")
    if not rest:
        _refuse("run: no command; try: provdb run -- CMD ARGS…")
    return options, rest


def _take(options: Options, name: str, value: str) -> None:
    if name == "--name":
        options.name = value
    elif name == "--note":
        options.note = value
    elif value not in METHODS:
        _refuse(f"run: --capture takes one of {', '.join(METHODS)}, not {value!r}")
    else:
        options.method = value


def _refuse(message: str) -> NoReturn:
    say(message)
    os._exit(_USAGE_STATUS)
