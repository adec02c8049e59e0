"""Leaving out of coverage what it would slow down for nothing: it trebles a test's own time."""

import contextlib
import os
from collections.abc import Iterator
from typing import Final

import coverage

MEASURING: Final = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
"""Where these are set, commands measure themselves."""


@contextlib.contextmanager
def unmeasured() -> Iterator[None]:
    """Without coverage, of which two run in a worker of xdist: pytest-cov's, and that of any Python process."""
    stopped = []
    while (measuring := coverage.Coverage.current()) is not None:
        measuring.stop()
        stopped.append(measuring)
    # Each start would say once more that commands measure themselves, and put one more layer around os._exit.
    environment, leave = {name: os.environ.get(name) for name in MEASURING}, os._exit
    try:
        yield
    finally:
        for measuring in reversed(stopped):
            measuring.start()
        os._exit = leave
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
