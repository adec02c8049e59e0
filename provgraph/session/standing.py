"""``status``: how a project stands, and what to do next."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provgraph.errors import ProvGraphError, StoreError
from provgraph.graph.reader import ActivityFilter, GraphReader
from provgraph.queries.history import history
from provgraph.session.pending import spooled, start_of

if TYPE_CHECKING:
    from provgraph.session.opened import Opened
    from provgraph.stores import EmbeddedStore

_NEWEST = 200


@dataclass(frozen=True, slots=True)
class Status:
    """How a project stands. Lists are newest first."""

    root: str
    project: str
    origin: str
    origin_short: str
    activities: int
    versions: int
    commits: int
    """Those of the versions that are git commits, with who made them."""
    git: dict[str, Any] | None
    """The repository: ``commit``, ``branch``, ``recorded`` (whether that commit is a version here), ``hooks``
    (``recording``, ``partly``, ``absent``, ``outdated``, ``bypassed``); None outside of one."""
    last: dict[str, Any] | None
    """The newest command, as a row of the log."""
    unrecorded: tuple[dict[str, Any], ...]
    """Unrecorded changes since the newest command, as rows of the log."""
    running: tuple[str, ...]
    pending: int
    """Commands that have ended and are not yet ingested."""
    failures: tuple[str, ...]
    clones: tuple[dict[str, Any], ...]
    """The other clones that events were pulled from, by their short names."""
    remotes: tuple[dict[str, Any], ...]
    """The teams' servers and how far behind they are, as in ``provgraph/remotes/1``; none of them was asked."""
    next: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/status/1``."""
        document: dict[str, Any] = {"schema": "provgraph/status/1"}
        for key in self.__slots__:
            value = getattr(self, key)
            document[key] = list(value) if isinstance(value, tuple) else value
        return document


def status(project: "Opened") -> Status:
    """How ``project`` stands. Changes that nobody captured are journaled now. Cost: one lstat for each known file."""
    from provgraph.session.ingester import notice

    project.settle_pending()
    notes = list(project.notes)
    try:
        notice(project.root)
    except (StoreError, OSError) as error:  # a disk that is full or read-only
        notes.append(f"unrecorded changes were not looked for, since they cannot be recorded: {error}")
    store = project.store()
    reader = store.reader
    lying = list(spooled(project.root))
    running = [item.command for item in lying if not item.closed]
    last, unrecorded = _recent(reader)
    notes += _failed_ingestors(reader)
    labels = reader.labels()
    activities = labels.get("Command", 0)
    git = _git(project.root, store)
    remotes = [remote.to_json() for remote in project.remotes.list()]
    if not store.trusted:
        from provgraph.session.interpreting.ingesting import left_alone_note

        notes += left_alone_note(store)
    if remotes and not store.trusted:
        notes.append(
            "the configuration is not trusted, so nothing is sent: look at .provdb/config.toml, "
            f"then type `provdb trust {project.root}`"
        )
    return Status(
        root=project.root,
        project=store.project,
        origin=store.origin,
        origin_short=short_origin(store.origin),
        activities=activities,
        versions=labels.get("Version", 0),
        commits=labels.get("Commit", 0),
        git=git,
        last=last,
        unrecorded=tuple(unrecorded),
        running=tuple(running),
        pending=len(lying) - len(running),
        failures=tuple(failures(project.root)),
        clones=tuple(_clones(store)),
        remotes=tuple(remotes),
        next=(*_next(activities, unrecorded, reader), *_to_hook(activities, git), *_to_send(remotes)),
        notes=tuple(notes),
    )


def _git(root: str, store: "EmbeddedStore") -> dict[str, Any] | None:
    from provgraph.client.surroundings import git_state
    from provgraph.session.git_hooks import status as hooks_of

    state = git_state(root)
    if state is None:
        return None
    commit = state.get("head")
    try:
        states = {hook.state for hook in hooks_of(root, submodules=False).repositories[0].hooks}
    except ProvGraphError:  # no git here, or a repository of somebody else's
        states = {"absent"}
    return {
        "commit": commit,
        "branch": state.get("branch"),
        "recorded": commit is not None and store.reader.vertex(store.namespace.commit(str(commit))) is not None,
        "hooks": states.pop() if len(states) == 1 else "partly",
    }


def _to_hook(activities: int, git: dict[str, Any] | None) -> list[str]:
    if not activities or git is None or git["hooks"] == "recording" or git["recorded"]:
        return []
    return ["provdb git-hooks install  records commits, checkouts and merges from then on"]


def short_origin(origin: str) -> str:
    """The short name of a clone: the end of its uid, where chance is; the beginning is time."""
    return origin[-6:]


def _recent(reader: GraphReader) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    newest = reader.nth_activity(1)
    last = None
    if newest is not None:
        rows = history(reader, ActivityFilter(limit=_NEWEST, own=True)).to_dicts()
        last = next((row for row in rows if row["uid"] == newest.uid), None)
        if last is not None:
            since = last["ended_at"] or last["started_at"]
            rows = [row for row in rows if (row["ended_at"] or "") > since]
    else:
        rows = history(reader, ActivityFilter(limit=_NEWEST, own=True)).to_dicts()
    return last, [row for row in rows if row["state"] == "unrecorded"]


def _failed_ingestors(reader: GraphReader) -> list[str]:
    """What went wrong with the newest command's ingestors: it costs them a record, which somebody should read."""
    newest = reader.nth_activity(1)
    said = () if newest is None else newest.properties.get("ingestors_failed", ())
    return [f"on the newest command, the ingestor {one}" for one in said]


def failures(root: str, most: int = 5) -> list[str]:
    """Commands whose record could not be ingested; what is known of them stays in the spool."""
    folder = os.path.join(root, ".provdb", "spool")
    try:
        names = sorted((name for name in os.listdir(folder) if name.endswith(".failed")), reverse=True)
    except OSError:
        return []
    found = []
    for name in names[:most]:
        try:
            with open(os.path.join(folder, name), "rb") as file:
                found.append(f"{start_of(file.readline())[0]}  ({name})")
        except OSError:
            continue
    if len(names) > most:
        found.append(f"… and {len(names) - most} more")
    return found


def _next(activities: int, unrecorded: list[dict[str, Any]], reader: GraphReader) -> list[str]:
    if not activities:
        return ["provdb COMMAND…  runs a command and records it"]
    said = []
    if unrecorded and unrecorded[0]["changed"]:
        said.append(f"provdb show {_quoted(unrecorded[0]['changed'][0])}  shows what is known of the change")
    newest = reader.nth_activity(1)
    made = []
    if newest is not None:
        sources = [e.source for e in reader.edges_of(newest.uid, 2000) if e.type == "wasGeneratedBy"]
        made = [v.properties["path"] for v in reader.vertices(sources[:50]) if "path" in v.properties]
        made.sort(key=lambda path: (path.startswith("/"), path))
    said.append(f"provdb lineage {_quoted(made[0])}" if made else "provdb log  lists what was recorded")
    return said


def _clones(store: "EmbeddedStore") -> list[dict[str, Any]]:
    clones, lasts = store.clones(), store.journal.lasts()
    return [
        {"short": clones.names[origin], "origin": origin, "host": clones.hosts.get(origin), "events": lasts[origin]}
        for origin in sorted(lasts, key=lambda origin: clones.names[origin])
        if origin not in clones.own
    ]


def _to_send(remotes: list[dict[str, Any]]) -> list[str]:
    behind = [remote for remote in remotes if remote["unsent"] and not (remote["push"] and not remote["failure"])]
    return [f"provdb push {remote['name']}  sends {remote['unsent']:,} new events" for remote in behind]


def _quoted(path: str) -> str:
    import shlex

    return shlex.quote(f"./{path}" if path.startswith(("%", "-", "agent:")) else path)
