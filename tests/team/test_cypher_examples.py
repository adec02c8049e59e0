"""The twenty questions of ``provdb cypher --examples`` have the answers that the demo's story has, on both stores."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cypher_samples import Both, both_stores

from provgraph.queries.cypher_examples import EXAMPLES

NOW = datetime.now(UTC).replace(microsecond=0)


def _at(minute: int) -> str:
    return (NOW - timedelta(hours=1) + timedelta(minutes=minute)).isoformat(timespec="microseconds")


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


def told() -> Story:
    """The demo's story: Alice trains, plots in vain, somebody edits the configuration, Bob trains again."""
    story = Story()
    for name in ("data/digits.csv@1", "config.json@1", "split.json@1"):
        story.snapshot(name)
    story.command("alice", "prepare.py", ["data/digits.csv@1"], ["work/prepared.csv@1"])
    story.command("alice", "split.py", ["work/prepared.csv@1", "split.json@1"], ["work/train.csv@1", "work/test.csv@1"])
    story.command("alice", "train.py", ["work/train.csv@1", "config.json@1"], ["model.pkl@1"], param_depth=3)
    story.command("alice", "evaluate.py", ["model.pkl@1", "work/test.csv@1"], ["metrics.json@1"], metric_accuracy=0.9)
    story.command("alice", "plot.py", ["metrics.json@1", "work/test.csv@1"], [], exit_status=1)
    story.snapshot("config.json@2")
    story.vertices["edit"] = (["Activity", "Unseen"], {"name": "unrecorded change", "ended_at": _at(5)})
    story.edges += [("wasGeneratedBy", "config.json@2", "edit"), ("used", "edit", "config.json@1")]
    story.edges.append(("wasDerivedFrom", "config.json@2", "config.json@1", {"prov_type": "Revision", "missing": True}))
    story.command("bob", "train.py", ["work/train.csv@1", "config.json@2"], ["model.pkl@2"], param_depth=5)
    story.command("bob", "evaluate.py", ["model.pkl@2", "work/test.csv@1"], ["metrics.json@2"], metric_accuracy=0.95)
    story.vertices["copy.csv@1"] = (["Entity", "Snapshot"], {"path": "copy.csv", "sequence": 1, "sha256": "a" * 64})
    for name in ("copy.csv@1", "work/prepared.csv@1"):
        story.vertices[name][1].update(sha256="a" * 64, size_bytes=5)
    story.edges.append(("wasGeneratedBy", "copy.csv@1", "edit"))
    return story


def _minute(minute: int) -> datetime:
    return NOW - timedelta(hours=1) + timedelta(minutes=minute)


ANSWERS: list[list[tuple[Any, ...]]] = [
    [("config.json", 1), ("config.json", 2), ("data/digits.csv", 1), ("split.json", 1), ("work/prepared.csv", 1),
     ("work/train.csv", 1)],
    [("metrics.json", 2)],
    [(1, "Alice", "python train.py", _minute(3)), (2, "Bob", "python train.py", _minute(6))],
    [(1, 1, "train.py #3"), (2, 2, "train.py #6")],
    [("evaluate.py #7", 2, 0.95), ("evaluate.py #4", 1, 0.9)],
    [("config.json", 2, _minute(5), ["train.py #6"]), ("copy.csv", 1, _minute(5), [])],
    [("metrics.json", 1, "evaluate.py #4", "model.pkl", 1, 2), ("model.pkl", 1, "train.py #3", "config.json", 1, 2)],
    [("python", 7, 56.0, 7000)],
    [("failed", 1, _minute(5)), ("well", 6, _minute(7))],
    [(["metrics.json", "evaluate.py #7", "work/test.csv", "split.py #2", "work/prepared.csv", "prepare.py #1",
       "data/digits.csv"],)],
    [("Alice", 5, _minute(1), _minute(5)), ("Bob", 2, _minute(6), _minute(7))],
    [("Bob", "Alice", "work/test.csv", 1), ("Bob", "Alice", "work/train.csv", 1)],
    [("config.json", 1, 1), ("data/digits.csv", 1, 1), ("split.json", 1, 1)],
    [(1, 0.9, [["param_depth", 3]]), (2, 0.95, [["param_depth", 5]])],
    [(2, 1, "Revision", True)],
    [("python plot.py", 1, ["metrics.json", "work/test.csv"])],
    [(["copy.csv", "work/prepared.csv"],)],
    [("work/test.csv", 3), ("config.json", 2), ("model.pkl", 2), ("work/train.csv", 2), ("data/digits.csv", 1)],
    [("prepare.py #1", _minute(1)), ("split.py #2", _minute(2)), ("train.py #3", _minute(3)),
     ("evaluate.py #4", _minute(4)), ("plot.py #5", _minute(5)), ("train.py #6", _minute(6)),
     ("evaluate.py #7", _minute(7))],
    [(1, ".venv", 1), (2, ".venv", 1)],
]  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, neo4j_server: Any) -> Iterator[Both]:
    """The story, in both stores."""
    from neo4j_server import remote_of

    with both_stores(tmp_path_factory.mktemp("demo"), remote_of(neo4j_server)) as made:
        story = told()
        made.graph.add(story.vertices, story.edges)
        made.send()
        yield made


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[example.question[:40] for example in EXAMPLES])
def test_example(number: int, both: Both) -> None:
    rows = both(EXAMPLES[number].query)
    assert list(rows.rows) == ANSWERS[number]
    assert not rows.notes


def test_there_are_twenty() -> None:
    assert len(EXAMPLES) == len(ANSWERS) == 20
    assert len({example.question for example in EXAMPLES}) == 20
