"""What ingestors found, as events: one for each ingestor and activity, the older ones superseded and kept.

A later result of the same ingestor takes the place of the earlier: properties that it no longer says go, vertices and
edges that the earlier one brought get ``superseded_by``. Only what this ingestor set itself goes; what a user annotated
wins (the projection sees to that), and so does what was recorded of the command when it ran. What another ingestor
says, too, has that one's value then.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from provgraph.client.scrub_words import suspicious
from provgraph.errors import StoreError
from provgraph.events import Event, EventBuilder
from provgraph.events.ports import Batch
from provgraph.events.series import Standing, add_points, no_points
from provgraph.session.interpreting.finding import Around, Found, NewVertex, Node, RefusedError, Scrub, check
from provgraph.session.interpreting.occurring import Given

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore

KIND: Final = "properties.found"
FAILED: Final = "ingestors_failed"
UNREAD: Final = "unread"
"""The fact that tells which files nobody had the bytes of: a newer version need not have them either."""
BOOKKEEPING: Final = frozenset({"ingestors", FAILED, "ingestor_notes", "superseded_by"})
_UNKEPT: Final = "what it found cannot be kept"
_TEXT: Final = 500
"""Characters of an error that are kept."""
_NOTES: Final = 20
"""Notes of one ingestor that are kept on the activity."""


class Outcome(NamedTuple):
    """What came of running one ingestor: a document of findings or None, or an ``error``."""

    name: str
    version: str
    moment: str
    document: Mapping[str, Any] | None = None
    error: str = ""
    left_out: tuple[str, ...] = ()
    """Files whose contents were too much to be unpacked."""
    gone: tuple[str, ...] = ()
    """Files that it wanted to read, and nobody has their bytes."""


@dataclass(slots=True)
class History:
    """What ingestors found of one activity so far."""

    events: list[Event] = field(default_factory=list)

    def latest(self, name: str) -> Event | None:
        """The newest event of an ingestor that did not fail."""
        mine = (event for event in reversed(self.events) if event.body["facts"].get("ingestor") == name)
        return next((event for event in mine if not event.body["facts"].get("failed")), None)

    def has(self, name: str, version: str) -> bool:
        """Whether the newest result of an ingestor is that of this version."""
        latest = self.latest(name)
        return latest is not None and latest.body["facts"].get("version") == version

    def tried(self, name: str, version: str) -> bool:
        """Whether this version ran, whatever came of it."""
        facts = (event.body["facts"] for event in self.events)
        return any(one.get("ingestor") == name and one.get("version") == version for one in facts)

    def words(self) -> "Words":
        """What each ingestor said last of each property, and still says."""
        found = Words()
        for event in self.events:
            facts = event.body["facts"]
            given_back = {(uid, key) for uid, key in facts.get("given_back", ())}
            if not facts.get("failed"):
                found.supersede(facts["ingestor"])
            for uid, properties in event.body.get("set", ()):
                for key, value in properties.items():
                    if key not in BOOKKEEPING:
                        found.say(uid, key, facts["ingestor"], None if (uid, key) in given_back else value)
        return found


class Words:
    """What ingestors say of properties: several may speak of one, and the last word counts."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], dict[str, Any]] = {}

    def __contains__(self, of: tuple[str, str]) -> bool:
        """Whether any ingestor says something of a property (uid, key)."""
        return bool(self._said.get(of))

    def say(self, uid: str, key: str, ingestor: str, value: Any) -> None:
        """Note a word; None takes an ingestor's back."""
        said = self._said.setdefault((uid, key), {})
        said.pop(ingestor, None)
        if value is not None:
            said[ingestor] = value

    def supersede(self, ingestor: str) -> None:
        """Take back all that an ingestor said."""
        for said in self._said.values():
            said.pop(ingestor, None)

    def without(self, uid: str, key: str, ingestor: str) -> tuple[bool, Any]:
        """Whether an ingestor has the last word on a property, and what it would be without that (None: nothing)."""
        said = list(self._said.get((uid, key), {}).items())
        last = bool(said) and said[-1][0] == ingestor
        return last, next((value for name, value in reversed(said) if name != ingestor), None)


def history(events: Iterable[Event]) -> dict[str, History]:
    """What ingestors found, by the uid of the activity."""
    found: dict[str, History] = defaultdict(History)
    for event in events:
        uid = event.body.get("facts", {}).get("activity")
        if event.kind == KIND and isinstance(uid, str) and isinstance(event.body["facts"].get("ingestor"), str):
            found[uid].events.append(event)
    return found


def scrubber(patterns: Sequence[str]) -> Scrub:
    """What takes secrets out of a property's text.

    Parameters:
        patterns: the user's own, as in ``capture.json``.
    """
    from provgraph.client.scrub import Scrubber

    scrub: list[Scrubber] = []

    def without_secrets(key: str, text: str) -> str:
        if not patterns and not suspicious((key, text)):
            return text
        if not scrub:
            scrub.append(Scrubber(patterns))
        return scrub[0].environment({key: text})[key] if key else scrub[0].text(text)

    return without_secrets


class FindingWriter:
    """Journals what ingestors found of one activity after the other.

    Parameters:
        store: open for writing. scrub: takes secrets out.
    """

    def __init__(self, store: "EmbeddedStore", scrub: Scrub) -> None:
        self._store, self._scrub = store, scrub

    def check(self, given: Given, outcome: Outcome) -> tuple[Outcome, Found]:
        """What an outcome comes to: itself with what it found, or with the error that it is refused for."""
        recorded = given.recorded
        parts = [part.uid for part in recorded.parts]
        around = Around(parts, recorded.used, recorded.generated, recorded.part_of)
        if outcome.error or outcome.document is None:
            return self._failed(outcome, outcome.error), Found()
        try:
            found = check(outcome.document, around, self._scrub)
        except RefusedError as error:
            return self._failed(outcome, str(error)), Found()
        if outcome.left_out:
            found.notes.append(f"too much to be unpacked: {', '.join(outcome.left_out[:5])}")
        return outcome, found

    def _failed(self, outcome: Outcome, why: str) -> Outcome:
        """An error may show what the ingestor read."""
        return outcome._replace(error=self._scrub("", why) if why else "", document=None)

    def write(self, given: Given, outcomes: Sequence[Outcome], before: History) -> list[Outcome]:
        """Journal outcomes in one transaction; returns those that brought an event, refused ones with their error.

        One that passes all checks and cannot be journaled all the same is refused alone.
        """
        try:
            return self._write(given, outcomes, before)
        except StoreError:
            raise
        except Exception as error:
            if len(outcomes) > 1:
                return [said for one in outcomes for said in self.write(given, [one], before)]
            if not outcomes or outcomes[0].error:
                raise
            why = f"{_UNKEPT}: {type(error).__name__}: {error}"
            return self._write(given, [outcomes[0]._replace(document=None, error=why[:_TEXT])], before)

    def _write(self, given: Given, outcomes: Sequence[Outcome], before: History) -> list[Outcome]:
        checked = [self.check(given, _unless_gone(outcome, before)) for outcome in outcomes]
        activity = self._store.reader.vertex(given.recorded.uid)
        if activity is None:
            return []
        state = _State(given.recorded.uid, dict(activity.properties), before.words())
        news = [
            (outcome, found)
            for outcome, found in checked
            if (outcome.error and state.is_news(outcome))
            or found
            or (not outcome.error and before.latest(outcome.name))
        ]
        if not news:
            return []
        with self._store.journal.batch() as batch:
            for outcome, found in news:
                _Writing(self._store, batch, state, outcome, before).write(found)
        return [outcome for outcome, _ in news]


def _series_rows(event: Event) -> list[dict[str, Any]]:
    """The points that an event brought."""
    rows = event.body["facts"].get("series", ())
    return [row for row in rows if isinstance(row.get("vertex"), str) and isinstance(row.get("name"), str)]


def _unless_gone(outcome: Outcome, before: History) -> Outcome:
    """The outcome; a failure where an earlier result is there and bytes are gone that could be read for it."""
    latest = before.latest(outcome.name)
    if latest is None or outcome.error:
        return outcome
    missed = latest.body["facts"].get(UNREAD)
    gone = [path for path in outcome.gone if not isinstance(missed, list) or path not in missed]
    if not gone:
        return outcome
    more = f" and of {len(gone) - 1} more" if len(gone) > 1 else ""
    return outcome._replace(document=None, error=f"the bytes of {gone[0]}{more} are gone; the earlier result stays")


@dataclass(slots=True)
class _State:
    """An activity while events about it are written."""

    uid: str
    properties: dict[str, Any]
    words: Words
    standings: dict[str, dict[str, Standing]] = field(default_factory=dict)

    def is_news(self, outcome: Outcome) -> bool:
        return f"{outcome.name}: {outcome.error}" not in self.properties.get(FAILED, ())

    def entries(self, key: str, name: str, separator: str, mine: Sequence[str]) -> dict[str, Any]:
        """A list of the bookkeeping, in which one ingestor's entries are replaced."""
        before = list(self.properties.get(key) or ())
        after = [entry for entry in before if not str(entry).startswith(name + separator)] + list(mine)
        if after == before:
            return {}
        self.properties[key] = after
        return {key: after or None}


class _Writing:
    """One event."""

    def __init__(self, store: "EmbeddedStore", batch: Batch, state: _State, outcome: Outcome, before: History) -> None:
        self.store, self.state, self.outcome = store, state, outcome
        self.event: EventBuilder = batch.event(KIND, datetime.now(UTC).isoformat(timespec="microseconds"))
        self.uid = store.namespace.event(self.event.origin, self.event.origin_seq)
        self.earlier = [one for one in before.events if one.body["facts"]["ingestor"] == outcome.name]
        self.latest = before.latest(outcome.name)
        self.uids: dict[str, str] = {}
        self.set: dict[str, dict[str, Any]] = defaultdict(dict)
        self.given_back: list[tuple[str, str]] = []
        """(uid, key) of what another ingestor says, too, and this one no longer: its value is that of the other."""
        facts = {"ingestor": outcome.name, "version": outcome.version, "activity": state.uid, "moment": outcome.moment}
        self.event.facts.update(facts)

    def write(self, found: Found) -> None:
        name, state = self.outcome.name, self.state
        book = self.set[state.uid]
        if self.outcome.error:
            self.event.facts["failed"] = self.outcome.error
            book.update(state.entries(FAILED, name, ":", [f"{name}: {self.outcome.error}"]))
            self._flush()
            return
        self._vertices(found)
        for node, properties in found.properties.items():
            self.set[self._uid(node)].update(self._own(self._uid(node), properties))
        self._edges(found)
        series = self._series(found)
        self._supersede(series)
        self._end_series()
        if self.outcome.gone:
            self.event.facts[UNREAD] = list(self.outcome.gone)
        if found.records:
            self.event.facts["records"] = found.records
        notes = found.notes[:_NOTES] + (
            [f"… and {len(found.notes) - _NOTES} more"] if len(found.notes) > _NOTES else []
        )
        book.update(state.entries("ingestors", name, " ", [f"{name} {self.outcome.version}"] if found else []))
        book.update(state.entries(FAILED, name, ":", []))
        book.update(state.entries("ingestor_notes", name, ":", [f"{name}: {note}" for note in notes]))
        self._flush()

    def _flush(self) -> None:
        for uid, properties in self.set.items():
            if properties:
                self.event.set(uid, **properties)
                for key, value in properties.items():
                    if key not in BOOKKEEPING:
                        word = None if (uid, key) in self.given_back else value
                        self.state.words.say(uid, key, self.outcome.name, word)
                    if uid == self.state.uid and value is None:
                        self.state.properties.pop(key, None)
        if self.given_back:
            self.event.facts["given_back"] = [list(of) for of in self.given_back]

    def _uid(self, node: Node) -> str:
        return self.uids[node.key] if node.key else node.uid

    def _own(self, uid: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Properties without those of the activity that were recorded when it ran: they are nearer to the truth."""
        if uid != self.state.uid:
            return dict(properties)
        there = {k for k in properties if k in self.state.properties and (uid, k) not in self.state.words}
        yielded = sorted(key for key in there if self.state.properties[key] != properties[key])
        if yielded:
            self.event.facts["yielded"] = yielded
        return {key: value for key, value in properties.items() if key not in there}

    # -- vertices

    def _vertices(self, found: Found) -> None:
        generated = {edge.source.key for edge in found.edges if edge.type == "wasGeneratedBy"}
        for key, vertex in found.vertices.items():
            if vertex.url:
                self.uids[key] = self._source(vertex, fresh=key in generated)
                continue
            name = vertex.properties.get("name")
            known = self.store.knowledge.agent("SoftwareAgent", str(name)) if "SoftwareAgent" in vertex.labels else None
            self.uids[key] = known or self.event.vertex(vertex.labels, vertex.properties)

    def _source(self, vertex: NewVertex, *, fresh: bool) -> str:
        """A remote source: the snapshot of what its URL named; the one that is known, where nothing made a new one."""
        url = self._scrubbed_url(vertex.url)
        more = {key: value for key, value in vertex.properties.items() if key != "path"}
        known = self.store.knowledge.known(url)
        if known is not None and not fresh:
            self.set[known.uid].update(more)
            return known.uid
        artifact = self.store.namespace.artifact(url)
        if known is None:
            self.event.vertex(["Entity", "Artifact"], {"path": url}, artifact)
        base = {"path": url, "sequence": 1 if known is None else known.sequence + 1, "created_at": self.event.time}
        base |= {"restorable": False, "content": "unknown"}
        uid = self.event.vertex(vertex.labels, {**base, **more})
        self.event.edge("specializationOf", uid, artifact)
        if known is not None:
            self.event.edge("wasDerivedFrom", uid, known.uid, prov_type="Revision", activity=self.state.uid)
        return uid

    @staticmethod
    def _scrubbed_url(url: str) -> str:
        """Without user and password."""
        try:
            parts = urlsplit(url)
        except ValueError:  # as of an address that is none; what stands before @ may be a password all the same
            return re.sub(r"(?<=://)[^/?#]*@", "", url)
        _, at, host = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=host)) if at else url

    # -- edges

    def _edges(self, found: Found) -> None:
        before = self._edges_before()
        said = set()
        for edge in found.edges:
            ends = edge.type, self._uid(edge.source), self._uid(edge.target)
            properties = {**edge.properties, "role": self.outcome.name}
            if edge.type == "wasDerivedFrom":
                properties["activity"] = self.state.uid
            old = before.get(ends)
            if old is not None and set(old) <= set(properties):
                properties["role"] = old["role"]
                said.add(ends)
            elif old is not None:
                properties["role"] = f"{self.outcome.name} {self.outcome.version}"
            self.event.edge(*ends, **properties)
        for ends, old in before.items():
            if ends not in said and not old.get("superseded_by"):
                self.event.edge(*ends, role=old["role"], superseded_by=self.uid)

    def _edges_before(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """(relation, source, target) → properties, of the edges that this ingestor said."""
        found: dict[tuple[str, str, str], dict[str, Any]] = {}
        for event in self.earlier:
            brought = self._brought(event)
            for row in event.body.get("edges", ()):
                properties = row[3] if len(row) > 3 else {}
                source, target = (brought[end] if isinstance(end, int) else end for end in row[1:3])
                if properties.get("role"):
                    found[row[0], source, target] = dict(properties)
        return found

    def _brought(self, event: Event) -> list[str]:
        """uids of the vertices that an event brought."""
        vertex = self.store.namespace.vertex
        rows = enumerate(event.body.get("vertices", ()))
        return [row[2] if len(row) > 2 else vertex(event.origin, event.origin_seq, place) for place, row in rows]

    # -- series

    def _series(self, found: Found) -> set[tuple[str, str]]:
        """Add series; returns the (uid, key) of the properties that stand for them."""
        told = set()
        for node, points in found.series.items():
            uid = self._uid(node)
            if uid not in self.state.standings:
                self.state.standings[uid] = {} if node.key else dict(self.store.knowledge.series(uid))
            known = self.state.standings[uid]
            known |= add_points(self.event, uid, points, known, by=self.outcome.name, whole=True)
        for uid, properties in self.event.body.get("set", ()):
            told |= {(uid, key) for key in properties}
            for key, value in properties.items():
                self.state.words.say(uid, key, self.outcome.name, value)
        return told

    def _end_series(self) -> None:
        """Take back the series that an earlier result brought and this one does not; their properties go by then."""
        rows: list[dict[str, Any]] = self.event.facts.get("series", [])
        ended = {(row["vertex"], row["name"]): row for event in self.earlier for row in _series_rows(event)}
        for of in {(row["vertex"], row["name"]) for row in rows} & ended.keys():
            del ended[of]
        for uid, name in ended:
            standing = self.store.knowledge.series(uid).get(name)
            if standing is not None and standing.by == self.outcome.name:
                self.event.facts.setdefault("series", []).append(no_points(uid, name))

    # -- what an earlier result said, and this one does not

    def _supersede(self, told: set[tuple[str, str]]) -> None:
        for event in self.earlier:
            for uid, properties in event.body.get("set", ()):
                for key in set(properties) - BOOKKEEPING:
                    if (uid, key) in told or key in self.set[uid]:
                        continue
                    last, other = self.state.words.without(uid, key, self.outcome.name)
                    if last:
                        self.set[uid][key] = other
                        if other is not None:
                            self.given_back.append((uid, key))
        if self.latest is None:
            return
        self.event.facts["supersedes"] = self.latest.uid
        for row, old in zip(self.latest.body.get("vertices", ()), self._brought(self.latest), strict=True):
            if len(row) == 2 and "Snapshot" not in row[0]:
                self.set[old]["superseded_by"] = self.uid
