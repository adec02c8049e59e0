"""``provdb push``."""

import click

from provgraph.cli.output import json_option, note, print_json, progress, say
from provgraph.cli.remote import counting
from provgraph.cli.sources import project
from provgraph.session.project import Project
from provgraph.session.syncing import Pushed, push


@click.command()
@click.argument("remote", metavar="[REMOTE]", required=False)
@click.option("--watch", "watching", is_flag=True, help="Stay, and send each new event at once; Ctrl-C ends it.")
@json_option
def command(remote: str | None, watching: bool, as_json: bool) -> None:
    """Send what is recorded here to the team's server: events, names, digests; never the contents of files.

    Only what the server has not got yet is sent, whoever recorded it. Broken off, it goes on where it was. With --watch
    and --json, each line is a document.
    """
    with project() as here:
        if watching:
            _watch(here, remote, as_json)
            return
        done = push(here, remote, counting("sent"))
    if as_json:
        print_json(done.to_json())
        return
    from provgraph.render.remotes import pushed_text

    note(done.notes)
    say(pushed_text(done.to_json()))


def _watch(here: Project, remote: str | None, as_json: bool) -> None:
    from provgraph.render.json_text import one_line
    from provgraph.render.remotes import pushed_text
    from provgraph.session.watching import watch

    def sent(done: Pushed) -> None:
        note(done.notes)
        click.echo(one_line(done.to_json()) if as_json else pushed_text(done.to_json()))

    name = here.remotes.chosen(remote)
    progress(f"sending to {name} whatever is recorded from now on; Ctrl-C ends this")
    try:
        watch(here, name, sent, progress)
    except KeyboardInterrupt:
        progress("ended; what is recorded from now on waits for the next push")
