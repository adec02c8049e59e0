"""``provdb compare``."""

import click

from provgraph.cli.output import json_option, note, print_json, say, stdout_page, times_option, width_option
from provgraph.cli.pictures import Faces, picture_options
from provgraph.cli.sources import at_option, check_place, graph_reader, project
from provgraph.errors import NoProjectError
from provgraph.graph.comparison import Comparison
from provgraph.render.times import Clock

HELP = """\
What differs between two files, runs, versions, or what they came from.

\b
provdb compare config.json@1 config.json@2         contents: by keys, rows, cells or lines
provdb compare %2 %1                               the two newest commands, what they read and wrote
provdb compare model.pkl@1 model.pkl@2 --lineage   everything that the two came from, side by side
provdb compare --graphs one.json two.json          what `provdb segment --json` or `lineage --json` printed

FIRST and SECOND are references: a path, path@2, path@TIME, %N (as `provdb log` counts) or a uid.
"""


@click.command(help=HELP)
@click.argument("references", metavar="FIRST SECOND", nargs=-1)
@click.option("--lineage", is_flag=True, help="Compare all that the two came from, aligned.")
@click.option("--depth", type=click.IntRange(0), metavar="N", help="With --lineage: N activities far.")
@click.option("--environment", is_flag=True, help="Also the installed software.")
@click.option("--graphs", "files", nargs=2, metavar="A.json B.json",
              help="Compare two graphs, segments or lineages in JSON files.")  # fmt: skip
@click.option("--graph", "file", metavar="FILE", help="Ask the graph in a JSON file (- is standard input).")
@at_option
@click.option("--all", "everything", is_flag=True, help="Also what is the same, and whole diffs.")
@json_option
@picture_options
@times_option
@width_option
def command(
    references: tuple[str, ...],
    lineage: bool,
    depth: int | None,
    environment: bool,
    files: tuple[str, str] | None,
    file: str | None,
    at: str | None,
    everything: bool,
    as_json: bool,
    faces: Faces,
    clock: Clock,
    columns: int | None,
) -> int:
    check_place(at, file)
    if files:
        if references or file or at or lineage or depth is not None or environment:
            raise click.UsageError("--graphs compares two files as they are; leave references and other options out")
        found = _of_files(files, everything)
    elif len(references) != 2:
        raise click.UsageError(f"two things are compared, not {len(references)}; name FIRST and SECOND")
    else:
        found = _of_references(
            (references[0], references[1]),
            file,
            at,
            lineage=lineage,
            depth=depth,
            environment=environment,
            everything=everything,
        )
    if as_json:
        print_json(found.to_json())
        return 0
    if faces:
        return faces.draw(found)
    from provgraph.render.comparisons import comparison_text, left_out

    note(found.notes)
    say(comparison_text(found, stdout_page(columns), clock, everything=everything))
    if not everything:
        note(left_out(found))
    return 0


def _of_files(files: tuple[str, str], everything: bool) -> Comparison:
    from provgraph.session.comparing import compare_files

    if files == ("-", "-"):
        raise click.UsageError("only one of the two can be standard input")
    first, second = (graph_reader(file).graph for file in files)
    try:
        with project() as here:
            return compare_files(here, first, second, everything=everything)
    except NoProjectError:
        return compare_files(None, first, second, everything=everything)


def _of_references(
    references: tuple[str, str],
    file: str | None,
    at: str | None,
    *,
    lineage: bool,
    depth: int | None,
    environment: bool,
    everything: bool,
) -> Comparison:
    if file is None:
        with project(at) as here:
            return here.compare(
                *references, lineage=lineage, depth=depth, environment=environment, everything=everything
            )
    from provgraph.queries.comparison.asking import compare_references
    from provgraph.queries.places import Places

    return compare_references(
        graph_reader(file),
        references,
        Places(),
        lineage=lineage,
        depth=depth,
        environment=environment,
        everything=everything,
    )
