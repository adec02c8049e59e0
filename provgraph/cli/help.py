"""``provdb help``."""

import click


@click.command()
@click.argument("word", metavar="[COMMAND]", required=False)
@click.pass_context
def command(ctx: click.Context, word: str | None) -> None:
    """Explain a command: `provdb help lineage` is `provdb lineage --help`."""
    above = ctx.parent
    assert above is not None
    assert isinstance(above.command, click.Group)
    if word is None:
        click.echo(above.get_help())
        return
    found, explained, _ = above.command.resolve_command(above, [word])
    assert explained is not None
    with explained.make_context(found, ["--help"], parent=above, resilient_parsing=True) as inner:
        click.echo(explained.get_help(inner))
