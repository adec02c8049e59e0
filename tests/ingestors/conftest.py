"""Occurrences for ingestors, of real files in a folder of the test's own."""

import hashlib
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from provgraph.ingestors import posix
from provgraph.ingestors.port import ActivityWords, File, Ingestor, Moment, Occurrence, Previous, findings_document
from provgraph.schemas import validator

Bytes = bytes | str | Path


class Folder:
    """A folder in which a command is said to have run."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def occurrence(
        self,
        command: str,
        used: Mapping[str, Bytes] | Iterable[str] = (),
        generated: Mapping[str, Bytes] | Iterable[str] = (),
        before: Mapping[str, Bytes] | None = None,
        **more: Any,
    ) -> Occurrence:
        """What an ingestor is given: files by their paths, with their contents (or where these are)."""
        argv = tuple(shlex.split(command))
        utility = posix.annotate(argv).utility
        words = ActivityWords("a-uid", argv, command, utility, str(self.root), 0, **more)
        previous = {path: self._held(path, content) for path, content in (before or {}).items()}
        return Occurrence(
            Moment.AFTER,
            str(self.root),
            words,
            tuple(self._file(path, content, previous) for path, content in _items(used)),
            tuple(self._file(path, content, previous) for path, content in _items(generated)),
        )

    def found(self, ingestor: Ingestor, occurrence: Occurrence) -> dict[str, Any]:
        """What an ingestor finds; empty where it doesn't fire. Valid, whatever was found."""
        if not ingestor.match.explain(occurrence):
            return {}
        document = findings_document(ingestor.ingest(occurrence), "ingest") or {"schema": "provgraph/findings/1"}
        validator("findings")(document)
        return document

    def properties(self, ingestor: Ingestor, occurrence: Occurrence, path: str) -> dict[str, Any]:
        """What an ingestor says of one file."""
        found: dict[str, Any] = {}
        for snapshot in self.found(ingestor, occurrence).get("snapshots", ()):
            if snapshot["path"] == path:
                found |= snapshot["properties"]
        return found

    def _held(self, path: str, content: Bytes) -> tuple[str, str]:
        """(where the bytes are, their digest)."""
        if isinstance(content, Path):
            return str(content), hashlib.sha256(content.read_bytes()).hexdigest()
        data = content.encode() if isinstance(content, str) else content
        sha256 = hashlib.sha256(data).hexdigest()
        place = self.root / ".held" / sha256
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
        return str(place), sha256

    def _file(self, path: str, content: Bytes, previous: Mapping[str, tuple[str, str]]) -> File:
        place, sha256 = self._held(path, content)
        before = previous.get(path)
        return File(
            path,
            os.path.normpath(os.path.join(self.root, path)),
            None,
            sha256,
            os.stat(place).st_size,
            None,
            place,
            None if before is None else Previous(path, before[1], before[0]),
        )


def _items(files: Mapping[str, Bytes] | Iterable[str]) -> list[tuple[str, Bytes]]:
    return list(files.items()) if isinstance(files, Mapping) else [(path, b"") for path in files]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Where the commands of a test ran."""
    return Folder(tmp_path)


@pytest.fixture(scope="session")
def caffe_files(shared_testdata: Path) -> Path:
    """Solvers, nets and logs of real trainings."""
    return shared_testdata / "caffe"


@pytest.fixture(scope="session")
def training_folder(caffe_files: Path) -> Path:
    """A real training's solver, net and log."""
    return caffe_files / "resnet-cifar10/resnet-20"
