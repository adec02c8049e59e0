"""What users declare: provenance that the wrapper cannot see (``record``), and properties (``annotate``)."""

import os
import stat as stat_module
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from provgraph.errors import InputError, QuestionError, UnknownReferenceError
from provgraph.events import EventBuilder
from provgraph.events.ports import Batch, Known, Stat
from provgraph.graph.naming import display_name
from provgraph.ingest.places import Places, media_type
from provgraph.queries.times import moment
from provgraph.session.disk import Disk
from provgraph.session.restoring import SYMLINK
from provgraph.session.values import metrics, own_properties

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore


@dataclass(frozen=True, slots=True)
class Declaration:
    """What ``record`` is told; also the document on standard input. Times are as typed, None is now."""

    used: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    command: str | None = None
    note: str | None = None
    exit_status: int | None = None
    started_at: str | None = None
    ended_at: str | None = None

    @classmethod
    def from_json(cls, document: object) -> "Declaration":
        """The declaration of a document ``provgraph/record/1`` (``schema`` may be absent).

        Raises:
            InputError: another shape; the message names the key.
        """
        from provgraph.schemas import explain

        if not isinstance(document, dict):
            raise InputError('a record is one JSON object, like {"used": ["a.csv"], "generated": ["b.csv"]}')
        wrong = explain("record", document)
        if wrong:
            raise InputError(f"this is no record: {wrong}; `provdb record --help` shows one")
        values = {key: value for key, value in document.items() if key != "schema" and value is not None}
        for key in ("used", "generated"):
            if key in values:
                values[key] = tuple(values[key])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Writing:
    """What a declaration is written with."""

    store: "EmbeddedStore"
    disk: Disk
    resolve: Callable[[str], Sequence[str]]
    """The uids that a reference names."""
    person: tuple[str, str | None]
    """(name, e-mail) of who declares."""
    host: str
    now: str
    """ISO 8601 in UTC."""
    scrub: Callable[[str], str] = str
    """Takes the secrets out of a text."""


def declare(writing: Writing, declaration: Declaration) -> str:
    """Journal an activity with what it used and generated; return its uid.

    Files on disk are recorded as they are now. One that changed since it was last recorded is first entered as an
    unrecorded change where it was used; where it was generated, this activity is what changed it.

    Raises:
        QuestionError: nothing declared, a file that is not there, a time that is none, a key of the base.
    """
    properties = _activity_properties(writing, declaration)
    used = _each_once(found for text in declaration.used for found in _used(writing, text))
    generated = _each_once(_generated(writing, text) for text in declaration.generated)
    for thing in generated:
        thing.after = next((other for other in used if other.path and other.path == thing.path), None)
        if thing.uid in {other.uid for other in used}:
            thing.uid = None  # what it used is not what it generated
    if not used and not generated and not declaration.params and not declaration.metrics and not declaration.command:
        raise QuestionError("nothing was declared; name files with --used and --generated")
    with writing.store.journal.batch() as batch:
        uid = _write(writing, batch, properties, used, generated)
    there = [(thing.uid, thing.stat) for thing in (*used, *generated) if thing.uid and thing.stat]
    writing.store.knowledge.restat(there, writing.now)
    return uid


@dataclass(slots=True)
class _Thing:
    """A thing used or generated: a vertex that is known, or a state of a file to enter."""

    uid: str | None
    path: str = ""
    artifact: str = ""
    """uid of the artifact, also where it is not yet known."""
    located: dict[str, Any] = field(default_factory=dict)
    """The properties that say where it is: ``path``, and ``path_bytes`` where that is no UTF-8."""
    stat: Stat | None = None
    sha256: str | None = None
    kept: bool = False
    before: Known | None = None
    """The newest snapshot that is known at this path."""
    after: "_Thing | None" = None
    """Of something generated: the state of the same thing that was used."""
    sequence: int = 0
    """The number of the snapshot that was entered for it."""

    @property
    def previous(self) -> Known | None:
        """The same, unless it is another machine's file at a path outside the project."""
        return self.before if self.before is not None and self.before.artifact == self.artifact else None


def _each_once(things: Iterable[_Thing]) -> list[_Thing]:
    """Without those that were named twice: one activity uses, or generates, one state of a thing (semantics rule 2)."""
    return list({thing.uid or thing.path: thing for thing in things}.values())


def _write(
    writing: Writing, batch: Batch, properties: dict[str, Any], used: list[_Thing], generated: list[_Thing]
) -> str:
    for thing in used:
        if thing.uid is None and thing.previous is not None and not thing.previous.invalidated:
            _enter_unseen(writing, batch, thing, thing.previous)
    event = batch.event("provenance.declared", properties["ended_at"])
    uid = event.vertex(["Activity", "Command"], properties)
    name, email = writing.person
    if email:
        agent = event.vertex(["Agent", "Person"], {"name": name, "email": email}, event.namespace.person(email))
    else:
        known = writing.store.knowledge.agent("Person", name)
        agent = known or event.vertex(["Agent", "Person"], {"name": name})
    event.edge("wasAssociatedWith", uid, agent)
    for thing in used:
        thing.uid = thing.uid or _enter(event, thing, writing.now)
        event.edge("used", uid, thing.uid, at=properties["started_at"])
    for thing in generated:
        fresh = thing.uid is None
        thing.uid = thing.uid or _enter(event, thing, properties["ended_at"])
        event.edge("wasGeneratedBy", thing.uid, uid, at=properties["ended_at"])
        before = thing.after if thing.after is not None and thing.after.sequence else thing.previous
        if fresh and before is not None and before.uid is not None:
            event.edge("wasDerivedFrom", thing.uid, before.uid, prov_type="Revision", activity=uid)
    return uid


def _enter_unseen(writing: Writing, batch: Batch, thing: _Thing, before: Known) -> None:
    """The change that nobody captured, before the declared activity used its result (semantics rule 5)."""
    event = batch.event("change.noticed", writing.now)
    span = {"started_at": min(before.seen_at, writing.now), "ended_at": writing.now}
    unseen = event.vertex(["Activity", "Unseen"], {"name": "unrecorded change", "capture": "none", **span})
    thing.uid = _enter(event, thing, writing.now)
    event.edge("wasGeneratedBy", thing.uid, unseen, at=writing.now)
    event.edge("used", unseen, before.uid, at=before.seen_at)
    event.edge("wasDerivedFrom", thing.uid, before.uid, prov_type="Revision", missing=True, activity=unseen)


def _enter(event: EventBuilder, thing: _Thing, at: str) -> str:
    """Add a snapshot's vertex, and its artifact's where it is the first."""
    before = thing.after.sequence if thing.after is not None else 0
    if thing.previous is None and not before:
        event.vertex(["Entity", "Artifact"], thing.located, thing.artifact)
    thing.sequence = 1 + (before or (0 if thing.before is None else thing.before.sequence))
    stat = thing.stat
    properties = {
        **thing.located,
        "sha256": thing.sha256,
        "size_bytes": None if stat is None else stat[2],
        "mode": None if stat is None else stat[5] & 0o7777,
        "media_type": SYMLINK if stat is not None and stat_module.S_ISLNK(stat[5]) else media_type(thing.path),
        "sequence": thing.sequence,
        "created_at": at,
        "restorable": thing.kept,
        "content": None if thing.sha256 else "unknown",
    }
    snapshot = event.vertex(["Entity", "Snapshot"], properties)
    event.edge("specializationOf", snapshot, thing.artifact)
    return snapshot


def _used(writing: Writing, text: str) -> list[_Thing]:
    if "://" in text:
        return [_remote(writing, text)]
    if not os.path.lexists(writing.disk.absolute(text)):
        try:
            uids = writing.resolve(text)
        except UnknownReferenceError as error:
            raise UnknownReferenceError(
                f"--used {text}: there is no such file, and {error}", error.candidates
            ) from None
        return [_Thing(_entity(writing, uid, text)) for uid in uids]
    thing = _on_disk(writing, text)
    before = thing.before
    if before is not None and not before.invalidated and before.sha256 == thing.sha256 and thing.sha256:
        thing.uid = before.uid
    return [thing]


def _entity(writing: Writing, uid: str, text: str) -> str:
    """The uid, if it is a thing that can be used."""
    vertex = writing.store.reader.vertex(uid)
    if vertex is not None and "Entity" not in vertex.labels:
        raise QuestionError(f"--used {text}: {display_name(vertex)} is no file, and only files and URLs can be used")
    return uid


def _generated(writing: Writing, text: str) -> _Thing:
    if "://" in text:
        thing = _remote(writing, text)
        thing.uid = None
        return thing
    if not os.path.lexists(writing.disk.absolute(text)):
        raise QuestionError(f"--generated {text}: there is no such file; declare it once it is there")
    thing = _on_disk(writing, text)
    before = thing.before
    if before is not None and before.generator is None and before.sha256 == thing.sha256 and thing.sha256:
        thing.uid = before.uid  # met as an input before anybody said where it came from
    return thing


def _on_disk(writing: Writing, text: str) -> _Thing:
    absolute = writing.disk.absolute(text)
    stat = lstat(absolute)
    if not (stat_module.S_ISREG(stat[5]) or stat_module.S_ISLNK(stat[5])):
        what = "a folder: name the files in it" if stat_module.S_ISDIR(stat[5]) else "no regular file"
        raise QuestionError(f"{text} is {what}")
    places = Places(writing.disk.root, writing.host, writing.store.namespace, lambda _path: "project")
    path = places.name(absolute)
    before = writing.store.knowledge.known(path)
    artifact, located = places.artifact(absolute), places.properties(absolute)
    if before is not None and before.stat == stat and before.sha256:
        kept = before.sha256 in writing.store.objects
        return _Thing(None, path, artifact, located, stat, before.sha256, kept, before)
    keep = not path.startswith("/") and stat[2] <= writing.store.config.file_limit_bytes
    objects = writing.store.objects
    try:
        stored = (objects.put_file if keep else objects.digest_file)(absolute, stat)
    except OSError as error:
        raise QuestionError(f"{text} cannot be read: {error.strerror}") from error
    return _Thing(None, path, artifact, located, stat, stored.sha256, stored.kept, before)


def lstat(path: str) -> Stat:
    """The identity of a file, as one lstat gives it."""
    s = os.lstat(path)
    return s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_mode


def _remote(writing: Writing, text: str) -> _Thing:
    """A remote source: its URL without credentials; what it held is not known."""
    parts = urlsplit(text)
    url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    url = writing.scrub(url)
    before = writing.store.knowledge.known(url)
    artifact = writing.store.namespace.artifact(url)
    return _Thing(None if before is None else before.uid, url, artifact, {"path": url}, before=before)


def _activity_properties(writing: Writing, declaration: Declaration) -> dict[str, Any]:
    started = None if declaration.started_at is None else moment(declaration.started_at)
    ended = moment(declaration.ended_at) if declaration.ended_at is not None else started or writing.now
    if started and started > ended:
        raise QuestionError(f"it cannot start at {declaration.started_at} and end before that")
    number = writing.store.knowledge.next_activity_number()
    words = (declaration.command or "").split()
    name = declaration.name or (os.path.basename(words[0]) if words else "declared")
    properties: dict[str, Any] = {
        **own_properties(declaration.tags),
        **own_properties({f"param_{key}": value for key, value in declaration.params.items()}),
        **own_properties({f"metric_{key}": value for key, value in metrics(declaration.metrics).items()}),
        "name": f"{name} #{number}",
        "number": number,
        "command": declaration.command and writing.scrub(declaration.command),
        "note": declaration.note and writing.scrub(declaration.note),
        "exit_status": declaration.exit_status,
        "started_at": started or ended,
        "ended_at": ended,
        "capture": "declared",
        "host": writing.host,
        "cwd": writing.disk.locate(writing.disk.cwd),
    }
    if started:
        span = datetime.fromisoformat(ended) - datetime.fromisoformat(started)
        properties["duration_s"] = span.total_seconds()
    return {key: value for key, value in properties.items() if value is not None}


def annotate(store: "EmbeddedStore", uid: str, properties: Mapping[str, Any], by: str) -> None:
    """Journal properties that a user adds to a vertex; None takes one away.

    Raises:
        QuestionError: no properties, a key of the base, or one to take away that is not there.
    """
    kept = own_properties(properties)
    if not kept:
        raise QuestionError("nothing to annotate; give KEY=VALUE")
    vertex = store.reader.vertex(uid)
    for key, value in kept.items():
        if value is None and vertex is not None and key not in vertex.properties:
            raise QuestionError(f"{display_name(vertex)} has no {key!r} to remove; `provdb show` lists what it has")
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    with store.journal.batch() as batch:
        event = batch.event("properties.annotated", now)
        event.facts["by"] = by
        event.set(uid, **kept)
