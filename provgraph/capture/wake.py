"""Waking the project's ingester, or starting it: beside the command, never in its way."""

from __future__ import annotations

import _signal
import fcntl
import os
import sys

_PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1));"
    " import runpy; runpy.run_module('provgraph.session.ingester', run_name='__main__', alter_sys=True)"
)


def ring(root: str) -> bool:
    """Ring the bell of a running ingester; False where none listens."""
    try:
        fd = os.open(f"{root}/.provdb/bell", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(fd, b"!")
    except OSError:
        pass  # full: it is awake
    finally:
        os.close(fd)
    return True


def is_running(root: str) -> bool:
    """Whether an ingester holds the project's lock."""
    try:
        fd = os.open(f"{root}/.provdb/ingester.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def wake(root: str) -> None:
    """See to it that an ingester looks at the spool soon. Cost: 0.1 ms where it runs, else that of a spawn."""
    if ring(root) or is_running(root):
        return
    argv = [sys.executable, "-I", "-c", _START, _PACKAGE_PARENT, root]
    null = ((os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2))
    try:
        os.posix_spawn(
            sys.executable,
            argv,
            os.environ,
            file_actions=list(null),
            setsid=True,
            setsigmask=[],
            setsigdef=[_signal.SIGPIPE, _signal.SIGXFSZ, _signal.SIGINT, _signal.SIGQUIT],
        )
    except (OSError, ValueError, NotImplementedError):
        pass  # the next question does what it would have done
