"""Signals reach the command once, whoever they were sent to, and the prefix ends as the command does."""

import os
import signal
import subprocess

import pytest

COUNTER = """
import signal, sys, time
seen = []
for name in ("SIGTERM", "SIGINT", "SIGUSR1", "SIGHUP"):
    signal.signal(getattr(signal, name), lambda number, frame: seen.append(number))
print("ready", flush=True)
deadline = time.monotonic() + 30
while not seen and time.monotonic() < deadline:
    time.sleep(0.01)
time.sleep(0.3)
print(*seen, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP])
@pytest.mark.parametrize("whom", ["front end", "group"])
def test_once(watched, number, whom):
    command = watched.start("python3", "-c", COUNTER, start_new_session=True)
    assert command.stdout.readline() == b"ready\n"
    if whom == "group":
        os.killpg(command.pid, number)
    else:
        command.send_signal(number)
    output, _ = command.communicate(timeout=60)
    assert output.split() == [str(int(number)).encode()]
    assert command.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR2, signal.SIGKILL])
def test_dies_of_the_same_signal(watched, number):
    result = watched.run("sh", "-c", f"kill -{int(number)} $$")
    assert result.returncode == -number
    assert (watched.end()["exit_status"], watched.end()["signal"]) == (128 + number, number)


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_exit_status(watched, status):
    assert watched.run("sh", "-c", f"exit {status}").returncode == status
    assert watched.end()["exit_status"] == status


def test_killing_the_prefix_kills_the_command(watched, wait_for):
    command = watched.start("sh", "-c", "echo $$; exec sleep 60")
    pid = int(command.stdout.readline())
    command.kill()
    command.wait()
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"))
    assert watched.end()["signal"] == signal.SIGKILL


def test_ignored_signals_stay_ignored(watched):
    script = "trap '' INT HUP; " + " ".join(
        f"'{word}'" for word in watched.command("grep", "SigIgn", "/proc/self/status")
    )
    result = subprocess.run(
        ["sh", "-c", script], cwd=watched.root, env=watched.environment, capture_output=True, check=False
    )
    assert int(result.stdout.split()[1], 16) & 0b11 == 0b11


def test_broken_pipe_ends_the_command(watched):
    script = f"{' '.join(watched.command('yes'))} | head -1"
    result = subprocess.run(
        ["sh", "-c", script], cwd=watched.root, env=watched.environment, capture_output=True, timeout=60, check=False
    )
    assert result.stdout == b"y\n"
    assert watched.end()["signal"] == signal.SIGPIPE


def test_storm(watched):
    script = (
        "import signal, time\nn = 0\ndef count(*_):\n global n; n += 1\nsignal.signal(signal.SIGUSR1, count)\n"
        "print('ready', flush=True)\nend = time.monotonic() + 1.5\n"
        "while time.monotonic() < end:\n open('f', 'w').close(); open('f').close()\nprint(n)"
    )
    command = watched.start("python3", "-c", script)
    assert command.stdout.readline() == b"ready\n"
    for _ in range(100):
        command.send_signal(signal.SIGUSR1)
    output, errors = command.communicate(timeout=60)
    assert command.returncode == 0, errors
    assert 1 <= int(output) <= 100
