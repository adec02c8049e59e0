"""``provdb cypher``."""

import json
from typing import Any

import click

from provgraph.cli.output import NOTHING_FOUND, json_option, note, print_json, say, stdout_page, width_option
from provgraph.cli.sources import at_option, project
from provgraph.graph.rows import Rows


def _parameter(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.UsageError(f"{text!r} is no KEY=VALUE; write it like --param n=5")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


@click.command()
@click.argument("query", required=False)
@click.option("--param", multiple=True, metavar="KEY=VALUE", help="A value for $KEY: JSON, else text; repeat it.")
@click.option("--examples", is_flag=True, help="List useful questions.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True,
              metavar="S", help="Give up after S seconds.")  # fmt: skip
@at_option
@click.option("--all-projects", is_flag=True, help="With --at: what belongs to other projects there, too.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@width_option
def command(
    query: str | None,
    param: tuple[str, ...],
    examples: bool,
    timeout: float,
    at: str | None,
    all_projects: bool,
    as_csv: bool,
    as_json: bool,
    columns: int | None,
) -> int:
    """Ask in Cypher, read-only: `provdb cypher 'MATCH (a:Activity) RETURN a.name LIMIT 5'`."""
    if examples:
        from provgraph.queries.cypher_examples import EXAMPLES

        say("\n\n".join(f"// {example.question}\n{example.query.strip()}" for example in EXAMPLES))
        return 0
    if as_json and as_csv:
        raise click.UsageError("either --json or --csv")
    if query is None:
        raise click.UsageError("name a query; `provdb cypher --examples` lists useful ones")
    with project(at) as here:
        rows = here.cypher(query, dict(map(_parameter, param)), timeout_s=timeout, all_projects=all_projects)
        note((*here.notes, *rows.notes))
    _print(rows, as_json, as_csv, columns)
    return 0 if rows else NOTHING_FOUND


def _print(rows: Rows, as_json: bool, as_csv: bool, columns: int | None) -> None:
    if as_json:
        print_json(rows.to_json())
        return
    from provgraph.render.rows import rows_csv, rows_table

    if as_csv:
        click.echo(rows_csv(rows), nl=False)
    elif rows:
        say(rows_table(rows, stdout_page(columns)))
    else:
        note(["no rows"])
