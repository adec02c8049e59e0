"""Occurrences as ingestors are given them, read out of the store: the same for what ended just now and years ago."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provgraph.graph.elements import Edge, Vertex
from provgraph.ingest.contents import lstat
from provgraph.ingest.places import Places, media_type
from provgraph.ingestors.port import ActivityWords, File, Moment, Occurrence, Previous
from provgraph.stores.reader import uid_bytes

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore


@dataclass(slots=True)
class Recorded:
    """An activity as it is recorded, with all its parts."""

    activity: Vertex
    parts: list[Vertex]
    used: dict[str, str] = field(default_factory=dict)
    """Path → uid of the snapshot that it used; of several the last."""
    generated: dict[str, str] = field(default_factory=dict)
    part_of: dict[str, int] = field(default_factory=dict)
    """uid of a snapshot → which part used or generated it."""

    @property
    def uid(self) -> str:
        """Of its first part."""
        return self.activity.uid


@dataclass(frozen=True, slots=True)
class Given:
    """What an ingestor is given, and what lies behind it."""

    recorded: Recorded
    occurrence: Occurrence
    held: frozenset[str]
    """SHA-256 of the contents that the object store holds."""
    direct: Mapping[str, tuple[int, ...]]
    """Absolute path → identity, of the files that are read where they lie."""

    def changed(self, read: Iterable[str]) -> bool:
        """Whether one of the files that were read where they lie is not what it was: what was made of it is nothing."""
        return any(path in self.direct and lstat(path) != self.direct[path] for path in read)


class Recollection:
    """Reads activities out of a store.

    Parameters:
        store: it is read, never written. places: of its project.
    """

    def __init__(self, store: "EmbeddedStore", places: Places) -> None:
        self._store, self._places = store, places

    def recorded(self, uid: str) -> Recorded | None:
        """An activity, without its files; None where there is none."""
        activity = self._store.reader.vertex(uid)
        if activity is None or "Activity" not in activity.labels:
            return None
        whole = activity.properties.get("whole")
        if isinstance(whole, str) and whole != uid:
            return self.recorded(whole)
        return Recorded(activity, self._parts(activity))

    def _parts(self, first: Vertex) -> list[Vertex]:
        parts = [first]
        while True:
            edges = self._store.reader.edges_of(parts[-1].uid)
            uids = [edge.source for edge in edges if edge.type == "wasInformedBy" and edge.target == parts[-1].uid]
            following = [one for one in self._store.reader.vertices(uids) if one.properties.get("whole") == first.uid]
            if not following:
                return parts
            parts.append(following[0])

    def words(self, recorded: Recorded) -> ActivityWords:
        """What is known of an activity itself."""
        found = recorded.activity.properties
        last = recorded.parts[-1].properties
        cwd = str(found.get("cwd", "."))
        return ActivityWords(
            uid=recorded.uid,
            argv=tuple(str(word) for word in found.get("argv") or ()),
            command=str(found.get("command", "")),
            utility=str(found.get("utility", "")),
            cwd=os.path.normpath(os.path.join(self._places.root, cwd)),
            exit_status=_integer(last.get("exit_status")),
            started_at=_text(found.get("started_at")),
            ended_at=_text(last.get("ended_at")),
            properties=dict(found),
        )

    def given(self, recorded: Recorded, moment: Moment) -> Given:
        """An activity with its files. Cost: 50 µs a file."""
        edges = [(n, edge) for n, part in enumerate(recorded.parts) for edge in self._edges(part)]
        snapshots = self._snapshots(edges)
        used, generated = list[File](), list[File]()
        held, direct = set[str](), dict[str, tuple[int, ...]]()
        for number, edge in edges:
            forth = edge.type == "used"
            snapshot = snapshots.get(edge.target if forth else edge.source)
            if snapshot is None:
                continue
            path = str(snapshot.properties.get("path", ""))
            recorded.part_of.setdefault(snapshot.uid, number)
            (recorded.used if forth else recorded.generated)[path] = snapshot.uid
            previous = self._previous(snapshot.uid, path, held)
            file = self._file(snapshot, path, _text(edge.properties.get("role")), previous, held, direct)
            (used if forth else generated).append(file)
        if moment is Moment.BEFORE:
            used += self._operands(recorded, {file.path for file in used}, direct)
        words = self.words(recorded)
        occurrence = Occurrence(moment, self._places.root, words, tuple(used), tuple(generated))
        return Given(recorded, occurrence, frozenset(held), direct)

    def _edges(self, part: Vertex) -> list[Edge]:
        return [
            edge
            for edge in self._store.reader.edges_of(part.uid)
            if (edge.type == "used" and edge.source == part.uid)
            or (edge.type == "wasGeneratedBy" and edge.target == part.uid)
        ]

    def _snapshots(self, edges: Iterable[tuple[int, Edge]]) -> dict[str, Vertex]:
        uids = {edge.target if edge.type == "used" else edge.source for _, edge in edges}
        found = self._store.reader.vertices(uids)
        return {one.uid: one for one in found if "Snapshot" in one.labels and "Environment" not in one.labels}

    def _file(
        self,
        snapshot: Vertex,
        path: str,
        role: str | None,
        previous: Previous | None,
        held: set[str],
        direct: dict[str, tuple[int, ...]],
    ) -> File:
        sha256 = _text(snapshot.properties.get("sha256"))
        absolute = "" if "://" in path else self._places.absolute(path)
        content = None
        if sha256 is not None and sha256 in self._store.objects:
            held.add(sha256)
        elif absolute:
            raw = uid_bytes(snapshot.uid)
            presence = None if raw is None else self._store.local.presence(raw)
            if presence is not None and lstat(absolute) == presence[0]:
                content, direct[absolute] = absolute, presence[0]
        media = _text(snapshot.properties.get("media_type"))
        size = _integer(snapshot.properties.get("size_bytes"))
        return File(path, absolute, media, sha256, size, role, content, previous)

    def _previous(self, uid: str, path: str, held: set[str]) -> Previous | None:
        """The state that it took the place of, whoever changed it."""
        for edge in self._store.reader.edges_of(uid):
            if edge.type == "wasDerivedFrom" and edge.source == uid and edge.properties.get("prov_type") == "Revision":
                before = self._store.reader.vertex(edge.target)
                sha256 = None if before is None else _text(before.properties.get("sha256"))
                if sha256 is not None and sha256 in self._store.objects:
                    held.add(sha256)
                return Previous(path, sha256)
        return None

    def _operands(self, recorded: Recorded, known: set[str], direct: dict[str, tuple[int, ...]]) -> list[File]:
        """The files that a command's words name, as they are on the disk now: what it used is not known yet."""
        found, words = [], self.words(recorded)
        properties = recorded.activity.properties
        for word in (properties.get("script"), *(properties.get("operands") or ())):
            absolute = os.path.normpath(os.path.join(words.cwd, str(word)))
            path = self._places.name(absolute)
            stat = lstat(absolute) if word and os.path.isfile(absolute) and self._places.counts(absolute) else None
            if stat is None or path in known:
                continue
            known.add(path)
            direct[absolute] = stat
            found.append(File(path, absolute, media_type(path), None, stat[2], None, absolute))
        return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
