"""Vertices in words: a label in a line, a whole description on a page."""

from dataclasses import replace

from provgraph.graph.answers import Description, Related
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import UNSEEN, display_name
from provgraph.model.vocabulary import KINDS, PROPERTIES
from provgraph.render.plots import number, sparkline
from provgraph.render.rows import cell_text
from provgraph.render.tables import Column, table
from provgraph.render.text import Colour, Page, clip, printable
from provgraph.render.times import Clock, duration
from provgraph.render.words import inverse

FEW = 12
_SPARK = 24
LONG = 2000
"""Longer values are cut where a vertex is described (characters)."""


def colour_of(vertex: Vertex) -> Colour:
    """The colour of a vertex's kind."""
    for kind, colour in (("Entity", "entity"), ("Activity", "activity"), ("Agent", "agent")):
        if kind in vertex.labels:
            return colour  # type: ignore[return-value]
    return "plain"


def remarks(vertex: Vertex, agents: tuple[str, ...], clock: Clock) -> list[str]:
    """What stands in brackets after a name: who, when, how it ended."""
    properties = vertex.properties
    said = list(agents)
    if "Activity" in vertex.labels:
        if "Unseen" in vertex.labels:
            before = clock.short(properties.get("ended_at") or properties.get("started_at"))
            return [f"noticed {before}"] if before else []
        started = clock.short(properties.get("started_at"))
        said += [started] if started else []
        if properties.get("exit_status") is not None:
            said.append(f"exit {properties['exit_status']}")
        elif properties.get("interrupted"):
            said.append("interrupted")
        elif properties.get("started_at") and not properties.get("ended_at"):
            said.append("running")
    elif properties.get("content"):
        said.append(f"content {properties['content']}")
    return said


def description_text(found: Description, page: Page, clock: Clock) -> str:
    """A vertex on a page: name, properties in the vocabulary's order, relations by type, the path's other snapshots."""
    vertex = found.vertex
    labels = ", ".join(label for label in vertex.labels if label not in KINDS) or ", ".join(vertex.labels)
    name = found.name
    if name == UNSEEN:
        changed = sorted({display_name(r.other) for r in found.relations if r.edge.type == "wasGeneratedBy"})
        name = f"{UNSEEN} of {', '.join(changed)}" if changed else name
    blocks = [f"{page.paint(printable(name), 'strong')}  {page.paint(labels, colour_of(vertex))}"]
    blocks.append(_properties(vertex, page, clock))
    blocks += _relations(found, page)
    if len(found.snapshots) > 1:
        blocks.append(_snapshots(found, page, clock))
    if found.members is not None:
        blocks.append(f"{found.members:,} members")
    return "\n\n".join(block for block in blocks if block)


def _properties(vertex: Vertex, page: Page, clock: Clock) -> str:
    order = {key: place for place, key in enumerate(PROPERTIES)}
    curves, told = _curves(vertex)
    keys = sorted(vertex.properties.keys() - told, key=lambda key: (order.get(key, len(order)), key))
    rows = [[("uid", "faint"), vertex.uid]]
    for key in keys:
        text = property_text(key, vertex.properties[key], clock)
        rows.append([(key, "faint"), _whole(f"{text}  {curves[key]}" if key in curves else text)])
    wide = replace(page, columns=2 * LONG)  # what is cut cannot be copied: the terminal wraps instead
    return table((Column("", least=20), Column("")), rows, wide, headings=False)  # type: ignore[arg-type]


def _curves(vertex: Vertex) -> tuple[dict[str, str], set[str]]:
    """What is said of each series beside its last value, and the properties that say no more (--series has all)."""
    curves, told, properties = {}, set[str](), vertex.properties
    for key in properties:
        name = key.removesuffix("_values")
        parts = {f"{name}_{part}" for part in ("last", "min", "max", "count", "steps", "values")}
        values = properties[key]
        if name == key or name not in properties or not parts <= properties.keys() or not isinstance(values, list):
            continue
        count, low, high = (properties[f"{name}_{part}"] for part in ("count", "min", "max"))
        if all(isinstance(one, int | float) for one in (*values, count, low, high)):
            curves[name] = f"({count:,} points, {number(low)} … {number(high)})  {sparkline(values, _SPARK)}".rstrip()
            told |= parts
    return curves, told


def _whole(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}… ({len(text):,} characters; --json has all)"


def property_text(key: str, value: object, clock: Clock) -> str:
    """A property as people read it: its time, its size, its octal mode."""
    known = PROPERTIES.get(key)
    if known is not None and known.type == "datetime":
        return clock.show(value)
    if key == "mode" and isinstance(value, int):
        return f"{value:o}"
    if key.endswith("_bytes") and isinstance(value, int):
        return f"{value:,}"
    if key in ("duration_s", "cpu_s"):
        return duration(value)
    if key == "argv" and isinstance(value, list | tuple):
        return " ".join(str(word) for word in value)
    if isinstance(value, list) and len(value) > FEW and all(isinstance(item, int | float) for item in value):
        return f"[{value[0]}, {value[1]}, {value[2]}, … {value[-1]}] ({len(value):,} numbers)"
    return cell_text(value)


def _relations(found: Description, page: Page) -> list[str]:
    groups: dict[tuple[bool, str], list[Related]] = {}
    for related in found.relations:
        groups.setdefault((related.outgoing, related.edge.type), []).append(related)
    blocks = []
    for (outgoing, relation), group in groups.items():
        heading = relation if outgoing else inverse(relation)
        lines = [page.paint(heading, "faint")]
        for related in group[:FEW]:
            role = related.edge.properties.get("role") or related.edge.properties.get("prov_type")
            text = printable(display_name(related.other)) + (f" ({printable(str(role))})" if role else "")
            lines.append("  " + page.paint(clip(text, page.columns - 2), colour_of(related.other)))
        if len(group) > FEW:
            lines.append(f"  … and {len(group) - FEW:,} more (--json lists all)")
        blocks.append("\n".join(lines))
    return blocks


def _snapshots(found: Description, page: Page, clock: Clock) -> str:
    lines = [page.paint(f"{len(found.snapshots)} snapshots of this path", "faint")]
    shown = found.snapshots[-FEW:]
    if len(shown) < len(found.snapshots):
        lines.append(f"  … {len(found.snapshots) - len(shown):,} earlier")
    for uid, name, created_at in shown:
        mark = "*" if uid == found.vertex.uid else " "
        lines.append(clip(f"{mark} {printable(name)}  {clock.show(created_at)}", page.columns))
    return "\n".join(lines)
