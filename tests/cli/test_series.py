"""``provdb show --series`` and ``--follow``: real commands that write logs, looked at while they run and afterwards."""

import csv
import io
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator
from fcntl import ioctl
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from processes import end_ingesters, eventually

import provgraph
from provgraph.errors import QuestionError
from provgraph.schemas import schema

TRAIN = """\
import os, sys, time
for part in range(3):
    for step in range(part * 5, part * 5 + 5):
        print(f"epoch {step} loss {1 / (step + 1):.6f} acc {step / 16}", flush=True)
    while not os.path.exists(f"go{part}"):
        time.sleep(0.01)
"""
LOSS = [(step, float(f"{1 / (step + 1):.6f}")) for step in range(15)]


class Training:
    """A command that logs five epochs and waits for a word, three times."""

    def __init__(self, provdb: Any, root: Path) -> None:
        self.provdb, self.root = provdb, root
        (root / "train.py").write_text(TRAIN)
        with (root / "train.log").open("w") as log:
            words = ["provdb", "python3", "train.py"]
            self.process = subprocess.Popen(words, cwd=root, env=provdb.environment, stdout=log)

    def go(self, part: int) -> None:
        (self.root / f"go{part}").touch()

    def end(self) -> None:
        for part in range(3):
            self.go(part)
        assert self.process.wait(60) == 0


@pytest.fixture
def training(provdb: Any, project: Path) -> Iterator[Training]:
    found = Training(provdb, project)
    eventually(lambda: "train.py" in provdb("log", check=None).stdout)
    yield found
    found.end()


class Following:
    """``provdb show %1 --follow --json``, and what it has said."""

    def __init__(self, training: Training, *words: str) -> None:
        self.said: list[dict[str, Any]] = []
        command = ["provdb", "show", "%1", "--follow", *words, "--json"]
        where = {"cwd": training.root, "env": training.provdb.environment}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **where)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.said += []
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def of(self, name: str) -> list[tuple[int, float]]:
        return [(one["step"], one["value"]) for one in self.said if one["series"] == name]

    def wait(self) -> int:
        status = self.process.wait(60)
        self._thread.join(60)
        return status


def document(provdb: Any, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(provdb("show", *words, "--json").stdout)
    jsonschema.validate(found, schema("series"), cls=jsonschema.Draft202012Validator)
    return found


def points(provdb: Any, name: str = "loss") -> list[tuple[int, float]]:
    (series,) = document(provdb, "%1", "--series", name)["series"]
    assert series["count"] == len(series["steps"])
    return list(zip(series["steps"], series["values"], strict=True))


def test_points_are_told_while_the_command_runs(training: Training) -> None:
    following = Following(training)
    for part in range(3):
        eventually(lambda part=part: len(following.of("loss")) == 5 * part + 5)
        assert training.process.poll() is None
        assert points(training.provdb) == LOSS[: 5 * part + 5]
        training.go(part)
    assert training.process.wait(60) == 0
    assert following.wait() == 0
    assert following.of("loss") == points(training.provdb) == LOSS
    assert following.of("acc") == [(step, step / 16) for step in range(15)]
    (series,) = document(training.provdb, "%1", "--series", "loss")["series"]
    assert series["ingestor"] == "training-log"  # which reads the log once more when the command has ended
    vertex = training.provdb.json("show", "%1")["vertex"]
    assert vertex["properties"]["metric_loss_count"] == 15
    assert vertex["properties"]["metric_loss_steps"] == list(range(15))
    assert "ingestors_failed" not in vertex["properties"]


def test_an_ingester_that_is_killed_costs_no_point_and_doubles_none(training: Training) -> None:
    following = Following(training, "loss")
    for part in range(2):
        eventually(lambda part=part: len(following.of("loss")) == 5 * part + 5)
        end_ingesters(training.root)
        training.go(part)
    eventually(lambda: len(following.of("loss")) == 15)
    assert points(training.provdb) == LOSS
    training.end()
    assert following.wait() == 0
    assert following.of("loss") == points(training.provdb) == LOSS
    assert following.of("acc") == []


def test_what_has_just_begun_is_the_newest(provdb: Any, project: Path) -> None:
    provdb("true")
    provdb("log")
    training = Training(provdb, project)
    eventually(lambda: any((project / ".provdb/spool").glob("*.jsonl")))
    following = Following(training, "loss")
    training.end()
    assert following.wait() == 0
    assert following.of("loss") == LOSS


def test_a_terminal_shows_curves_and_ctrl_c_ends_only_the_looking(training: Training) -> None:
    out = bytearray()
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(training.root)
        os.execvpe("provdb", ["provdb", "show", "%1", "--follow"], training.provdb.environment | {"TERM": "xterm"})
    ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 60, 0, 0))

    def read() -> bool:
        """Read what is there; False at the end."""
        try:
            data = os.read(fd, 1 << 16) if select.select([fd], [], [], 0.1)[0] else None
        except OSError:  # the other end is closed
            return False
        out.extend(data or b"")
        return data != b""

    def frames() -> list[str]:
        """Those that are there whole."""
        return [part.split("\x1b[?2026h")[-1] for part in out.decode(errors="replace").split("\x1b[?2026l")[:-1]]

    def seen(text: str) -> Callable[[], bool]:
        return lambda: read() and text in "".join(frames()[-1:])

    eventually(seen("(5 points)"))
    training.go(0)
    eventually(seen("(10 points)"))
    frame = frames()[-1]
    assert "Ctrl-C stops looking" in frame
    assert "loss" in frame
    assert "acc" in frame
    assert frame.count("\n") < 20
    out.clear()
    os.write(fd, b"\x03")
    eventually(lambda: not read(), "the end of what is shown")
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "\x1b[?25h" in out.decode(errors="replace")
    assert "Traceback" not in out.decode(errors="replace")
    assert training.process.poll() is None


def test_a_pipe_gets_a_line_for_each_point(training: Training) -> None:
    training.end()
    out = training.provdb("show", "%1", "--follow", "loss").stdout
    assert out.splitlines() == [f"loss {step} {value!r}" for step, value in LOSS]


BREAKS = """
from provgraph.ingestors.port import Match, Moment
class Breaks:
    name, moment, match = "breaks", Moment.DURING, Match(files=("train.log",))
    def follow(self, occurrence, file):
        return self
    def feed(self, data):
        return [1]
INGESTOR = Breaks()
"""


def test_a_follower_that_fails_is_told_and_recorded(provdb: Any, project: Path) -> None:
    (project / ".provdb/ingestors").mkdir()
    (project / ".provdb/ingestors/breaks.py").write_text(BREAKS)
    provdb("trust", ".")
    training = Training(provdb, project)
    eventually(lambda: "train.py" in provdb("log", check=None).stdout)
    command = ["provdb", "show", "%1", "--follow"]
    where = {"cwd": project, "env": provdb.environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **where) as following:
        assert following.stderr is not None
        line = following.stderr.readline()  # while the command runs
        assert training.process.poll() is None
        training.end()
        out, more = following.communicate(timeout=60)
    assert line == (
        "provdb: an ingestor failed: breaks: feed returned a list; it must return a Findings, a dict like "
        '{"schema": "provgraph/findings/1", "activity": {"param_lr": 0.1}}, or None where there is nothing to say\n'
    )
    assert (following.returncode, more) == (0, "")
    assert "loss 14 " in out
    assert provdb.json("show", "%1")["vertex"]["properties"]["ingestors_failed"] == [
        line.partition("failed: ")[2].strip()
    ]
    assert provdb("show", "%1", "--follow", "loss").stderr == line  # afterwards, too


@pytest.mark.usefixtures("project")
def test_what_has_no_points_to_follow(provdb: Any) -> None:
    provdb("true")
    assert "no series: nothing that logs points" in provdb("show", "%1", "--follow", check=1).stderr
    assert "true #1 has no series" in provdb("show", "%1", "--follow", "loss", check=2).stderr
    assert "nothing recorded is called 'nosuch'" in provdb("show", "nosuch", "--follow", check=2).stderr
    assert "there is no command %9" in provdb("show", "%9", "--follow", check=2).stderr


@pytest.fixture
def trained(provdb: Any, project: Path) -> Any:
    """Two trainings that have ended, the second one longer."""
    log = "".join(f"epoch {step} loss {4 - step} val_loss {5 - step}\n" for step in range(4))
    more = "".join(f"epoch {step} loss {5 - step} val_loss {5 - step}\n" for step in range(6))
    for text in (log, more):
        (project / "text").write_text(text)
        provdb.shell("provdb cat text > train.log")
        provdb("log")  # what is overwritten before anybody read it is gone
    return provdb


def test_a_table_curves_and_csv(trained: Any) -> None:
    out = trained("show", "%1", "--series", "--width", "80").stdout
    assert "series    points  steps  last  min  max" in out
    assert "loss           6  0–5       0    0    5  █▇▅▄▂▁" in out
    assert "loss  0  (6 points)" in out
    assert "val_loss" not in trained("show", "%1", "--series", "loss").stdout
    assert "\nloss" not in trained("show", "%1", "--series", "val*").stdout
    rows = list(csv.DictReader(io.StringIO(trained("show", "%1", "--series", "loss", "--csv").stdout)))
    assert [row["value"] for row in rows] == ["5.0", "4.0", "3.0", "2.0", "1.0", "0.0"]
    assert rows[0] == {"series": "loss", "step": "0", "value": "5.0", "time": ""}
    shown = trained("show", "%1").stdout
    assert "metric_loss      0.0  (6 points, 0 … 5)  █▇▅▄▂▁" in shown
    assert "metric_loss_values" not in shown


def test_questions_that_are_wrong(trained: Any) -> None:
    for words, said in (
        (["%1", "--series", "los"], "no series 'los'; did you mean loss?"),
        (["%1", "--series", "zzz"], "there are loss, val_loss"),
        (["text", "--series", "loss"], "has no series"),
        (["%1", "loss"], "provdb show REF --series loss"),
        (["%1", "--csv"], "--csv goes with --series"),
        (["%1", "--series", "--csv", "--json"], "either --csv or --json"),
        (["%1", "--follow", "--csv"], "not --csv"),
        (["%1", "--follow", "--at", "team"], "--follow watches what runs here"),
        (["text", "--follow"], "is no activity"),
        (["%1", "--follow", "los"], "no series 'los'; did you mean loss?"),
    ):
        assert said in trained("show", *words, check=2).stderr
    graph = trained("lineage", "train.log", "--json").stdout
    assert "carries no series" in trained("show", "x", "--series", "--graph", "-", check=2, input=graph).stderr
    assert "no series" in trained("show", "text", "--series", check=1).stderr


def test_two_runs_compared(trained: Any) -> None:
    found = json.loads(trained("compare", "%2", "%1", "--json").stdout)
    jsonschema.validate(found, schema("comparison"), cls=jsonschema.Draft202012Validator)
    loss, val_loss = found["series"]
    assert (loss["first"]["count"], loss["second"]["count"], loss["common_steps"]) == (4, 6, 4)
    assert (loss["largest_difference"], loss["at_step"]) == (1.0, 0)
    assert (val_loss["largest_difference"], val_loss["state"]) == (0.0, "differs")
    assert {row["key"] for row in found["both"][0]["properties"] if "metric" in row["key"]} == {
        "metric_loss",
        "metric_val_loss",
    }
    out = trained("compare", "%2", "%1").stdout
    assert "≠  loss       4 → 6  1 → 0  +1 at 0" in out
    assert "≠  val_loss   4 → 6  2 → 0  none at the steps of both" in out
    trained.shell("provdb cat text > train.log")
    assert "= series loss, val_loss" in trained("compare", "%2", "%1").stdout


def test_in_python(trained: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", trained.environment["XDG_DATA_HOME"])
    with provgraph.open(project) as here:
        found = here.series("%1")
        assert list(found) == ["loss", "val_loss"]
        assert found["loss"].steps.tolist() == [0, 1, 2, 3, 4, 5]
        assert found["loss"].values.dtype == "float64"
        assert found["loss"].times is None
        frame = found.to_pandas()
        assert list(frame.columns) == ["series", "step", "value"]
        assert frame.groupby("series")["value"].last().to_dict() == {"loss": 0.0, "val_loss": 0.0}
        assert found["loss"].to_pandas()["step"].tolist() == [0, 1, 2, 3, 4, 5]
        assert len(here.series("text")) == 0
        with pytest.raises(QuestionError, match="has no series 'f1'"):
            here.series("%1", "f1")
        (glance,) = here.follow("%1", "loss")
        assert glance.ended
        assert list(glance.new["loss"].values) == [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
