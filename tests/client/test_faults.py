"""What goes wrong: killed programs and supervisors, restarted ingesters, records that nobody knows."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest
from client.conftest import activity
from interpreters import CLIENT_PATH
from processes import eventually, take

from provgraph.session.ingester import wire
from provgraph.stores import open_store

WAITS = """
import os, time
with provgraph.activity("train", params={"lr": 0.1}) as run:
    open("in").read()
    for step in range(5):
        run.log_metric("loss", step, step=step)
    open("half", "w").close()
    open("ready", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.02)
    for step in range(5, 10):
        run.log_metric("loss", step, step=step)
    open("whole", "w").close()
"""


def begin(desk, how, **options):
    desk.lab.write("in", "in\n")
    words = [sys.executable, desk.script(WAITS)]
    if how == "seccomp":
        process = desk.lab.start(*words, **options)
    else:
        environment = {**desk.lab.provdb.environment, "PYTHONPATH": str(CLIENT_PATH)}
        process = subprocess.Popen(words, cwd=desk.root, env=environment, text=True, **options)
    eventually((desk.root / "ready").exists, "the program")
    return process


def pid_of(desk):
    """The process that runs the program."""
    starts = [json.loads(path.read_text().splitlines()[0]) for path in (desk.root / ".provdb/spool").glob("*.jsonl")]
    (found,) = [start["pid"] for start in starts if start.get("kind") == "run"]
    return found


@pytest.mark.parametrize("how", ["seccomp", "audit"])
def test_a_program_that_is_killed_was_interrupted(desk, how):
    process = begin(desk, how)
    os.kill(pid_of(desk), signal.SIGKILL)
    process.wait()
    graph = desk.graph()
    train = graph.vertices[activity(graph, "train")]
    assert train["interrupted"] is True
    assert "ended_at" not in train
    assert (train["param_lr"], train["metric_loss_count"]) == (0.1, 5)
    assert graph.used(activity(graph, "train")) >= {"in"}
    assert graph.generated(activity(graph, "train")) == {"half", "ready"}


def test_a_supervisor_that_is_killed(desk):
    process = begin(desk, "seccomp")
    (start,) = [
        found
        for path in (desk.root / ".provdb/spool").glob("*.jsonl")
        if (found := json.loads(path.read_text().splitlines()[0])).get("kind") == "run"
    ]
    os.kill(start["supervisor"], signal.SIGKILL)
    (desk.root / "go").touch()
    assert process.wait() == 0
    graph = desk.graph()
    train = graph.vertices[activity(graph, "train")]
    assert "capture_lost_at" in train
    assert (train["exit_status"], train["metric_loss_count"]) == (0, 10)


def test_no_point_is_journaled_twice(desk):
    """An ingester that is restarted reads the spool once more."""
    lock = (desk.root / ".provdb/ingester.lock").open("w")
    eventually(lambda: take(lock), "the lock")  # no other ingester may come
    process = begin(desk, "audit")

    def journaled() -> int:
        with open_store(str(desk.root), write=True) as store, contextlib.closing(wire(store)) as ingester:
            for _ in range(100):
                ingester.step()
                ingester._flushed_ns = 0
                found = [v for e in store.events() for _, v in e.body.get("set", ()) if "metric_loss_count" in v]
                if found:
                    return int(found[-1]["metric_loss_count"])
        return 0

    assert eventually(journaled) == 5
    (desk.root / "go").touch()
    process.wait()
    lock.close()
    graph = desk.graph()
    assert graph.vertices[activity(graph, "train")]["metric_loss_count"] == 10
    assert graph.generated(activity(graph, "train")) == {"half", "ready", "whole"}


def test_what_a_newer_client_wrote_is_counted(desk):
    desk.alone(
        """
        with provgraph.activity("a") as run:
            run.write({"record": "invented", "t": run._lock and __import__("time").monotonic_ns(), "time": 0})
            run.operation("Z", "nobody knows")
            open("out", "w").close()
        """,
        env={"PATH": "/nowhere"},
    )
    graph = desk.graph()
    a = graph.vertices[activity(graph, "a")]
    assert json.loads(a["capture_gaps_json"]) == {"operation Z": 1, "record invented": 1}
    assert graph.generated(activity(graph, "a")) == {"out"}


def test_a_full_disk_costs_the_record_alone(desk):
    done = desk.alone(
        """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        with provgraph.activity("a") as run:
            run.log_metric("loss", 1)
        print(run.recorded)
        """
    )
    assert (done.stdout, done.stderr) == ("False\n", "")
    assert not list((desk.root / ".provdb/spool").glob("*.jsonl"))


def test_an_interrupt_within_is_recorded_and_goes_on(desk):
    process = begin(desk, "audit", stderr=subprocess.PIPE)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in errors
    assert "provgraph/client/recording" not in errors
    graph = desk.graph()
    train = graph.vertices[activity(graph, "train")]
    assert (train["error_type"], train["exit_status"]) == ("KeyboardInterrupt", 130)


def test_messages_that_make_no_sense(desk):
    desk.lab.write("in", "in\n")
    desk.watched(
        """
        import os, socket
        uid = b"01234567-89ab-cdef-0123-456789abcdef"
        for message in (b"I", b"I" + b"../" * 12, b"I" + uid, b"I" + uid + b"12341" + b" " * 36 + b"/nowhere",
                        b"J" + uid, b"K" + uid, b"K" + uid + b"{", b"W" + uid, b"W" + b" " * 36 + b"1234", b"?"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
                link.connect(b"\\0" + os.fsencode(os.environ["PROVDB_SUPERVISOR"]))
                link.send(message)
                link.settimeout(0.2)
                try:
                    link.recv(100)
                except OSError:
                    pass
        with provgraph.activity("a"):
            open("out", "w").write(open("in").read())
        """
    )
    graph = desk.graph()
    assert graph.generated(activity(graph, "a")) == {"out"}
    assert graph.used(graph.command("program.py")) >= {"in"}
    assert "capture_lost_at" not in graph.vertices[graph.command("program.py")]
