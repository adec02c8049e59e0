"""Which reader reads which file, and within which bounds."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final

from provgraph.ingestors.port import File, Findings, Match, Moment, Occurrence
from provgraph.ingestors.tables.arrays import describe_npy, describe_npz
from provgraph.ingestors.tables.bounds import Budget, TableError
from provgraph.ingestors.tables.parquet import describe_parquet
from provgraph.ingestors.tables.separated import describe_separated
from provgraph.ingestors.tables.tensors import describe_safetensors

_SEPARATED: Final = (".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz")
_BY_HEADER: Final[dict[str, Callable[[BinaryIO], dict[str, Any]]]] = {
    ".parquet": describe_parquet, ".npy": describe_npy, ".npz": describe_npz, ".safetensors": describe_safetensors,
}  # fmt: skip
_ENDINGS: Final = (*_SEPARATED, *_BY_HEADER)
_FILES: Final = 50


class Tables:
    """Describes each table and each array that a command met, as properties of its snapshot."""

    name = "tables"
    version = "2"
    moment = Moment.AFTER
    match = Match(files=tuple(f"*{ending}" for ending in _ENDINGS))
    description = "CSV, TSV, Parquet, NumPy, safetensors: columns, types, rows, shapes"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """What is in the files."""
        findings, budget = Findings(), Budget()
        files = _each_once(occurrence.matching(self.match))
        if len(files) > _FILES:
            findings.note(f"only {_FILES} of {len(files):,} tables were looked at")
        for file in files[:_FILES]:
            try:
                properties = _described(file, budget)
            except (TableError, OSError, EOFError, zlib.error) as error:
                findings.note(f"{file.path}: {error}")
                continue
            if properties:
                findings.snapshot(file.path, **properties)
        return findings.to_json()


def _described(file: File, budget: Budget) -> dict[str, Any]:
    if file.content is None:
        return {}  # nobody has these bytes any more
    with file.open() as opened:
        if file.path.endswith(_SEPARATED):
            return describe_separated(opened, file.path, budget)
        return next(reader for ending, reader in _BY_HEADER.items() if file.path.endswith(ending))(opened)


def _each_once(files: list[File]) -> list[File]:
    """Of a file that was used and generated, what was generated."""
    found: dict[str, File] = {}
    for file in files:
        found.setdefault(file.path, file)
    return list(found.values())


TABLES = Tables()
