"""Questions at random about a graph: each as it is asked of ``provgraph.segment``, and as the definition is asked.

The boundary is said twice, as a predicate's text and as plain Python over a vertex or an edge.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from operators.literal_segment import Asked, EdgeTest, Expand, VertexTest
from operators.random_graphs import PEOPLE, TIMES, Chooser, chosen, entities

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph


def nothing(_: object) -> bool:
    return False


@dataclass(frozen=True)
class Line:
    """One line of a boundary, as text and as tests.

    ``makes_sense`` says for which graphs: a name that is nowhere in the graph is refused.
    """

    text: str
    outside: Callable[[ProvGraph], VertexTest] = lambda _: nothing
    without: EdgeTest = nothing
    makes_sense: Callable[[ProvGraph], bool] = lambda _: True


def vertices(text: str, test: VertexTest, **more: Any) -> Line:
    return Line(text, lambda _: test, **more)


def having(key: str, *kinds: str) -> Callable[[ProvGraph], bool]:
    return lambda graph: any(key in v.properties and v.kind in kinds for v in graph)


def labelled(label: str) -> Callable[[ProvGraph], bool]:
    return lambda graph: any(label in v.labels for v in graph)


def related(relation: str) -> Callable[[ProvGraph], bool]:
    return lambda graph: any(e.type == relation for e in graph.edges)


def called(name: str) -> Callable[[ProvGraph], bool]:
    return lambda graph: any(name in (v.properties.get("name"), v.properties.get("email")) for v in graph)


def workers(graph: ProvGraph, name: str) -> set[str]:
    """The activities that are associated with an agent of this name or address."""
    agents = {v.uid for v in graph if v.kind == "Agent" and name in (v.properties.get("name"), v.properties["email"])}
    return {e.source for e in graph.edges if e.type == "wasAssociatedWith" and e.target in agents}


def done_by(name: str) -> Line:
    def outside(graph: ProvGraph) -> VertexTest:
        theirs = workers(graph, name)
        return lambda v: v.uid in theirs or name in (v.properties.get("name"), v.properties.get("email"))

    return Line(f"agent={name}", outside, makes_sense=called(name))


def without(relation: str) -> Line:
    return Line(f"relation={relation}", without=lambda e: e.type == relation, makes_sense=related(relation))


def above_one(v: Vertex) -> bool:
    n = v.properties.get("n")
    return isinstance(n, int | float) and not isinstance(n, bool) and n > 1


LINES: Sequence[Line] = (
    vertices("Agent", lambda v: v.kind == "Agent"),
    vertices("Command", lambda v: "Command" in v.labels, makes_sense=labelled("Command")),
    vertices(
        "Snapshot and type=log",
        lambda v: "Snapshot" in v.labels and v.properties.get("type") == "log",
        makes_sense=lambda graph: labelled("Snapshot")(graph) and having("type", "Entity")(graph),
    ),
    vertices(
        "Activity.utility=git",
        lambda v: v.properties.get("utility") == "git",
        makes_sense=having("utility", "Activity"),
    ),
    vertices(
        "Activity and not utility=train",
        lambda v: v.kind == "Activity" and v.properties.get("utility") != "train",
        makes_sense=having("utility", "Activity"),
    ),
    vertices("type=data", lambda v: v.properties.get("type") == "data", makes_sense=having("type", "Entity")),
    vertices("n > 1", above_one, makes_sense=having("n", "Entity", "Activity")),
    vertices(
        "Activity.n",
        lambda v: v.kind == "Activity" and "n" in v.properties,
        makes_sense=having("n", "Activity"),
    ),
    without("wasDerivedFrom"),
    without("wasAssociatedWith"),
    without("wasAttributedTo"),
    without("wasInvalidatedBy"),
    without("used"),
    Line(
        "used.role=inherited",
        without=lambda e: e.type == "used" and e.role == "inherited",
        makes_sense=lambda graph: any(e.type == "used" and e.role for e in graph.edges),
    ),
    done_by("Bob"),
    done_by("alice@example.org"),
)

MATCHES: Sequence[Mapping[str, Sequence[str]]] = (
    {},
    {"activity": ["utility"]},
    {"entity": ["type"]},
    {"Activity": ["utility", "n"]},
    {"activity": ["n"], "entity": ["type"]},
    {"entity": ["n", "type"], "activity": ["utility"]},
    {"activity": ["nowhere"]},
)


@dataclass(frozen=True)
class Question:
    """A question in both tongues. ``options`` are the keywords of ``provgraph.segment``."""

    graph: ProvGraph
    asked: Asked
    options: dict[str, Any]
    lines: tuple[Line, ...] = ()

    @property
    def excluded(self) -> list[str]:
        """Vertices that the question names and excludes."""
        named = (*(self.asked.sources or ()), *self.asked.destinations)
        named += tuple(uid for one in self.asked.expand for uid in one.uids or ())
        return sorted({uid for uid in named if self.asked.outside(self.graph[uid])})

    def varied(self, **changes: Any) -> "Question":
        """The same question but for what is changed: sources, destinations, match, similar."""
        return replace(self, asked=replace(self.asked, **changes), options=self.options | changes)

    def unbounded(self) -> "Question":
        """The same question without its boundary."""
        options = {k: v for k, v in self.options.items() if k not in {"exclude", "since", "until", "agent"}}
        return replace(self, asked=replace(self.asked, outside=nothing, without=nothing), options=options, lines=())

    def within(self, *lines: Line) -> "Question":
        """The same question with more excluded."""
        options = self.options | {"exclude": [*self.options.get("exclude", ()), *(line.text for line in lines)]}
        return replace(self, asked=bounded(self.graph, self.asked, lines), options=options, lines=self.lines + lines)


def bounded(graph: ProvGraph, asked: Asked, lines: Sequence[Line]) -> Asked:
    """The question with these lines excluded besides."""
    tests = [asked.outside, *(line.outside(graph) for line in lines)]
    edge_tests = [asked.without, *(line.without for line in lines)]

    def outside(v: Vertex) -> bool:
        return any(test(v) for test in tests)

    def without(e: Edge) -> bool:
        return any(test(e) for test in edge_tests)

    return replace(asked, outside=outside, without=without)


def sensible(graph: ProvGraph) -> list[Line]:
    """The lines that may be said of a graph."""
    return [line for line in LINES if line.makes_sense(graph)]


def since(time: str) -> Line:
    def outside(v: Vertex) -> bool:
        end = v.properties.get("ended_at", v.properties.get("started_at"))
        return v.kind == "Activity" and end is not None and end < time

    return vertices("since", outside)


def until(time: str) -> Line:
    def outside(v: Vertex) -> bool:
        start = v.properties.get("started_at")
        return v.kind == "Activity" and start is not None and start > time

    return vertices("until", outside)


def only(name: str) -> Line:
    def outside(graph: ProvGraph) -> VertexTest:
        theirs = workers(graph, name)
        return lambda v: v.kind == "Activity" and v.uid not in theirs

    return Line("agent", outside)


def question(choose: Chooser, graph: ProvGraph) -> Question | None:
    """A question about a graph with every option by chance, or None for a graph without entities."""
    if not entities(graph):
        return None
    asked, options = _ends(choose, graph)
    if choose.below(2):
        options["similar"] = asked_similar = choose.below(4) > 0
        asked = replace(asked, similar=asked_similar)
    match = MATCHES[choose.below(len(MATCHES))] if choose.below(2) else {}
    expand, words = _expansions(choose, graph)
    asked, options = replace(asked, match=match, expand=expand), options | words
    if match:
        options["match"] = match
    return _bounded(choose, Question(graph, asked, options))


def _ends(choose: Chooser, graph: ProvGraph) -> tuple[Asked, dict[str, Any]]:
    """Destinations, mostly such as have a past, and sources, mostly in it."""
    with_past = sorted({e.source for e in graph.edges if e.type == "wasGeneratedBy"})
    destinations = chosen(choose, with_past if with_past and choose.below(4) else entities(graph), 2)
    options: dict[str, Any] = {"destinations": destinations}
    if not choose.below(4):
        return Asked(None, destinations), options
    past = _past(graph, destinations)
    sources = chosen(choose, past if past and choose.below(4) else entities(graph), 2)
    return Asked(sources, destinations), options | {"sources": sources}


def _past(graph: ProvGraph, uids: Sequence[str]) -> list[str]:
    found: set[str] = set()
    pending = list(uids)
    while pending:
        uid = pending.pop()
        following = {e.target for e in graph.edges if e.source == uid and e.type in {"used", "wasGeneratedBy"}}
        pending += following - found
        found |= following
    return [uid for uid in entities(graph) if uid in found]


def _expansions(choose: Chooser, graph: ProvGraph) -> tuple[tuple[Expand, ...], dict[str, Any]]:
    expand: list[Expand] = []
    options: dict[str, Any] = {}
    for word, downstream in (("expand", False), ("expand_downstream", True)):
        how = choose.below(6)
        if how == 4:
            expand.append(Expand(None, k := choose.below(4), downstream))
            options[word] = k
        elif how == 5:
            # One activity that it starts from counts as passed.
            starts = chosen(choose, [v.uid for v in graph if v.kind != "Agent"], 2)
            uids = {uid: choose.below(3) + (graph[uid].kind == "Activity") for uid in starts}
            expand += [Expand((uid,), k, downstream) for uid, k in uids.items()]
            options[word] = uids
    return tuple(expand), options


def _bounded(choose: Chooser, question: Question) -> Question:
    graph = question.graph
    if choose.below(2):
        return question
    lines = sensible(graph)
    question = question.within(*(lines.pop(choose.below(len(lines))) for _ in range(min(choose.below(4), len(lines)))))
    for word, line, values in (
        ("since", since, TIMES),
        ("until", until, TIMES),
        ("agent", only, tuple(name for name, _ in PEOPLE if called(name)(graph))),
    ):
        if values and not choose.below(4):
            value = values[choose.below(len(values))]
            asked = bounded(graph, question.asked, [line(value)])
            question = replace(question, asked=asked, options=question.options | {word: value})
    return question
