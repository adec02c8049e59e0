"""Leaving out of coverage what it would slow down for nothing: it trebles a test's own time."""

import contextlib
from collections.abc import Iterator

import coverage


@contextlib.contextmanager
def unmeasured() -> Iterator[None]:
    """Without coverage, of which two run in a worker of xdist: pytest-cov's, and that of any Python process."""
    stopped = []
    while (measuring := coverage.Coverage.current()) is not None:
        measuring.stop()
        stopped.append(measuring)
    try:
        yield
    finally:
        for measuring in reversed(stopped):
            measuring.start()
