"""A made-up history of any size, written as events: layers of activities that use what the layers before made."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PARTS = 10
"""So many snapshots an artifact has."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written, and in what time. ``target`` is the uid of a snapshot near the end."""

    events: int
    vertices: int
    edges: int
    seconds: float
    target: str
    ancestors: int


def history(root: Path, *, layers: int, width: int, target_layer: int = 0, per_batch: int = 1000) -> Made:
    """Write ``layers`` × ``width`` activities into a project.

    Each uses both results of its predecessor and three random ones of the layer before, and makes two. The target is
    made by an activity of ``target_layer`` that uses the whole layer before: its ancestors are all that came before.
    """
    from provgraph.stores import open_store  # noqa: PLC0415 - only these rows need the library

    began = time.perf_counter()
    with open_store(str(root), write=True) as store:
        writer = _Writer(store, per_batch)
        writer.write(layers, width, target_layer)
        seconds = time.perf_counter() - began
        return Made(writer.events, writer.vertices, writer.edges, seconds, writer.target, writer.ancestors)


class _Writer:
    """Writes the events; counts what they hold."""

    def __init__(self, store: Any, per_batch: int) -> None:
        self.store, self.per_batch = store, per_batch
        self.random = random.Random(7)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.events = self.vertices = self.edges = self.snapshots = self.ancestors = 0
        self.target = ""
        self.artifacts: dict[int, str] = {}
        self.newest: dict[int, tuple[str, int]] = {}

    def write(self, layers: int, width: int, chosen: int) -> None:
        before: list[tuple[str, ...]] = []
        for layer in range(layers):
            works = [self._sources(before, number) for number in range(width)]
            if layer == chosen and before:
                self.ancestors = layer * width * 3 + 1
                works[0] = [uid for pair in before for uid in pair]
            made: list[tuple[str, ...]] = []
            for start in range(0, width, self.per_batch):
                with self.store.journal.batch() as batch:
                    made += [self._activity(batch, used) for used in works[start : start + self.per_batch]]
            if layer == chosen:
                self.target = made[0][0]
            before = made

    def _sources(self, before: list[tuple[str, ...]], number: int) -> list[str]:
        if not before:
            return []
        others = {self.random.choice(self.random.choice(before)) for _ in range(3)}
        return [*before[number], *sorted(others - set(before[number]))]

    def _activity(self, batch: Any, used: list[str]) -> tuple[str, ...]:
        self.now += timedelta(seconds=20)
        self.events += 1
        started, ended = self.now.isoformat(), (self.now + timedelta(seconds=10)).isoformat()
        event = batch.event("activity.ended", ended)
        command = f"python step.py --seed {self.events}"
        activity = event.vertex(["Activity", "Command"], {
            "name": f"step.py #{self.events}", "command": command, "argv": command.split(), "utility": "step.py",
            "cwd": ".", "exit_status": 0, "started_at": started, "ended_at": ended, "duration_s": 10.0, "cpu_s": 9.5,
            "max_rss_bytes": 50_000_000, "capture": "seccomp", "host": "made-up", "number": self.events,
            "param_seed": self.events, "metric_accuracy": self.random.random(),
        })  # fmt: skip
        self.vertices += 1
        for uid in used:
            event.edge("used", activity, uid, at=started)
        self.edges += len(used)
        return tuple(self._snapshot(event, activity, ended) for _ in range(2))

    def _snapshot(self, event: Any, activity: str, at: str) -> str:
        number = self.snapshots // PARTS
        self.snapshots += 1
        path = f"results/{number // 100:03}/part-{number:06}.csv"
        old, sequence = self.newest.get(number, ("", 0))
        uid: str = event.vertex(["Entity", "Snapshot"], {
            "path": path, "sha256": f"{self.random.getrandbits(256):064x}", "size_bytes": 1000 + number, "mode": 33188,
            "sequence": sequence + 1, "created_at": at, "restorable": False,
        })  # fmt: skip
        if number not in self.artifacts:
            artifact = self.store.namespace.artifact(path)
            self.artifacts[number] = event.vertex(["Entity", "Artifact"], {"path": path}, artifact)
            self.vertices += 1
        event.edge("specializationOf", uid, self.artifacts[number])
        event.edge("wasGeneratedBy", uid, activity, at=at)
        if old:
            event.edge("wasDerivedFrom", uid, old, prov_type="Revision")
        self.newest[number] = (uid, sequence + 1)
        self.vertices += 1
        self.edges += 2 + bool(old)
        return uid
