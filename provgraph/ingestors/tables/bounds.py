"""How much of files may be read."""

from __future__ import annotations

from typing import Final


class TableError(ValueError):
    """A file that is not what its name says, or that cannot be read within the bounds."""


class Budget:
    """Bytes that may be read of all the files of one command that must be read through."""

    PER_FILE: Final = 32 << 20
    IN_ALL: Final = 64 << 20

    def __init__(self, per_file: int = PER_FILE, in_all: int = IN_ALL) -> None:
        self._per_file, self._left = per_file, in_all

    def take(self, size: int) -> int:
        """How much of a file of this size may be read; so much is taken from what is left."""
        allowed = min(size, self._per_file, self._left)
        self._left -= allowed
        return allowed

    def give_back(self, size: int) -> None:
        """So much of what was taken was not read."""
        self._left += size


LISTED: int = 1_000
"""Columns that are named."""
NAME: int = 200
"""Characters of a name or a type that are kept."""
