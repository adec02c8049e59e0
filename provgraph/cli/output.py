"""What the commands print: answers on standard output, notes on standard error."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Literal

import click

from provgraph.render.text import Page, page, printable
from provgraph.render.times import Clock

NOTHING_FOUND = 1


def stdout_page(columns: int | None = None) -> Page:
    """The page that standard output is: the terminal's width there, else as wide as it likes."""
    terminal = sys.stdout.isatty()
    if columns is None:
        given = os.environ.get("COLUMNS", "")
        columns = shutil.get_terminal_size((80, 24)).columns if terminal or given.isdigit() else 200
    return page(terminal, os.environ, columns)


def clock(style: Literal["local", "relative", "utc"] = "local") -> Clock:
    """The present, and how times are shown."""
    return Clock(datetime.now(UTC), style)


def say(text: str) -> None:
    """Print an answer."""
    click.echo(text)


def note(notes: Iterable[str]) -> None:
    """Print what is worth knowing about an answer, on standard error."""
    for text in notes:
        click.echo(f"provdb: {printable(text)}", err=True)


def print_json(document: Mapping[str, Any]) -> None:
    """Print a document, piece by piece."""
    from provgraph.render.json_text import json_chunks

    for chunk in json_chunks(document):
        sys.stdout.write(chunk)


def progress(text: str) -> None:
    """Say what is being waited for."""
    click.echo(f"provdb: {printable(text)}", err=True)


Command = Callable[..., Any]


def json_option(command: Command) -> Command:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print a JSON document (schemas/).")(command)


def times_option(command: Command) -> Command:
    """``--times``, handed over as a ready ``Clock``."""

    @click.option(
        "--times",
        type=click.Choice(["local", "relative", "utc"]),
        default="local",
        show_default=True,
        help="How times are shown.",
    )
    @wraps(command)
    def with_clock(*args: Any, times: Literal["local", "relative", "utc"], **more: Any) -> Any:
        return command(*args, clock=clock(times), **more)

    return with_clock


def width_option(command: Command) -> Command:
    """``--width``."""
    return click.option(
        "--width", "columns", type=click.IntRange(20), metavar="N", help="Columns; the terminal's by default."
    )(command)
