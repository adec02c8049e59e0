"""Nested ``provdb`` commands: each front end below this supervisor registers the command that it is about to run.

The kernel allows a process one listener, so the outer supervisor watches the inner commands too and writes their
spool files. The inner front end starts its command, writes the start record and tells how the command ended; both
sides speak in sequenced packets over an abstract socket, which needs no file and vanishes with its owner.
"""

from __future__ import annotations

import _signal
import _socket
import os
import select
from struct import Struct

from provgraph.capture import job as messages
from provgraph.capture.attribution import Attribution, is_alive
from provgraph.capture.faults import note
from provgraph.capture.job import ELEMENT, END, NUMBER
from provgraph.capture.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Callable

    from provgraph.capture.inside import Insider

CREDENTIALS = Struct("<iii")  # pid, uid, gid
MESSAGE_BYTES = 65_536
SO_PEERCRED = 17
_UID_BYTES = 36


class _Client:
    def __init__(self, connection: _socket.socket, pid: int) -> None:
        self.connection = connection
        self.pid = pid
        self.run: Run | None = None
        self.insider: Insider | None = None
        self.ending: tuple[int, float, int] | None = None

    def send(self, message: bytes) -> None:
        try:
            self.connection.send(message)
        except OSError:
            pass  # it is gone; the end of its connection tells


class Registrar:
    """The supervisor's side.

    Parameters:
        attribution: learns of each run.

    ``watches`` is False where no system calls are seen: then processes below say themselves what they do.
    """

    def __init__(self, attribution: Attribution) -> None:
        self._attribution = attribution
        self._server: _socket.socket | None = None
        self._clients: dict[int, _Client] = {}
        self._poller: select.poll | None = None
        self.watches = True

    def listen(self) -> str | None:
        """Open the socket; returns its name for ``PROVDB_SUPERVISOR``, None where there can be none."""
        try:
            server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_NONBLOCK)
            server.bind("")  # the kernel chooses a free abstract name
            server.listen(64)
            self._server = server
            return os.fsdecode(server.getsockname()[1:])
        except OSError:
            return None

    def descriptors(self) -> list[int]:
        """What must stay open."""
        return [] if self._server is None else [self._server.fileno()]

    def watch_with(self, poller: select.poll) -> None:
        """Register with the supervisor's poll object."""
        self._poller = poller
        for fd in self.descriptors():
            poller.register(fd, select.POLLIN)

    @property
    def waiting(self) -> bool:
        """Whether a registered front end has not said how its command ended."""
        return any(client.run is not None for client in self._clients.values())

    def heed(self, fd: int, flush: Callable[[], None]) -> bool:
        """Something is to be read from ``fd``. True where a command has ended: call :meth:`settle`.

        Parameters:
            flush: writes what is waiting.
        """
        if self._server is not None and fd == self._server.fileno():
            self._accept()
            return False
        client = self._clients.get(fd)
        if client is None:
            return False
        try:
            message = client.connection.recv(MESSAGE_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            message = b""
        return self._heed(client, message, flush)

    def heed_all(self, flush: Callable[[], None]) -> bool:
        """Read what has come, from whomever; nobody is waited for. True where a command has ended."""
        self._accept()
        probe = select.poll()
        for fd in self._clients:
            probe.register(fd, select.POLLIN)
        ended = False
        while ready := [fd for fd, _ in probe.poll(0) if fd in self._clients]:
            for fd in ready:
                ended = self.heed(fd, flush) or ended
                if fd not in self._clients:
                    probe.unregister(fd)
        return ended

    def _accept(self) -> None:
        if self._server is None or self._poller is None:
            return
        try:
            fd, _ = self._server._accept()  # type: ignore[attr-defined]  # noqa: SLF001 - the one way of the C module
        except OSError:
            return
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET, 0, fd)
        pid, uid, _ = CREDENTIALS.unpack(connection.getsockopt(_socket.SOL_SOCKET, SO_PEERCRED, CREDENTIALS.size))
        if uid not in (os.geteuid(), 0) and os.geteuid() != 0:
            connection.close()
            return
        connection.setblocking(False)
        self._clients[fd] = _Client(connection, pid)
        self._poller.register(fd, select.POLLIN)

    def _heed(self, client: _Client, message: bytes, flush: Callable[[], None]) -> bool:
        kind, rest = message[:1], message[1:]
        if kind == messages.REGISTER:
            self._register(client, rest)
        elif kind in (messages.STARTED, messages.UNRECORDED) and client.run is not None:
            client.run.started(NUMBER.unpack(rest)[0], kind == messages.STARTED)
        elif kind == messages.ENDED and client.run is not None:
            client.ending = END.unpack(rest)[:3]
            return True
        elif kind in messages.INSIDE and not self.watches:
            client.send(messages.UNRECORDED + rest[:_UID_BYTES])
        elif kind in messages.INSIDE:
            if client.insider is None:
                from provgraph.capture.inside import Insider

                client.insider = Insider(self._attribution, client.pid, client.send)
            try:
                client.insider.heed(kind, rest, flush)
            except Exception as error:  # a message that makes no sense must not cost the record of the command
                note(self._attribution.main.root, error)
        elif not message:
            return self._lost(client)
        return False

    def _register(self, client: _Client, rest: bytes) -> None:
        """A front end is about to run a command: its root, the command's pid, the elements' uids."""
        root, leader, *elements = os.fsdecode(rest).split("\0")
        if not self._attribution.is_below(client.pid):  # it inherited our name, but not our filter
            client.send(messages.UNRECORDED)
            return
        owner = self._attribution.owner_of(client.pid)
        self._attribution.nobody(client.pid)
        parent = self._attribution.parent_of(client.pid) if owner is None else owner[1].uid

        def began(index: int, pid: int, at: int) -> None:
            client.send(messages.BEGAN + ELEMENT.pack(index, pid, at))

        uids = [element[:36] for element in elements]
        background = [element[36:] == "&" for element in elements]
        client.run = Run(uids, background, root, int(leader), began)
        self._attribution.add(client.run)
        client.send(messages.REGISTER + (parent or "").encode())

    def _lost(self, client: _Client) -> bool:
        """The connection ended. Who kills a front end with -9 means its command."""
        assert self._poller is not None
        fd = client.connection.fileno()
        self._poller.unregister(fd)
        del self._clients[fd]
        client.connection.close()
        if client.insider is not None:
            client.insider.lost()
        run = client.run
        if run is None or client.ending is not None:
            return False
        if is_alive(run.leader) and self._attribution.activity_of(run.leader) in run.activities.values():
            os.kill(run.leader, _signal.SIGKILL)
        run.command_ended(_signal.SIGKILL, (0.0, 0), survivors=False)
        return False

    def settle(self, flush: Callable[[], None]) -> None:
        """Write the ends of the commands that have ended, and let their front ends go."""
        ended = [client for client in self._clients.values() if client.ending is not None and client.run is not None]
        for client in ended:
            if client.ending is not None and client.run is not None:
                status, cpu_s, max_rss_bytes = client.ending
                client.run.command_ended(status, (cpu_s, max_rss_bytes), survivors=False)
                client.run = None
        flush()
        for client in ended:
            client.send(messages.ENDED)
