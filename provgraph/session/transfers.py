"""Journals what came here from colleagues' disks, once their events are here (semantics rule 24)."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provgraph.events import Event
from provgraph.ingest.transfers import Arrival, transfers, write_transfer
from provgraph.stores.arrivals import Descent, arrivals

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore


def notice_transfers(store: "EmbeddedStore") -> int:
    """Join each snapshot here of unknown origin to the one that another clone generated with its bytes at its path.

    What was joined is not looked at again: called twice, the second time finds nothing. Returns how many were joined.
    Parameters:
        store: open for writing, its projection up to date.
    Cost: 2 µs a snapshot of other clones.
    """
    if not _found(store):
        return 0
    with store.journal.batch() as batch:
        store.apply()  # nobody else can write now: what was found is what there is
        found = _found(store)
        for arrival in found:
            now = datetime.now(UTC).isoformat(timespec="microseconds")
            write_transfer(batch.event("transfer.noticed", now), arrival)
    return len(found)


def may_tell_transfers(store: "EmbeddedStore", after: int) -> bool:
    """Whether the events after number ``after`` may bring a transfer to light: a colleague's, or one of this clone with
    a file that nobody saw being made. Cost: reading them.
    """
    return any(event.origin != store.origin or _finds(event) for event in store.journal.events(after))


def _finds(event: Event) -> bool:
    vertices = event.body.get("vertices", ())
    made = {row[1] for row in event.body.get("edges", ()) if row[0] == "wasGeneratedBy"}
    labels = [set(row[0]) for row in vertices]
    return any("Unseen" in found or ("Snapshot" in found and place not in made) for place, found in enumerate(labels))


def _found(store: "EmbeddedStore") -> list[Arrival]:
    known = [Arrival(*row) for row in arrivals(store.graph)]
    return transfers(known, Descent(store.graph).leads_to) if known else []
