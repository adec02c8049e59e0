"""The console script: decides between a command to wrap and a question to answer, and imports only what that needs."""

from __future__ import annotations

import sys

from provgraph.cli.words import RESERVED


def main() -> int | None:
    """Carry out ``provdb``; returns the exit status of a question. Wrapping a command never returns."""
    argv = sys.argv[1:]
    first = argv[0] if argv else ""
    if first == "--":  # as after `env --`: what follows is a command, whatever its name
        from provgraph.capture.prefix import run

        return run(argv, _tags)
    if first == "run" and not {"--help", "-h"} & {*argv[1 : argv.index("--") if "--" in argv else 2]}:
        from provgraph.capture.prefix import run

        return run(argv[1:], _tags)
    if not argv or first in RESERVED or (first.startswith("-") and first != "-c"):
        from provgraph.cli.app import main as ask

        return ask()
    from provgraph.capture.prefix import main as wrap

    return wrap(argv)


def _tags(words: list[str]) -> dict[str, object]:
    from provgraph.session.values import tags

    return tags(words)
