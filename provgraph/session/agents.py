"""Who is who: people under their several names, programs, and ``agents merge``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.stores.agents import AgentRow, known_agents

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore

_PREFIX = 6


@dataclass(frozen=True, slots=True)
class Agent:
    """A person, or a program: one, however many agents were recorded. ``activities`` counts what all of them did."""

    uid: str
    name: str
    email: str | None
    activities: int
    aliases: tuple[AgentRow, ...]

    def to_json(self) -> dict[str, Any]:
        """The shape of one in ``provgraph/agents/1``."""
        aliases = [{"uid": row.uid, "name": row.name, "email": row.email} for row in self.aliases]
        return {
            "uid": self.uid,
            "name": self.name,
            "email": self.email,
            "activities": self.activities,
            "aliases": aliases,
        }


@dataclass(frozen=True, slots=True)
class Agents:
    """Everybody, by name. Each clone's agent for a program is one of the program's ``aliases``."""

    people: tuple[Agent, ...]
    programs: tuple[Agent, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/agents/1``."""
        return {
            "schema": "provgraph/agents/1",
            "people": [agent.to_json() for agent in self.people],
            "programs": [agent.to_json() for agent in self.programs],
            "notes": list(self.notes),
        }


def agents(store: "EmbeddedStore", notes: Sequence[str] = ()) -> Agents:
    """Everybody that the store knows."""
    rows = known_agents(store.graph)
    by_uid = {row.uid: row for row in rows}
    groups: dict[str, list[AgentRow]] = {}
    for row in rows:
        groups.setdefault(f"program\0{by_uid[row.one].name}" if row.program else row.one, []).append(row)
    people: list[Agent] = []
    programs: list[Agent] = []
    for group in groups.values():
        head = by_uid[group[0].one]
        aliases = tuple(sorted((row for row in group if row.uid != head.uid), key=lambda row: (row.name, row.uid)))
        total = sum(row.activities for row in group)
        (programs if head.program else people).append(Agent(head.uid, head.name, head.email, total, aliases))
    order = lambda agent: (agent.name.casefold(), agent.email or "", agent.uid)  # noqa: E731
    return Agents(tuple(sorted(people, key=order)), tuple(sorted(programs, key=order)), tuple(notes))


def merge_agents(store: "EmbeddedStore", first: str, second: str, by: str) -> Agent:
    """Journal that ``first`` is the same as ``second``, under whose name both are listed from then on; return that one.

    Parameters:
        first, second: a name, an e-mail address, a uid or the beginning of one.
        by: the name of who says so.

    Raises:
        UnknownReferenceError: nobody is called so, or more than one.
        QuestionError: they are one already, or one of them is a program and the other a person.
    """
    rows = known_agents(store.graph)
    one, other = _find(rows, first), _find(rows, second)
    if one.uid == other.uid:
        raise QuestionError(f"{_shown(one)} is one already; `provdb agents list` shows under which names")
    if one.program != other.program:
        program, person = (one, other) if one.program else (other, one)
        raise QuestionError(f"{program.name} is a program and {_shown(person)} a person; they cannot be one")
    with store.journal.batch() as batch:
        event = batch.event("agents.merged", datetime.now(UTC).isoformat(timespec="microseconds"))
        event.facts["by"] = by
        event.set(one.uid, same_as=other.uid)
    found = agents(store)
    return next(a for a in (*found.people, *found.programs) if other.uid in (a.uid, *(row.uid for row in a.aliases)))


def split_agent(store: "EmbeddedStore", name: str, by: str) -> Agent:
    """Journal that an agent is somebody of its own again: undoes ``merge_agents``; returns it.

    Raises:
        UnknownReferenceError: nobody is called so, or more than one. QuestionError: it was not merged.
    """
    rows = known_agents(store.graph)
    named = [row for row in _called(rows, name) if row.one != row.uid]
    if len(named) != 1:
        _find(rows, name)
        raise QuestionError(f"{name!r} was not merged into anybody; `provdb agents list` shows who was")
    with store.journal.batch() as batch:
        event = batch.event("agents.merged", datetime.now(UTC).isoformat(timespec="microseconds"))
        event.facts["by"] = by
        event.set(named[0].uid, same_as=None)
    found = agents(store)
    return next(agent for agent in (*found.people, *found.programs) if agent.uid == named[0].uid)


def _find(rows: Sequence[AgentRow], text: str) -> AgentRow:
    """Who is called so: of several that were merged, the one under whose name they are listed."""
    by_uid = {row.uid: row for row in rows}
    found = {row.one: by_uid[row.one] for row in _called(rows, text)}
    if len(found) > 1 and all(row.program for row in found.values()):
        return min(found.values(), key=lambda row: row.uid)
    if len(found) > 1:
        shown = tuple(_shown(row) for row in found.values())
        raise UnknownReferenceError(
            f"{len(found)} agents are called {text!r}: {', '.join(shown)}; use the e-mail address or the uid", shown
        )
    for row in found.values():
        return row
    raise UnknownReferenceError(f"no agent is called {text!r}; `provdb agents list` shows who is who")


def _called(rows: Sequence[AgentRow], text: str) -> list[AgentRow]:
    wanted = text.removeprefix("agent:").casefold()
    named = [row for row in rows if wanted in (row.name.casefold(), (row.email or "").casefold(), row.uid)]
    if not named and len(wanted) >= _PREFIX:
        named = [row for row in rows if row.uid.startswith(wanted)]
    return named


def _shown(row: AgentRow) -> str:
    return f"{row.name} <{row.email}>" if row.email else f"{row.name} ({row.uid[:8]})"
