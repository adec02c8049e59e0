"""``push --watch``: stays, and sends each event a moment after it was journaled."""

import os
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from provgraph.errors import RemoteError
from provgraph.session.pending import spooled
from provgraph.session.syncing import BusyError, Pushed, Pushing, note_failure

if TYPE_CHECKING:
    from provgraph.session.project import Project

LOOK_S: Final = 0.1
_SPOOL_LOOKS: Final = 10
"""Each so many looks, commands that ended without an ingester are looked for."""
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 60.0


def watch(
    project: "Project",
    name: str | None,
    sent: Callable[[Pushed], None],
    say: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Send what is new until ``stopped`` says so; a server that is away is tried again, less and less often.

    Parameters:
        sent: is given what was sent, whenever something was.
        say: is told when the server is away, and when it is back.
        stopped: asked ten times a second.

    Raises:
        RemoteError: what will not pass by itself, like a wrong password. As ``push`` otherwise.
    """
    name = project.remotes.chosen(name)
    away = _Away(say)
    pushing: Pushing | None = None
    try:
        while not stopped():
            try:
                if pushing is None:
                    pushing = Pushing(project, name)
                seen = project.store().journal.last_seq()
                pushed = pushing.send_new()
                away.over()
                if pushed.events:
                    sent(pushed)
                _await_news(project, seen, stopped)
            except (RemoteError, BusyError) as error:
                if pushing is not None:
                    pushing.close()
                    pushing = None
                if isinstance(error, RemoteError):
                    note_failure(project, name, error)
                if not error.passing:
                    raise
                away.wait(error, stopped)
    finally:
        if pushing is not None:
            pushing.close()


def _await_news(project: "Project", seen: int, stopped: Callable[[], bool]) -> None:
    """Return when something was journaled after event ``seen``, which was the newest before the last look."""
    journal = project.store().journal
    looks = 0
    while not stopped() and journal.last_seq() == seen:
        time.sleep(LOOK_S)
        looks += 1
        if looks % _SPOOL_LOOKS:
            continue
        if not os.path.exists(journal.path):
            project.close()  # the next one to open it says what is wrong
            return
        if any(item.closed for item in spooled(project.root)):
            project.settle_pending()


class _Away:
    """How long the server is away. The first failure is silent: a connection that lay idle may just have been cut."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._failures, self._said = say, 0, False

    def over(self) -> None:
        """The server answered."""
        if self._said:
            self._say("the server is back")
        self._failures, self._said = 0, False

    def wait(self, error: Exception, stopped: Callable[[], bool]) -> None:
        """Wait before the next try: 1, 2, 4, … 60 seconds, a little more or less, lest all clones come at once."""
        self._failures += 1
        if self._failures == 1:
            return
        wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(self._failures - 2, 10))
        if not self._said:
            self._say(f"{error}; trying again until it answers (Ctrl-C ends this; nothing is lost)")
            self._said = True
        ends_at = time.monotonic() + wait_s * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        while time.monotonic() < ends_at and not stopped():
            time.sleep(LOOK_S)
