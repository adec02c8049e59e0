"""``provdb ingestors``."""

import sys
from collections.abc import Callable
from typing import Any

import click

from provgraph.cli.output import NOTHING_FOUND, json_option, note, print_json, say, stdout_page
from provgraph.cli.sources import project
from provgraph.render.text import printable

_WORDS = {"ignore_unknown_options": True, "allow_interspersed_args": False}
LIST = """\
All ingestors, in the order in which they run; for a command, which of them fire, and why.

\b
provdb ingestors list
provdb ingestors list -- python train.py data.csv
provdb ingestors list --generated train.log -- python train.py
provdb ingestors list --of %1

The files of a command that did not run are not known: `may` says which files an ingestor waits for. Without --used and
--generated, files that the words of the command name, and that are there, count as both. Of a command that was
recorded (--of), all files are known. Nothing is run or recorded.
"""
TEST = """\
Run an ingestor on a command line and files on the disk; print what it finds, or why it fails.

\b
provdb ingestors test loss 'python train.py > train.log'
provdb ingestors test --generated train.log loss python train.py
provdb ingestors test .provdb/ingestors/loss.py

INGESTOR is a name, or a file that holds one: that runs, whether the project is trusted or not. The command does not
run, and nothing is recorded. Without --used and --generated, files that the words of the command name count: behind >
they were generated, behind < used, all others both. Without a command, the ingestor's own test runs, tests/NAME.toml
beside it. Ends with 1 where the ingestor does not fire or finds nothing, with 2 where it fails.
"""
NEW = """\
Write an ingestor that works, and its test, to be changed into what you need.

\b
provdb ingestors new loss                    a Python file in .provdb/ingestors
provdb ingestors new loss --language sh      a program: sh, perl; any other language does the same
provdb ingestors new loss --language rule    no code: a rule in .provdb/config.toml

Where the project was trusted, it still is. After a change of yours, `provdb ingestors test` tells whether it works, and
`provdb trust .` lets it run.
"""

REPLAY = """\
Apply ingestors to commands of the past: new ones, and those that have changed since.

\b
provdb ingestors replay                all ingestors, all commands recorded on this disk
provdb ingestors replay loss --on %1   one ingestor, one command

What a newer version finds takes the place of what the older one found, which stays in the journal. The same version is
not run again. Ends with 1 where nothing changed.
"""


def _files(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--used`` and ``--generated``."""
    used = click.option("--used", multiple=True, metavar="FILE", help="A file that the command read; repeatable.")
    generated = click.option("--generated", multiple=True, metavar="FILE", help="One that it wrote; repeatable.")
    return used(generated(command))


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """What interprets commands and files: built-in ingestors, and your own.

    Without a command of its own, it lists them, as `provdb ingestors list` does.
    """
    if ctx.invoked_subcommand is None:
        ctx.exit(ctx.invoke(list_ingestors))


@command.command("list", help=LIST, context_settings=_WORDS)
@_files
@click.option("--of", metavar="REF", help="A command that was recorded, as in --of %1.")
@json_option
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- CMD…]")
def list_ingestors(
    used: tuple[str, ...] = (),
    generated: tuple[str, ...] = (),
    of: str | None = None,
    as_json: bool = False,
    words: tuple[str, ...] = (),
) -> int:
    if of is not None and words:
        raise click.UsageError("either --of REF or a command")
    with project() as here:
        found = here.ingestors.list(words, used=used, generated=generated, of=of)
        note(here.notes)
    document = found.to_json()
    if as_json:
        print_json(document)
    else:
        from provgraph.render.ingestors import listing_text

        say(listing_text(document, stdout_page()))
    for place in found.untrusted:
        note([f"{place} is not used, for the store is not trusted as it is now: look at it, then `provdb trust .`"])
    return 0 if not found.command or any(row.fires is not False for row in found.rows) else NOTHING_FOUND


@command.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """One ingestor: where it comes from, when it runs, which commands and files it is for."""
    from provgraph.session.interpreting.ingestors import Listing

    with project() as here:
        document = Listing((here.ingestors.show(name),), (), ()).to_json()
    if as_json:
        print_json(document)
        return
    from provgraph.render.ingestors import shown_text

    say(shown_text(document["ingestors"][0], stdout_page()))


@command.command("test", help=TEST, context_settings=_WORDS)
@_files
@json_option
@click.argument("ingestor")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[CMD…]")
def test(
    used: tuple[str, ...], generated: tuple[str, ...], as_json: bool, ingestor: str, words: tuple[str, ...]
) -> int:
    with project() as here:
        trial = here.ingestors.test(ingestor, words, used=used, generated=generated, say=sys.stderr.fileno())
    if as_json:
        print_json(trial.to_json())
    elif trial.findings is not None and (trial.differences is None or trial.differences):
        from provgraph.render.ingestors import findings_text

        say(findings_text(trial.findings))
    if trial.error:
        note([f"{trial.name} failed: {trial.error}"])
        return 2
    if trial.differences is not None:
        note(trial.differences)
        if not as_json:
            say(f"{trial.name}: {'its test fails' if trial.differences else 'its test passes'}")
        return 2 if trial.differences else 0
    if not trial.why:
        note([f"{trial.name} does not fire; `provdb ingestors show {trial.name}` says what it is for"])
    elif not trial.findings:
        note([f"{trial.name} fires ({trial.why}), and finds nothing"])
    return 0 if trial.findings else NOTHING_FOUND


@command.command("new", help=NEW)
@click.argument("name")
@click.option(
    "--language", type=click.Choice(["python", "sh", "perl", "rule"]), default="python", show_default=True,
    help="What it is written in.",
)  # fmt: skip
@json_option
def new(name: str, language: str, as_json: bool) -> None:
    with project() as here:
        created = here.ingestors.new(name, language)
    if as_json:
        print_json(created.to_json())
    else:
        for path in created.files:
            say(printable(path))
        say(f"next: provdb ingestors test {name}  runs its test")
    if created.replaces:
        note([f"it takes the place of the built-in {name}, which no longer runs here"])
    if not created.trusted:
        note([f"it does not run yet, for the store is not trusted: look at it, then type `provdb trust {here.root}`"])


@command.command("replay", help=REPLAY)
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--on", "references", multiple=True, metavar="REF", help="Only this activity; repeatable.")
@json_option
def replay(names: tuple[str, ...], references: tuple[str, ...], as_json: bool) -> int:
    with project() as here:
        found = here.ingestors.replay(names, references, progress=_counting())
        note(here.notes)
    document = found.to_json()
    if as_json:
        print_json(document)
    else:
        from provgraph.render.ingestors import replayed_text

        say(replayed_text(document))
    return 0 if found.changes else NOTHING_FOUND


def _counting() -> Callable[[int, int], None]:
    """Says how far it is, on one line of a terminal that is written over and over; nowhere else."""
    if not sys.stderr.isatty():
        return lambda _done, _all: None

    def show(done: int, total: int) -> None:
        end = "\n" if done + 1 >= total else ""
        click.echo(f"\rprovdb: {done + 1:,} of {total:,} activities looked at\x1b[K{end}", err=True, nl=False)

    return show
