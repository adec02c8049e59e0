"""``doctor`` of the teams' servers: do they answer, what are they, what is missing on either side."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from provgraph.errors import ProvGraphError
from provgraph.session.findings import Finding
from provgraph.stores.remote_url import encryption

if TYPE_CHECKING:
    from provgraph.session.project import Project
    from provgraph.session.remotes import Standing
    from provgraph.stores.neo4j import TeamStore

_CHECK: Final = "remote"
_CLOCK_S: Final = 5.0
"""A difference of clocks from which on the order of two people's annotations may surprise."""


def check_remotes(project: "Project") -> Iterator[Finding]:
    """Speak to each remote. One that is away is a warning: nothing here depends on it."""
    standings = project.remotes.list()
    if standings and not project.store().trusted:
        yield Finding(
            _CHECK,
            "note",
            "the configuration is not trusted, so no remote is spoken to",
            remedy=f"provdb trust {project.root}",
        )
        return
    names = {standing.name for standing in standings}
    config = project.remotes.config
    for key, name in (("sync.push", config.push_to), ("ask.at", config.ask_at)):
        if name and name not in names and name != "local":
            yield Finding(_CHECK, "warning", f"{key} names it, and there is no such remote", name, "provdb remote add")
    for standing in standings:
        try:
            with project.remotes.connect(standing.name) as team:
                yield from _ask(project, standing, team)
        except ProvGraphError as error:
            yield Finding(_CHECK, "warning", str(error), standing.name)
            if standing.unsent:
                yield Finding(_CHECK, "note", f"{standing.unsent:,} events here were not sent yet", standing.name)


def _ask(project: "Project", standing: "Standing", team: "TeamStore") -> Iterator[Finding]:
    from provgraph.stores.neo4j.about import about

    name, found = standing.name, about(team.connection)
    yield Finding(_CHECK, "ok", f"answers: Neo4j {found.release} {found.edition}, {encryption(standing.url)}", name)
    if found.schema > found.wanted:
        text = f"its schema is version {found.schema}, of {found.program}; this program knows {found.wanted}"
        yield Finding(_CHECK, "warning", text, name, "install a newer provgraph")
        return
    if not found.schema:
        yield Finding(_CHECK, "note", "nobody has pushed to this database yet", name, f"provdb push {name}")
    elif found.schema < found.wanted:
        yield Finding(_CHECK, "note", f"its schema is version {found.schema}; the next push brings it up to date", name)
    else:
        yield Finding(_CHECK, "ok", f"its schema is up to date (version {found.schema})", name)
    off_s = abs(found.ahead_s)
    if off_s > max(_CLOCK_S, found.round_trip_s):
        way = "ahead of" if found.ahead_s > 0 else "behind"
        text = f"its clock is {off_s:,.0f} s {way} this one: which of two changes is the later may be told wrongly"
        yield Finding(_CHECK, "warning", text, name, "set both clocks by NTP")
    else:
        yield Finding(_CHECK, "ok", "its clock agrees with this one", name)
    yield from _missing(project, name, team.received())


def _missing(project: "Project", name: str, theirs: dict[str, int]) -> Iterator[Finding]:
    here = project.store().journal.lasts()
    there = sum(max(0, last - theirs.get(origin, 0)) for origin, last in here.items())
    behind = sum(max(0, last - here.get(origin, 0)) for origin, last in theirs.items())
    if there:
        yield Finding(_CHECK, "note", f"it lacks {there:,} events that are here", name, f"provdb push {name}")
    if behind:
        yield Finding(_CHECK, "note", f"it has {behind:,} events that are not here", name, f"provdb pull {name}")
    if not there and not behind:
        yield Finding(_CHECK, "ok", "both sides have the same events", name)
