"""A training while it runs: its log is followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provgraph.ingestors.caffe.reading import LOGS, year_of, zone_offset
from provgraph.ingestors.caffe.training_log import TrainingLog
from provgraph.ingestors.port import ActivityWords, File, Findings, Follower, Match, Moment, Occurrence


class Following:
    """Follows each log that a command writes; one that is none of Caffe's gives nothing."""

    name = "caffe-log"
    version = "1"
    moment = Moment.DURING
    match = Match(files=LOGS, direction="generated")
    description = "Caffe: loss, outputs and learning rate while a training runs"

    def ingest(self, occurrence: Occurrence) -> None:
        """Nothing: what a log says at the end is read by ``caffe``."""

    def follow(self, occurrence: Occurrence, file: File) -> Follower:
        """Begin to follow a file."""
        return _Follower(occurrence.activity)


class _Follower:
    def __init__(self, activity: ActivityWords) -> None:
        self._activity = activity
        self._log = TrainingLog(year_of(activity))
        self._told: dict[str, int] = {}

    def feed(self, data: bytes) -> Mapping[str, Any] | None:
        """The points that are new with these bytes."""
        self._log.feed(data)
        findings, new = Findings(), False
        offset = zone_offset(self._log, self._activity)
        for name, series in self._log.series.items():
            first = self._told.get(name, 0)
            if first == len(series):
                continue
            self._told[name], new = len(series), True
            times = None if offset is None else [round((clock + offset) * 1e9) for clock in series.clocks[first:]]
            findings.series("activity", name, series.steps[first:], series.values[first:], times)
        return findings.to_json() if new else None


FOLLOWING = Following()
