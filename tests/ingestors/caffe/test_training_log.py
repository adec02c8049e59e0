"""Caffe's logs: equal to what Caffe's own ``parse_log.py`` prints, on every row."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.ingestors.caffe.training_log import MAX_LINE, TrainingLog

LOGS = {
    "resnet-20": "resnet-cifar10/resnet-20/logs/resnet-20__2016-08-14_00-25-56.log",
    "resnet-56": "resnet-cifar10/resnet-56/logs/resnet-56__2018-10-23_12-27-50.log",
}


def read(data: bytes, piece: int = 1 << 16, year: int = 2016) -> TrainingLog:
    log = TrainingLog(year)
    for start in range(0, len(data), piece):
        log.feed(data[start : start + piece])
    log.feed(b"")
    return log


def content(log: TrainingLog) -> dict[str, tuple[list[int], list[float], list[float]]]:
    return {name: (list(s.steps), list(s.values), list(s.clocks)) for name, s in log.series.items()}


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("phase", ["train", "test"])
def test_every_row_of_parse_log(name: str, phase: str, caffe_files: Path) -> None:
    path = LOGS[name]
    log = read((caffe_files / path).read_bytes())
    expected = caffe_files / "expected-parse_log" / f"{path.replace('/', '_')}.{phase}.csv"
    rows = list(csv.DictReader(expected.read_text().splitlines()))
    outputs = {
        column: log.series[f"{phase}_{column}"]
        for column in rows[0]
        if column not in ("NumIters", "Seconds", "LearningRate")
    }
    rate = log.series["learning_rate"]
    assert len(rows) > 60
    assert log.began is not None
    for column, series in outputs.items():
        assert list(series.steps) == [int(float(row["NumIters"])) for row in rows]
        assert list(series.values) == [float(row[column]) for row in rows]
        # Its seconds are those since solving began, by the line that names the first output.
        if column == next(iter(outputs)):
            seconds = [round(clock - log.began, 6) for clock in series.clocks]
            assert seconds == [float(row["Seconds"]) for row in rows]
            # Its learning rate is the one of the display before: that of an iteration is logged after its outputs.
            before = [
                [v for v, at in zip(rate.values, rate.clocks, strict=True) if at < clock] for clock in series.clocks
            ]
            assert [values[-1] if values else rate.values[0] for values in before] == [
                float(row["LearningRate"]) for row in rows
            ]


def test_the_learning_rate_is_that_of_its_iteration(caffe_files: Path) -> None:
    rate = read((caffe_files / LOGS["resnet-20"]).read_bytes()).series["learning_rate"]
    by_iteration = dict(zip(rate.steps, rate.values, strict=True))
    assert (by_iteration[31_900], by_iteration[32_000], by_iteration[48_000]) == (0.1, 0.01, 0.001)
    assert math.isclose(read((caffe_files / LOGS["resnet-56"]).read_bytes()).series["loss"].values[-1], 0.0030242)


def test_what_else_the_log_says(caffe_files: Path) -> None:
    log = read((caffe_files / LOGS["resnet-56"]).read_bytes())
    assert log.finished
    assert log.weights[-1] == "resnet-56/snapshot/solver_iter_64000.caffemodel"
    assert len(log.weights) == 7
    assert log.solver.startswith(b"test_iter: 100\n")
    assert log.solver.endswith(b'type: "SGD"\n')
    assert log.notes() == []


@given(st.lists(st.integers(1, 70_000), max_size=20))
def test_pieces_do_not_matter(caffe_files: Path, cuts: list[int]) -> None:
    data = (caffe_files / LOGS["resnet-56"]).read_bytes()[-60_000:]
    log, rest = TrainingLog(2018), data
    for cut in cuts:
        if rest:
            log.feed(rest[:cut])
            rest = rest[cut:]
    if rest:
        log.feed(rest)
    log.feed(b"")
    assert content(log) == content(read(data, year=2018))


LINE = "I0814 00:26:16.{micro:06d} 1 solver.cpp:1] {text}\n"


def lines(*texts: str) -> bytes:
    return "".join(LINE.format(micro=number, text=text) for number, text in enumerate(texts)).encode()


def test_several_nets_and_outputs_of_several_values() -> None:
    log = read(
        lines(
            "Iteration 0, Testing net (#0)",
            "    Test net output #0: accuracy = 0.5",
            "    Test net output #1: accuracy = 0.6",
            "Iteration 0, Testing net (#1)",
            "    Test net output #0: accuracy = 0.7",
            "Iteration 0, loss = 2.5",
            "    Train net output #0: loss = 2.4 (* 1 = 2.4 loss)",
            "    Train net output #1: loss2/loss = nan",
            "Iteration 0, lr = 1e-05",
        )
    )
    assert {name: list(series.values) for name, series in log.series.items() if name != "train_loss2/loss"} == {
        "test_accuracy": [0.5],
        "test_accuracy_1": [0.6],
        "test1_accuracy": [0.7],
        "loss": [2.5],
        "train_loss": [2.4],
        "learning_rate": [1e-05],
    }
    assert math.isnan(log.series["train_loss2/loss"].values[0])


def test_a_restarted_training_goes_back() -> None:
    log = read(lines("Iteration 10, loss = 1", "Iteration 20, loss = 0.5", "Iteration 10, loss = 0.7"))
    assert list(log.series["loss"].steps) == [10, 20, 10]
    assert log.series["loss"].at(15) == 0.7


def test_new_years_eve_and_dates_with_a_year() -> None:
    log = read(
        b"I1231 23:59:59.000000 1 solver.cpp:1] Iteration 1, loss = 1\n"
        b"I0101 00:00:01.000000 1 solver.cpp:1] Iteration 2, loss = 1\n"
    )
    assert log.series["loss"].clocks[1] - log.series["loss"].clocks[0] == 2
    later = read(b"I20160229 00:00:00.5 1 solver.cpp:1] Iteration 1, loss = 1\n", year=2026)
    assert later.series["loss"].clocks[0] == 1456704000.5


def test_what_cannot_be_read_is_counted() -> None:
    log = read(lines("Iteration 1, loss = soon", "    Train net output #0: x = --", "Iteration 2, loss = 1"))
    assert log.notes() == ["2 values in the log are no numbers"]
    assert list(log.series["loss"].values) == [1]


def test_endless_lines_and_names_are_bounded() -> None:
    log = TrainingLog()
    for _ in range(100):
        log.feed(b"x" * MAX_LINE)
    log.feed(b"\n" + lines("Iteration 1, loss = 1"))
    assert len(log.series["loss"]) == 1
    many = TrainingLog()
    many.feed(lines("Iteration 1, loss = 1", *(f"    Train net output #{n}: o{n} = 1" for n in range(2_000))))
    assert len(many.series) == 500
    assert "left out" in many.notes()[0]


@given(st.binary(max_size=500))
def test_any_bytes(data: bytes) -> None:
    read(data, piece=7)


_PARTS = st.sampled_from(
    """I0814 |00:26:16.531354 |22487 |solver.cpp:1] |Iteration |5|, loss = |nan|1e999|, lr = |\n|Testing net (#|x = |
        Train net output #0: |Snapshotting to binary proto file |I9999 99:99:99.9 1 a:1] """.split("|")
)


@given(st.lists(_PARTS, max_size=60))
def test_any_parts_of_lines(parts: list[str]) -> None:
    for series in read("".join(parts).encode()).series.values():
        assert len(series.steps) == len(series.values) == len(series.clocks)
