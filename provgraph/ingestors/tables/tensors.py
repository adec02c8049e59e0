"""Weights in the format safetensors, by their header: https://huggingface.co/docs/safetensors."""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO, Final

from provgraph.ingestors.tables.bounds import NAME, TableError

_HEADER: Final = 16 << 20
_LISTED: Final = 500


def describe_safetensors(file: BinaryIO) -> dict[str, Any]:
    """``tensors`` (``wte.weight: F32 (50257, 768)``), ``tensors_count``, ``parameters_count``, ``metadata_json``.

    Raises:
        TableError: it is no such file.
    """
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= _HEADER:
        raise TableError(f"it is no safetensors: its header would have {length:,} bytes, and {_HEADER:,} are read")
    raw = file.read(length)
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError):
        raise TableError("it is no safetensors: its header is torn or no JSON") from None
    if len(raw) != length or not isinstance(header, dict):
        raise TableError("it is no safetensors: its header is no object")
    metadata = header.pop("__metadata__", None)
    shapes = {str(name): _shape(said) for name, said in header.items()}
    listed = list(header.items())[:_LISTED]
    found: dict[str, Any] = {
        "tensors_count": len(shapes),
        "tensors": [f"{name[:NAME]}: {_dtype(said)} ({', '.join(map(str, shapes[name]))})" for name, said in listed],
        "parameters_count": min(sum(math.prod(shape) for shape in shapes.values()), (1 << 63) - 1),
    }
    if isinstance(metadata, dict) and metadata:
        text = json.dumps(metadata, sort_keys=True)
        if len(text) <= 1 << 16:
            found["metadata_json"] = text
    return found


def _shape(said: Any) -> list[int]:
    shape = said.get("shape") if isinstance(said, dict) else None
    if not isinstance(shape, list) or len(shape) > 64 or not all(type(n) is int and 0 <= n < 1 << 63 for n in shape):
        raise TableError("it is no safetensors: a tensor has no shape")
    return shape


def _dtype(said: Any) -> str:
    return str(said.get("dtype", "?"))[:20]
