"""``provdb client``."""

from typing import TYPE_CHECKING

import click

from provgraph.cli.output import NOTHING_FOUND, json_option, note, print_json, say

if TYPE_CHECKING:
    from provgraph.session.client_install import Client

_STATES = {
    "own": "has ProvGraph of its own",
    "installed": "finds the client",
    "stale": "has the client of an installation that is gone",
    "absent": "does not find the client",
}


@click.group()
def command() -> None:
    """Let programs of other interpreters record from within: `provgraph.activity`, and the magics of notebooks.

    PYTHON is an interpreter by its path or its name on PATH, or the folder of a virtual environment. Programs that
    `provdb` runs with a Python of theirs find the client anyway; this is for those that run without it.
    """


@command.command()
@click.argument("python", metavar="PYTHON")
@click.option("--user", is_flag=True, help="Into your own site-packages instead of the interpreter's.")
@json_option
def install(python: str, user: bool, as_json: bool) -> int:
    """Make the client importable there.

    Writes one file into site-packages, provgraph_client.pth, and nothing else.
    """
    from provgraph.session.client_install import install

    return _answer(install(python, user=user), as_json)


@command.command()
@click.argument("python", metavar="PYTHON", default="python3")
@json_option
def status(python: str, as_json: bool) -> int:
    """Whether an interpreter finds the client.

    Where none is named, python3.
    """
    from provgraph.session.client_install import status

    return _answer(status(python), as_json)


@command.command()
@click.argument("python", metavar="PYTHON")
@json_option
def remove(python: str, as_json: bool) -> int:
    """Take the .pth away again."""
    from provgraph.session.client_install import remove

    _answer(remove(python), as_json)
    return 0


def _answer(found: "Client", as_json: bool) -> int:
    if as_json:
        print_json(found.to_json())
    else:
        say(f"{found.python} (Python {found.version}) {_STATES[found.state]}")
        for what in (found.pth, found.place):
            if what:
                say(f"  {what}")
    note(found.notes)
    return 0 if found.state in ("own", "installed") else NOTHING_FOUND
