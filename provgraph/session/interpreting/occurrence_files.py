"""The bytes of an occurrence's files: unpacked out of the object store when somebody asks for them, not before."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from provgraph.ingestors.port import File, Occurrence, Previous
from provgraph.stores.objects import Objects

BEFORE: Final = "as it was before"
_BLOCK: Final = 1 << 20


class Contents:
    """Contents out of the object store, as files of their own.

    Parameters:
        objects: the object store. folder: where the files are made.
        limit_bytes: all of them together; what is beyond is left out.
    """

    def __init__(self, objects: Objects, folder: Path, limit_bytes: int) -> None:
        self._objects, self._folder, self._left = objects, folder, limit_bytes
        self._made: dict[str, str | None] = {}
        self.left_out: list[str] = []
        """Paths whose contents were too much."""
        self.read: list[str] = []
        """Absolute paths of the files that were asked for and are read where they lie."""
        self.gone: list[str] = []
        """Paths of the files that were asked for and whose bytes nobody has any more."""

    def where_it_lies(self, path: str) -> str:
        """The same path; that it was asked for is noted."""
        self.read.append(path)
        return path

    def nowhere(self, path: str) -> None:
        """No content; that it was asked for is noted."""
        if path not in self.gone:
            self.gone.append(path)

    def path_of(self, sha256: str, name: str) -> str | None:
        """A file with exactly these bytes and the name's extension; None where it would be too much."""
        if sha256 not in self._made:
            self._made[sha256] = self._make(sha256, name)
        return self._made[sha256]

    def _make(self, sha256: str, name: str) -> str | None:
        folder = self._folder / sha256[:16]
        folder.mkdir()
        path = folder / os.path.basename(name)
        with self._objects.open(sha256) as source, path.open("wb") as file:
            while block := source.read(_BLOCK):
                self._left -= len(block)
                if self._left < 0:
                    self.left_out.append(name)
                    path.unlink()
                    return None
                file.write(block)
        return str(path)


class _Held(File):
    """A file whose content is unpacked when it is asked for, or missed."""

    __slots__ = ("_unpack",)
    _unpack: Callable[[], str | None]

    @property
    def content(self) -> str | None:
        """Absolute path of a file that holds exactly these bytes."""
        return self._unpack()

    @content.setter
    def content(self, value: str | None) -> None:
        """Given by the base class, which has none."""


class _HeldPrevious(Previous):
    """The same of the state before."""

    __slots__ = ("_unpack",)
    _unpack: Callable[[], str | None]

    @property
    def content(self) -> str | None:
        """Absolute path of a file that holds exactly these bytes."""
        return self._unpack()

    @content.setter
    def content(self, value: str | None) -> None:
        """Given by the base class, which has none."""


def held(occurrence: Occurrence, digests: frozenset[str], contents: Contents) -> Occurrence:
    """The same occurrence, whose files have the contents that the object store holds.

    Parameters:
        digests: SHA-256 of the contents that it holds.
    """

    def file_of(file: File) -> File:
        before = file.previous
        if before is not None and before.content is None and before.sha256 is not None:
            known = _HeldPrevious(before.path, before.sha256)
            if before.sha256 in digests:
                file = replace(file, previous=_with(known, before.sha256, before.path, contents))
            else:
                file = replace(file, previous=_without(known, f"{before.path} {BEFORE}", contents))
        direct = file.content
        if direct is None and not file.absolute:  # a remote source
            return file
        found: File = _Held(**{name: getattr(file, name) for name in File.__slots__})
        if direct is None:
            if file.sha256 in digests:
                return _with(found, file.sha256, file.path, contents)
            return _without(found, file.path, contents)
        object.__setattr__(found, "_unpack", lambda: contents.where_it_lies(direct))
        return found

    return replace(
        occurrence,
        used=tuple(file_of(file) for file in occurrence.used),
        generated=tuple(file_of(file) for file in occurrence.generated),
    )


def _with[T: File | Previous](file: T, sha256: str | None, name: str, contents: Contents) -> T:
    object.__setattr__(file, "_unpack", lambda: contents.path_of(sha256 or "", name))
    return file


def _without[T: File | Previous](file: T, name: str, contents: Contents) -> T:
    object.__setattr__(file, "_unpack", lambda: contents.nowhere(name))
    return file
