"""What a purge makes of one event's body: a pure rewriting, after which the event is the same one with less in it.

The places of vertices and edges, labels, relations, times and numbers stay, so the uids that follow from them do too.
Only a uid that is itself a digest of what goes (of a path, of an e-mail address) is replaced by a fresh one.
"""

import base64
import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.events import Event
from provgraph.model import members as member_chunks
from provgraph.model.identity import Namespace, uuid7
from provgraph.model.vocabulary import PROPERTIES

GONE: Final = "***"
PURGED: Final = "purged"
"""What ``content`` says of a snapshot whose bytes were forgotten."""
KIND: Final = "content.purged"

_TEXTS: Final = frozenset({
    "name", "command", "argv", "utility", "options", "operands", "cwd", "host", "path", "email", "message",
    "purged_by",
})  # fmt: skip
"""Properties of the base that hold what people wrote; all others are ours, and no pattern touches them."""
_OURS: Final = (frozenset(PROPERTIES) - _TEXTS) | {
    "number", "whole", "element", "interrupted", "capture_lost_at", "scratch_files", "intermediate_writes", "same_as",
}  # fmt: skip
_KEPT_OF_ENTITIES: Final = frozenset({
    "path", "path_bytes", "sequence", "created_at", "mode", "media_type", "kind", "commit", "activity", "removed",
    "restorable", "content", "files_changed", "files_unrecorded", "purged_at", "purged_by",
})  # fmt: skip
_KEPT_OF_ACTIVITIES: Final = frozenset({
    "name", "number", "whole", "element", "commit", "utility", "cwd", "host", "capture", "capture_lost_at",
    "started_at", "ended_at", "duration_s", "cpu_s", "max_rss_bytes", "exit_status", "interrupted", "scratch_files",
    "intermediate_writes", "git_commit", "git_branch", "git_dirty", "purged_at", "purged_by",
})  # fmt: skip
_KEPT_OF_AGENTS: Final = frozenset({"name", "same_as", "purged_at", "purged_by"})
_KEPT_OF_EDGES: Final = frozenset({"at", "role", "operand", "activity", "missing", "prov_type", "parent"})
_OUR_FACTS: Final = frozenset({
    "spool", "project", "origin", "forked_from", "source", "t", "closed", "what", "vertex", "commit", "pairs",
    "ingestor", "version", "activity", "moment", "supersedes",
})  # fmt: skip
_SAID_BY_INGESTORS: Final = frozenset({"failed", "yielded", "given_back", "records"})
"""Facts that go with the activity that they are about."""
_REMEMBERED: Final = 200_000
"""Texts from which nothing goes: so many are remembered."""
_UID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FRESH: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")

Substitution = tuple[re.Pattern[str], str]


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to go.

    Attributes:
        what: ``vertex``, ``pattern`` or ``agent``: said in the tombstone, which never says more of it.
        substitutions: what is replaced in every text, and by what.
        digests: SHA-256 of contents whose bytes and digests go.
        contents: uids of entities (snapshots, mostly) of which only the place in the graph stays.
        activities: uids of activities of which only the time, the end and the place in the graph stay.
        agents: uid → pseudonym, of people of whom nothing else stays.
        renamed: uid → fresh uid, known from the beginning: people whose uid is a digest of their address.
        hosts: uid of an activity → what its machine is called from now on.
    """

    what: str
    substitutions: tuple[Substitution, ...] = ()
    digests: frozenset[str] = frozenset()
    contents: frozenset[str] = frozenset()
    activities: frozenset[str] = frozenset()
    agents: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)

    def text(self, value: str) -> str:
        """A text without what goes."""
        for pattern, replacement in self.substitutions:
            value = pattern.sub(lambda found, by=replacement: by if found[0] else "", value)  # type: ignore[misc]
        return value

    def anything(self, value: Any) -> Any:
        """Any JSON value without what goes, keys too; uids stay."""
        return _walk(value, lambda text: text if _UID.fullmatch(text) else self.text(text))


def _walk(value: Any, text: Callable[[str], str]) -> Any:
    """A JSON value with every text in it, keys too, as ``text`` gives it; a number goes if all of it does."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list | tuple):
        return [_walk(item, text) for item in value]
    if isinstance(value, dict):
        return _unique((text(key), _walk(item, text)) for key, item in value.items())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return GONE if text(str(value)) == GONE else value
    return value


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Pairs as a dict; a key that has become that of another gets a number."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        name, number = key, 2
        while name in found:
            name, number = f"{key}_{number}", number + 1
        found[name] = value
    return found


class Rewriter:
    """Rewrites the bodies of events, one after the other.

    Parameters:
        removal: what goes.
        namespace: the project's uids.

    Attributes:
        renamed: uids that were digests of what went → fresh ones; complete when every event has passed once.
        vertices: uids (the old ones) of the vertices that lost something themselves.
        moved: of these, the snapshots whose path is another one now.
        keys: how often something went from a property, by its key.
    """

    def __init__(self, removal: Removal, namespace: Namespace) -> None:
        self.removal, self.namespace = removal, namespace
        self.renamed: dict[str, str] = dict(removal.renamed)
        self.vertices: dict[str, None] = {}
        self.moved: set[str] = set()
        self.keys: Counter[str] = Counter()
        self._named = {*removal.agents, *removal.activities, *removal.contents, *removal.hosts}
        self._clean: set[str] = set()

    def body(self, event: Event) -> dict[str, Any] | None:
        """The body without what goes; None where nothing does."""
        old = event.body
        uids = _Uids(event, self.namespace)
        new: dict[str, Any] = {}
        for part, rewritten in (("vertices", self._vertex), ("edges", self._edge), ("set", self._set)):
            if part in old:
                new[part] = [rewritten(row, place, uids) for place, row in enumerate(old[part])]
        if "facts" in old:
            new["facts"] = self._facts(event.kind, old["facts"], uids)
        return None if new == old else new

    def _text(self, value: str) -> str:
        """A text without what goes; a uid as it is now. Most come again and again, and nothing goes from them."""
        if value in self._clean:
            return value
        new = self.uid(value) if _UID.fullmatch(value) else self.removal.text(value)
        if new == value and len(self._clean) < _REMEMBERED:
            self._clean.add(value)
        return new

    def uid(self, uid: str) -> str:
        """What a uid is now."""
        return self.renamed.get(uid, uid)

    def _vertex(self, row: list[Any], place: int, uids: "_Uids") -> list[Any]:
        labels, old = row[0], row[1]
        uid = uids[place] if self._named else ""
        new = self._properties(uid, labels, old)
        if new != old:
            uid = uids[place]
            if len(row) > 2 and uid not in self.renamed and _identity(labels, new) != _identity(labels, old):
                self.renamed[uid] = uuid7()
                self._clean.discard(uid)
            self._lost(uid, old, new)
        return [labels, new, self.uid(row[2])] if len(row) > 2 else [labels, new]

    def _set(self, row: list[Any], _place: int, _uids: "_Uids") -> list[Any]:
        uid, old = row
        new = self._properties(uid, (), old)
        if new != old:
            self._lost(uid, old, new)
        return [self.uid(uid), new]

    def _lost(self, uid: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self.vertices[uid] = None
        if old.get("path") != new.get("path"):
            self.moved.add(uid)
        self._count(old, new)

    def _count(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self.keys.update(self.removal.text(key) for key, value in old.items() if key not in new or new[key] != value)

    def _properties(self, uid: str, labels: Iterable[str], old: dict[str, Any]) -> dict[str, Any]:
        """A vertex's properties without what goes, or of a change to them (which has no labels)."""
        removal, new = self.removal, old
        if uid in removal.agents:
            new = {key: value for key, value in old.items() if key in _KEPT_OF_AGENTS}
            if "name" in new or labels:
                new["name"] = removal.agents[uid]
        elif uid in removal.activities:
            new = {key: value for key, value in old.items() if key in _KEPT_OF_ACTIVITIES}
            if "name" in new:
                new["name"] = f"forgotten #{old['number']}" if "number" in old else "forgotten"
        elif uid in removal.contents or (removal.digests and str(old.get("sha256")) in removal.digests):
            new = {key: value for key, value in old.items() if key in _KEPT_OF_ENTITIES}
            if "Snapshot" in labels or "sha256" in old:
                new["content"] = PURGED
            if "restorable" in new:
                new["restorable"] = False
        if uid in removal.hosts and "host" in new:
            new = {**new, "host": removal.hosts[uid]}
        return self._texts(new)

    def _texts(self, old: Mapping[str, Any]) -> dict[str, Any]:
        """Properties of a vertex or an edge with every text looked at."""
        pairs = [(self._key(key), self._value(key, value)) for key, value in old.items()]
        new = dict(pairs)
        if len(new) < len(pairs):
            new = _unique(pairs)
        argv = old.get("argv")
        if isinstance(argv, list) and new.get("argv") != argv and old.get("command") == shlex.join(map(str, argv)):
            marks = sum(str(word).count(GONE) for word in new["argv"]) - sum(str(word).count(GONE) for word in argv)
            if str(new["command"]).count(GONE) - str(old["command"]).count(GONE) < marks:
                new["command"] = shlex.join(map(str, new["argv"]))  # the shell's quoting had hidden it
        return new

    def _key(self, key: str) -> str:
        return key if key in _OURS or key in _TEXTS else self._text(key)

    def _value(self, key: str, value: Any) -> Any:
        if key in _OURS:
            return self.uid(value) if isinstance(value, str) else value
        if not isinstance(value, str):
            return _walk(value, self._text)
        if key == "path_bytes":
            return self._encoded_path(value)
        return self._json(value) if key.endswith("_json") else self._text(value)

    def _encoded_path(self, value: str) -> str:
        try:
            old = base64.b64decode(value, validate=True).decode("utf-8", "surrogateescape")
        except ValueError:
            return self._text(value)
        new = self._text(old)
        return value if new == old else base64.b64encode(new.encode("utf-8", "surrogateescape")).decode("ascii")

    def _json(self, value: str) -> str:
        try:
            old = json.loads(value)
        except ValueError:
            return self._text(value)
        new = _walk(old, self._text)
        return value if new == old else json.dumps(new)

    def _edge(self, row: list[Any], _place: int, uids: "_Uids") -> list[Any]:
        ends = [end if isinstance(end, int) else self.uid(end) for end in row[1:3]]
        if len(row) < 4:
            return [row[0], *ends]
        old = new = row[3]
        contents, said_of = self.removal.contents, old.get("activity")
        lost = bool(contents) and not contents.isdisjoint(
            uids[end] if isinstance(end, int) else end for end in row[1:3]
        )
        if lost or said_of in self.removal.activities:
            new = {key: value for key, value in old.items() if key in _KEPT_OF_EDGES}
        new = self._texts(new)
        if new != old:
            self._count(old, new)
        return [row[0], *ends, new]

    def _facts(self, kind: str, old: Mapping[str, Any], uids: "_Uids") -> dict[str, Any]:
        if kind == KIND:  # numbers and digests of another purge; who did it is the only text
            return {key: self._text(value) if key == "by" else value for key, value in old.items()}
        pairs: list[tuple[str, Any]] = []
        forgotten = old.get("activity") in self.removal.activities
        for key, value in old.items():
            if forgotten and key in _SAID_BY_INGESTORS:
                continue
            if key == "members":
                pairs.append((key, [self._members(row, uids) for row in value]))
            elif key == "series" and isinstance(value, list):
                pairs.append((key, [row for old_row in value for row in self._series(old_row)]))
            elif key in _OUR_FACTS:
                pairs.append((key, self.uid(value) if isinstance(value, str) else value))
            else:
                pairs.append((self._text(key), _walk(value, self._text)))
        return _unique(pairs)

    def _members(self, row: dict[str, Any], uids: "_Uids") -> dict[str, Any]:
        """The members of a collection without names and digests that go."""
        vertex = uids[row["vertex"]] if isinstance(row["vertex"], int) else row["vertex"]
        folder = str(uids.properties(vertex).get("path", "")).rstrip("/")
        prefix = "" if folder in ("", ".") else f"{folder}/"
        all_digests = vertex in self.removal.contents
        new: dict[str, tuple[str | None, int]] = {}
        old = list(member_chunks.decode(row["chunk"]))
        for path, sha256, size in old:
            name = self._member(prefix, path)
            while name in new:
                name += "_"
            keeps = not all_digests and sha256 not in self.removal.digests
            new[name] = (sha256 if keeps else None, size)
        found = sorted((path, sha256, size) for path, (sha256, size) in new.items())
        chunk = row["chunk"] if found == old else member_chunks.encode(found)
        named = row["vertex"] if isinstance(row["vertex"], int) else self.uid(vertex)
        if found != old:
            self.vertices[vertex] = None
            self.keys["members"] += 1
        return {**row, "vertex": named, "chunk": chunk}

    def _series(self, row: Any) -> Iterator[Any]:
        """Points of a series: gone with what they were logged for; else only names are texts."""
        if not isinstance(row, dict) or not isinstance(row.get("vertex"), str):
            yield _walk(row, self._text)
            return
        vertex = row["vertex"]
        if vertex in self.removal.activities or vertex in self.removal.contents:
            self.vertices[vertex] = None
            self.keys["series"] += 1
            return
        named = {key: self._text(row[key]) for key in ("name", "by") if isinstance(row.get(key), str)}
        yield {**row, **named, "vertex": self.uid(vertex)}

    def _member(self, prefix: str, path: str) -> str:
        """A member's path; what goes may reach from its folder's name into its own."""
        whole, folder = self.removal.text(prefix + path), self.removal.text(prefix)
        return whole[len(folder) :] if whole.startswith(folder) else self.removal.text(path)


class _Uids:
    """The uids of an event's vertices, as they were, by place; made when they are asked for."""

    def __init__(self, event: Event, namespace: Namespace) -> None:
        self._event, self._namespace = event, namespace
        self._rows = event.body.get("vertices", ())

    def __getitem__(self, place: int) -> str:
        row = self._rows[place]
        return row[2] if len(row) > 2 else self._namespace.vertex(self._event.origin, self._event.origin_seq, place)

    def properties(self, uid: str) -> Mapping[str, Any]:
        """The properties of a vertex of this event; none where it is another's."""
        return next((row[1] for place, row in enumerate(self._rows) if self[place] == uid), {})


def _identity(labels: Iterable[str], properties: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the uid of a vertex is a digest of (semantics rule 23), where an event gives it one."""
    key = "path" if "Artifact" in labels else "email" if "Agent" in labels else "commit"
    return properties.get(key), properties.get("path_bytes")


def digests_in(body: Mapping[str, Any]) -> set[str]:
    """The SHA-256 of contents that a body names: of snapshots and of members of collections."""
    rows = [row[1] for part in ("vertices", "set") for row in body.get(part, ())]
    found = {row["sha256"] for row in rows if isinstance(row.get("sha256"), str)}
    for row in body.get("facts", {}).get("members", ()):
        found |= {sha256 for _, sha256, _ in member_chunks.decode(row["chunk"]) if sha256}
    return found


def merged(mine: Any, given: Any) -> Any:
    """What two purges of the same value leave, made apart from each other: nothing that either of them took away."""
    if isinstance(mine, dict) and isinstance(given, dict):
        both = {key: _merged_value(key, mine[key], value) for key, value in given.items() if key in mine}
        return both | ({"content": PURGED} if mine.get("content") == PURGED else {})
    if isinstance(mine, list) and isinstance(given, list) and len(mine) == len(given):
        return [merged(*pair) for pair in zip(mine, given, strict=True)]
    if mine == given or not isinstance(mine, str):
        return given
    if not isinstance(given, str):
        return mine
    if _UID.fullmatch(given):  # a fresh uid stands for one that was a digest of what went
        return mine if _FRESH.fullmatch(mine) and not _FRESH.fullmatch(given) else given
    if _further(mine, given):
        return given
    return mine if _further(given, mine) else GONE


def _merged_value(key: str, mine: Any, given: Any) -> Any:
    if key == "chunk":
        return _merged_members(list(member_chunks.decode(mine)), list(member_chunks.decode(given)))
    if key == "series" and isinstance(mine, list) and isinstance(given, list):
        return _merged_series(mine, given)
    if key == "path_bytes" and mine != given:
        both = (base64.b64decode(value).decode("utf-8", "surrogateescape") for value in (mine, given))
        return base64.b64encode(merged(*both).encode("utf-8", "surrogateescape")).decode("ascii")
    return merged(mine, given)


def _merged_series(mine: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """The points that neither purge took away."""
    left = [*mine]
    found = []
    for row in given:
        same = next((one for one in left if _points_in(one) == _points_in(row)), None)
        if same is not None:
            left.remove(same)
            found.append(merged(same, row))
    return found


def _points_in(row: Any) -> Any:
    return [row.get(key) for key in ("first", "steps", "values", "times")] if isinstance(row, dict) else row


def _merged_members(mine: Sequence[member_chunks.Member], given: Sequence[member_chunks.Member]) -> str:
    """The members of a collection. Those of which neither took the name are the same, the others follow in order."""
    kept, names = {sha256 for _, sha256, _ in mine}, {path for path, _, _ in given}
    others = iter([path for path, _, _ in mine if path not in names])
    same = {path for path, _, _ in mine}
    rows: dict[str, tuple[str | None, int]] = {}
    for path, sha256, size in given:
        name = path if path in same else merged(next(others, GONE), path)
        while name in rows:
            name += "_"
        rows[name] = (sha256 if sha256 in kept else None, size)
    return member_chunks.encode((path, *rest) for path, rest in rows.items())


def _further(one: str, other: str) -> bool:
    """Whether ``other`` is ``one`` with more replaced."""
    return re.fullmatch(".*".join(map(re.escape, other.split(GONE))), one, re.DOTALL) is not None
