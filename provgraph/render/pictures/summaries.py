"""The picture of a summary: groups with how many they stand for, and what not all segments have."""

from dataclasses import replace

from provgraph.graph.summary import Group, Summary, SummaryEdge
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


def picture_of_summary(summary: Summary, title: str | None = None) -> Picture:
    """Every group with its size and the segments that have it; an arrow says so where not all have it.

    Raises:
        TooLargeError: over 200 groups are left when agents stand inside.
    """
    count = len(summary.segments)
    nodes = tuple(_node(group, count) for group in summary.groups)
    arrows = tuple(_arrow(edge, count) for edge in summary.edges)
    made = title or ("Summary" if count == 1 else f"What {count:,} segments have in common")
    drawn = without_told(agents_inside(Picture(made, nodes, arrows, (), summary.notes), _agent))
    if len(drawn.nodes) > MOST:
        raise TooLargeError(len(drawn.nodes), "groups")
    rare = Tone.RARE in {*(node.tone for node in drawn.nodes), *(arrow.tone for arrow in drawn.arrows)}
    few = f"rare: in {_few(count):,} of {count:,} segments{' or fewer' if _few(count) > 1 else ''}"
    return replace(drawn, legend=((Tone.RARE, few),) if rare else ())


def _rare(segments: int, count: int) -> bool:
    return count >= 3 and segments <= _few(count)


def _few(count: int) -> int:
    return max(1, count // 5)


def _node(group: Group, count: int) -> Node:
    rare = _rare(group.segments, count)
    lines = [f"×{group.size:,}"]
    if count > 1:
        lines = [f"in all {count:,}" if group.segments == count else f"in {group.segments:,} of {count:,}"]
        lines[0] += f", ×{group.size:,}" if group.size != group.segments else ""
    if group.examples and group.examples[0] not in group.name:
        lines.append(", ".join(group.examples) + (" …" if group.size > len(group.examples) else ""))
    lines += ["rare"] if rare else []
    kept = [f"{key}: {value_text(value)}" for key, value in group.kept.items()]
    examples = [f"for example {', '.join(group.examples)}"] if group.examples else []
    about = [
        f"{group.kind.value}: {group.name}", f"{group.size:,} vertices in {group.segments:,} of {count:,} segments",
        *kept, *examples,
    ]  # fmt: skip
    tone = Tone.RARE if rare else Tone.PLAIN
    return Node(group.name, group.kind, group.name, tuple(lines), (), tone, "\n".join(about))


def _arrow(edge: SummaryEdge, count: int) -> Arrow:
    share = "" if edge.segments == count else f"{edge.segments:,} of {count:,}"
    made = arrow_of(Arrow(edge.source, edge.target, edge.relation))
    label = ", ".join(part for part in (made.label, share) if part)
    tone = Tone.RARE if _rare(edge.segments, count) else Tone.PLAIN
    tooltip = f"{edge.relation}, in {edge.segments:,} of {count:,} segments"
    return replace(made, label=label, tone=tone, tooltip=tooltip)


def _agent(arrow: Arrow, agent: Node) -> str:
    share = arrow.label.rpartition(", ")[2] if " of " in arrow.label else ""
    return f"{agent.name} ({share})" if share else agent.name
