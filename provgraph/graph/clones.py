"""Who is who among the clones of one project: which of them is this disk, and what the others are called."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

_SHORTEST: Final = 6


def short_origin(origin: str, length: int = _SHORTEST) -> str:
    """The short name of a clone: the end of its uid, where chance is; the beginning is time."""
    return origin.replace("-", "")[-length:]


def short_names(origins: Collection[str]) -> dict[str, str]:
    """The short name of each clone by its uid, all as long as it takes to tell them apart."""
    wanted = set(origins)
    for length in range(_SHORTEST, 33):
        names = {origin: short_origin(origin, length) for origin in sorted(wanted)}
        if len(set(names.values())) == len(wanted):
            return names
    return {origin: origin for origin in sorted(wanted)}


@dataclass(frozen=True, slots=True)
class Clones:
    """The clones that a store has events of.

    Attributes:
        own: this disk's origins by uid, each with the number of its last event that is this disk's own: the present
            origin, and those that it was forked from (a copied folder, a restored backup).
        names: short names by uid, of all.
        hosts: names of machines by uid, of those that told.
    """

    own: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)

    def mark(self, origin: str) -> str:
        """What stands before the name of a vertex that this origin recorded: "" for this disk's own."""
        return "" if not origin or origin in self.own else self.names.get(origin) or short_origin(origin)

    @property
    def by_name(self) -> dict[str, str]:
        """uids by every name that a reference may call a clone by: short name, whole uid, the machine if it has one."""
        machines = list(self.hosts.values())
        named = {host: origin for origin, host in self.hosts.items() if machines.count(host) == 1}
        return named | {origin: origin for origin in self.names} | {name: uid for uid, name in self.names.items()}
