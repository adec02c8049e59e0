"""Just enough of PROV-N to read the small documents of ProvToolbox: one statement a line, no bundles.

What ProvGraph has no place for (a derivation's activity, an association's plan, influence, what is left open with
``-``) is not dropped: it is listed in ``beyond``, and whoever compares decides.
"""

import re
from dataclasses import dataclass

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import RELATIONS, Kind

_STATEMENT = re.compile(r"(\w+)\((.*)\)$")
_AROUND = re.compile(r"(document|endDocument|default|prefix)\b")
_KINDS = {kind.value.lower(): kind.value for kind in Kind}


@dataclass(frozen=True)
class Document:
    """The graph, and the statements that say more than it does."""

    graph: ProvGraph
    beyond: tuple[str, ...]
    plans: dict[tuple[str, str], str]
    """Of associations that have one."""


def read(text: str, *, prefixes: bool = False) -> Document:
    """The graph of a document, its vertices with or without their prefixes."""
    vertices: dict[str, Vertex] = {}
    edges: list[Edge] = []
    beyond: list[str] = []
    plans: dict[tuple[str, str], str] = {}
    for line in (re.split(r"\s//", whole)[0].strip() for whole in text.splitlines()):
        found = _STATEMENT.match(line)
        if found is None:
            if line and not _AROUND.match(line):
                beyond.append(line)
            continue
        name, arguments = found[1], found[2]
        names = [word.strip().split(";")[-1] for word in arguments.split("[")[0].split(",")]
        if not prefixes:
            names = [word.split(":")[-1] for word in names]
        if "[" in arguments:
            beyond.append(line)
        if name in _KINDS:
            vertices[names[0]] = Vertex(names[0], (_KINDS[name],))
        elif name in RELATIONS and "-" not in names[:2]:
            edges.append(Edge(name, names[0], names[1]))
            beyond += [line for word in names[2:] if word not in {"-", ""}]
            if name == "wasAssociatedWith" and len(names) > 2 and names[2] != "-":
                plans[names[0], names[1]] = names[2]
        else:
            beyond.append(line)
    known = [edge for edge in edges if edge.source in vertices and edge.target in vertices]
    beyond += [f"{e.type} of what is not declared" for e in edges if e not in known]
    return Document(ProvGraph(vertices.values(), known), tuple(beyond), plans)
