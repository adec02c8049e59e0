"""Arrays in a file that nobody needs: mapped into memory when read, replaced whole, thrown away where it is damaged.

A line that says what this is; a line of JSON after its checksum, with what the writer says and each array's name, type,
shape, place, length and sum; then the arrays, each at a multiple of 64 bytes.
"""

import contextlib
import json
import mmap
import os
import sys
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from provgraph.stores.files import give_to_owner, owner_of

_MAGIC: Final = f"provgraph arrays 1 {sys.byteorder}\n".encode()
_ALIGN: Final = 64
_STALE_S: Final = 600.0
"""A half-written file older than this is nobody's: whoever wrote it was killed."""

AnyArray = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """What a file says, and its arrays. Writing to them changes neither the file nor what others see."""

    head: Mapping[str, Any]
    arrays: Mapping[str, AnyArray]


def read(path: Path) -> ArrayFile | None:
    """The file's contents; None where it is not there, damaged, or of another kind of machine.

    Cost: one pass over the bytes, for the sums: 10 GB a second.
    """
    try:
        with path.open("rb") as file:
            if file.readline(len(_MAGIC)) != _MAGIC:
                return None
            check, _, line = file.readline().partition(b" ")
            if check != _check(line):
                return None
            head = json.loads(line)
            start, size = file.tell(), os.fstat(file.fileno()).st_size
            bytes_ = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        arrays = {}
        for name, kind, shape, place, length, total in head["arrays"]:
            first = _aligned(start) + place
            if first + length > size:
                return None
            array = np.frombuffer(bytes_, np.uint8, length, first if length else 0)
            if _sum(array) != total:
                return None
            arrays[name] = array.view(np.dtype(kind)).reshape(shape)
        return ArrayFile(head["head"], arrays)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write(path: Path, head: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> bool:
    """Replace the file, in a new folder if need be; False where that is not possible (a full disk, read-only)."""
    rows: list[tuple[str, str, tuple[int, ...], int, int, int]] = []
    place = 0
    flat = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    for name, array in flat.items():
        view = _bytes_of(array)
        rows.append((name, array.dtype.str, array.shape, place, view.size, _sum(view)))
        place = _aligned(place + view.size)
    line = json.dumps({"head": head, "arrays": rows}, separators=(",", ":")).encode() + b"\n"
    new = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.new")
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700)
            give_to_owner(path.parent)
        _clear(path.parent)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:
            owner = owner_of(path.parent)
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            file.write(_MAGIC + _check(line) + b" " + line)
            start = _aligned(file.tell())
            for row, array in zip(rows, flat.values(), strict=True):
                file.seek(start + row[3])
                file.write(memoryview(_bytes_of(array)))
        os.replace(new, path)
        return True
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(new)
        return False


def writable(folder: Path) -> bool:
    """Whether it is worth trying: the folder can be written to, or made."""
    return os.access(folder if folder.exists() else folder.parent, os.W_OK)


def _clear(folder: Path) -> None:
    for left in folder.glob(".*.new"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_S:
                left.unlink()


def _check(line: bytes) -> bytes:
    return f"{zlib.crc32(line):08x}".encode()


def _aligned(place: int) -> int:
    return -(-place // _ALIGN) * _ALIGN


def _bytes_of(array: AnyArray) -> npt.NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)


def _sum(array: npt.NDArray[np.uint8]) -> int:
    """The sum of all words: finds what is cut off, zeroed or written over, at the speed of memory."""
    words = array.size // 8 * 8
    total = int(array[:words].view(np.uint64).sum(dtype=np.uint64)) if words else 0
    return (total + int.from_bytes(array[words:].tobytes(), "little") + array.size) % (1 << 64)
