"""The picture of a graph, a lineage or a segment."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import KINDS, Kind
from provgraph.render.pictures.picture import (
    MOST,
    Arrow,
    Node,
    Picture,
    Tone,
    TooLargeError,
    agents_inside,
    arrow_of,
    value_text,
    without_told,
)

_TONES: Final[dict[str, Tone]] = {
    "similar": Tone.SIMILAR,
    "sibling": Tone.ASIDE,
    "expansion": Tone.ASIDE,
}
_LEGEND: Final[tuple[tuple[Tone, str], ...]] = (
    (Tone.ASKED, "asked for"),
    (Tone.UNSEEN, "nobody saw the change"),
    (Tone.SIMILAR, "on a similar path"),
    (Tone.ASIDE, "beside the paths"),
)
_UNSAID: Final = frozenset({"Snapshot", "Command", "Person", "Unseen", "Gathering"})
"""Labels that the name tells."""
_TOLD: Final = ("command", "path", "started_at", "created_at", "exit_status", "duration_s", "host", "sha256")


def picture_of_graph(
    graph: ProvGraph,
    roots: Iterable[str] | Mapping[str, str] = (),
    why: Callable[[str], str] | None = None,
    title: str | None = None,
) -> Picture:
    """Every vertex of a graph; agents stand inside the vertices that they answer for, where that loses nothing.

    Parameters:
        roots: what was asked for, marked, also with a word for each; by default what the graph's query says.
        why: the reason why a vertex is in, by uid; a segment's own by default.
        title: what stands above; made from the graph's query by default.

    Raises:
        TooLargeError: over 200 vertices are left when agents stand inside.
    """
    asked = asked_for(graph, roots)
    why = why or getattr(graph, "why", None)
    nodes = tuple(_node(vertex, asked, why) for vertex in sorted(graph, key=_in_time))
    arrows = tuple(_arrows(graph.edges))
    drawn = without_told(agents_inside(Picture(title or title_of(graph), nodes, arrows, (), graph.notes), _agent))
    if len(drawn.nodes) > MOST:
        raise TooLargeError(len(drawn.nodes))
    tones = {node.tone for node in drawn.nodes}
    return replace(drawn, legend=tuple((tone, words) for tone, words in _LEGEND if tone in tones))


def _agent(arrow: Arrow, agent: Node) -> str:
    """What is said of an agent in the box of a vertex that it answers for; nothing of the program that ran."""
    return "" if arrow.roles == ("program",) else agent.name


def _in_time(vertex: Vertex) -> tuple[str, str]:
    """Where nothing else decides, what happened first stands first."""
    properties = vertex.properties
    return str(properties.get("started_at") or properties.get("created_at") or ""), vertex.uid


def asked_for(graph: ProvGraph, roots: Iterable[str] | Mapping[str, str] = ()) -> dict[str, str]:
    """The uids that were asked for, each with the word for it: as given, or else as the graph's query says."""
    query = graph.query or {}
    given = dict(roots) if isinstance(roots, Mapping) else dict.fromkeys(roots, "")
    asked = given or {str(uid): "" for uid in query.get("roots", ()) or ()}
    asked |= dict.fromkeys(_sources(graph), "source")
    asked |= dict.fromkeys(_ends(graph, "destinations"), "destination")
    return asked


def _node(vertex: Vertex, asked: Mapping[str, str], why: Callable[[str], str] | None) -> Node:
    reason = str(why(vertex.uid)) if why else ""
    lines = _lines(vertex)
    tone = _TONES.get(reason, Tone.PLAIN)
    if reason in _TONES:
        lines.append(reason)
    if "Unseen" in vertex.labels:
        tone = Tone.UNSEEN
    if vertex.uid in asked:
        tone = Tone.ASKED
        lines += [asked[vertex.uid]] if asked[vertex.uid] else []
    name = display_name(vertex)
    return Node(vertex.uid, vertex.kind, name, tuple(lines), (), tone, _tooltip(vertex, name, reason))


def _lines(vertex: Vertex) -> list[str]:
    properties = vertex.properties
    lines = [label.lower() for label in vertex.labels if label not in KINDS and label not in _UNSAID]
    if vertex.kind is Kind.ACTIVITY:
        if properties.get("exit_status") not in (None, 0):
            lines.append(f"exit {properties['exit_status']}")
        elif properties.get("interrupted"):
            lines.append("interrupted")
    elif properties.get("content"):
        lines.append(f"content {properties['content']}")
    return lines


def _tooltip(vertex: Vertex, name: str, reason: str) -> str:
    labels = ", ".join(label for label in vertex.labels if label not in KINDS)
    said = [f"{vertex.kind.value}{f' ({labels})' if labels else ''}: {name}"]
    said += [f"{key}: {value_text(vertex.properties[key])}" for key in _TOLD if vertex.properties.get(key) is not None]
    said += [f"why: {reason}"] if reason else []
    return "\n".join([*said, f"uid: {vertex.uid}"])


def _arrows(edges: Iterable[Edge]) -> Iterable[Arrow]:
    """One arrow for all edges of a relation between two vertices; their roles are in its tooltip."""
    roles: dict[tuple[str, str, str], list[str]] = {}
    for edge in edges:
        role = edge.role or str(edge.properties.get("prov_type") or "")
        roles.setdefault((edge.source, edge.target, edge.type), []).extend([role] if role else [])
    for (source, target, relation), said in roles.items():
        once = tuple(dict.fromkeys(said))
        words = f"{relation} ({', '.join(once)})" if once else relation
        yield arrow_of(Arrow(source, target, relation, tooltip=words, roles=once))


def title_of(graph: ProvGraph) -> str:
    """What a graph shows, from what was asked."""
    asked = graph.query or {}
    if _ends(graph, "destinations"):
        came = _named(graph, _ends(graph, "destinations"))
        sources = _sources(graph)
        return f"How {came} came from {_named(graph, sources)}" if sources else f"How {came} came about"
    if asked.get("command") == "lineage" and asked.get("path"):
        return " to ".join(str(end) for end in asked["path"])
    if asked.get("command") == "lineage":
        named = ", ".join(str(reference) for reference in asked.get("references", ()))
        return f"What came of {named}" if asked.get("downstream") else f"Where {named} came from"
    if asked.get("command"):
        return str(asked["command"]).capitalize()
    return "Provenance"


def _sources(graph: ProvGraph) -> tuple[str, ...]:
    """The sources of a segment, where somebody named them."""
    named = (graph.query or {}).get("sources", True)
    return _ends(graph, "sources") if named else ()


def _ends(graph: ProvGraph, key: str) -> tuple[str, ...]:
    """Sources or destinations: a segment's own, or those that a segment was asked for that came from a file."""
    query = graph.query or {}
    asked = query.get(key) if query.get("command") == "segment" else None
    given = getattr(graph, key, None) or asked or ()
    return tuple(str(uid) for uid in given) if isinstance(given, list | tuple) else ()


def _named(graph: ProvGraph, uids: Iterable[str]) -> str:
    names = sorted(display_name(vertex) for uid in uids if (vertex := graph.vertex(uid)) is not None)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
