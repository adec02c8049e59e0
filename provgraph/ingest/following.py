"""What is known of the spool files that are followed, and how far those who write them have got."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.ingest.lookup import Lookup
from provgraph.ingest.records import Record, SpoolTail, at_rest
from provgraph.ingest.timeline import SPOOL_CLOCK, as_stat

_WRITTEN_NS: Final = 40_000_000
"""A supervisor writes after 20 ms at the latest; it looks at the clock every few."""


@dataclass(slots=True)
class Followed:
    """One activity's spool file."""

    tail: SpoolTail
    start: Record | None = None
    early: list[Record] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    read_to: int = 0
    """The time of the newest operation that was read."""
    ended: bool = False
    closed: bool = False
    dead_since: float = 0.0


def late(followed: Collection[Followed]) -> list[Followed]:
    """Those whose supervisors may not have written all that they saw before the last moments."""
    return [one for one in followed if one.start is not None and not one.closed and _may_be_late(one.start)]


def _may_be_late(start: Record) -> bool:
    """What a process writes down of itself (audit hooks) is written before it happens."""
    return start["capture"] != "audit" and not at_rest(start)


def written_to(followed: Collection[Followed]) -> tuple[list[int], list[Followed]]:
    """Up to which time several supervisors have surely written what they saw; and those that are late."""
    if sum(one.start is not None and not one.closed for one in followed) < 2:
        return [], []
    now = time.clock_gettime_ns(SPOOL_CLOCK)
    return [now - _WRITTEN_NS], late(followed)


def fix(followed: Followed, op: list[Any], lookup: Lookup, many: int) -> None:
    """Read a file's content as soon as it is known that a command has opened it (rule 13).

    Parameters:
        many: a command that reads more than so many files has them as a collection, whose bytes are not kept.
    """
    if op[0] != "r" or not lookup.places.counts(op[2]):
        return
    stat = as_stat(op[3])
    few = len(followed.reads) <= many
    if few:
        followed.reads.add(op[2])
    if stat is not None:
        lookup.contents.fix(op[2], stat, keep=few and lookup.keeps(op[2]))
