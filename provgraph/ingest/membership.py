"""Which snapshots a commit holds: those whose content is what was committed, as a difference to its first parent."""

import os
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.events import EventBuilder
from provgraph.events.ports import KnowledgePort, Stat
from provgraph.ingest.contents import lstat
from provgraph.ingest.lookup import Lookup
from provgraph.ingest.repository import Change, Commit, Held, Repository
from provgraph.ingest.state import LINK, REGULAR, Act, Snap, file_type

_FILTERED: Final = 100
"""Files of one commit that git is asked for with their filters (line ends, LFS) where the plain bytes differ."""


@dataclass(slots=True)
class Members:
    """What a version adds, changes and removes. Snapshots that are not journaled yet have their uid later."""

    held: list[tuple[Snap | str, dict[str, Any]]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: int | None = None
    """Files that it changed; None where nobody looked."""
    unrecorded: int = 0
    """Files of which no snapshot has the content that was committed."""

    def properties(self) -> dict[str, Any]:
        """What the version's vertex says of them."""
        counts = {"files_changed": self.changed, "files_unrecorded": self.unrecorded or None}
        return {**counts, "removed": sorted(self.removed) or None}

    def write(self, event: EventBuilder, version: str) -> None:
        """Add them to the event that brings the version."""
        for snap, properties in self.held:
            uid = snap if isinstance(snap, str) else snap.uid
            if uid:
                event.edge("hadMember", version, uid, **properties)


class Membership:
    """Finds them.

    Parameters:
        many: of a commit that changes more files, only those that are recorded anyway are looked at.
    """

    def __init__(self, lookup: Lookup, knowledge: KnowledgePort, many: int) -> None:
        self.lookup, self.knowledge, self.many = lookup, knowledge, many

    def of(self, repository: Repository, commit: Commit, act: Act) -> Members:
        """The members of a commit's version.

        A file on disk that nobody has recorded yet and that has the committed content becomes a snapshot by this, as
        if a command had opened it.
        """
        found = Members()
        if commit.shallow:
            return found
        parent = commit.parents[0] if commit.parents else None
        changes = [one for one in repository.changes(commit.id, parent) if self._counts(repository, one)]
        found.changed = len(changes)
        found.removed = [self._name(repository, one) for one in changes if one.blob is None]
        files = [one for one in changes if one.blob is not None]
        if len(files) > self.many:
            known = {known.path for known in self.lookup.knowledge.known_below("")}
            looked_at = [one for one in files if self._name(repository, one) in known]
        else:
            looked_at = files
        held = repository.hold(one.blob for one in looked_at if one.blob is not None)
        missed = []
        for one in looked_at:
            blob = held.get(one.blob or "")
            snap = None if blob is None else self._snapshot(repository, one, blob, act)
            if snap is None:
                missed.append(one)
            else:
                found.held.append((snap, _edge(one, blob)))
        filtered = self._filtered(repository, missed[:_FILTERED], act)
        found.held += filtered
        found.unrecorded = len(files) - len(found.held)
        return found

    def _absolute(self, repository: Repository, change: Change) -> str:
        return os.path.join(repository.top, change.path)

    def _name(self, repository: Repository, change: Change) -> str:
        return self.lookup.places.name(self._absolute(repository, change))

    def _counts(self, repository: Repository, change: Change) -> bool:
        absolute = self._absolute(repository, change)
        return self.lookup.places.inside(absolute) and self.lookup.places.counts(absolute)

    def _snapshot(self, repository: Repository, change: Change, held: Held, act: Act) -> Snap | str | None:
        absolute = self._absolute(repository, change)
        current = self.lookup.current(self._name(repository, change))
        if current is not None and not current.invalidated and current.sha256 == held.sha256:
            return current
        stat = _as_of(act, absolute)
        fits = stat is not None and file_type(stat) in (REGULAR, LINK) and held.size in (None, stat[2])
        if stat is not None and fits and not (current is not None and current.same_file(stat)):
            sha256, _ = self.lookup.contents.read(absolute, stat, keep=self.lookup.keeps(absolute))
            if sha256 == held.sha256:
                return self.lookup.meet(act, absolute, stat, _t(act))
        return self.knowledge.snapshot_with(self._name(repository, change), held.sha256)

    def _filtered(
        self, repository: Repository, missed: list[Change], act: Act
    ) -> list[tuple[Snap | str, dict[str, Any]]]:
        """Those that git keeps in another form than the disk: with other line ends, or as a pointer."""
        there = {self._absolute(repository, one): one for one in missed}
        blobs = repository.as_blobs([path for path in there if os.path.isfile(path) and not os.path.islink(path)])
        found: list[tuple[Snap | str, dict[str, Any]]] = []
        for path, blob in blobs.items():
            stat = _as_of(act, path)
            if blob == there[path].blob and stat is not None:
                snap = self.lookup.meet(act, path, stat, _t(act))
                if snap is not None:
                    found.append((snap, _edge(there[path], None)))
        return found


def _as_of(act: Act, absolute: str) -> Stat | None:
    """How a file is, if it was so already when it was committed, and is to stay so: a rebase writes many a state."""
    stat = None if (act.start.get("about") or {}).get("rebasing") else lstat(absolute)
    return None if stat is None or stat[4] > int((act.end or act.start)["time"]) else stat


def _edge(change: Change, held: Held | None) -> dict[str, Any]:
    """What is worth knowing of a member: git's own name for its content, and whether that is but a pointer."""
    return {"blob": change.blob, "lfs": True if held is not None and held.pointer else None}


def _t(act: Act) -> int:
    return int((act.end or act.start)["t"])
