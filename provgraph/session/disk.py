"""What questions need of the file system: where a typed path lies in the project, and what a file holds."""

import hashlib
import os
from collections.abc import Callable

from provgraph.ingest.places import shown


class Disk:
    """The file system as seen from one folder of one project.

    Parameters:
        root: the project's folder, absolute and real.
        cwd: where relative paths begin.
    """

    def __init__(self, root: str, cwd: str) -> None:
        self.root, self.cwd = root, cwd

    def absolute(self, typed: str) -> str:
        """The absolute path of a typed one; symbolic links in its folder are followed, the last component is not."""
        joined = os.path.normpath(os.path.join(self.cwd, os.path.expanduser(typed)))
        folder, name = os.path.split(joined)
        return os.path.join(os.path.realpath(folder), name) if name else joined

    def locate(self, typed: str) -> str:
        """The store's path of a typed one: from the project's root, absolute outside of it."""
        absolute = self.absolute(typed)
        inside = self.root.rstrip("/") + "/"
        if absolute == self.root:
            return "."
        return shown(absolute.removeprefix(inside))

    def digest(self, typed: str) -> str | None:
        """SHA-256 of the file at a typed path (of a symbolic link, its target's text); None where there is none.

        Cost: one read of the file.
        """
        absolute = self.absolute(typed)
        try:
            if os.path.islink(absolute):
                return hashlib.sha256(os.fsencode(os.readlink(absolute))).hexdigest()
            if not os.path.isfile(absolute):
                return None
            with open(absolute, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None


def write_atomically(path: str, write: Callable[[int], None], mode: int, *, replace: bool) -> None:
    """Make a file whole or not at all: written beside its place, synced, then moved there.

    Parameters:
        write: is given a descriptor to write to.
        mode: permission bits.
        replace: whether a file that is there already may be replaced.

    Raises:
        FileExistsError: one is there, also where it appeared in the meantime.
        OSError: it cannot be written.
    """
    import tempfile

    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".provdb-", suffix=".part")
    try:
        try:
            write(descriptor)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if replace:
            os.replace(temporary, path)
        else:
            os.link(temporary, path, follow_symlinks=False)
            os.unlink(temporary)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise
