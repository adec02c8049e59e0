"""A small project with a past: prepared, split, trained, evaluated, edited by nobody knows whom, trained again.

Written as events through a real store's journal, as ingestion writes them. Alice runs four commands, ``config.yaml`` is
changed unseen, Bob trains again::

    raw.csv ← prepare.py #1 → clean.csv ← split.py #2 → train.csv, test.csv
    train.csv, config.yaml ← train.py #3 → model.pkl@1 ← evaluate.py #4 → metrics.json@1
    config.yaml@1 → unrecorded change → config.yaml@2 ← train.py #5 (Bob) → model.pkl@2
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measuring import unmeasured

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.stores import EmbeddedStore, init_project, open_store

DAY = "2026-11-20"


def at(clock: str) -> str:
    """A time of the sample's day, UTC."""
    return f"{DAY}T{clock}+00:00"


@dataclass
class Sample:
    """The project, and the uids of what is in it by name (``model.pkl@2``, ``train.py #5``, ``Bob``)."""

    root: Path
    uids: dict[str, str] = field(default_factory=dict)

    def open(self) -> EmbeddedStore:
        return open_store(str(self.root), write=True)


class _History:
    def __init__(self, sample: Sample, store: EmbeddedStore) -> None:
        self.sample, self.store, self.number = sample, store, 0
        self.newest: dict[str, tuple[str, int]] = {}

    def snapshot(self, event: Any, path: str, text: str, clock: str) -> str:
        """Write the file, keep its bytes, add its next snapshot."""
        place = self.sample.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        self.store.objects.put_bytes(text.encode())
        sequence = self.newest.get(path, ("", 0))[1] + 1
        artifact = event.namespace.artifact(path)
        if sequence == 1:
            event.vertex(["Entity", "Artifact"], {"path": path}, artifact)
        properties = {
            "path": path,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "size_bytes": len(text),
            "mode": 0o644,
            "sequence": sequence,
            "created_at": at(clock),
        }
        uid = event.vertex(["Entity", "Snapshot"], properties)
        event.edge("specializationOf", uid, artifact)
        self.newest[path] = (uid, sequence)
        self.sample.uids[f"{path}@{sequence}"] = uid
        return str(uid)

    def command(
        self, name: str, who: str, clock: str, reads: dict[str, str], writes: dict[str, str], **more: Any
    ) -> None:
        """One recorded command; ``reads`` and ``writes`` give each file's text."""
        self.number += 1
        label = f"{name} #{self.number}"
        with self.store.journal.batch() as batch:
            event = batch.event("activity.ended", at(clock))
            properties = {
                "name": label,
                "number": self.number,
                "command": f"python {name}",
                "argv": ["python", name],
                "utility": "python",
                "cwd": ".",
                "exit_status": 0,
                "started_at": at(clock),
                "ended_at": at(clock[:-2] + "02"),
                "duration_s": 1.92,
                "capture": "seccomp",
                "host": "box",
            }
            uid = event.vertex(["Activity", "Command"], properties | more)
            email = f"{who.lower()}@example.org"
            person = event.vertex(["Agent", "Person"], {"name": who, "email": email}, event.namespace.person(email))
            event.edge("wasAssociatedWith", uid, person)
            self.sample.uids |= {label: uid, who: person}
            for path, text in reads.items():
                known = self.newest.get(path)
                event.edge("used", uid, known[0] if known else self.snapshot(event, path, text, clock), at=at(clock))
            for path, text in writes.items():
                known = self.newest.get(path)
                new = self.snapshot(event, path, text, clock[:-2] + "02")
                event.edge("wasGeneratedBy", new, uid, at=at(clock[:-2] + "02"))
                if known:
                    event.edge("wasDerivedFrom", new, known[0], prov_type="Revision", activity=uid)

    def unseen(self, path: str, text: str, since: str, clock: str) -> None:
        with self.store.journal.batch() as batch:
            event = batch.event("change.noticed", at(clock))
            properties = {
                "name": "unrecorded change",
                "capture": "none",
                "started_at": at(since),
                "ended_at": at(clock),
            }
            uid = event.vertex(["Activity", "Unseen"], properties)
            old = self.newest[path][0]
            new = self.snapshot(event, path, text, clock)
            event.edge("wasGeneratedBy", new, uid, at=at(clock))
            event.edge("used", uid, old, at=at(since))
            event.edge("wasDerivedFrom", new, old, prov_type="Revision", missing=True, activity=uid)
            self.sample.uids[f"unrecorded change of {path}"] = uid


def make_sample(root: Path) -> Sample:
    """The project described above, in the folder ``root``."""
    root.mkdir(parents=True, exist_ok=True)
    sample = Sample(root)
    with unmeasured(), init_project(str(root)) as store:
        history = _History(sample, store)
        history.command("prepare.py", "Alice", "09:00:00", {"raw.csv": "a,b\n"}, {"clean.csv": "a,b\n1,2\n"})
        history.command("split.py", "Alice", "09:05:00", {"clean.csv": ""}, {"train.csv": "1\n", "test.csv": "2\n"})
        reads = {"train.csv": "", "config.yaml": "lr: 0.1\n"}
        history.command("train.py", "Alice", "09:10:00", reads, {"model.pkl": "model one"}, param_lr=0.1, metric_f1=0.8)
        scores = {"metrics.json": '{"accuracy": 0.9}\n'}
        history.command("evaluate.py", "Alice", "09:20:00", {"model.pkl": "", "test.csv": ""}, scores)
        history.unseen("config.yaml", "lr: 0.3\n", "09:10:00", "10:00:00")
        history.command("train.py", "Bob", "12:03:00", reads, {"model.pkl": "model two"}, param_lr=0.3, metric_f1=0.85)
        there = {path: uid for path, (uid, _) in history.newest.items()}
        stats = [(uid, _stat(root / path)) for path, uid in there.items()]
        store.knowledge.restat(stats, at("12:04:00"))
    return sample


def _stat(path: Path) -> tuple[int, int, int, int, int, int]:
    s = path.lstat()
    return s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_mode


def ladder(steps: int) -> ProvGraph:
    """Diamonds in a row: step n used both outputs of step n - 1 and generated two. 2ⁿ walks lead back."""
    vertices = [Vertex("e0a", ("Entity", "Snapshot"), {"path": "e0a", "sequence": 1})]
    edges = []
    for n in range(1, steps + 1):
        vertices.append(Vertex(f"a{n}", ("Activity", "Command"), {"name": f"step #{n}", "number": n}))
        for side in "ab":
            vertices.append(Vertex(f"e{n}{side}", ("Entity", "Snapshot"), {"path": f"e{n}{side}", "sequence": 1}))
            edges.append(Edge("wasGeneratedBy", f"e{n}{side}", f"a{n}"))
            if n > 1 or side == "a":
                edges.append(Edge("used", f"a{n}", f"e{n - 1}{side}"))
    return ProvGraph(vertices, edges)
