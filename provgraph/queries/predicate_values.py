"""Comparing a value of the graph with one that a user typed: numbers as numbers, times as times, the rest as text."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from operator import eq, ge, gt, le, lt
from typing import Any

from provgraph.errors import QuestionError
from provgraph.model.vocabulary import PROPERTIES
from provgraph.queries.graph_reader import glob_pattern
from provgraph.queries.times import in_order, looks_like_time, moment

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?|nan", re.IGNORECASE)
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}

Test = Callable[[Any], bool]


def comparison(key: str, operator: str, text: str, values: Iterable[Any]) -> Test:
    """Whether a value that the graph has under ``key`` compares so with ``text``.

    Of a list, ``!=`` holds where no element is equal, anything else where it holds for one of the elements.

    Parameters:
        values: those that occur; where all are numbers, they cannot be compared with a word by order.

    Raises:
        QuestionError: a time is compared with what is none, or numbers by order with what is none.
    """
    if operator == "!=":
        equal = comparison(key, "=", text, values)
        return lambda value: not equal(value)
    single = _single(key, operator, text, values)
    return lambda value: any(map(single, value)) if isinstance(value, list | tuple) else single(value)


def _single(key: str, operator: str, text: str, values: Iterable[Any]) -> Test:
    if operator == "~":
        return _matching(key, text)
    timely = key in PROPERTIES and PROPERTIES[key].type == "datetime"
    if timely or (_DATED.match(text) and looks_like_time(text)):
        return _at_time(operator, text, timely)
    number = _number(text)
    if operator == "=":
        return lambda value: _equals(value, text, number)
    if number is None and (known := list(values)) and all(_is_number(value) for value in known):
        raise QuestionError(f"{key} holds numbers, and {text!r} is none; compare it with a number")
    order = _ORDERS[operator]
    return lambda value: _ordered(value, order, text, number)


def _matching(key: str, text: str) -> Test:
    if key == "path":  # as in references: * stays in its folder, ** does not
        pattern = re.compile(glob_pattern(text), re.DOTALL)
        return lambda value: pattern.fullmatch(_text(value)) is not None
    return lambda value: fnmatchcase(_text(value), text)


def _at_time(operator: str, text: str, timely: bool) -> Test:
    """A date alone is the whole day: after it is after its end, equal to it is within it."""
    first, last = moment(text), moment(text, end_of_day=True)
    tests: dict[str, Callable[[str], bool]] = {
        "=": lambda at: first <= at <= last,
        "<": lambda at: at < first,
        "<=": lambda at: at <= last,
        ">": lambda at: at > last,
        ">=": lambda at: at >= first,
    }
    holds = tests[operator]

    def test(value: Any) -> bool:
        at = time_of(value)
        if at is not None:
            return holds(at)
        return not timely and operator == "=" and _text(value) == text

    return test


def time_of(value: Any) -> str | None:
    """A recorded time as text that compares with ``moment``'s; None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return in_order(value)


def _equals(value: Any, text: str, number: float | None) -> bool:
    if _is_number(value):
        return number is not None and eq(value, number)
    return _text(value) == text or (isinstance(value, bool) and _text(value) == text.lower())


def _ordered(value: Any, order: Callable[[Any, Any], bool], text: str, number: float | None) -> bool:
    if number is not None:
        found = value if _is_number(value) else _number(value) if isinstance(value, str) else None
        return found is not None and order(found, number)
    return isinstance(value, str) and order(value, text)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(text: str) -> float | int | None:
    text = text.strip()
    if not text.isascii() or not _NUMBER.fullmatch(text):
        return None
    return int(text) if re.fullmatch(r"[+-]?\d{1,300}", text) else float(text)


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return value if isinstance(value, str) else str(value)
