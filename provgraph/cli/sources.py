"""Where a question is asked: the project here, or a graph that came as a file."""

import sys

from provgraph.cli.output import progress
from provgraph.errors import InputError
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.graph_reader import GraphAsReader
from provgraph.session.project import Project
from provgraph.session.project import open as open_project


def project() -> Project:
    """The project here."""
    found = open_project()
    found.progress = progress
    return found


def graph_reader(file: str) -> GraphAsReader:
    """The graph in a file (``-`` is standard input), asked like a store.

    Raises:
        InputError: the file cannot be read, or holds no graph.
    """
    try:
        if file == "-":
            text = sys.stdin.buffer.read()
        else:
            with open(file, "rb") as stream:
                text = stream.read()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    try:
        return GraphAsReader(ProvGraph.from_json(text))
    except InputError as error:
        where = "standard input" if file == "-" else file
        raise InputError(f"{where}: {error}") from error
