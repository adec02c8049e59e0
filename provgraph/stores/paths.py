"""Paths that look like another one."""

import bisect
import difflib
import os
from collections.abc import Sequence
from typing import Final

_NAMES: Final = 20_000
"""File names up to which they are compared letter by letter."""
_PATHS: Final = 5_000
"""The same of whole paths."""


def alike(wanted: str, paths: Sequence[str], limit: int) -> list[str]:
    """Those of ``paths`` (sorted) that look like ``wanted``, best first: of its name, of a similar one, begun so."""
    name = os.path.basename(wanted)
    same = [found for found in paths if os.path.basename(found) == name and found != wanted]
    names: dict[str, list[str]] = {}
    for found in paths:
        names.setdefault(os.path.basename(found), []).append(found)
    close = difflib.get_close_matches(name, names, n=limit, cutoff=0.6) if len(names) <= _NAMES else []
    whole = difflib.get_close_matches(wanted, paths, n=limit, cutoff=0.7) if len(paths) <= _PATHS else []
    begun = paths[bisect.bisect_left(paths, wanted) :][:limit]
    ranked = [*same, *whole, *(found for near in close for found in names[near])]
    ranked += [found for found in begun if wanted and found.startswith(wanted)]
    return [found for found in dict.fromkeys(ranked) if found != wanted][:limit]
