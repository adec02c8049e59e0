"""Keeping the object store within its budget (rule 16): bytes go, digests stay."""

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from provgraph.stores.embedded import EmbeddedStore

MOST: Final = 10 * 1024**3
"""The default budget, where a tenth of the free space is not less (bytes)."""
_FIGURE: Final = "objects_bytes"
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Collected:
    """What ``collect`` did. Sizes are bytes on the disk."""

    removed: int
    freed_bytes: int
    kept_bytes: int
    budget_bytes: int


def budget(store: "EmbeddedStore") -> int:
    """How many bytes the objects may take."""
    if store.config.objects_budget_bytes:
        return store.config.objects_budget_bytes
    space = os.statvfs(store.objects.folder)
    return min(MOST, (space.f_bavail * space.f_frsize + used(store)) // 10)


def used(store: "EmbeddedStore") -> int:
    """How many bytes the objects take. Cost: one look-up; a walk where the figure was lost."""
    found = store.local.figure(_FIGURE)
    if found is None:
        found = sum(size for _, size in store.objects.all())
        if store.write:
            store.local.set_figure(_FIGURE, found)
    return found


def make_room(store: "EmbeddedStore", size: int) -> bool:
    """Whether ``size`` more bytes fit into the budget, after older ones have gone where that was needed."""
    limit = budget(store)
    if used(store) + size <= limit:
        return True
    if size > limit:
        return False
    # A tenth more than is needed, so that the next file does not pay again.
    collect(store, to_bytes=max(0, limit - size - limit // 10))
    return used(store) + size <= limit


def collect(store: "EmbeddedStore", to_bytes: int | None = None, *, dry_run: bool = False) -> Collected:
    """Drop bytes until the objects take ``to_bytes`` (the budget where that is None): those that no commit refers to
    first, oldest first. Objects that nothing refers to, older than a day, and what killed writers left go always.

    Cost: one stat per object.
    """
    limit = budget(store)
    target = limit if to_bytes is None else to_bytes
    sizes = dict(store.objects.all())
    left, freed, removed = sum(sizes.values()), 0, 0
    dates = _dates(store)
    committed = _committed(store)
    young = time.time() - _DAY_S
    order = []
    for sha256 in sizes:
        at = dates.get(sha256)
        if at is None and store.objects.path_of(sha256).stat().st_mtime > young:
            continue  # perhaps on its way into the journal
        order.append((sha256 in committed, at or "", sha256))
    for _, at, sha256 in sorted(order):
        if at and left <= target:
            break
        size = sizes[sha256] if dry_run else store.objects.remove(sha256)
        left, freed, removed = left - size, freed + size, removed + 1
    if not dry_run:
        for path in store.objects.leftovers():
            path.unlink(missing_ok=True)
        store.local.set_figure(_FIGURE, left)
    return Collected(removed, freed, left, limit)


def _dates(store: "EmbeddedStore") -> dict[str, str]:
    """When the newest snapshot with each digest was made. Members of collections keep no bytes of their own."""
    query = "SELECT lower(hex(sha256)), max(created_at) FROM snapshot WHERE sha256 IS NOT NULL GROUP BY sha256"
    return dict(store.graph.execute(query))


def _committed(store: "EmbeddedStore") -> set[str]:
    """The digests that explicit versions refer to."""
    query = (
        "SELECT DISTINCT lower(hex(s.sha256)) FROM version n JOIN vertex v ON v.id = n.vertex "
        "JOIN edge e ON e.source = n.vertex JOIN relation r ON r.id = e.type AND r.name = 'hadMember' "
        "JOIN snapshot s ON s.vertex = e.target WHERE json_extract(v.properties, '$.kind') = 'explicit' "
        "AND s.sha256 IS NOT NULL"
    )
    return {row[0] for row in store.graph.execute(query)}
