"""Scrubbing as the user configures it: the capture path's tables and scrubber, with patterns that are checked.

The work is done in :mod:`provgraph.capture.scrub`, because command lines are scrubbed before their first byte is
written, and capture imports nothing from above.
"""

import re
from collections.abc import Collection, Sequence

from provgraph.capture.scrub import PATTERNS, Pattern, Scrubber
from provgraph.capture.scrub_words import RECORDED_ENVIRONMENT, RECORDED_SUFFIXES, SCRUBBED
from provgraph.errors import InputError

__all__ = [
    "PATTERNS",
    "RECORDED_ENVIRONMENT",
    "RECORDED_SUFFIXES",
    "SCRUBBED",
    "Pattern",
    "Scrubber",
    "capture_patterns",
    "configured_scrubber",
]


def capture_patterns(patterns: Sequence[str], names: Sequence[str] = ()) -> list[str]:
    """What ``scrub`` in ``.provdb/capture.json`` must hold for the wrapping path to know the user's configuration.

    Raises:
        InputError: a pattern that is no regular expression.
    """
    for text in patterns:
        try:
            re.compile(text)
        except re.error as error:
            raise InputError(f"the scrubbing pattern {text!r} is no regular expression: {error}") from error
    return [*patterns, *(f"name:{name}" for name in names)]


def configured_scrubber(
    extra: Sequence[str] = (),
    names: Sequence[str] = (),
    without: Collection[str] = (),
    *,
    trusted: bool = False,
) -> Scrubber:
    """The scrubber that a project's configuration describes.

    Parameters:
        extra: further regular expressions; their group ``secret`` (or their only group) is replaced, else all of the
            match.
        names: further names whose values are secrets.
        without: names in :data:`PATTERNS` that the user does not want; honoured only where the store is ``trusted``.

    Raises:
        InputError: a pattern that is no regular expression, or a name that the table lacks.
    """
    unknown = sorted(set(without) - {pattern.name for pattern in PATTERNS})
    if unknown:
        known = ", ".join(pattern.name for pattern in PATTERNS)
        raise InputError(f"no scrubbing pattern is called {unknown[0]!r}; there are {known}")
    return Scrubber(capture_patterns(extra, names), without if trusted else ())
