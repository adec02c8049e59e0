"""Soundness of a summary, from the definition alone: the words of its directed paths are exactly the segments' words.

A letter of a word is the equivalence class of a vertex, or the relation of an edge; paths follow edges of every
relation. Where nothing goes round, all words are written down (`words`). Where something does (an activity that used
what it invalidated), there are infinitely many, and `difference` compares the two languages by their reachable sets of
vertices: the subset construction, exact for any graph. `simulated` tells which vertices another one simulates.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

Node = Hashable
Arc = tuple[Node, str, Node]
Word = tuple[Hashable, ...]


@dataclass(frozen=True)
class Lettered:
    """A graph whose vertices bear letters: the disjoint union of the segments, or a summary."""

    letters: dict[Node, Hashable]
    arcs: frozenset[Arc]

    def after(self, nodes: Iterable[Node]) -> dict[tuple[str, Hashable], frozenset[Node]]:
        """Where one more (relation, letter) leads from any of these."""
        here = set(nodes)
        found: dict[tuple[str, Hashable], set[Node]] = {}
        for source, relation, target in self.arcs:
            if source in here:
                found.setdefault((relation, self.letters[target]), set()).add(target)
        return {step: frozenset(targets) for step, targets in found.items()}

    def starts(self) -> dict[Hashable, frozenset[Node]]:
        """The vertices by their letter."""
        return {x: frozenset(n for n, y in self.letters.items() if x == y) for x in set(self.letters.values())}


def quotient(graph: Lettered, group: Callable[[Node], Hashable]) -> Lettered:
    """The summary that a partition gives: an edge between two groups for each relation that runs between members."""
    letters: dict[Node, Hashable] = {}
    for node, letter in graph.letters.items():
        assert letters.setdefault(group(node), letter) == letter, "a group holds vertices that are not equivalent"
    return Lettered(letters, frozenset((group(s), r, group(t)) for s, r, t in graph.arcs))


def words(graph: Lettered, longest: int) -> set[Word]:
    """The words of all directed paths of at most so many edges."""
    found: set[Word] = set()
    pending: list[tuple[Word, Node]] = [((letter,), node) for node, letter in graph.letters.items()]
    seen = set(pending)
    while pending:
        word, node = pending.pop()
        found.add(word)
        if len(word) // 2 == longest:
            continue
        for source, relation, target in graph.arcs:
            following = ((*word, relation, graph.letters[target]), target)
            if source == node and following not in seen:
                seen.add(following)
                pending.append(following)
    return found


def difference(first: Lettered, second: Lettered) -> tuple[Word, str] | None:
    """A shortest word that only one of the two has, and which (``first`` or ``second``); None where they agree."""
    beginnings, others = first.starts(), second.starts()
    level: list[tuple[Word, frozenset[Node], frozenset[Node]]] = []
    for letter in sorted(beginnings.keys() | others.keys(), key=repr):
        if letter not in beginnings or letter not in others:
            return (letter,), "second" if letter not in beginnings else "first"
        level.append(((letter,), beginnings[letter], others[letter]))
    seen = {state[1:] for state in level}
    while level:
        following = []
        for word, mine, theirs in level:
            here, there = first.after(mine), second.after(theirs)
            for step in sorted(here.keys() | there.keys(), key=repr):
                if step not in here or step not in there:
                    return (*word, *step), "second" if step not in here else "first"
                if (here[step], there[step]) not in seen:
                    seen.add((here[step], there[step]))
                    following.append(((*word, *step), here[step], there[step]))
        level = following
    return None


def simulated(graph: Lettered, *, backward: bool = False) -> set[tuple[Node, Node]]:
    """The pairs (u, v) where v simulates u: the same letter, and each step of u has one of v that simulates on."""
    arcs = {(t, r, s) for s, r, t in graph.arcs} if backward else graph.arcs
    out: dict[Node, set[tuple[str, Node]]] = {node: set() for node in graph.letters}
    for source, relation, target in arcs:
        out[source].add((relation, target))
    pairs = {(u, v) for u, x in graph.letters.items() for v, y in graph.letters.items() if x == y}
    while True:
        kept = {(u, v) for u, v in pairs if all(any(r == q and (t, w) in pairs for q, w in out[v]) for r, t in out[u])}
        if kept == pairs:
            return pairs
        pairs = kept


def goes_round(graph: Lettered) -> bool:
    """Whether a directed path leads back to where it began."""
    left = set(graph.letters)
    while ends := {n for n in left if not any(s == n and t in left for s, _, t in graph.arcs)}:
        left -= ends
    return bool(left)


def mergeable(graph: Lettered) -> tuple[Node, Node] | None:
    """Two vertices that a round of the method would still merge; None where it has come to its end.

    Where paths go round, only mutual simulation counts: to merge one way is known to be sound for acyclic graphs only.
    """
    forward, backward = simulated(graph), simulated(graph, backward=True)
    one_way = set() if goes_round(graph) else forward & backward
    for u, v in sorted(forward | backward, key=repr):
        mutual = any((u, v) in order and (v, u) in order for order in (forward, backward))
        if u != v and (mutual or (u, v) in one_way):
            return u, v
    return None
