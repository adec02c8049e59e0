"""``push`` and ``pull``: a project's events, sent to a team's server and taken from it.

Events are the whole truth, so both directions copy events, verbatim, origin by origin, in order: the server is asked
what it has, and gets the rest. Whatever breaks off is taken up where the server's last commit left it; nothing is sent
twice, for a batch says after which event it comes. A server that lost something gets it back from whoever pushes next.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from provgraph.errors import NewerStoreError, ProvGraphError, RemoteError, StoreError
from provgraph.events import Event
from provgraph.events.batches import batches
from provgraph.session.forgetting import forget_there
from provgraph.session.locking import project_lock
from provgraph.session.obeying import Server, obey, refuse_waiting, waiting_note
from provgraph.session.transfers import may_tell_transfers, notice_transfers

if TYPE_CHECKING:
    from provgraph.session.opened import Opened
    from provgraph.stores import EmbeddedStore
    from provgraph.stores.neo4j import TeamStore
    from provgraph.stores.sync_state import SyncState

LOCK: Final = "sync.lock"
LOCK_WAIT_S: Final = 30.0
_TRIES: Final = 20
"""How often somebody else may be faster before that is a mistake."""


class BusyError(StoreError):
    """Another push or pull of the same project does not end."""

    passing = True


Progress = Callable[[int, int], None]
"""Is told how many events are done, of how many."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many events of one origin went over, and the number of the last."""

    origin: str
    events: int
    last: int

    def to_json(self) -> dict[str, Any]:
        """The shape of an origin in ``provgraph/pushed/1`` and ``provgraph/pulled/1``."""
        return {key: getattr(self, key) for key in self.__slots__}


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a ``push`` sent; ``batches`` are transactions at the server, ``unsent`` what came in the meantime."""

    remote: str
    url: str
    project: str
    events: int
    batches: int
    unsent: int
    origins: tuple[Share, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/pushed/1``."""
        return _document("provgraph/pushed/1", self)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a ``pull`` took.

    ``transfers`` counts files here that turned out to be colleagues' results, ``forgotten`` events here out of which
    was taken what a colleague wants to be forgotten.
    """

    remote: str
    url: str
    project: str
    events: int
    transfers: int
    forgotten: int
    origins: tuple[Share, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/pulled/1``."""
        return _document("provgraph/pulled/1", self)


def _document(schema: str, value: Pushed | Pulled) -> dict[str, Any]:
    found = {key: getattr(value, key) for key in value.__slots__}
    return {"schema": schema, **found, "origins": [share.to_json() for share in value.origins], "notes": [*value.notes]}


def push(project: "Opened", name: str | None = None, progress: Progress = lambda _done, _all: None) -> Pushed:
    """Send to a team's server what it lacks.

    Raises:
        RemoteError: it cannot be reached, or refuses; what was committed until then stays.
        TrustError: the configuration is not trusted. QuestionError: there is no such remote.
        BusyError: another push or pull of this project does not end.
    """
    name = project.remotes.chosen(name)
    with remembering(project, name), Pushing(project, name) as pushing:
        return pushing.send_new(progress)


class Pushing:
    """A connection that sends what is new, as often as it is asked to.

    Parameters:
        project: the project; opened for writing.
        name: of a remote that there is.
    """

    def __init__(self, project: "Opened", name: str) -> None:
        self._project, self._name = project, name
        self._entry = project.remotes.config.remotes[project.remotes.chosen(name)]
        self._received: dict[str, int] | None = None
        self._batches = 0
        self._looked: int | None = None
        self._purged_upto = 0
        self._obeyed: Mapping[str, int] = {}
        self._notes: list[str] = []
        self._team: TeamStore = project.remotes.connect(name, write=True)
        try:
            self._team.migrate()
        except BaseException:
            self._team.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._team.close()

    def send_new(self, progress: Progress = lambda _done, _all: None) -> Pushed:
        """Send what the server lacks. Of several processes that would do so for this project, one does.

        Raises:
            RemoteError: as ``push``.
        """
        project = self._project
        project.settle_pending()
        with _only_one(project):
            self._batches, self._notes = 0, []
            if self._received is None:
                self._begin()
            store = project.store(write=True)
            state = project.remotes.state(self._name)
            self._notice_transfers(store)
            before = self._send(store, state, progress)
            state.pushed(project.now())
            sent = state.sent()
            shares = tuple(
                Share(origin, last - before.get(origin, 0), last)
                for origin, last in sorted(sent.items())
                if last > before.get(origin, 0)
            )
            return Pushed(
                remote=self._name,
                url=self._entry.shown,
                project=store.project,
                events=sum(share.events for share in shares),
                batches=self._batches,
                unsent=state.unsent(store.journal.lasts()),
                origins=shares,
                notes=(*project.notes, *self._notes),
            )

    def _notice_transfers(self, store: "EmbeddedStore") -> None:
        """Look for transfers, where one may have come to light since the last look."""
        upto = store.journal.last_seq()
        if self._looked is None or may_tell_transfers(store, self._looked):
            notice_transfers(store)
        self._looked = upto

    def _begin(self) -> None:
        """Ask what the server has, and forget here what colleagues forgot: it must not go there again."""
        store = self._project.store(write=True)
        received = self._ask(store, self._project.remotes.state(self._name))
        rewritten, waiting = obey(store, Server(self._team, received, received, store.journal.lasts()))
        refuse_waiting(self._team, waiting)
        if rewritten:
            self._project.close()  # what is in memory is from before
        self._received = received

    def _send(self, store: "EmbeddedStore", state: "SyncState", progress: Progress) -> dict[str, int]:
        """Returns what the server had before."""
        from provgraph.stores.neo4j import Behind

        assert self._received is not None
        before = dict(self._received)
        done, total = 0, sum(max(0, n - before.get(origin, 0)) for origin, n in store.journal.lasts().items())
        tries = 0
        while True:
            try:
                for origin, batch in _missing(store, self._received):
                    if self._forget_there(store):
                        break  # what was read may be from before
                    self._team.send(batch, self._obeyed)
                    tries = 0
                    self._received[origin] = batch[-1].origin_seq
                    state.acknowledge({origin: batch[-1].origin_seq})
                    self._batches += 1
                    done += len(batch)
                    progress(done, max(done, total))
                else:
                    return before
            except Behind as error:  # a copy of this clone, or somebody who pulled from it, was faster
                tries += 1
                if tries > _TRIES:
                    raise RemoteError(
                        f"{self._entry.shown}: others send the same events all the time; try later"
                    ) from error
                self._received = self._ask(store, state)

    def _ask(self, store: "EmbeddedStore", state: "SyncState") -> dict[str, int]:
        """What the server has: it alone knows, for it may have been restored from a backup, or wiped."""
        received = dict(self._team.received())
        self._notes += split_off(store, received, self._team)
        state.learned(received, store.journal.lasts())
        self._purged_upto = 0
        return received

    def _forget_there(self, store: "EmbeddedStore") -> bool:
        """Take out of the server what was forgotten here since the last look; returns whether there was something.

        Before anything is sent: what is recorded of a thing that was forgotten calls it by its new uid, which the
        server must not have beside the old one.
        """
        from provgraph.stores.purging import applied, has_tombstones, tombstones

        received, last = self._received or {}, store.journal.last_seq()
        if last == self._purged_upto:
            return False
        later = tombstones(store.journal, self._purged_upto) if has_tombstones(store) else ()
        found = [event for event in later if event.origin_seq > received.get(event.origin, 0)]
        self._obeyed = applied(store.journal)
        forget_there(store, self._team, found)
        self._purged_upto = last
        return bool(found)


def _missing(store: "EmbeddedStore", received: Mapping[str, int]) -> Iterator[tuple[str, list[Event]]]:
    """The batches that the server lacks, origin by origin."""
    for origin, last in store.journal.lasts().items():
        after = received.get(origin, 0)
        if after < last:
            for batch in batches(store.journal.of_origin(origin, after)):
                yield origin, batch


def pull(project: "Opened", name: str | None = None, progress: Progress = lambda _done, _all: None) -> Pulled:
    """Take from a team's server the events of others that are not here yet.

    Raises:
        RemoteError: it cannot be reached, or refuses; what was taken until then stays.
        TrustError: the configuration is not trusted. QuestionError: there is no such remote.
        BusyError: another push or pull of this project does not end, or nothing can be written here.
    """
    name = project.remotes.chosen(name)
    entry = project.remotes.config.remotes[name]
    with remembering(project, name), project.remotes.connect(name) as team:
        project.settle_pending()
        with _only_one(project):
            store = project.store(write=True)
            state = project.remotes.state(name)
            before = store.journal.lasts()
            taking = _Taking(store, state, team, progress)
            taking.take()
            if taking.forgotten:
                project.close()  # what is in memory is from before
                store = project.store(write=True)
                state = project.remotes.state(name)
            transfers = notice_transfers(store)
            store.apply()
            state.learned(taking.theirs, store.journal.lasts())
            state.pulled(project.now())
            shares = tuple(
                Share(origin, taking.here[origin] - before.get(origin, 0), taking.here[origin])
                for origin in sorted(taking.here)
                if taking.here[origin] > before.get(origin, 0)
            )
            return Pulled(
                remote=name,
                url=entry.shown,
                project=store.project,
                events=sum(share.events for share in shares),
                transfers=transfers,
                forgotten=taking.forgotten,
                origins=shares,
                notes=(*project.notes, *taking.notes, *([] if taking.theirs else [_unknown(name, store.project)])),
            )


def _unknown(remote: str, uid: str) -> str:
    """What is to be said of a server that nobody has sent this project to."""
    return (
        f"{remote} has nothing of this project ({uid}); if colleagues push to it, theirs is another one: `provdb status"
        " --json` there tells its uid, `provdb init --join UID` in a fresh clone, before anything else, belongs to it"
    )


class _Taking:
    """One pull: what the server has, what is here, and how it gets here."""

    def __init__(self, store: "EmbeddedStore", state: "SyncState", team: "TeamStore", progress: Progress) -> None:
        self._store, self._state, self._team, self._progress = store, state, team, progress
        self.theirs = dict(team.received())
        self.notes = split_off(store, self.theirs, team)
        self.here = store.journal.lasts()
        self._before, self._came = dict(self.here), dict[str, int]()
        self._total = sum(max(0, last - self.here.get(origin, 0)) for origin, last in self.theirs.items())
        self._done = self.forgotten = 0

    def take(self) -> None:
        """Append what is missing, chunk by chunk, each in a transaction of its own."""
        for origin, last in sorted(self.theirs.items()):
            have = self.here.get(origin, 0)
            if last <= have:
                continue
            for events in self._team.fetch_origin(origin, have):
                if not events:
                    continue
                self._store.journal.append_foreign(events)
                self.here[origin] = self._came[origin] = events[-1].origin_seq
                self._done += len(events)
                self._progress(self._done, max(self._done, self._total))
        self.forgotten, waiting = obey(
            self._store, Server(self._team, self.theirs, self.theirs | self._came, self._before)
        )
        if waiting:
            self.notes.append(waiting_note(waiting))


def split_off(store: "EmbeddedStore", received: Mapping[str, int], team: "TeamStore") -> list[str]:
    """Begin a new origin where the server has more of this clone than the clone itself; says so.

    Its journal then is an older one, put back where the newer one was. What it lost comes back with ``pull``.

    Raises:
        RemoteError: the clone has recorded since under numbers that the server has other events of.
    """
    _check_same_past(store, received, team)
    lost = received.get(store.origin, 0) - store.journal.last_of(store.origin)
    if lost <= 0:
        return []
    from provgraph.stores.project import begin_origin

    begin_origin(store)
    note = (
        f"the server has {lost:,} events of this clone that the clone itself lacks, as after a backup was restored; "
        "it goes on as a new clone, and `provdb pull` brings them back"
    )
    return [note]


def _check_same_past(store: "EmbeddedStore", received: Mapping[str, int], team: "TeamStore") -> None:
    """That the newest event of this clone on both sides is the same one. Cost: a chunk. Its body may be purged."""
    number = min(received.get(store.origin, 0), store.journal.last_of(store.origin))
    there = next((found[0] for found in team.fetch_origin(store.origin, number - 1) if found), None) if number else None
    here = next((event for event, _ in store.journal.of_origin(store.origin, number - 1)), None) if number else None
    if here is None or there is None or (here.kind, here.time) == (there.kind, there.time):
        return
    raise RemoteError(
        f"event {number:,} of this clone is another one at {team.remote.place}: {store.folder} was put back from an "
        "older copy, and has recorded since under numbers that were used before. Nothing was sent or taken. To go on "
        f"with what the server has: move {store.folder} to a place outside of the project, type `provdb init --join "
        f"{store.project}` and `provdb remote add` as before, then `provdb pull`; what was recorded since the copy was "
        "put back is in the folder that you moved, and nowhere else",
        passing=False,
    )


@contextlib.contextmanager
def _only_one(project: "Opened") -> Iterator[None]:
    """Hold the project's lock of pushing and pulling."""
    with project_lock(project.root, LOCK) as held:
        if held:
            yield
            return
    project.progress("another push or pull of this project runs; waiting for it …")
    with project_lock(project.root, LOCK, LOCK_WAIT_S) as held:
        if not held:
            raise BusyError(f"another push or pull of {project.root} runs for over {LOCK_WAIT_S:.0f} s; try later")
        yield


@contextlib.contextmanager
def remembering(project: "Opened", name: str) -> Iterator[None]:
    """Note a failure of the server's where ``status`` and ``doctor`` find it."""
    try:
        yield
    except (RemoteError, NewerStoreError) as error:
        note_failure(project, name, error)
        raise


def note_failure(project: "Opened", name: str, error: ProvGraphError) -> None:
    """Keep what went wrong; where that cannot be written, it is only raised."""
    with contextlib.suppress(ProvGraphError, OSError):
        project.store(write=True)
        project.remotes.state(name).failed(project.now(), str(error))
