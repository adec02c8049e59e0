"""Versions as references: a commit or tag alone, a file as of one, and what a version holds (semantics rule 6)."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Final

from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.elements import Vertex
from provgraph.graph.reader import GraphReader, SnapshotRow
from provgraph.queries.places import Committed, Places
from provgraph.queries.times import check_text, in_order, looks_like_time, moment

LONGEST: Final = 20_000
"""Versions of a chain that are looked at."""
SHORTEST: Final = 6
"""Characters of a commit's id that name it."""
_HEX: Final = frozenset("0123456789abcdef")


class NotRecordedError(UnknownReferenceError):
    """No snapshot has what a commit has of a file: ``commit`` is its id, ``selector`` what the user calls it."""

    def __init__(self, path: str, selector: str, commit: str) -> None:
        super().__init__(f"what {selector} has of {path} was not recorded")
        self.path, self.selector, self.commit = path, selector, commit


def find_commit(reader: GraphReader, text: str, places: Places, path: str = "") -> Committed | None:
    """The commit that a branch, a tag, or a commit's id names; one that was recorded is found without git too.

    Parameters:
        path: of the file whose state is asked for: it may lie in a repository of its own.
    Raises:
        UnknownReferenceError: the beginning of an id that several recorded commits have.
    """
    found = places.commit(text, path)
    if found is not None:
        return found
    prefix = text.lower()
    if len(prefix) < SHORTEST or set(prefix) - _HEX:
        return None
    recorded = reader.commits(prefix)
    if len(recorded) > 1:
        shown = tuple(str(vertex.properties["commit"]) for vertex in recorded)
        raise UnknownReferenceError(f"{len(shown)} commits begin with {text}: {', '.join(shown[:8])}", shown)
    return _committed(recorded[0]) if recorded else None


def _committed(vertex: Vertex) -> Committed:
    properties = vertex.properties
    return Committed(str(properties["commit"]), vertex.uid, str(properties.get("created_at", "")))


def version_named(reader: GraphReader, text: str, places: Places) -> str | None:
    """uid of the version that a commit, tag or branch is; None where the text names no commit.

    Raises:
        UnknownReferenceError: it names one that was not recorded.
    """
    found = find_commit(reader, text, places)
    if found is None:
        return None
    if reader.vertex(found.uid) is None:
        raise UnknownReferenceError(
            f"{text} is commit {found.id[:8]}, of which no version was recorded; "
            "commits are from `provdb git-hooks install` on, and by `provdb git commit`"
        )
    return found.uid


def as_of_commit(
    reader: GraphReader, rows: list[SnapshotRow], selector: str, path: str, places: Places
) -> tuple[SnapshotRow, tuple[str, ...]]:
    """The snapshot of a file that a commit has, and notes.

    That is a member of its version, else one with the content that git has, else one that an earlier version has. Of a
    state that nobody recorded, the newest snapshot before the commit's second stands for it, with a note: one of that
    very second may be later.

    Raises:
        QuestionError: no such commit. UnknownReferenceError: the file is not in it, or nothing may stand for it.
        NotRecordedError: nobody recorded it, and ``places`` asks for it exactly.
    """
    commit = find_commit(reader, selector, places, path)
    if commit is None:
        raise QuestionError(
            f"{path}@{selector}: {selector!r} is no number, time, commit or tag; there is {places.row_name(rows[-1])}"
            f" (a file named {path}@{selector} is {path}@{selector}@-1)"
        )
    by_uid = {row.uid: row for row in rows}
    direct = [by_uid[uid] for uid in _members(reader, commit.uid) if uid in by_uid]
    if direct:
        return direct[-1], ()
    digest = places.committed(commit.id, path)
    if digest == "":
        raise UnknownReferenceError(f"{path} is not in {selector} (commit {commit.id[:8]})")
    if digest is not None:
        same = [row for row in rows if row.sha256 == digest]
        earlier = [row for row in same if in_order(row.created_at) <= _to_the_second(commit.at)]
        if same:
            return (earlier[-1] if earlier else same[0]), ()
    else:
        held = _held(reader, commit.uid, path, by_uid, exact=places.exact)
        if held is not None:
            return held, ()
    if places.exact:
        raise NotRecordedError(path, selector, commit.id)
    earlier = [row for row in rows if in_order(row.created_at) < in_order(commit.at)]
    if not earlier:
        hint = f"; `provdb restore {path}@{selector} -o FILE` gives what git has" if digest is not None else ""
        raise UnknownReferenceError(f"what {selector} has of {path} was not recorded, nor any earlier state{hint}")
    name = places.row_name(earlier[-1])
    return earlier[-1], (f"what {selector} has of {path} was not recorded; {name} is its newest snapshot before",)


def _to_the_second(at: str) -> str:
    """The end of the second in which something was committed: git keeps no fractions."""
    text = in_order(at)
    return text.replace(".000000", ".999999") if ".000000" in text else text


def _members(reader: GraphReader, version: str) -> list[str]:
    return [e.target for e in reader.edges_of(version) if e.type == "hadMember" and e.source == version]


def _held(
    reader: GraphReader, version: str, path: str, rows: dict[str, SnapshotRow], *, exact: bool
) -> SnapshotRow | None:
    """The snapshot that the newest version has which says anything of a path, from one version back.

    Parameters:
        exact: a version with unrecorded files may have changed the path without saying so: none before it counts.
    """
    for uid in _chain(reader, version):
        found = [rows[member] for member in _members(reader, uid) if member in rows]
        if found:
            return found[-1]
        if path in _removed(reader, uid) or (exact and _unrecorded(reader, uid)):
            return None
    return None


def _chain(reader: GraphReader, uid: str) -> Iterable[str]:
    """A version and its first parents, newest first."""
    seen: set[str] = set()
    following: str | None = uid
    while following is not None and following not in seen and len(seen) < LONGEST:
        seen.add(following)
        yield following
        parents = [
            edge
            for edge in reader.edges_of(following)
            if edge.type == "wasDerivedFrom"
            and edge.source == following
            and edge.properties.get("prov_type") != "Rewrite"
            and edge.properties.get("parent") in (None, 1)
        ]
        following = parents[0].target if parents else None


def _unrecorded(reader: GraphReader, uid: str) -> bool:
    vertex = reader.vertex(uid)
    return vertex is not None and bool(vertex.properties.get("files_unrecorded"))


def _removed(reader: GraphReader, uid: str) -> frozenset[str]:
    vertex = reader.vertex(uid)
    removed = () if vertex is None else vertex.properties.get("removed", ())
    return frozenset(map(str, removed)) if isinstance(removed, list | tuple) else frozenset()


def members_of(reader: GraphReader, version: str) -> list[str]:
    """uids of the snapshots that a version holds: what it and those before it added last and did not remove, by path.

    Cost: two questions for each version before it.
    """
    found: dict[str, str | None] = {}
    for uid in _chain(reader, version):
        for member in reader.vertices(_members(reader, uid)):
            found.setdefault(str(member.properties.get("path", member.uid)), member.uid)
        for path in _removed(reader, uid):
            found.setdefault(path, None)
    return [found[path] or "" for path in sorted(found) if found[path] is not None]


def with_members(reader: GraphReader, uids: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The vertices that a walk begins at where references name these, for a version stands for what it holds; notes."""
    found: dict[str, None] = {}
    notes, named = list[str](), list(uids)
    vertices = {vertex.uid: vertex for vertex in reader.vertices(named)}
    for uid in named:
        if uid not in vertices or "Version" not in vertices[uid].labels:
            found[uid] = None
            continue
        held = members_of(reader, uid)
        found.update(dict.fromkeys(held or [uid]))
        name = f"version {str(vertices[uid].properties.get('commit') or uid)[:8]}"
        notes.append(f"{name} stands for the {len(held)} recorded files that it holds" if held else f"{name} is empty")
    return tuple(found), tuple(notes)


def limit(reader: GraphReader, text: str, places: Places, zone: tzinfo | None = None, *, end: bool = False) -> str:
    """A time, or the time of a commit or tag, as ISO 8601 in UTC that sorts as text.

    Parameters:
        end: it is the later end: a date counts whole, and so does the second of a commit.
    Raises:
        QuestionError: it is neither.
    """
    check_text(text)
    if not looks_like_time(text):
        commit = find_commit(reader, text, places)
        if commit is not None and commit.at:
            return _to_the_second(commit.at) if end else in_order(commit.at)
    return moment(text, zone, end_of_day=end)
