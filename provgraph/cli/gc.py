"""``provdb gc``."""

import click

from provgraph.cli.output import json_option, note, print_json, say
from provgraph.cli.sources import project


@click.command()
@click.option("--to", "budget_bytes", type=click.IntRange(0), metavar="BYTES", help="Keep no more than this.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@json_option
def command(budget_bytes: int | None, dry_run: bool, as_json: bool) -> None:
    """Give space back: contents that no commit refers to go first, oldest first. What is known of them stays.

    Copies that were set aside for a command which `provdb doctor` no longer names go always.
    """
    with project() as here:
        done = here.gc(budget_bytes=budget_bytes, dry_run=dry_run)
        note(here.notes)
    if as_json:
        print_json(done.to_json())
        return
    would = "would go" if dry_run else "gone"
    say(f"{done.removed:,} contents {would}, {done.freed_bytes:,} bytes; {done.kept_bytes:,} bytes kept")
    say(f"the budget is {done.budget_bytes:,} bytes (objects.budget_bytes in .provdb/config.toml)")
