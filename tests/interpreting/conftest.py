"""A project with ingestors of its own, real commands in it, and what these ingestors left in the journal."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from interpreting_samples import write_ingestor
from laboratory import Lab

from provgraph.events import Event
from provgraph.stores import open_store


class Workshop(Lab):  # type: ignore[misc]
    """A lab in which ingestors are written."""

    def __init__(self, provdb: Any) -> None:
        super().__init__(provdb)

    def ingestor(
        self, name: str, body: str, match: str = "Match(utility='cp')", *, moment: str = "AFTER", trust: bool = True
    ) -> Path:
        """Write one into the project, and trust it."""
        file = write_ingestor(self.root, name, body, match, moment=moment)
        if trust:
            self.provdb("trust", ".")
        return file

    def configure(self, **settings: int) -> None:
        """Set ``[ingestors]``."""
        path = self.root / ".provdb" / "config.toml"
        lines = "".join(f"\n{key} = {json.dumps(value)}" for key, value in settings.items())
        path.write_text(re.sub(r"(?m)^\[ingestors\]$", f"[ingestors]{lines}", path.read_text()))
        self.provdb("trust", ".")

    def shown(self, reference: str = "%1") -> dict[str, Any]:
        """The properties of a vertex, asked for by the command."""
        properties: dict[str, Any] = self.provdb.json("show", reference)["vertex"]["properties"]
        return properties

    def events(self, kind: str = "properties.found") -> list[Event]:
        """The journal's events of a kind, as they are now: nothing is waited for."""
        with open_store(str(self.root), write=False) as store:
            return [event for event in store.events() if event.kind == kind]

    def copy(self) -> dict[str, Any]:
        """``cp a.txt b.txt``, recorded; what is known of it then."""
        self.write("a.txt", "words of a file\n")
        done = self.run("cp", "a.txt", "b.txt")
        assert (done.stdout, done.stderr) == ("", "")
        return self.shown()


@pytest.fixture
def lab(provdb: Any, project: Path) -> Workshop:
    """A fresh project that is trusted."""
    return Workshop(provdb)
