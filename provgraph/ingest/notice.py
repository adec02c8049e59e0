"""Noticing changes that no activity explains (semantics rule 5)."""

import contextlib
import os
import time
from typing import Final

from provgraph.client.surroundings import git_folders
from provgraph.events.ports import Stat
from provgraph.ingest.contents import lstat, settled
from provgraph.ingest.lookup import Lookup, iso
from provgraph.ingest.state import LINK, REGULAR, Snap, file_type

_LOCKED_S: Final = 60.0
"""A git command holds its index no longer than this; what lies there longer was left behind by one that was killed."""
_JUST_NOW_S: Final = 0.5
_YOUNG_NS: Final = 500_000_000
_EMPTIED_NS: Final = 2_000_000_000
"""A shell empties a file before the command is there that writes it, which on a busy machine takes its time."""


def git_is_at_work(root: str) -> bool:
    """Whether a git command writes into the project's work tree, or did a moment ago: its hook will tell of it."""
    folders = git_folders(root)
    if folders is None:
        return False
    now = time.time()
    for name, age_s in (("index.lock", _LOCKED_S), ("index", _JUST_NOW_S)):
        with contextlib.suppress(OSError):
            if 0 <= now - os.stat(f"{folders[1]}/{name}").st_mtime < age_s:
                return True
    return False


def at_rest(stat: Stat | None, now_ns: int) -> bool:
    """Whether a file has been as it is for a while."""
    return stat is None or now_ns - stat[4] > (_EMPTIED_NS if stat[2] == 0 else _YOUNG_NS)


def changed_files(lookup: Lookup) -> list[tuple[Snap, Stat | None]]:
    """The tracked files whose identity on disk is not the known one, with what is there now. Cost: one lstat a file.

    One that was deleted and is there again is among them, with the state that was deleted.
    """
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
    return found + _there_again(lookup)


def _there_again(lookup: Lookup) -> list[tuple[Snap, Stat | None]]:
    found: list[tuple[Snap, Stat | None]] = []
    for path in lookup.knowledge.deleted():
        absolute = lookup.places.absolute(path)
        stat = lstat(absolute)
        if stat is None or not _is_file(stat) or absolute in lookup.dirty or not lookup.places.counts(absolute):
            continue
        snap = lookup.current(path)
        if snap is not None and snap.invalidated:
            found.append((snap, settled(absolute)))
    return found


def _is_file(stat: Stat | None) -> bool:
    return stat is not None and file_type(stat) in (REGULAR, LINK)


def notice(lookup: Lookup, candidates: list[tuple[Snap, Stat | None]], now_ns: int) -> list[Snap]:
    """Enter those of the candidates that really changed as Unseen; return the states that were replaced."""
    replaced = []
    now = iso(now_ns)
    for snap, stat in candidates:
        absolute = lookup.places.absolute(snap.path)
        if absolute in lookup.dirty or lookup.current(snap.path) is not snap:
            continue
        if stat is None or not _is_file(stat):
            if not snap.invalidated:
                lookup.notice(snap, None, now)
                replaced.append(snap)
            continue
        sha256, kept = lookup.contents.read(absolute, stat, keep=lookup.keeps(absolute))
        same = sha256 is not None and sha256 == snap.sha256 and stat[5] & 0o7777 == snap.mode
        if same and not snap.invalidated:
            snap.stat, snap.seen_at = stat, now
            lookup.knowledge.restat([(snap.path, stat)], now)
            continue
        new = lookup.new_snap(absolute, stat, sha256, kept, now)
        lookup.credit_collection(absolute, snap, new)
        lookup.notice(snap, new, now)
        replaced.append(snap)
    return replaced
