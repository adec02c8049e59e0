"""Patterns of commands and files: regular expressions, globs as in ``.gitignore``, media types."""

import functools
import re
from collections.abc import Iterable


@functools.cache
def command_pattern(pattern: str) -> re.Pattern[str]:
    """A compiled regular expression.

    Raises:
        re.error: it is none.
    """
    return re.compile(pattern)


def fits_globs(globs: Iterable[str], path: str) -> bool:
    """Whether a path fits: the last glob that fits decides, and one that begins with ``!`` takes back.

    ``*.csv`` fits at any depth, ``data/*.csv`` and ``/top.csv`` from the root alone, ``data/`` all below such a folder,
    ``**`` any number of folders.
    """
    fits = False
    for glob in globs:
        taken = glob.startswith("!")
        if _glob(glob[taken:]).fullmatch(path.lstrip("/")) is not None:
            fits = not taken
    return fits


@functools.cache
def _glob(glob: str) -> re.Pattern[str]:
    folder = glob.endswith("/")
    body = glob.strip("/")
    start = "" if "/" in glob.rstrip("/") else "(?:.*/)?"
    end = "/.+" if folder else "(?:/.*)?"
    return re.compile(start + _translated(body) + end, re.DOTALL)


def _translated(glob: str) -> str:
    parts, place = [], 0
    while place < len(glob):
        char = glob[place]
        if glob.startswith("**/", place) and (place == 0 or glob[place - 1] == "/"):
            parts.append("(?:.*/)?")
            place += 3
            continue
        if glob[place:] == "**" and (place == 0 or glob[place - 1] == "/"):
            parts.append(".+")
            break
        place += 1
        if char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "[" and (end := glob.find("]", place + 1)) > 0:
            parts.append(_set(glob[place:end]))
            place = end + 1
        elif char == "\\" and place < len(glob):
            parts.append(re.escape(glob[place]))
            place += 1
        else:
            parts.append(re.escape(char))
    return "".join(parts)


def _set(inside: str) -> str:
    """A set of characters, which never holds the slash."""
    negated = inside[0] in "!^"
    body = re.sub(r"([\\\[\]&~|^])", r"\\\1", inside[negated:])
    return f"(?!/)[{'^' if negated else ''}{body}]"


def fits_media_type(wanted: Iterable[str], media_type: str | None) -> bool:
    """Whether a media type is one of those that are wanted; ``image/*`` wants all of a kind."""
    if media_type is None:
        return False
    return any(one == media_type or (one.endswith("/*") and media_type.startswith(one[:-1])) for one in wanted)
