"""Cuts a stream of events into what is sent at once."""

from collections.abc import Iterable, Iterator
from typing import Final

from provgraph.events.envelope import Event

ELEMENTS: Final = 15_000
"""Vertices, edges and settings in one batch."""
BATCH_BYTES: Final = 8 << 20
"""Bytes of the events, packed, in one batch."""


def batches(
    events: Iterable[tuple[Event, int]], *, elements: int = ELEMENTS, size_bytes: int = BATCH_BYTES
) -> Iterator[list[Event]]:
    """The same events in the same order, in lists that are neither too long nor too large.

    Parameters:
        events: each with the bytes that it takes in the journal.
        elements, size_bytes: what a list may hold; an event that is larger by itself is a list of its own.
    """
    batch: list[Event] = []
    held = held_bytes = 0
    for event, event_bytes in events:
        count = elements_of(event)
        if batch and (held + count > elements or held_bytes + event_bytes > size_bytes):
            yield batch
            batch, held, held_bytes = [], 0, 0
        batch.append(event)
        held, held_bytes = held + count, held_bytes + event_bytes
    if batch:
        yield batch


def elements_of(event: Event) -> int:
    """How many vertices, edges and settings an event holds; one at least."""
    return sum(len(event.body.get(part, ())) for part in ("vertices", "edges", "set")) or 1
