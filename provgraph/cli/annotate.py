"""``provdb annotate``."""

import click

from provgraph.cli.output import json_option, note, print_json, say
from provgraph.cli.sources import project
from provgraph.graph.naming import display_name
from provgraph.render.text import printable


@click.command()
@click.argument("reference", metavar="REF")
@click.argument("words", metavar="KEY=VALUE…", nargs=-1)
@click.option("--remove", multiple=True, metavar="KEY", help="Take an annotation away; repeat it.")
@json_option
def command(reference: str, words: tuple[str, ...], remove: tuple[str, ...], as_json: bool) -> None:
    """Add properties of your own to a vertex: `provdb annotate model.pkl stage=prod score=0.93`.

    VALUE is JSON where it is a number, true, false, or stands in "…", […] or {…}; all else is text: 12 is a number,
    '"12"' and v12 are texts. A list of one kind stays a list; other lists and objects are kept as JSON text under
    KEY_json. An annotation that is there is replaced.
    """
    from provgraph.session.values import own_properties, pairs

    given = pairs(words)
    twice = sorted(given.keys() & set(remove))
    if twice:
        raise click.UsageError(f"{twice[0]!r} is both given and removed; choose one")
    properties = own_properties({**given, **dict.fromkeys(remove)})
    with project() as here:
        vertex = here.annotate(reference, properties)
        note(here.notes)
    if as_json:
        print_json({"schema": "provgraph/recorded/1", "name": display_name(vertex), "vertex": vertex.to_json()})
    else:
        said = [key if value is not None else f"{key} removed" for key, value in sorted(properties.items())]
        say(printable(f"{display_name(vertex)}: " + ", ".join(said)))
