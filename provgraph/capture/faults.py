"""Faults of capture itself: noted for ``provdb doctor``, never shown to the command."""

from __future__ import annotations

import os
import time

_LIMIT_BYTES = 65_536


def note(root: str, error: BaseException) -> None:
    """Append where and how ``error`` arose to ``.provdb/capture.log``, which starts anew at 64 KiB. Never raises."""
    try:
        lines = [f"{time.time_ns()} {os.getpid()} {type(error).__name__}: {error}"]
        trace = error.__traceback__
        while trace is not None:
            lines.append(f"  {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}")
            trace = trace.tb_next
        path = f"{root}/.provdb/capture.log"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if os.geteuid() == 0:
                from provgraph.client.spool import give_to_owner

                give_to_owner(fd, os.path.dirname(path))
            if os.fstat(fd).st_size > _LIMIT_BYTES:
                os.ftruncate(fd, 0)
            os.write(fd, "\n".join([*lines, ""]).encode("utf-8", "backslashreplace"))
        finally:
            os.close(fd)
    except Exception:  # capture must not fail on noting that it failed
        return
