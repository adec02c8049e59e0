"""``provdb show``."""

from shlex import quote
from typing import TYPE_CHECKING

import click

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
from provgraph.cli.sources import at_option, check_place, graph_reader, project
from provgraph.graph.answers import Description
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.render.times import Clock

if TYPE_CHECKING:
    from provgraph.graph.reader import GraphReader


@click.command()
@click.argument("reference", metavar="REF")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--series", "series", is_flag=True, help="Its metrics step by step: those of NAME..., else all.")
@click.option("--follow", is_flag=True, help="Draw them as they come, until the command ends (Ctrl-C: stop looking).")
@click.option("--graph", "file", metavar="FILE", help="Ask the graph in a JSON file (- is standard input).")
@at_option
@click.option("--csv", "as_csv", is_flag=True, help="With --series: print every point as CSV.")
@json_option
@times_option
@width_option
def command(
    reference: str,
    names: tuple[str, ...],
    series: bool,
    follow: bool,
    file: str | None,
    at: str | None,
    as_csv: bool,
    as_json: bool,
    clock: Clock,
    columns: int | None,
) -> int:
    """One vertex: its properties and relations, or with --series its metrics step by step.

    REF is a path (model.pkl, model.pkl@2, model.pkl@2026-11-20, model.pkl@14:30 of today), a uid, %1 for the newest
    command, or agent:NAME. NAME is a series, also as a glob ('val_*').
    """
    _check(names, series=series, follow=follow, file=file, at=at, as_csv=as_csv, as_json=as_json)
    check_place(at, file)
    if follow:
        from provgraph.cli.follow import follow_series

        return follow_series(reference, names, as_json=as_json, columns=columns)
    if series:
        return _series(reference, names, at, as_csv=as_csv, as_json=as_json, columns=columns)
    found = _found(reference, file, at)
    if as_json:
        print_json(found.to_json())
        return 0
    from provgraph.render.vertices import description_text

    note(found.notes)
    say(description_text(found, stdout_page(columns), clock))
    return 0


def _check(
    names: tuple[str, ...], *, series: bool, follow: bool, file: str | None, at: str | None, as_csv: bool, as_json: bool
) -> None:
    """Refuse what does not go together."""
    if names and not (series or follow):
        raise click.UsageError(f"show takes one REF; for a series write `provdb show REF --series {names[0]}`")
    if as_csv and (as_json or follow):
        raise click.UsageError("either --csv or --json" if as_json else "--follow prints text or --json, not --csv")
    if as_csv and not series:
        raise click.UsageError("--csv goes with --series: a vertex is no table")
    if file is not None and (series or follow):
        raise click.UsageError(
            "a graph in a file carries no series, but up to 1,000 points of each as metric_NAME_steps and "
            "metric_NAME_values; leave out --graph"
        )
    if follow and at not in (None, "local"):
        raise click.UsageError("--follow watches what runs here; leave out --at")


def _series(
    reference: str, names: tuple[str, ...], at: str | None, *, as_csv: bool, as_json: bool, columns: int | None
) -> int:
    with project(at) as here:
        found = here.series(reference, *names)
        writer = None if found else _writer_with_series(here.reader(), found.vertex)
    if as_json:
        print_json(found.to_json())
        return 0 if found else NOTHING_FOUND
    note(found.notes)
    if as_csv:
        from provgraph.graph.rows import Rows
        from provgraph.graph.series import COLUMNS
        from provgraph.render.rows import rows_csv

        click.echo(rows_csv(Rows(COLUMNS, tuple(found.rows()))), nl=False)
    elif found:
        from provgraph.render.series import series_text

        say(series_text(found, stdout_page(columns), named=bool(names)))
    else:
        note(["no series: nothing that logs points step by step was read of it" if writer is None else writer])
    return 0 if found else NOTHING_FOUND


def _writer_with_series(reader: "GraphReader", vertex: Vertex) -> str | None:
    """Of a file without series: that the command which generated it has some, as of a log that is read."""
    made_by = [e.target for e in reader.edges_of(vertex.uid) if (e.type, e.source) == ("wasGeneratedBy", vertex.uid)]
    for activity in reader.vertices(made_by):
        names = ", ".join(sorted(reader.series(activity.uid)))
        if names:
            name = display_name(activity)
            return f"no series of its own; {name}, which wrote it, has {names}: `provdb show {quote(name)} --series`"
    return None


def _found(reference: str, file: str | None, at: str | None) -> Description:
    if file is None:
        with project(at) as here:
            return here.show(reference)
    from provgraph.queries.description import describe
    from provgraph.queries.places import Places
    from provgraph.queries.references import resolve_one

    reader = graph_reader(file)
    return describe(reader, *resolve_one(reader, reference, Places()))
