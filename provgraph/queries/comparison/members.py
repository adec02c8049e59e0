"""Members of two collections, and of two versions of a project."""

from collections.abc import Iterable
from typing import Final

from provgraph.graph.comparison import Members
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.reader import GraphReader

FEW: Final = 1000
"""Names of members that are kept of each sort; the counts are of all."""
LONGEST: Final = 20_000
"""Versions of a chain that are looked at."""


def collection_members(
    first: Iterable[tuple[str, str | None]], second: Iterable[tuple[str, str | None]]
) -> tuple[Members, tuple[str, ...]]:
    """What differs between the (path, digest) pairs of two collections, and notes."""
    ours, theirs = dict(first), dict(second)
    added = sorted(path for path in theirs if path not in ours)
    removed = sorted(path for path in ours if path not in theirs)
    shared = sorted(path for path in ours if path in theirs)
    changed = [path for path in shared if ours[path] != theirs[path]]
    unread = sum(ours[path] is None and theirs[path] is None for path in shared)
    notes = (f"{unread:,} members were never read, so nobody can tell whether they differ",) if unread else ()
    found = _members(added, removed, [(path, path) for path in changed], len(shared) - len(changed))
    return found, notes


def _members(added: list[str], removed: list[str], changed: list[tuple[str, str]], equal: int | None) -> Members:
    return Members(
        tuple(added[:FEW]), tuple(removed[:FEW]), tuple(changed[:FEW]), len(added), len(removed), len(changed), equal
    )


def version_members(reader: GraphReader, first: str, second: str) -> tuple[Members, tuple[str, ...]]:
    """What differs between the members of two versions.

    Versions are kept as differences to the one before (semantics rule 6). From both, their chains are walked back to
    the newest version that is in both; paths that only one side touched since are then looked up further back.
    """
    ours, theirs = _chain(reader, first), _chain(reader, second)
    common = next((uid for uid in ours if uid in theirs), None)
    touched = [_since(reader, chain, common) for chain in (ours, theirs)]
    paths = sorted({*touched[0], *touched[1]})
    missing = {path for path in paths if path not in touched[0] or path not in touched[1]}
    before = _before(reader, ours, common, missing)
    added: list[str] = []
    removed: list[str] = []
    changed: list[tuple[str, str]] = []
    for path in paths:
        one, other = (state.get(path, before.get(path)) for state in touched)
        if one is None and other is not None:
            added.append(display_name(other))
        elif one is not None and other is None:
            removed.append(display_name(one))
        elif one is not None and other is not None and _different(one, other):
            changed.append((display_name(one), display_name(other)))
    notes: tuple[str, ...] = ()
    if common is None:
        notes = ("no version came before both; all that either chain knows is compared",)
    elif len(ours) >= LONGEST or len(theirs) >= LONGEST:
        notes = (f"only the last {LONGEST:,} versions were looked at",)
    return _members(added, removed, changed, None), notes


def _different(one: Vertex, other: Vertex) -> bool:
    digests = one.properties.get("sha256"), other.properties.get("sha256")
    return one.uid != other.uid and (digests[0] is None or digests[0] != digests[1])


def _chain(reader: GraphReader, uid: str) -> dict[str, None]:
    """A version and those before it, newest first."""
    found: dict[str, None] = {}
    waiting = [uid]
    while waiting and len(found) < LONGEST:
        later: list[str] = []
        for one in waiting:
            if one in found:
                continue
            found[one] = None
            later += [e.target for e in reader.edges_of(one) if e.type == "wasDerivedFrom" and e.source == one]
        waiting = later
    return found


def _touched(reader: GraphReader, uid: str) -> dict[str, Vertex | None]:
    """What a version says of its members: what it adds or changes, and what it removes."""
    version = reader.vertex(uid)
    removed = version.properties.get("removed", ()) if version is not None else ()
    known = removed if isinstance(removed, list | tuple) else ()  # a graph from elsewhere may mean something else by it
    found: dict[str, Vertex | None] = dict.fromkeys(map(str, known))
    members = [e.target for e in reader.edges_of(uid) if e.type == "hadMember" and e.source == uid]
    found |= {str(member.properties.get("path", member.uid)): member for member in reader.vertices(members)}
    return found


def _since(reader: GraphReader, chain: Iterable[str], end: str | None) -> dict[str, Vertex | None]:
    """The newest word on every path that was touched after the version ``end``."""
    found: dict[str, Vertex | None] = {}
    for uid in chain:
        if uid == end:
            break
        for path, member in _touched(reader, uid).items():
            found.setdefault(path, member)
    return found


def _before(reader: GraphReader, chain: Iterable[str], start: str | None, paths: set[str]) -> dict[str, Vertex | None]:
    """The newest word on some paths as of the version ``start``."""
    found: dict[str, Vertex | None] = {}
    begun = False
    for uid in chain:
        begun = begun or uid == start
        if not begun:
            continue
        if len(found) == len(paths):
            break
        for path, member in _touched(reader, uid).items():
            if path in paths:
                found.setdefault(path, member)
    return found
