"""Where a question is asked: the project here, the team's server, or a graph that came as a file."""

import sys
from collections.abc import Callable
from typing import Any

import click

from provgraph.cli.output import progress
from provgraph.errors import InputError
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.graph_reader import GraphAsReader
from provgraph.session.project import Project
from provgraph.session.project import open as open_project


def project(at: str | None = None) -> Project:
    """The project here, or its share of a team's server."""
    found = open_project(at=at)
    found.progress = progress
    if sys.stdin is not None and sys.stdin.isatty():
        found.ask = _ask
    return found


def _ask(question: str) -> str:
    answer: str = click.prompt(question, hide_input=True, default="", show_default=False, err=True)
    return answer


def at_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--at``."""
    return click.option("--at", metavar="REMOTE", help="Ask at a team's server (local: here, whatever is configured).")(
        command
    )


def check_place(at: str | None, file: str | None) -> None:
    """Refuse two places at once."""
    if at is not None and file is not None:
        raise click.UsageError("either --at REMOTE or --graph FILE: a question is asked in one place")


def graph_reader(file: str) -> GraphAsReader:
    """The graph in a file (``-`` is standard input), asked like a store.

    Raises:
        InputError: the file cannot be read, or holds no graph.
    """
    try:
        if file == "-":
            text = sys.stdin.buffer.read()
        else:
            with open(file, "rb") as stream:
                text = stream.read()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    try:
        return GraphAsReader(ProvGraph.from_json(text))
    except InputError as error:
        where = "standard input" if file == "-" else file
        raise InputError(f"{where}: {error}") from error
