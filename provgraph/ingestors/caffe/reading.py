"""Opening what a Caffe run used and wrote: which file is a solver, a net, a log, weights."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from provgraph.ingestors.caffe.definitions import is_net, is_solver
from provgraph.ingestors.caffe.training_log import SIGNS, TrainingLog
from provgraph.ingestors.patterns import fits_globs
from provgraph.ingestors.port import ActivityWords, File, Findings
from provgraph.ingestors.prototxt import MAX_BYTES, Field, PrototxtError, parse

WEIGHTS: Final = ("*.caffemodel", "*.caffemodel.h5")
STATES: Final = ("*.solverstate", "*.solverstate.h5")
LOGS: Final = ("*.log", "*.log.*", "*.out", "*.err", "*.INFO", "log")

_SNIFFED: Final = 1 << 18
_LOG_LIMIT: Final = 64 << 20
"""Bytes that are read of the logs of one run; Caffe writes about 100 for each value."""
_PIECE: Final = 1 << 20
_MAX_LOGS: Final = 20
_MAX_PROTOTXT: Final = 100
_ITERATION: Final = re.compile(r"_iter_(\d{1,18})\.")
_MAX_OFFSET_S: Final = 14 * 3600
_QUARTER_S: Final = 900
_SLACK_S: Final = 2.0


class Definition(NamedTuple):
    """A prototxt file and what it says."""

    file: File
    fields: list[Field]

    @property
    def is_solver(self) -> bool:
        """Whether it defines a solver."""
        return is_solver(self.fields)

    @property
    def is_net(self) -> bool:
        """Whether it defines a net."""
        return is_net(self.fields)


def definitions(files: Iterable[File], findings: Findings) -> list[Definition]:
    """The prototxt files among some; what is none of the format is noted."""
    chosen = [file for file in files if file.path.endswith((".prototxt", ".prototxt.txt", ".pbtxt"))]
    if len(chosen) > _MAX_PROTOTXT:
        findings.note(f"only {_MAX_PROTOTXT} of {len(chosen):,} prototxt files were read")
    found = []
    for file in chosen[:_MAX_PROTOTXT]:
        try:
            with file.open() as opened:
                found.append(Definition(file, parse(opened.read(MAX_BYTES + 1))))
        except (PrototxtError, OSError) as error:
            findings.note(f"{file.path}: {error}")
    return found


def iteration_of(path: str) -> int | None:
    """The iteration that weights are of, as Caffe names their file: ``…_iter_10000.caffemodel``."""
    found = _ITERATION.search(path)
    return None if found is None else int(found[1])


def read_log(files: Iterable[File], activity: ActivityWords, findings: Findings) -> tuple[File, TrainingLog] | None:
    """The log among the files that a run wrote: of several, such as a copy, the one with most in it."""
    best: tuple[File, TrainingLog] | None = None
    seen: set[str] = set()
    left = _LOG_LIMIT
    candidates = [file for file in files if fits_globs((*LOGS, "*.txt"), file.path)]
    for file in candidates[:_MAX_LOGS]:
        if file.sha256 in seen:
            continue
        if file.sha256:
            seen.add(file.sha256)
        try:
            log, read = _read(file, activity, findings, left)
            left -= read
        except OSError as error:
            findings.note(f"{file.path}: {error}")
            continue
        if log is not None and log.points and (best is None or log.points > best[1].points):
            best = (file, log)
    return best


def begins_like_a_log(data: bytes) -> bool:
    """Whether the begin of a file looks like one of Caffe's logs."""
    return any(sign in data for sign in SIGNS)


def year_of(activity: ActivityWords) -> int:
    """The year in which a run began; 2000, which has a 29th of February, where it is not known."""
    try:
        return datetime.fromisoformat(activity.started_at or "").year
    except ValueError:
        return 2000


def zone_offset(log: TrainingLog, activity: ActivityWords) -> float | None:
    """Seconds to add to the log's clock for Unix time; None where the log is not of the time of the run.

    The log's clock has no zone, and zones differ by quarters of an hour.
    """
    try:
        started = datetime.fromisoformat(activity.started_at or "").timestamp()
        ended = datetime.fromisoformat(activity.ended_at).timestamp() if activity.ended_at else None
    except ValueError:
        return None
    if log.first is None or log.last is None:
        return None
    offset = -((log.first - (started - _SLACK_S)) // _QUARTER_S) * _QUARTER_S
    if abs(offset) > _MAX_OFFSET_S or (ended is not None and log.last + offset > ended + _SLACK_S):
        return None
    return offset


def _read(file: File, activity: ActivityWords, findings: Findings, limit: int) -> tuple[TrainingLog | None, int]:
    """(the log, None where it is none of Caffe's; how many bytes were read of it)."""
    with file.open() as opened:
        if file.role == "appended" and file.previous is not None:
            try:
                with file.previous.open() as before:
                    opened.seek(before.seek(0, 2))
            except OSError:
                findings.note(f"{file.path}: what was in it before is not known, so all of it is read as this run's")
        data = opened.read(_SNIFFED)
        if not begins_like_a_log(data):
            return None, 0
        log, read = TrainingLog(year_of(activity)), 0
        while data and read < limit:
            log.feed(data)
            read += len(data)
            data = opened.read(_PIECE)
        log.feed(b"")
        if data:
            findings.note(f"{file.path}: only the first {read:,} bytes were read")
    for note in log.notes():
        findings.note(f"{file.path}: {note}")
    return log, read
