"""Remotes in words. They are given as in the document ``provgraph/remotes/1``."""

from collections.abc import Mapping, Sequence
from typing import Any

from provgraph.render.text import Page, printable
from provgraph.render.times import Clock


def remotes_text(remotes: Sequence[Mapping[str, Any]], page: Page, clock: Clock) -> str:
    """Each remote with its address, and how it stands."""
    lines = []
    for remote in remotes:
        name = page.paint(printable(remote["name"]), "strong")
        database = "" if remote["database"] == "neo4j" else f" (database {remote['database']})"
        lines.append(f"{name}  {printable(remote['url'])}{database}")
        lines.append(f"  {standing(remote, clock)}")
        roles = [word for key, word in (("push", "sent to by itself"), ("ask", "asked by default")) if remote[key]]
        lines += [f"  {', '.join(roles)}"] if roles else []
        lines += [f"  {failure(remote, clock)}"] if remote["failure"] else []
    return "\n".join(lines)


def standing(remote: Mapping[str, Any], clock: Clock) -> str:
    """How far behind a remote is, and when something was last taken from it."""
    unsent = remote["unsent"]
    if not remote["pushed_at"] and not remote["pulled_at"]:
        return f"nothing was sent yet; {events(unsent)} here" if unsent else "nothing was sent yet"
    sent = f"{events(unsent)} not sent yet" if unsent else "everything is sent"
    pulled = f"pulled {clock.show(remote['pulled_at'])}" if remote["pulled_at"] else "never pulled"
    return f"{sent}; {pulled}"


def failure(remote: Mapping[str, Any], clock: Clock) -> str:
    """What the last try to reach it ended with."""
    return f"failed {clock.show(remote['failed_at'])}: {printable(remote['failure'])}"


def pushed_text(pushed: Mapping[str, Any]) -> str:
    """What a push sent, in a line."""
    where = f"{pushed['remote']} ({printable(pushed['url'])})"
    if not pushed["events"]:
        return f"{where} has everything already"
    return f"{events(pushed['events'])} sent to {where}{_of(pushed)}"


def pulled_text(pulled: Mapping[str, Any]) -> str:
    """What a pull took, in a line or two."""
    where = f"{pulled['remote']} ({printable(pulled['url'])})"
    if not pulled["events"]:
        return f"{where} has nothing that is not here already"
    number = pulled["transfers"]
    what = "1 file here is a colleague's result" if number == 1 else f"{number:,} files here are colleagues' results"
    forgotten = (
        f"\nforgotten in {events(pulled['forgotten'])} here, as a colleague wants" if pulled["forgotten"] else ""
    )
    return f"{events(pulled['events'])} taken from {where}{_of(pulled)}" + (f"\n{what}" if number else "") + forgotten


def _of(done: Mapping[str, Any]) -> str:
    clones = len(done["origins"])
    return f", of {clones} clones" if clones > 1 else ""


def events(number: int) -> str:
    """``1 event``, ``1,200 events``."""
    return f"{number:,} event{'' if number == 1 else 's'}"
