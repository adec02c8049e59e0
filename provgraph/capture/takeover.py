"""What goes on when the supervisor is gone: every watched call is let through, so that the command never fails for it.

Without this, each later open of the command would fail with ENOSYS.
"""

from __future__ import annotations

import _signal
import _socket
import os
import select
from mmap import mmap

from provgraph.capture import job as messages
from provgraph.capture import seccomp
from provgraph.capture.job import NUMBER
from provgraph.capture.jobcontrol import HEEDED, drain

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from typing import NoReturn

_PATIENCE_S = 0.004


def answer_in_flight(listener: seccomp.Listener) -> None:
    """Let the call run that the supervisor had received and perhaps not answered."""
    if any(listener.page[:8]):
        listener.let_run()


def stand_guard(listener: seccomp.Listener, supervisor: int) -> NoReturn:
    """Wait for the end of the supervisor; where watched processes are left then, let their calls run.

    For daemons: the front end, which would do this, has ended with the command.
    """
    keep = {listener.fd, pidfd := os.pidfd_open(supervisor)}
    os.chdir("/")
    keep_only(keep)
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    poller.register(listener.fd, 0)  # tells when the last watched process is gone
    if any(fd == listener.fd for fd, _ in poller.poll()):
        os._exit(0)
    answer_in_flight(listener)
    _let_all_run(with_own_page(listener))


def with_own_page(listener: seccomp.Listener) -> seccomp.Listener:
    """The same listener with another page: guard and front end may both have taken over, and must not share one."""
    return seccomp.Listener(listener.fd, mmap(-1, messages.PAGE_BYTES))


def has_hung_up(listener: seccomp.Listener) -> bool:
    """Whether the last watched process is gone."""
    probe = select.poll()
    probe.register(listener.fd, 0)
    return bool(probe.poll(0))


def let_one_run(listener: seccomp.Listener) -> None:
    """Let the call run that poll has told of. It may be gone by now: waiting for the next must not last."""
    _signal.signal(_signal.SIGALRM, HEEDED)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGALRM,))
    _signal.setitimer(_signal.ITIMER_REAL, _PATIENCE_S, _PATIENCE_S)
    received = listener.receive()
    _signal.setitimer(_signal.ITIMER_REAL, 0)
    if received:
        listener.let_run()


def _let_all_run(listener: seccomp.Listener) -> NoReturn:
    poller = select.poll()
    poller.register(listener.fd, select.POLLIN)
    while True:
        for _, event in poller.poll():
            if not event & select.POLLIN:
                os._exit(0)
            let_one_run(listener)


def receive(channel: _socket.socket, size: int) -> bytes:
    """The next message; b"" where the other side is gone, also where that did not read all that we had sent."""
    for _ in range(2):  # ECONNRESET comes first and once, before what had been sent to us
        try:
            return channel.recv(size)
        except OSError:
            continue
    return b""


def keep_only(keep: set[int]) -> None:
    """Close every other descriptor of this process: whoever waits for their end must not wait for it."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in keep:
            try:
                os.close(int(name))
            except OSError:
                pass  # the one that listed the folder


def pass_through(listener: seccomp.Listener | None, channel: _socket.socket) -> NoReturn:
    """Let calls run until the last watched process is gone; be the sentinel for signals while the front end lives.

    To be called in a process of its own, with all signals blocked. Without a listener it ends with the front end.
    """
    os.chdir("/")
    keep_only({channel.fileno()} | ({listener.fd} if listener is not None else set()))
    poller = select.poll()
    poller.register(channel.fileno(), select.POLLIN)
    if listener is not None:
        poller.register(listener.fd, select.POLLIN)
    while True:
        for fd, event in poller.poll():
            if fd == channel.fileno():
                message = receive(channel, 64)
                if message[:1] == messages.DRAIN:
                    drain(NUMBER.unpack(message[1:])[0])
                    try:
                        channel.send(message)
                    except OSError:
                        pass  # its end is seen next
                elif not message:
                    if listener is None:
                        os._exit(0)
                    _let_all_run(listener)
            elif listener is not None and event & select.POLLIN:
                let_one_run(listener)
            else:
                os._exit(0)
