"""Small valid PROV graphs at random: by hypothesis, which shrinks them, and by a seed, which makes many at once.

One builder serves both; all that it asks for are small choices. Vertices are made in an order of time, and ancestry and
derivation lead back in it, so nothing goes round. Shapes that a fixed pattern would miss are frequent: diamonds, skips,
several activities that generate one entity, entities from nowhere, several components, parallel edges.
"""

import random
from dataclasses import dataclass
from typing import Any, Protocol

from hypothesis import strategies as st

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph

UTILITIES = ("git", "train", "sort")
TYPES = ("data", "log")
NUMBERS: tuple[Any, ...] = (1, 2, 1.5, True, "1", [1, "a"])
TIMES = tuple(f"2026-11-20T{hour:02}:00:00+00:00" for hour in range(9, 15))
ROLES = ("", "inherited", "model")
PEOPLE = (("Alice", "alice@example.org"), ("Bob", "bob@example.org"))


class Chooser(Protocol):
    """Where choices come from."""

    def below(self, count: int) -> int:
        """0 to ``count`` - 1; 0 is the simplest."""


@dataclass(frozen=True)
class Seeded:
    """Choices by a random generator."""

    random: random.Random

    def below(self, count: int) -> int:
        return self.random.randrange(count)


@dataclass(frozen=True)
class Drawn:
    """Choices by hypothesis."""

    draw: Any

    def below(self, count: int) -> int:
        return int(self.draw(st.integers(0, count - 1)))


class _Builder:
    def __init__(self, choose: Chooser, largest: int) -> None:
        self.choose, self.largest = choose, largest
        self.vertices: list[Vertex] = []
        self.edges: dict[tuple[str, str, str, str], Edge] = {}

    def pick(self, options: tuple[Any, ...]) -> Any:
        return options[self.choose.below(len(options))]

    def rarely(self, one_in: int) -> bool:
        return self.choose.below(one_in) == one_in - 1

    def edge(self, relation: str, source: Vertex, target: Vertex, role: str = "") -> None:
        properties = {"role": role} if role else {}
        self.edges[relation, source.uid, target.uid, role] = Edge(relation, source.uid, target.uid, properties)

    def ancestry(self, relation: str, vertex: Vertex, older: list[Vertex]) -> None:
        """Up to three edges back, mostly to what is recent; now and then a second one with another role."""
        left = list(older)
        for _ in range((1, 2, 1, 3, 2, 2, 1, 0)[self.choose.below(8)]):
            if not left:
                return
            reach = len(left) if self.rarely(3) else min(3, len(left))
            target = left.pop(-1 - self.choose.below(reach))
            self.edge(relation, vertex, target)
            if self.rarely(5):
                self.edge(relation, vertex, target, str(self.pick(ROLES[1:])))

    def entity(self, uid: str) -> None:
        properties: dict[str, Any] = {}
        if not self.rarely(3):
            properties["type"] = self.pick(TYPES)
        if self.rarely(3):
            properties["n"] = self.pick(NUMBERS)
        vertex = Vertex(uid, ("Entity", "Snapshot") if self.rarely(2) else ("Entity",), properties)
        activities, entities = self.of("Activity"), self.of("Entity")
        self.ancestry("wasGeneratedBy", vertex, activities)
        if entities and self.rarely(3):
            self.edge("wasDerivedFrom", vertex, self.pick(tuple(entities)))
        if entities and self.rarely(8):
            self.edge(self.pick(("specializationOf", "hadMember", "alternateOf")), vertex, self.pick(tuple(entities)))
        if self.rarely(3):
            self.agent("wasAttributedTo", vertex)
        self.vertices.append(vertex)

    def activity(self, uid: str) -> None:
        properties: dict[str, Any] = {}
        if not self.rarely(4):
            properties["utility"] = self.pick(UTILITIES)
        if self.rarely(3):
            properties["n"] = self.pick(NUMBERS)
        if not self.rarely(4):
            first = self.choose.below(len(TIMES))
            properties["started_at"] = TIMES[first]
            if not self.rarely(3):
                properties["ended_at"] = TIMES[first + self.choose.below(len(TIMES) - first)]
        vertex = Vertex(uid, ("Activity", "Command") if self.rarely(2) else ("Activity",), properties)
        activities, entities = self.of("Activity"), self.of("Entity")
        self.ancestry("used", vertex, entities)
        if activities and self.rarely(5):
            self.edge("wasInformedBy", vertex, self.pick(tuple(activities)))
        if entities and self.rarely(8):
            self.edge("wasInvalidatedBy", self.pick(tuple(entities)), vertex)
        if self.rarely(2):
            self.agent("wasAssociatedWith", vertex)
        self.vertices.append(vertex)

    def agent(self, relation: str, vertex: Vertex) -> None:
        name, email = self.pick(PEOPLE)
        known = next((v for v in self.vertices if v.uid == name), None)
        if known is None:
            known = Vertex(name, ("Agent", "Person"), {"name": name, "email": email})
            others = self.of("Agent")
            self.vertices.insert(0, known)
            if others and self.rarely(2):
                self.edge("actedOnBehalfOf", known, others[0])
        self.edge(relation, vertex, known)

    def of(self, kind: str) -> list[Vertex]:
        return [v for v in self.vertices if v.kind == kind]

    def graph(self) -> ProvGraph:
        names = [
            f"v{place:02}"
            for place in range(2 + max(self.choose.below(self.largest - 1), self.choose.below(self.largest - 1)))
        ]
        last = ""
        while names:
            # Uids do not follow time.
            uid = names.pop(self.choose.below(len(names)))
            kind = "Entity" if last in {"", "Activity"} else "Activity"
            if self.rarely(4):
                kind = "Activity" if kind == "Entity" else "Entity"
            (self.entity if kind == "Entity" else self.activity)(uid)
            last = kind
        return ProvGraph(self.vertices, self.edges.values())


def random_graph(random: random.Random, largest: int = 11) -> ProvGraph:
    """A graph by a seed: up to ``largest`` entities and activities, up to two agents."""
    return _Builder(Seeded(random), largest).graph()


@st.composite
def graphs(draw: Any, largest: int = 9) -> ProvGraph:
    """A graph that hypothesis makes, and makes smaller."""
    return _Builder(Drawn(draw), largest).graph()


def entities(graph: ProvGraph) -> list[str]:
    """The uids of the entities, sorted."""
    return [v.uid for v in graph if v.kind == "Entity"]


def chosen(choose: Chooser, options: list[str], most: int) -> tuple[str, ...]:
    """One to ``most`` of the options, in any order."""
    left = list(options)
    return tuple(left.pop(choose.below(len(left))) for _ in range(min(len(left), 1 + choose.below(most))))


def relabelled(graph: ProvGraph, names: dict[str, str]) -> ProvGraph:
    """The same graph with other uids; edges get theirs anew."""
    return ProvGraph(
        [Vertex(names[v.uid], v.labels, v.properties) for v in graph],
        [Edge(e.type, names[e.source], names[e.target], e.properties) for e in graph.edges],
    )


def shuffled(graph: ProvGraph, random: random.Random) -> ProvGraph:
    """The same graph, its vertices and edges handed in in another order."""
    vertices, edges = graph.vertices, graph.edges
    random.shuffle(vertices)
    random.shuffle(edges)
    return ProvGraph(vertices, edges)
