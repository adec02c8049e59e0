"""Bytes as text, and texts line by line."""

import json
from typing import Any, Final

from provgraph.graph.comparison import Content
from provgraph.queries.comparison.lines import unified

_SAMPLE: Final = 1 << 16
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def text_of(data: bytes) -> str | None:
    """Bytes as text, None where they are none. Bytes that are no UTF-8 stay in it as Python carries them.

    UTF-8 and, with its mark, UTF-16. A NUL, or more than a tenth of stray bytes or control characters, is no text.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
            except UnicodeDecodeError:
                break
    if b"\0" in data:
        return None
    text = data.decode("utf-8", "surrogateescape")
    sample = text[:_SAMPLE]
    odd = sum((char < " " and char not in "\t\n\r\f\x1b") or "\udc80" <= char <= "\udcff" for char in sample)
    return None if odd * 10 > len(sample) else text


def text_difference(first: str, second: str, most: int) -> Content:
    """A unified diff of two texts that differ, ``most`` lines of it."""
    ends = [text.endswith("\n") for text in (first, second)]
    lines, added, removed, left_out = unified(_lines(first), _lines(second), most)
    reason = (
        ""
        if ends[0] == ends[1] or not (first and second)
        else f"the {'first' if ends[0] else 'second'} alone ends with a newline"
    )
    if not lines and not reason:
        reason = "the characters are the same; the encoding differs"
    return Content(
        "differs", "text", reason, lines=tuple(lines), lines_added=added, lines_removed=removed, left_out=left_out
    )


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def notebook_text(text: str) -> str | None:
    """The sources of a Jupyter notebook's cells, one after another; None where it is no notebook."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        return None
    parts = []
    for cell in cells:
        if not isinstance(cell, dict):
            return None
        source = cell.get("source", "")
        body = "".join(map(str, source)) if isinstance(source, list) else str(source)
        parts.append(f"──── {cell.get('cell_type', 'cell')}\n{body.rstrip()}\n")
    return "".join(parts)
