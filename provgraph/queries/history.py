"""The log: activities, newest first, as rows."""

import re
from typing import Any

from provgraph.errors import QuestionError
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import TRANSFER, UNSEEN, display_name
from provgraph.graph.reader import ActivityFilter, GraphReader
from provgraph.graph.rows import Rows
from provgraph.model.vocabulary import LABELS, UNNUMBERED, Kind
from provgraph.queries.times import in_order, moment

COLUMNS = (
    "n",
    "uid",
    "name",
    "started_at",
    "ended_at",
    "duration_s",
    "state",
    "exit_status",
    "agent",
    "command",
    "capture",
    "changed",
)
"""``n`` as in ``%n`` (None for unrecorded changes, gatherings and commits, and for what other clones ran),
``changed`` lists the paths of an unrecorded change."""
_BASE = frozenset(label for label, kind in LABELS.items() if kind is Kind.ACTIVITY)


def history(reader: GraphReader, filter: ActivityFilter) -> Rows:
    """One row for each activity that the filter keeps, newest first; unrecorded changes by when they were noticed.

    Cost: one question for the activities, and one for the edges of each.
    """
    found = [vertex for vertex in reader.activities(filter) if ran(vertex)]
    numbers = _numbers(reader, found)
    found.sort(key=_moment, reverse=True)
    return Rows(COLUMNS, tuple(_row(reader, vertex, numbers.get(vertex.uid)) for vertex in found))


def ran(vertex: Vertex) -> bool:
    """Whether something ran; what an ingestor calls an activity has no time, and is no line of a log."""
    return "started_at" in vertex.properties or not _BASE.isdisjoint(vertex.labels)


def _moment(vertex: Vertex) -> str:
    key = "ended_at" if "Unseen" in vertex.labels else "started_at"
    return in_order(str(vertex.properties.get(key, "")))


def _numbers(reader: GraphReader, found: list[Vertex]) -> dict[str, int]:
    """``%n`` of each: counted over all that this clone ran, whatever the filter."""
    counted = [v for v in found if UNNUMBERED.isdisjoint(v.labels) and not v.mark]
    if not counted:
        return {}
    oldest = counted[-1].properties.get("started_at")
    everyone = reader.activities(ActivityFilter(since=oldest, unseen=False, own=True))
    return {vertex.uid: place for place, vertex in enumerate(filter(ran, everyone), 1)}


def _row(reader: GraphReader, vertex: Vertex, number: int | None) -> tuple[Any, ...]:
    properties = vertex.properties
    agents, changed = _around(reader, vertex)
    name = display_name(vertex)
    if "Unseen" in vertex.labels and changed and name.endswith((UNSEEN, TRANSFER)):
        name += f" of {', '.join(changed)}"
    return (
        number,
        vertex.uid,
        name,
        properties.get("started_at"),
        properties.get("ended_at"),
        properties.get("duration_s"),
        state(vertex),
        properties.get("exit_status"),
        ", ".join(agents) or None,
        properties.get("command") or (_subject(vertex) if "Commit" in vertex.labels else None),
        properties.get("capture"),
        changed,
    )


def _subject(vertex: Vertex) -> str:
    """The first line of a commit's message."""
    return str(vertex.properties.get("message", "")).partition("\n")[0]


def _around(reader: GraphReader, vertex: Vertex) -> tuple[list[str], list[str]]:
    """Who is responsible, and for an unrecorded change what changed."""
    unseen = "Unseen" in vertex.labels
    wanted: dict[str, str] = {}
    for edge in reader.edges_of(vertex.uid):
        if edge.type == "wasAssociatedWith" and edge.source == vertex.uid:
            wanted[edge.target] = "agent"
        elif unseen and edge.type in ("wasGeneratedBy", "wasInvalidatedBy") and edge.target == vertex.uid:
            wanted[edge.source] = "changed"
    agents, changed = [], set()
    for other in reader.vertices(list(wanted)):
        if wanted[other.uid] == "agent":
            agents.append(other)
        else:
            changed.add(str(other.properties.get("path", display_name(other))))
    return responsible(agents), sorted(changed)


def responsible(agents: list[Vertex]) -> list[str]:
    """Who is named where there is little room: the people, and only where there are none the programs."""
    people = [agent for agent in agents if "SoftwareAgent" not in agent.labels] or agents
    return sorted({display_name(agent) for agent in people})


def state(vertex: Vertex) -> str:
    """How an activity stands: ``ok`` is exit status 0, ``exit N`` another one, ``running`` has not ended,
    ``interrupted`` was never seen to end, ``ended`` tells no status, ``declared`` is a record without one,
    ``unrecorded`` a change that nobody captured, ``committed`` a git commit.
    """
    properties = vertex.properties
    if "Unseen" in vertex.labels:
        return "unrecorded"
    if "Commit" in vertex.labels:
        return "committed"
    if properties.get("interrupted"):
        return "interrupted"
    status = properties.get("exit_status")
    if status is not None:
        return "ok" if status == 0 else f"exit {status}"
    if "ended_at" not in properties:
        return "running"
    return "declared" if properties.get("capture") == "declared" else "ended"


def activity_filter(
    since: str | None = None,
    until: str | None = None,
    grep: str | None = None,
    agent: str | None = None,
    limit: int | None = None,
) -> ActivityFilter:
    """What ``log`` asks for, as typed.

    Raises:
        QuestionError: a time, a regular expression or a number that is none.
    """
    if limit is not None and limit < 1:
        raise QuestionError(f"a limit of {limit} shows nothing; leave it out for all")
    if agent == "":
        raise QuestionError("an agent without a name; `provdb log` shows who ran what")
    if grep is not None:
        try:
            re.compile(grep)
        except re.error as error:
            raise QuestionError(f"{grep!r} is no regular expression ({error}); put \\ before signs") from error
    return ActivityFilter(
        since=None if since is None else moment(since),
        until=None if until is None else moment(until, end_of_day=True),
        grep=grep,
        agent=agent,
        limit=limit,
    )
