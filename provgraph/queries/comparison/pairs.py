"""Two vertices that stand for the same, and what stands around them."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from provgraph.graph.comparison import Content, Pair, Related, State
from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.reader import GraphReader
from provgraph.queries.comparison.contents import (
    MOST_CONTENTS,
    Contents,
    content_difference,
    has_content,
    was_read,
)
from provgraph.queries.comparison.documents import document_difference, parsed
from provgraph.queries.comparison.keys import Key, agent_keys, key_of, place_of
from provgraph.queries.comparison.properties import INSTALLED, property_differences

_SHOWN: Final = (
    ("used", True),
    ("wasGeneratedBy", False),
    ("wasInvalidatedBy", False),
    ("wasGeneratedBy", True),
    ("wasAssociatedWith", True),
    ("wasAttributedTo", True),
    ("actedOnBehalfOf", True),
)
"""The relations of an activity, of an entity, and of an agent that a comparison tells, in their order."""
Both = tuple[Vertex | None, Vertex | None]
MOST: Final = 5000
"""Relations of a vertex that are looked at."""
INSTALLED_MOST: Final = 10_000


def pair_of(first: Vertex, second: Vertex, read: Contents | None, *, everything: bool = False) -> Pair:
    """What differs between two vertices: properties, and contents where both have one."""
    if first.uid == second.uid and first == second:
        return Pair(first, second, property_differences(first, second))
    content = _held(first, second, read, everything)
    both_hold = all({"Collection", "Version"}.intersection(vertex.labels) for vertex in (first, second))
    return Pair(first, second, property_differences(first, second, told=content is not None or both_hold), content)


def _held(first: Vertex, second: Vertex, read: Contents | None, everything: bool) -> Content | None:
    """What two snapshots contain: of files their bytes, of environments what is installed."""
    if has_content(first) and has_content(second):
        return content_difference(first, second, read, everything=everything)
    installed = [vertex.properties.get(INSTALLED) for vertex in (first, second)]
    if all(isinstance(text, str) for text in installed):
        (one, ours), (other, theirs) = (parsed(str(text), "json") for text in installed)
        if one and other:
            found = document_difference(ours, theirs, INSTALLED_MOST)
            return found if found.changes_count else replace(found, state="equal", reason="")
    return None


def related_of(
    reader: GraphReader,
    first: Vertex,
    second: Vertex,
    read: Contents | None,
    *,
    environment: bool = False,
    everything: bool = False,
) -> tuple[Related, ...]:
    """What the two used, generated, invalidated, and who was responsible; aligned by artifact.

    Environments are left out where both used the same one, unless ``environment`` is set.
    """
    found: list[Related] = []
    left = MOST_CONTENTS
    ends = [_ends(reader, vertex.uid) for vertex in (first, second)]
    for relation, outgoing in _SHOWN:
        sides = [end.get((relation, outgoing), []) for end in ends]
        for one, other in _without_members(aligned(*sides)):
            if not environment and one is not None and one == other and "Environment" in one.labels:
                continue
            found.append(_related(relation, outgoing, one, other, read if left > 0 else None, everything))
            left -= was_read(found[-1].content)
    return tuple(found)


def _without_members(pairs: Sequence[Both]) -> list[Both]:
    """Without the files of two collections that stand for each other: what differs in these is asked of them."""
    folders = tuple(
        f"{vertex.properties.get('path')}/"
        for pair in pairs
        if all(vertex is not None and "Collection" in vertex.labels for vertex in pair)
        for vertex in pair
        if vertex is not None
    )
    if not folders:
        return list(pairs)
    return [
        pair
        for pair in pairs
        if not any(v is not None and str(v.properties.get("path", "")).startswith(folders) for v in pair)
    ]


def _ends(reader: GraphReader, uid: str) -> dict[tuple[str, bool], list[Vertex]]:
    found: dict[tuple[str, bool], dict[str, None]] = {}
    for edge in reader.edges_of(uid, MOST):
        outgoing = edge.source == uid
        found.setdefault((edge.type, outgoing), {})[edge.target if outgoing else edge.source] = None
    wanted = {key: list(uids) for key, uids in found.items() if key in _SHOWN}
    vertices = {v.uid: v for v in reader.vertices({uid for uids in wanted.values() for uid in uids})}
    return {key: [vertices[uid] for uid in uids if uid in vertices] for key, uids in wanted.items()}


def aligned(first: Sequence[Vertex], second: Sequence[Vertex]) -> list[Both]:
    """Vertices with one role on each side: the same ones, then those of one key in order, then what alone is left.

    What is left is paired where each side has one of that sort (``a.json`` and ``b.json``). Pairs first, then by name.
    """
    who = agent_keys((*first, *second))
    ours, theirs = _by_key(first, who), _by_key(second, who)
    pairs: list[Both] = []
    left: tuple[list[Vertex], list[Vertex]] = ([], [])
    for key in dict.fromkeys((*ours, *theirs)):
        mine, others = ours.get(key, []), theirs.get(key, [])
        same = {v.uid for v in mine} & {v.uid for v in others}
        pairs += [(v, next(o for o in others if o.uid == v.uid)) for v in mine if v.uid in same]
        mine, others = [v for v in mine if v.uid not in same], [v for v in others if v.uid not in same]
        pairs += zip(mine, others, strict=False)
        left[0].extend(mine[len(others) :])
        left[1].extend(others[len(mine) :])
    pairs += _by_place(*left)
    return sorted(pairs, key=lambda pair: (None in pair, *_names(*pair)))


def _names(one: Vertex | None, other: Vertex | None) -> tuple[str, str]:
    names = [display_name(vertex) for vertex in (one, other) if vertex is not None]
    return names[0], names[-1]


def _by_key(vertices: Iterable[Vertex], who: Mapping[str, Key]) -> dict[object, list[Vertex]]:
    found: dict[object, list[Vertex]] = {}
    for vertex in sorted(vertices, key=lambda v: (str(v.properties.get("created_at", "")), v.uid)):
        found.setdefault(who.get(vertex.uid) or key_of(vertex), []).append(vertex)
    return found


def _by_place(ours: list[Vertex], theirs: list[Vertex]) -> list[Both]:
    pairs: list[Both] = []
    for place in dict.fromkeys(map(place_of, (*ours, *theirs))):
        mine = [v for v in ours if place_of(v) == place]
        others = [v for v in theirs if place_of(v) == place]
        if len(mine) == len(others) == 1 and "Agent" not in mine[0].labels:
            pairs.append((mine[0], others[0]))
        else:
            pairs += [(v, None) for v in mine]
            pairs += [(None, v) for v in others]
    return pairs


def _related(
    relation: str, outgoing: bool, one: Vertex | None, other: Vertex | None, read: Contents | None, everything: bool
) -> Related:
    if one is None or other is None:
        return Related(relation, outgoing, "second" if one is None else "first", one, other)
    if one.uid == other.uid or "Agent" in one.labels:  # of one key, for agents are aligned by nothing else
        return Related(relation, outgoing, "equal", one, other)
    content = _held(one, other, read, everything)
    state: State = "differs"
    if content is not None:
        alike = content.state == "equal" and os.path.normpath(str(one.properties.get("path"))) == os.path.normpath(
            str(other.properties.get("path"))
        )
        state = "equal" if alike else "differs"
    return Related(relation, outgoing, state, one, other, content)
