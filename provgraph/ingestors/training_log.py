"""Training logs by pattern: every measurement by epoch or step, from what programs print anyway.

Conservative: a series needs a word that names a measure (loss, acc, …), on repeated lines with different epochs or
steps; without any step, on three lines of one shape, whose values differ. What is written otherwise, a rule of the
configuration reads.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from provgraph.ingestors.lines import Line, Lines
from provgraph.ingestors.port import File, Findings, Match, Moment, Occurrence, Previous
from provgraph.ingestors.training_lines import Reading, read_line

LOGS: Final = ("*.log", "*.out")
ROTATED: Final = tuple(f"{log}.[0-9]*" for log in LOGS)
"""Earlier parts of a log: ``train.log.1``, ``train.log.2026-11-20``."""
_VERBS: Final = "train|finetune|fine_tune|pretrain|fit|learn|xgboost|lightgbm|sft"
TRAINING: Final = rf"(?i)(?:^|[\s/_.-])(?:{_VERBS})(?:\w*\.(?:py|sh|r|jl|m|lua|pl)|ing|er)?(?=[\s/_-]|$)"
"""A command that trains, by its words."""
FILE_BYTES: Final = 24 * 1024 * 1024
POINTS: Final = 100_000
"""Of one series; of all series of a log ten times as many."""
_SERIES: Final = 200
_FILES: Final = 20
_CHUNK: Final = 1 << 18
_SNIFFED: Final = 8_192
_NUMBERS: Final = re.compile(r"[\d.]+(?:[eE][-+]?\d+)?|nan|inf", re.IGNORECASE)
_PART: Final = re.compile(r"(.+\.(?:log|out))\.(\d.*)\Z", re.DOTALL)
_CAFFE: Final = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d\S*\s+\d+ (?:solver|caffe|net|sgd_solver)\.cpp:\d+\]")


@dataclass(slots=True)
class _Points:
    """A series as far as it is known."""

    is_measure: bool
    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    counted: bool = False
    """Whether its steps are only counted."""
    shape: str = ""
    """Of lines without a step: what they are without their numbers."""
    told: int = 0
    varied: bool = False
    moved: bool = False

    @property
    def is_series(self) -> bool:
        """Whether it is more than what looks like one."""
        if self.counted:
            return len(self.steps) > 2 and self.varied
        return self.moved and (self.is_measure or self.varied)

    def add(self, step: int | None, value: float, shape: str) -> None:
        """Add a point; without a step, those of lines that look the same are counted."""
        if step is None and shape != self.shape:
            if self.is_series or (self.steps and not self.counted):
                return
            self.shape, self.steps, self.values, self.varied = shape, [], [], False
        self.counted = step is None
        self.steps.append(len(self.steps) if step is None else step)
        self.values.append(value)
        self.moved = self.moved or self.steps[0] != self.steps[-1]
        self.varied = self.varied or repr(value) != repr(self.values[0])


class TrainingSeries:
    """The series of one log, fed in pieces."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._lines = Lines()
        self._points: dict[str, _Points] = {}
        self._epoch: int | None = None
        self._first_epoch: int | None = None
        self._offset = 0
        self._last: tuple[int, int] | None = None
        """Epoch and place in it of the newest line that had both."""
        self._bar: tuple[tuple[str, int], Reading] | None = None
        """The newest state of a progress bar, not yet taken, and what it counts."""
        self._bar_inner = 0
        self._bar_offset = 0
        self._is_caffe = False
        self._taken = 0

    def feed(self, data: bytes) -> None:
        """Take what the next bytes of the log say; empty bytes are its end."""
        for line in self._lines.feed(data):
            self._line(line)
        if not data:
            self._settle_bar()

    def tell(self, findings: Findings, of: str, *, only_new: bool = False, but: frozenset[str] = frozenset()) -> None:
        """Add the series to findings, all points or only those that were not told yet.

        Parameters:
            of: ``activity``, or the path of the log.
            but: names that are left out.
        """
        for name in self.names():
            points = self._points[name]
            first = points.told if only_new else 0
            if name not in but and len(points.steps) > first:
                values = [_json_number(value) for value in points.values[first:]]
                findings.series(of, name, points.steps[first:], values)
                points.told = len(points.steps)

    def names(self) -> list[str]:
        """Of the series that the log holds."""
        return [] if self._is_caffe else [name for name, points in self._points.items() if points.is_series]

    def _line(self, line: Line) -> None:
        if self._is_caffe or _CAFFE.search(line.text):
            self._is_caffe = True  # its own ingestor knows more
            return
        reading = read_line(line.text)
        if reading is None:
            return
        if reading.epoch is not None and not reading.measures and not reading.bar:
            self._settle_bar()
            self._epoch = reading.epoch
        if not reading.measures:
            return
        if reading.bar:
            self._progress(reading, line.overwritten)
        elif not line.overwritten or reading.inner is not None or reading.epoch is not None:
            self._settle_bar()
            step = self._step(reading)
            self._add(reading, step, _NUMBERS.sub("0", line.text) if step is None else "")

    def _progress(self, reading: Reading, overwritten: bool) -> None:
        """A progress bar: its last state counts, of each epoch, or where it shows none, of each step."""
        assert reading.inner is not None
        epoch = reading.epoch if reading.epoch is not None else self._epoch
        if epoch is None and reading.inner < self._bar_inner:
            self._settle_bar()
            self._bar_offset += self._bar_inner  # the next bar
        self._bar_inner = reading.inner
        key = ("epoch", epoch) if epoch is not None else ("step", self._bar_offset + reading.inner)
        if self._bar is not None and self._bar[0] != key:
            self._settle_bar()
        self._bar = key, reading
        if not overwritten and reading.inner == reading.total:
            self._settle_bar()

    def _settle_bar(self) -> None:
        if self._bar is not None:
            (_, step), reading = self._bar
            self._bar = None
            self._add(reading, step, once=True)

    def _step(self, reading: Reading) -> int | None:
        """The step of a line. One that counts within epochs is added up over them."""
        if reading.epoch is not None:
            self._epoch = reading.epoch
        if reading.inner is None:
            return self._epoch
        if reading.epoch is None:
            return reading.inner
        if self._first_epoch is None:
            self._first_epoch = reading.epoch
        if self._last is not None and reading.epoch != self._last[0]:
            if reading.total is not None:
                self._offset = (reading.epoch - self._first_epoch) * reading.total
            elif reading.inner <= self._last[1] - self._offset:
                self._offset = self._last[1] + (reading.inner == 0)
        step = self._offset + reading.inner
        self._last = reading.epoch, step
        return step

    def _add(self, reading: Reading, step: int | None, shape: str = "", *, once: bool = False) -> None:
        for name, value in reading.values.items():
            points = self._points.get(name)
            if points is None:
                if len(self._points) >= _SERIES:
                    self._say(f"it has more than {_SERIES} series; the others are left out")
                    continue
                points = self._points[name] = _Points(name in reading.measures)
            if self._taken >= 10 * POINTS:
                self._say(f"it has more than {10 * POINTS:,} points; the others are left out")
                return
            if len(points.steps) >= POINTS:
                self._say(f"{name} has more than {POINTS:,} points; the others are left out")
            elif not (once and points.steps and points.steps[-1] == step):
                points.add(step, value, shape)
                self._taken += 1

    def _say(self, note: str) -> None:
        if note not in self.notes and len(self.notes) < 10:
            self.notes.append(note)


class TrainingLog:
    """Reads the logs that a command wrote, and other text that a training command did."""

    name = "training-log"
    version = "2"
    moment = Moment.AFTER

    def __init__(self, name: str, match: Match, description: str) -> None:
        self.name, self.match, self.description = name, match, description

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """The series; of several logs with one of the same name, the later ones' belong to their file alone."""
        findings = Findings()
        names = set[str]() if self.match is _BY_NAME else _names_in(occurrence.matching(_BY_NAME))
        for parts in _logs([file for file in occurrence.matching(self.match) if self._is_log(file)]):
            series, path = _read(parts), parts[-1].path
            twice = frozenset(names & set(series.names()))
            series.tell(findings, "activity", but=twice)
            series.tell(findings, path, but=frozenset(series.names()) - twice)
            names |= set(series.names())
            for note in series.notes:
                findings.note(f"{path}: {note}")
        document = findings.to_json()
        return document if len(document) > 1 else None

    def _is_log(self, file: File) -> bool:
        """Whether a file is not already the other one's, and plain text of the command's own."""
        if self.match is _BY_NAME:
            return True
        if file.path.startswith("/") and (not file.size_bytes or file.role == "appended" or file.content is None):
            return False  # such as the output of a whole job, in which other commands write too
        return not _BY_NAME.fits_file(file.path, None) and file.media_type in (None, "text/plain")


class FollowedLog:
    """Reads a log while the command writes it; what it says at the end is read once more, by ``training-log``."""

    name = "training-log-live"
    version = "2"
    moment = Moment.DURING
    match = Match(files=LOGS, direction="generated")
    description = "training logs while the command runs"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """Nothing more."""

    def follow(self, occurrence: Occurrence, file: File) -> LogFollower:
        """Begin to follow a log."""
        return LogFollower()


class LogFollower:
    """What a growing log says."""

    def __init__(self) -> None:
        self._series = TrainingSeries()

    def feed(self, data: bytes) -> Mapping[str, Any] | None:
        """The points that are new with these bytes."""
        self._series.feed(data)
        findings = Findings()
        self._series.tell(findings, "activity", only_new=True)
        document = findings.to_json()
        return document if len(document) > 1 else None


def _names_in(files: Sequence[File]) -> set[str]:
    """Of the series that logs hold which another ingestor reads."""
    return {name for parts in _logs(files) for name in _read(parts).names()}


def _logs(files: Sequence[File]) -> list[list[File]]:
    """The files by the log that they are parts of, the oldest part first."""
    logs: dict[str, list[File]] = {}
    for file in files:
        part = _PART.match(file.path)
        logs.setdefault(file.path if part is None else part[1], []).append(file)
    return [sorted(parts, key=_age) for parts in logs.values()][:_FILES]


def _age(file: File) -> tuple[int, int, str]:
    """Orders the parts of a log: those with dates, those with numbers, of which the highest is the oldest, the log."""
    part = _PART.match(file.path)
    if part is None:
        return 2, 0, ""
    number = part[2]
    return (1, -int(number), "") if number.isdecimal() and len(number) < 7 else (0, 0, number)


def _read(parts: Sequence[File]) -> TrainingSeries:
    """Read what the activity wrote to a log; of an appended one, what came after the earlier bytes."""
    series = TrainingSeries()
    earlier = [file.previous for file in parts if file.previous is not None] if len(parts) > 1 else []
    for file in parts[-_FILES:]:
        try:
            with file.open() as stream:
                if file.role == "appended" and file.previous is not None:
                    stream.seek(_length(file))
                elif others := [before for before in earlier if before.path != file.path]:
                    stream.seek(max(_begun_with(stream, before) for before in others))
                _read_stream(stream, series)
        except OSError as error:
            of = f"{os.path.basename(file.path)}: " if len(parts) > 1 else ""
            series.notes.append(f"{of}{error.strerror or error}")
    if len(parts) > _FILES:
        series.notes.append(f"only the newest {_FILES} of its {len(parts):,} parts were read")
    return series


def _begun_with(stream: BinaryIO, before: Previous) -> int:
    """The length of an earlier state of a log, where a part begins with it: it was renamed; 0 where it does not."""
    if before.content is None:
        return 0
    stream.seek(0)
    with before.open() as known:
        while data := known.read(_CHUNK):
            if stream.read(len(data)) != data:
                return 0
        return known.tell()


def _read_stream(stream: BinaryIO, series: TrainingSeries) -> None:
    first, left = True, FILE_BYTES
    while left > 0 and (data := stream.read(min(_CHUNK, left))):
        if first and b"\0" in data[:_SNIFFED]:
            return
        series.feed(data)
        first, left = False, left - len(data)
    if left <= 0 and stream.read(1):
        series.notes.append(f"only the first {FILE_BYTES >> 20} MiB were read")
    series.feed(b"")


def _length(file: File) -> int:
    """Of what an appended file held before; 0 where nobody knows."""
    assert file.previous is not None
    try:
        with file.previous.open() as stream:
            return stream.seek(0, 2)
    except OSError:
        return 0


def _json_number(value: float) -> Any:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


_BY_NAME: Final = Match(files=(*LOGS, *ROTATED), direction="generated")
INGESTORS: Final = (
    TrainingLog("training-log", _BY_NAME, "training logs: loss, accuracy and other measures by epoch or step"),
    TrainingLog(
        "training-output",
        Match(command=TRAINING, files=("*",), direction="generated"),
        "the same in any other text file that a training command wrote, by redirection for instance",
    ),
    FollowedLog(),
)
