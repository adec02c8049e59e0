"""Comparisons as text: what differs first, the first side marked ``-``, the second ``+``, both at once ``≠``."""

from collections.abc import Iterable, Sequence
from typing import Final

from provgraph.graph.comparison import Comparison, Members, Pair, Related
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import UNSEEN, display_name
from provgraph.model.vocabulary import KINDS
from provgraph.render.contents import content_lines
from provgraph.render.differences import COLOURS, MARKS, properties_text, property_lines
from provgraph.render.series import series_differences_text
from provgraph.render.text import Page, clip, clip_middle, printable, width
from provgraph.render.times import Clock
from provgraph.render.vertices import colour_of, remarks
from provgraph.render.words import inverse

FEW: Final = 12
_NAMED: Final = 5
_TOLD: Final = 3
_MOST: Final = 40
"""So many vertices are listed of each sort, and so many relations of a vertex that only one side has."""


def comparison_text(found: Comparison, page: Page, clock: Clock, *, everything: bool = False) -> str:
    """The whole answer; a sentence where nothing differs."""
    blocks = [_heading(found, page, clock)]
    if found.kind == "vertices" and found.both[0].same and not everything:
        return f"{blocks[0]}\n\nThey are one vertex; nothing differs."
    if found.kind == "vertices":
        blocks += _vertices(found, page, clock, everything)
    else:
        blocks += _graphs(found, page, clock, everything)
    if not found.differs:
        passing = found.kind == "vertices" and any(d.state != "equal" for d in found.both[0].properties)
        blocks.insert(1, "Nothing differs that tells them apart." if passing else "Nothing differs.")
    return "\n\n".join(block for block in blocks if block)


def left_out(found: Comparison) -> list[str]:
    """What the text does not show, as a note; none where it shows all."""
    if found.kind == "graphs" or found.both[0].same:
        return []
    same = sum(d.state == "equal" for d in found.both[0].properties)
    said = [f"{same} {'property is' if same == 1 else 'properties are'} the same"] if same else []
    passing = _incidental(found)
    if passing:
        said.append(f"{passing} {'differs' if passing == 1 else 'differ'} between any two (times, numbers)")
    notes = [f"{', '.join(said)}; --all shows them"] if said else []
    content = found.both[0].content
    if content is not None and content.state == "differs" and content.form in ("binary", "unknown"):
        notes.append("--lineage compares what the two came from")
    return notes


def _incidental(found: Comparison) -> int:
    if found.kind == "graphs":
        return 0
    return sum(d.state != "equal" and d.group == "incidental" for d in found.both[0].properties)


def _heading(found: Comparison, page: Page, clock: Clock) -> str:
    lines = []
    for mark, name, place in (("-", found.first, 0), ("+", found.second, 1)):
        said = ""
        if found.kind == "vertices":
            pair = found.both[0]
            vertex = (pair.first, pair.second)[place]
            labels = ", ".join(label for label in vertex.labels if label not in KINDS) or ", ".join(vertex.labels)
            when = clock.show(vertex.properties.get("created_at")) if "created_at" in vertex.properties else ""
            told = [labels, *([when] if when else remarks(vertex, (), clock)[:1])]
            said = f"  ({printable(', '.join(told))})"
        else:
            alone = (found.only_first, found.only_second)[place]
            moved = found.displaced
            here = sum(vertex.uid not in moved for vertex in alone)
            said = f"  ({len(found.both) + len(alone):,} vertices, {here:,} of them only here)"
        head = clip_middle(f"{mark} {printable(name)}", max(20, page.columns - width(said)))
        painted = page.paint(head, COLOURS["first" if mark == "-" else "second"])
        lines.append(painted + page.paint(clip(said, max(1, page.columns - width(head))), "faint"))
    return "\n".join(lines)


# -- two vertices


def _vertices(found: Comparison, page: Page, clock: Clock, everything: bool) -> list[str]:
    pair = found.both[0]
    shown = [d for d in pair.properties if everything or (d.state != "equal" and d.group != "incidental")]
    blocks = [properties_text((found.first, found.second), shown, page, clock)]
    blocks.append(series_differences_text(found, page, everything=everything))
    if pair.content is not None and not pair.same:
        blocks.append("\n".join(content_lines(pair.content, page, everything=everything)))
    if found.members is not None:
        blocks.append("\n".join(_members(found.members, page, everything)))
    return blocks + _related_blocks(found, page, everything)


def _members(members: Members, page: Page, everything: bool) -> list[str]:
    counts = f"{members.added_count:,} added, {members.removed_count:,} removed, {members.changed_count:,} changed"
    equal = "" if members.equal_count is None else f", {members.equal_count:,} the same"
    lines = [page.paint(f"members: {counts}{equal}", "faint")]
    most = None if everything else FEW
    changed = [one if one == other else f"{one} | {other}" for one, other in members.changed]
    for mark, names, count, colour in (
        ("≠", changed, members.changed_count, "strong"),
        ("-", members.removed, members.removed_count, "bad"),
        ("+", members.added, members.added_count, "good"),
    ):
        kept = names[:most]
        lines += ["  " + page.paint(clip_middle(f"{mark} {printable(n)}", page.columns - 2), colour) for n in kept]  # type: ignore[arg-type]
        if count > len(kept):
            lines.append(f"  {mark} … and {count - len(kept):,} more")
    return lines


def _related_blocks(found: Comparison, page: Page, everything: bool) -> list[str]:
    groups: dict[tuple[str, bool], list[Related]] = {}
    sides = found.both[0].first, found.both[0].second
    for one in found.related:
        groups.setdefault((one.relation, one.outgoing), []).append(one)
    blocks = []
    for (relation, outgoing), group in groups.items():
        lines = [page.paint(relation if outgoing else inverse(relation), "faint")]
        told = [one for one in group if one.state != "equal"]
        told += [one for one in group if everything and one.state == "equal"]
        cut = len(told) if everything else _MOST
        for one in told[:cut]:
            lines += _related(one, sides, page, everything)
        if len(told) > cut:
            lines.append(f"  … and {len(told) - cut:,} more (--all shows them)")
        same = [_name(one.first) for one in group if one.state == "equal" and one.first is not None]
        if same and not everything:
            lines.append(page.paint(clip(f"  = {_listed(same)}", page.columns), "faint"))
        blocks.append("\n".join(lines))
    return blocks


def _related(one: Related, sides: tuple[Vertex, Vertex], page: Page, everything: bool) -> list[str]:
    ends = (one.first, one.second)
    names = [_change_of(side, end) for side, end in zip(sides, ends, strict=True) if end is not None]
    text = _both(names[0], names[-1])
    line = "  " + page.paint(clip_middle(f"{MARKS[one.state]} {text}", page.columns - 2), COLOURS[one.state])
    if one.content is None or one.state == "equal":
        return [line]
    inner = content_lines(one.content, Page(page.columns - 6, page.colour), everything=everything, few=FEW)
    return [line, *("      " + text for text in inner)]


def _change_of(side: Vertex, end: Vertex) -> str:
    """The name of what stands at the end of a relation; an unrecorded change says of what it is one."""
    name = _name(end)
    path = side.properties.get("path")
    return f"{name} of {printable(str(path))}" if name == UNSEEN and path else name


def _name(vertex: Vertex) -> str:
    return printable(display_name(vertex))


def _both(one: str, other: str) -> str:
    return one if one == other else f"{one} | {other}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


# -- two graphs


def _graphs(found: Comparison, page: Page, clock: Clock, everything: bool) -> list[str]:
    names = _Names(found)
    first, second = found.changed_edges
    own: dict[int, list[tuple[str, Edge]]] = {}
    for mark, edges, place in (("-", first, 0), ("+", second, 1)):
        pairs = {(pair.first, pair.second)[place].uid: number for number, pair in enumerate(found.both)}
        for edge in edges:
            own.setdefault(pairs[edge.source], []).append((mark, edge))
    different = [number for number, pair in enumerate(found.both) if pair.differs or number in own]
    blocks = []
    if different:
        lines = [page.paint("Different", "strong")]
        for number in different:
            lines += _pair(found.both[number], own.get(number, []), names, page, clock, everything)
        blocks.append("\n".join(lines))
    for vertices, mark, edges in (
        (found.only_first, "-", found.edges_only_first),
        (found.only_second, "+", found.edges_only_second),
    ):
        lines = _only(vertices, mark, edges, found, names, page)
        cut = len(lines) if everything else _MOST
        more = [f"{mark} … and {len(lines) - cut:,} more (--all shows them)"] if len(lines) > cut else []
        blocks.append("\n".join([*lines[:cut], *more]))
    return [*blocks, _alike(found, set(different), names, page, everything)]


def _alike(found: Comparison, different: set[int], names: "_Names", page: Page, everything: bool) -> str:
    kept = [pair for number, pair in enumerate(found.both) if number not in different]
    same = [names.of(pair.first) for pair in kept if pair.same]
    like = [_both(names.of(pair.first), names.of(pair.second)) for pair in kept if not pair.same]
    moved = [names.uid(uid) for uid in found.displaced]
    lines = []
    for title, texts in (("In both", same), ("Alike", like), ("In both, in another place", moved)):
        if texts and everything:
            lines += [page.paint(title, "strong"), *(clip(f"= {text}", page.columns) for text in texts)]
        elif texts:
            lines.append(
                page.paint(clip(f"= {title.lower()}: {len(texts):,} ({_listed(texts)})", page.columns), "faint")
            )
    return "\n".join(lines)


def _pair(
    pair: Pair, edges: Iterable[tuple[str, Edge]], names: "_Names", page: Page, clock: Clock, everything: bool
) -> list[str]:
    text = _both(names.of(pair.first), names.of(pair.second))
    lines = [page.paint(clip_middle(f"≠ {text}", page.columns), colour_of(pair.first))]
    inner = Page(page.columns - 6, page.colour)
    for d in sorted(pair.telling, key=lambda d: not d.words):
        lines += ["    " + line for line in property_lines(d, clock, inner)]
    if pair.content is not None and pair.content.state != "equal":
        lines += ["    " + line for line in content_lines(pair.content, inner, everything=everything, few=FEW)]
    for mark, edge in edges:
        target = names.uid(edge.target)
        lines.append("    " + page.paint(f"{mark} {edge.type} {target}", "bad" if mark == "-" else "good"))
    return lines


def _only(
    vertices: Sequence[Vertex], mark: str, edges: Sequence[Edge], found: Comparison, names: "_Names", page: Page
) -> list[str]:
    """What only one side has, each with the relations that it hangs on."""
    moved = found.displaced
    alone = {vertex.uid: vertex for vertex in vertices if vertex.uid not in moved}
    if not alone:
        return []
    said: dict[str, list[str]] = {uid: [] for uid in alone}
    for e in edges:
        if e.source in said:
            said[e.source].append(f"{e.type} {names.uid(e.target)}")
    for e in edges:
        if e.target in said:
            said[e.target].append(f"{inverse(e.type)} {names.uid(e.source)}")
    name = found.first if mark == "-" else found.second
    lines = [page.paint(clip_middle(f"Only with {printable(name)}", page.columns), "strong")]
    for uid, vertex in alone.items():
        more = f" and {len(said[uid]) - _TOLD} more" if len(said[uid]) > _TOLD else ""
        tail = f"  ({', '.join(said[uid][:_TOLD])}{more})" if said[uid] else ""
        head = clip_middle(f"{mark} {names.of(vertex)}", max(page.columns * 2 // 3, page.columns - width(tail)))
        tail = page.paint(clip(tail, max(1, page.columns - width(head))), "faint") if tail else ""
        lines.append(page.paint(head, "bad" if mark == "-" else "good") + tail)
    return lines


class _Names:
    """Names of both graphs' vertices; an unrecorded change is called by what it changed."""

    def __init__(self, found: Comparison) -> None:
        alone = (*found.only_first, *found.only_second)
        self._names = {
            v.uid: _name(v) for v in (*(v for pair in found.both for v in (pair.first, pair.second)), *alone)
        }
        every = (
            *(edge for pair in found.edges_both for edge in pair),
            *found.edges_only_first,
            *found.edges_only_second,
        )
        for edge in every:
            if edge.type == "wasGeneratedBy" and self._names.get(edge.target) == UNSEEN:
                self._names[edge.target] = f"{UNSEEN} of {self._names[edge.source].rpartition('@')[0]}"

    def of(self, vertex: Vertex) -> str:
        return self.uid(vertex.uid)

    def uid(self, uid: str) -> str:
        return self._names.get(uid, uid)
