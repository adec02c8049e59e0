"""NumPy's ``.npy`` and ``.npz``, by their headers alone: nothing is ever unpickled.

https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import ast
import json
import math
import os
import re
import struct
import warnings
import zipfile
import zlib
from typing import Any, BinaryIO, Final

from provgraph.ingestors.tables.bounds import LISTED, NAME, TableError

_MAGIC: Final = b"\x93NUMPY"
_HEADER: Final = 10_000
"""NumPy's own limit for headers that it evaluates."""
_MEMBERS: Final = 1_000
_DIRECTORY: Final = 8 << 20
_KINDS: Final = {"f": "float", "i": "int", "u": "uint", "c": "complex"}
_OTHERS: Final = {"b": "bool", "S": "bytes", "a": "bytes", "U": "str", "M": "datetime64", "m": "timedelta64"}
_DTYPE: Final = re.compile(r"[<>|=]?([a-zA-Z])(\d{0,9})(\[[^\]]{1,20}\])?\Z", re.ASCII)


def describe_npy(file: BinaryIO) -> dict[str, Any]:
    """``dtype``, ``shape``, ``values_count``; the fields of a structured array as ``columns``, ``column_types``.

    Raises:
        TableError: it is no such file.
    """
    return _header(file)


def describe_npz(file: BinaryIO) -> dict[str, Any]:
    """``arrays`` (``x_train: float32 (60000, 28, 28)``), ``arrays_count``, ``arrays_json``.

    Raises:
        TableError: it is no such file.
    """
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            found = {info.filename[: -len(".npy")][:NAME]: _member(archive, info) for info in members[:_MEMBERS]}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, zlib.error, struct.error) as error:
        raise TableError(f"it is no NPZ: {error}") from None
    shown = [f"{name}: {said.get('dtype', '?')} {_shape(said)}" for name, said in found.items()]
    return {"arrays_count": len(members), "arrays": shown, "arrays_json": json.dumps(found)}


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> dict[str, Any]:
    if info.flag_bits & 1:
        return {}  # encrypted
    try:
        with archive.open(info) as opened:
            return _header(opened)  # type: ignore[arg-type]
    except (TableError, RuntimeError):
        return {}


def _header(file: BinaryIO) -> dict[str, Any]:
    begin = file.read(len(_MAGIC) + 2)
    if begin[:-2] != _MAGIC or len(begin) < len(_MAGIC) + 2:
        raise TableError("it is no NPY: the magic number is missing")
    major = begin[-2]
    if major not in (1, 2, 3):
        raise TableError(f"it is an NPY of version {major}, and 1 to 3 are known")
    count = file.read(2 if major == 1 else 4)
    length = int.from_bytes(count, "little")
    if len(count) != (2 if major == 1 else 4) or not 0 < length <= _HEADER:
        raise TableError(f"its header of {length:,} bytes is torn, or longer than {_HEADER:,}")
    raw = file.read(length)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes that are none: the header is not ours
            header = ast.literal_eval(raw.decode("utf-8" if major == 3 else "latin-1").strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        raise TableError("its header cannot be read") from None
    if len(raw) != length or not isinstance(header, dict):
        raise TableError("its header is torn")
    return _described(header)


def _described(header: dict[Any, Any]) -> dict[str, Any]:
    shape, descr = header.get("shape"), header.get("descr")
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and 0 <= n < 1 << 63 for n in shape):
        raise TableError("its header tells no shape")
    found: dict[str, Any] = {"shape": list(shape), "values_count": min(math.prod(shape), (1 << 63) - 1)}
    if isinstance(descr, list):
        fields = [field for field in descr if isinstance(field, tuple) and len(field) >= 2]
        found["dtype"] = "structured"
        found["columns"] = [str(field[0])[:NAME] for field in fields[:LISTED]]
        found["column_types"] = [_dtype(field[1]) for field in fields[:LISTED]]
    else:
        found["dtype"] = _dtype(descr)
    if header.get("fortran_order") is True:
        found["fortran_order"] = True
    return found


def _dtype(descr: Any) -> str:
    """NumPy's name of a type: ``<f8`` is float64."""
    if isinstance(descr, list):
        return "structured"
    matched = _DTYPE.match(descr) if isinstance(descr, str) else None
    if matched is None:
        return str(descr)[:NAME]
    kind, size = matched[1], matched[2]
    if kind in _KINDS and size:
        return f"{_KINDS[kind]}{8 * int(size)}"
    return "object" if kind == "O" else _OTHERS.get(kind, str(descr))


def _shape(said: dict[str, Any]) -> str:
    shape = said.get("shape", [])
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(str(n) for n in shape)})"


def _check_directory(file: BinaryIO) -> None:
    """A list of members that would not fit in memory is refused before ``zipfile`` reads it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 65_557))
    tail = file.read(65_557)
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise TableError("it is no NPZ: the list of its members is missing")
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    locator = tail[at - 20 : at] if at >= 20 else b""
    if locator[:4] == b"PK\x06\x07":  # ZIP64: the true length stands elsewhere
        file.seek(min(int.from_bytes(locator[8:16], "little"), size))
        length = int.from_bytes(file.read(56)[40:48], "little")
        file.seek(0)
    if length > _DIRECTORY:
        raise TableError(f"the list of its members has {length:,} bytes, and only {_DIRECTORY:,} are read")
