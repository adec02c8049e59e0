"""``provdb -c LINE``: the line is carried out by the user's shell, and each element of its list is an activity."""

from __future__ import annotations

import os

from provgraph.capture.job import Element
from provgraph.client.scrub_words import scrubbed_text
from provgraph.client.spool import new_activity_uid


def elements_of(
    root: str, words: list[str], scrub: tuple[str, ...], supervised: bool
) -> tuple[list[str], list[Element]]:
    """What to run for a shell and its line, and the activities that come of it.

    Parameters:
        root: the project's root, which holds the marks.
        words: the shell, ``-c``, the line, its ``$0`` and parameters.
        scrub: the user's further patterns of secrets.
        supervised: whether marks can be seen; without, the whole line is one activity.
    """
    shell, option, text, *parameters = words
    if supervised and os.path.isdir(f"{root}/.provdb/marks/element"):
        from provgraph.capture.shell_line import instrument

        line, marked = instrument(text, f"{root}/.provdb/marks", _path_of(shell), _open_descriptors())
        if line.elements:
            count = len(line.elements)
            elements = [
                Element(
                    new_activity_uid(),
                    [shell, option, element.source],
                    _line(text, element.number, count, element.source, scrub),
                    element.background,
                )
                for element in line.elements
            ]
            return [shell, option, marked, *parameters], elements
        whole = {**_line(text, 0, 1, text, scrub), "unparsed": True}
    else:
        whole = _line(text, 0, 1, text, scrub)
    return words, [Element(new_activity_uid(), words, whole)]


def _line(text: str, index: int, count: int, source: str, scrub: tuple[str, ...]) -> dict[str, object]:
    return {
        "text": scrubbed_text(text, scrub),
        "element": index,
        "elements": count,
        "source": scrubbed_text(source, scrub),
    }


def _path_of(shell: str) -> str:
    from provgraph.capture.command import find

    return find(shell, os.environ) or "/bin/sh"


def _open_descriptors() -> set[int]:
    """What the calling shell left open for the line."""
    try:
        return {int(name) for name in os.listdir("/proc/self/fd")}
    except OSError:
        return set()
