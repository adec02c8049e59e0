"""``provdb show``."""

import click

from provgraph.cli.output import json_option, note, print_json, say, stdout_page, times_option, width_option
from provgraph.cli.sources import at_option, check_place, graph_reader, project
from provgraph.graph.answers import Description
from provgraph.render.times import Clock


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--graph", "file", metavar="FILE", help="Ask the graph in a JSON file (- is standard input).")
@at_option
@json_option
@times_option
@width_option
def command(reference: str, file: str | None, at: str | None, as_json: bool, clock: Clock, columns: int | None) -> None:
    """One vertex: its properties and relations.

    REF is a path (model.pkl, model.pkl@2, model.pkl@2026-11-20, model.pkl@14:30 of today), a uid, %1 for the newest
    command, or agent:NAME.
    """
    check_place(at, file)
    found = _found(reference, file, at)
    if as_json:
        print_json(found.to_json())
        return
    from provgraph.render.vertices import description_text

    note(found.notes)
    say(description_text(found, stdout_page(columns), clock))


def _found(reference: str, file: str | None, at: str | None) -> Description:
    if file is None:
        with project(at) as here:
            return here.show(reference)
    from provgraph.queries.description import describe
    from provgraph.queries.places import Places
    from provgraph.queries.references import resolve_one

    reader = graph_reader(file)
    return describe(reader, *resolve_one(reader, reference, Places()))
