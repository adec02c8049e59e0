"""``provdb agents``."""

import click

from provgraph.cli.output import NOTHING_FOUND, json_option, note, print_json, say
from provgraph.cli.sources import project


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Who is who: people under their several names, and programs.

    A person is one by e-mail address (.mailmap counts). `agents merge` makes one of two.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_agents)


@command.command("list")
@json_option
def list_agents(as_json: bool) -> int:
    """Everybody, with their other names."""
    with project() as here:
        found = here.agents()
    note(found.notes)
    if as_json:
        print_json(found.to_json())
    elif found.people or found.programs:
        from provgraph.render.agents import agents_text

        say(agents_text(found.to_json()))
    else:
        note(["nobody was recorded yet"])
    return 0 if found.people or found.programs else NOTHING_FOUND


@command.command("merge")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B", required=False)
@click.option("--undo", is_flag=True, help="A is somebody of their own again.")
@json_option
def merge(first: str, second: str | None, undo: bool, as_json: bool) -> None:
    """Let A be B: both are listed under B's name.

    So in every clone that gets this by `provdb pull`. A and B are names, e-mail addresses, or uids from `provdb agents
    list --json`. What was recorded stays as it is; --undo takes it back.
    """
    if undo == (second is not None):
        raise click.UsageError("name A and B, or A alone with --undo")
    with project() as here:
        found = here.merge_agents(first, second)
        everybody = here.agents() if as_json else None
    if everybody is not None:
        print_json(everybody.to_json())
        return
    others = f", also known as {', '.join(row.email or row.name for row in found.aliases)}" if found.aliases else ""
    from provgraph.render.text import printable

    say(printable(f"{found.name}{f' <{found.email}>' if found.email else ''}{others}"))
