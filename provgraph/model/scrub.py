"""Scrubbing as the user configures it: patterns and names, checked.

The work is done in :mod:`provgraph.client.scrub`, because command lines are scrubbed before their first byte is
written, and capture imports nothing from above.
"""

import re
from collections.abc import Sequence

from provgraph.errors import InputError


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
