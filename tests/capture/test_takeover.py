"""The supervisor's death is not the command's: killed at random moments, also with a call in flight."""

import random
import time
from mmap import mmap

import pytest

from provgraph.capture.job import PAGE_BYTES
from provgraph.capture.seccomp import ANSWER_AT, Listener

LOOP = "i=0; while [ $i -lt 1500 ]; do read x < in || exit 1; i=$((i+1)); done; echo fine; exit 5"


@pytest.mark.parametrize("seed", range(10))
def test_killed_at_random_moments(watched, supervisor_of, kill, seed):
    (watched.root / "in").write_text("x\n")
    chance = random.Random(seed)
    for _ in range(10):
        watched.clear()
        command = watched.start("sh", "-c", LOOP)
        time.sleep(chance.uniform(0, 0.15))
        kill(supervisor_of(command) if command.poll() is None else -1)
        output, errors = command.communicate(timeout=60)
        assert (command.returncode, output) == (5, b"fine\n"), errors
        kinds = [[record["record"] for record in records] for records in watched.records(wait=False)]
        for activity in kinds:  # none where it was killed before the command was
            assert activity[0] == "start"
            assert activity.count("end") == 1
            if "lost" in activity:
                assert activity[-1] == "closed"


def test_command_goes_on_for_long_and_so_do_its_daemons(watched, supervisor_of, kill, wait_for):
    script = "echo up; read line; (sleep 0.5; cat in > late) > /dev/null 2>&1 & cat in"
    (watched.root / "in").write_text("content\n")
    command = watched.start("sh", "-c", script, stdin=-1)
    assert command.stdout.readline() == b"up\n"
    kill(supervisor_of(command))
    output, _ = command.communicate(b"go\n", timeout=60)
    assert (command.returncode, output) == (0, b"content\n")
    wait_for(lambda: (watched.root / "late").exists() and (watched.root / "late").read_text() == "content\n")
    assert "lost" in [record["record"] for record in watched.records()[0]]


def test_signals_after_a_take_over(watched, supervisor_of, kill):
    command = watched.start("sh", "-c", "trap 'echo caught; exit 7' TERM; echo up; while :; do sleep 0.05; done")
    assert command.stdout.readline() == b"up\n"
    kill(supervisor_of(command))
    time.sleep(0.1)
    command.terminate()
    output, _ = command.communicate(timeout=60)
    assert (command.returncode, output) == (7, b"caught\n")
    assert watched.end()["exit_status"] == 7


def test_a_daemon_survives_the_supervisor_after_the_prompt(watched, kill, wait_for):
    (watched.root / "in").write_text("content\n")
    script = "(while [ ! -e go ]; do sleep 0.05; done; cat in > late) > /dev/null 2>&1 & echo $PPID"
    result = watched.run("sh", "-c", script)
    kill(int(result.stdout))
    time.sleep(0.1)
    (watched.root / "go").touch()
    wait_for(lambda: (watched.root / "late").exists() and (watched.root / "late").read_text() == "content\n")


@pytest.mark.parametrize("seed", range(3))
def test_killed_under_the_stat_method(watched, supervisor_of, kill, seed):
    """Also while the command still waits for the first walk."""
    chance = random.Random(seed)
    for number in range(500):
        (watched.root / f"f{number}").touch()
    for _ in range(5):
        command = watched.start("run", "--capture", "stat", "--", "sh", "-c", "echo fine; exit 5")
        time.sleep(chance.uniform(0.02, 0.06))
        kill(supervisor_of(command) if command.poll() is None else -1)
        output, errors = command.communicate(timeout=60)
        assert (command.returncode, output) == (5, b"fine\n"), errors


def test_a_second_listener_on_the_page_spoils_no_answer():
    """The front end makes its own while the supervisor may be answering: an answer without its number is none."""
    page = mmap(-1, PAGE_BYTES)
    Listener(-1, page)
    page[ANSWER_AT : ANSWER_AT + 8] = (7).to_bytes(8, "little")
    answer = page[ANSWER_AT : ANSWER_AT + 24]
    Listener(-1, page)
    assert page[ANSWER_AT : ANSWER_AT + 24] == answer
