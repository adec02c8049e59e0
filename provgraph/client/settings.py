"""What the wrapping path must know before it starts: ``.provdb/capture.json``.

``method`` is the capture method that works here, tried once, with the ``tested`` circumstances. ``unsupervised`` (names
of programs), ``scrub`` (further patterns) and ``paths`` (path classes) come from the user's configuration; the ingester
puts them here. Unknown keys are kept.
"""

from __future__ import annotations

import os
import sys

from provgraph.client.light_json import dumps, loads
from provgraph.client.path_class import Classifier

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Callable, Mapping

METHODS = ("seccomp", "stat", "strace", "none")


def read_settings(root: str) -> dict[str, object]:
    """What ``.provdb/capture.json`` says; {} where it is absent or damaged."""
    try:
        with open(_path(root), encoding="utf-8") as file:
            settings = loads(file.read())
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def write_settings(root: str, **changes: object) -> bool:
    """Change some keys of ``.provdb/capture.json``, atomically; False where the store cannot be written."""
    path, new = _path(root), f"{_path(root)}.{os.getpid()}"
    try:
        with open(new, "wb") as file:
            file.write(dumps({**read_settings(root), **changes}) + b"\n")
            if os.geteuid() == 0:
                from provgraph.client.spool import give_to_owner

                give_to_owner(file.fileno(), os.path.dirname(path))
        os.replace(new, path)
    except OSError:
        return False
    return True


def method(
    root: str,
    works: Callable[[], bool],
    *,
    settings: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> str:
    """The capture method to use for a command: "seccomp" where it works here, else "stat".

    Parameters:
        works: tries the seccomp method on a tiny command; called once for each kernel, machine, Python and release,
            never where another system than Linux runs. An exception counts as no.
        settings: what :func:`read_settings` returned, if it has been read.
        environ: where PROVDB_CAPTURE names a method, that one is taken untried.
    """
    forced = (os.environ if environ is None else environ).get("PROVDB_CAPTURE", "")
    if forced in METHODS:
        return forced
    if not sys.platform.startswith("linux"):
        return "stat"
    known = read_settings(root) if settings is None else settings
    tested = circumstances()
    if known.get("tested") == tested and known.get("method") in METHODS:
        return str(known["method"])
    try:
        found = "seccomp" if works() else "stat"
    except Exception:
        found = "stat"
    write_settings(root, method=found, tested=tested)
    return found


def circumstances() -> str:
    """What the result of a test depends on: kernel, machine, interpreter, user and release of this program."""
    system = os.uname()
    release = os.stat(__file__).st_mtime_ns  # changes with each installation
    return f"{system.release} {system.machine} {system.nodename} {sys.hexversion:x} {os.geteuid()} {release}"


def _path(root: str) -> str:
    return os.path.join(root, ".provdb/capture.json")


def project_classifier(root: str) -> Classifier:
    """The path classes of a project: the configured ones, kept in the settings by the ingester, before the table."""
    rules = read_settings(root).get("paths", ())
    extra = [
        (str(rule[0]), str(rule[1]), tuple(str(pattern) for pattern in rule[2]))
        for rule in (rules if isinstance(rules, list) else ())
        if isinstance(rule, list) and len(rule) == 3 and isinstance(rule[2], list)
    ]
    return Classifier(root, os.environ.get("HOME", ""), extra)
