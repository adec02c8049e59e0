"""``agents list`` as text."""

from collections.abc import Iterable, Mapping
from typing import Any

from provgraph.render.text import printable


def agents_text(document: Mapping[str, Any]) -> str:
    """The document ``provgraph/agents/1`` as lines: people, each with aliases below, then programs."""
    lines: list[str] = []
    for heading, kind in (("people", "people"), ("programs", "programs")):
        if document[kind]:
            lines += ["", heading, *_lines(document[kind], aliases=kind == "people")]
    return "\n".join(lines[1:])


def _lines(found: Iterable[Mapping[str, Any]], *, aliases: bool) -> Iterable[str]:
    for agent in found:
        count = agent["activities"]
        yield f"  {_name(agent)}  {count} {'activity' if count == 1 else 'activities'}"
        if aliases:
            yield from (f"    = {_name(alias)}" for alias in agent["aliases"])


def _name(agent: Mapping[str, Any]) -> str:
    return printable(f"{agent['name']} <{agent['email']}>" if agent["email"] else str(agent["name"]))
