"""The client on every Python that is here, in programs that are watched and in programs that are not."""

import json

import pytest
from client.conftest import activity
from interpreters import VERSIONS, required
from processes import eventually

PROGRAM = """
import os
text = open("raw.csv").read()
with provgraph.activity("train", params={"lr": 0.1, "layers": [2, 3], "deep": {"a": 1}}, tags={"who": "me"}) as run:
    open("data.csv").read()
    with open("model.bin", "w") as file:
        file.write("model")
    for step in range(3):
        run.log_metric("loss", 1 / (step + 1), step=step)
    with provgraph.activity("inner"):
        with open("draft", "w") as file:
            file.write("inner")
        os.replace("draft", "inner.txt")
try:
    with provgraph.activity("evaluate") as run:
        open("model.bin").read()
        run.note("first")
        run.note("second")
        raise ValueError("no --password=hunter2hunter2 here")
except ValueError as error:
    print("again:", error)
with open("own.txt", "w") as file:
    file.write("own")
"""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["seccomp", "audit", "stat"])
def test_a_program(desk, version, how):
    python = required(version)
    desk.lab.write("raw.csv", "raw\n")
    desk.lab.write("data.csv", "data\n")
    done = desk.run(how, PROGRAM, python=python)
    assert (done.stdout, done.stderr) == ("again: no --password=hunter2hunter2 here\n", "")
    graph = desk.graph()
    train, inner, evaluate = (activity(graph, name) for name in ("train", "inner", "evaluate"))
    said = graph.vertices[train]
    assert said["capture"] == ("seccomp" if how == "seccomp" else "audit")
    assert said["labels"] == {"Activity", "Run"}
    assert (said["param_lr"], said["param_layers"], json.loads(said["param_deep_json"])) == (0.1, [2, 3], {"a": 1})
    assert (said["who"], said["exit_status"]) == ("me", 0)
    assert (said["metric_loss"], said["metric_loss_count"], said["metric_loss_steps"]) == (1 / 3, 3, [0, 1, 2])
    assert graph.generated(train) == {"model.bin"}
    assert graph.generated(inner) == {"inner.txt"}
    assert {"data.csv"} <= graph.used(train)
    assert "model.bin" in graph.used(evaluate)
    failed = graph.vertices[evaluate]
    assert (failed["exit_status"], failed["error_type"]) == (1, "ValueError")
    assert failed["error"] == "no --password=<scrubbed> here"
    assert failed["note"] == "first\nsecond"
    assert graph.targets("wasInformedBy", inner) == [train]
    if how == "audit":
        assert "raw.csv" not in graph.used(train)
        return
    command = graph.command("program.py")
    assert graph.targets("wasInformedBy", train) == [command]
    assert graph.generated(command) == {"own.txt"}
    assert {"raw.csv", "data.csv", "model.bin"} <= graph.used(command)
    if how == "seccomp":  # without a supervisor it is known at the end only, when "train" may have been told of already
        assert "raw.csv" in graph.used(train)
    assert "env_PYTHONPATH" not in graph.vertices[command]
    assert graph.is_acyclic()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_ingester_is_started_from_a_python_that_lacks_it(desk, version):
    python = required(version)
    desk.lab.run("true")  # from now on the program's own folder says where it is
    desk.lab.settle()
    desk.alone("with provgraph.activity('alone'): pass", python=python)
    spool = desk.root / ".provdb/spool"
    eventually(lambda: not list(spool.glob("*.jsonl")), "the ingester")
    activity(desk.graph(), "alone")


@pytest.mark.parametrize("version", VERSIONS)
def test_what_needs_the_program_says_so(desk, version):
    done = desk.alone(
        """
        try:
            provgraph.open
        except ImportError as error:
            print(error)
        else:
            print(provgraph.open)
        """,
        python=required(version),
    )
    assert "install provgraph here" in done.stdout or "Python 3.12 or later" in done.stdout or "function" in done.stdout
