"""Many files as one Collection (semantics rule 17)."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from provgraph.events.ports import Stat
from provgraph.ingest.lookup import Gather, Lookup, Notice, iso, snap_of
from provgraph.ingest.settle import Settler
from provgraph.ingest.state import Act, Snap
from provgraph.model.members import Member, digest


def groups(paths: Iterable[str], threshold: int) -> dict[str, list[str]]:
    """Folders below which more than ``threshold`` of the paths lie, each with those paths.

    From the top, descend while one child holds over nine tenths of the files; repeat with the files left over.
    """
    found: dict[str, list[str]] = {}
    left = sorted(paths)
    while len(left) > threshold:
        folder, below = "/", left
        while True:
            start = len(folder)
            children = Counter(path[start : path.find("/", start)] for path in below if path.find("/", start) >= 0)
            if not children:
                break
            child, count = min(children.items(), key=lambda item: (-item[1], item[0]))
            if count * 10 <= len(below) * 9:
                break
            folder = f"{folder}{child}/"
            below = [path for path in below if path.startswith(folder)]
        if len(below) <= threshold:
            break
        found[folder.rstrip("/") or "/"] = below
        taken = set(below)
        left = [path for path in left if path not in taken]
    return found


class Collector:
    """Turns what one activity did to many files into one snapshot a folder."""

    def __init__(self, lookup: Lookup, settler: Settler, threshold: int) -> None:
        self.lookup, self.settler, self.threshold = lookup, settler, threshold
        settler.before_split = self.read

    def read(self, act: Act) -> Act:
        """Take the reads of folders of which many files were read; the others stay deferred."""
        if len(act.deferred) <= self.threshold:
            return act
        places = self.lookup.places
        for inside in (True, False):
            paths = [path for path in act.deferred if places.inside(path) is inside]
            for folder, below in groups(paths, self.threshold).items():
                if below[0] not in act.deferred:
                    continue  # taken already, when the one before this split the activity
                first_t = min(act.deferred[path][0] for path in below)
                states = {path: self.settler.take_deferred(act, path)[1] for path in below}
                snap = self._met(act, folder, states, first_t)
                act = self.settler.use(act, snap, first_t)
        return act

    def generated(self, act: Act, final: dict[str, Stat], t: int) -> dict[str, Stat]:
        """Take the writes of folders of which many files were written; the others are returned."""
        if len(final) <= self.threshold:
            return final
        left = dict(final)
        for folder, below in groups(final, self.threshold).items():
            members = [self._member(folder, path, final[path]) for path in below]
            snap = self._snapshot(folder, members, iso(act.wall_ns(t)), dataset=False)
            snap.generator = act
            previous = self.lookup.current(snap.path)
            if previous is not None:
                act.derived.append((snap, previous, {"prov_type": "Revision"}))
            source = self._renamed_from(act, below)
            act.generated.append((snap, t, "", None))
            act.own.add(id(snap))
            self.lookup.set_current(snap)
            self.lookup.log.entries.append((act, snap))
            if source is not None:
                act.derived.append((snap, source, {"prov_type": "Rename"}))
            for path in below:
                del left[path]
        return left

    def deleted(self, act: Act) -> None:
        """Fold the deletes of a folder's many files into one invalidated collection."""
        if len(act.deleted) <= self.threshold:
            return
        for folder, below in groups(act.deleted, self.threshold).items():
            self._fold(act, folder, below)

    def _fold(self, act: Act, folder: str, below: list[str]) -> Snap:
        gone = {path: act.deleted.pop(path) for path in below}
        t = min(t for _, t in gone.values())
        inside = folder.rstrip("/") + "/"
        members = [(path[len(inside) :], snap.sha256, snap.size or 0) for path, (snap, _) in gone.items()]
        name = self._name(folder)
        snap = self.lookup.current(name)
        if snap is None or snap.invalidated or snap.sha256 is None or snap.sha256 != digest(members):
            snap = self._snapshot(folder, members, iso(act.wall_ns(t)), dataset=False)
            since = self._unlog({id(state) for state, _ in gone.values() if not state.uid and not state.generated})
            sources = [state for state, _ in gone.values() if state.uid and state.generated]
            self._bring(act, snap, sources, since)
        moved = any(write.renamed_from in {state for state, _ in gone.values()} for write in act.writes.values())
        for state, _ in gone.values():
            if moved:
                act.used.pop(id(state), None)
        if moved:
            self.settler.use(act, snap, t)
        snap.invalidated = True
        act.deleted[folder] = (snap, t)
        return snap

    def _renamed_from(self, act: Act, below: list[str]) -> Snap | None:
        sources = [w.renamed_from for path in below if (w := act.writes.get(path)) is not None and w.renamed_from]
        if len(sources) != len(below):
            return None
        paths = {self.lookup.places.absolute(snap.path) for snap in sources}
        for folder, (snap, _) in act.deleted.items():
            if snap.members is not None and all(path.startswith(folder.rstrip("/") + "/") for path in paths):
                return snap
        return None

    def _bring(self, act: Act, snap: Snap, sources: list[Snap], since: str | None) -> None:
        """Enter a collection that was met: gathered from what is recorded, else come unseen, else of unknown origin."""
        self.lookup.set_current(snap)
        if since is not None and not sources:
            self.lookup.log.entries.append(Notice(None, snap, since, snap.created_at))
            act.noticed.append(snap)
            return
        act.first_seen.append(snap)
        self.lookup.log.entries.append((act, snap))
        if sources:
            self.lookup.log.entries.append(Gather(snap, sources, snap.created_at))

    def _unlog(self, ids: set[int]) -> str | None:
        """Take single states back that one collection stands for, as long as nothing is journaled.

        Returns:
            Since when the first of those that came unseen may have been there; None where none did.
        """
        entries = self.lookup.log.entries
        taken = [entry for entry in entries if id(_brought(entry)) in ids]
        for act in {entry[0] for entry in taken if isinstance(entry, tuple)}:
            act.first_seen = [snap for snap in act.first_seen if id(snap) not in ids]
        for act in self.lookup.running.values():
            act.noticed = [snap for snap in act.noticed if id(snap) not in ids]
        entries[:] = [entry for entry in entries if id(_brought(entry)) not in ids]
        return min((entry.since for entry in taken if isinstance(entry, Notice)), default=None)

    def _met(self, act: Act, folder: str, states: dict[str, Stat], t: int) -> Snap:
        """The snapshot of a folder whose files were met in these states."""
        members = [self._member(folder, path, stat) for path, stat in sorted(states.items())]
        name, whole = self._name(folder), digest(members)
        current = self.lookup.current(name)
        if whole is not None and current is not None and not current.invalidated and current.sha256 == whole:
            return current
        snap = self._snapshot(folder, members, iso(act.wall_ns(t)), dataset=True)
        path = min(states)
        self._bring(act, snap, self._sources(folder, members), self.lookup.appeared(path, states[path]))
        return snap

    def _sources(self, folder: str, members: list[Member]) -> list[Snap]:
        """What is recorded of the generation of a collection's members: collections and single snapshots."""
        places = self.lookup.places
        inside = folder.rstrip("/") + "/"
        wanted = {places.name(inside + relative): sha256 for relative, sha256, _ in members}
        found: list[Snap] = []
        for known in self.lookup.knowledge.known_below(places.name(folder)):
            if known.path in wanted and known.sha256 == wanted[known.path] and known.generator:
                found.append(self.lookup.current(known.path) or snap_of(known))
                del wanted[known.path]
        for known in self.lookup.knowledge.collections_near(places.name(folder)):
            if known.generator is None:
                continue
            if any(wanted.get(path, "") == sha256 for path, sha256 in self.lookup.knowledge.members(known.uid)):
                snap = self.lookup.current(known.path)
                found.append(snap if snap is not None and snap.uid == known.uid else snap_of(known))
        return found

    def _member(self, folder: str, path: str, stat: Stat) -> Member:
        sha256, _ = self.lookup.contents.read(path, stat, keep=False)
        return path[len(folder.rstrip("/")) + 1 :], sha256, stat[2]

    def _name(self, folder: str) -> str:
        return self.lookup.places.name(folder) if folder != self.lookup.places.root else "."

    def _snapshot(self, folder: str, members: list[Member], at: str, *, dataset: bool) -> Snap:
        name = self._name(folder)
        previous = self.lookup.current(name)
        properties: dict[str, Any] = self.lookup.places.properties(folder) if name != "." else {"path": "."}
        properties["members_count"] = len(members)
        whole = digest(members)
        return Snap(
            path=name,
            artifact=self.lookup.places.artifact(folder) if name != "." else self.lookup.places.namespace.artifact("."),
            sequence=1 if previous is None else previous.sequence + 1,
            sha256=whole,
            size=sum(size for _, _, size in members),
            mode=None,
            stat=None,
            seen_at=at,
            created_at=at,
            content=None if whole is not None else "unknown",
            labels=("Collection", "Dataset") if dataset else ("Collection",),
            members=members,
            properties=properties,
        )


def _brought(entry: "Notice | Gather | tuple[Act, Snap]") -> Snap | None:
    """The snapshot that an entry of the log brings."""
    if isinstance(entry, tuple):
        return entry[1]
    return entry.new if isinstance(entry, Notice) else None
