"""Reports the files that this Python process opens, to the file that PROVDB_AUDIT names.

Python imports a module of this name at its start. It runs in users' own interpreters (3.9 and later), with the
standard library alone, must never be the reason why a program fails, and hands over to the user's own sitecustomize.
Each record is a letter (r or w), the absolute path and a NUL byte, appended with one write.
"""

import os
import sys

_seen = set()  # type: ignore[var-annotated]


def _report(event: str, arguments: tuple) -> None:  # type: ignore[type-arg]
    if event != "open":
        return
    try:
        path, _, flags = arguments
        if isinstance(path, int) or path is None:
            return
        letter = b"r" if flags & 3 == os.O_RDONLY else b"w"
        record = letter + os.path.join(os.getcwdb(), os.fsencode(path)) + b"\0"
        if record in _seen:
            return
        _seen.add(record)
        fd = os.open(os.environ["PROVDB_AUDIT"], os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.write(fd, record)
        finally:
            os.close(fd)
    except Exception:  # noqa: S110 - the program that is watched goes first
        pass


def _hand_over() -> None:
    """Import the sitecustomize that this one stands in front of, as Python would have done."""
    here = os.path.dirname(os.path.abspath(__file__))
    own = sys.modules.pop("sitecustomize", None)
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    try:
        import sitecustomize  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError as error:
        if own is not None:
            sys.modules["sitecustomize"] = own
        if error.name != "sitecustomize":
            raise


if os.environ.get("PROVDB_AUDIT") and hasattr(sys, "addaudithook"):
    sys.addaudithook(_report)
_hand_over()
