"""A project in which notebooks run in real kernels, and the graph that they left."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kernels
import nbformat
from laboratory import Graph, Lab
from nbformat import NotebookNode


@dataclass
class Desk:
    """A project, kernels in it, and the graph that they left."""

    lab: Lab
    environment: dict[str, str]

    @property
    def root(self) -> Path:
        return self.lab.root

    def run(self, *sources: str, **more: Any) -> NotebookNode:
        """Run cells in a fresh kernel that records."""
        return kernels.run(kernels.notebook(*sources), self.root, self.environment, **more)

    def texts(self, *sources: str) -> list[str]:
        """What cells put out, as text."""
        return [kernels.text_of(cell) for cell in self.run(*sources).cells]

    def run_file(self, path: str, *sources: str) -> NotebookNode:
        """The same with a notebook that lies on disk and says so itself."""
        document = kernels.notebook(f"%provdb on --notebook {path}", *sources)
        nbformat.write(document, self.root / path)
        return kernels.run(document, self.root, self.environment)

    def graph(self) -> Graph:
        return self.lab.graph()


def cell(graph: Graph, contains: str) -> str:
    """The one recorded cell whose source contains a text."""
    found = [uid for uid in graph.of("Cell") if contains in graph.vertices[uid]["source"]]
    assert len(found) == 1, [graph.vertices[uid]["source"] for uid in graph.of("Cell")]
    return found[0]
