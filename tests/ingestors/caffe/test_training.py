"""What is told of a training with Caffe, and where."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provgraph.ingestors.caffe import INGESTORS
from provgraph.ingestors.port import Moment, findings_document

TRAINING, FOLLOWING = INGESTORS
SOLVER, NET, LOG = "solver.prototxt", "resnet-20/trainval.prototxt", "train.log"
WEIGHTS = tuple(f"resnet-20/snapshot/_iter_{n}.caffemodel" for n in (10_000, 64_000))
DATA = ("cifar-10-batches-py/train/data.mdb", "cifar-10-batches-py/test/data.mdb")


@pytest.fixture
def trained(folder: Any, training_folder: Path) -> Any:
    """The occurrence of a real training of a ResNet."""
    (log,) = (training_folder / "logs").iterdir()
    used = {SOLVER: training_folder / "solver.prototxt", NET: training_folder / "trainval.prototxt"}
    return folder.occurrence(
        "caffe train --solver=solver.prototxt",
        {**used, **dict.fromkeys(DATA, b"lmdb"), "cifar-10-batches-py/train/lock.mdb": b"x"},
        {LOG: log, **dict.fromkeys(WEIGHTS, b"weights"), "resnet-20/snapshot/_iter_64000.solverstate": b"s"},
        started_at="2016-08-13T16:25:56+00:00",
        ended_at="2016-08-13T18:33:53+00:00",
    )


def test_the_activity_has_parameters_and_series(folder: Any, trained: Any) -> None:
    found = folder.found(TRAINING, trained)
    activity = found["activity"]
    assert activity["param_base_lr"] == 0.1
    assert activity["param_lr_policy"] == "multistep"
    assert activity["param_stepvalue"] == [32_000, 48_000]
    assert (activity["param_batch_size"], activity["param_test_batch_size"]) == (128, 100)
    assert activity["param_train_state"] == {"level": 0, "stage": ""}  # a default that only the log tells
    assert activity["metric_test_Accuracy"] == 0.917031
    assert activity["finished"] is True
    series = {one["name"]: one for one in found["series"]}
    assert set(series) == {"loss", "learning_rate", "train_loss", "train_Accuracy", "test_loss", "test_Accuracy"}
    assert all(one["of"] == "activity" for one in series.values())
    assert (series["loss"]["steps"][-1], series["loss"]["values"][-1]) == (64_000, 0.0054844)
    # The log's clock is eight hours ahead of UTC: 00:26:04.757587.
    assert series["loss"]["times"][0] == pytest.approx(1_471_105_564_757_587_000, abs=1_000)


def test_weights_are_derived_as_of_their_iteration(folder: Any, trained: Any) -> None:
    found = folder.found(TRAINING, trained)
    derivations = {(one["generated"], one["used"]): one["properties"] for one in found["derivations"]}
    assert set(derivations) == {(weights, cause) for weights in WEIGHTS for cause in (SOLVER, NET, *DATA)}
    early, late = derivations[WEIGHTS[0], SOLVER], derivations[WEIGHTS[1], SOLVER]
    assert (early["iteration"], late["iteration"]) == (10_000, 64_000)
    assert early["metric_test_Accuracy"] < 0.9 < late["metric_test_Accuracy"]
    assert early["metric_learning_rate"] == 0.1
    assert early["param_momentum"] == late["param_momentum"] == 0.9
    assert folder.properties(TRAINING, trained, WEIGHTS[0])["metric_test_Accuracy"] == early["metric_test_Accuracy"]
    assert folder.properties(TRAINING, trained, "resnet-20/snapshot/_iter_64000.solverstate") == {"iteration": 64_000}


def test_solver_net_and_log_tell_it_too(folder: Any, trained: Any) -> None:
    solver = folder.properties(TRAINING, trained, SOLVER)
    assert (solver["param_gamma"], solver["metric_test_Accuracy"], solver["metrics_from"]) == (0.1, 0.917031, "a-uid")
    assert folder.properties(TRAINING, trained, LOG)["metric_train_Accuracy"] == 1
    net = folder.properties(TRAINING, trained, NET)
    assert (net["net_name"], net["layers_count"]) == ("resnet3-cifar10", 98)
    assert net["layers"][0] == "data: Data"
    assert json.loads(net["layer_types_json"])["Convolution"] == 21
    first = json.loads(net["layers_json"])[0]
    assert first["data_param"] == {"source": "cifar-10-batches-py/train", "batch_size": 128, "backend": "LMDB"}


def test_file_and_log_that_differ_are_noted(folder: Any, trained: Any) -> None:
    found = folder.found(TRAINING, trained)
    assert "weight_decay is 0.0001 in solver.prototxt and 0.0005 in the log" in found["notes"]
    assert found["activity"]["param_weight_decay"] == 0.0001


def test_a_log_of_another_time_has_no_times(folder: Any, training_folder: Path) -> None:
    (log,) = (training_folder / "logs").iterdir()
    used = {SOLVER: training_folder / "solver.prototxt"}
    for started, ended in (
        ("2026-01-01T00:00:00+00:00", None),
        ("2016-08-13T16:25:56+00:00", "2016-08-13T16:26:00+00:00"),
    ):
        given_ = folder.occurrence("sh train.sh", used, {LOG: log}, started_at=started, ended_at=ended)
        assert all("times" not in one for one in folder.found(TRAINING, given_)["series"])


def test_looking_at_a_solver_is_no_training(folder: Any, training_folder: Path) -> None:
    found = folder.found(
        TRAINING, folder.occurrence("cat solver.prototxt", {SOLVER: training_folder / "solver.prototxt"})
    )
    assert set(found) == {"schema", "snapshots"}
    assert found["snapshots"][0]["properties"]["param_base_lr"] == 0.1


def test_of_several_solvers_the_one_that_the_command_names(folder: Any) -> None:
    solvers = {"a.prototxt": "base_lr: 1", "b.prototxt": "base_lr: 2"}
    log = b"I0814 00:26:16.5 1 solver.cpp:1] Iteration 0, loss = 2\n"
    named = folder.found(TRAINING, folder.occurrence("caffe train -solver b.prototxt", solvers, {"l.log": log}))
    assert named["activity"]["param_base_lr"] == 2
    unnamed = folder.found(TRAINING, folder.occurrence("caffe train", solvers, {"l.log": log}))
    assert "param_base_lr" not in unnamed["activity"]
    assert unnamed["notes"] == [
        "several solvers were read and the command names none of them alone: a.prototxt, b.prototxt"
    ]


def test_resumed_training_derives_from_earlier_weights(folder: Any) -> None:
    used = {"s.prototxt": "base_lr: 1", "x_iter_5.solverstate": b"", "x_iter_5.caffemodel": b""}
    found = folder.found(TRAINING, folder.occurrence("caffe train", used, {"x_iter_9.caffemodel": b""}))
    assert {one["used"] for one in found["derivations"]} == set(used)


def test_appended_log_counts_from_where_it_was(folder: Any) -> None:
    line = b"I0814 00:26:16.5 1 solver.cpp:1] Iteration %d, loss = %d\n"
    occurrence = folder.occurrence(
        "caffe train", {"s.prototxt": "base_lr: 1"}, {"l.log": line % (1, 1) + line % (2, 2)}, {"l.log": line % (1, 1)}
    )
    appended = _with_role(occurrence, "appended")
    assert folder.found(TRAINING, appended)["series"][0]["steps"] == [2]
    assert folder.found(TRAINING, occurrence)["series"][0]["steps"] == [1, 2]


def _with_role(occurrence: Any, role: str) -> Any:
    from dataclasses import replace

    return replace(occurrence, generated=tuple(replace(file, role=role) for file in occurrence.generated))


def test_a_copy_of_the_log_counts_once(folder: Any) -> None:
    line = "I0814 00:26:16.5 1 solver.cpp:1] Iteration 1, loss = 1\n"
    found = folder.found(
        TRAINING, folder.occurrence("caffe train", {"s.prototxt": "base_lr: 1"}, {"a.log": line, "b.log": line * 2})
    )
    assert [one["steps"] for one in found["series"]] == [[1, 1]]


@pytest.mark.parametrize(
    "content",
    ["base_lr: ", "a {" * 3000, b"\xff\xfe", b"\0" * 100, "base_lr: nan net: 'x' test_iter: [1,", "<html></html>"],
)
def test_hostile_prototxt_is_a_note(content: Any, folder: Any) -> None:
    found = folder.found(TRAINING, folder.occurrence("caffe train", {"s.prototxt": content}, {"w.caffemodel": b""}))
    assert found["notes"][0].startswith("s.prototxt: line ")


def test_bytes_that_nobody_has_are_a_note(folder: Any) -> None:
    from dataclasses import replace

    occurrence = folder.occurrence("caffe train", {"s.prototxt": "base_lr: 1"}, {"w.caffemodel": b"", "l.log": b""})
    gone = replace(
        occurrence,
        used=tuple(replace(file, content=None) for file in occurrence.used),
        generated=tuple(replace(file, content=None) for file in occurrence.generated),
    )
    assert "nobody has the bytes" in folder.found(TRAINING, gone)["notes"][0]


def test_following_gives_each_point_once(folder: Any, training_folder: Path) -> None:
    (log,) = (training_folder / "logs").iterdir()
    data = log.read_bytes()
    occurrence = folder.occurrence("caffe train", generated={LOG: b""}, started_at="2016-08-13T16:25:56+00:00")
    assert FOLLOWING.moment is Moment.DURING
    assert FOLLOWING.match.explain(occurrence)
    follower = FOLLOWING.follow(occurrence, occurrence.generated[0])
    points: dict[str, list[float]] = {}
    for start in range(0, len(data), 10_000):
        for one in (findings_document(follower.feed(data[start : start + 10_000]), "feed") or {}).get("series", ()):
            points.setdefault(one["name"], []).extend(one["values"])
    assert follower.feed(b"") is None
    whole = {
        one["name"]: one["values"]
        for one in folder.found(TRAINING, folder.occurrence("caffe train", {"s.prototxt": "base_lr: 1"}, {LOG: log}))[
            "series"
        ]
    }
    assert points == whole


_TEXTS = st.text(alphabet='abl_r: {}"\n#0123.-[]', max_size=200)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(solver=_TEXTS, net=_TEXTS, log=st.binary(max_size=200))
def test_anything_is_findings(solver: str, net: str, log: bytes, folder: Any) -> None:
    used = {"solver.prototxt": f"base_lr: 1 {solver}", "net.prototxt": f"layer {{ {net} }}"}
    generated = {"x.log": b"I0814 00:26:16.5 1 solver.cpp:1] Iteration 5, loss = 1\n" + log, "x_iter_5.caffemodel": b""}
    assert folder.found(TRAINING, folder.occurrence("caffe train", used, generated))["activity"]["metric_loss"] == 1
