"""Occurrences for tests: files on the disk, as a command would have used or generated them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provgraph.ingest.places import media_type
from provgraph.ingestors.port import ActivityWords, File, Moment, Occurrence, Previous


def occurrence(
    folder: Path,
    generated: Mapping[str, str | bytes] | None = None,
    used: Mapping[str, str | bytes] | None = None,
    command: str = "python train.py",
    **more: Any,
) -> Occurrence:
    """A command that wrote and read files with these contents."""
    files = {
        name: tuple(file(folder, path, data, **more) for path, data in (given or {}).items())
        for name, given in (("generated", generated), ("used", used))
    }
    argv = tuple(command.split())
    words = ActivityWords(argv=argv, command=command, utility=argv[0], cwd=str(folder))
    return Occurrence(Moment.AFTER, str(folder), words, **files)


def file(folder: Path, path: str, data: str | bytes, before: str | None = None, role: str | None = None) -> File:
    """A file with a content."""
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data if isinstance(data, bytes) else data.encode())
    previous = None
    if before is not None:
        (folder / f"{path}.before").write_text(before)
        previous = Previous(path, None, str(folder / f"{path}.before"))
    return File(path, str(place), media_type(path), None, place.stat().st_size, role, str(place), previous)


def series(findings: Mapping[str, Any] | None) -> dict[str, list[tuple[int, Any]]]:
    """The series of findings, by name, as points."""
    found = (findings or {}).get("series", ())
    return {one["name"]: list(zip(one["steps"], one["values"], strict=True)) for one in found}
