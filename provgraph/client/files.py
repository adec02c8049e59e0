"""Files as records name them, and what users declare of them."""

from __future__ import annotations

import os
import stat

from provgraph.client.moments import now, stat_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from provgraph.client.recording import Activity

_REMOTE = ("http", "https", "ftp", "ftps", "s3", "gs", "az", "abfs", "abfss", "hdfs", "hf", "sftp", "ssh", "git")
_MAX_LINKS = 40


def located(path: str) -> str:
    """An absolute path whose folder is without symbolic links; the last component stays as it is."""
    absolute = os.path.join(os.getcwd(), path).rstrip("/")
    folder, _, name = absolute.rpartition("/")
    if name in (".", "..", ""):
        return os.path.realpath(absolute or "/")
    return f"{os.path.realpath(folder or '/').rstrip('/')}/{name}"


def chain(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """A file, after the symbolic links that lead to it, each with what lstat says; ends where there is nothing."""
    for _ in range(_MAX_LINKS):
        try:
            status = os.lstat(path)
        except (OSError, ValueError):
            return
        yield path, status
        if not stat.S_ISLNK(status.st_mode):
            return
        path = located(os.path.join(os.path.dirname(path), os.readlink(path)))


def is_remote(path: str) -> bool:
    """Whether this is a URL of something elsewhere."""
    scheme, found, _ = path.partition("://")
    return bool(found) and scheme.lower().rpartition("+")[2] in _REMOTE


def declared(activity: Activity, direction: str, path: Any) -> Iterator[dict[str, object]]:
    """The records that say that an activity used or generated a file or URL.

    Raises:
        TypeError: this is neither a text nor a path.
        ValueError: it is empty.
    """
    text = os.fsdecode(os.fspath(path))
    if not text.strip() or "\0" in text:
        raise ValueError(f"a path or a URL, not {text!r}")
    if not activity.recorded or activity.ended:
        return
    if is_remote(text):
        yield _said(direction, activity.without_secrets(text))
        return
    if text.lower().startswith("file://"):
        text = text[7:]
    ops = [["r", now(), at, stat_of(status)] for at, status in chain(located(text)) if not stat.S_ISDIR(status.st_mode)]
    if direction == "used" and ops:
        yield {"record": "progress", "ops": ops}
    else:
        yield _said(direction, located(text))


def _said(direction: str, name: str) -> dict[str, object]:
    import time

    return {"record": "said", "t": now(), "time": time.time_ns(), direction: [name]}
