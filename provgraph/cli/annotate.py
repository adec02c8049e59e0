"""``provdb annotate``."""

import click

from provgraph.cli.output import json_option, note, print_json, say
from provgraph.cli.sources import project
from provgraph.graph.naming import display_name


@click.command()
@click.argument("reference", metavar="REF")
@click.argument("words", metavar="KEY=VALUE…", nargs=-1)
@click.option("--remove", multiple=True, metavar="KEY", help="Take an annotation away; repeat it.")
@json_option
def command(reference: str, words: tuple[str, ...], remove: tuple[str, ...], as_json: bool) -> None:
    """Add properties of your own to a vertex. Numbers stay numbers; "12" in double quotes is a text."""
    from provgraph.session.values import pairs

    properties = {**pairs(words), **dict.fromkeys(remove)}
    with project() as here:
        vertex = here.annotate(reference, properties)
        note(here.notes)
    if as_json:
        print_json({"schema": "provgraph/recorded/1", "name": display_name(vertex), "vertex": vertex.to_json()})
    else:
        said = [key if value is not None else f"{key} removed" for key, value in sorted(properties.items())]
        say(f"{display_name(vertex)}: " + ", ".join(said))
