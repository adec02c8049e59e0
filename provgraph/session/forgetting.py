"""``forget``: remove a content, a command's words, a secret or a person for good, leaving a tombstone."""

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import QuestionError, StoreError, UnknownReferenceError
from provgraph.events import Event
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.model.identity import uuid7
from provgraph.session.pending import spooled
from provgraph.stores.purge_bodies import GONE, KIND, Removal, Substitution
from provgraph.stores.purging import Found

if TYPE_CHECKING:
    from provgraph.session.project import Project
    from provgraph.stores import EmbeddedStore
    from provgraph.stores.neo4j import TeamStore

_EMPTY: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_NAMED: Final = 200
"""Vertices that an answer names; of more only the number is told."""
_COPIES: Final = (
    "copies made before still have it: `provdb doctor --backup` files, other clones until they pull, snapshots of the "
    "file system; and so do programs that hold this history open, until they end"
)
_REST_S: Final = 30.0
_HOME: Final = re.compile(r"/(?:home|Users)/([^/\s]+)")

Ask = Callable[["Forgotten"], bool]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What ``forget`` removed, or would remove. Nothing in it says what a pattern was, or who somebody was."""

    what: str
    """``vertex``, ``pattern`` or ``agent``."""
    done: bool
    events: int
    """Events of the history that were rewritten."""
    vertices: int
    names: tuple[str, ...]
    """The first of the vertices that lost something, by name."""
    keys: Mapping[str, int]
    """How often something goes from a property, by its key."""
    contents: int
    """Kept contents that go."""
    freed_bytes: int
    shared: tuple[str, ...] = ()
    """Snapshots that were not named and have the same bytes as one that was: theirs go too."""
    files: tuple[str, ...] = ()
    """Logs and set-aside records that were changed, from the project's root."""
    running: tuple[str, ...] = ()
    """Commands that run now and will bring it back: forget it once more when they have ended."""
    left: tuple[str, ...] = ()
    """Files of the store in which it still stands."""
    on_disk: tuple[str, ...] = ()
    """Files in the project by which the next command that reads them would bring it back."""
    tombstone: str | None = None
    at: str | None = None
    by: str | None = None
    finished: bool = True
    """False where somebody reads, and old bytes leave the disk only when the store is opened next."""
    notes: tuple[str, ...] = field(default=())

    @property
    def anything(self) -> bool:
        """Whether there was something to remove."""
        return bool(self.events or self.contents or self.files)

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/forgotten/1``."""
        document: dict[str, Any] = {"schema": "provgraph/forgotten/1"}
        for key in self.__slots__:
            value = getattr(self, key)
            document[key] = list(value) if isinstance(value, tuple) else dict(value) if key == "keys" else value
        return document


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for."""

    references: tuple[str, ...] = ()
    pattern: str | None = None
    agent: str | None = None
    contents: bool = False


def forget(project: "Project", wanted: Wanted, *, dry_run: bool = False, ask: Ask | None = None) -> Forgotten:
    """Remove for good.

    Parameters:
        dry_run: only say what would go.
        ask: is shown what would go, and says whether it shall; without it, it goes.

    Raises:
        QuestionError: nothing to remove was named, or more than one kind; a pattern that is none; a running command.
        StoreError: somebody else writes the history now.
    """
    _check(wanted)
    project.settle_pending()
    plan = _plan(project, wanted)
    if dry_run or not plan.told.anything or (ask is not None and not ask(plan.told)):
        return plan.told
    with at_rest(project.root):
        plan = _plan(project, wanted)  # what was recorded since is in it
        try:
            return _carry_out(project, plan)
        finally:
            project.close()  # what is in memory is from before


def _check(wanted: Wanted) -> None:
    given = [bool(wanted.references), wanted.pattern is not None, wanted.agent is not None]
    if sum(given) != 1:
        raise QuestionError("name one thing to forget: REF, --pattern REGEX or --agent NAME")
    if wanted.contents and wanted.pattern is None:
        raise QuestionError("--contents goes with --pattern: it is what contents are looked through for")


@dataclass(frozen=True, slots=True)
class _Plan:
    removal: Removal
    contents: bool
    told: Forgotten


def _plan(project: "Project", wanted: Wanted) -> _Plan:
    from provgraph.stores import purge_files, purging

    store = project.store(write=True)
    shared: list[str] = []
    if wanted.pattern is not None:
        removal = Removal("pattern", ((_compiled(wanted.pattern), GONE),))
        if wanted.contents:
            removal, shared = _with_contents(store, removal, purge_files.contents_matching(store, removal), set())
    elif wanted.agent is not None:
        removal = _of_agent(store, wanted.agent)
    else:
        removal, shared = _of_references(project, store, wanted.references)
    found = purging.look(store, removal)
    told = _told(project, store, removal, found, shared)
    files = purge_files.clean_files(store, removal, contents=wanted.contents, dry_run=True)
    return _Plan(removal, wanted.contents, replace(told, files=tuple(files)))


def _told(
    project: "Project", store: "EmbeddedStore", removal: Removal, found: Found, shared: Sequence[str]
) -> Forgotten:
    held = [sha256 for sha256 in removal.digests if sha256 in store.objects]
    vertices = store.reader.vertices(found.vertices[:_NAMED])
    return Forgotten(
        what=removal.what,
        done=False,
        events=found.events,
        vertices=len(found.vertices),
        names=_names(vertices, removal),
        keys=found.keys,
        contents=len(held),
        freed_bytes=sum(store.objects.size_on_disk(sha256) for sha256 in held),
        shared=tuple(shared[:_NAMED]),
        running=tuple(_running(project.root, removal)),
        on_disk=tuple(_on_disk(project, store, removal, found)),
    )


def _names(vertices: Iterable[Vertex], removal: Removal) -> tuple[str, ...]:
    return tuple(sorted(removal.text(display_name(vertex)) for vertex in vertices))


def _carry_out(project: "Project", plan: _Plan) -> Forgotten:
    from provgraph.session.writing import person
    from provgraph.stores import purge_files, purging

    store, removal, told = project.store(write=True), plan.removal, plan.told
    name, email = person(project)
    by = removal.text(name)
    if email is not None and removal.text(email) != email:
        by = next(iter(removal.agents.values()), GONE)
    at = project.now()
    changed = purge_files.clean_files(store, removal, contents=plan.contents)
    done = purging.purge(store, removal, by=by, at=at)
    left = purge_files.still_there(store, removal)
    notes = [_COPIES]
    if project.remotes.config.remotes:
        notes.append("from the team's server it goes with the next `provdb push`")
    if removal.activities:  # as they are called now
        told = replace(told, names=_names(store.reader.vertices(done.found.vertices[:_NAMED]), removal))
    return replace(
        told, done=True, events=done.found.events, files=tuple(changed), left=tuple(left), tombstone=done.tombstone,
        at=at, by=by, finished=done.finished, notes=tuple(notes),
    )  # fmt: skip


# -- what is to go


def _compiled(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        # The pattern itself is not repeated: it may be the secret.
        raise QuestionError(f"the pattern is no regular expression: {error.msg} at position {error.pos}") from None
    if pattern.search("") is not None:
        raise QuestionError("the pattern matches a text in which nothing stands, so it would match everything")
    return pattern


def _of_references(project: "Project", store: "EmbeddedStore", texts: Iterable[str]) -> tuple[Removal, list[str]]:
    from provgraph.queries.references import resolve_all

    found = resolve_all(store.reader, texts, project.places())
    project.notes += found.notes
    contents, activities, digests = set[str](), set[str](), set[str]()
    for vertex in store.reader.vertices(found.uids):
        if "Agent" in vertex.labels:
            raise QuestionError(f"{display_name(vertex)} is an agent; people are forgotten with --agent NAME")
        if "Activity" in vertex.labels:
            activities |= _parts(project.root, store, vertex)
            continue
        for entity in _snapshots_of(store, vertex):
            contents.add(entity.uid)
            digests.update(_digests(store, entity))
    removal = Removal("vertex", contents=frozenset(contents), activities=frozenset(activities))
    return _with_contents(store, removal, digests, contents)


def _with_contents(
    store: "EmbeddedStore", removal: Removal, digests: Iterable[str], asked: set[str]
) -> tuple[Removal, list[str]]:
    """The removal with the bytes of some digests, and the names of the snapshots that have them and were not named."""
    gone = frozenset(digests) - {_EMPTY}
    rows = {row.uid: row for sha256 in sorted(gone) for row in store.reader.snapshots_with_digest(sha256)}
    shared = sorted(removal.text(f"{row.path}@{row.sequence}") for uid, row in rows.items() if uid not in asked)
    return replace(removal, digests=gone, contents=removal.contents | rows.keys()), shared


def _parts(root: str, store: "EmbeddedStore", vertex: Vertex) -> set[str]:
    """The uids of an activity and, where it was split, of all its parts."""
    if "ended_at" not in vertex.properties and any(not item.closed for item in spooled(root)):
        runs = "Command" in vertex.labels and not vertex.properties.get("interrupted")
        if runs:
            raise QuestionError(f"{display_name(vertex)} still runs; forget it when it has ended")
    whole = str(vertex.properties.get("whole", vertex.uid))
    query = "SELECT lower(hex(v.uid)) FROM activity a JOIN vertex v ON v.id = a.vertex WHERE a.whole = ?"
    rows = store.graph.execute(query, (bytes.fromhex(whole.replace("-", "")),))
    return {whole, vertex.uid, *(_dashed(row[0]) for row in rows)}


def _dashed(h: str) -> str:
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def _snapshots_of(store: "EmbeddedStore", vertex: Vertex) -> list[Vertex]:
    """An entity; of an artifact, all its snapshots."""
    if "Artifact" not in vertex.labels:
        return [vertex]
    edges = store.reader.edges_of(vertex.uid)
    return store.reader.vertices([edge.source for edge in edges if edge.type == "specializationOf"])


def _digests(store: "EmbeddedStore", vertex: Vertex) -> Iterator[str]:
    digest = vertex.properties.get("sha256")
    if isinstance(digest, str):
        yield digest
    if "Collection" in vertex.labels:
        yield from (sha256 for _, sha256 in store.reader.members(vertex.uid) if sha256)


def _of_agent(store: "EmbeddedStore", name: str) -> Removal:
    people = [vertex for vertex in store.reader.agents_named(name) if "Person" in vertex.labels]
    if not people:
        raise UnknownReferenceError(f"nobody is called {name!r}; `provdb agents list` shows all names")
    if len(people) > 1:
        shown = tuple(sorted(str(vertex.properties.get("email", vertex.uid)) for vertex in people))
        raise UnknownReferenceError(f"several people are called {name!r}: {', '.join(shown)}; use the address", shown)
    people = _aliases(store, people[0])
    number = _next_number(store)
    pseudonym = f"forgotten-{number}"
    emails = {str(vertex.properties["email"]) for vertex in people if "email" in vertex.properties}
    names = {str(vertex.properties["name"]) for vertex in people if "name" in vertex.properties}
    activities = _activities_of(store, [vertex.uid for vertex in people])
    users = {email.partition("@")[0] for email in emails} | {one.lower() for one in names}
    hosts = _own_hosts(store, activities)
    users |= {user for vertex in activities for user in _HOME.findall(str(vertex.properties.get("cwd", "")))}
    return Removal(
        "agent",
        tuple(_person(emails, names, users, hosts, pseudonym)),
        agents={vertex.uid: pseudonym for vertex in people},
        # Their uids are digests of their addresses: whoever knows an address could tell that it was theirs.
        renamed={vertex.uid: uuid7() for vertex in people if "email" in vertex.properties},
        hosts={vertex.uid: pseudonym for vertex in activities if "host" in vertex.properties},
    )


def _aliases(store: "EmbeddedStore", person: Vertex) -> list[Vertex]:
    """Somebody, with all whom `agents merge` has made the same."""
    from provgraph.stores.marks import merged_agents

    same = merged_agents(store.graph)
    rows = store.graph.execute("SELECT a.vertex, lower(hex(v.uid)) FROM agent a JOIN vertex v ON v.id = a.vertex")
    uids = {id: _dashed(digits) for id, digits in rows}
    return store.reader.vertices({person.uid, *(uids[id] for id, one in same.items() if uids.get(one) == person.uid)})


def _next_number(store: "EmbeddedStore") -> int:
    names = (row[0] for row in store.graph.execute("SELECT name FROM agent WHERE name GLOB 'forgotten-[0-9]*'"))
    numbers = [int(found[1]) for name in names if (found := re.fullmatch(r"forgotten-(\d{1,9})", name))]
    return max(numbers, default=0) + 1


def _activities_of(store: "EmbeddedStore", agents: Sequence[str]) -> list[Vertex]:
    query = (
        "SELECT lower(hex(v.uid)) FROM edge e JOIN vertex a ON a.id = e.target JOIN vertex v ON v.id = e.source "
        "JOIN relation r ON r.id = e.type AND r.name = 'wasAssociatedWith' WHERE a.uid = ?"
    )
    raw = [bytes.fromhex(uid.replace("-", "")) for uid in agents]
    return store.reader.vertices([_dashed(row[0]) for uid in raw for row in store.graph.execute(query, (uid,))])


def _own_hosts(store: "EmbeddedStore", activities: Sequence[Vertex]) -> set[str]:
    """The names of machines on which nobody else ran anything. Cost: a look at every activity."""
    mine = {vertex.properties["host"] for vertex in activities if isinstance(vertex.properties.get("host"), str)}
    own = {vertex.uid for vertex in activities}
    query = (
        "SELECT lower(hex(v.uid)), json_extract(v.properties, '$.host') FROM activity a "
        "JOIN vertex v ON v.id = a.vertex"
    )
    others = {host for uid, host in store.graph.execute(query) if host in mine and _dashed(uid) not in own}
    return mine - others


def _person(
    emails: set[str], names: set[str], users: set[str], hosts: set[str], pseudonym: str
) -> Iterator[Substitution]:
    """By what a person is known in texts. A name of one word may be anything: it goes only where it stands alone."""
    for email in sorted(emails, key=len, reverse=True):
        yield re.compile(rf"(?<![\w.+-]){re.escape(email)}(?![\w-])", re.IGNORECASE), pseudonym
    for name in sorted(names, key=len, reverse=True):
        words = r"\s+".join(map(re.escape, name.split()))
        if words:
            several = len(name.split()) > 1
            yield re.compile(rf"(?<!\w){words}(?!\w)" if several else rf"\A{words}\Z"), pseudonym
    for host in sorted(hosts):
        yield re.compile(rf"\A{re.escape(host)}\Z"), pseudonym
    for user in sorted(users, key=len, reverse=True):
        if user and " " not in user:
            yield re.compile(rf"(?:(?<=/home/)|(?<=/Users/)){re.escape(user)}(?![\w.-])"), pseudonym


# -- what would bring it back


def _running(root: str, removal: Removal) -> Iterator[str]:
    """Commands whose records hold what goes, and which write on."""
    from provgraph.stores.purge_files import in_bytes

    patterns = [in_bytes(pattern) for pattern, _ in removal.substitutions]
    for item in spooled(root):
        with contextlib.suppress(OSError), open(item.path, "rb") as file:
            data = file.read()
            if any(pattern.search(data) for pattern in patterns):
                yield removal.text(item.command)


def _on_disk(project: "Project", store: "EmbeddedStore", removal: Removal, found: Found) -> Iterator[str]:
    """Files that are there now, under a name or with bytes that go."""
    uids = [*found.vertices[:_NAMED], *sorted(removal.contents)[:_NAMED]]
    paths = {str(vertex.properties["path"]) for vertex in store.reader.vertices(uids) if "path" in vertex.properties}
    for path in sorted(paths):
        absolute = path if path.startswith("/") else os.path.join(project.root, path)
        if not os.path.lexists(absolute):
            continue
        if removal.text(path) != path or (removal.digests and project.disk.digest(absolute) in removal.digests):
            yield path


@contextlib.contextmanager
def at_rest(root: str) -> Iterator[None]:
    """Nobody ingests within the block; a running ingester is asked to leave, and comes back afterwards."""
    from provgraph.capture.wake import wake
    from provgraph.session.ingester import LEAVE, ingestion_lock, ring

    deadline = time.monotonic() + _REST_S
    while True:
        with ingestion_lock(root) as held:
            if held:
                yield
                break
        if time.monotonic() > deadline:
            raise StoreError("another process writes this project's history now; try again in a moment")
        ring(root, LEAVE)
        time.sleep(0.05)
    if any(spooled(root)):
        wake(root)


# -- the team's server


def forget_there(store: "EmbeddedStore", team: "TeamStore", events: Iterable[Event]) -> None:
    """Before tombstones are sent: take out of the server what they say was removed."""
    tombstones = [event for event in events if event.kind == KIND]
    if tombstones:
        from provgraph.stores.neo4j.purging import purge

        purge(team, store.journal, tombstones)
