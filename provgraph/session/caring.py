"""Giving space back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore


@dataclass(frozen=True, slots=True)
class Collection:
    """What ``gc`` did, or would do. Sizes are bytes on the disk."""

    removed: int
    freed_bytes: int
    kept_bytes: int
    budget_bytes: int
    dry_run: bool

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/gc/1``."""
        return {"schema": "provgraph/gc/1"} | {key: getattr(self, key) for key in self.__slots__}


def collect_garbage(store: "EmbeddedStore", *, budget_bytes: int | None, dry_run: bool) -> Collection:
    """Drop contents that no commit refers to, oldest first, until the objects take no more than the budget."""
    from provgraph.stores import garbage

    done = garbage.collect(store, budget_bytes, dry_run=dry_run)
    return Collection(done.removed, done.freed_bytes, done.kept_bytes, done.budget_bytes, dry_run)
