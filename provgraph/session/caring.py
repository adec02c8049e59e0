"""Giving space back."""

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore


@dataclass(frozen=True, slots=True)
class Collection:
    """What ``gc`` did, or would do. Sizes are bytes on the disk.

    ``removed`` and ``freed_bytes`` count what was kept, and copies in the spool whose command is gone.
    """

    removed: int
    freed_bytes: int
    kept_bytes: int
    budget_bytes: int
    dry_run: bool

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/gc/1``."""
        return {"schema": "provgraph/gc/1"} | {key: getattr(self, key) for key in self.__slots__}


def collect_garbage(store: "EmbeddedStore", *, budget_bytes: int | None, dry_run: bool) -> Collection:
    """Drop contents that no commit refers to, oldest first, until the objects take no more than the budget.

    Copies that were set aside for a command go where its spool file is gone, as after a `.failed` one was removed.
    """
    from provgraph.stores import garbage
    from provgraph.stores.checks import lost_preimages

    copies = lost_preimages(store)
    copied_bytes = 0
    for copy in copies:
        with contextlib.suppress(FileNotFoundError):
            copied_bytes += copy.lstat().st_blocks * 512
            if not dry_run:
                copy.unlink()
    done = garbage.collect(store, budget_bytes, dry_run=dry_run)
    return Collection(
        done.removed + len(copies), done.freed_bytes + copied_bytes, done.kept_bytes, done.budget_bytes, dry_run
    )
