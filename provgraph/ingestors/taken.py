"""What a rule took: values by name, typed; the points of series; and what did not fit."""

import math
import re
from collections.abc import Iterable
from typing import Any, Final

from provgraph.ingestors.port import Findings
from provgraph.model.ingestor_rules import IngestorRule

POINTS: Final = 100_000
"""More points of one series are left out, with a note."""
_NUMBER: Final = re.compile(r"[-+]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_NO_NUMBER: Final = {"nan": math.nan, "inf": math.inf, "infinity": math.inf}
_BOOLEANS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_INTEGERS: Final = 1 << 63


class MistypedError(ValueError):
    """A value that is not of the type that the rule says."""


def as_number(value: Any) -> int | float:
    """A number, or the number that a text is; also not-a-number and the infinities.

    Raises:
        MistypedError: it is none.
    """
    if isinstance(value, str):
        text = value.strip()
        sign = -1.0 if text.startswith("-") else 1.0
        if text.lstrip("+-").lower() in _NO_NUMBER:
            return sign * _NO_NUMBER[text.lstrip("+-").lower()]
        if not _NUMBER.fullmatch(text) or len(text) > 400:
            raise MistypedError(f"{text[:40]!r} is no number")
        value = float(text) if any(mark in text for mark in ".eE") else int(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MistypedError(f"{str(value)[:40]!r} is no number")
    if isinstance(value, float) or -_INTEGERS <= value < _INTEGERS:
        return value
    try:
        return float(value)
    except OverflowError:
        raise MistypedError("a number of more than 308 digits is none that can be kept") from None


def as_type(value: Any, type: str) -> Any:
    """A value as the type that a rule says; with ``auto`` a text that is a number or a truth value is one.

    Raises:
        MistypedError: it cannot be.
    """
    if isinstance(value, list) and type != "auto":
        return [as_type(item, type) for item in value]
    if type == "text":
        return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    if type == "boolean":
        if str(value).lower() not in _BOOLEANS:
            raise MistypedError(f"{str(value)[:40]!r} is neither true nor false")
        return _BOOLEANS[str(value).lower()]
    if type == "auto":
        return _guessed(value) if isinstance(value, str) else value
    number = as_number(value)
    if not math.isfinite(number):
        raise MistypedError(f"{number} is no number")
    if type == "integer" and number != int(number):
        raise MistypedError(f"{number} is no whole number")
    return int(number) if type == "integer" else number


def _guessed(text: str) -> Any:
    if text in ("true", "True", "false", "False"):
        return text in ("true", "True")
    try:
        number = as_number(text)
    except MistypedError:
        return text
    return number if math.isfinite(number) else text


class Taken:
    """Collects what a rule takes from one file, or from a command line."""

    def __init__(self, rule: IngestorRule) -> None:
        self._rule = rule
        self._values: dict[str, Any] = {}
        self._steps: dict[str, list[int]] = {}
        self._points: dict[str, list[float]] = {}
        self._told: dict[str, int] = {}
        self._notes: list[str] = []
        self._skipped: dict[str, int] = {}

    def add(self, items: Iterable[tuple[str, Any]], step: Any) -> None:
        """One match: names and values, and for series the step, counted from 0 where it is None."""
        for name, value in items:
            try:
                if self._rule.series:
                    self._point(name, value, step)
                else:
                    self._values[f"{self._rule.prefix}{name}"] = as_type(value, self._rule.type)
            except MistypedError as error:
                self.skip(f"{name}: {error}")

    def _point(self, name: str, value: Any, step: Any) -> None:
        points = self._points.setdefault(name, [])
        steps = self._steps.setdefault(name, [])
        if len(points) >= POINTS:
            self._skipped.setdefault(f"{name}: it has more than {POINTS:,} points", 0)
            return
        number = float(as_number(value))
        at = len(points) if step is None else _whole(step)
        points.append(number)
        steps.append(at)

    def say(self, note: str) -> None:
        """Note something."""
        self._notes.append(note)

    def skip(self, why: str) -> None:
        """Note that something was left out; the same reason is said once, with how often."""
        if why in self._skipped or len(self._skipped) < 5:
            self._skipped[why] = self._skipped.get(why, 0) + 1

    def notes(self) -> list[str]:
        """What people should know."""
        skipped = [why if times <= 1 else f"{why} ({times:,} times)" for why, times in self._skipped.items()]
        return [*self._notes, *skipped]

    def names(self) -> list[str]:
        """Of properties and series, as the graph will have them."""
        return [*self._values, *(name for name, points in self._points.items() if points)]

    def drop(self, name: str) -> None:
        """Forget a property or series."""
        for held in (self._values, self._points, self._steps):
            held.pop(name, None)

    def tell(self, findings: Findings, path: str, *, only_new: bool = False) -> None:
        """Add it to findings: to the activity, or to the snapshot at a path.

        Parameters:
            only_new: only the points that were not told yet.
        """
        to_file = self._rule.to == "file"
        if self._values and to_file:
            findings.snapshot(path, **self._values)
        elif self._values:
            findings.activity(**self._values)
        for name, points in self._points.items():
            first = self._told.get(name, 0) if only_new else 0
            if len(points) > first:
                values = [_json_number(point) for point in points[first:]]
                findings.series(path if to_file else "activity", name, self._steps[name][first:], values)
            self._told[name] = len(points)


def _whole(step: Any) -> int:
    """A step.

    Raises:
        MistypedError: it is no whole number, or has more than 64 bits.
    """
    at = as_number(step)
    if not math.isfinite(at) or at != int(at):
        raise MistypedError(f"the step {at} is no whole number")
    if abs(at) >= _INTEGERS:
        raise MistypedError(f"the step {str(step)[:40]} has more than 64 bits")
    return int(at)


def _json_number(value: float) -> Any:
    """A number as JSON has it, and the names that findings give to what JSON cannot say."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
