"""What goes on beside ingestion, as one: logs are followed while a command runs, ingestors run once it has ended."""

from collections.abc import Iterable

from provgraph.ingest.growing import Running
from provgraph.ingest.records import Record
from provgraph.session.interpreting.following import Follows
from provgraph.session.interpreting.interpreter import Interpreter


class Beside:
    """Implements ``ingest.interpreting.Interpreting`` and ``ingest.growing.Growing``.

    What an ingestor finds after a command takes the place of what was followed: it comes when all of that is journaled.
    """

    def __init__(self, follows: Follows, interpreter: Interpreter) -> None:
        self._follows, self._interpreter = follows, interpreter
        self._later: dict[str, str] = {}
        """Spool → uid, of what has ended and whose files are still read."""

    @property
    def busy(self) -> bool:
        """Whether there is something to do soon."""
        return self._follows.busy or self._interpreter.busy

    @property
    def wakes(self) -> list[int]:
        """Descriptors that become readable when there is something to do."""
        return self._follows.wakes + self._interpreter.wakes

    def wants_beginning(self, start: Record) -> bool:
        """Whether an ingestor may want to run *before* a command."""
        return self._interpreter.wants_beginning(start)

    @property
    def log(self) -> list[str]:
        """Failures of our own."""
        self._interpreter.log += self._follows.log
        self._follows.log.clear()
        return self._interpreter.log

    def look(self, running: Iterable[Running]) -> None:
        """These activities run now, and write these files."""
        self._follows.look(running)

    def begun(self, uid: str) -> None:
        """The beginning of an activity is journaled."""
        self._interpreter.begun(uid)

    def ended(self, spool: str, uid: str) -> bool:
        """The end of an activity is journaled. Returns whether findings are awaited."""
        if self._follows.ended(spool, uid):
            self._later[spool] = uid
            return True
        return self._interpreter.ended(spool, uid)

    def step(self) -> list[str]:
        """Journal what was found in the meantime; returns the spools of the activities that nothing is awaited of."""
        read = [(spool, self._later.pop(spool)) for spool in self._follows.step() if spool in self._later]
        done = [spool for spool, uid in read if not self._interpreter.ended(spool, uid)]
        return done + self._interpreter.step()

    def close(self) -> None:
        """Let go of everything."""
        self._follows.close()
        self._interpreter.close()
