"""The ``provdb`` command's questions: one module for each, imported when it is asked for."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from provgraph.cli.words import AVAILABLE, LATER
from provgraph.errors import ProvGraphError, StoreError

HELP = """\
Run a command and record what it read and wrote; ask where files came from.

\b
provdb python train.py        runs and records any command
provdb lineage model.pkl      asks; the words that ask are listed below
"""
EPILOG = """\
Any other first word is a command to run and record.
`provdb -c 'a | b && c'` takes a shell line, `provdb run -- log` a command whose name is a word above.
"""


class LazyGroup(click.Group):
    """Knows its commands by name, and imports the module of one when that one is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(AVAILABLE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in AVAILABLE:
            return None
        found: click.Command = import_module(f"provgraph.cli.{cmd_name.replace('-', '_')}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(AVAILABLE.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        for line in EPILOG.splitlines():
            formatter.write(f"{line}\n")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in LATER:
            raise click.UsageError(
                f"`{args[0]}` ({LATER[args[0]]}) comes with a later version; "
                f"a program of that name runs with `provdb run -- {args[0]} …`",
                ctx,
            )
        if args[0] not in AVAILABLE:
            raise click.UsageError(f"{args[0]!r} is no command of provdb's", ctx)
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from provgraph import __version__

        click.echo(f"provdb {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    help=HELP,
    options_metavar="[--version]",
    subcommand_metavar="COMMAND ARGUMENTS…",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Print the version."
)
def app() -> None:
    """The group that every command hangs on."""


def main(argv: Sequence[str] | None = None) -> int:
    """Answer one question; returns the exit status: 0 found, 1 nothing found, 2 a wrong question, 3 no store."""
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        _say_which(words[0])
        status = app.main(args=words, prog_name="provdb", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        _complain(error.format_message().replace("\n\t", " "), _usage_hint(error))
        return 2
    except (click.Abort, KeyboardInterrupt):
        return 130
    except ProvGraphError as error:
        _complain(str(error))
        return error.exit_status
    except (BrokenPipeError, SystemExit):  # whoever read has seen enough; click makes an exit of it
        _let_go_of_stdout()
        return 0
    except OSError as error:  # the disk, most likely: full, read-only, or gone
        _complain(_os_failure(error))
        try:
            sys.stdout.flush()
        except OSError:
            _let_go_of_stdout()
        return StoreError.exit_status
    except Exception:  # noqa: BLE001 - else Python ends with 1, which says that nothing was found
        import traceback

        traceback.print_exc()
        _complain("this is a mistake in provdb, not in what you typed; please report it with the lines above")
        return StoreError.exit_status
    return status if isinstance(status, int) else 0


def _open_streams() -> None:
    """A standard stream that was closed reads and writes nothing; its number must not become another file's."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - open until the process ends


def _let_go_of_stdout() -> None:
    """What is left to be written is lost: Python must not try it again, and complain, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _os_failure(error: OSError) -> str:
    try:
        os.getcwd()
    except OSError:
        return "the folder that you are in is not there any more; `cd` into one that is"
    return f"{error.strerror or error}" + (f": {os.fsdecode(error.filename)}" if error.filename else "")


def _complain(message: str, hint: str = "") -> None:
    from provgraph.render.text import printable

    click.echo(f"provdb: {printable(message)}{hint}", err=True)


def _usage_hint(error: click.ClickException) -> str:
    context: Any = getattr(error, "ctx", None)
    return "" if context is None else f" (`{context.command_path} --help` explains)"


def _say_which(word: str) -> None:
    """Where a word of provdb's is also a program, say which of the two runs."""
    if word not in AVAILABLE:
        return
    from shutil import which

    found = which(word)
    if found is not None:
        click.echo(f"provdb: this is provdb's own `{word}`; `provdb run -- {word} …` runs {found}", err=True)
