"""Under a terminal: Ctrl-C, Ctrl-Z and fg in a real shell with job control, pagers, editors, the window's size."""

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import termios
import time

import pytest


class Terminal:
    """A shell on a pseudo-terminal."""

    def __init__(self, watched, shell="bash"):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(watched.root)
            environment = {**watched.environment, "PS1": "$ ", "TERM": "xterm", "HISTFILE": ""}
            os.execvpe(shell, [shell, "--norc", "--noprofile", "-i"], environment)
        self.expect("$ ")

    def send(self, text):
        """Type."""
        os.write(self.fd, text.encode())

    def expect(self, text, timeout_s=30.0):
        """Wait until the terminal shows ``text``; returns what came before it."""
        deadline = time.monotonic() + timeout_s
        while text not in self.text:
            assert time.monotonic() < deadline, (text, self.text)
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    break
        before, _, self.text = self.text.partition(text)
        return before

    def close(self):
        """Hang up."""
        os.close(self.fd)
        for _ in range(100):
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return
            time.sleep(0.05)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(watched):
    """bash on a pseudo-terminal, in the project."""
    shell = Terminal(watched)
    yield shell
    shell.close()


def prefix(watched):
    return " ".join(watched.command())


def test_control_c(watched, terminal):
    # It starts nothing: dash loses a signal that comes between its fork and the exec, also without us.
    terminal.send(f"{prefix(watched)} sh -c 'echo up; read line'; echo st=$?\n")
    terminal.expect("up\r\n")
    terminal.send("\x03")
    terminal.expect("$ ")
    terminal.send("echo st=$?\n")
    terminal.expect("st=130\r\n")
    assert watched.end()["signal"] == signal.SIGINT


def test_control_c_is_the_commands_to_handle(watched, terminal):
    script = 'trap "echo caught" INT; echo up; n=0; while [ $n -lt 20 ]; do sleep 0.1; n=$((n+1)); done; exit 9'
    terminal.send(f"{prefix(watched)} sh -c '{script}'; echo st=$?\n")
    terminal.expect("up\r\n")
    terminal.send("\x03")
    terminal.expect("caught\r\n")
    assert "caught" not in terminal.expect("st=9\r\n")


def test_control_z_and_fg(watched, terminal):
    terminal.send(f"{prefix(watched)} sh -c 'echo up; read line; echo got $line'\n")
    terminal.expect("up\r\n")
    terminal.send("\x1a")
    terminal.expect("Stopped")
    terminal.expect("$ ")
    terminal.send("jobs; fg\n")
    terminal.expect("Stopped")
    terminal.expect("read line")
    terminal.expect("\r\n")
    terminal.send("hello\n")
    terminal.expect("got hello\r\n")
    terminal.expect("$ ")


TICKING = """\
import os, time
print("up", flush=True)
while not os.path.exists("go"):
    print("on", flush=True)
    time.sleep(0.1)
open("over.txt", "w").close()
"""
"""It starts nothing: a shell that waits for the exec of its vforked child cannot stop, and no terminal would see it."""


def test_control_z_twice_and_bg(watched, terminal):
    (watched.root / "ticking.py").write_text(TICKING)
    terminal.send(f"{prefix(watched)} python3 ticking.py\n")
    terminal.expect("up\r\n")
    terminal.send("\x1a")
    terminal.expect("Stopped")
    terminal.send("fg\n")
    terminal.expect("on\r\n")  # not before: what stops it must come after what let it go on
    terminal.send("\x1a")
    terminal.expect("Stopped")
    (watched.root / "go").touch()
    terminal.send("bg; wait; echo all=$?\n")
    terminal.expect("all=0\r\n")
    assert (watched.root / "over.txt").exists()
    assert watched.end()["exit_status"] == 0


def test_background_reader_stops(watched, terminal):
    terminal.send(f"{prefix(watched)} cat &\n")
    terminal.expect("$ ")
    for _ in range(50):
        terminal.send("jobs\n")
        if "Stopped" in terminal.expect("$ "):
            break
        time.sleep(0.1)
    else:
        pytest.fail("it did not stop")
    terminal.send("fg\n")
    terminal.expect("cat")
    terminal.send("hello\n")
    terminal.expect("hello\r\nhello\r\n")
    terminal.send("\x04")
    terminal.expect("$ ")


def test_kill_by_job_number(watched, terminal):
    terminal.send(f"{prefix(watched)} sleep 60 & sleep 0.5; kill %1; wait %1; echo st=$?\n")
    terminal.expect("st=143\r\n")


def test_window_size_reaches_the_command(watched, terminal):
    script = (
        "import signal, os; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH]);"
        " print(chr(117) + chr(112), flush=True); signal.sigwait([signal.SIGWINCH]);"
        " print(os.get_terminal_size().columns)"
    )
    terminal.send(f'{prefix(watched)} python3 -c "{script}"\n')
    terminal.expect("up\r\n")
    fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    terminal.expect("77\r\n")


@pytest.mark.skipif(not shutil.which("less"), reason="no pager here")
def test_pager(watched, terminal):
    (watched.root / "long").write_text("".join(f"line {n}\n" for n in range(500)))
    terminal.send(f"{prefix(watched)} less long\n")
    terminal.expect("line 5")
    terminal.send("G")
    terminal.expect("line 499")
    terminal.send("q")
    terminal.expect("$ ")
    assert watched.paths("r") == {"long"}


@pytest.mark.skipif(not shutil.which("vim"), reason="no editor here")
def test_editor(watched, terminal):
    (watched.root / "text").write_text("old\n")
    terminal.send(f"{prefix(watched)} vim -u NONE -n text\n")
    terminal.expect("old")
    terminal.send("cwnew\x1b:wq\r")
    terminal.expect("$ ")
    assert (watched.root / "text").read_text() == "new\n"
    assert watched.end()["exit_status"] == 0
    assert "text" in watched.paths("w") | {op[3].rpartition("/")[2] for op in watched.ops("m")}


def test_hangup(watched, terminal, wait_for):
    terminal.send(f"{prefix(watched)} sh -c 'echo up; read line'\n")
    terminal.expect("up\r\n")
    os.kill(terminal.pid, signal.SIGHUP)
    assert watched.end()["signal"] == signal.SIGHUP
