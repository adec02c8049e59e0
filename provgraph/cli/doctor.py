"""``provdb doctor``."""

import click

from provgraph.cli.output import json_option, note, print_json, say, stdout_page
from provgraph.cli.sources import project
from provgraph.render.text import Colour, printable

_MARKS: dict[str, tuple[str, Colour]] = {
    "ok": ("ok", "good"),
    "note": ("note", "plain"),
    "warning": ("warning", "activity"),
    "bad": ("BAD", "bad"),
}


@click.command()
@click.option("--rebuild", is_flag=True, help="Make the projection anew from the journal.")
@click.option("--backup", metavar="FILE", help="Write a consistent copy of the store.")
@json_option
def command(rebuild: bool, backup: str | None, as_json: bool) -> int:
    """Check the store and the capture methods. Ends with 3 where the store is damaged."""
    with project() as here:
        found = here.doctor(rebuild=rebuild, backup=backup)
        note(here.notes)
    if as_json:
        print_json(found.to_json())
    else:
        page = stdout_page()
        for finding in found.findings:
            mark, colour = _MARKS[finding.state]
            subject = f" {printable(finding.subject)}" if finding.subject else ""
            say(f"{page.paint(f'{mark:<7}', colour)}  {finding.check}{subject}: {printable(finding.text)}")
            if finding.remedy:
                say(f"         → {printable(finding.remedy)}")
        if found.digest:
            say(f"the projection's digest is {found.digest}")
    return 0 if found.healthy else 3
