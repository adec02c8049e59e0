"""Why a segment is unusual, in words: statements that are true of few segments, the best three."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from provgraph.queries.summarization.mixing import rows_once
from provgraph.queries.summarization.occurrence import Feature, Longs, Occurrence, Spread
from provgraph.queries.summarization.odd import Values, particulars, surprises

Relation = tuple[int, str, int]

MOST = 3
_VERSION, _PRESENCE, _ABSENT, _COUNT, _EDGE, _GROUP = range(6)
"""Of statements that are true of equally few: which is told first."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """``holds``: the segments of which it is true; it is told of those in ``odd`` (all, where that is None).

    ``about`` is what it is about: nothing is told twice.
    """

    holds: frozenset[int]
    tier: int
    words: str
    about: str
    odd: frozenset[int] | None = None


class Names(NamedTuple):
    """What the kept classes and the groups are called."""

    classes: Sequence[str]
    groups: Sequence[str]


def reasons(
    found: Sequence[Occurrence],
    spread: Spread,
    group_class: Longs,
    between: Longs,
    relations: Sequence[Relation],
    names: Names,
    activities: frozenset[int],
) -> list[tuple[str, ...]]:
    """For each segment at most three reasons, the best first.

    Parameters:
        group_class, between: as for `odd.scores`.
        relations: what the numbers of ``between`` stand for.
        activities: which classes are activities'.
    """
    table = _Table(found, spread, group_class, between, relations, names, activities)
    count, true = len(found), [list[_Statement]() for _ in found]
    striking = [0 < holds < count and _stands_out(holds, count) for holds in range(count + 1)]
    _tell(true, chain(_versions(found, names.classes), table.presences(), table.edges()))
    unnamed = {segment for segment, own in enumerate(true) if not _striking(own, segment, striking)}
    if unnamed:  # of the others no group is told
        _tell(true, table.groups(unnamed))
    return [_best(statements, segment, striking) for segment, statements in enumerate(true)]


def _tell(true: Sequence[list[_Statement]], statements: Iterable[_Statement]) -> None:
    """Put each statement that is true of no more than half of the segments to those of which it is true."""
    for statement in statements:
        for segment in statement.holds if 2 * len(statement.holds) <= len(true) else ():
            true[segment].append(statement)


def _stands_out(holds: int, count: int) -> bool:
    return surprises([place < holds for place in range(count)])[0] > 0


def _best(true: Sequence[_Statement], segment: int, striking: Sequence[bool]) -> tuple[str, ...]:
    """What tells most of those that are true of a segment; ``striking`` says so for each number of segments."""
    count = len(striking) - 1
    best = _striking(true, segment, striking) or true
    told: dict[str, str] = {}
    named = [s for s in best if s.tier != _GROUP]  # a group's number says little, where something else can be said
    for s in sorted(named or best, key=lambda s: (len(s.holds), s.tier, s.words)):
        if s.about not in told:
            told[s.about] = f"{_few(len(s.holds), count)} {s.words}"
        if len(told) == MOST:
            break
    return tuple(told.values())


def _striking(true: Sequence[_Statement], segment: int, striking: Sequence[bool]) -> list[_Statement]:
    return [s for s in true if striking[len(s.holds)] and (s.odd is None or segment in s.odd)]


def _few(holds: int, count: int) -> str:
    return f"the only one of {count:,}" if holds == 1 else f"one of {holds:,} of {count:,}"


def _versions(found: Sequence[Occurrence], class_names: Sequence[str]) -> Iterator[_Statement]:
    shared = _shared(found)
    for key, values in particulars(found):
        bits = surprises(values)
        odd = frozenset(segment for segment, surprise in enumerate(bits) if surprise)
        if not odd:
            continue  # the same in all, or different in every one
        has: dict[str, set[int]] = {}
        for segment, value in enumerate(values):
            for text in value if isinstance(value, frozenset) else ():
                has.setdefault(text, set()).add(segment)
        some = {segment for segments in has.values() for segment in segments}
        where = class_names[key[1]] if key[1] >= 0 else ""
        for text in sorted(has):
            of = where if shared[key[0], key[2], text] > 1 or key[0] == "agent" else ""
            yield _Statement(frozenset(has[text]), _VERSION, _with(key, text, of), _about(key, text), odd)
        yield from _lacking(key, values, some, has, where)


def _lacking(
    key: Feature, values: Values, some: set[int], has: dict[str, set[int]], where: str
) -> Iterator[_Statement]:
    """Who does without what most have; a whole option or file, else the one snapshot."""
    there = {segment for segment, value in enumerate(values) if value is not None}
    what, _, name = key
    if what == "option":
        yield _Statement(frozenset(there - some), _VERSION, f"without {name}{_of(where)}", _about(key, name))
    if what != "used":
        return
    if not name.startswith("\0"):
        yield _Statement(frozenset(there - some), _ABSENT, f"that used no {name}", _about(key, name))
    for text in sorted(has):
        yield _Statement(frozenset(some - has[text]), _COUNT, f"that did not use {text}", _about(key, text))


def _with(key: Feature, text: str, where: str) -> str:
    what, _, name = key
    if what == "used":
        return f"that used {text}"
    if what == "agent":
        return f"with {where} run by {text}" if where else f"that {text} took part in"
    if what == "property":
        said = f"exit status {text}" if name == "exit_status" else f"{name} = {text}"
        return f"with {said}{_of(where)}"
    return f"with {'operand ' if what == 'operand' else ''}{text}{_of(where)}"


def _of(where: str) -> str:
    return f" ({where})" if where else ""


def _about(key: Feature, text: str) -> str:
    what, _, name = key
    if what == "used":
        return text if name.startswith("\0") else name
    return name.removeprefix("param_").lstrip("-") or text


def _shared(found: Sequence[Occurrence]) -> Counter[tuple[str, str, str]]:
    """In the activities of how many classes something (what, key, text) is."""
    different = {
        (key, text) for one in found for key, texts in one.particulars.items() if key[1] >= 0 for text in texts
    }
    return Counter((what, name, text) for (what, _, name), text in different)


@dataclass(slots=True)
class _Table:
    """What is in which segments, by class, by edge between classes, by group."""

    found: Sequence[Occurrence]
    spread: Spread
    group_class: Longs
    edge_relation: Longs
    relations: Sequence[Relation]
    names: Names
    activities: frozenset[int]
    everyone: frozenset[int] = frozenset()
    classes: dict[int, frozenset[int]] = field(default_factory=dict)
    between: dict[Relation, frozenset[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.everyone = frozenset(range(len(self.found)))
        self.classes = _gathered((cls, segment) for segment, one in enumerate(self.found) for cls in one.classes)
        relation, segment = rows_once(self.edge_relation[self.spread.edge], self.spread.edge_segment)
        pairs = zip(relation.tolist(), segment.tolist(), strict=True)
        self.between = _gathered((self.relations[number], place) for number, place in pairs)

    def presences(self) -> Iterator[_Statement]:
        """Whole classes: with, without, and how many. An entity that comes and goes with its activity is not told."""
        beside: dict[int, set[frozenset[int]]] = {}
        for source, _, target in self.between:
            for one, other in ((source, target), (target, source)):
                if other in self.activities and one not in self.activities:
                    beside.setdefault(one, set()).add(self.classes[other])
        for cls, segments in self.classes.items():
            name = self.names.classes[cls]
            if segments not in beside.get(cls, ()) or segments == self.everyone:
                yield _Statement(segments, _PRESENCE, f"with {name}", name)
                yield _Statement(self.everyone - segments, _PRESENCE, f"without {name}", name)
            if cls in self.activities:
                yield from self._counts(cls, name)

    def _counts(self, cls: int, name: str) -> Iterator[_Statement]:
        by_count: dict[int, set[int]] = {}
        for segment in self.classes[cls]:
            by_count.setdefault(self.found[segment].classes[cls], set()).add(segment)
        bits = surprises([one.classes.get(cls, 0) for one in self.found])
        odd = frozenset(segment for segment, surprise in enumerate(bits) if surprise)
        for count, holds in by_count.items() if odd and len(by_count) > 1 else ():
            yield _Statement(frozenset(holds), _COUNT, f"with {count:,} × {name}", name, odd)

    def edges(self) -> Iterator[_Statement]:
        """Edges between classes, where neither an end nor the name of who ran it says it already."""
        run_by = self._run_by()
        for (source, relation, target), segments in self.between.items():
            if segments in (self.classes[source], self.classes[target]):
                continue
            if relation == "wasAssociatedWith" and segments in run_by.get(source, ()):
                continue
            arrow = f"{self.names.classes[source]} –{relation}→ {self.names.classes[target]}"
            yield _Statement(segments, _EDGE, f"with {arrow}", arrow)
            lacking = (self.classes[source] & self.classes[target]) - segments
            if lacking == self.everyone - segments:
                yield _Statement(lacking, _EDGE, f"without {arrow}", arrow)

    def _run_by(self) -> dict[int, set[frozenset[int]]]:
        """For each class of activities and each person, the segments in which that person ran one of them."""
        has = _gathered(
            ((key[1], text), segment)
            for segment, one in enumerate(self.found)
            for key, texts in one.particulars.items()
            if key[0] == "agent"
            for text in texts
        )
        found: dict[int, set[frozenset[int]]] = {}
        for (cls, _name), segments in has.items():
            found.setdefault(cls, set()).add(segments)
        return found

    def groups(self, wanted: set[int]) -> Iterator[_Statement]:
        """The summary's groups that some of these segments have, where the class has several."""
        pairs = zip(self.spread.group.tolist(), self.spread.segment.tolist(), strict=True)
        for group, segments in _gathered(pairs).items():
            cls = int(self.group_class[group])
            if segments != self.classes[cls] and not wanted.isdisjoint(segments):
                name = self.names.groups[group]
                yield _Statement(segments, _GROUP, f"with {name}", self.names.classes[cls])


def _gathered[K](pairs: Iterable[tuple[K, int]]) -> dict[K, frozenset[int]]:
    """The segments of each key."""
    has: dict[K, set[int]] = {}
    for key, segment in pairs:
        has.setdefault(key, set()).add(segment)
    return {key: frozenset(segments) for key, segments in has.items()}
