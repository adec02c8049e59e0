"""A summary on a page: its groups in the order of the flow, and what is odd."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from provgraph.graph.summary import Group, Oddity, SegmentScore, Summary, SummaryEdge
from provgraph.model.vocabulary import Kind
from provgraph.render.tables import Cell, Column, table
from provgraph.render.text import Colour, Page, clip, clip_middle, pad, printable, width

GROUPS, EDGES, SEGMENTS, RARE = 24, 8, 8, 6
"""So many are drawn where not all are: groups, edges of one, segments that are odd, things that few segments have."""
_COLOURS: Final[Mapping[Kind, Colour]] = {
    Kind.ENTITY: "entity",
    Kind.ACTIVITY: "activity",
    Kind.AGENT: "agent",
}
_STAY = "\xa0"
"""A blank at which no line ends; printed as a blank."""
_TITLE = 56
"""Columns for a group, where examples stand behind its name: the numbers shall not be far from it."""
_NARROW = 70
"""Below so many columns the kinds are left out: the relations tell them too."""


def summary_text(summary: Summary, page: Page, *, everything: bool = False) -> str:
    """The first line says what was summarized, the second how; then the groups with their edges, then what is odd."""
    blocks = ["\n".join([*_wrapped(_said(summary), page, ""), *_wrapped(_knobs(summary), page, "  ")])]
    if summary.groups:
        blocks.append(_groups(summary, page, everything))
    if summary.segments:
        blocks += _odd(summary, page, everything)
    return "\n\n".join(blocks)


def folded(summary: Summary, *, everything: bool = False) -> list[str]:
    """What the page does not show, as a note; none where it shows all."""
    if everything:
        return []
    kept = _drawn(summary, everything)
    edges = sum(max(0, len(own) - EDGES) for own in _edges_of(summary, kept).values())
    left = [
        _count(len(summary.groups) - len(kept), "group"),
        _count(edges, "edge"),
        _count(max(0, len(summary.ranked) - SEGMENTS), "segment"),
    ]
    said = ", ".join(text for text in left if not text.startswith("0 "))
    return [f"{said} folded; --all draws all, --json lists them"] if said else []


def _said(summary: Summary) -> str:
    segments, vertices = _count(len(summary.segments), "segment"), _count(summary.vertices, "vertex", "vertices")
    groups, edges = _count(len(summary.groups), "group"), _count(len(summary.edges), "edge")
    ratio = f", compaction {summary.compaction:.3g}" if summary.vertices else ""
    return f"{segments}, {vertices} → {groups}, {edges}{ratio}"


def _knobs(summary: Summary) -> str:
    """How it was asked, as one would type it."""
    query = summary.query
    kept = query.get("keep")
    keep = [f"--keep {kind}={','.join(keys)}" for kind, keys in kept.items()] if isinstance(kept, Mapping) else []
    preset = [f"{query['resolution']}:"] if query.get("resolution") else []
    words = [*(keep or ["nothing kept"]), f"--hops {query.get('hops', 0)}"]
    return " ".join([*preset, *(word.replace(" ", _STAY) for word in words)])


def _groups(summary: Summary, page: Page, everything: bool) -> str:
    kept = _drawn(summary, everything)
    edges = _edges_of(summary, kept)
    count = len(summary.segments)
    rows: list[list[Cell | str]] = []
    for group in kept:
        rows.append(
            [(_title(group), _COLOURS[group.kind]), group.kind.value.lower(), _in(group, count), f"{group.size:,}"]
        )
        own = edges[group.name]
        shown = own if everything or len(own) <= EDGES + 1 else own[:EDGES]
        rows += [[(f"   {edge.relation} {edge.target}", "plain"), "", _in(edge, count), ""] for edge in shown]
        if len(shown) < len(own):
            rows.append([(f"   … and {len(own) - len(shown):,} more", "faint"), "", "", ""])
    columns = (
        Column("group", least=16, middle=True),
        Column("kind"),
        Column("in segments"),
        Column("vertices", right=True),
    )
    places = [0, 2, 3] if page.columns < _NARROW else [0, 1, 2, 3]
    text = table([columns[p] for p in places], [[row[p] for p in places] for row in rows], page)
    left = [group for group in summary.groups if group not in kept]
    if left:
        few, most = min(g.segments for g in left), max(g.segments for g in left)
        span = f"{few:,}" if few == most else f"{few:,} to {most:,}"
        text += "\n" + clip(f"… and {_count(len(left), 'more group')}, in {span} of {count:,} segments", page.columns)
    return text


def _title(group: Group) -> str:
    """The name, and what its vertices are called where the name does not say."""
    shown = ", ".join(group.examples)
    if not shown or any(example in group.name for example in group.examples):
        return group.name
    more = ", …" if len(group.examples) > 2 else ""
    return clip_middle(f"{group.name} ({shown}{more})", max(_TITLE, width(group.name)))


def _drawn(summary: Summary, everything: bool) -> Sequence[Group]:
    if everything or len(summary.groups) <= GROUPS + 1:
        return summary.groups
    common = sorted(enumerate(summary.groups), key=lambda item: (-item[1].segments, item[0]))[:GROUPS]
    return [group for _, group in sorted(common, key=lambda item: item[0])]


def _edges_of(summary: Summary, groups: Iterable[Group]) -> dict[str, list[SummaryEdge]]:
    """The edges between these groups by the one that they start from, the commonest first."""
    found: dict[str, list[SummaryEdge]] = {group.name: [] for group in groups}
    for edge in summary.edges:
        if edge.source in found and edge.target in found:
            found[edge.source].append(edge)
    return {name: sorted(edges, key=lambda edge: -edge.segments) for name, edges in found.items()}


def _in(one: Group | SummaryEdge, count: int) -> str:
    return f"all {count:,}" if one.segments == count else f"{one.segments:,} of {count:,}"


def _odd(summary: Summary, page: Page, everything: bool) -> list[str]:
    count = len(summary.segments)
    if count == 1:
        return ["One segment alone: there is nothing to compare it with."]
    blocks = []
    ranked = summary.ranked
    if ranked:
        shown = ranked if everything or len(ranked) <= SEGMENTS + 1 else ranked[:SEGMENTS]
        lines = [page.paint("What is odd", "strong")]
        for segment in shown:
            lines += _scored(segment, page)
        if len(shown) < len(ranked):
            lines.append(f"  … and {_count(len(ranked) - len(shown), 'segment')} less unusual")
        rest = count - len(ranked)
        if rest:
            lines.append(f"  the other {rest:,}: 0 bits" if rest > 1 else "  the other one: 0 bits")
        blocks.append("\n".join(lines))
    elif summary.alike:
        blocks.append("\n".join(_wrapped(f"Nothing is odd: the {count:,} segments are alike.", page, "")))
    else:
        said = f"No segment stands out: in what the {count:,} differ, each goes with as many as the others."
        said += " `provdb compare` tells how two differ." if count == 2 else ""
        blocks.append("\n".join(_wrapped(said, page, "")))
    rare = _rare(summary)
    if rare:
        blocks.append(_rare_text(rare, summary, page, everything))
    return blocks


def _scored(segment: SegmentScore, page: Page) -> list[str]:
    tail = f"  {segment.score:.1f} bits"
    name = clip_middle(printable(segment.name), max(12, page.columns - 2 - width(tail)))
    lines = [f"  {page.paint(name, 'strong')}{page.paint(tail, 'faint')}"]
    for reason in segment.reasons:
        lines += _wrapped(printable(reason), page, "      ", "    ")
    return lines


def _rare(summary: Summary) -> list[Oddity]:
    """Groups, and those edges that are not there or missing for the sake of one of their groups."""
    groups = {(o.name, o.segments, o.names) for o in summary.odd if o.what == "group"}
    explained = {
        str(edge)
        for edge in summary.edges
        for end in (edge.source, edge.target)
        for name, segments, _ in groups
        if name == end and segments == edge.segments
    }
    return [oddity for oddity in summary.odd if oddity.what == "group" or oddity.name not in explained]


def _rare_text(rare: Sequence[Oddity], summary: Summary, page: Page, everything: bool) -> str:
    shown = rare if everything or len(rare) <= RARE + 1 else rare[:RARE]
    lines = [page.paint("Not in all segments", "strong")]
    for oddity in shown:
        names = ", ".join(oddity.names[:3]) + (", …" if len(oddity.names) > 3 else "")
        which = f"{'not in' if oddity.without else 'in'} {names}"
        share = f"{oddity.segments:,} of {len(summary.segments):,}"
        lines += _wrapped(printable(f"{pad(share, 9)} {oddity.name}, {which}"), page, "            ", "  ")
    if len(shown) < len(rare):
        lines.append(f"  … and {len(rare) - len(shown):,} more (--all)")
    return "\n".join(lines)


def _wrapped(text: str, page: Page, hanging: str, first: str = "") -> list[str]:
    room = max(20, page.columns)
    lines = textwrap.wrap(
        text, room, initial_indent=first, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
    return [clip(line.replace(_STAY, " "), room) for line in lines] or [first]


def _count(number: int, what: str, several: str = "") -> str:
    return f"{number:,} {what if number == 1 else several or what + 's'}"
