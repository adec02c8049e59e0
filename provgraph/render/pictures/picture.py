"""A picture as a value: what SVG, Graphviz and Mermaid draw alike.

The builders stand beside it: ``picture_of_graph``, ``picture_of_summary`` and ``picture_of_comparison``, by what they
take. Nothing is told by colour alone: shapes and words say the kind of a vertex and why it is there.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from provgraph.errors import QuestionError
from provgraph.model.vocabulary import RELATIONS, RESPONSIBILITY, Kind, Walk

MOST: Final = 200
"""Nobody reads more vertices than these in one picture."""


class Tone(StrEnum):
    """How a vertex or an arrow differs from the rest."""

    PLAIN = "plain"
    ASKED = "asked"
    UNSEEN = "unseen"
    SIMILAR = "similar"
    ASIDE = "aside"
    """A sibling, or an expansion: not on a path."""
    RARE = "rare"
    SHARED = "shared"
    """In both of two that are compared, without a difference."""
    DIFFERENT = "different"
    FIRST = "first"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class Node:
    """One vertex or group: a shape for its kind, a name, and lines below it.

    ``agents`` are names of agents that are shown inside, not as vertices of their own. ``tooltip`` says everything that
    the shape has no room for.
    """

    key: str
    kind: Kind
    name: str
    lines: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    tone: Tone = Tone.PLAIN
    tooltip: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """One relation between two nodes, effect → cause.

    ``backwards``: the target is the later one (an activity that removed a file), so it stands on that side.
    """

    source: str
    target: str
    relation: str
    label: str = ""
    tone: Tone = Tone.PLAIN
    tooltip: str = ""
    backwards: bool = False
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn: nodes and arrows in a fixed order. ``legend`` explains tones, ``notes`` stand below."""

    title: str
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    legend: tuple[tuple[Tone, str], ...] = ()
    notes: tuple[str, ...] = ()

    def description(self) -> str:
        """The picture in words, for whoever does not see it: every node with its lines and where its arrows lead."""
        names = {node.key: node.name for node in self.nodes}
        led: dict[str, dict[str, list[str]]] = {}
        for arrow in self.arrows:
            said = names[arrow.target] + (f" ({arrow.label})" if arrow.label and arrow.label != arrow.relation else "")
            led.setdefault(arrow.source, {}).setdefault(arrow.relation, []).append(said)
        sentences = [self.counted()]
        for node in self.nodes:
            about = ", ".join([node.kind.value, *(f"by {agent}" for agent in node.agents), *node.lines])
            relations = "; ".join(f"{name} {', '.join(to)}" for name, to in led.get(node.key, {}).items())
            sentences.append(f"{node.name} ({about}){f': {relations}' if relations else ''}.")
        return " ".join([*sentences, *self.notes])

    def counted(self) -> str:
        """How much there is, as a sentence."""
        kinds = Counter(node.kind for node in self.nodes)
        words = {
            Kind.ENTITY: ("entity", "entities"),
            Kind.ACTIVITY: ("activity", "activities"),
            Kind.AGENT: ("agent", "agents"),
        }
        parts = [f"{kinds[kind]} {words[kind][kinds[kind] != 1]}" for kind in Kind if kinds[kind]]
        arrows = len(self.arrows)
        return ", ".join([*(parts or ["nothing"]), f"{arrows} arrow{'' if arrows == 1 else 's'}"]) + "."


class TooLargeError(QuestionError):
    """More than a picture can hold."""

    def __init__(self, count: int, what: str = "vertices") -> None:
        super().__init__(
            f"{count:,} {what} are too many for a picture, which holds {MOST}; narrow the question down "
            "(`lineage --depth N`, `segment --from … --to … --exclude …`, `summarize --resolution coarse`), "
            "or print --json"
        )


UNNAMED: Final = frozenset({"used", "wasGeneratedBy"})
"""Relations that the shapes at both ends tell; their arrows bear no name."""
EARLIER_SOURCE: Final = frozenset({"wasInvalidatedBy"})
"""Relations whose source is the earlier of the two."""


def value_text(value: object) -> str:
    """A property's value in a tooltip."""
    text = str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"


def arrow_of(arrow: Arrow) -> Arrow:
    """An arrow with what its relation brings: a name where the shapes do not tell it, and which end is earlier."""
    known = RELATIONS.get(arrow.relation)
    named = arrow.relation not in UNNAMED and (known is None or known.walk is not Walk.REVISION)
    label = arrow.label or (arrow.relation if named else "")
    return replace(arrow, label=label, backwards=arrow.relation in EARLIER_SOURCE)


def agents_inside(picture: Picture, said: Callable[[Arrow, Node], str]) -> Picture:
    """The same with agents inside the nodes that they answer for, where they have no other part in the picture.

    Parameters:
        said: what a node says of an agent; nothing where that is empty.
    """
    agents = {node.key: node for node in picture.nodes if node.kind is Kind.AGENT and node.tone is not Tone.ASKED}
    linked = {arrow.target for arrow in picture.arrows if arrow.relation in RESPONSIBILITY}
    for arrow in picture.arrows:
        if arrow.relation not in RESPONSIBILITY:
            linked -= {arrow.source, arrow.target}
    inside = linked & agents.keys()
    texts: dict[str, list[str]] = {}
    about: dict[str, list[str]] = {}
    for arrow in picture.arrows:
        if arrow.target in inside:
            agent = agents[arrow.target]
            about.setdefault(arrow.source, []).append(f"{arrow.tooltip or arrow.relation}: {agent.name}")
            if text := said(arrow, agent):
                texts.setdefault(arrow.source, []).append(text)
    nodes = tuple(
        replace(
            node,
            agents=tuple(dict.fromkeys(texts.get(node.key, ()))),
            tooltip="\n".join([node.tooltip, *about.get(node.key, ())]),
        )
        for node in picture.nodes
        if node.key not in inside
    )
    return replace(picture, nodes=nodes, arrows=tuple(a for a in picture.arrows if a.target not in inside))


def without_told(picture: Picture) -> Picture:
    """The same without derivations that two other arrows tell already: generated by what used it.

    They stand in the tooltip of the derived node instead.
    """
    generated: dict[str, list[Arrow]] = {}
    used: dict[tuple[str, str], Arrow] = {}
    for arrow in picture.arrows:
        if arrow.relation == "wasGeneratedBy":
            generated.setdefault(arrow.source, []).append(arrow)
        elif arrow.relation == "used":
            used[arrow.source, arrow.target] = arrow

    def told(arrow: Arrow) -> bool:
        if arrow.relation != "wasDerivedFrom" or arrow.label:
            return False
        alike = (Tone.PLAIN, arrow.tone)
        ways = ((first, used.get((first.target, arrow.target))) for first in generated.get(arrow.source, ()))
        return any(second and first.tone in alike and second.tone in alike for first, second in ways)

    names = {node.key: node.name for node in picture.nodes}
    more: dict[str, list[str]] = {}
    for arrow in filter(told, picture.arrows):
        more.setdefault(arrow.source, []).append(f"{arrow.tooltip or arrow.relation}: {names[arrow.target]}")
    nodes = tuple(replace(n, tooltip="\n".join([n.tooltip, *more.get(n.key, ())])) for n in picture.nodes)
    return replace(picture, nodes=nodes, arrows=tuple(arrow for arrow in picture.arrows if not told(arrow)))
