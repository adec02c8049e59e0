"""``provdb order``."""

import click

from provgraph.cli.output import json_option, note, print_json, say
from provgraph.cli.sources import project

HELP = """\
Which cells of a notebook ran out of order, or used a variable whose defining cell has changed since.

What ran in one kernel session (the newest, if none is named) is compared with NOTEBOOK as it was saved last; without
NOTEBOOK, with the one that ran last.

\b
out of order  it ran before a cell that stands above it
changed       it used a variable of a cell whose code has changed since
run again     it used a variable of a cell that has run again since
gone          it used a variable of a cell that is not in the notebook any more
edited        its code has changed since it ran
"""


@click.command(help=HELP)
@click.argument("notebook", required=False)
@click.option("--session", metavar="ID", help="A kernel session, or the beginning of its name.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
def command(notebook: str | None, session: str | None, as_csv: bool, as_json: bool) -> int:
    if as_json and as_csv:
        raise click.UsageError("either --json or --csv")
    with project() as here:
        rows = here.order(notebook, session=session)
        notes = here.notes
    note(notes)
    if as_json:
        print_json(rows.to_json())
    elif as_csv:
        from provgraph.render.rows import rows_csv

        click.echo(rows_csv(rows), nl=False)
    elif rows:
        say("\n".join(f"{row['finding']:<12}  {row['says']}" for row in rows.to_dicts()))
    else:
        say("every cell ran after those above it, on what they hold now")
    return 0
