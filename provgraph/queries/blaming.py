"""Which snapshot brought each line of a file: its states, newest first, compared one with the next."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from provgraph.graph.blame import Change
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.reader import GraphReader
from provgraph.queries.comparison.lines import steps
from provgraph.queries.history import responsible

Bytes = Callable[[Vertex], bytes | None]
"""Gives the bytes of a snapshot, None where nobody has them."""

MOST_STATES: Final = 10_000
"""States of a file that are looked at; the lines left over then belong to the last of them."""


def lines_of(data: bytes) -> list[bytes]:
    """Lines with their ends, as git counts them: only a line feed ends one."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


@dataclass(frozen=True, slots=True)
class _State:
    snapshot: Vertex
    lines: list[bytes]
    after_gap: bool
    """Whether bytes of the states right before it are missing."""


def changes(reader: GraphReader, newest: Vertex, data: bytes, read: Bytes) -> list[Change]:
    """For each line of ``newest``, in order, the change that brought it.

    Cost: one question and one diff for each state of the file, until every line has been found.
    """
    owners: list[_State | None] = [None] * len(lines_of(data))
    chains = [_Chain(newest, data, {place: place for place in range(len(owners))})]
    for _ in range(MOST_STATES):
        if not chains:
            break
        chain = chains.pop()
        chains += _follow(_States(reader, chain.newest, chain.data, read), chain.left, owners)
    for chain in chains:
        state = _State(chain.newest, [], after_gap=True)
        for line in chain.left.values():
            owners[line] = state
    told = _Changes(reader)
    return [told.of(owner) for owner in owners if owner is not None]


def _follow(states: "_States", left: dict[int, int], owners: "list[_State | None]") -> "list[_Chain]":
    """Look for lines (place in the newest state → line asked for) from state to state.

    Returns:
        What git took lines from, where it put a state together of several.
    """
    merged: list[_Chain] = []
    while left:
        older = states.older()
        newer = states.current
        kept = {} if older is None else _kept(older.lines, newer.lines)
        fresh = {place: line for place, line in left.items() if place not in kept}
        left = {kept[place]: line for place, line in left.items() if place in kept}
        for snapshot, data in states.merged() if fresh else ():
            taken = _kept(lines_of(data), newer.lines)
            found = {taken[place]: line for place, line in fresh.items() if place in taken}
            fresh = {place: line for place, line in fresh.items() if place not in taken}
            if found:
                merged.append(_Chain(snapshot, data, found))
        for line in fresh.values():
            owners[line] = newer
        if older is not None:
            states.current = older
    return merged


def _kept(older: Sequence[bytes], newer: Sequence[bytes]) -> dict[int, int]:
    """Where lines of a newer state were in an older one."""
    found: dict[int, int] = {}
    for equal, before, after in steps(older, newer):
        if equal:
            found.update(zip(range(*after), range(*before), strict=True))
    return found


@dataclass(frozen=True, slots=True)
class _Chain:
    """Lines to be looked for from one state on backwards: place in it → line asked for."""

    newest: Vertex
    data: bytes
    left: dict[int, int]


class _States:
    """The states of a file from one on backwards."""

    def __init__(self, reader: GraphReader, newest: Vertex, data: bytes, read: Bytes) -> None:
        self.reader, self.read = reader, read
        self.current = _State(newest, lines_of(data), after_gap=False)
        self._seen = {newest.uid}

    def older(self) -> _State | None:
        """The state before the current one, past those whose bytes are missing; None at the first that is known."""
        at: Vertex | None = self.current.snapshot
        gap = False
        while at is not None and len(self._seen) < MOST_STATES:
            at = self._previous(at)
            if at is None or at.uid in self._seen:
                break
            self._seen.add(at.uid)
            data = self.read(at)
            if data is not None:
                if gap:
                    self.current = _State(self.current.snapshot, self.current.lines, after_gap=True)
                return _State(at, lines_of(data), after_gap=False)
            gap = True
        if gap:
            self.current = _State(self.current.snapshot, self.current.lines, after_gap=True)
        return None

    def merged(self) -> Iterator[tuple[Vertex, bytes]]:
        """The states of the file, with their bytes, that git put the current one together of."""
        snapshot = self.current.snapshot
        edges = self.reader.edges_of(snapshot.uid)
        made_by = [edge.target for edge in edges if edge.type == "wasGeneratedBy" and edge.source == snapshot.uid]
        for activity in self.reader.vertices(made_by):
            if activity.properties.get("utility") != "git":
                continue
            used = [edge.target for edge in self.reader.edges_of(activity.uid) if _is_merged(edge, activity)]
            for vertex in self.reader.vertices(used):
                same = vertex.properties.get("path") == snapshot.properties.get("path")
                data = self.read(vertex) if same and vertex.uid != snapshot.uid else None
                if data is not None:
                    yield vertex, data

    def _previous(self, snapshot: Vertex) -> Vertex | None:
        """What it was renamed from, else the state that git brought back, else the one before it.

        Else the same bytes in the clone that they came from.
        """
        found: dict[str, str] = {}
        generators = []
        for edge in self.reader.edges_of(snapshot.uid):
            if edge.source != snapshot.uid:
                continue
            if edge.type == "wasDerivedFrom":
                found.setdefault(str(edge.properties.get("prov_type")), edge.target)
            elif edge.type == "wasGeneratedBy":
                generators.append(edge.target)
        copied = self.reader.vertex(found["Copy"]) if "Copy" in found and "Rename" not in found else None
        if copied is not None and copied.properties.get("path") == snapshot.properties.get("path"):
            return copied
        uid = found.get("Rename") or found.get("Revision")
        return self.reader.vertex(uid) if uid else self._transferred(snapshot, generators)

    def _transferred(self, snapshot: Vertex, generators: Sequence[str]) -> Vertex | None:
        for activity in self.reader.vertices(generators):
            if "Unseen" not in activity.labels:
                continue
            used = [edge.target for edge in self.reader.edges_of(activity.uid) if edge.type == "used"]
            for vertex in self.reader.vertices(used):
                if vertex.properties.get("sha256") == snapshot.properties.get("sha256"):
                    return vertex
        return None


def _is_merged(edge: Edge, activity: Vertex) -> bool:
    return edge.type == "used" and edge.source == activity.uid and edge.properties.get("role") == "merged"


class _Changes:
    """Tells of each state what generated it, asking once."""

    def __init__(self, reader: GraphReader) -> None:
        self.reader = reader
        self._known: dict[tuple[str, bool], Change] = {}

    def of(self, state: _State) -> Change:
        key = state.snapshot.uid, state.after_gap
        if key not in self._known:
            self._known[key] = self._ask(state)
        return self._known[key]

    def _ask(self, state: _State) -> Change:
        snapshot = state.snapshot
        edges = self.reader.edges_of(snapshot.uid)
        uids = [edge.target for edge in edges if edge.type == "wasGeneratedBy" and edge.source == snapshot.uid]
        activities = self.reader.vertices(uids)
        activity = activities[0] if activities else None
        agents: list[str] = []
        at = str(snapshot.properties.get("created_at", ""))
        if activity is not None:
            own = self.reader.edges_of(activity.uid)
            people = [edge.target for edge in own if edge.type == "wasAssociatedWith" and edge.source == activity.uid]
            agents = responsible(self.reader.vertices(people))
        return Change(snapshot, activity, tuple(agents), at, exact=not state.after_gap)
