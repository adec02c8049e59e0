"""From what was decided to events: one write transaction, vertices before the edges that name them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from provgraph.events import EventBuilder
from provgraph.events.ports import Batch, JournalPort, KnowledgePort
from provgraph.ingest import said
from provgraph.ingest.describe import Description
from provgraph.ingest.lookup import Gather, Lookup, Notice, iso, restats
from provgraph.ingest.state import Act, Snap
from provgraph.model.members import encode


class Writer:
    """Journals activities, snapshots and versions.

    Parameters:
        describe: the properties and agents of an activity; called once for each part, before it is begun.
    """

    def __init__(
        self, journal: JournalPort, knowledge: KnowledgePort, lookup: Lookup, describe: Callable[[Act], Description]
    ) -> None:
        self.journal, self.knowledge, self.lookup, self.describe = journal, knowledge, lookup, describe
        self._version = ""
        self._agents: dict[str, str] = {}

    def flush(self, acts: Sequence[Act], ended: Sequence[Act]) -> None:
        """Journal all that is pending, atomically.

        Parameters:
            acts: all activities in memory, each part before the next.
            ended: those that have ended; each gets the event of its end and its implicit versions.
        """
        descriptions = {id(act): self.describe(act) for act in acts if not act.begun}
        entries, self.lookup.log.entries = self.lookup.log.entries, []
        fresh: list[Snap] = []
        with self.journal.batch() as batch:
            for act in acts:
                if not act.begun:
                    self._begin(batch, act, descriptions[id(act)])
            for group in _grouped(entries):
                fresh.extend(self._bring(batch, group))
            for act in acts:
                self._progress(batch, act, act in ended)
            self._version_of_notices(batch, [entry for entry in entries if isinstance(entry, Notice)], acts)
            for act in ended:
                self._versions(batch, act)
        current = [snap for snap in fresh if not snap.invalidated and self.lookup.current(snap.path) is snap]
        if current:
            self.knowledge.restat(restats(current), current[-1].seen_at)

    def begin(self, acts: Sequence[Act]) -> None:
        """Journal only that activities have begun."""
        descriptions = {id(act): self.describe(act) for act in acts if not act.begun}
        with self.journal.batch() as batch:
            for act in acts:
                if not act.begun:
                    self._begin(batch, act, descriptions[id(act)])

    def _begin(self, batch: Batch, act: Act, description: Description) -> None:
        started = iso(act.wall_ns(int(act.start["t"])))
        event = batch.event("activity.begun", started)
        event.facts["spool"] = act.spool
        properties = {"started_at": started, **description.properties}
        if act.whole is not None:
            properties["whole"] = act.whole.uid
        act.uid = event.vertex(["Activity", description.label], properties)
        for label, agent, role in description.agents:
            uid = self.agent(event, label, agent)
            event.edge("wasAssociatedWith", act.uid, uid, role=role)
        for earlier in (act.informed_by, act.parent if act.whole is None else None):
            if earlier is not None and earlier.uid:
                event.edge("wasInformedBy", act.uid, earlier.uid)
        act.begun = True

    def agent(self, event: EventBuilder, label: str, properties: dict[str, Any]) -> str:
        """Add an agent's vertex, or find the one that is known; returns its uid."""
        email = properties.get("email")
        if email:
            return event.vertex(["Agent", label], properties, uid=event.namespace.person(str(email)))
        key = f"{label}\0{properties['name']}"
        if key not in self._agents:
            known = self.knowledge.agent(label, str(properties["name"]))
            self._agents[key] = known or event.vertex(["Agent", label], properties)
        return self._agents[key]

    def _bring(self, batch: Batch, group: "Sequence[Notice | Gather | tuple[Act, Snap]]") -> list[Snap]:
        head = group[0]
        if isinstance(head, Notice):
            return self._unseen(batch, head)
        if isinstance(head, Gather):
            self._gathering(batch, head)
            return []
        act = head[0]
        snaps = [entry[1] for entry in group if isinstance(entry, tuple)]
        event = batch.event("activity.progressed", iso(act.wall_ns(int(act.start["t"]))))
        event.facts["spool"] = act.spool
        for snap in snaps:
            self.snapshot(event, snap)
        generations = {id(snap): (t, role) for snap, t, role, _ in act.generated}
        for snap in snaps:
            if snap.generator is not None:
                t, role = generations.get(id(snap), (int(act.start["t"]), ""))
                event.edge("wasGeneratedBy", snap.uid, act.uid, **self._manner(act, snap, t, role))
            elif snap.generator_uid:
                event.edge("wasGeneratedBy", snap.uid, snap.generator_uid)
        return snaps

    def _manner(self, act: Act, snap: Snap, t: int, role: str) -> dict[str, Any]:
        """When and in what role a file was used or generated, and whether the command line names it."""
        named = self.lookup.places.absolute(snap.path) in act.operands
        return {"at": iso(act.wall_ns(t)), "role": role or None, "operand": named or None}

    def snapshot(self, event: EventBuilder, snap: Snap) -> None:
        """Add a snapshot's vertex, its artifact's where this is the first, and its members."""
        if snap.sequence == 1:
            path: dict[str, Any] = {
                key: snap.properties[key] for key in ("path", "path_bytes") if key in snap.properties
            }
            event.vertex(["Entity", "Artifact"], path, uid=snap.artifact)
        properties = {
            **snap.properties,
            "sha256": snap.sha256,
            "size_bytes": snap.size,
            "mode": snap.mode,
            "sequence": snap.sequence,
            "created_at": snap.created_at,
            "restorable": snap.restorable,
            "content": snap.content,
        }
        snap.uid = event.vertex(["Entity", "Snapshot", *snap.labels], properties)
        event.edge("specializationOf", snap.uid, snap.artifact)
        if snap.members is not None:
            event.facts.setdefault("members", []).append({"vertex": snap.uid, "chunk": encode(snap.members)})
            snap.members = []

    def _unseen(self, batch: Batch, notice: Notice) -> list[Snap]:
        event = batch.event("change.noticed", notice.until)
        if notice.new is not None and notice.new.generator_uid:
            return self._member(event, notice.old, notice.new)
        properties = {
            "name": "unrecorded change",
            "capture": "none",
            "started_at": min(notice.since, notice.until),
            "ended_at": notice.until,
        }
        notice.uid = event.vertex(["Activity", "Unseen"], properties)
        old, new = notice.old, notice.new
        if new is not None:
            self.snapshot(event, new)
            event.edge("wasGeneratedBy", new.uid, notice.uid, at=notice.until)
            new.generator_uid = notice.uid
        if old is not None and old.uid:
            if new is None:
                event.edge("wasInvalidatedBy", old.uid, notice.uid, at=notice.until)
                return []
            event.edge("used", notice.uid, old.uid, at=notice.since)
            event.edge("wasDerivedFrom", new.uid, old.uid, prov_type="Revision", missing=True, activity=notice.uid)
        return [] if new is None else [new]

    def _member(self, event: EventBuilder, old: Snap | None, new: Snap) -> list[Snap]:
        self.snapshot(event, new)
        event.edge("wasGeneratedBy", new.uid, new.generator_uid)
        if old is not None and old.uid:
            event.edge("wasDerivedFrom", new.uid, old.uid, prov_type="Revision", activity=new.generator_uid)
        return [new]

    def _gathering(self, batch: Batch, gather: Gather) -> None:
        event = batch.event("change.noticed", gather.at)
        properties = {
            "name": "gathering",
            "capture": "computed",
            "started_at": gather.at,
            "ended_at": gather.at,
        }
        gather.uid = event.vertex(["Activity", "Gathering"], properties)
        for source in gather.sources:
            event.edge("used", gather.uid, source.uid)
        event.edge("wasGeneratedBy", gather.collection.uid, gather.uid, at=gather.at)
        gather.collection.generator_uid = gather.uid

    def _progress(self, batch: Batch, act: Act, ended: bool) -> None:
        used = [entry for key, entry in act.used.items() if key not in act.used_sent]
        says = act.first.said is not None and act.first.said.pending
        deletes = any(not s.uid for s, _ in act.deleted.values())
        if not (ended or used or act.derived or deletes or says):
            return
        last = act.end or {}
        kind = "activity.progressed" if not ended else "activity.ended" if act.end else "activity.interrupted"
        event = batch.event(kind, iso(int(last["time"])) if "time" in last else iso(act.wall_ns(int(act.start["t"]))))
        event.facts["spool"] = act.spool
        if not act.deferred:
            event.facts["t"] = act.applied_t
        if act.closed:
            event.facts["closed"] = True
        for snap, t, role in used:
            event.edge("used", act.uid, snap.uid, **self._manner(act, snap, t, role))
        act.used_sent.update(act.used)
        for new, old, properties in act.derived:
            if new.uid and old.uid:
                event.edge("wasDerivedFrom", new.uid, old.uid, activity=act.uid, **properties)
        act.derived = []
        for snap, t in act.deleted.values():
            event.edge("wasInvalidatedBy", snap.uid, act.uid, at=iso(act.wall_ns(t)))
        act.removed.extend(snap.path for snap, _ in act.deleted.values() if "Variable" not in snap.labels)
        act.deleted = {}
        said.write(event, act, self.knowledge, ended=ended)
        if ended:
            part: Act | None = act
            while part is not None and part.uid:
                event.set(part.uid, **_end_properties(act))
                part = part.informed_by if part.whole is not None else None

    def _versions(self, batch: Batch, act: Act) -> None:
        """The implicit versions before and after an activity, each as a difference to the one before (rule 6)."""
        before = [snap for snap in (*act.first_seen, *act.noticed) if snap.uid and _is_member(snap)]
        after = [snap for snap, _, _, _ in act.generated if snap.uid and _is_member(snap)]
        removed = [path for path in act.removed if not path.startswith("/")]
        at, uid = iso(int((act.end or act.start)["time"])), act.first.uid
        if before:
            self._make_version(batch, at, before, [], uid)
        if after or removed:
            self._make_version(batch, at, after, removed, uid)
        act.first_seen, act.noticed, act.removed, act.generated = [], [], [], []

    def _version_of_notices(self, batch: Batch, notices: Sequence[Notice], acts: Sequence[Act]) -> None:
        """What was noticed while no activity met it is a version too: a difference to the next one would miss it."""
        met = {id(snap) for act in acts for snap in act.noticed}
        alone = [notice for notice in notices if id(notice.new) not in met and not _outside(notice.new or notice.old)]
        if alone:
            members = [notice.new for notice in alone if notice.new is not None]
            removed = [notice.old.path for notice in alone if notice.new is None and notice.old is not None]
            self._make_version(batch, max(notice.until for notice in alone), members, removed)

    def _make_version(
        self, batch: Batch, at: str, members: Iterable[Snap], removed: list[str], activity: str | None = None
    ) -> None:
        event = batch.event("version.made", at)
        properties: dict[str, Any] = {"kind": "implicit", "created_at": at, "activity": activity}
        if removed:
            properties["removed"] = sorted(set(removed))
        uid = event.vertex(["Entity", "Version"], properties)
        parent = self._version or self.knowledge.newest_version()
        if parent:
            event.edge("wasDerivedFrom", uid, parent, prov_type="Revision")
        newest = {snap.path: snap for snap in members}
        for _, snap in sorted(newest.items()):
            event.edge("hadMember", uid, snap.uid)
        self._version = uid


def _outside(snap: Snap | None) -> bool:
    """Whether a state is none of the project's files: a version does not list it."""
    return snap is None or not _is_member(snap) or "Environment" in snap.labels


def _is_member(snap: Snap) -> bool:
    """Whether a version of the project may hold it: neither what lies outside nor a notebook's variable."""
    return not snap.path.startswith("/") and "Variable" not in snap.labels


def _grouped(
    entries: "Sequence[Notice | Gather | tuple[Act, Snap]]",
) -> "list[list[Notice | Gather | tuple[Act, Snap]]]":
    """Runs of snapshots of one activity together, every other entry alone."""
    groups: list[list[Notice | Gather | tuple[Act, Snap]]] = []
    for entry in entries:
        last = groups[-1][-1] if groups else None
        if isinstance(entry, tuple) and isinstance(last, tuple) and last[0] is entry[0]:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return groups


def _error(end: Mapping[str, Any]) -> dict[str, str]:
    error = end.get("error") or {}
    return {key: error[name] for key, name in (("error_type", "type"), ("error", "message")) if error.get(name)}


def _end_properties(act: Act) -> dict[str, Any]:
    """What the end of a command says about it."""
    end, start = act.end or {}, act.start
    found: dict[str, Any] = {}
    if end.get("record") == "end":
        found = {
            "ended_at": iso(act.wall_ns(int(end["t"]))),
            "exit_status": end.get("exit_status"),
            "duration_s": round((int(end["t"]) - int(start["t"])) / 1e9, 6),
            "cpu_s": end.get("cpu_s"),
            "max_rss_bytes": end.get("max_rss_bytes"),
            **_error(end),
        }
        for stream, kept in (end.get("output") or {}).items():
            found[f"{stream}_json"] = json.dumps(kept)
    else:
        found["interrupted"] = True
    if act.lost_at is not None:
        found["capture_lost_at"] = iso(act.wall_ns(act.lost_at))
    if act.scratch:
        found["scratch_files"] = act.scratch
    if act.intermediate:
        found["intermediate_writes"] = act.intermediate
    if act.gaps:
        found["capture_gaps_json"] = json.dumps(act.gaps)
    if len(act.programs) > 1:
        found["programs_json"] = json.dumps(act.programs)
    return {key: value for key, value in found.items() if value is not None}
