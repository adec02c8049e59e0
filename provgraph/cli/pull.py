"""``provdb pull``."""

import click

from provgraph.cli.output import json_option, note, print_json, say
from provgraph.cli.remote import counting
from provgraph.cli.sources import project
from provgraph.session.syncing import pull


@click.command()
@click.argument("remote", metavar="[REMOTE]", required=False)
@json_option
def command(remote: str | None, as_json: bool) -> None:
    """Take what colleagues sent to the team's server into the history here.

    It then is part of every answer. Contents of files are not shared: `restore` says who has them.
    """
    with project() as here:
        done = pull(here, remote, counting("taken"))
    if as_json:
        print_json(done.to_json())
        return
    from provgraph.render.remotes import pulled_text

    note(done.notes)
    say(pulled_text(done.to_json()))
