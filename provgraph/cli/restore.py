"""``provdb restore``."""

import sys

import click

from provgraph.cli.output import note, say
from provgraph.cli.sources import project
from provgraph.render.text import printable


@click.command()
@click.argument("reference", metavar="REF")
@click.option("-o", "--output", metavar="PATH", help="Write here (- is standard output).")
@click.option("--force", is_flag=True, help="Replace what is there.")
def command(reference: str, output: str | None, force: bool) -> None:
    """The bytes of a snapshot: `provdb restore model.pkl@2 -o old.pkl`.

    Without -o they go to standard output where that is a file or a pipe, and on a terminal to the snapshot's own path.
    """
    with project() as here:
        to_stdout = output == "-" or (output is None and not sys.stdout.isatty())
        if output is None and not to_stdout:
            output = _own_path(here.root, here.show(reference).vertex.properties.get("path"))
        data = here.restore(reference, None if to_stdout else output, force=force)
        note(here.notes)
    if to_stdout:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        say(printable(f"{output}: {len(data):,} bytes of {reference}"))


def _own_path(root: str, path: object) -> str:
    if not isinstance(path, str):
        raise click.UsageError("this has no path of its own; name one with -o PATH")
    return path if path.startswith("/") else f"{root}/{path}"
