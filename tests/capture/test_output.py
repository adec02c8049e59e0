"""``run --keep-output``: bytes pass untouched and in order, and head and tail are kept without secrets."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

import pytest

from provgraph.capture.output import KeptOutput


def pump(kept, ended):
    """Forward until the pidfd ``ended`` is ready, as the front end does."""
    poll = select.poll()
    for fd in (ended, *kept.readable()):
        poll.register(fd, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poll.poll()]
        for fd in ready:
            if fd != ended:
                kept.forward(fd)
                if fd not in kept.readable():
                    poll.unregister(fd)
        if ended in ready:
            return


def run(argv, stdout, stderr, kept_bytes=64 * 1024, before=None):
    """Run ``argv`` with its output through a KeptOutput; its wait status and what was kept."""
    kept = KeptOutput(stdout, stderr, kept_bytes)
    pid = os.fork()
    if not pid:
        try:
            for target, fd in kept.descriptors().items():
                os.dup2(fd, target)
            os.execvp(argv[0], argv)
        finally:
            os._exit(126)
    kept.started()
    if before:
        before(kept)
    ended = os.pidfd_open(pid)
    pump(kept, ended)
    os.close(ended)
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status), kept.finish()


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / "out", tmp_path / "err"]
    fds = [os.open(path, os.O_RDWR | os.O_CREAT) for path in paths]
    yield *fds, *paths
    for fd in fds:
        os.close(fd)


def test_two_streams_and_the_status(files):
    out, err, out_path, err_path = files
    status, kept = run(["sh", "-c", "echo one; echo two >&2; printf '\\377\\0x'; exit 7"], out, err)
    assert status == 7
    assert out_path.read_bytes() == b"one\n\xff\0x"
    assert err_path.read_bytes() == b"two\n"
    assert kept == {
        "stdout": {"head": "one\n\ufffd\0x", "tail": "", "size_bytes": 7},
        "stderr": {"head": "two\n", "tail": "", "size_bytes": 4},
    }


def test_head_and_tail_of_much(files):
    out, err, out_path, _ = files
    status, kept = run(["seq", "200000"], out, err, kept_bytes=100)
    data = out_path.read_bytes()
    assert status == 0
    assert data == b"".join(b"%d\n" % n for n in range(1, 200_001))
    assert kept["stdout"] == {"head": data[:100].decode(), "tail": data[-100:].decode(), "size_bytes": len(data)}


def test_secrets_are_not_kept(files):
    out, err, out_path, _ = files
    _, kept = run(["echo", "PASSWORD=hunter2", "rest"], out, err)
    assert out_path.read_bytes() == b"PASSWORD=hunter2 rest\n"
    assert kept["stdout"]["head"] == "PASSWORD=<scrubbed> rest\n"


def test_one_place_keeps_its_order(files):
    out, _, out_path, _ = files
    text = "for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done"
    _, kept = run(["sh", "-c", text], out, out)
    assert out_path.read_text() == "".join(f"o{i}\ne{i}\n" for i in range(1, 6))
    assert list(kept) == ["stdout"]


def test_a_reader_that_has_gone_ends_the_command():
    reading, writing = os.pipe()
    os.close(reading)
    null = os.open(os.devnull, os.O_WRONLY)
    # SIGPIPE ends `yes`; Python's own setting would be inherited, so the shell puts it back.
    code = "import signal, os; signal.signal(signal.SIGPIPE, signal.SIG_DFL); os.execvp('yes', ['yes'])"
    status, _ = run([sys.executable, "-c", code], writing, null)
    assert status == -13
    os.close(writing)
    os.close(null)


def read_all(fd):
    data = b""
    while select.select([fd], [], [], 0.5)[0]:
        try:
            chunk = os.read(fd, 65536)
        except OSError:
            break
        if not chunk:
            break
        data += chunk
    return data


def test_a_terminal_stays_a_terminal_of_the_same_size():
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 41, 133, 0, 0))
    code = "import os; print(os.isatty(1), os.isatty(2), tuple(os.get_terminal_size(1)), end='|\\n\\033[1m')"
    status, kept = run([sys.executable, "-c", code], theirs, theirs)
    # The line feed becomes what the real terminal makes of it, once.
    assert read_all(ours) == b"True True (133, 41)|\r\n\x1b[1m"
    assert status == 0
    assert kept["stdout"]["head"] == "True True (133, 41)|\n\x1b[1m"
    os.close(ours)
    os.close(theirs)


def test_a_change_of_size_is_passed_on():
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    code = f"import os; os.read({reading}, 1); print(tuple(os.get_terminal_size(1)))"

    def resize(kept):
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
        kept.resize()
        os.write(writing, b"x")

    _, kept = run([sys.executable, "-c", code], theirs, theirs, before=resize)
    assert kept["stdout"]["head"] == "(100, 50)\n"
    for fd in (ours, theirs, reading, writing):
        os.close(fd)
