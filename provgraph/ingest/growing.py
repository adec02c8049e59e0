"""What ingestion tells of files that running activities write, to whoever follows them as they grow."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from provgraph.ingest.state import Act


@dataclass(frozen=True, slots=True)
class Running:
    """An activity whose beginning is journaled, and what it has written so far.

    Attributes:
        spool: names its spool file. uid: of its first part.
        files: absolute path → from which byte on the file is the activity's: what an appended one held before is not.
    """

    spool: str
    uid: str
    files: Mapping[str, int]


class Growing(Protocol):
    """Follows files that grow."""

    def look(self, running: Iterable[Running]) -> None:
        """These activities run now, and write these files. Called about once a second."""


class Unfollowed:
    """Nobody follows anything."""

    def look(self, running: Iterable[Running]) -> None:
        """Nothing."""


def running(acts: Iterable[Act]) -> Iterator[Running]:
    """The activities of which something can be told. Cost: 1 µs a file."""
    for act in acts:
        if act.begun and act.first.uid:
            yield Running(act.spool, act.first.uid, {path: begins_at(act, path) for path in act.writes})


def begins_at(act: Act, absolute: str) -> int:
    """From which byte on a file is the activity's own."""
    write = act.writes[absolute]
    if write.how != "append":
        return 0
    if write.begun is not None:
        return write.begun[2]
    return 0 if write.old is None or write.old.size is None else write.old.size
