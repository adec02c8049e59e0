"""Processes that behave unlike a program that starts, works and ends, through real ingestion."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time

import pytest
from processes import take


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, lab, *argv: str) -> None:
        self.master, slave = pty.openpty()
        environment = {**lab.provdb.environment, "TERM": "xterm", "HISTFILE": "", "PS1": "$ "}
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *argv], cwd=lab.root, env=environment, stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.text = ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def expect(self, text: str, timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while text not in self.text:
            assert time.monotonic() < deadline, (text, self.text)
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    break
        _, _, self.text = self.text.partition(text)

    def close(self) -> None:
        os.close(self.master)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)


@pytest.fixture
def terminal(lab):
    """Start programs on terminals; they are ended afterwards."""
    opened = []

    def start(*argv: str) -> Terminal:
        opened.append(Terminal(lab, *argv))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


PASS = """\
import sys
number = int(sys.argv[1])
data = open("in").read()
for _ in range(30):
    open(f"out.{number}", "w").write(data)
    try:
        data = open(f"out.{(number + 1) % 16}").read() + "1"
    except OSError:
        pass
"""
PREFIX = [sys.executable, "-m", "provgraph"]


def test_a_daemon_that_outlives_its_command(lab, sound, wait_for):
    lab.write("in", "1\n")
    script = "cat in > now; (while [ ! -e go ]; do sleep 0.02; done; cat in > late) > /dev/null 2>&1 < /dev/null &"
    lab.run("sh", "-c", script)
    graph = lab.graph()
    command = graph.command("late")
    assert graph.generated(command) == {"now"}, "what it did until its prompt can be asked for at once"
    assert "used in@1" in lab.run("lineage", "now").stdout
    (lab.root / "go").touch()
    wait_for(lambda: not list((lab.root / ".provdb/spool").glob("*.jsonl")), "the end of the daemon")
    graph = sound(lab)
    assert graph.generated(command) == {"now", "late"}
    assert graph.vertices[command]["exit_status"] == 0
    assert "used in@1" in lab.run("lineage", "late").stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_ends_the_command(lab, sound, number):
    lab.write("in", "1\n")
    # It starts nothing more: dash loses a signal that comes between its fork and the exec, also without us.
    process = lab.start("sh", "-c", "cat in > out; echo up; read line", stdin=-1, stdout=-1)
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    assert process.wait(60) == -number
    process.stdin.close()
    process.stdout.close()
    graph = sound(lab)
    command = graph.command("read line")
    assert graph.vertices[command]["exit_status"] == 128 + number
    assert graph.generated(command) == {"out"}
    assert "used in@1" in lab.run("lineage", "out").stdout


def test_control_c_and_control_z_on_a_terminal(lab, sound, terminal):
    shell = terminal("bash", "--norc", "--noprofile", "-i")
    prefix = " ".join(PREFIX)
    shell.expect("$ ")
    shell.type(f"{prefix} sh -c 'echo 1 > first; echo up; read line'\n")
    shell.expect("up\r\n")
    shell.type("\x03")
    shell.expect("$ ")
    shell.type(f"{prefix} sh -c 'echo 2 > second; echo up; read line; echo $line > third'\n")
    shell.expect("up\r\n")
    shell.type("\x1a")
    shell.expect("Stopped")
    assert len(lab.graph().of("Command")) == 2, "a stopped command is a running one"
    shell.type("fg\n")
    shell.expect("third")
    shell.type("typed\n")
    shell.type("echo st=$?\n")
    shell.expect("st=0\r\n")
    shell.type("exit\n")
    shell.process.wait(60)
    graph = sound(lab)
    assert graph.vertices[graph.command("> first")]["exit_status"] == 130
    assert graph.generated(graph.command("> second")) == {"second", "third"}
    assert (lab.root / "third").read_text() == "typed\n"


@pytest.mark.skipif(not (shutil.which("vim") and shutil.which("less")), reason="no editor or pager here")
def test_an_editor_and_a_pager(lab, sound, terminal):
    lab.write("text", "old\n")
    pager = terminal(*PREFIX, "less", "text")
    pager.expect("old")
    pager.type("q")
    assert pager.process.wait(60) == 0
    editor = terminal(*PREFIX, "vim", "-u", "NONE", "-i", "NONE", "text")
    editor.expect("old")
    editor.type("cwnew\x1b:wq\r")
    editor.expect("written")
    assert editor.process.wait(60) == 0
    graph = sound(lab)
    paged, edited = graph.command("less"), graph.command("vim")
    assert graph.used(paged) == {"text"}
    assert "text" in graph.used(edited)
    assert graph.generated(edited) == {"text"}, "no swap file, no backup: these were scratch"
    assert lab.run("restore", "text@1", "-o", "-").stdout == "old\n"
    assert lab.run("restore", "text@2", "-o", "-").stdout == "new\n"


def test_redirections_of_the_calling_shell(lab, sound):
    lab.write("in", "2\n1\n")
    prefix = " ".join(PREFIX)
    lab.provdb.shell(f"{prefix} sort < in > out 2> errors; {prefix} cat out >> log; cat in | {prefix} sort > piped")
    graph = sound(lab)
    first = graph.generator(graph.snapshots("out")[0])
    assert graph.used(first) == {"in"}
    assert graph.generated(first) == {"out", "errors"}
    assert "used in@1" in lab.run("lineage", "log").stdout
    assert graph.used(graph.generator(graph.snapshots("piped")[0])) == set()


def test_commands_within_commands(lab, sound):
    lab.write("in", "1\n")
    prefix = " ".join(PREFIX)
    lab.run("sh", "-c", f"{prefix} sh -c 'cat in > middle; exit 3'; echo $? > status; cat middle > out")
    graph = sound(lab)
    outer, inner = graph.generator(graph.snapshots("out")[0]), graph.generator(graph.snapshots("middle")[0])
    assert graph.targets("wasInformedBy", inner) == [outer]
    assert (graph.used(inner), graph.generated(inner)) == ({"in"}, {"middle"})
    assert graph.generated(outer) == {"status", "out"}
    assert graph.vertices[inner]["exit_status"] == 3
    for name in ("middle", "out"):
        assert "used in@1" in lab.run("lineage", name).stdout


def test_16_commands_that_pass_work_on(lab, sound):
    """All at once, each also reading what its neighbour writes, if it is there: no cycle, whatever the order was."""
    lab.write("in", "0\n")
    lab.write("pass.py", PASS)
    running = [lab.start(sys.executable, "pass.py", str(number)) for number in range(16)]
    assert [process.wait(120) for process in running] == [0] * 16
    graph = sound(lab)
    whole = {graph.vertices[uid].get("whole", uid) for uid in graph.of("Command")}
    assert len(whole) == 16
    assert len({graph.vertices[uid]["number"] for uid in whole}) == 16
    for number in range(16):
        assert graph.generator(graph.snapshots(f"out.{number}")[-1]) is not None
    assert len(lab.provdb.json("log")["rows"]) >= 16


def test_an_earlier_time_in_the_records_of_a_later_command(lab, sound, wait_for):
    """What a clock that was set back leaves: by ``t`` the second comes later, by ``time`` an hour before the first."""
    lab.write("in", "1\n")
    lab.run("sh", "-c", "cat in > out")
    lab.settle()
    with open(lab.root / ".provdb/ingester.lock") as lock:
        wait_for(lambda: take(lock), "the end of the ingester")
        lab.run("sh", "-c", "cat out > out2; echo more >> out")
        (spool,) = (lab.root / ".provdb/spool").glob("*.jsonl")
        wait_for(lambda: b'"record":"closed"' in spool.read_bytes())
        earlier = re.sub(rb'"time":(\d+)', lambda m: b'"time":%d' % (int(m[1]) - 3_600_000_000_000), spool.read_bytes())
        spool.write_bytes(earlier)
    graph = sound(lab)
    first, second = graph.snapshots("out")
    command = graph.command("out2")
    assert graph.generator(first) == graph.command("cat in > out")
    assert graph.generator(second) == command
    assert graph.targets("used", command, role="appended") or first in graph.targets("used", command)
    assert graph.vertices[command]["started_at"] <= graph.vertices[command]["ended_at"]
    assert "used in@1" in lab.run("lineage", "out2").stdout
