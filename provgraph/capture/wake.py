"""Waking the project's ingester, or starting it: beside the command, never in its way."""

from __future__ import annotations

import _signal
import fcntl
import os
import sys

from provgraph.client.bell import START, ring
from provgraph.client.spool import give_to_owner

_PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def wake(root: str) -> None:
    """See to it that an ingester looks at the spool soon. Cost: 0.1 ms where it runs, else that of a spawn.

    The project's lock is taken here and handed on to the new process: of many commands at once, one starts it.
    """
    if ring(root):
        return
    try:
        lock = os.open(f"{root}/.provdb/ingester.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return  # no store any more, or none of ours
    try:
        if os.geteuid() == 0:
            give_to_owner(lock, f"{root}/.provdb")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.set_inheritable(lock, True)
        _spawn(root, lock)
    except OSError:
        pass  # one runs, or none can be started: then the next question does what it would have done
    finally:
        os.close(lock)


def _spawn(root: str, lock: int) -> None:
    argv = [sys.executable, "-I", "-c", START, _PACKAGE_PARENT, root, str(lock)]
    null = ((os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2))
    os.posix_spawn(
        sys.executable,
        argv,
        os.environ,
        file_actions=list(null),
        setsid=True,
        setsigmask=[],
        setsigdef=[_signal.SIGPIPE, _signal.SIGXFSZ, _signal.SIGINT, _signal.SIGQUIT],
    )
