"""Ingestors of a project's own, written by tests."""

import textwrap
from pathlib import Path

HEAD = """\
import os, signal, sys, time
from pathlib import Path
from provgraph.ingestors.port import Findings, Match, Moment

class One:
    name, version, description = {name!r}, {version!r}, "of a test"
    moment, match = Moment.{moment}, {match}

    def ingest(self, occurrence):
        here = Path(occurrence.project)
        activity, used, generated = occurrence.activity, occurrence.used, occurrence.generated
        found = Findings()
{body}
        return found

INGESTOR = One()
"""


def write_ingestor(
    root: Path, name: str, body: str, match: str = "Match(utility='cp')", *, moment: str = "AFTER"
) -> Path:
    """Write one into a project: ``body`` knows ``occurrence``, its parts, and ``found``, which it returns."""
    lines = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    file = root / ".provdb" / "ingestors" / f"{name}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(HEAD.format(name=name, version="1", moment=moment, match=match, body=lines))
    return file
