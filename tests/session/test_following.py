"""Growing files, followed by a real ingestor in its process: each point once, whatever becomes of file and process."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from following_samples import project_with_ingestor

from provgraph.events.series import Points, add_points
from provgraph.ingest.contents import lstat
from provgraph.ingest.growing import Running
from provgraph.ingest.places import Places
from provgraph.session.interpreting import following
from provgraph.session.interpreting.catalogue import Catalogue
from provgraph.session.interpreting.finding_events import scrubber
from provgraph.session.interpreting.following import Follows
from provgraph.stores import EmbeddedStore, open_store
from provgraph.stores.trust import trust

AT = "2026-11-20T12:00:00.000000+00:00"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedStore]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for name in ("YOUNG_S", "JOURNAL_S", "LOOK_S"):
        monkeypatch.setattr(following, name, -1.0)
    project_with_ingestor(tmp_path / "project")
    with open_store(str(tmp_path / "project"), write=True) as opened:
        yield opened


class Run:
    """A running activity, and who follows its files."""

    def __init__(self, store: EmbeddedStore) -> None:
        self.store, self.files = store, dict[str, int]()
        with store.journal.batch() as batch:
            properties = {"name": "train #1", "number": 1, "command": "train", "started_at": AT, "cwd": "."}
            self.uid = batch.event("activity.begun", AT).vertex(["Activity", "Command"], properties)
        self.begin()

    def begin(self) -> None:
        """As an ingester does that has just begun."""
        places = Places(self.store.root, "box", self.store.namespace, lambda _path: "project")
        catalogue = Catalogue(self.store)
        catalogue.described()
        self.follows = Follows(self.store, places, catalogue, scrubber(()))

    def write(self, name: str, text: str, mode: str = "a", begin: int = 0) -> Path:
        path = Path(self.store.root, name)
        with path.open(mode) as file:
            file.write(text)
        self.files.setdefault(str(path), begin)
        return path

    def until(self, holds: Callable[[], bool]) -> None:
        """Go on until something holds."""
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline
            self.follows.look([Running("spool", self.uid, self.files)])
            self.follows.step()
            time.sleep(0.002)

    def end(self) -> None:
        if self.follows.ended("spool", self.uid):
            deadline = time.monotonic() + 60
            while "spool" not in self.follows.step():
                assert time.monotonic() < deadline
                time.sleep(0.002)

    def points(self, name: str = "loss") -> list[tuple[int, float]]:
        found = self.store.reader.series(self.uid).get(name)
        return [] if found is None else list(zip(found.points.steps, found.points.values, strict=True))

    @property
    def failed(self) -> list[str]:
        vertex = self.store.reader.vertex(self.uid)
        assert vertex is not None
        return list(vertex.properties.get("ingestors_failed", []))


@pytest.fixture
def run(store: EmbeddedStore) -> Iterator[Run]:
    found = Run(store)
    yield found
    found.follows.close()


def lines(first: int, last: int, name: str = "loss") -> str:
    return "".join(f"{name} {step} {step / 8}\n" for step in range(first, last))


def expected(first: int, last: int) -> list[tuple[int, float]]:
    return [(step, step / 8) for step in range(first, last)]


def test_points_come_while_the_file_grows_and_the_rest_at_the_end(run: Run) -> None:
    run.write("train.tiny", lines(0, 5) + "loss 5")
    run.until(lambda: len(run.points()) == 5)
    run.write("train.tiny", " 0.625\n")
    run.until(lambda: len(run.points()) == 6)
    run.write("train.tiny", lines(6, 3000))
    run.end()
    assert run.points() == expected(0, 3000)
    assert run.failed == []
    vertex = run.store.reader.vertex(run.uid)
    assert vertex is not None
    assert vertex.properties["metric_loss_count"] == 3000
    assert vertex.properties["metric_loss_steps"][-1] == 2999
    assert run.store.knowledge.series(run.uid)["loss"].by == "tiny-live"


def test_an_ingester_that_follows_another_doubles_nothing(run: Run) -> None:
    run.write("train.tiny", lines(0, 700))
    run.until(lambda: len(run.points()) == 700)
    for last in (900, 1000):
        run.follows.close()  # killed: nothing of it is left but what is journaled
        run.begin()
        run.write("train.tiny", lines(len(run.points()), last))
        run.until(lambda last=last: len(run.points()) == last)  # type: ignore[misc]
    run.end()
    assert run.points() == expected(0, 1000)


def test_an_ingester_that_comes_when_the_command_has_ended_reads_the_rest(run: Run) -> None:
    path = run.write("train.tiny", lines(0, 10))
    run.until(lambda: len(run.points()) == 10)
    run.follows.close()
    run.write("train.tiny", lines(10, 30))
    store = run.store
    with store.journal.batch() as batch:
        event = batch.event("activity.ended", AT)
        event.set(run.uid, ended_at=AT)
        artifact = event.vertex(["Entity", "Artifact"], {"path": path.name}, store.namespace.artifact(path.name))
        snapshot = event.vertex(["Entity", "Snapshot"], {"path": path.name, "sequence": 1, "created_at": AT})
        event.edge("specializationOf", snapshot, artifact)
        event.edge("wasGeneratedBy", snapshot, run.uid, at=AT)
    stat = lstat(str(path))
    assert stat is not None
    store.knowledge.restat([(snapshot, stat)], AT)
    run.begin()
    run.end()
    assert run.points() == expected(0, 30)
    assert not run.follows.ended("another", "00000000-0000-4000-8000-000000000000")
    run.write("train.tiny", "changed since\n")
    run.begin()
    assert not run.follows.ended("spool", run.uid)


def test_a_process_that_dies_between_two_pieces(run: Run) -> None:
    run.write("train.tiny", lines(0, 10))
    run.until(lambda: len(run.points()) == 10)
    process = run.follows._process._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    run.write("train.tiny", lines(10, 20))
    run.until(lambda: len(run.points()) == 20)
    run.end()
    assert run.points() == expected(0, 20)
    assert run.failed == []


@pytest.mark.parametrize(("word", "said"), [("fail", "it was told to"), ("kill", "SIGKILL"), ("lie", "schema")])
def test_a_follower_that_breaks_costs_a_line_and_no_other_file(run: Run, word: str, said: str) -> None:
    run.write("a.tiny", lines(0, 4, "acc"))
    run.write("b.tiny", lines(0, 4))
    run.until(lambda: len(run.points()) == len(run.points("acc")) == 4)
    run.write("b.tiny", f"{word}\n" + lines(4, 8))
    run.write("a.tiny", lines(4, 8, "acc"))
    run.until(lambda: len(run.points("acc")) == 8)
    run.end()
    assert run.points("acc") == expected(0, 8)
    assert run.points() == expected(0, 4)
    (line,) = run.failed
    assert line.startswith("tiny-live: ")
    assert said in line


@pytest.mark.parametrize(
    "said",
    [
        "{'schema': 'provgraph/findings/1', 'series': [['loss', 1]]}",
        "{'schema': 'provgraph/findings/1', 'series': 3}",
        "{'schema': 'provgraph/findings/1', 'series': {'of': 'activity'}}",
    ],
)
def test_a_misshapen_answer_costs_a_line_and_no_other_file(store: EmbeddedStore, said: str) -> None:
    path = Path(store.root, ".provdb", "ingestors", "tiny.py")
    path.write_text(path.read_text().replace('found.series("activity", "x", ["a"], [1])', f"return {said}"))
    trust(store.root)
    run = Run(store)
    run.write("b.tiny", "lie\n" + lines(0, 4))
    run.write("a.tiny", lines(0, 8, "acc"))
    run.until(lambda: len(run.points("acc")) == 8)
    run.end()
    assert run.points() == []
    assert run.follows.log == []
    (line,) = run.failed
    assert line.startswith("tiny-live: it does not fit the schema")


RETURNING = """
from provgraph.ingestors.port import Findings, Match, Moment

class Number:
    def tolist(self):
        return 0.5

class Tiny:
    name, moment, match = "tiny-live", Moment.DURING, Match(files=("*.tiny",))
    def follow(self, occurrence, file):
        return self
    def feed(self, data):
        found = Findings().series("activity", "loss", [1], [Number()]).series("activity", "loss", [2], [1.0])
        return RETURNED if data else None

INGESTOR = Tiny()
"""


@pytest.mark.parametrize("returned", ["found", "found.to_json()"])
def test_a_follower_may_return_findings_or_a_document(store: EmbeddedStore, returned: str) -> None:
    folder = Path(store.root, ".provdb/ingestors")
    (folder / "tiny.py").write_text(RETURNING.replace("RETURNED", returned))
    trust(str(store.root))
    run = Run(store)
    run.write("a.tiny", "x")
    run.until(lambda: run.points() == [(1, 0.5), (2, 1.0)])
    run.end()
    assert run.failed == []


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("[found]", "tiny-live: feed returned a list; it must return a Findings, a dict"),
        ("Findings", "tiny-live: feed returned the class Findings itself"),
        ("{'activity': {'n': {1}}}", "tiny-live: a value is of the type set, '{1}'; take a number"),
    ],
)
def test_what_else_a_follower_returns_is_told_while_the_command_runs(
    store: EmbeddedStore, returned: str, said: str
) -> None:
    folder = Path(store.root, ".provdb/ingestors")
    (folder / "tiny.py").write_text(RETURNING.replace("RETURNED", returned))
    trust(str(store.root))
    run = Run(store)
    run.write("a.tiny", "x")
    run.until(lambda: bool(run.failed))
    assert run.failed[0].startswith(said)
    before = run.store.journal.last_seq()
    run.end()
    assert len(run.failed) == 1
    assert run.store.journal.last_seq() == before  # it is told once


def test_what_a_follower_says_of_its_failure_holds_no_secret(store: EmbeddedStore) -> None:
    path = Path(store.root, ".provdb", "ingestors", "tiny.py")
    path.write_text(path.read_text().replace("it was told to", "no answer with token=ghp_" + "0123456789" * 4))
    trust(store.root)
    run = Run(store)
    run.write("a.tiny", "fail\n")
    run.write("b.tiny", lines(0, 4))
    run.until(lambda: len(run.points()) == 4)
    run.end()
    (line,) = run.failed
    assert "no answer with token=" in line
    assert "ghp_0123" not in line


def test_a_file_that_is_cut_short_or_replaced_is_read_from_its_beginning(run: Run) -> None:
    path = run.write("train.tiny", lines(0, 100))
    run.until(lambda: len(run.points()) == 100)
    run.write("train.tiny", lines(0, 3), mode="w")
    run.until(lambda: len(run.points()) == 103)
    path.rename(path.with_suffix(".1"))
    run.write("train.1", lines(3, 5))  # what was written between the last look and the rotation
    run.write("train.tiny", lines(5, 7))
    run.until(lambda: len(run.points()) == 107)
    run.end()
    assert run.points() == [*expected(0, 100), *expected(0, 7)]


def test_what_an_appended_file_held_before_is_not_the_activitys(run: Run) -> None:
    before = lines(0, 50)
    Path(run.store.root, "train.tiny").write_text(before)
    run.write("train.tiny", lines(50, 60), begin=len(before))
    run.until(lambda: len(run.points()) == 10)
    run.end()
    assert run.points() == expected(50, 60)


def test_two_files_with_the_same_series_are_not_mixed(run: Run) -> None:
    run.write("a.tiny", lines(0, 4))
    run.until(lambda: len(run.points()) == 4)
    run.write("b.tiny", lines(0, 4) + lines(0, 2, "acc"))
    run.until(lambda: len(run.points("acc")) == 2)
    run.write("a.tiny", lines(4, 6))
    run.end()
    assert run.points() == expected(0, 6)


def test_a_file_that_goes_away_and_one_that_is_none(run: Run) -> None:
    run.write("gone.tiny", lines(0, 3)).unlink()
    os.mkfifo(Path(run.store.root, "pipe.tiny"))
    run.files[str(Path(run.store.root, "pipe.tiny"))] = 0
    Path(run.store.root, "folder.tiny").mkdir()
    run.files[str(Path(run.store.root, "folder.tiny"))] = 0
    run.write("a.tiny", lines(0, 3))
    run.until(lambda: len(run.points()) == 3)
    run.end()
    assert run.points() == expected(0, 3)
    assert run.failed == []


def test_what_was_read_after_the_end_takes_the_place_of_what_was_followed(run: Run) -> None:
    run.write("train.tiny", lines(0, 4))
    run.until(lambda: len(run.points()) == 4)
    run.write("train.tiny", lines(4, 6))
    with run.store.journal.batch() as batch:
        event = batch.event("properties.found", AT)
        whole = Points([0, 1], [9.0, 8.0])
        add_points(event, run.uid, {"loss": whole}, run.store.knowledge.series(run.uid), by="tiny", whole=True)
    run.end()  # the rest comes late, and is not appended to what is whole
    assert run.points() == [(0, 9.0), (1, 8.0)]


def test_only_so_much_is_read_once_the_command_has_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "REST_BYTES", 1000)
    run.write("train.tiny", lines(0, 4))
    run.until(lambda: len(run.points()) == 4)
    run.write("train.tiny", lines(4, 5000))
    run.end()
    count = len(run.points())
    assert 4 < count < 300
    assert run.points() == expected(0, count)


def test_a_pattern_that_never_ends_keeps_nobody(store: EmbeddedStore) -> None:
    path = Path(store.root, ".provdb", "ingestors", "tiny.py")
    path.write_text(path.read_text().replace("Match(", 'Match(command=r"(t+)+\\\\$", '))
    trust(store.root)
    with store.journal.batch() as batch:
        properties = {"name": "t #1", "number": 1, "command": "t" * 60, "started_at": AT, "cwd": "."}
        uid = batch.event("activity.begun", AT).vertex(["Activity", "Command"], properties)
    run = Run(store)
    run.uid = uid
    run.write("a.tiny", lines(0, 3))
    run.follows.look([Running("spool", uid, run.files)])
    run.follows.step()
    assert not run.follows.ended("spool", uid)
    run.follows.close()


def test_an_untrusted_projects_ingestors_follow_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(following, "YOUNG_S", -1.0)
    project_with_ingestor(tmp_path / "project")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "elsewhere"))
    with open_store(str(tmp_path / "project"), write=True) as store:
        run = Run(store)
        run.write("odd.tiny", lines(0, 3))
        run.follows.look([Running("spool", run.uid, run.files)])
        for _ in range(3):
            run.follows.step()
        assert not run.follows.ended("spool", run.uid)
