"""Messages between the ingester and the process that runs ingestors: a length, then JSON.

JSON, for what the other process says is not to be trusted.
"""

import json
import os
from typing import Any, Final

from provgraph.errors import InputError

LENGTH: Final = 8
_PIECE: Final = 1 << 20


def packed(message: Any) -> bytes:
    """One message as bytes.

    Raises:
        InputError: a value in it is none that JSON can say.
    """
    data = json.dumps(message, separators=(",", ":"), default=_plain).encode("utf-8", "surrogatepass")
    return len(data).to_bytes(LENGTH, "little") + data


def _plain(value: Any) -> Any:
    """A value of NumPy and the like as one of Python."""
    if not isinstance(value, type) and callable(getattr(value, "tolist", None)):
        return value.tolist()
    raise InputError(
        f"a value is of the type {type(value).__name__}, {str(value)[:60]!r}; take a number, a text, a list or a dict"
    )


def unpacked(data: bytes | bytearray) -> Any:
    """The message of some bytes, without their length.

    Raises:
        ValueError: no JSON.
    """
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def send(fd: int, message: bytes) -> None:
    """Write one packed message whole.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    view = memoryview(message)
    while view:
        view = view[os.write(fd, view[:_PIECE]) :]


def receive(fd: int) -> Any:
    """Read one message.

    Raises:
        EOFError: the other end is closed.
    """
    return unpacked(_exactly(fd, int.from_bytes(_exactly(fd, LENGTH), "little")))


def _exactly(fd: int, size: int) -> bytearray:
    data = bytearray()
    while len(data) < size:
        piece = os.read(fd, min(size - len(data), _PIECE))
        if not piece:
            raise EOFError
        data += piece
    return data
