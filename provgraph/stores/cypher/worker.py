"""The process that holds the engine and runs queries, so that a query can be ended.

Grafeo has no time-out, and neither a signal handler nor a thread of Python runs while it works. So it works in a
process of its own: the asking process kills it on Ctrl-C and when time is up. Where the asking process itself is
killed, SIGIO from its pipe ends this one, and SIGALRM does where that should fail.
"""

import contextlib
import fcntl
import os
import resource
import select
import signal
import sys
from pathlib import Path
from typing import Any, Final

from provgraph.errors import ProvGraphError
from provgraph.stores.cypher.engine import Engine
from provgraph.stores.cypher.feed import Feed
from provgraph.stores.cypher.frames import receive, send

GRACE_S: Final = 2.0
"""The asking process ends a query first; only where it is gone does the alarm."""
_GIB: Final = 1 << 30


def memory_limit() -> int:
    """Bytes that a worker may use: half of the machine's memory, 1 GiB at least."""
    return max(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2, _GIB)


def main(database: str, project: str) -> None:
    """Answer queries from standard input until it closes."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        os.dup2(null, fd)
    for name in (signal.SIGALRM, signal.SIGIO, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    fcntl.fcntl(requests, fcntl.F_SETOWN, os.getpid())
    _limit_memory()
    engine = Engine(Feed(Path(database), project))
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            query, parameters, keys, timeout_s = receive(requests)
            _watch(requests, timeout_s)
            answer = _answer(engine, query, parameters, keys)
            _watch(requests, None, on=False)
            send(answers, answer)


def _watch(fd: int, timeout_s: float | None, *, on: bool = True) -> None:
    """Die with the other end of ``fd`` (while ``on``: a request is no reason), or when time is up."""
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    fcntl.fcntl(fd, fcntl.F_SETFL, flags | fcntl.FASYNC if on else flags & ~fcntl.FASYNC)
    signal.setitimer(signal.ITIMER_REAL, timeout_s + GRACE_S if on and timeout_s is not None else 0)
    poll = select.poll()
    poll.register(fd, 0)
    if poll.poll(0):  # it was closed before SIGIO was asked for
        sys.exit()


def _limit_memory() -> None:
    # Where the address space cannot be limited (macOS), the query is not.
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = memory_limit()
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _answer(engine: Engine, query: str, parameters: dict[str, Any], keys: frozenset[str] | None) -> tuple[Any, ...]:
    try:
        return ("rows", *engine.answer(query, parameters, keys))
    except ProvGraphError as error:
        return "refused", type(error), str(error)
    except MemoryError:
        return ("memory",)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception
        return "failed", f"{type(error).__name__}: {error}"
