"""``provdb trust``."""

import os

import click

from provgraph.cli.output import say


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
def command(folder: str) -> None:
    """Trust the store in DIR: it may run code, send data and change scrubbing.

    Trust is kept in your own data folder, by path, inode and digest of the store's configuration and ingestors: when
    these change, it is asked for again.
    """
    from provgraph.session.project import Project

    root = os.path.realpath(folder)
    Project(root).trust()
    say(f"{root} is trusted as it is now")
