"""The object store: bytes by the SHA-256 of what they were.

``objects/ab/cdef…`` is the content as it is and one byte ``0`` behind it, or a zlib stream and one byte ``1`` (where
that saves a tenth). The byte stands at the end, so that a file system that shares blocks (reflink) can share them.
An object appears whole or not at all: a temporary file, fsync, rename. Never a hard link: an object must not change
when the user's file does.
"""

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import stat as stat_module
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from provgraph.errors import CorruptError, StoreError
from provgraph.events.ports import Stat, Stored
from provgraph.stores.files import owner_of
from provgraph.stores.secrets import looks_secret

RAW: Final = b"\x00"
ZLIB: Final = b"\x01"
BLOCK: Final = 1 << 20
_SAMPLE: Final = 1 << 17
_FICLONE: Final = 0x40049409
_TEMPORARY: Final = ".new-"
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)


def stat_of(found: os.stat_result) -> Stat:
    """A file's identity as ingestion uses it."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode


class Objects:
    """The objects port (`events.ports.ObjectsPort`).

    Parameters:
        folder: ``.provdb/objects``.
        file_limit: larger files are hashed and not kept (bytes).
        secret_names: the user's own globs for names of files whose bytes must not be kept.
        make_room: called with a number of bytes before they are kept; False means that there is no room for them.
        account: told how many bytes the store grew by.
    """

    def __init__(
        self,
        folder: Path,
        *,
        file_limit: int = 100 * 1024 * 1024,
        secret_names: tuple[str, ...] = (),
        make_room: Callable[[int], bool] = lambda size: True,
        account: Callable[[int], None] = lambda delta: None,
    ) -> None:
        self.folder, self.file_limit, self.secret_names = folder, file_limit, secret_names
        self.make_room, self.account = make_room, account
        self._reflink = True

    def path_of(self, sha256: str) -> Path:
        """Where an object lies or would lie."""
        return self.folder / sha256[:2] / sha256[2:]

    def __contains__(self, sha256: str) -> bool:
        """Whether the bytes are here. Cost: one stat."""
        return len(sha256) == 64 and os.path.exists(f"{self.folder}/{sha256[:2]}/{sha256[2:]}")

    def put_file(self, path: str, expected: Stat | None = None) -> Stored:
        """Hash a file and keep its bytes, in one read. Never follows a symlink at ``path``: its target is its content.

        Bytes are not kept where the file is too large, looks like a secret, or there is no room. ``expected``: where
        the file's identity differs from it before or after the read, nothing is kept.
        Raises:
            OSError: it cannot be read, or is no regular file or symlink.
        """
        return self._read(path, expected, keep=True)

    def digest_file(self, path: str, expected: Stat | None = None) -> Stored:
        """Hash without keeping."""
        return self._read(path, expected, keep=False)

    def put_bytes(self, data: bytes) -> Stored:
        """Keep some bytes. Their stat is all zeros but the size."""
        sha256 = hashlib.sha256(data).hexdigest()
        kept = sha256 in self
        if not kept and len(data) <= self.file_limit:
            kept = self._keep(io.BytesIO(data), None, len(data), sha256)
        return Stored(sha256, (0, 0, len(data), 0, 0, 0), kept)

    def is_secret(self, path: str) -> bool:
        """Whether a file's name or place says that its bytes must not be kept. Cost: 10 µs."""
        return looks_secret(path, self.secret_names)

    def _read(self, path: str, expected: Stat | None, *, keep: bool) -> Stored:
        first = os.lstat(path)
        if stat_module.S_ISLNK(first.st_mode):
            return self._read_link(path, first, expected, keep=keep)
        if not stat_module.S_ISREG(first.st_mode):
            raise OSError(f"{path} is neither a regular file nor a symbolic link")
        # O_NONBLOCK: what was a file a moment ago may be a FIFO now.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(descriptor, "rb", buffering=0) as file:
            before = stat_of(os.fstat(file.fileno()))
            if not stat_module.S_ISREG(before[5]):
                raise OSError(f"{path} is no regular file any more")
            if expected is not None and before[:5] != expected[:5]:
                return Stored(None, before, kept=False)
            return self._read_open(path, file, before, keep=keep)

    def _read_open(self, path: str, file: io.FileIO, before: Stat, *, keep: bool) -> Stored:
        """Hash what is open; then keep it, if it still is what was hashed.

        A small file is in memory after the first read. A large one is read a second time, from the page cache, and
        kept only if the digest is the same again.
        """
        size = before[2]
        keep = keep and size <= self.file_limit and not self.is_secret(path)
        data = file.read(BLOCK + 1) if size <= BLOCK else None
        while data and len(data) <= BLOCK and (more := file.read(BLOCK)):
            data += more
        sha256 = hashlib.sha256(data).hexdigest() if data is not None else _digest_open(file)
        after = stat_of(os.fstat(file.fileno()))
        if after[:5] != before[:5] or (data is not None and len(data) != size):
            return Stored(None, after, kept=False)
        if not keep:
            return Stored(sha256, before, kept=sha256 in self)
        kept = sha256 in self
        if not kept and data is not None:
            kept = self._keep(io.BytesIO(data), None, size, sha256)
        elif not kept:
            file.seek(0)
            kept = self._keep(file, file.fileno(), size, sha256)
        return Stored(sha256, before, kept)

    def _read_link(self, path: str, first: os.stat_result, expected: Stat | None, *, keep: bool) -> Stored:
        before = stat_of(first)
        target = os.fsencode(os.readlink(path))
        after = stat_of(os.lstat(path))
        if after[:5] != before[:5] or (expected is not None and before[:5] != expected[:5]):
            return Stored(None, after, kept=False)
        sha256 = hashlib.sha256(target).hexdigest()
        kept = sha256 in self or (keep and self._keep(io.BytesIO(target), None, len(target), sha256))
        return Stored(sha256, before, kept)

    def _keep(self, source: IO[bytes], descriptor: int | None, size: int, sha256: str) -> bool:
        """Write an object from a source at its beginning; False where there is no room, or it read differently."""
        if not self.make_room(size):
            return False
        final = self.path_of(sha256)
        try:
            final.parent.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            if error.errno in _NO_ROOM:
                return False
            raise
        temporary = final.with_name(f"{_TEMPORARY}{os.getpid()}-{sha256[2:18]}")
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            with open(os.open(temporary, flags, 0o400), "w+b", buffering=0) as file:
                if owner := owner_of(self.folder):
                    os.fchown(file.fileno(), *owner)
                    os.chown(final.parent, *owner)
                if self._write(file, source, descriptor) != sha256:
                    temporary.unlink()
                    return False
                file.flush()
                os.fsync(file.fileno())
                grown = os.fstat(file.fileno()).st_size
            os.rename(temporary, final)
        except BaseException as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                return False
            raise
        self.account(grown)
        return True

    def _write(self, file: io.FileIO, source: IO[bytes], descriptor: int | None) -> str:
        """Write content and its last byte, return the digest of what was written."""
        sample = source.read(_SAMPLE)
        if len(zlib.compress(sample, 1)) * 10 <= len(sample) * 9:
            sha256, saved = _write_compressed(file, source, sample)
            if saved:
                return sha256
            file.seek(0)
            file.truncate()
        source.seek(0)
        if descriptor is not None and self._share(file, descriptor):
            sha256 = _digest_open(file)
        else:
            sha256 = _write_raw(file, source)
        file.seek(0, os.SEEK_END)
        file.write(RAW)
        return sha256

    def _share(self, file: io.FileIO, descriptor: int) -> bool:
        """Share the blocks of a file, where the file system can."""
        if self._reflink:
            try:
                fcntl.ioctl(file.fileno(), _FICLONE, descriptor)
            except OSError:
                self._reflink = False
        return self._reflink

    def open(self, sha256: str) -> BinaryIO:
        """The content with this digest, to be read as a stream; not verified.

        Raises:
            StoreError: the bytes are not here.
        """
        try:
            file = open(self.path_of(sha256), "rb")  # noqa: SIM115  # the caller closes it
        except FileNotFoundError:
            raise StoreError(f"the bytes of {sha256[:12]}… are not kept here; only their digest is known") from None
        return cast("BinaryIO", io.BufferedReader(_Content(file, self.path_of(sha256)), BLOCK))

    def verify(self, sha256: str) -> bool:
        """Whether an object's bytes still have its digest. Cost: one read."""
        sha = hashlib.sha256()
        try:
            with self.open(sha256) as file:
                while block := file.read(BLOCK):
                    sha.update(block)
        except CorruptError:
            return False
        return sha.hexdigest() == sha256

    def size_on_disk(self, sha256: str) -> int:
        """The space that an object takes, bytes; 0 where there is none."""
        try:
            return self.path_of(sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def all(self) -> Iterator[tuple[str, int]]:
        """(digest, bytes on the disk) of every object, by digest."""
        for prefix in sorted(os.listdir(self.folder)):
            if len(prefix) == 2 and (self.folder / prefix).is_dir():
                with os.scandir(self.folder / prefix) as entries:
                    found = sorted((entry.name, entry.stat().st_size) for entry in entries if len(entry.name) == 62)
                for name, size in found:
                    yield prefix + name, size

    def leftovers(self) -> list[Path]:
        """Temporary files that writers left when they were killed."""
        return sorted(
            path
            for path in self.folder.glob(f"*/{_TEMPORARY}*")
            if not os.path.exists(f"/proc/{path.name.removeprefix(_TEMPORARY).split('-')[0]}")
        )

    def remove(self, sha256: str) -> int:
        """Remove an object; returns the bytes given back."""
        size = self.size_on_disk(sha256)
        self.path_of(sha256).unlink(missing_ok=True)
        self.account(-size)
        return size


class _Content(io.RawIOBase):
    """The content of an open object, without its last byte, uncompressed on the way."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        size = os.fstat(file.fileno()).st_size
        if size < 1:
            raise CorruptError(f"the object {path} is empty; type `provdb doctor`")
        file.seek(size - 1)
        kind = file.read(1)
        file.seek(0)
        self._left = size - 1
        if kind not in (RAW, ZLIB):
            raise CorruptError(f"the object {path} ends with {kind!r}; type `provdb doctor`")
        self._zlib = zlib.decompressobj() if kind == ZLIB else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next(self, wanted: int) -> bytes:
        if self._zlib is None:
            data = self._file.read(min(wanted, self._left))
            self._left -= len(data)
            return data
        try:
            while not self._zlib.eof:
                block = self._zlib.unconsumed_tail
                if not block:
                    block = self._file.read(min(BLOCK, self._left))
                    self._left -= len(block)
                    if not block:
                        raise CorruptError(f"the object {self._path} was cut short; type `provdb doctor`")
                if data := self._zlib.decompress(block, wanted):
                    return data
        except zlib.error as error:
            raise CorruptError(f"the object {self._path} is damaged ({error}); type `provdb doctor`") from error
        return b""

    def close(self) -> None:
        self._file.close()
        super().close()


def _digest_open(file: io.FileIO) -> str:
    """The SHA-256 of an open file from its beginning; holes of sparse files are not read from the disk."""
    file.seek(0)
    sha = hashlib.sha256()
    buffer = bytearray(BLOCK)
    view = memoryview(buffer)
    while count := file.readinto(view):
        sha.update(view[:count])
    return sha.hexdigest()


def _write_raw(file: io.FileIO, source: IO[bytes]) -> str:
    """Copy, leaving holes where a block is all zeros."""
    sha, zeros, end = hashlib.sha256(), bytes(BLOCK), 0
    while block := source.read(BLOCK):
        sha.update(block)
        if len(block) == BLOCK and block == zeros:
            file.seek(BLOCK, os.SEEK_CUR)
        else:
            _write_all(file, block)
        end += len(block)
    file.truncate(end)
    return sha.hexdigest()


def _write_compressed(file: io.FileIO, source: IO[bytes], sample: bytes) -> tuple[str, bool]:
    """(digest, whether it saved a tenth) of a compressed copy that begins with ``sample``."""
    sha, packer, read, written = hashlib.sha256(), zlib.compressobj(6 if len(sample) < _SAMPLE else 1), 0, 0
    block = sample
    while block:
        sha.update(block)
        read += len(block)
        written += _write_all(file, packer.compress(block))
        block = source.read(BLOCK)
    written += _write_all(file, packer.flush())
    written += _write_all(file, ZLIB)
    return sha.hexdigest(), written * 10 <= read * 9


def _write_all(file: io.FileIO, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
    return len(data)
