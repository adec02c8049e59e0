"""Nobody waits for ever: many reports at once, messages that nobody read, the death of whoever had taken over."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from processes import children_of

BUSY = """
for k in $(seq 40); do
    (while [ ! -e stop ]; do : < in; : < in; : < in; : < in; : < in; : < in; done) > /dev/null 2>&1 &
done
sleep 0.5; exit 3
"""


def is_unfiltered(pid: int) -> bool:
    """Whether the process lives and has no seccomp filter, as our own processes beside a watched command have none."""
    try:
        return "Seccomp:\t2" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # gone since it was listed
        return False


def test_busy_processes_keep_nobody_from_the_prompt(watched):
    """With so many there always is a report: the end of the command must be seen all the same."""
    (watched.root / "in").touch()
    command = watched.start("sh", "-c", BUSY)
    try:
        assert command.wait(timeout=60) == 3
    finally:
        (watched.root / "stop").touch()
    assert watched.end()["survivors"]


def test_a_front_end_killed_with_unread_messages(watched, supervisor_of, wait_for):
    """Its end is an error to the supervisor then (ECONNRESET), which must end the command and the record as ever."""
    line = "echo up; until [ -e go ]; do sleep 0.01; done; touch begun; sleep 30"
    command = watched.start("-c", line)
    assert command.stdout.readline() == b"up\n"
    shell = children_of(supervisor_of(command))[0]
    command.send_signal(signal.SIGSTOP)
    (watched.root / "go").touch()
    wait_for((watched.root / "begun").exists)
    command.kill()
    assert command.wait(timeout=60) == -signal.SIGKILL
    wait_for(lambda: not os.path.exists(f"/proc/{shell}"))
    assert not (watched.store / "capture.log").exists()
    wait_for(lambda: [record["record"] for record in watched.records(wait=False)[0]][-2:] == ["end", "closed"])


def test_the_sentinel_dies_after_the_supervisor(watched, supervisor_of, kill, wait_for):
    (watched.root / "in").write_text("content\n")
    command = watched.start("sh", "-c", "echo up; read line; cat in; exit 5", stdin=-1)
    assert command.stdout.readline() == b"up\n"
    kill(supervisor_of(command))
    for _ in range(3):
        sentinel = wait_for(lambda: [pid for pid in children_of(command.pid) if is_unfiltered(pid)])[0]
        kill(sentinel)
        wait_for(lambda gone=sentinel: gone not in children_of(command.pid))
    output, _ = command.communicate(b"go\n", timeout=60)
    assert (command.returncode, output) == (5, b"content\n")


@pytest.mark.parametrize("limit", range(7, 13))
def test_few_descriptors(watched, limit):
    """Whatever cannot be opened for us: the command runs, or it is said why not, and nobody waits."""
    (watched.root / "in").write_text("content\n")
    words = " ".join(watched.command())
    script = f"ulimit -n {limit}; exec {words} /bin/sh -c 'echo fine; exit 5'"
    result = subprocess.run(
        ["sh", "-c", script], cwd=watched.root, env=watched.environment, capture_output=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout) == (5, b"fine\n") or result.stderr


OPENING = """\
import os
for name in map(str, range(500)):
    open(name, "w").close()
print("up", flush=True)
while not os.path.exists("stop"):
    for name in map(str, range(500)):
        open(name).close()
"""


def test_a_command_that_never_rests_is_written_down_while_it_runs(watched, wait_for):
    """Few operations, for repeated ones are not recorded, and never a pause: the ingester must hear of them."""
    command = watched.start("python3", "-c", OPENING)
    try:
        assert command.stdout.readline() == b"up\n"
        wait_for(lambda: b'/499"' in b"".join(path.read_bytes() for path in watched.store.glob("spool/*.jsonl")))
        assert command.poll() is None
    finally:
        (watched.root / "stop").touch()
    assert command.wait(timeout=60) == 0
