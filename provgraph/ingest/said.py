"""What a program says of its own activity: parameters, series, tags, notes, files and URLs (record ``said``)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from provgraph.events import EventBuilder
from provgraph.events.ports import KnowledgePort
from provgraph.events.series import Points, Standing, add_points, settle_series
from provgraph.ingest.contents import lstat
from provgraph.ingest.lookup import Lookup, iso
from provgraph.ingest.settle import Settler
from provgraph.ingest.state import LINK, REGULAR, Act, Snap, Write, file_type
from provgraph.model.vocabulary import OWN_KEYS

_FIXED: Final = frozenset(
    {"uid", "labels", "name", "number", "started_at", "ended_at", "whole", "argv", "origin", "seq"}
)
"""What not even the magics may say of a cell: it is known from elsewhere."""


@dataclass(slots=True)
class Said:
    """What one activity has said that is not journaled yet."""

    properties: dict[str, Any] = field(default_factory=dict)
    points: dict[str, tuple[list[int | None], list[float], list[int]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    known: dict[str, Standing] | None = None
    """Its series as they are journaled; None until that was asked."""
    generated: set[str] = field(default_factory=set)
    """Absolute paths that it says it generated, and that nobody saw it write."""
    repeated: dict[str, int] = field(default_factory=dict)
    """Points that an ingester which is gone has journaled: they are read from the spool once more."""

    @property
    def pending(self) -> bool:
        """Whether something is to be journaled."""
        return bool(self.properties or self.points)


class Sayings:
    """Applies records ``said``.

    Parameters:
        readers: the activities that use what one of them uses, at a place.
    """

    def __init__(self, lookup: Lookup, settler: Settler, readers: Callable[[Act, str], list[Act]]) -> None:
        self.lookup, self.settler, self.readers = lookup, settler, readers

    def apply(self, act: Act, t: int, record: Mapping[str, Any]) -> None:
        """One record."""
        whole = act.first
        said = whole.said = whole.said or Said()
        for key, value in (record.get("params") or {}).items():
            said.properties |= flat(f"param_{key}", value)
        for key, value in (record.get("properties") or {}).items():
            if key not in _FIXED:
                said.properties |= flat(key, value)
        for key, value in (record.get("tags") or {}).items():
            if key in OWN_KEYS:
                act.refused(f"tag {key}: a property of the base")
            else:
                said.properties |= flat(key, value)
        if record.get("note"):
            if not said.notes and act.start.get("note"):
                said.notes.append(str(act.start["note"]))
            said.notes.append(str(record["note"]))
            said.properties["note"] = "\n".join(said.notes)
        for name, step, value, at in (point[:4] for point in record.get("metrics") or ()):
            steps, values, times = said.points.setdefault(str(name), ([], [], []))
            steps.append(step)
            values.append(float(value))
            times.append(int(at))
        for text in record.get("used") or ():
            self._used(act, t, str(text))
        for text in record.get("generated") or ():
            self._generated(act, t, str(text))

    def _used(self, act: Act, t: int, text: str) -> None:
        if not text.startswith("/"):
            remote = self._remote(act, t, text)
            for reader in self.readers(act, remote.path):
                self.settler.use(reader, remote, t)
            return
        stat = lstat(text)
        if stat is None or file_type(stat) not in (REGULAR, LINK):
            act.refused("declared as used, but there is no such file")
        else:
            for reader in self.readers(act, text):
                self.settler.read(reader, t, text, stat)

    def _remote(self, act: Act, t: int, text: str) -> Snap:
        """A remote source, whatever it holds now."""
        url = without_credentials(text)
        known = self.lookup.current(url)
        if known is not None:
            return known
        snap = self._new_remote(url, act, t, 1)
        self.lookup.set_current(snap)
        self.lookup.log.entries.append((act, snap))
        return snap

    def _new_remote(self, url: str, act: Act, t: int, sequence: int) -> Snap:
        at = iso(act.wall_ns(t))
        return Snap(
            path=url,
            artifact=self.lookup.places.namespace.artifact(url),
            sequence=sequence,
            sha256=None,
            size=None,
            mode=None,
            stat=None,
            seen_at=at,
            created_at=at,
            content="unknown",
            properties={"path": url},
        )

    def _generated(self, act: Act, t: int, text: str) -> None:
        if not text.startswith("/"):
            self._sent(act, t, without_credentials(text))
            return
        lookup = self.lookup
        if not lookup.places.counts(text):
            act.refused("declared as generated, but such paths are not recorded")
            return
        if lookup.dirty.get(text) is act.first:
            return
        stat = lstat(text)
        current = lookup.current(lookup.places.name(text))
        if current is not None and current.same_file(stat) and act.generated_earlier(current):
            return
        self.settler.settle_readers(text)
        if text in lookup.dirty and stat is not None:
            current = lookup.meet(act, text, stat, t)
        act.writes[text] = Write("truncate", current, t)
        lookup.dirty[text] = act.first
        if act.first.said is not None:
            act.first.said.generated.add(text)

    def _sent(self, act: Act, t: int, url: str) -> None:
        before = self.lookup.current(url)
        if before is not None and act.generated_earlier(before):
            return
        snap = self._new_remote(url, act, t, 1 if before is None else before.sequence + 1)
        snap.generator = act
        act.own.add(id(snap))
        self.lookup.set_current(snap)
        self.lookup.log.entries.append((act, snap))
        if before is not None:
            act.derived.append((snap, before, {"prov_type": "Revision"}))


def missing(act: Act, path: str) -> None:
    """A file that an activity wrote is not there at its end: where it was the one to say so, the record has it."""
    if act.first.said is not None and path in act.first.said.generated:
        act.refused("declared as generated, but there is no such file")


def write(event: EventBuilder, act: Act, knowledge: KnowledgePort, *, ended: bool) -> None:
    """Add what an activity said to an event; of its series, the whole of what Cypher sees when it has ended."""
    said = act.first.said
    if said is None or not act.first.uid:
        return
    part: Act | None = act
    while part is not None and part.uid and said.properties:
        event.set(part.uid, **said.properties)
        part = part.informed_by if part.whole is not None else None
    said.properties = {}
    if said.points or (ended and said.known):
        if said.known is None:
            said.known = dict(knowledge.series(act.first.uid))
            said.repeated = {name: one.count for name, one in said.known.items() if not one.by}
        points = {name: Points(*_fresh(name, columns, said)) for name, columns in said.points.items()}
        said.known |= add_points(event, act.first.uid, points, said.known)
        said.points = {}
        if ended:
            settle_series(event, act.first.uid, {name: one for name, one in said.known.items() if not one.by})


def _fresh(
    name: str, columns: tuple[list[int | None], list[float], list[int]], said: Said
) -> tuple[list[Any], list[float], list[int]]:
    """The points that are not journaled; those without a step are counted from there."""
    steps, values, times = columns
    skip = min(said.repeated.get(name, 0), len(values))
    said.repeated[name] = said.repeated.get(name, 0) - skip
    return steps[skip:], values[skip:], times[skip:]


def flat(key: str, value: Any) -> dict[str, Any]:
    """A property as the graph keeps it: what is nested is JSON text under ``<key>_json``."""
    if value is None or isinstance(value, str | bool | int | float):
        return {key: value}
    if isinstance(value, list) and len({_kind(item) for item in value}) <= 1 and not _nested(value):
        return {key: value}
    return {f"{key}_json": json.dumps(value, sort_keys=True)}


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _nested(values: list[Any]) -> bool:
    return any(value is None or isinstance(value, list | dict) for value in values)


def without_credentials(text: str) -> str:
    """A URL without user and password."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
