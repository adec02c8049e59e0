"""Contents, fixed when a file is opened (semantics rules 13, 14, 18)."""

import contextlib
import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Callable
from typing import Final

from provgraph.events.ports import KnowledgePort, ObjectsPort, Stat
from provgraph.ingest.state import LINK, REGULAR, file_type

type _Identity = tuple[int, int, int, int, int]
type Content = tuple[str | None, bool]
"""(SHA-256, or None where the state is gone; whether the bytes are held)."""

RACY_NS: Final = 20_000_000
"""A file changed so recently may change again without a new mtime: its digest is not remembered by identity."""
_NEWS_S: Final = 0.03
"""A supervisor writes down what it saw within milliseconds; on a busy machine in some more."""
_PATIENCE: Final = 30
"""So often it is waited for states that are gone, until all commands have ended."""
_PREFIX_BYTES: Final = 16 << 20
_LOOK: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FIEMAP: Final = 0xC020660B
_OF_ONE_BYTE: Final = struct.pack("=QQIIII", 0, 1, 0, 0, 0, 0)
"""What ``_FIEMAP`` is asked: how many extents the first byte of a file has."""


class Contents:
    """Digests by file identity, read once, kept in the object store where asked for.

    A state that is gone from its path may still be read: from the copy that the capture set aside, at the path that
    the file was renamed to, or as the beginning of a file that was only appended to since.

    Parameters:
        objects: the object store.
        knowledge: what earlier ingesters read.
        hash_limit: larger files are left for idle time (bytes).
    """

    def __init__(self, objects: ObjectsPort, knowledge: KnowledgePort, hash_limit: int) -> None:
        self.objects, self.knowledge, self.hash_limit = objects, knowledge, hash_limit
        self.refresh: Callable[[], object] = lambda: None
        """Looks for news of what happened to files; called once for each state that is not found."""
        self.is_late: Callable[[], bool] = lambda: False
        """Whether somebody who may have such news has not written it down."""
        self._digests: dict[_Identity, str] = {}
        self._fresh: list[tuple[Stat, str]] = []
        self._gone: set[_Identity] = set()
        self._patience = _PATIENCE
        self._copies: dict[_Identity, str] = {}
        self._appended: dict[_Identity, tuple[str, int | None]] = {}
        self._held: dict[str, dict[str, tuple[int, int | None]]] = {}
        self._cut: dict[tuple[int, int], int] = {}
        self._renamed: dict[tuple[int, int], str] = {}
        self._folders: list[tuple[str, str]] = []

    # -- what happened to states -------------------------------------------------------------------------------

    def copied(self, stat: Stat, copy: str) -> None:
        """The bytes of this state were set aside in a file."""
        self._copies.setdefault(stat[:5], copy)
        self._gone.discard(stat[:5])

    def appended(self, stat: Stat, absolute: str, left_t: int | None = None) -> None:
        """A file in this state was opened for appending.

        Parameters:
            left_t: when somebody left it in this state instead. It counts if others held the file then: who changed
                it later is unknown otherwise.
        """
        if left_t is None:
            self._appended[stat[:5]] = absolute, None
        else:
            self._appended.setdefault(stat[:5], (absolute, left_t))
        self._gone.discard(stat[:5])

    def held(self, name: str, absolute: str, stat: Stat) -> None:
        """An activity holds a file that its caller had opened for writing, from this state on.

        Not from the time of its start: it may have looked earlier, and others have written since.
        """
        self._held.setdefault(absolute, {})[name] = stat[4], None

    def let_go(self, name: str, absolute: str, t: int) -> None:
        """It holds the file no longer."""
        holders = self._held.get(absolute, {})
        if name in holders:
            holders[name] = holders[name][0], t

    def cut(self, stat: Stat) -> None:
        """A file was emptied in this state, or lately and is empty: no older one is its beginning any more."""
        self._cut[stat[:2]] = max(stat[4], self._cut.get(stat[:2], 0))

    def renamed(self, stat: Stat, old: str, new: str) -> None:
        """A file or a folder has another path now."""
        if file_type(stat) in (REGULAR, LINK):
            self._renamed[stat[:2]] = new
            self._gone.discard(stat[:5])
        else:
            self._folders.append((old.rstrip("/") + "/", new.rstrip("/") + "/"))
            self._gone.clear()

    def place(self, absolute: str) -> str:
        """Where a file is after the renames of the folders above it."""
        for old, new in self._folders:
            if absolute.startswith(old):
                absolute = new + absolute[len(old) :]
        return absolute

    def forget_moves(self) -> None:
        """No command is pending any more: all states have been asked for."""
        self._copies.clear()
        self._appended.clear()
        self._held.clear()
        self._cut.clear()
        self._renamed.clear()
        self._folders.clear()
        self._gone.clear()
        self._patience = _PATIENCE

    # -- reading -----------------------------------------------------------------------------------------------

    def known(self, stat: Stat) -> str | None:
        """The digest that was read under this identity."""
        found = self._digests.get(stat[:5])
        if found is None:
            found = self.knowledge.digest_of(stat)
            if found is not None:
                self._digests[stat[:5]] = found
        return found

    def fix(self, absolute: str, stat: Stat, *, keep: bool) -> None:
        """Read a file now that a command has opened it, unless its content is known and held."""
        if file_type(stat) != REGULAR or stat[2] > self.hash_limit:
            return
        sha256 = self.known(stat)
        if sha256 is None or (keep and sha256 not in self.objects):
            self._read_at(absolute, stat, keep=keep)

    def read(self, absolute: str, stat: Stat, *, keep: bool) -> Content:
        """The content of a file in a state that it has or had."""
        sha256 = self.known(stat)
        if sha256 is not None and (not keep or sha256 in self.objects):
            return sha256, sha256 in self.objects
        if stat[:5] in self._gone or file_type(stat) not in (REGULAR, LINK) or stat[2] > self.hash_limit:
            return sha256, False
        # Also where its bytes are found under another name, as a copy that was set aside.
        keep = keep and not self.objects.is_secret(absolute)
        found = self._read_at(absolute, stat, keep=keep) or self._read_elsewhere(absolute, stat, keep=keep)
        if found is None:
            self.refresh()
            found = self._read_elsewhere(absolute, stat, keep=keep)
        if found is None:
            self.await_news()
            self.refresh()
            found = self._read_elsewhere(absolute, stat, keep=keep)
        if found is None:
            self._gone.add(stat[:5])
            return sha256, False
        return found

    def await_news(self) -> None:
        """What replaced a state may have been seen, and not be written down yet: wait a little, a few times at most."""
        while self._patience:
            self._patience -= 1
            time.sleep(_NEWS_S)
            if not self.is_late():
                return

    def flush(self) -> None:
        """Hand what was read to the local cache."""
        if self._fresh:
            self.knowledge.remember_digests(self._fresh)
            self._fresh = []

    def _read_at(self, absolute: str, stat: Stat, *, keep: bool) -> Content | None:
        """Read a file that must have this very identity, before and after."""
        try:
            if file_type(stat) == LINK:
                return self._read_link(absolute, keep=keep) if lstat(absolute) == stat else None
            stored = (self.objects.put_file if keep else self.objects.digest_file)(absolute, stat)
        except OSError:
            return None
        if stored.sha256 is None:
            return None
        self._remember(stat, stored.sha256)
        return stored.sha256, stored.kept

    def _read_elsewhere(self, absolute: str, stat: Stat, *, keep: bool) -> Content | None:
        copy = self._copies.get(stat[:5])
        if copy is not None and (found := self._read_copy(copy, stat, keep=keep)) is not None:
            return found
        for place in (self._renamed.get(stat[:2]), self.place(absolute)):
            if place is not None and (found := self._read_renamed(place, stat, keep=keep)) is not None:
                return found
        grown, left_t = self._appended.get(stat[:5], ("", None))
        if not grown or (left_t is not None and not self._was_held(grown, stat, left_t)):
            return None
        return self._read_beginning(self.place(grown), stat, keep=keep)

    def _was_held(self, absolute: str, stat: Stat, t: int) -> bool:
        holders = self._held.get(absolute, {}).values()
        return any(began <= stat[4] and (ended is None or t < ended) for began, ended in holders)

    def _read_copy(self, copy: str, stat: Stat, *, keep: bool) -> Content | None:
        try:
            stored = (self.objects.put_file if keep else self.objects.digest_file)(copy)
        except OSError:
            return None
        if stored.sha256 is None or stored.stat[2] != stat[2]:
            return None
        self._digests[stat[:5]] = stored.sha256
        return stored.sha256, stored.kept

    def _read_renamed(self, place: str, stat: Stat, *, keep: bool) -> Content | None:
        """A rename changes ctime alone."""
        now = lstat(place)
        if now is None or now[:4] != stat[:4]:
            return None
        found = self._read_at(place, now, keep=keep)
        if found is not None and found[0] is not None:
            self._digests[stat[:5]] = found[0]
        return found

    def _read_beginning(self, place: str, stat: Stat, *, keep: bool) -> Content | None:
        """The first bytes of a file that was appended to: as many as it had."""
        now = lstat(place)
        if now is None or now[:2] != stat[:2] or now[2] < stat[2] or stat[2] > _PREFIX_BYTES:
            return None
        if stat[2] and self._cut.get(stat[:2], -1) >= stat[4]:
            return None
        try:
            with open(os.fsencode(place), "rb") as file:
                data = file.read(stat[2])
        except OSError:
            return None
        if len(data) < stat[2]:
            return None
        sha256 = hashlib.sha256(data).hexdigest()
        self._digests[stat[:5]] = sha256
        return (sha256, self.objects.put_bytes(data).kept) if keep else (sha256, False)

    def _read_link(self, absolute: str, *, keep: bool) -> Content:
        target = os.readlink(os.fsencode(absolute))
        if keep:
            stored = self.objects.put_bytes(target)
            return stored.sha256, stored.kept
        return hashlib.sha256(target).hexdigest(), False

    def _remember(self, stat: Stat, sha256: str) -> None:
        self._digests[stat[:5]] = sha256
        if time.time_ns() - max(stat[3], stat[4]) > RACY_NS:
            self._fresh.append((stat, sha256))


def lstat(absolute: str) -> Stat | None:
    """A file's identity now; None where it is gone or out of reach."""
    try:
        found = os.lstat(os.fsencode(absolute))
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode)


def settled(absolute: str) -> Stat | None:
    """A file's identity now; of one that somebody is cutting short, that which it gets.

    File systems set the size at once and both times when all blocks are given back, milliseconds later: in between, an
    emptied file looks as if nobody had touched it since long. Who asks where its data lie waits for the lock under
    which that happens (on ext4 and tmpfs by the first question, on XFS and btrfs by the second).
    """
    stat = lstat(absolute)
    if stat is None or file_type(stat) != REGULAR:
        return stat
    try:
        descriptor = os.open(os.fsencode(absolute), _LOOK)
    except OSError:
        return lstat(absolute)
    try:
        with contextlib.suppress(OSError):  # there are no data
            os.lseek(descriptor, 0, os.SEEK_DATA)
        with contextlib.suppress(OSError):  # a file system that does not answer this
            fcntl.ioctl(descriptor, _FIEMAP, _OF_ONE_BYTE)
    finally:
        os.close(descriptor)
    return lstat(absolute)
