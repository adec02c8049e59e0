"""What a stopped process means by its arguments: strings in its memory, its working folder, its descriptors.

Reading the memory of another process needs ptrace rights; with Yama's ``ptrace_scope`` 1 only ancestors have them.
"""

from __future__ import annotations

import ctypes
import os

_CHUNK = 256
_PATIENCE = 8  # strings; then a descriptor is worth its opening
_MAX_FILES = 64
_PATH_MAX = 4096
_MAX_LINKS = 40  # as the kernel: more are ELOOP
_ADDRESS_BYTES = 8
_AT_FDCWD = -100 & 0xFFFFFFFF
_S_IFMT, _S_IFLNK = 0o170000, 0o120000
_PATH_ONLY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC if hasattr(os, "O_PATH") else 0
_CACHED = 100_000


class Memory:
    """Reads other processes' memory.

    The first strings of a process come by ``process_vm_readv``, which needs no descriptor; one that goes on gets a
    descriptor of ``/proc/PID/mem``, which is read faster. After an execve or the end of the process that one is empty.
    """

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(_PATH_MAX + 1)
        self._vectors = (ctypes.c_ulong * 4)(ctypes.addressof(self._buffer), _PATH_MAX, 0, 0)
        one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)
        local = ctypes.c_void_p(ctypes.addressof(self._vectors))
        remote = ctypes.c_void_p(ctypes.addressof(self._vectors) + 16)
        self._where = (local, one, remote, one, zero)
        self._call = ctypes.CDLL(None).process_vm_readv
        self._call.restype = ctypes.c_ssize_t
        self._asked: dict[int, int] = {}
        self._files: dict[int, int] = {}

    def string(self, pid: int, address: int) -> bytes | None:
        """The NUL-terminated string at ``address``, at most PATH_MAX bytes; None where it cannot be read."""
        fd = self._files.get(pid)
        if fd is not None:
            try:
                data = os.pread(fd, _CHUNK, address)
            except (OSError, OverflowError):
                data = b""
            value, end, _ = data.partition(b"\0")
            if end:
                return value
            if not data:
                os.close(self._files.pop(pid))
        else:
            asked = self._asked[pid] = self._asked.get(pid, 0) + 1
            if asked > _PATIENCE:
                self._open(pid)
        return self._by_call(pid, address)

    def _open(self, pid: int) -> None:
        if len(self._files) >= _MAX_FILES or len(self._asked) > _CACHED:
            self.forget()
        self._asked[pid] = 0
        try:
            self._files[pid] = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return

    def forget_one(self, pid: int) -> None:
        """A process gets another memory: that of a vfork is its parent's, which goes on."""
        fd = self._files.pop(pid, None)
        if fd is not None:
            os.close(fd)

    def forget(self) -> None:
        """Close all descriptors."""
        for fd in self._files.values():
            os.close(fd)
        self._files.clear()
        self._asked.clear()

    def _by_call(self, pid: int, address: int) -> bytes | None:
        vectors = self._vectors
        vectors[2] = address
        for length in (_CHUNK, _PATH_MAX):
            vectors[3] = length
            count = self._call(pid, *self._where)
            value: bytes = self._buffer.value
            if len(value) < count:
                return value
            if count < length:
                return None  # unreadable, or it ends at the end of the mapping without a NUL
        return value

    def block(self, pid: int, address: int, length: int) -> bytes:
        """Up to ``length`` (4,096 at most) bytes at ``address``; b"" where they cannot be read."""
        self._vectors[2] = address
        self._vectors[3] = length
        count = self._call(pid, *self._where)
        return self._buffer.raw[:count] if count > 0 else b""

    def strings(self, pid: int, address: int, limit: int, budget: int) -> list[bytes]:
        """A NULL-terminated array of strings (argv): at most ``limit`` of them and about ``budget`` bytes."""
        raw = self.block(pid, address, limit * _ADDRESS_BYTES)
        found: list[bytes] = []
        for at in range(0, len(raw) - _ADDRESS_BYTES + 1, _ADDRESS_BYTES):
            pointer = int.from_bytes(raw[at : at + _ADDRESS_BYTES], "little")
            text = self.string(pid, pointer) if pointer and budget > 0 else None
            if text is None:
                break
            found.append(text)
            budget -= len(text)
        return found


class Paths:
    """From a call's arguments to absolute paths: the folder without symbolic links, the last component as it is."""

    def __init__(self) -> None:
        self.cwds: dict[int, str] = {}
        self._folders: dict[str, str] = {}

    def base(self, pid: int, dirfd: int) -> str | None:
        """The folder that a relative path starts from; None where the process or the descriptor is gone."""
        dirfd &= 0xFFFFFFFF
        try:
            if dirfd != _AT_FDCWD:
                return os.readlink(f"/proc/{pid}/fd/{dirfd}")
            cwd = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            return None
        if len(self.cwds) > _CACHED:
            self.cwds.clear()
        self.cwds[pid] = cwd
        return cwd

    def of_descriptor(self, pid: int, fd: int) -> str | None:
        """The path of an open descriptor, as the kernel names it; None where it has none."""
        try:
            path = os.readlink(f"/proc/{pid}/fd/{fd & 0xFFFFFFFF}")
        except OSError:
            return None
        return path if path.startswith("/") else None

    def locate(self, pid: int, base: str, raw: str) -> str | None:
        """The path that ``raw`` names from the folder ``base``; None where its folder does not exist."""
        full = raw if raw.startswith("/") else f"{base}/{raw}"
        if full.startswith(("/proc/self/", "/proc/thread-self/", "/dev/fd/")):
            full = f"/proc/{pid}/" + ("fd/" + full[8:] if full.startswith("/dev") else full.split("/", 3)[3])
        head, _, tail = full.rpartition("/")
        if tail in ("", ".", ".."):
            return self._folder(full)
        folder = self._folders.get(head) or self._folder(head)
        if folder is None:
            return None
        return f"{folder}/{tail}" if folder != "/" else f"/{tail}"

    def follow(self, pid: int, link: str) -> tuple[list[tuple[str, os.stat_result]], str | None, os.stat_result | None]:
        """Follow the symbolic link ``link`` to its end.

        Returns (the links on the way, the path at the end or None where that is no path, its lstat or None where
        nothing is there).
        """
        links: list[tuple[str, os.stat_result]] = []
        path: str | None = link
        while path is not None and len(links) <= _MAX_LINKS:
            try:
                status = os.lstat(path)
                if status.st_mode & _S_IFMT != _S_IFLNK:
                    return links, path, status
                links.append((path, status))
                text = os.readlink(path)
            except OSError:
                return links, path, None
            if path.startswith("/proc/") and not text.startswith("/"):
                return links, None, None  # pipe:[…], socket:[…]
            path = self.locate(pid, path.rpartition("/")[0], text)
        return links, None, None

    def forget(self) -> None:
        """Folders may lead elsewhere now: a link or a folder was renamed, made or removed."""
        self._folders.clear()

    def _folder(self, path: str) -> str | None:
        """``path`` without symbolic links; None where it is no folder. Cost: three system calls when not known."""
        try:
            fd = os.open(path or "/", _PATH_ONLY)
        except (OSError, ValueError):
            return None
        try:
            real = os.readlink(f"/proc/self/fd/{fd}")
        finally:
            os.close(fd)
        if len(self._folders) > _CACHED:
            self._folders.clear()
        if not path.startswith("/proc/"):
            self._folders[path] = real
        return real
