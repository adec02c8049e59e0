"""Looking at an activity's series as they come, until it ends."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from provgraph.capture.wake import wake
from provgraph.errors import QuestionError
from provgraph.events.series import Standing
from provgraph.events.series_rows import Points
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.ingest.records import spool_files

if TYPE_CHECKING:
    from provgraph.session.opened import Opened

LOOK_S: Final = 0.25
BEAT_S: Final = 1.0
_BEGINNING_S: Final = 3.0
_WAKE_S: Final = 2.0
"""So often, an ingester that may have been killed is looked after."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What has come since the last glance.

    Attributes:
        vertex: the activity as it is now.
        series: what is known of each series. new: the points that came since.
        ended: whether it has ended, and nothing more will come.
    """

    vertex: Vertex
    series: Mapping[str, Standing]
    new: Mapping[str, Points]
    ended: bool


def await_beginnings(project: "Opened", *, pause: Callable[[float], None] = time.sleep) -> None:
    """Wait until what runs here is in the journal, so that ``%1`` names it: that takes a second, three at most."""
    deadline = time.monotonic() + _BEGINNING_S
    spool = os.path.join(project.root, ".provdb", "spool")
    while True:
        names = [os.path.basename(path).removesuffix(".jsonl") for path in spool_files(spool)]
        if len(project.store().journal.resume(names)) >= len(names) or time.monotonic() > deadline:
            return
        wake(project.root)
        pause(LOOK_S)


def follow(
    project: "Opened",
    vertex: Vertex,
    names: Sequence[str] = (),
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Glance]:
    """Glances at an activity here: one at once, one whenever points have come, one a second, one at its end.

    Parameters:
        names: of the series, also as globs; all where there are none.
        pause: waits for so many seconds.

    Raises:
        QuestionError: it is no activity.
    """
    if "Activity" not in vertex.labels:
        raise QuestionError(f"{display_name(vertex)} is no activity: only what runs can be followed; %1 is the newest")
    told: dict[str, int] = {}
    seen, woken, beat = -1, time.monotonic(), -BEAT_S
    while True:
        store = project.store()
        ended = _has_ended(store.reader.vertex(vertex.uid))
        if ended:
            project.settle_pending()  # what ingestors find once it has ended
            store = project.store()
        newest, rests = store.journal.last_seq(), time.monotonic() - beat > BEAT_S
        if newest != seen or rests or ended:
            seen = newest
            known = {name: one for name, one in store.knowledge.series(vertex.uid).items() if _wanted(name, names)}
            more = [name for name, one in known.items() if one.count > told.get(name, 0)]
            new = {name: _since(project, vertex.uid, name, told) for name in more}
            if new or rests or ended:
                beat = time.monotonic()
                yield Glance(store.reader.vertex(vertex.uid) or vertex, known, new, ended)
        if ended:
            return
        if time.monotonic() - woken > _WAKE_S:
            woken = time.monotonic()
            wake(project.root)
        pause(LOOK_S)


def _has_ended(vertex: Vertex | None) -> bool:
    """Whether an activity does not run any more; one that is gone, for it was forgotten, does not."""
    return vertex is None or "ended_at" in vertex.properties or bool(vertex.properties.get("interrupted"))


def _wanted(name: str, names: Sequence[str]) -> bool:
    return not names or any(fnmatchcase(name, one) for one in names)


def _since(project: "Opened", uid: str, name: str, told: dict[str, int]) -> Points:
    """The points that were not told yet. A series that was read anew at the end goes on where the old one was."""
    found = project.store().reader.series(uid, name)[name].points
    first = told.get(name, 0)
    told[name] = len(found.values)
    return Points(found.steps[first:], found.values[first:], None if found.times is None else found.times[first:])
