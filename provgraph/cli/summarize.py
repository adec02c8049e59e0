"""``provdb summarize``."""

from typing import TYPE_CHECKING, Any

import click

from provgraph.cli.boundary import boundary_options, by_kind
from provgraph.cli.output import NOTHING_FOUND, json_option, note, print_json, say, stdout_page, width_option
from provgraph.cli.pictures import Faces, picture_options
from provgraph.cli.sources import at_option, check_place, graph_reader, project
from provgraph.errors import InputError

if TYPE_CHECKING:
    from provgraph.graph.provgraph import ProvGraph
    from provgraph.graph.summary import Summary

HELP = """\
What several segments have in common, and what is odd in one of them.

\b
provdb summarize --to 'model.pkl@*'                        one segment for each snapshot, from all roots
provdb summarize --to 'model.pkl@*' --from data.csv        all from the same source
provdb summarize --from a.csv --to a.pkl --from b.csv --to b.pkl     a segment for each pair
provdb summarize one.json two.json three.json              what `provdb segment --json` printed
provdb summarize --to 'model.pkl@*' --keep activity=script --keep entity=path --hops 1

What vertices of a group agree on: --resolution coarse (which programs ran), medium (also which files, and who; the
default) or fine (also the same neighbours), or --keep and --hops for your own. The answer says what was kept.
"""


@click.command(help=HELP)
@click.argument("files", metavar="[FILE…]", nargs=-1)
@click.option("--to", "destinations", multiple=True, metavar="REF",
              help="A segment for each snapshot that this names (repeat).")  # fmt: skip
@click.option("--from", "sources", multiple=True, metavar="REF",
              help="Where they come from: one for all, or one for each --to; without it, all roots.")  # fmt: skip
@click.option("--keep", multiple=True, metavar="KIND=KEY,KEY", callback=by_kind,
              help="Properties that the vertices of a group agree on (repeat).")  # fmt: skip
@click.option("--hops", type=click.IntRange(0), metavar="K", help="K edges far, they have the same neighbourhood.")
@click.option("--resolution", default="medium", show_default=True, metavar="NAME",
              help="coarse, medium or fine: what stands for --keep and --hops.")  # fmt: skip
@boundary_options
@click.option("--graph", "file", metavar="FILE", help="Ask the graph in a JSON file (- is standard input).")
@at_option
@click.option("--all", "everything", is_flag=True, help="Draw everything, fold nothing.")
@json_option
@picture_options
@width_option
def command(
    files: tuple[str, ...],
    destinations: tuple[str, ...],
    sources: tuple[str, ...],
    boundary: dict[str, Any],
    file: str | None,
    at: str | None,
    everything: bool,
    as_json: bool,
    faces: Faces,
    columns: int | None,
    **asked: Any,
) -> int:
    check_place(at, file)
    _check(files, destinations, sources, {"at": at, **boundary}, file)
    if files:
        found = _of_files(files, asked)
    else:
        pairwise = len(sources) > 1 and len(destinations) > 1
        found = _of_references(destinations, sources or None, (file, at), {**asked, **boundary, "pairwise": pairwise})
    if as_json:
        print_json(found.to_json())
    elif faces:
        faces.draw(found)
    else:
        from provgraph.render.summaries import folded, summary_text

        note(found.notes)
        say(summary_text(found, stdout_page(columns), everything=everything))
        note(folded(found, everything=everything))
    return 0 if found.vertices else NOTHING_FOUND


def _check(
    files: tuple[str, ...],
    destinations: tuple[str, ...],
    sources: tuple[str, ...],
    boundary: dict[str, Any],
    file: str | None,
) -> None:
    if not files and not destinations:
        raise click.UsageError("a summary of what? name snapshots with --to 'model.pkl@*', or files with segments")
    if not files:
        return
    given: dict[str, object] = {"--to": destinations, "--from": sources, "--graph": file}
    given |= {f"--{key.replace('_', '-')}": value for key, value in boundary.items() if key != "similar"}
    given |= {"--no-similar": not boundary["similar"]}
    for option, value in given.items():
        if value:
            raise click.UsageError(
                f"{option} makes segments, and {files[0]} is taken for one that is made; leave one of the two out "
                "(snapshots are named with --to)"
            )


def _of_files(files: tuple[str, ...], asked: dict[str, Any]) -> "Summary":
    if files.count("-") > 1:
        raise click.UsageError("standard input (-) can be read once; write the other segment to a file")
    graphs = [_read(file) for file in files]
    from provgraph.queries.summarization import summarize

    return summarize(graphs, names=["standard input" if file == "-" else file for file in files], **asked)


def _read(file: str) -> "ProvGraph":
    try:
        return graph_reader(file).graph
    except InputError as error:
        hint = "" if file == "-" or file.endswith(".json") else f"; snapshots are named with --to: --to {file!r}"
        raise InputError(f"{error}{hint}") from error


def _of_references(
    destinations: tuple[str, ...],
    sources: tuple[str, ...] | None,
    place: tuple[str | None, str | None],
    asked: dict[str, Any],
) -> "Summary":
    file, at = place
    if file is None:
        with project(at) as here:
            return here.summarize(destinations, sources, **asked)
    from provgraph.queries.places import Places
    from provgraph.queries.summarization.asking import summary_of

    return summary_of(graph_reader(file), destinations, sources, Places(), **asked)
