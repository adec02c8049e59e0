"""Noticing changes that no activity explains (semantics rule 5)."""

from provgraph.events.ports import Stat
from provgraph.ingest.contents import lstat, settled
from provgraph.ingest.lookup import Lookup, iso
from provgraph.ingest.state import LINK, REGULAR, Snap, file_type


def changed_files(lookup: Lookup) -> list[tuple[Snap, Stat | None]]:
    """The tracked files whose identity on disk is not the known one, with what is there now. Cost: one lstat a file."""
    found = []
    for known in lookup.knowledge.known_below(""):
        if known.stat is None:
            continue
        absolute = lookup.places.absolute(known.path)
        if absolute in lookup.dirty:
            continue
        stat = lstat(absolute)
        if stat is not None and stat == known.stat:
            continue
        snap = lookup.current(known.path)
        if snap is not None and not snap.invalidated and not snap.same_file(stat):
            found.append((snap, settled(absolute)))
    return found


def notice(lookup: Lookup, candidates: list[tuple[Snap, Stat | None]], now_ns: int) -> list[Snap]:
    """Enter those of the candidates that really changed as Unseen; return the states that were replaced."""
    replaced = []
    now = iso(now_ns)
    for snap, stat in candidates:
        absolute = lookup.places.absolute(snap.path)
        if absolute in lookup.dirty or lookup.current(snap.path) is not snap:
            continue
        if stat is None or file_type(stat) not in (REGULAR, LINK):
            lookup.notice(snap, None, now)
            replaced.append(snap)
            continue
        sha256, kept = lookup.contents.read(absolute, stat, keep=lookup.keeps(absolute))
        if sha256 is not None and sha256 == snap.sha256 and stat[5] & 0o7777 == snap.mode:
            snap.stat, snap.seen_at = stat, now
            lookup.knowledge.restat([(snap.path, stat)], now)
            continue
        new = lookup.new_snap(absolute, stat, sha256, kept, now)
        lookup.credit_collection(absolute, snap, new)
        lookup.notice(snap, new, now)
        replaced.append(snap)
    return replaced
