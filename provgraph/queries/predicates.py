"""Predicates: the little language in which boundaries and ``where:`` speak of vertices and edges.

    Activity.utility=git      a property of the vertices with a label      Environment      the label alone
    metric_f1 > 0.7           a property, whatever the label               Activity.param_lr   has the property
    path ~ 'data/*.csv'       a glob (``=  !=  <  <=  >  >=  ~``)          used.role=config    edges by a property
    relation=wasDerivedFrom   edges     agent=Bob   what somebody did      version=3f2c…       what a version has

``and``, ``or``, ``not`` and parentheses join them; quotes hold a word with blanks or signs together. This module knows
the grammar; what a term means in a graph is ``predicate_masks``'s.
"""

import re
from dataclasses import dataclass

from provgraph.errors import QuestionError

_OPERATOR = re.compile(r"!=|<=|>=|==|=|<|>|~")
_SUBJECT = re.compile(r"[^\s()'\"=!<>~]+")
_VALUE = re.compile(r"[^\s()'\"]+")
_JOINING = frozenset({"and", "or", "not"})


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. ``operator`` is empty where the subject stands alone; ``place`` is its first character's."""

    subject: str
    operator: str
    value: str
    place: int


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Each of several holds (``and``)."""

    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several holds (``or``)."""

    operands: tuple["Node", ...]


Node = Term | Not | AllOf | OneOf


@dataclass(frozen=True, slots=True)
class Predicate:
    """A predicate as it was typed, and what it says."""

    text: str
    root: Node

    def __str__(self) -> str:
        return self.text

    def names(self) -> frozenset[str]:
        """The names of labels and properties that may stand in it: of ``a.b`` all three that it may mean."""
        return frozenset(name for term in _terms(self.root) for name in _named(term))

    def borne(self) -> frozenset[str] | None:
        """Names of which what it holds for bears one; None where it may hold for what bears none of them."""
        return _borne(self.root)


def _terms(node: Node) -> list[Term]:
    if isinstance(node, Term):
        return [node]
    inner = (node.operand,) if isinstance(node, Not) else node.operands
    return [term for one in inner for term in _terms(one)]


def _named(term: Term) -> set[str]:
    head, _, key = term.subject.partition(".")
    return {term.subject, head, key} - {""}


def _borne(node: Node) -> frozenset[str] | None:
    if isinstance(node, Term):
        walks = node.subject == "relation" or (node.subject in ("agent", "version") and node.operator)
        head, _, key = node.subject.partition(".")
        return None if walks else frozenset({node.subject, key or head})
    if isinstance(node, Not):
        return None
    parts = [_borne(one) for one in node.operands]
    if isinstance(node, AllOf):  # any part will do: the one with the fewest names is the narrowest, most likely
        return min((part for part in parts if part is not None), key=len, default=None)
    return frozenset().union(*(part for part in parts if part is not None)) if None not in parts else None


def predicate(text: str) -> Predicate:
    """What a predicate says.

    Raises:
        QuestionError: it does not follow the grammar; the message tells where, and what was expected there.
    """
    if not isinstance(text, str):
        raise QuestionError(f"{text!r} is no predicate; write one as text, like 'Activity.utility=git'")
    parser = _Parser(text)
    root = parser.either()
    if not parser.done():
        raise parser.expected("`and`, `or` or the end (quotes hold a value with blanks or brackets together)")
    return Predicate(text, root)


class _Parser:
    """Recursive descent: ``or`` binds less than ``and``, ``and`` less than ``not``."""

    _DEEPEST = 100

    def __init__(self, text: str) -> None:
        self.text, self.place, self.depth = text, 0, 0

    def either(self) -> Node:
        found = [self.both()]
        while self.word("or"):
            found.append(self.both())
        return found[0] if len(found) == 1 else OneOf(tuple(found))

    def both(self) -> Node:
        found = [self.single()]
        while self.word("and"):
            found.append(self.single())
        return found[0] if len(found) == 1 else AllOf(tuple(found))

    def single(self) -> Node:
        self.depth += 1
        if self.depth > self._DEEPEST:
            raise self.expected(f"at most {self._DEEPEST} nested brackets and `not`s")
        try:
            if self.word("not"):
                return Not(self.single())
            if self.sign("("):
                found = self.either()
                if not self.sign(")"):
                    raise self.expected("`)`")
                return found
            return self.term()
        finally:
            self.depth -= 1

    def term(self) -> Term:
        self.blanks()
        place = self.place
        word = _SUBJECT.match(self.text, place)
        if word is not None and word[0].lower() in _JOINING:
            raise self.expected(f"a label or a property (one that is called {word[0]!r} stands in quotes)")
        subject = self.piece(_SUBJECT)
        if not subject:
            raise self.expected("a label, a property, `relation=`, `agent=` or `version=`")
        self.blanks()
        operator = _OPERATOR.match(self.text, self.place)
        if operator is None:
            return Term(subject, "", "", place)
        self.place = operator.end()
        self.blanks()
        before = self.place
        value = self.piece(_VALUE)
        if self.place == before:
            raise self.expected(f"a value behind `{operator[0]}`")
        return Term(subject, "=" if operator[0] == "==" else operator[0], value, place)

    def piece(self, bare: re.Pattern[str]) -> str:
        """A word, of which parts or all may stand in quotes; empty where there is none."""
        found = []
        while not self.done():
            sign = self.text[self.place]
            if sign in "'\"":
                end = self.text.find(sign, self.place + 1)
                if end < 0:
                    raise self.expected(f"a second {sign} that ends the quotation")
                found.append(self.text[self.place + 1 : end])
                self.place = end + 1
                continue
            match = bare.match(self.text, self.place)
            if match is None:
                break
            found.append(match[0])
            self.place = match.end()
        return "".join(found)

    def word(self, wanted: str) -> bool:
        self.blanks()
        match = _SUBJECT.match(self.text, self.place)
        if match is None or match[0].lower() != wanted or self.text[match.end() : match.end() + 1] in ("'", '"'):
            return False
        self.place = match.end()
        return True

    def sign(self, wanted: str) -> bool:
        self.blanks()
        if self.text[self.place : self.place + 1] != wanted:
            return False
        self.place += 1
        return True

    def blanks(self) -> None:
        while not self.done() and self.text[self.place].isspace():
            self.place += 1

    def done(self) -> bool:
        return self.place >= len(self.text)

    def expected(self, what: str) -> QuestionError:
        self.blanks()
        if not self.text.strip():
            return QuestionError("an empty predicate; write one like Activity.utility=git or relation=wasDerivedFrom")
        where = "at its end" if self.done() else f"at character {self.place + 1} (`{self.text[self.place :][:20]}`)"
        return QuestionError(f"the predicate {self.text!r}: {where}, expected {what}")
