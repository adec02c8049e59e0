"""``provdb run``: its help. The command itself is taken by the wrapping path, which imports none of this."""

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--name", help="What to call it in listings.")
@click.option("--tag", multiple=True, metavar="KEY=VALUE", help="A property of your own; repeat it.")
@click.option("--note", metavar="TEXT", help="A remark.")
@click.option("--capture", metavar="METHOD", help="seccomp, stat, strace or none.")
@click.option("--keep-output", is_flag=True, help="Keep head and tail of what it prints, scrubbed.")
@click.argument("argv", metavar="-- COMMAND…", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    name: str | None,
    tag: tuple[str, ...],
    note: str | None,
    capture: str | None,
    keep_output: bool,
    argv: tuple[str, ...],
) -> int:
    """Run and record a command, with options. What follows `--` is always a command, whatever its name.

    VALUE is JSON or text, as for `provdb annotate`. `-c LINE` in the place of `--` runs a shell line:
    `provdb run --name merge -c 'cat a b | sort > c'`.
    """
    from provgraph.capture.prefix import run
    from provgraph.session.values import tags

    words: list[str] = []
    for option, value in (("--name", name), ("--note", note), ("--capture", capture)):
        words += [option, value] if value is not None else []
    for pair in tag:
        words += ["--tag", pair]
    words += ["--keep-output"] if keep_output else []
    run([*words, "--", *argv], tags)
