"""``run --keep-output``: what a command prints passes through us, and its head and tail are kept without secrets.

Where standard output is a terminal the command gets a pseudo-terminal of the same size, so that it behaves as before;
else a pipe. The pseudo-terminal changes no byte: the real one behind it does the processing. Standard input stays the
real terminal, and with it job control, Ctrl-C and raw mode. Where standard output and error lead to the same place
they share one channel, since otherwise their order would be lost; it is kept as "stdout" then.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
import termios
from typing import TYPE_CHECKING

from provgraph.client.scrub_words import scrubbed_text

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT_BYTES = 64 * 1024
_CHUNK = 1 << 16
_NAMES = {1: "stdout", 2: "stderr"}


class _Channel:
    """One stream: what the command writes into, where it goes, and what is kept of it."""

    def __init__(self, target: int, kept_bytes: int) -> None:
        self.target = target
        self.terminal = os.isatty(target)
        self.reading, self.writing = _pseudo_terminal(target) if self.terminal else os.pipe()
        os.set_inheritable(self.reading, False)
        os.set_inheritable(self.writing, False)
        self._kept_bytes = kept_bytes
        self.head = bytearray()
        self.tail = bytearray()
        self.size_bytes = 0

    def keep(self, data: bytes) -> None:
        self.size_bytes += len(data)
        room = self._kept_bytes - len(self.head)
        self.head += data[: max(room, 0)]
        self.tail += data[max(room, 0) :]
        if len(self.tail) > 2 * self._kept_bytes:
            del self.tail[: -self._kept_bytes]

    def forward(self) -> bool:
        """Pass on what is there; False at the end of the stream, or where nobody reads ours any more."""
        try:
            data = os.read(self.reading, _CHUNK)
        except OSError:  # EIO: the last writer has closed the pseudo-terminal
            return False
        if not data:
            return False
        self.keep(data)
        try:
            while data:
                data = data[_write(self.target, data) :]
        except OSError:
            return False  # EPIPE: with our end closed, the command is told so as well
        return True

    def close(self) -> None:
        if self.reading >= 0:
            os.close(self.reading)
            self.reading = -1

    def record(self, extra: Sequence[str]) -> dict[str, object]:
        del self.tail[: max(len(self.tail) - self._kept_bytes, 0)]
        texts = {"head": bytes(self.head), "tail": bytes(self.tail)}
        kept: dict[str, object] = {
            name: scrubbed_text(text.decode("utf-8", "replace"), extra) for name, text in texts.items()
        }
        return {**kept, "size_bytes": self.size_bytes}


class KeptOutput:
    """The channels between a command and our own standard output and error.

    Use: make it before the fork, put :meth:`descriptors` in place in the child, call :meth:`started` in the parent,
    then :meth:`forward` whenever a descriptor of :meth:`readable` is ready, :meth:`resize` on SIGWINCH, and
    :meth:`finish` when the command has ended.

    Raises:
        OSError: there are no descriptors or pseudo-terminals left.
    """

    def __init__(self, stdout: int = 1, stderr: int = 2, kept_bytes: int = KEPT_BYTES) -> None:
        self._channels = {1: _Channel(stdout, kept_bytes)}
        if not _same_place(stdout, stderr):
            self._channels[2] = _Channel(stderr, kept_bytes)

    def descriptors(self) -> dict[int, int]:
        """What the child must have as 1 and 2 (dup2 from the value to the key)."""
        out = self._channels[1].writing
        return {1: out, 2: self._channels[2].writing if 2 in self._channels else out}

    def started(self) -> None:
        """Close the child's ends: without this no stream would end."""
        for channel in self._channels.values():
            os.close(channel.writing)
            channel.writing = -1

    def readable(self) -> list[int]:
        """Descriptors to wait for."""
        return [channel.reading for channel in self._channels.values() if channel.reading >= 0]

    def forward(self, fd: int) -> None:
        """Pass on what ``fd`` of :meth:`readable` has; at its end it is closed and no longer listed."""
        for channel in self._channels.values():
            if channel.reading == fd and not channel.forward():
                channel.close()

    def resize(self) -> None:
        """The terminal's size has changed: tell the command's."""
        for channel in self._channels.values():
            if channel.terminal and channel.reading >= 0:
                _copy_size(channel.target, channel.reading)

    def finish(self, extra: Sequence[str] = ()) -> dict[str, object]:
        """Pass on what is left and return what was kept, for the end record; ``extra`` are the user's own patterns.

        What processes print that outlive the command is no longer passed on.
        """
        poll = select.poll()
        for fd in self.readable():
            poll.register(fd, select.POLLIN)
        while True:
            ready = [fd for fd, _ in poll.poll(0)]
            if not ready:
                break
            for fd in ready:
                self.forward(fd)
                if fd not in self.readable():
                    poll.unregister(fd)
        for channel in self._channels.values():
            channel.close()
        return {_NAMES[fd]: channel.record(extra) for fd, channel in self._channels.items()}


def _same_place(first: int, second: int) -> bool:
    """Whether two descriptors lead to the same terminal, pipe or file."""
    try:
        one, other = os.fstat(first), os.fstat(second)
    except OSError:
        return True
    if stat.S_ISCHR(one.st_mode) and stat.S_ISCHR(other.st_mode):
        return one.st_rdev == other.st_rdev
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def _pseudo_terminal(like: int) -> tuple[int, int]:
    """A pseudo-terminal of the size of ``like`` that passes on each byte as it is."""
    ours, theirs = os.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST  # the real terminal behind it turns line feeds into what it needs
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    _copy_size(like, theirs)
    return ours, theirs


def _copy_size(source: int, target: int) -> None:
    try:
        fcntl.ioctl(target, termios.TIOCSWINSZ, fcntl.ioctl(source, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        return  # a terminal without a size


def _write(fd: int, data: bytes) -> int:
    """One write(2), also where somebody has made the descriptor non-blocking."""
    while True:
        try:
            return os.write(fd, data)
        except BlockingIOError:
            select.select([], [fd], [])
