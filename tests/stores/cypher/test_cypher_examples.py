"""The ten questions of ``provdb cypher --examples`` have the answers that the demo's story has."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provgraph.queries.cypher_examples import EXAMPLES
from provgraph.stores.cypher import CypherCache

NOW = datetime.now(UTC).replace(microsecond=0)


def _at(minute: int) -> str:
    return (NOW - timedelta(hours=1) + timedelta(minutes=minute)).isoformat()


class Story:
    """Collects what happened, as ingestion would record it."""

    def __init__(self) -> None:
        self.vertices: dict[str, Any] = {
            "alice": (["Agent", "Person"], {"name": "Alice", "email": "alice@example.org"}),
            "bob": (["Agent", "Person"], {"name": "Bob", "email": "bob@example.org"}),
            "venv": (["Entity", "Snapshot", "Environment"], {"path": ".venv", "sequence": 1}),
        }
        self.edges: list[tuple[Any, ...]] = []
        self.number = 0

    def snapshot(self, name: str) -> None:
        path, _, sequence = name.rpartition("@")
        held = {"path": path, "sequence": int(sequence), "created_at": _at(self.number)}
        self.vertices[path] = (["Entity", "Artifact"], {"path": path})
        self.vertices[name] = (["Entity", "Snapshot"], held)
        self.edges.append(("specializationOf", name, path))

    def command(self, who: str, script: str, used: list[str], generated: list[str], **more: Any) -> None:
        self.number += 1
        name = f"{script} #{self.number}"
        held = {
            "name": name, "command": f"python {script}", "utility": "python", "started_at": _at(self.number),
            "ended_at": _at(self.number), "duration_s": 2.0 * self.number, "exit_status": 0,
            "max_rss_bytes": 1000 * self.number, "number": self.number, **more,
        }  # fmt: skip
        self.vertices[name] = (["Activity", "Command"], held)
        self.edges += [("wasAssociatedWith", name, who), ("used", name, "venv")]
        for snapshot in generated:
            self.snapshot(snapshot)
            self.edges.append(("wasGeneratedBy", snapshot, name, {"at": _at(self.number)}))
        self.edges += [("used", name, snapshot, {"at": _at(self.number)}) for snapshot in used]


@pytest.fixture(scope="module")
def demo(shared_graph: Any) -> Any:
    story = Story()
    for name in ("data/digits.csv@1", "config.json@1", "split.json@1"):
        story.snapshot(name)
    story.command("alice", "prepare.py", ["data/digits.csv@1"], ["work/prepared.csv@1"])
    story.command("alice", "split.py", ["work/prepared.csv@1", "split.json@1"], ["work/train.csv@1", "work/test.csv@1"])
    story.command("alice", "train.py", ["work/train.csv@1", "config.json@1"], ["model.pkl@1"])
    story.command("alice", "evaluate.py", ["model.pkl@1", "work/test.csv@1"], ["metrics.json@1"], metric_accuracy=0.9)
    story.snapshot("config.json@2")
    story.vertices["edit"] = (["Activity", "Unseen"], {"name": "unrecorded change", "ended_at": _at(5)})
    story.edges += [("wasGeneratedBy", "config.json@2", "edit"), ("used", "edit", "config.json@1")]
    story.command("bob", "train.py", ["work/train.csv@1", "config.json@2"], ["model.pkl@2"])
    story.command("bob", "evaluate.py", ["model.pkl@2", "work/test.csv@1"], ["metrics.json@2"], metric_accuracy=0.95)
    shared_graph.add(story.vertices, story.edges)
    return shared_graph


ANSWERS: list[list[tuple[Any, ...]]] = [
    [("config.json", 1), ("config.json", 2), ("data/digits.csv", 1), ("split.json", 1), ("work/prepared.csv", 1),
     ("work/train.csv", 1)],
    [("metrics.json", 1), ("metrics.json", 2)],
    [(1, "Alice", "python train.py", NOW - timedelta(minutes=57)),
     (2, "Bob", "python train.py", NOW - timedelta(minutes=55))],
    [(1, 1, "train.py #3"), (2, 2, "train.py #5")],
    [("evaluate.py #6", 2, 0.95), ("evaluate.py #4", 1, 0.9)],
    [("config.json", 2, NOW - timedelta(minutes=55), ["train.py #5"])],
    [("metrics.json", 1, "evaluate.py #4", "model.pkl", 1, 2), ("model.pkl", 1, "train.py #3", "config.json", 1, 2)],
    [("python", 6, 42.0, 6000)],
    [("well", 6, NOW - timedelta(minutes=54))],
    [(["metrics.json", "evaluate.py #6", "work/test.csv", "split.py #2", "work/prepared.csv", "prepare.py #1",
       "data/digits.csv"],)],
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[example.question[:40] for example in EXAMPLES])
def test_example(number: int, demo: Any, shared_cache: CypherCache) -> None:
    rows = shared_cache.run(EXAMPLES[number].query)
    assert list(rows.rows) == ANSWERS[number]
    assert rows.notes in ((), ("no property `metric_accuracy`",))


def test_there_are_ten() -> None:
    assert len(EXAMPLES) == len(ANSWERS) == 10
    assert len({example.question for example in EXAMPLES}) == 10
