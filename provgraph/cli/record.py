"""``provdb record``."""

import json
import sys
from typing import Any

import click

from provgraph.cli.output import json_option, note, print_json, say
from provgraph.cli.sources import project
from provgraph.errors import InputError
from provgraph.graph.naming import display_name
from provgraph.render.text import printable


@click.command()
@click.option("--used", multiple=True, metavar="A", help="A file, URL or reference that was read; repeat it.")
@click.option("--generated", multiple=True, metavar="B", help="A file or URL that was written; repeat it.")
@click.option("--param", multiple=True, metavar="K=V", help="A parameter; repeat it.")
@click.option("--metric", multiple=True, metavar="K=V", help="A final metric, a number; repeat it.")
@click.option("--tag", multiple=True, metavar="K=V", help="A property of your own; repeat it.")
@click.option("--name", help="What to call it.")
@click.option("--command", "command_line", metavar="TEXT", help="What was done, as a command line.")
@click.option("--note", "remark", metavar="TEXT", help="A remark.")
@click.option("--exit-status", type=int, metavar="N", help="How it ended.")
@click.option("--started", "started_at", metavar="TIME", help="When it began; local where no zone is given.")
@click.option("--ended", "ended_at", metavar="TIME", help="When it ended; now by default.")
@click.argument("source", metavar="[-]", required=False)
@json_option
def command(source: str | None, as_json: bool, **options: Any) -> None:
    """Declare what the wrapper could not see, also after the fact.

    `provdb record --used a.csv --generated b.csv --param lr=0.1`, or with `-` a JSON document on standard input:
    {"used": ["a.csv"], "generated": ["b.csv"], "params": {"lr": 0.1}, "metrics": {"f1": 0.9}}

    V is JSON where it is a number, true, false, or stands in "…", […] or {…}; all else is text: 12 is a number, '"12"'
    and v12 are texts.
    """
    from provgraph.session.declaring import Declaration
    from provgraph.session.values import pairs

    given = any(value not in (None, ()) for value in options.values())
    if source not in (None, "-"):
        raise click.UsageError(f"{source!r}: name files with --used and --generated, or `-` for JSON on standard input")
    if source == "-" or (not given and not sys.stdin.isatty()):
        if given:
            raise click.UsageError("either options or JSON on standard input, not both")
        declaration = Declaration.from_json(_stdin())
    else:
        declaration = Declaration(
            options["used"],
            options["generated"],
            pairs(options["param"]),
            pairs(options["metric"]),
            pairs(options["tag"]),
            options["name"],
            options["command_line"],
            options["remark"],
            options["exit_status"],
            options["started_at"],
            options["ended_at"],
        )
    with project() as here:
        activity = here.record(declaration)
        note(here.notes)
    if as_json:
        print_json({"schema": "provgraph/recorded/1", "name": display_name(activity), "vertex": activity.to_json()})
    else:
        say(printable(f"recorded as {display_name(activity)}; provdb show {activity.uid[:13]} tells more"))


def _stdin() -> object:
    text = sys.stdin.buffer.read()
    if not text.strip():
        raise InputError("nothing was declared, and standard input is empty; name files with --used and --generated")
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"standard input is no JSON: {error}") from error
