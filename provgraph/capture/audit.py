"""What Python processes of a command opened, reported by a hook that is put on their PYTHONPATH.

Only the stat method uses it: native readers (Parquet, HDF5) and other programs stay invisible.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Mapping

HOOK_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "audit_hook")


def hooked_environment(environ: Mapping[str, str], report: str) -> dict[str, str]:
    """``environ`` for a command whose Python processes append to the file ``report``, which must exist."""
    own = environ.get("PYTHONPATH")
    return {**environ, "PROVDB_AUDIT": report, "PYTHONPATH": f"{HOOK_FOLDER}:{own}" if own else HOOK_FOLDER}


def opened_files(report: str) -> list[tuple[str, str]]:
    """The ("r" or "w", path) pairs in ``report``, each once, in order; [] where there is none."""
    try:
        with open(report, "rb") as file:
            records = file.read().split(b"\0")
    except OSError:
        return []
    pairs = [(record[:1].decode("latin-1"), os.fsdecode(record[1:])) for record in records[:-1] if record]
    return list(dict.fromkeys(pairs))
