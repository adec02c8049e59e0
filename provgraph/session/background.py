"""Sending new events to the team's server by itself: a process of its own, so that nobody ever waits for a server.

``run`` is that process, started where something was journaled, if the configuration asks
for it and this user trusts it. One at a time sends; it looks again before it ends. What goes wrong is kept for
``status`` and ``doctor``, and tried again after the next event, a minute later at the earliest.
"""

import contextlib
import os
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from provgraph.errors import ProvGraphError, StoreError
from provgraph.session.locking import project_lock
from provgraph.stores.sync_state import SyncState

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore

RETRY_S: Final = 60.0
EVERY_S: Final = 15.0
"""How often an ingester that is never idle looks whether there is something to send."""
_FIRST_S: Final = 1.0
_KEYRING_S: Final = 10.0
"""How long a keyring is waited for. Nobody may be there to unlock it."""
_ROUNDS: Final = 100
"""How often one process looks again; the next event starts another."""
_LOCK: Final = "background.lock"
_PACKAGE_PARENT: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_START: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from provgraph.session.background import run; run(sys.argv[1])"
)


class _Process:
    """What this process has to do with sending: whether it is the one that sends, and which it started."""

    sends = False
    started: Final[set[int]] = set()


def push_later(store: "EmbeddedStore") -> None:
    """Start sending what is new, where the configuration says so. Never raises. Cost: that of a spawn at most."""
    if not store.config.push_to or _Process.sends:
        return
    with contextlib.suppress(OSError, StoreError):
        if _due(store):
            _start(str(store.root))


def _due(store: "EmbeddedStore") -> bool:
    entry = store.config.remotes.get(store.config.push_to)
    if entry is None:
        return False
    state = SyncState(store.local, entry.shown, entry.database)
    failed_at = state.known().failed_at
    if failed_at and (datetime.now(UTC) - datetime.fromisoformat(failed_at)).total_seconds() < RETRY_S:
        return False
    return state.unsent(store.journal.lasts()) > 0


def _start(root: str) -> None:
    for pid in list(_Process.started):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                continue
        _Process.started.discard(pid)
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    argv = [sys.executable, "-I", "-c", _START, _PACKAGE_PARENT, root]
    pid = os.posix_spawn(sys.executable, argv, os.environ, file_actions=null, setsid=True, setsigmask=[])
    _Process.started.add(pid)


class Sender:
    """Starts sending now and then while an ingester works.

    Parameters:
        store: the ingester's.
    """

    def __init__(self, store: "EmbeddedStore") -> None:
        self._store = store
        self._next = time.monotonic() + _FIRST_S

    def look(self) -> None:
        """See whether something is to be sent, unless that was done a moment ago."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_S
            push_later(self._store)


def run(root: str) -> None:
    """Send until nothing is left, unless another process does so."""
    _Process.sends = True
    os.nice(19)
    os.chdir("/")
    with contextlib.suppress(ProvGraphError, OSError):
        for _ in range(_ROUNDS):
            if not _push_once(root):
                return


def _push_once(root: str) -> bool:
    """Whether there may be more to send."""
    from provgraph.session.project import Project
    from provgraph.session.syncing import BusyError, note_failure, push

    with project_lock(root, _LOCK) as held:
        if not held:
            return False
        with Project(root) as project:
            project.keyring_wait_s = _KEYRING_S
            name = project.store().config.push_to
            if not name or name not in project.store().config.remotes:
                return False
            try:
                done = push(project, name)
            except BusyError:
                return True  # a person's own push or pull takes long
            except ProvGraphError as error:
                note_failure(project, name, error)
                return False
            except Exception as error:  # noqa: BLE001 - nobody sees a traceback here; status and doctor tell
                note_failure(project, name, StoreError(f"{type(error).__name__}: {error}"))
                return False
    # Who found the lock taken since the last look started nothing. From now on one does.
    with Project(root) as project:
        return bool(done.events) and project.remotes.state(name).unsent(project.store().journal.lasts()) > 0
