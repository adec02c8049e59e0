"""``provdb init``."""

import os

import click

from provgraph.cli.output import say


@click.command()
@click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--share", is_flag=True, help="Write .provdb-project, to be committed: every clone is the same project.")
@click.option("--join", metavar="ID", help="Belong to the project with this uid.")
def command(folder: str, share: bool, join: str | None) -> None:
    """Make a folder a project (the present one by default). Again on a project: nothing changes."""
    from provgraph.session.project import init

    root = os.path.realpath(folder)
    known = os.path.exists(os.path.join(root, ".provdb", "project.json"))
    with init(root, share=share, join=join) as project:
        uid = project.store().project
    say(f"{root} {'is' if known else 'is now'} a provdb project ({uid})")
    if share:
        say("commit .provdb-project, so that every clone is the same project")
    if not known:
        say("next: provdb COMMAND…  runs a command and records it")
