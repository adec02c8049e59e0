"""Caffe's training log, as its solver writes it: every loss, output and learning rate by iteration.

The lines that count::

    I0814 00:26:16.531354 22487 solver.cpp:228] Iteration 100, loss = 1.25497
    I0814 00:26:16.531388 22487 solver.cpp:244]     Train net output #0: Accuracy = 0.515625
    I0814 00:26:16.585063 22487 sgd_solver.cpp:106] Iteration 100, lr = 0.1
    I0814 00:28:04.283835 22487 solver.cpp:337] Iteration 1000, Testing net (#0)
    I0814 00:28:06.500875 22487 solver.cpp:404]     Test net output #0: Accuracy = 0.819531

Read in pieces as they come, in bounded memory; what is no such line is passed over.
"""

from __future__ import annotations

import calendar
import re
from array import array
from bisect import bisect_right
from typing import Final

MAX_POINTS: Final = 2_000_000
MAX_SERIES: Final = 500
MAX_LINE: Final = 1 << 16
MAX_DEFINITION: Final = 1 << 16
"""Bytes of the solver that the log repeats."""

_DAY_S: Final = 86_400
_HEADER: Final = re.compile(rb"[IWEF](\d{4}(?:\d{4})?) (\d\d):(\d\d):(\d\d)\.(\d{1,6}) +\d+ [^\]\s]+\] ?")
_ITERATION: Final = re.compile(rb"Iteration (\d{1,18})\b")
_MEASURED: Final = re.compile(rb"Iteration \d{1,18}(?: \([^)]*\))?, (loss|lr) = (\S+)")
_TESTING: Final = re.compile(rb"Testing net \(#(\d{1,4})\)")
_OUTPUT: Final = re.compile(rb"(Train|Test) net output #(\d{1,6}): (\S+) = (\S+)")
_SNAPSHOT: Final = re.compile(rb"Snapshotting to (?:binary proto|HDF5) file (.+)")
_RESUMED: Final = re.compile(rb"(?:Restoring previous solver status|Resuming) from (.+)")
_SOLVER: Final = b"Initializing solver from parameters"
SIGNS: Final = (b"solver.cpp", b"caffe.cpp", b"Train net output #", b"Test net output #")
"""What tells a log of Caffe's from others."""


class Series:
    """The points of one series, in the order of the log."""

    __slots__ = ("_goes_back", "clocks", "steps", "values")

    def __init__(self) -> None:
        self._goes_back = False
        self.steps = array("q")
        self.values = array("d")
        self.clocks = array("d")
        """Seconds since 1970 by the log's own clock, whose time zone is not known."""

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, step: int, value: float, clock: float) -> None:
        """Add a point."""
        self._goes_back = self._goes_back or (len(self.steps) > 0 and step < self.steps[-1])
        self.steps.append(step)
        self.values.append(value)
        self.clocks.append(clock)

    def at(self, iteration: int | None) -> float | None:
        """The last value up to an iteration; None in its place, or where iterations went back: the last of all."""
        place = len(self) if iteration is None or self._goes_back else bisect_right(self.steps, iteration)
        return self.values[place - 1] if place else None


class TrainingLog:
    """Reads a log in pieces.

    Names of series: ``loss`` is the solver's own (averaged over ``average_loss`` iterations), ``learning_rate`` that of
    the iteration, ``train_NAME`` and ``test_NAME`` are the nets' outputs (``test1_NAME`` of the second test net). An
    output of several values gives ``train_NAME``, ``train_NAME_1``, …

    Parameters:
        year: of the first line; the log's own times have none.
    """

    def __init__(self, year: int = 2000) -> None:
        self.series: dict[str, Series] = {}
        self.solver = b""
        """The solver's definition as the log repeats it."""
        self.weights: list[str] = []
        """The files that weights were written to, as the log names them."""
        self.resumed: list[str] = []
        self.first: float | None = None
        self.last: float | None = None
        self.began: float | None = None
        """When solving began: what ``parse_log.py`` counts its seconds from."""
        self.malformed = 0
        self.dropped = 0
        self.finished = False
        self._names: dict[tuple[str, int, int, str], str] = {}
        self._year, self._month = year, 0
        self._date = b""
        self._midnight: float | None = None
        self._iteration: int | None = None
        self._net = 0
        self._points = 0
        self._rest = b""
        self._too_long = self._in_solver = False

    @property
    def points(self) -> int:
        """How many points there are in all series."""
        return self._points

    def feed(self, data: bytes) -> None:
        """Read what follows. An empty piece ends the log: a last line without an end counts then."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop() if data else b""
        for line in lines:
            if self._too_long:
                self._too_long = False  # the end of a line whose begin was dropped
            else:
                self._line(line)
        if len(self._rest) > MAX_LINE:
            self._too_long, self._rest = True, b""

    def notes(self) -> list[str]:
        """What could not be read, for people."""
        found = []
        if self.malformed:
            found.append(f"{self.malformed:,} values in the log are no numbers")
        if self.dropped:
            found.append(f"{self.dropped:,} values were left out: only {MAX_POINTS:,} in {MAX_SERIES} series are read")
        return found

    def _line(self, line: bytes) -> None:
        header = _HEADER.search(line, 0, 200)
        if header is None:
            if self._in_solver and len(self.solver) < MAX_DEFINITION:
                self.solver += line + b"\n"
            return
        self._in_solver = False
        text = line[header.end() :]
        clock = self._clock(header)
        if clock is None:
            return
        self.first = clock if self.first is None else self.first
        self.last = clock
        iteration = _ITERATION.search(text)
        if iteration is not None:
            self._iteration = int(iteration[1])
            self._measured(text, clock)
        elif b" net output #" in text:
            self._output(text, clock)
        else:
            self._remark(text, clock)

    def _measured(self, text: bytes, clock: float) -> None:
        measured = _MEASURED.search(text)
        if measured is not None:
            self._add("loss" if measured[1] == b"loss" else "learning_rate", measured[2], clock)
            return
        testing = _TESTING.search(text)
        if testing is not None:
            self._net = int(testing[1])

    def _output(self, text: bytes, clock: float) -> None:
        output = _OUTPUT.search(text)
        if output is None or self._iteration is None:
            return
        phase = output[1].decode().lower()
        net = self._net if phase == "test" else 0
        self._add(self._name(phase, net, int(output[2]), output[3].decode("utf-8", "replace")), output[4], clock)

    def _remark(self, text: bytes, clock: float) -> None:
        if text.startswith(_SOLVER):
            self._in_solver, self.solver = True, b""
        elif text.startswith(b"Solving") and self.began is None:
            self.began = clock
        elif text.startswith(b"Optimization Done"):
            self.finished = True
        elif (snapshot := _SNAPSHOT.search(text)) is not None and len(self.weights) < MAX_SERIES:
            self.weights.append(snapshot[1].strip().decode("utf-8", "surrogateescape"))
        elif (resumed := _RESUMED.search(text)) is not None and len(self.resumed) < MAX_SERIES:
            self.resumed.append(resumed[1].strip().decode("utf-8", "surrogateescape"))

    def _name(self, phase: str, net: int, number: int, output: str) -> str:
        """The name of the series of one output; of several with one name, the first has it alone."""
        key = (phase, net, number, output)
        name = self._names.get(key)
        if name is None:
            name = plain = f"{phase}{net or ''}_{output[:150]}"
            taken, index = set(self._names.values()), 0
            while name in taken:
                index += 1
                name = f"{plain}_{index}"
            if len(self._names) < MAX_SERIES:
                self._names[key] = name
        return name

    def _add(self, name: str, value: bytes, clock: float) -> None:
        try:
            number = float(value)
        except ValueError:
            self.malformed += 1
            return
        if self._points >= MAX_POINTS or (name not in self.series and len(self.series) >= MAX_SERIES):
            self.dropped += 1
            return
        self.series.setdefault(name, Series()).add(self._iteration or 0, number, clock)
        self._points += 1

    def _clock(self, header: re.Match[bytes]) -> float | None:
        date, hour, minute, second, fraction = header.groups()
        if date != self._date:
            self._date, self._midnight = date, self._begin_of(date)
        if self._midnight is None:
            return None
        seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
        return self._midnight + seconds + int(fraction.ljust(6, b"0")) / 1e6

    def _begin_of(self, date: bytes) -> float | None:
        """Midnight of a day, by the log's clock; None where there is no such day."""
        month, day = int(date[-4:-2]), int(date[-2:])
        if len(date) == 8:
            self._year = int(date[:4])
        elif month < self._month:
            self._year += 1  # New Year's Eve
        if not 1 <= month <= 12 or not 1 <= day <= 31 or not 1 <= self._year <= 9998:
            return None
        self._month = month
        return float(calendar.timegm((self._year, month, 1, 0, 0, 0)) + (day - 1) * _DAY_S)
