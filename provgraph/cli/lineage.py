"""``provdb lineage``."""

from typing import Any

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
from provgraph.cli.pictures import Faces, picture_options
from provgraph.cli.sources import at_option, check_place, graph_reader, project
from provgraph.graph.answers import Outline, Ways
from provgraph.graph.provgraph import ProvGraph
from provgraph.render.times import Clock


@click.command()
@click.argument("references", metavar="REF…", nargs=-1)
@click.option("--downstream", is_flag=True, help="What came of it, instead of what it came from.")
@click.option("--depth", type=click.IntRange(0), metavar="N", help="N activities far.")
@click.option("--revisions", is_flag=True, help="Also along the chain of a path's snapshots.")
@click.option("--environment", is_flag=True, help="Also the installed software.")
@click.option("--since", metavar="TIME", help="Past no activity that ended before (a time, commit or tag).")
@click.option("--until", metavar="TIME", help="Past no activity that started later.")
@click.option("--path", "ends", nargs=2, metavar="FROM TO", help="Each way between two vertices, edge by edge.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="So many ways.")
@click.option("--graph", "file", metavar="FILE", help="Ask the graph in a JSON file (- is standard input).")
@at_option
@click.option("--all", "everything", is_flag=True, help="Draw the whole tree, fold nothing.")
@json_option
@picture_options
@times_option
@width_option
def command(
    references: tuple[str, ...],
    ends: tuple[str, str] | None,
    limit: int,
    file: str | None,
    at: str | None,
    everything: bool,
    as_json: bool,
    faces: Faces,
    clock: Clock,
    columns: int | None,
    **walk: Any,
) -> int:
    """What a thing came from: the commands and files behind it, and who ran them.

    REF is a path, path@2, path@TIME, path@COMMIT, a glob, a uid, %1, agent:NAME, or a commit or tag, which stands for
    the files that it holds.
    """
    check_place(at, file)
    if ends:
        if references:
            raise click.UsageError("--path names both ends itself; leave the other REFs out")
        found = _found_ways(ends, limit, bool(walk["revisions"]), file, at)
        return _draw_ways(found, ends, faces) if faces else _ways(found, ends, as_json, clock, columns)
    if as_json:
        print_json(_graph(references, file, at, walk).to_json())
        return 0
    if faces:
        return faces.draw(_graph(references, file, at, walk))
    from provgraph.render.trees import left_out, outline_text

    page = stdout_page(columns)
    deepest = max(4, min(14, (page.columns - 30) // 3))
    drawn = _outline(references, file, at, {**walk, "max_depth": deepest, "everything": everything})
    note(drawn.notes)
    say(outline_text(drawn, page, clock, downstream=walk["downstream"]))
    note(left_out(drawn))
    return 0


def _graph(references: tuple[str, ...], file: str | None, at: str | None, walk: dict[str, Any]) -> ProvGraph:
    if file is None:
        with project(at) as here:
            return here.lineage(*references, **walk)
    from provgraph.queries.asking import lineage_of
    from provgraph.queries.places import Places

    return lineage_of(graph_reader(file), references, Places(), **walk)


def _outline(references: tuple[str, ...], file: str | None, at: str | None, asked: dict[str, Any]) -> Outline:
    if file is None:
        with project(at) as here:
            return here.outline(*references, **asked)
    from provgraph.queries.asking import outline_of
    from provgraph.queries.places import Places

    return outline_of(graph_reader(file), references, Places(), **asked)


def _ways(found: Ways, ends: tuple[str, str], as_json: bool, clock: Clock, columns: int | None) -> int:
    if as_json:
        print_json(found.to_json())
    elif found:
        from provgraph.render.trees import ways_text

        note(found.notes)
        say(ways_text(found, stdout_page(columns), clock))
    else:
        _note_none(found, ends)
    return 0 if found else NOTHING_FOUND


def _draw_ways(found: Ways, ends: tuple[str, str], faces: Faces) -> int:
    """All ways in one picture; what two of them share is there once."""
    if not found:
        _note_none(found, ends)
        return NOTHING_FOUND
    vertices = {vertex.uid: vertex for way in found.ways for vertex in way.vertices}.values()
    edges = {(e.type, e.source, e.target, e.role): e for way in found.ways for e in way.edges}.values()
    query = {"command": "lineage", "path": list(ends), "roots": [found.source.uid, found.target.uid]}
    left = [] if found.count == len(found) else ["not every way is drawn; --limit N draws more"]
    return faces.draw(ProvGraph(vertices, edges, query, [*found.notes, *left]))


def _note_none(found: Ways, ends: tuple[str, str]) -> None:
    note([*found.notes, f"no way leads from {ends[0]} to {ends[1]} or back"])


def _found_ways(ends: tuple[str, str], limit: int, revisions: bool, file: str | None, at: str | None) -> Ways:
    if file is None:
        with project(at) as here:
            return here.ways(*ends, limit=limit, revisions=revisions)
    from provgraph.queries.asking import ways_between
    from provgraph.queries.places import Places

    return ways_between(graph_reader(file), *ends, Places(), limit=limit, revisions=revisions)
