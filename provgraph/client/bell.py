"""How an ingester is called: by a bell where one runs, by a command line where none does."""

from __future__ import annotations

import os

START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1));"
    " import runpy; runpy.run_module('provgraph.session.ingester', run_name='__main__', alter_sys=True)"
)
"""For `python -c`, before the folder that holds the package, and what the ingester is given."""


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
