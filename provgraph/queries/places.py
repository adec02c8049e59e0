"""What reference resolution must know of the world outside the graph, as one small port."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo


def as_written(text: str) -> str:
    """The store's path of what a user typed, where there is no project: the text without ``./``."""
    return text.removeprefix("./")


@dataclass(frozen=True, slots=True)
class Places:
    """Where a question is asked.

    Attributes:
        locate: the store's path (from the project's root, absolute outside) of a path as the user typed it.
        digest: SHA-256 of the file or symlink on disk at a path as the user typed it, None where there is none.
        zone: of times that name none; None is the machine's own.
        origin: uid of the clone at hand, empty where there is none.
        origins: other clones' uids by short name.
    """

    locate: Callable[[str], str] = as_written
    digest: Callable[[str], str | None] = lambda _path: None
    zone: tzinfo | None = None
    origin: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)
