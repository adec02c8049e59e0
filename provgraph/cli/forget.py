"""``provdb forget``."""

import sys
from typing import TYPE_CHECKING

import click

from provgraph.cli.output import NOTHING_FOUND, json_option, note, print_json, say
from provgraph.cli.sources import project
from provgraph.render.text import printable

if TYPE_CHECKING:
    from provgraph.session.forgetting import Forgotten


@click.command()
@click.argument("references", metavar="[REF]…", nargs=-1)
@click.option("--pattern", metavar="REGEX", help="What matches becomes ***, wherever it stands (- reads a line).")
@click.option("--agent", metavar="NAME", help="A person, by name or e-mail address, becomes a pseudonym.")
@click.option("--contents", is_flag=True, help="With --pattern: contents of files that match go, whole.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def command(
    references: tuple[str, ...], pattern: str | None, agent: str | None, contents: bool, dry_run: bool, yes: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Remove something for good, from the history and from the disk: `provdb forget secret.env --yes`.

    REF of a file's snapshot: its bytes, its digest, its size and what was said of it; its path stays. REF of a command:
    its words, options, notes, tags, parameters, results, kept output and variables. --pattern replaces a text in
    command lines, paths, notes, properties and logs. The history around it stays whole, and a tombstone says when
    something was removed, and by whom, never what.

    There is no way back. Copies made before are not reached: see `docs/forget.md`.
    """
    from provgraph.session.forgetting import Forgotten

    if pattern == "-":
        pattern = sys.stdin.readline().rstrip("\n")
    asks = sys.stdin.isatty() and not yes
    unasked = not (yes or dry_run or asks)

    def ask(found: Forgotten) -> bool:
        _show(found, err=True)
        return click.confirm("remove for good?", err=True)

    with project() as here:
        found = here.forget(
            *references, pattern=pattern, agent=agent, contents=contents, dry_run=dry_run or unasked,
            ask=ask if asks else None,
        )  # fmt: skip
        note(here.notes)
    if unasked and found.anything:
        raise click.UsageError("nothing was removed: give --yes, or --dry-run to see what would go")
    if as_json:
        print_json(found.to_json())
    elif dry_run or found.done:
        _show(found)
    _warn(found)
    if not found.anything:
        note(["nothing here matches; nothing was removed"])
    if not found.anything or not (found.done or dry_run):
        click.get_current_context().exit(NOTHING_FOUND)


def _show(found: "Forgotten", *, err: bool = False) -> None:
    """What goes, in a few lines."""
    if not found.anything:
        return
    verb = "removed" if found.done else "would go"
    where = ", ".join(f"{printable(key)} {count:,}" for key, count in list(found.keys.items())[:12])
    lines = [f"{verb}: from {_counted(found.events, 'event')} of the history" + (f" ({where})" if where else "")]
    if found.names:
        more = f", … and {found.vertices - len(found.names[:8]):,} more" if found.vertices > 8 else ""
        lines.append(f"  of {', '.join(map(printable, found.names[:8]))}{more}")
    if found.contents:
        lines.append(f"  {_counted(found.contents, 'kept content')}, {_counted(found.freed_bytes, 'byte')}")
    if found.shared:
        more = f", … ({len(found.shared)})" if len(found.shared) > 8 else ""
        have = "has the same bytes: they" if len(found.shared) == 1 else "have the same bytes: theirs"
        lines.append(f"  {', '.join(map(printable, found.shared[:8]))}{more} {have} go too")
    if found.files:
        lines.append(f"  from {', '.join(map(printable, found.files))}")
    if found.done:
        lines.append(f"  tombstone {found.tombstone}, by {printable(str(found.by))}")
    for line in lines:
        if err:
            click.echo(line, err=True)
        else:
            say(line)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _warn(found: "Forgotten") -> None:
    """What would bring it back, and where it still is."""
    said = [f"still running, and recording it: {line}; forget it again when that has ended" for line in found.running]
    if found.on_disk:
        names = ", ".join(found.on_disk[:5]) + (", …" if len(found.on_disk) > 5 else "")
        said.append(f"{names} would bring it back with the next command that reads it: change, rename or remove it")
    said += [f"{path} still holds it, and is yours to edit" for path in found.left]
    if not found.finished:
        said.append("somebody reads this history now: the old bytes leave the disk when it is opened next")
    note([*said, *(found.notes if found.done else ())])
