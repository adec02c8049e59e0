"""A ``provdb`` command below another: its command runs under the outer supervisor, as an activity of its own."""

from __future__ import annotations

import _signal
import _socket
import os
import select

from provgraph.capture import job as messages
from provgraph.capture.command import become, restore_signals
from provgraph.capture.frontend import FrontEnd
from provgraph.capture.job import END, NUMBER, Job
from provgraph.capture.jobcontrol import block_all
from provgraph.capture.registration import CREDENTIALS, MESSAGE_BYTES, SO_PEERCRED
from provgraph.capture.start import Surroundings, open_files
from provgraph.capture.takeover import pass_through, receive
from provgraph.client.moments import now

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Collection, Mapping
    from typing import NoReturn

_ANSWER_MS = 5000


def run_nested(job: Job, supervisor: str) -> None:
    """Run a job under the supervisor that listens as ``supervisor``. Returns only where that one does not answer."""
    channel = _connect(supervisor)
    if channel is None:
        return
    surroundings = Surroundings(job, open_files())
    mask = block_all()
    hold, go = os.pipe2(os.O_CLOEXEC)
    command = os.fork()
    if command == 0:
        os.close(go)
        _be_command(job, job.environment(supervisor), hold, mask)
    os.close(hold)
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)  # where it is ignored, nobody could ask how the command ended
    elements = [element.uid + ("&" if element.background else "") for element in job.elements]
    text = "\0".join([job.root, str(command), *elements])
    if not _registered(job, channel, os.fsencode(text)):
        os.kill(command, _signal.SIGKILL)  # it still waits: nothing of it has run
        os.waitpid(command, 0)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        return
    mine, its = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    sentinel = os.fork()
    if sentinel == 0:
        try:
            mine.close()
            pass_through(None, its)
        finally:
            os._exit(1)
    its.close()
    outer = CREDENTIALS.unpack(channel.getsockopt(_socket.SOL_SOCKET, SO_PEERCRED, CREDENTIALS.size))[0]
    NestedFrontEnd(job, channel, surroundings, outer, mine, sentinel).begin(command, go, mask)


def _connect(name: str) -> _socket.socket | None:
    try:
        channel = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        channel.connect(b"\0" + os.fsencode(name))
    except OSError:
        return None
    return channel


def _registered(job: Job, channel: _socket.socket, text: bytes) -> bool:
    """Tell the supervisor; it answers with the enclosing activity, or not at all if we are none of its processes."""
    try:
        channel.send(messages.REGISTER + text)
        probe = select.poll()
        probe.register(channel.fileno(), select.POLLIN)
        answer = channel.recv(MESSAGE_BYTES) if probe.poll(_ANSWER_MS) else b""
    except OSError:
        return False
    if answer[:1] != messages.REGISTER:
        return False
    job.parent = answer[1:].decode() or job.parent
    return True


def _be_command(job: Job, environ: Mapping[str, str], hold: int, mask: Collection[int]) -> NoReturn:
    """In the child: wait until it is registered, then become the command."""
    try:
        if os.read(hold, 1):
            restore_signals(mask)
            become(job.program, job.argv, environ)
    finally:
        os._exit(126)


class NestedFrontEnd(FrontEnd):
    """The command is this process's own child; the outer supervisor only writes down what it does.

    Parameters:
        own: the socket to the sentinel.
        sentinel: its pid.
    """

    def __init__(
        self,
        job: Job,
        channel: _socket.socket,
        surroundings: Surroundings,
        outer: int,
        own: _socket.socket,
        sentinel: int,
    ) -> None:
        super().__init__(job, channel, surroundings, outer)
        self._own = own
        self._signals.sentinel = sentinel
        self._alone = True
        self._lost = False
        self._poller.register(own.fileno(), select.POLLIN)

    def begin(self, command: int, go: int, mask: set[int]) -> NoReturn:
        """Let the command run and wait for its end."""
        self._begin(command, now(), messages.SECCOMP, {go})
        os.write(go, b"!")
        os.close(go)
        self.watch(mask)

    def _descriptors(self) -> set[int]:
        return super()._descriptors() | {self._own.fileno()}

    def _ask_to_drain(self, number: int) -> None:
        try:
            self._own.send(messages.DRAIN + NUMBER.pack(number))
        except OSError:
            self._signals.drained(number)

    def _heed_other(self, fd: int) -> None:
        message = receive(self._own, 64)
        if message[:1] == messages.DRAIN:
            self._signals.drained(NUMBER.unpack(message[1:])[0])
        elif not message:
            self._forget(fd)
            self._signals.undrained()

    def _obey(self, kind: bytes, rest: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        if kind == messages.ENDED and self._status is not None:
            self._end(self._status)
        super()._obey(kind, rest, ancillary)

    def _command_ended(self, status: int, cpu_s: float, max_rss_bytes: int, survivors: bool = False) -> None:
        """Tell the supervisor, which then writes the end and answers."""
        self._status = status
        if self._lost:
            super()._command_ended(status, cpu_s, max_rss_bytes, survivors)
        self._send(messages.ENDED + END.pack(status, cpu_s, max_rss_bytes, False))

    def _supervisor_gone(self) -> None:
        """The outer front end lets the calls run; the rest of this record is ours to write."""
        super()._supervisor_gone()
        self._lost = True
        self._records.lost()
        if self._status is not None:
            super()._command_ended(self._status, 0.0, 0)
