"""What ingestion asks of whoever runs the ingestors: beside its loop, never in its way."""

from typing import Protocol

from provgraph.ingest.records import Record


class Interpreting(Protocol):
    """Runs the ingestors that fit an activity and journals what they find."""

    @property
    def busy(self) -> bool:
        """Whether ingestors run, or wait for their turn."""

    @property
    def wakes(self) -> list[int]:
        """Descriptors that become readable when there is something to do."""

    @property
    def log(self) -> list[str]:
        """Failures of our own, for the log file."""

    def wants_beginning(self, start: Record) -> bool:
        """Whether an ingestor may want to run *before* a command: its beginning is then journaled at once."""

    def begun(self, uid: str) -> None:
        """The beginning of an activity is journaled."""

    def ended(self, spool: str, uid: str) -> bool:
        """The end of an activity is journaled. Returns whether findings are awaited: its spool file stays until then.

        Parameters:
            spool: names the spool file. uid: of the (first part of the) activity.
        """

    def step(self) -> list[str]:
        """Journal what was found in the meantime; returns the spools of the activities that nothing is awaited of."""

    def close(self) -> None:
        """Let go of everything; what is not journaled is made anew, for its spool file is still there."""


class Uninterpreted:
    """Nobody runs ingestors."""

    busy = False

    def __init__(self) -> None:
        self.wakes: list[int] = []
        self.log: list[str] = []

    def wants_beginning(self, start: Record) -> bool:
        """Nobody does."""
        return False

    def begun(self, uid: str) -> None:
        """Nothing."""

    def ended(self, spool: str, uid: str) -> bool:
        """Nothing is awaited."""
        return False

    def step(self) -> list[str]:
        """Nothing."""
        return []

    def close(self) -> None:
        """Nothing."""
