"""The picture of a comparison: both graphs in one, each thing marked by which of the two has it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from provgraph.graph.comparison import Comparison, Content, Difference, Pair, Related
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name
from provgraph.render.pictures.picture import (
    MOST,
    Arrow,
    Node,
    Picture,
    Tone,
    TooLargeError,
    agents_inside,
    arrow_of,
    without_told,
)

_WORDS: Final = {Tone.FIRST: "only first", Tone.SECOND: "only second"}
_TONES: Final = {"first": Tone.FIRST, "second": Tone.SECOND, "differs": Tone.DIFFERENT, "equal": Tone.SHARED}
_FEW: Final = 3


def picture_of_comparison(comparison: Comparison) -> Picture:
    """What is the same once, what differs with what, what only one has in its colour and with words.

    Over 200 vertices, those that are the same are left out, but for the neighbours of what differs.

    Raises:
        TooLargeError: that is still over 200.
    """
    nodes, arrows = _one(comparison) if comparison.kind == "vertices" else _two(comparison)
    title = f"{comparison.first} and {comparison.second}"
    whole = without_told(agents_inside(Picture(title, tuple(nodes), tuple(arrows), (), comparison.notes), _agent))
    drawn = whole if len(whole.nodes) <= MOST else _differing(whole)
    if len(drawn.nodes) > MOST:
        raise TooLargeError(len(drawn.nodes))
    legend = (
        (Tone.SHARED, "in both, the same"),
        (Tone.DIFFERENT, "in both, different"),
        (Tone.FIRST, f"only first: {comparison.first}"),
        (Tone.SECOND, f"only second: {comparison.second}"),
    )
    return replace(drawn, legend=legend)


def _two(comparison: Comparison) -> tuple[list[Node], list[Arrow]]:
    """Two graphs: aligned vertices are one node."""
    ones = {pair.first.uid: f"both {pair.first.uid}" for pair in comparison.both}
    others = {pair.second.uid: f"both {pair.first.uid}" for pair in comparison.both}
    ones |= {vertex.uid: f"first {vertex.uid}" for vertex in comparison.only_first}
    others |= {vertex.uid: f"second {vertex.uid}" for vertex in comparison.only_second}
    own = {
        keys[edge.source]
        for keys, edges in zip((ones, others), comparison.changed_edges, strict=True)
        for edge in edges
    }
    nodes = [_pair(pair, changed=f"both {pair.first.uid}" in own) for pair in comparison.both]
    nodes += [_single(vertex, Tone.FIRST) for vertex in comparison.only_first]
    nodes += [_single(vertex, Tone.SECOND) for vertex in comparison.only_second]
    changed = {id(edge) for edges in comparison.changed_edges for edge in edges}
    arrows = [
        *_arrows((first for first, _second in comparison.edges_both), ones, Tone.PLAIN, changed),
        *_arrows(comparison.edges_only_first, ones, Tone.FIRST, changed),
        *_arrows(comparison.edges_only_second, others, Tone.SECOND, changed),
    ]
    return nodes, arrows


def _one(comparison: Comparison) -> tuple[list[Node], list[Arrow]]:
    """Two vertices: one node for the pair, and what stands around it."""
    nodes = [_pair(pair) for pair in comparison.both]
    arrows = []
    for number, related in enumerate(comparison.related):
        node = _related(related, number)
        ends = (nodes[0].key, node.key) if related.outgoing else (node.key, nodes[0].key)
        tone = node.tone if node.tone in _WORDS else Tone.PLAIN
        nodes.append(node)
        arrows.append(arrow_of(Arrow(*ends, related.relation, tone=tone, tooltip=related.relation)))
    return nodes, arrows


def _pair(pair: Pair, *, changed: bool = False) -> Node:
    """``changed``: relations of its own differ."""
    lines = _differences(pair)
    tone = Tone.DIFFERENT if pair.differs or changed else Tone.SHARED
    uids = pair.first.uid if pair.same else f"{pair.first.uid} and {pair.second.uid}"
    told = [_change(found) for found in pair.telling[:12]]
    name = _both_names(pair.first, pair.second)
    tooltip = "\n".join([f"{pair.first.kind.value}: {name}", *told, f"uid: {uids}"])
    return Node(f"both {pair.first.uid}", pair.first.kind, name, tuple(lines), (), tone, tooltip)


def _differences(pair: Pair) -> list[str]:
    telling = pair.telling
    lines = []
    for found in telling[:_FEW]:
        short = not found.words and max(len(str(found.first)), len(str(found.second))) <= 12
        side = _WORDS.get(_TONES[found.state])
        lines.append(f"{found.key} ({side})" if side else _change(found) if short else f"{found.key} differs")
    more = len(telling) - _FEW
    lines += [f"{more} more {'property differs' if more == 1 else 'properties differ'}"] if more > 0 else []
    return lines + _content(pair.content)


def _change(found: Difference) -> str:
    if found.state == "differs":
        return f"{found.key}: {found.first} → {found.second}"
    return f"{found.key}: {found.first if found.state == 'first' else found.second} ({_WORDS[_TONES[found.state]]})"


def _content(content: Content | None) -> list[str]:
    return ["content differs"] if content is not None and content.state == "differs" else []


def _both_names(first: Vertex, second: Vertex) -> str:
    one, other = display_name(first), display_name(second)
    if one == other:
        return one
    for mark in ("@", " #"):
        stem, found, number = other.rpartition(mark)
        if found and one.startswith(stem + mark):
            return f"{one} → {mark.strip()}{number}"
    return f"{one} → {other}"


def _single(vertex: Vertex, tone: Tone) -> Node:
    side = "first" if tone is Tone.FIRST else "second"
    name = display_name(vertex)
    tooltip = f"{vertex.kind.value}: {name}\n{_WORDS[tone]}\nuid: {vertex.uid}"
    return Node(f"{side} {vertex.uid}", vertex.kind, name, (_WORDS[tone],), (), tone, tooltip)


def _related(related: Related, number: int) -> Node:
    vertex = related.first or related.second
    assert vertex is not None
    tone = _TONES[related.state]
    name = _both_names(related.first or vertex, related.second or vertex)
    lines = [_WORDS[tone]] if tone in _WORDS else _content(related.content)
    return Node(f"related {number}", vertex.kind, name, tuple(lines), (), tone, f"{vertex.kind.value}: {name}")


def _arrows(edges: Iterable[Edge], keys: Mapping[str, str], tone: Tone, changed: set[int]) -> Iterable[Arrow]:
    seen: set[tuple[str, str, str]] = set()
    for edge in edges:
        if (edge.source, edge.target, edge.type) in seen or edge.source not in keys or edge.target not in keys:
            continue
        seen.add((edge.source, edge.target, edge.type))
        roles = (edge.role,) if edge.role else ()
        made = arrow_of(Arrow(keys[edge.source], keys[edge.target], edge.type, tone=tone, roles=roles))
        words = _WORDS.get(tone, "")
        label = ", ".join(part for part in (made.label, words if id(edge) in changed else "") if part)
        yield replace(made, label=label, tooltip=f"{edge.type}{f' ({words})' if words else ''}")


def _agent(arrow: Arrow, agent: Node) -> str:
    if arrow.roles == ("program",):
        return ""
    words = _WORDS.get(arrow.tone, "")
    return f"{agent.name} ({words})" if words and arrow.source.startswith("both ") else agent.name


def _differing(picture: Picture) -> Picture:
    """Without what is the same, but for the neighbours of what is not."""
    telling = {node.key for node in picture.nodes if node.tone is not Tone.SHARED}
    kept = set(telling)
    for arrow in picture.arrows:
        if arrow.source in telling or arrow.target in telling:
            kept |= {arrow.source, arrow.target}
    left = len(picture.nodes) - len(kept)
    note = f"{left:,} vertices that are the same in both, and not beside one that differs, are not drawn"
    return replace(
        picture,
        nodes=tuple(node for node in picture.nodes if node.key in kept),
        arrows=tuple(arrow for arrow in picture.arrows if arrow.source in kept and arrow.target in kept),
        notes=(*picture.notes, note),
    )
