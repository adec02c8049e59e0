"""``provdb log``."""

import click

from provgraph.cli.output import (
    NOTHING_FOUND,
    json_option,
    note,
    print_json,
    say,
    stdout_page,
    times_option,
    width_option,
)
from provgraph.cli.sources import at_option, project
from provgraph.render.times import Clock

SHOWN = 25
HELP = """\
Activities, newest first: recorded commands, and changes that nobody captured.

\b
ok           exit status 0; any other is shown as it is: exit 1
running      not ended yet
interrupted  its end was not seen: the machine went down, say
ended        its exit status is not known
declared     told by `provdb record`, without an exit status

TIME is 2026-11-20, 2026-11-20T14:30, or 14:30 for today; local where it names no zone.
"""


@click.command(help=HELP)
@click.option("--since", metavar="TIME", help="Started at or after.")
@click.option("--until", metavar="TIME", help="Started before; a date alone is the whole day.")
@click.option("--grep", metavar="REGEX", help="Name or command matches.")
@click.option("--agent", metavar="NAME", help="Somebody's, by name or e-mail address.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help=f"The newest N ({SHOWN} in a table, else all).")
@at_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@times_option
@width_option
def command(
    since: str | None,
    until: str | None,
    grep: str | None,
    agent: str | None,
    limit: int | None,
    at: str | None,
    as_csv: bool,
    as_json: bool,
    clock: Clock,
    columns: int | None,
) -> int:
    if as_json and as_csv:
        raise click.UsageError("either --json or --csv")
    table = not as_json and not as_csv
    asked = limit or (SHOWN + 1 if table else None)
    with project(at) as here:
        rows = here.log(since=since, until=until, grep=grep, agent=agent, limit=asked)
        notes = here.notes
    note(notes)
    if as_json:
        print_json(rows.to_json())
    elif as_csv:
        from provgraph.render.rows import rows_csv

        click.echo(rows_csv(rows), nl=False)
    elif rows:
        from provgraph.graph.rows import Rows
        from provgraph.render.log import log_text

        shown = rows if limit else Rows(rows.columns, rows.rows[:SHOWN])
        say(log_text(shown, stdout_page(columns), clock))
        if len(shown) < len(rows):
            note([f"these are the newest {SHOWN}; --limit N shows more"])
    else:
        note(["nothing was recorded that fits"])
    return 0 if rows else NOTHING_FOUND
