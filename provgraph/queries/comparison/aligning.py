"""Which vertices of two graphs stand for the same: greedy, in a fixed order, from what is sure to what is likely.

1. What the graphs were asked for, side by side.
2. Vertices that are in both, if something that depends on them does so in both. (``config.json@1``, which a training
   used, and which the other graph only knows as what ``config.json@2`` was made from, stands in another place there.)
3. From these along the edges into the past: neighbours over the same relation with the same key (``keys.key_of``).
   Where several have it: the same vertex, the same digest, the same surroundings, then by time. Where none has, but
   one alone is left on either side: that one, if nothing else in the other graph has its key.
4. The same along all edges; then what is left and has surroundings or a key that nothing else has; then by time.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from provgraph.model.vocabulary import ANCESTRY
from provgraph.queries.comparison.keys import place_of
from provgraph.queries.comparison.sides import Side, Way

Match = tuple[str, str]


def align(first: Side, second: Side) -> tuple[list[Match], list[Match]]:
    """(all pairs of uids in the order in which they were found, those among them that were asked for)."""
    return _Aligner(first, second).run()


class _Aligner:
    def __init__(self, first: Side, second: Side) -> None:
        self.first, self.second = first, second
        self.pairs: list[Match] = []

    def run(self) -> tuple[list[Match], list[Match]]:
        self._roots()
        roots = list(self.pairs)
        self._identical(everywhere=False)
        self._spread([(name, True) for name in ANCESTRY])
        self._identical(everywhere=True)
        self._spread(None)
        for mark in (self._surroundings, self._key):
            self._unique(mark)
            self._spread(None)
        self._by_time()
        self._spread(None)
        return self.pairs, roots

    def _pair(self, one: str, other: str) -> None:
        self.first.mates[one], self.second.mates[other] = other, one
        self.first.free[self.first.keys[one]] -= 1
        self.second.free[self.second.keys[other]] -= 1
        self.pairs.append((one, other))

    def _free(self, one: str, other: str) -> bool:
        return one not in self.first.mates and other not in self.second.mates

    def _roots(self) -> None:
        ours, theirs = self.first.asked(), self.second.asked()
        if len(ours) == len(theirs) == 1:
            one, other = ours[0], theirs[0]
            keys = self.first.keys[one], self.second.keys[other]
            alien = not self.second.free[keys[0]] and not self.first.free[keys[1]]
            alike = self.first.vertices[one].kind is self.second.vertices[other].kind
            if keys[0] == keys[1] or (alien and alike):
                self._pair(one, other)
            return
        self._match_groups(ours, theirs, lambda side, uid: side.keys[uid])

    def _identical(self, *, everywhere: bool) -> None:
        theirs = self.second.vertices
        shared = [uid for uid, v in self.first.vertices.items() if uid in theirs and theirs[uid].kind is v.kind]
        in_place: dict[str, bool] = {}
        for uid in sorted(shared, key=lambda uid: -self.first.levels[uid]):  # what depends on it comes before it
            in_place[uid] = not self._free(uid, uid) or self._in_place(uid, in_place)
            if self.first.mates.get(uid, uid) != uid or self.second.mates.get(uid, uid) != uid:
                in_place[uid] = False
        for uid in shared:
            if self._free(uid, uid) and (everywhere or in_place[uid]):
                self._pair(uid, uid)

    def _in_place(self, uid: str, known: dict[str, bool]) -> bool:
        """Whether something that depends on it does so in both; or nothing does in one of them."""
        ours, theirs = (side.dependents(uid) for side in (self.first, self.second))
        if not ours or not theirs:
            return True
        there: dict[object, set[str]] = {}
        for relation, end in theirs:
            there.setdefault((relation, self.second.keys[end]), set()).add(end)
        for relation, end in ours:
            ends = there.get((relation, self.first.keys[end]), set())
            if len(ends) > (end in ends) or (end in ends and known.get(end, True)):
                return True
        return False

    def _spread(self, ways: Sequence[Way] | None) -> None:
        """From every pair to its neighbours; what is sure first."""
        sure = deque(self.pairs)
        unsure: deque[Match] = deque()
        placed: deque[Match] = deque()
        while sure or unsure or placed:
            before = len(self.pairs)
            if sure:
                match = sure.popleft()
                if not self._neighbours(match, ways, single=True):
                    unsure.append(match)
                placed.append(match)
            elif unsure:
                self._neighbours(unsure.popleft(), ways, single=False)
            else:
                self._places(placed.popleft(), ways)
            sure.extend(self.pairs[before:])

    def _buckets(self, match: Match, ways: Sequence[Way] | None) -> Iterable[tuple[list[str], list[str]]]:
        ours, theirs = self.first.near[match[0]], self.second.near[match[1]]
        for way in sorted(ours) if ways is None else ways:
            mine = [uid for uid in ours.get(way, ()) if uid not in self.first.mates]
            others = [uid for uid in theirs.get(way, ()) if uid not in self.second.mates]
            if mine and others:
                yield mine, others

    def _neighbours(self, match: Match, ways: Sequence[Way] | None, *, single: bool) -> bool:
        """Pair neighbours with the same key; ``single``: only where each side has one. False where more are left."""
        done = True
        for mine, others in self._buckets(match, ways):
            groups = _grouped(mine, self.first.keys.__getitem__)
            there = _grouped(others, self.second.keys.__getitem__)
            for key in sorted(groups.keys() & there.keys()):
                if len(groups[key]) == len(there[key]) == 1:
                    self._pair(groups[key][0], there[key][0])
                elif single:
                    done = False
                else:
                    self._several(groups[key], there[key])
        return done

    def _several(self, mine: list[str], others: list[str]) -> None:
        for mark in (_uid, _digest, self._surroundings):
            self._match_groups(mine, others, mark)
        ours = sorted((uid for uid in mine if uid not in self.first.mates), key=self.first.order)
        theirs = sorted((uid for uid in others if uid not in self.second.mates), key=self.second.order)
        for one, other in zip(ours, theirs, strict=False):
            self._pair(one, other)

    def _places(self, match: Match, ways: Sequence[Way] | None) -> None:
        """Neighbours without a namesake that stand alone in the same place: ``a.json`` here, ``b.json`` there."""
        for mine, others in self._buckets(match, ways):
            ours = _grouped(
                (uid for uid in mine if not self.second.free[self.first.keys[uid]]),
                lambda uid: place_of(self.first.vertices[uid]),
            )
            theirs = _grouped(
                (uid for uid in others if not self.first.free[self.second.keys[uid]]),
                lambda uid: place_of(self.second.vertices[uid]),
            )
            for place in sorted(ours.keys() & theirs.keys()):
                if len(ours[place]) == len(theirs[place]) == 1 and place[0] != "Agent" and place[1] != "Unseen":
                    self._pair(ours[place][0], theirs[place][0])

    def _unique(self, mark: "Callable[[Side, str], object]") -> None:
        ours = [uid for uid in self.first.vertices if uid not in self.first.mates]
        theirs = [uid for uid in self.second.vertices if uid not in self.second.mates]
        self._match_groups(ours, theirs, mark)

    def _by_time(self) -> None:
        """What is left: of one key by time; activities only if they touch something of the same key."""
        ours = _grouped((uid for uid in self.first.vertices if uid not in self.first.mates), self.first.keys.get)
        theirs = _grouped((uid for uid in self.second.vertices if uid not in self.second.mates), self.second.keys.get)
        for key in [key for key in ours if key in theirs]:
            mine = sorted(ours[key], key=self.first.order)
            others = sorted(theirs[key], key=self.second.order)
            for one, other in zip(mine, others, strict=False):
                if "Activity" not in self.first.vertices[one].labels or self._akin(one, other):
                    self._pair(one, other)

    def _akin(self, one: str, other: str) -> bool:
        ours, theirs = self.first.surroundings(one), self.second.surroundings(other)
        return not (ours or theirs) or any(near[2][0] != "agent" for near in ours & theirs)

    def _surroundings(self, side: Side, uid: str) -> object:
        return side.keys[uid], side.surroundings(uid)

    def _key(self, side: Side, uid: str) -> object:
        return side.keys[uid]

    def _match_groups(self, ours: Iterable[str], theirs: Iterable[str], mark: "Callable[[Side, str], object]") -> None:
        """Pair what one mark tells apart from all others on both sides."""
        mine = _grouped((uid for uid in ours if uid not in self.first.mates), lambda uid: mark(self.first, uid))
        others = _grouped((uid for uid in theirs if uid not in self.second.mates), lambda uid: mark(self.second, uid))
        for value, uids in mine.items():
            if value is not None and len(uids) == 1 and len(others.get(value, ())) == 1:
                one, other = uids[0], others[value][0]
                activities = "Activity" in self.first.vertices[one].labels
                if not activities or mark != self._key or self._akin(one, other):
                    self._pair(one, other)


def _uid(_side: Side, uid: str) -> object:
    return uid


def _digest(side: Side, uid: str) -> object:
    return side.vertices[uid].properties.get("sha256")


def _grouped[T](uids: Iterable[str], mark: "Callable[[str], T]") -> dict[T, list[str]]:
    found: dict[T, list[str]] = {}
    for uid in uids:
        found.setdefault(mark(uid), []).append(uid)
    return found
