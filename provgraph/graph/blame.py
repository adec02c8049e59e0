"""Who last changed each line of a file, as a value: what ``provdb blame`` gives."""

from dataclasses import dataclass
from typing import Any

from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name


@dataclass(frozen=True, slots=True)
class CommitLine:
    """What git says of a line: the commit that brought it."""

    commit: str
    author: str
    email: str
    at: str
    """When it was written (the author's time), ISO 8601 in UTC."""
    summary: str


@dataclass(frozen=True, slots=True)
class Change:
    """The snapshot that brought a line, and what generated it."""

    snapshot: Vertex
    activity: Vertex | None
    """None where the file was there before anything of it was recorded."""
    agents: tuple[str, ...]
    at: str
    """When the snapshot came to be, ISO 8601 in UTC."""
    exact: bool = True
    """False where bytes of earlier snapshots are missing: one of them may have brought the line."""


@dataclass(frozen=True, slots=True)
class BlamedLine:
    """One line of the file, without its end. ``change`` is None where no snapshot of the file was ever recorded."""

    number: int
    text: str
    change: Change | None
    commit: CommitLine | None

    @property
    def recorded(self) -> bool:
        """Whether it is known which activity brought it: not an unrecorded change, nor git carrying a commit here."""
        activity = None if self.change is None else self.change.activity
        return activity is not None and "Unseen" not in activity.labels and activity.properties.get("utility") != "git"

    @property
    def agents(self) -> tuple[str, ...]:
        """Who changed it: who ran the activity, or who wrote the commit where no recorded activity brought it."""
        if self.recorded and self.change is not None:
            return self.change.agents
        if self.commit is not None:
            return (self.commit.author,)
        return self.change.agents if self.change is not None else ()

    @property
    def at(self) -> str | None:
        """When it was changed, as far as is known: ISO 8601 in UTC."""
        if self.commit is not None and not self.recorded:
            return self.commit.at
        return None if self.change is None else self.change.at

    def to_json(self) -> dict[str, Any]:
        """One of the ``lines`` of ``provgraph/blame/1``."""
        change, commit = self.change, self.commit
        activity = None if change is None else change.activity
        return {
            "number": self.number,
            "text": self.text,
            "snapshot": None if change is None else change.snapshot.uid,
            "snapshot_name": None if change is None else display_name(change.snapshot),
            "exact": change is None or change.exact,
            "activity": None if activity is None else activity.uid,
            "activity_name": None if activity is None else display_name(activity),
            "command": None if activity is None else activity.properties.get("command"),
            "agents": list(self.agents),
            "at": self.at,
            "commit": None if commit is None else commit.commit,
            "author": None if commit is None else commit.author,
            "author_email": None if commit is None else commit.email,
            "summary": None if commit is None else commit.summary,
        }


@dataclass(frozen=True, slots=True)
class Blame:
    """The lines of one snapshot of a file, in order, each with what last changed it."""

    path: str
    snapshot: Vertex | None
    lines: tuple[BlamedLine, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/blame/1``."""
        return {
            "schema": "provgraph/blame/1",
            "path": self.path,
            "snapshot": None if self.snapshot is None else self.snapshot.uid,
            "lines": [line.to_json() for line in self.lines],
            "notes": list(self.notes),
        }
