"""A project, programs that record from within, and the graph that they left."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from interpreters import CLIENT_PATH
from laboratory import Graph, Lab


class Desk:
    """A project in which programs use ``provgraph.activity``."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.root = lab, lab.root

    def script(self, text: str, name: str = "program.py") -> str:
        """Write a program; it is in the project."""
        (self.root / name).write_text("import provgraph\n" + textwrap.dedent(text))
        return name

    def alone(
        self, text: str, *, python: str = sys.executable, check: int | None = 0, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that nobody watches."""
        environment = {"PYTHONPATH": str(CLIENT_PATH), **options.pop("env", {})}
        done: subprocess.CompletedProcess[str] = self.lab.provdb.command(
            [python, self.script(text)], env=environment, check=check, **options
        )
        return done

    def watched(self, text: str, *, python: str = sys.executable, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program under ``provdb``."""
        return self.lab.run(python, self.script(text), **options)

    def run(self, how: str, text: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Either of the two, or under ``provdb`` without a supervisor."""
        if how == "stat":
            return self.watched(text, env={"PROVDB_CAPTURE": "stat", **options.pop("env", {})}, **options)
        return self.watched(text, **options) if how == "seccomp" else self.alone(text, **options)

    def graph(self) -> Graph:
        return self.lab.graph()


@pytest.fixture
def desk(provdb: Any, project: Path) -> Desk:
    return Desk(Lab(provdb))


def activity(graph: Graph, name: str) -> str:
    """The one activity that is called so."""
    found = [uid for uid in graph.of("Activity") if graph.vertices[uid].get("name", "").rpartition(" #")[0] == name]
    assert len(found) == 1, [graph.vertices[uid].get("name") for uid in graph.of("Activity")]
    return found[0]
