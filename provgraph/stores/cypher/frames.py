"""Messages between the asking process and its worker: a length, then a pickle. Both ends are ours."""

import os
import pickle
import select
import time
from typing import Any, Final

_LENGTH: Final = 8
_PIECE: Final = 1 << 20


def send(fd: int, message: Any) -> None:
    """Write one message whole.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    view = memoryview(len(data).to_bytes(_LENGTH, "little") + data)
    while view:
        view = view[os.write(fd, view[:_PIECE]) :]


def receive(fd: int, deadline: float | None = None) -> Any:
    """Read one message.

    ``deadline``: a moment of ``time.monotonic()``.

    Raises:
        EOFError: the other end is closed.
        TimeoutError: the deadline has passed.
    """
    size = int.from_bytes(_exactly(fd, _LENGTH, deadline), "little")
    return pickle.loads(_exactly(fd, size, deadline))  # noqa: S301 - written by our own process


def _exactly(fd: int, size: int, deadline: float | None) -> bytearray:
    data = bytearray()
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLHUP)
    while len(data) < size:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise TimeoutError
        piece = os.read(fd, min(size - len(data), _PIECE))
        if not piece:
            raise EOFError
        data += piece
    return data
