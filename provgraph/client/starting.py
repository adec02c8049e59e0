"""Seeing to it that an ingester looks at the spool, from a Python that need not be the program's."""

from __future__ import annotations

import os
import sys
import time
from _thread import _local

from provgraph.client.bell import START, ring
from provgraph.client.light_json import loads
from provgraph.client.project import trust_file

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_RING_S = 0.02
_START_S = 3.0
_SHELL = "/bin/sh"
_last: dict[tuple[str, str], float] = {}


class _Busy(_local):
    now = False


busy = _Busy()
"""Whether this thread does something of ours: what we open or start is nobody's doing, and no hook looks at it."""


def wake(root: str, at_once: bool = False) -> None:
    """Ring the bell of the project's ingester, or start one; not more often than is of use.

    Cost: a few microseconds where one runs, 2 ms where one is started.
    """
    before, busy.now = busy.now, True
    try:
        if _lately("ring", root, 0.0 if at_once else _RING_S) or ring(root):
            return
        if not _lately("start", root, _START_S):
            _start(root)
    except Exception:
        pass  # the next question does what the ingester would have done
    finally:
        busy.now = before


def _lately(what: str, root: str, within_s: float) -> bool:
    at = time.monotonic()
    if at - _last.get((what, root), -_START_S) < within_s:
        return True
    _last[what, root] = at
    return False


def _start(root: str) -> None:
    """Start an ingester that is no child of this process: users' programs wait for children of their own."""
    found = program()
    if found is None:
        return
    python, package = found
    words = [_SHELL, "-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh", python, "-I", "-c", START, package, root]
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    try:
        pid = os.posix_spawn(_SHELL, words, environ, setsid=True, setsigmask=[])
    except NotImplementedError:  # a C library without it
        pid = os.posix_spawn(_SHELL, words, environ, setsigmask=[])
    os.waitpid(pid, 0)


def program() -> tuple[str, str] | None:
    """The program's Python and the folder that its package lies in; None where it is not known.

    This Python where the whole program is installed here, else what the program wrote into the user's own data folder:
    a store, which may come from somewhere else, cannot say what is run.
    """
    if sys.version_info >= (3, 12) and _is_whole():
        return sys.executable, os.path.dirname(_PACKAGE)
    path = program_file()
    try:
        status = os.stat(path)
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            return None
        with open(path, encoding="utf-8") as file:
            named = loads(file.read())
    except (OSError, ValueError):
        return None
    if not isinstance(named, dict):
        return None
    python, package = named.get("python"), named.get("package")
    if isinstance(python, str) and isinstance(package, str) and os.access(python, os.X_OK):
        return python, package
    return None


def program_file() -> str:
    """Where the program says where it is: in the user's own data folder."""
    return os.path.join(os.path.dirname(trust_file(os.environ)), "program.json")


def _is_whole() -> bool:
    from importlib.util import find_spec

    try:
        return all(find_spec(name) is not None for name in ("fastjsonschema", "grafeo", "sqlite_utils"))
    except (ImportError, ValueError):
        return False
