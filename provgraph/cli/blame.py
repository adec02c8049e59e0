"""``provdb blame``."""

import click

from provgraph.cli.output import NOTHING_FOUND, json_option, note, print_json, say, stdout_page, times_option
from provgraph.cli.sources import project
from provgraph.render.times import Clock

HELP = """\
For each line of a file: which snapshot, activity and agent last changed it, uncommitted work included.

\b
provdb blame train.py        as the file is now
provdb blame train.py@3      as its third snapshot was

Where git knows the commit of a line it stands beside. A line that no recorded command changed is its commit's author's;
"unrecorded change" was seen, but not who made it; what was "before the record" is in the first snapshot of the file.
"""


@click.command(help=HELP)
@click.argument("reference", metavar="PATH")
@json_option
@times_option
def command(reference: str, as_json: bool, clock: Clock) -> int:
    with project() as here:
        found = here.blame(reference)
    note(found.notes)
    if as_json:
        print_json(found.to_json())
    elif found:
        from provgraph.render.blame import blame_text

        say(blame_text(found, stdout_page(), clock))
    return 0 if found else NOTHING_FOUND
