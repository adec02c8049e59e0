"""Shell globs over paths: ``*`` and ``?`` do not cross ``/``, ``**`` does, ``[…]`` is a set."""

import re

_SPECIAL = re.compile(r"[*?\[]")


def literal_prefix(glob: str) -> str:
    """What every match begins with."""
    match = _SPECIAL.search(glob)
    return glob if match is None else glob[: match.start()]


def glob_pattern(glob: str) -> str:
    """A regular expression for the whole of a path. Cost: linear."""
    parts, place = [], 0
    while place < len(glob):
        char = glob[place]
        if glob.startswith("**/", place) and (place == 0 or glob[place - 1] == "/"):
            parts.append("(?:.*/)?")
            place += 3
            continue
        if glob.startswith("**", place):
            parts.append("(?s:.*)")
            place += 2
            continue
        place += 1
        if char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "[" and (end := glob.find("]", place + 1)) > 0:
            inside = glob[place:end].replace("\\", "\\\\").replace("[", "\\[")
            if inside[0] in "!^":
                inside = "^/" + inside[1:]
            parts.append(f"[{inside}]")
            place = end + 1
        else:
            parts.append(re.escape(char))
    return "".join(parts)
