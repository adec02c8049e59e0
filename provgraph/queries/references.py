"""References: the one grammar in which a vertex is named.

    PATH            its newest snapshot                PATH@3, PATH@-2     the third; the one before the newest
    PATH@TIME       as of that time                    *.pkl, *.pkl@*      sets: the newest of each; all
    PATH@COMMIT     or tag or branch: as it has it     COMMIT, v1.0        the version itself
    UID             or a unique prefix of six or more  %1                  my newest command, %2 the one before
    agent:NAME      somebody, by name or e-mail        ORIGIN:PATH@3       another clone's third

What colleagues recorded counts for ``PATH``, ``PATH@TIME`` and globs; numbers after ``@`` and ``%`` are this clone's.

An exact uid wins over every other reading. What follows the last ``@`` is a number, a time (``14:30`` is today's), a
commit, tag or branch; a
file whose own name has an ``@`` is reached by its uid or by ``PATH@-1``, or plainly where nothing else could be meant.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name, short_uid
from provgraph.graph.reader import ActivityFilter, GraphReader, SnapshotRow
from provgraph.queries.history import ran
from provgraph.queries.places import Places
from provgraph.queries.times import in_order, looks_like_time, moment
from provgraph.queries.versions import SHORTEST, as_of_commit, find_commit, version_named

_PREFIX = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{5,35}")
_CONDITION = re.compile(r"\w\s*(=|!=|<=?|>=?)\s*\S")
_NUMBER = re.compile(r"[+-]?\d{1,18}")
_NAMED_ACTIVITY = re.compile(r"(?P<name>.+) #(?P<number>\d{1,18})")
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a reference names: one vertex, or several for a glob; ``notes`` say what is worth knowing about it."""

    uids: tuple[str, ...]
    notes: tuple[str, ...] = ()


def resolve(reader: GraphReader, text: str, places: Places) -> Resolved:
    """The vertices that a reference names, in a fixed order.

    Raises:
        UnknownReferenceError: none, or more than one where one must be meant; lists the nearest or the competing ones.
        QuestionError: a form that is refused, with the reason.
    """
    if not text:
        raise UnknownReferenceError("an empty reference; name a path, a uid, %1 or agent:NAME")
    if reader.vertex(text) is not None:
        return Resolved((text,))
    if text.startswith("%"):
        return _nth(reader, text)
    if text.startswith("agent:"):
        return _agent(reader, text)
    for reading in (_by_origin, _by_path, _by_split, _by_glob, _by_member):
        found = reading(reader, text, places)
        if found is not None:
            return found
    found = _by_prefix(reader, text) or _by_activity_name(reader, text, text) or _by_name(reader, text)
    found = found or _by_content(reader, text, places) or _by_commit(reader, text, places)
    if found is not None:
        return found
    raise _unknown(reader, text, places)


def resolve_all(reader: GraphReader, texts: Iterable[str], places: Places) -> Resolved:
    """The vertices that several references name together, each once, in the order of the references."""
    uids: dict[str, None] = {}
    notes: dict[str, None] = {}
    for text in texts:
        found = resolve(reader, text, places)
        uids.update(dict.fromkeys(found.uids))
        notes.update(dict.fromkeys(found.notes))
    return Resolved(tuple(uids), tuple(notes))


def resolve_one(reader: GraphReader, text: str, places: Places) -> tuple[Vertex, tuple[str, ...]]:
    """The one vertex that a reference names, and notes.

    Raises:
        UnknownReferenceError: none, or more than one (a glob).
    """
    found = resolve(reader, text, places)
    if len(found.uids) > 1:
        names = _names(reader, found.uids[:10])
        raise UnknownReferenceError(
            f"{text!r} names {len(found.uids)} vertices, and one is asked for: {', '.join(names)}", tuple(names)
        )
    vertex = reader.vertex(found.uids[0])
    assert vertex is not None
    return vertex, found.notes


def _nth(reader: GraphReader, text: str) -> Resolved:
    number = text[1:]
    if not number.isascii() or not number.isdigit() or int(number) < 1:
        raise QuestionError(f"{text!r}: after % stands a number, %1 for the newest command; a file is ./{text}")
    vertex = reader.nth_activity(int(number))
    if vertex is None or not ran(vertex):
        newest = reader.nth_activity(1)
        known = "no command was recorded yet" if newest is None else "`provdb log` lists them"
        raise UnknownReferenceError(f"there is no command {text}; {known}")
    return Resolved((vertex.uid,))


def _agent(reader: GraphReader, text: str) -> Resolved:
    name = text[len("agent:") :]
    agents = reader.agents_named(name)
    if len(agents) == 1 or (agents and all("SoftwareAgent" in agent.labels for agent in agents)):
        return Resolved((agents[0].uid,))  # each clone has a vertex of its own for a program
    if agents:
        shown = tuple(f"{display_name(a)} <{a.properties.get('email', short_uid(a.uid))}>" for a in agents)
        raise UnknownReferenceError(
            f"{len(agents)} agents are called {name!r}: {', '.join(shown)}; use the e-mail address", shown
        )
    raise UnknownReferenceError(f"no agent is called {name!r}; `provdb log` shows who ran what")


def _by_origin(reader: GraphReader, text: str, places: Places) -> Resolved | None:
    short, colon, rest = text.partition(":")
    if not colon or short not in places.origins:
        return None
    wanted = places.origins[short]
    head, suffix = _split(rest)
    for typed, selector in ((rest, ""), (head, suffix)):
        for path in _paths(typed, places):
            rows = [row for row in reader.snapshots(path) if places.is_of(row, wanted)]
            if rows:
                return _select(reader, rows, selector, path, places, wanted)
    shown = rest if wanted == places.origin else f"{places.short(wanted)}:{rest}"
    found = _by_activity_name(reader, rest, shown)
    if found is not None:
        return found
    raise UnknownReferenceError(f"clone {short} has no {rest!r}; `provdb status` lists the clones")


def _by_path(reader: GraphReader, text: str, places: Places) -> Resolved | None:
    for path in _paths(text, places):
        rows = reader.snapshots(path)
        if rows and not (_split(text)[1] and reader.snapshots(_paths(_split(text)[0], places)[0])):
            return _select(reader, rows, "", path, places, places.origin)
    return None


def _by_split(reader: GraphReader, text: str, places: Places) -> Resolved | None:
    head, suffix = _split(text)
    if not suffix:
        return None
    for path in _paths(head, places):
        rows = reader.snapshots(path)
        if rows:
            return _select(reader, rows, suffix, path, places, places.origin)
    return None


def _by_glob(reader: GraphReader, text: str, places: Places) -> Resolved | None:
    head, suffix = _split(text)
    pattern, selector = (head, suffix) if suffix else (text, "")
    if not _GLOB.search(pattern):
        return None
    named = _by_activity_name(reader, text, text)  # cell[5] #4
    if named is not None:
        return named
    for path in _paths(pattern, places):
        by_path: dict[str, list[SnapshotRow]] = {}
        for row in reader.snapshots_matching(path):
            by_path.setdefault(row.path, []).append(row)
        if not by_path:
            continue
        uids: list[str] = []
        for found in sorted(by_path):
            try:
                uids += _select(reader, by_path[found], selector, found, places, places.origin).uids
            except UnknownReferenceError:
                continue  # a set: files that have no third snapshot are not in `*.pkl@3`, nor others in `*.pkl@v1.0`
        if uids:
            return Resolved(tuple(uids))
    raise UnknownReferenceError(f"nothing recorded matches {text!r}; ** crosses folders, * does not")


def _by_member(reader: GraphReader, text: str, places: Places) -> Resolved | None:
    for path in _paths(text, places):
        rows = reader.collections_with_member(path)
        if rows:
            holder = places.row_name(rows[0])
            more = f" ({len(rows)} collections hold it)" if len(rows) > 1 else ""
            return Resolved((rows[0].uid,), (f"{path} is a member of {holder}{more}",))
    return None


def _by_prefix(reader: GraphReader, text: str) -> Resolved | None:
    if not _PREFIX.fullmatch(text):
        return None
    uids = reader.uids_with_prefix(text.lower(), 10) or reader.uids_with_prefix(text, 10)
    if not uids:
        return None
    if len(uids) > 1:
        shown = tuple(f"{uid} ({name})" for uid, name in zip(uids, _names(reader, uids), strict=True))
        raise UnknownReferenceError(f"{len(uids)} or more uids begin with {text}: {', '.join(shown)}", shown)
    return Resolved((uids[0],))


def _by_activity_name(reader: GraphReader, text: str, shown: str) -> Resolved | None:
    """By name and number, as a listing shows it."""
    match = _NAMED_ACTIVITY.fullmatch(text)
    if match is None:
        return None
    found = [
        vertex
        for vertex in reader.activities(ActivityFilter(grep=re.escape(match["name"]), unseen=False))
        if display_name(vertex) == shown
    ]
    return Resolved((found[0].uid,)) if len(found) == 1 else None


def _by_name(reader: GraphReader, text: str) -> Resolved | None:
    """Only graphs from elsewhere have entities with names of their own."""
    named = getattr(reader, "named", None)
    if named is None:
        return None
    uids: list[str] = named(text)
    if len(uids) > 1:
        raise UnknownReferenceError(f"{len(uids)} vertices are called {text!r}: {', '.join(uids)}", tuple(uids))
    return Resolved((uids[0],)) if uids else None


def _by_content(reader: GraphReader, text: str, places: Places) -> Resolved | None:
    digest = places.digest(text)
    if digest is None:
        return None
    rows = reader.snapshots_with_digest(digest)
    if not rows:
        raise UnknownReferenceError(
            f"{text!r} is on disk, but neither its path nor its content was ever recorded; "
            "commands run with provdb record what they touch"
        )
    more = f"; {len(rows) - 1} more have it too" if len(rows) > 1 else ""
    return Resolved(
        (rows[0].uid,), (f"{text} is not recorded; its content is that of {places.row_name(rows[0])}{more}",)
    )


def _by_commit(reader: GraphReader, text: str, places: Places) -> Resolved | None:
    version = version_named(reader, text, places)
    return None if version is None else Resolved((version,))


def _select(
    reader: GraphReader, rows: list[SnapshotRow], selector: str, path: str, places: Places, origin: str
) -> Resolved:
    if not selector:
        newest = rows[-1]
        notes = (f"{path} was deleted; {places.row_name(newest)} is its last snapshot",) if newest.invalidated else ()
        return Resolved((newest.uid,), notes)
    if selector == "*":
        return Resolved(tuple(row.uid for row in rows))
    if _NUMBER.fullmatch(selector):
        try:
            return _numbered(rows, int(selector), path, places, origin)
        except UnknownReferenceError:  # of git's abbreviated ids one in thirty has digits alone
            if len(selector) < SHORTEST or find_commit(reader, selector, places, path) is None:
                raise
    if looks_like_time(selector):
        return _as_of(rows, selector, path, places)
    if _GLOB.search(selector):
        found = tuple(row.uid for row in rows if fnmatchcase(str(row.sequence), selector))
        if found:
            return Resolved(found)
    row, remarks = as_of_commit(reader, rows, selector, path, places)
    return Resolved((row.uid,), remarks)


def _numbered(rows: list[SnapshotRow], number: int, path: str, places: Places, origin: str) -> Resolved:
    """Numbers are a clone's own: each counts for itself. Where this one has none, that of the only other will do."""
    own = [row for row in rows if places.is_of(row, origin)]
    clones = {row.origin for row in rows}
    if number < 0:
        pool = own or (rows if len(clones) == 1 else [])
        if -number <= len(pool):
            return Resolved((pool[number].uid,))
    else:
        found = [row for row in own if row.sequence == number] or [row for row in rows if row.sequence == number]
        if len(found) == 1:
            return Resolved((found[0].uid,))
        if found:
            shown = tuple(f"{places.row_name(row)} ({row.created_at})" for row in found)
            raise UnknownReferenceError(f"{path}@{number} is in {len(found)} clones: {', '.join(shown)}", shown)
    names = tuple(places.row_name(row) for row in rows)
    listed = ", ".join(names) if len(names) <= 4 else f"{names[0]} … {names[-1]}"
    raise UnknownReferenceError(f"there is no {path}@{number}; there is {listed}", names[::-1][:10])


def _as_of(rows: list[SnapshotRow], selector: str, path: str, places: Places) -> Resolved:
    limit = moment(selector, places.zone, end_of_day=True)
    before = [row for row in rows if in_order(row.created_at) <= limit]
    if not before:
        first = rows[0]
        raise UnknownReferenceError(
            f"{path} was not known at {selector}; its first snapshot, {places.row_name(first)}, "
            f"is of {first.created_at}",
            (places.row_name(first),),
        )
    return Resolved((before[-1].uid,))


def _unknown(reader: GraphReader, text: str, places: Places) -> UnknownReferenceError:
    head, suffix = _split(text)
    near: dict[str, None] = {}
    for path in _paths(text, places) + (_paths(head, places) if suffix else []):
        near.update(dict.fromkeys(reader.paths_like(path)))
    if near:
        return UnknownReferenceError(f"nothing recorded is called {text!r}; near: {', '.join(near)}", tuple(near))
    hint = "`provdb log` lists what is"
    if reader.agents_named(text):
        hint = f"somebody is: agent:{text}"
    elif _CONDITION.search(text):
        hint = f"`segment` takes conditions as 'where: {text}'"
    return UnknownReferenceError(f"nothing recorded is called {text!r}; {hint}")


def _split(text: str) -> tuple[str, str]:
    """At the last ``@``; a suffix with a slash belongs to the path."""
    head, at, suffix = text.rpartition("@")
    return (head, suffix) if at and head and "/" not in suffix else (text, "")


def _paths(text: str, places: Places) -> list[str]:
    """The store's paths that a typed one may mean: from where the user stands, then as listings print it."""
    return list(dict.fromkeys((places.locate(text), text)))


def _names(reader: GraphReader, uids: Iterable[str]) -> list[str]:
    found = {vertex.uid: display_name(vertex) for vertex in reader.vertices(list(uids))}
    return [found.get(uid, short_uid(uid)) for uid in uids]
