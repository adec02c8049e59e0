"""Parquet, by its footer. Needs pyarrow, the extra ``provgraph[parquet]``."""

from __future__ import annotations

import os
from typing import Any, BinaryIO, Final

from provgraph.ingestors.tables.bounds import LISTED, NAME, TableError

_MAGIC: Final = (b"PAR1", b"PARE")
_FOOTER: Final = 16 << 20


def describe_parquet(file: BinaryIO) -> dict[str, Any]:
    """``columns``, ``column_types``, ``columns_count``, ``rows_count``, ``row_groups_count``, ``created_by``.

    Raises:
        TableError: it is no such file, or pyarrow is not installed.
    """
    _check_footer(file)
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise TableError("to read Parquet, install pyarrow: pip install 'provgraph[parquet]'") from None
    try:
        opened = parquet.ParquetFile(file, thrift_string_size_limit=_FOOTER, thrift_container_size_limit=1 << 20)
        metadata, schema = opened.metadata, opened.schema_arrow
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise TableError(f"it is no Parquet: {' '.join(str(error).split())[:NAME]}") from None
    fields = [schema.field(place) for place in range(min(len(schema), LISTED))]
    return {
        "columns": [field.name[:NAME] for field in fields],
        "column_types": [str(field.type)[:NAME] for field in fields],
        "columns_count": len(schema),
        "rows_count": metadata.num_rows,
        "row_groups_count": metadata.num_row_groups,
        **({"created_by": metadata.created_by[:NAME]} if metadata.created_by else {}),
    }


def _check_footer(file: BinaryIO) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    file.seek(0)
    if size < 12 or tail[4:] not in _MAGIC:
        raise TableError("it is no Parquet: it does not end with the magic number")
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] == b"PARE":
        raise TableError("its footer is encrypted")
    if length > min(_FOOTER, size - 8):
        raise TableError(f"its footer has {length:,} bytes, which is more than the file has or than are read")
