"""``provdb segment``."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from provgraph.cli.boundary import boundary_options
from provgraph.cli.output import (
    NOTHING_FOUND,
    json_option,
    note,
    print_json,
    say,
    stdout_page,
    times_option,
    width_option,
)
from provgraph.cli.pictures import Faces, picture_options
from provgraph.cli.sources import at_option, check_place, graph_reader, project
from provgraph.render.times import Clock

if TYPE_CHECKING:
    from provgraph.graph.reader import GraphReader
    from provgraph.graph.segment import Segment
    from provgraph.queries.places import Places

HELP = """\
How one thing came from another, and what else took part in the same way.

\b
provdb segment --from data.csv --to model.pkl            what led from the data to the model
provdb segment --to 'where: metric_f1 > 0.8'             from all roots, to what such activities made
provdb segment --from data.csv --to model.pkl --explain split.json
provdb segment --from data.csv --to model.pkl --match activity=utility --exclude relation=wasDerivedFrom

REF is a path (as a source: its snapshots that a destination came from), path@2, path@TIME, path@COMMIT, a glob, a uid,
a commit or tag (the files that it holds), or
'where: PREDICATE'. PREDICATE is Activity.utility=git, metric_f1>0.7, Environment, relation=used, agent=Bob and the
like, joined by and, or, not. `provdb segment --json` is a graph that --graph reads.
"""


@click.command(help=HELP)
@click.argument("loose", metavar="", nargs=-1)
@click.option(
    "--from", "sources", multiple=True, metavar="REF", help="The earlier end (repeat); without it, all roots."
)
@click.option("--to", "destinations", multiple=True, metavar="REF", help="The later end (repeat).")
@boundary_options
@click.option("--graph", "file", metavar="FILE", help="Ask the graph in a JSON file (- is standard input).")
@at_option
@click.option("--explain", metavar="REF", help="Why a vertex is in it: one walk that proves it.")
@click.option("--all", "everything", is_flag=True, help="Draw the whole tree, fold nothing.")
@picture_options
@json_option
@times_option
@width_option
def command(
    loose: tuple[str, ...],
    sources: tuple[str, ...],
    destinations: tuple[str, ...],
    boundary: dict[str, Any],
    file: str | None,
    at: str | None,
    explain: str | None,
    everything: bool,
    as_json: bool,
    faces: Faces,
    clock: Clock,
    columns: int | None,
) -> int:
    if loose:
        end = "" if destinations else f"; `--to {loose[0]}` asks how it came about"
        raise click.UsageError(f"{loose[0]!r} is neither --from nor --to{end}")
    if not destinations:
        raise click.UsageError("a segment to what? --to REF names the later end, --from REF the earlier one")
    if explain is not None and faces:
        raise click.UsageError("--explain is text or --json; leave it out for a picture")
    check_place(at, file)
    asked = {"sources": sources or None, "destinations": destinations, **boundary}
    with _answer(file, at, asked) as (found, reader, places):
        if explain is not None:
            return _explain(found, explain, reader, places, as_json, clock, columns)
        if as_json:
            print_json(found.to_json())
        elif faces:
            faces.draw(found)
        else:
            _draw(found, everything, clock, columns)
        return 0 if found.found else NOTHING_FOUND


@contextmanager
def _answer(file: str | None, at: str | None, asked: dict[str, Any]) -> "Iterator[tuple[Segment, GraphReader, Places]]":
    """The segment, and where references are resolved. What is not looked at yet is read while this is open."""
    if file is None:
        with project(at) as here:
            yield here.segment(**asked), here.reader(), here.places()
        return
    from provgraph.queries.places import Places
    from provgraph.queries.segmenting import segment_of

    reader = graph_reader(file)
    yield segment_of(reader, places=Places(), **{**asked, "environment": True}), reader, Places()


def _draw(found: "Segment", everything: bool, clock: Clock, columns: int | None) -> None:
    from provgraph.queries.segment_outline import segment_outline
    from provgraph.render.segments import segment_text
    from provgraph.render.trees import left_out

    page = stdout_page(columns)
    deepest = max(4, min(14, (page.columns - 30) // 3))
    outline = segment_outline(found, max_depth=deepest, everything=everything)
    note(found.notes)
    say(segment_text(found, outline, page, clock))
    note(left_out(outline))


def _explain(
    found: "Segment",
    text: str,
    reader: "GraphReader",
    places: "Places",
    as_json: bool,
    clock: Clock,
    columns: int | None,
) -> int:
    from provgraph.graph.naming import display_name
    from provgraph.queries.segmenting import in_segment
    from provgraph.render.segments import explanation_text

    note(found.notes)
    vertex, inside = in_segment(found, text, reader, places)
    if not inside:
        note([f"{display_name(vertex)} is not in the segment"])
        return NOTHING_FOUND
    explanation = found.explain(vertex.uid)
    if as_json:
        print_json(explanation.to_json())
    else:
        say(explanation_text(explanation, stdout_page(columns), clock))
    return 0
