"""``provdb status``."""

import click

from provgraph.cli.output import clock, json_option, note, print_json, say, stdout_page
from provgraph.cli.sources import project


@click.command()
@json_option
def command(as_json: bool) -> None:
    """How the project stands: versions, changes nobody captured, what is pending, the next useful command."""
    with project() as here:
        found = here.status()
    if as_json:
        print_json(found.to_json())
        return
    from provgraph.render.status import status_text

    note(found.notes)
    say(status_text(found.to_json(), stdout_page(), clock("relative")))
