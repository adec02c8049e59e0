"""Obeys here what colleagues forgot: events that their tombstones name become what a team's server has in their place.

A tombstone is obeyed where the server has it, and has all that it names and that is here: then it was obeyed there.
Until then it waits; what it names is not sent anywhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provgraph.errors import RemoteError
from provgraph.events import Event
from provgraph.session.forgetting import at_rest

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore
    from provgraph.stores.neo4j import TeamStore


@dataclass(frozen=True, slots=True)
class Server:
    """What a server has, as numbers of newest events by origin.

    Attributes:
        team: the server.
        asked: what it was said to have when it was asked.
        there: the same, with what came from it since.
        before: what was here before anything came.
    """

    team: "TeamStore"
    asked: Mapping[str, int]
    there: Mapping[str, int]
    before: Mapping[str, int]

    def obeys(self, tombstone: Event, here: Mapping[str, int]) -> bool:
        """Whether it has a tombstone, with all of what that names and is here."""
        named = tombstone.body.get("facts", {}).get("events", {})
        return tombstone.origin_seq <= self.there.get(tombstone.origin, 0) and all(
            min(last, here.get(origin, 0)) <= self.there.get(origin, 0)
            for origin, runs in named.items()
            for _, last in runs
        )


def obey(store: "EmbeddedStore", server: Server) -> tuple[int, int]:
    """Forget here what colleagues forgot. Returns how many events were rewritten, and how many tombstones wait."""
    from provgraph.stores.purging import apply_tombstones, event_named, named, pending_tombstones

    pending = pending_tombstones(store)
    ready = list(_ready(pending, store.journal.lasts(), server))
    if not ready:
        return 0, len(pending)
    wanted: dict[str, set[int]] = {}
    for tombstone in ready:
        # The server is purged before it gets the tombstone: what was taken after the tombstone was there came purged.
        was_there = tombstone.origin_seq <= server.asked.get(tombstone.origin, 0)
        for origin, number in named(tombstone, server.before if was_there else store.journal.lasts()):
            wanted.setdefault(origin, set()).add(number)
    purged: dict[tuple[str, int], Mapping[str, Any]] = {}
    for origin, numbers in sorted(wanted.items()):
        for event in _between(server.team, origin, min(numbers), max(numbers)):
            if event.origin_seq in numbers:
                here = event_named(store.journal, origin, event.origin_seq)
                if here is not None and here.body != event.body:
                    purged[origin, event.origin_seq] = event.body
    with at_rest(store.root):
        return apply_tombstones(store, ready, purged, server.asked), len(pending) - len(ready)


def _ready(pending: list[Event], here: Mapping[str, int], server: Server) -> Iterator[Event]:
    """Those that can be obeyed; of each origin the first ones, for how many are is kept as a number."""
    waiting = set[str]()
    for tombstone in pending:
        if tombstone.origin not in waiting and server.obeys(tombstone, here):
            yield tombstone
        else:
            waiting.add(tombstone.origin)


def _between(team: "TeamStore", origin: str, first: int, last: int) -> Iterator[Event]:
    for events in team.fetch_origin(origin, first - 1):
        yield from (event for event in events if event.origin_seq <= last)
        if events and events[-1].origin_seq >= last:
            return


def waiting_note(waiting: int) -> str:
    """What is said where tombstones cannot be obeyed yet."""
    what = "tombstone of a colleague's waits" if waiting == 1 else "tombstones of colleagues' wait"
    return (
        f"{waiting:,} {what}: the server does not have all that was forgotten as it is now. What is to go stays here, "
        "and is not sent, until it has: after a push of whoever forgot it, type `provdb pull`"
    )


def refuse_waiting(team: "TeamStore", waiting: int) -> None:
    """Before anything is sent.

    Raises:
        RemoteError: tombstones wait, so what is here may be what a colleague wants to be forgotten.
    """
    if waiting:
        raise RemoteError(
            f"nothing was sent to {team.remote.place}: {waiting_note(waiting)}, here or from the server that they came "
            "from",
            passing=False,
        )
