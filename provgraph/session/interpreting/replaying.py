"""Applying ingestors to activities of the past: new ones, and newer versions of those that ran then.

The same version finds the same, so it is not run again. What a newer one says takes the place of what the older one
said; all of it stays in the journal.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provgraph.errors import QuestionError
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.reader import ActivityFilter
from provgraph.ingest.places import Places
from provgraph.ingestors.port import Moment, Occurrence
from provgraph.model.scrub import capture_patterns
from provgraph.session.interpreting.catalogue import Catalogue
from provgraph.session.interpreting.finding_events import FindingWriter, History, Outcome, history, scrubber
from provgraph.session.interpreting.ingesting import Described, left_alone_note
from provgraph.session.interpreting.interpreter import fits_words, outcome_of, request
from provgraph.session.interpreting.occurring import Given, Recollection, Recorded
from provgraph.session.interpreting.process import checked

if TYPE_CHECKING:
    from provgraph.session.opened import Opened
    from provgraph.stores import EmbeddedStore


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one ingestor and one activity: ``before`` is the version that its result took the place of."""

    activity: str
    """uid."""
    name: str
    ingestor: str
    version: str
    before: str | None = None
    found: bool = False
    """Whether it finds anything; what an earlier version found is superseded in either case."""
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """One of ``changes`` in ``provgraph/replayed/1``."""
        return {key: getattr(self, key) for key in self.__slots__}


@dataclass(frozen=True, slots=True)
class Replayed:
    """What changed, and how many activities were looked at."""

    activities: int
    changes: tuple[Change, ...] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/replayed/1``."""
        changes = [change.to_json() for change in self.changes]
        return {"schema": "provgraph/replayed/1", "activities": self.activities, "changes": changes}


def replay(
    project: "Opened",
    names: Sequence[str] = (),
    references: Sequence[str] = (),
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Replayed:
    """Apply ingestors to activities that have ended.

    Parameters:
        names: of ingestors; all that there are where none is named.
        references: of activities; all that this disk recorded where none is given.
        progress: told now and then how many activities of how many are done.

    Raises:
        QuestionError: there is no ingestor of a name, or a reference names something else than an activity.
    """
    from provgraph.session.background import push_later

    project.settle_pending()
    store = project.store(write=True)
    project.notes += left_alone_note(store)
    activities = _activities(project, store, references)
    found = _Replay(store)
    try:
        chosen = found.chosen(names)
        changes: list[Change] = []
        for place, activity in enumerate(activities):
            progress(place, len(activities))
            changes += found.apply(activity, chosen)
    finally:
        found.close()
    push_later(store)
    return Replayed(len(activities), tuple(changes))


def _activities(project: "Opened", store: "EmbeddedStore", references: Iterable[str]) -> list[Vertex]:
    """The activities that references name, oldest first, each whole one once; none that still runs."""
    from provgraph.queries.references import resolve_all

    if not references:
        found = store.reader.activities(ActivityFilter(unseen=False, own=True))
    else:
        named = resolve_all(store.reader, references, project.places())
        project.notes += named.notes
        found = store.reader.vertices(named.uids)
        for vertex in found:
            if "Activity" not in vertex.labels:
                raise QuestionError(
                    f"{display_name(vertex)} is no activity; ingestors are applied to commands, like %1"
                )
        wholes = {str(one.properties.get("whole") or one.uid) for one in found}
        found = store.reader.vertices(wholes)
    ended = [one for one in found if one.properties.get("ended_at") or one.properties.get("interrupted")]
    return sorted(ended, key=lambda one: (str(one.properties.get("started_at")), one.uid))


class _Replay:
    """Runs ingestors on one activity after the other."""

    def __init__(self, store: "EmbeddedStore") -> None:
        root = str(store.root)
        places = Places(root, "", store.namespace, lambda _path: "project")
        self._root, self._recollection = root, Recollection(store, places)
        self._catalogue = Catalogue(store, anew=True)
        patterns = capture_patterns(store.config.scrub_patterns, store.config.scrub_names)
        self._writer = FindingWriter(store, scrubber(patterns))
        self._histories = history(store.journal.of_kind("properties.found"))

    def close(self) -> None:
        """End the process in which ingestors run."""
        self._catalogue.process.close()

    def chosen(self, names: Sequence[str]) -> list[Described]:
        """The ingestors of these names, in the order in which they run."""
        described = self._catalogue.described()
        unknown = sorted(set(names) - {one.name for one in described})
        for name in unknown:
            broken = next((one for one in self._catalogue.failures if one.name == name), None)
            if broken is not None:
                raise QuestionError(f"{name} cannot be loaded from {broken.where}: {broken.error}")
            raise QuestionError(f"there is no ingestor {name!r}; `provdb ingestors list` shows those that are there")
        return [one for one in described if not names or one.name in names]

    def apply(self, activity: Vertex, chosen: Iterable[Described]) -> list[Change]:
        """Run what is new to an activity and journal it in one transaction."""
        recorded = self._recollection.recorded(activity.uid)
        if recorded is None:
            return []
        before = self._histories.get(recorded.uid, History())
        news = [one for one in chosen if not before.has(one.name, one.version)]
        outcomes = list(self._outcomes(recorded, news, before))
        if not outcomes:
            return []
        given = self._recollection.given(recorded, Moment.AFTER)
        said = {one.name: one for one in self._writer.write(given, outcomes, before)}
        return [self._change(activity, one, before) for one in said.values()]

    def _outcomes(self, recorded: Recorded, news: Iterable[Described], before: History) -> Iterator[Outcome]:
        words = Occurrence(Moment.AFTER, self._root, self._recollection.words(recorded))
        given: Given | None = None
        for one in news:
            outcome = Outcome(one.name, one.version, str(one.moment))
            try:
                fits = fits_words(one.match, words)
                if fits:
                    given = given or self._recollection.given(recorded, Moment.AFTER)
                    fits = bool(one.explain(given.occurrence))
                    outcome = self._run(one, given) if fits else outcome
            except (TimeoutError, re.error) as error:
                fits, outcome = True, outcome._replace(error=f"its pattern: {error}")
            if fits or before.latest(one.name) is not None:
                yield outcome

    def _run(self, one: Described, given: Given) -> Outcome:
        self._catalogue.process.ask(request(one, given))
        answer = checked(self._catalogue.process.wait())
        if given.changed(answer.value.get("read") or ()):  # once more, without the bytes of what has changed
            return self._run(one, self._recollection.given(given.recorded, Moment.AFTER))
        return outcome_of(one, answer.value, answer.error)

    @staticmethod
    def _change(activity: Vertex, outcome: Outcome, before: History) -> Change:
        latest = before.latest(outcome.name)
        return Change(
            activity.uid,
            str(activity.properties.get("name", "")),
            outcome.name,
            outcome.version,
            None if latest is None else str(latest.body["facts"]["version"]),
            not outcome.error and any(part for key, part in (outcome.document or {}).items() if key != "schema"),
            outcome.error,
        )
