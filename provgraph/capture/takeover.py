"""What goes on when the supervisor is gone: every watched call is let through, so that the command never fails for it.

Without this, each later open of the command would fail with ENOSYS.
"""

from __future__ import annotations

import os
import select

from provgraph.capture import job as messages
from provgraph.capture import seccomp
from provgraph.capture.job import NUMBER
from provgraph.capture.jobcontrol import drain

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    import _socket
    from typing import NoReturn


def answer_in_flight(listener: seccomp.Listener) -> None:
    """Let the call run that the supervisor had received and perhaps not answered."""
    if any(listener.page[:8]):
        listener.let_run()


def stand_guard(listener: seccomp.Listener, supervisor: int) -> NoReturn:
    """Wait for the end of the supervisor; where watched processes are left then, let their calls run.

    For daemons: the front end, which would do this, has ended with the command.
    """
    keep = {listener.fd, pidfd := os.pidfd_open(supervisor)}
    _keep_only(keep)
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    poller.register(listener.fd, 0)  # tells when the last watched process is gone
    if any(fd == listener.fd for fd, _ in poller.poll()):
        os._exit(0)
    answer_in_flight(listener)
    _let_all_run(listener)


def _let_all_run(listener: seccomp.Listener) -> NoReturn:
    poller = select.poll()
    poller.register(listener.fd, select.POLLIN)
    while True:
        for _, event in poller.poll():
            if not event & select.POLLIN:
                os._exit(0)
            if listener.receive():
                listener.let_run()


def _keep_only(keep: set[int]) -> None:
    os.chdir("/")
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
    _keep_only({channel.fileno()} | ({listener.fd} if listener is not None else set()))
    poller = select.poll()
    poller.register(channel.fileno(), select.POLLIN)
    if listener is not None:
        poller.register(listener.fd, select.POLLIN)
    while True:
        for fd, event in poller.poll():
            if fd == channel.fileno():
                message = channel.recv(64) if event & select.POLLIN else b""
                if message[:1] == messages.DRAIN:
                    drain(NUMBER.unpack(message[1:])[0])
                    channel.send(message)
                elif not message:
                    if listener is None:
                        os._exit(0)
                    _let_all_run(listener)
            elif listener is not None and event & select.POLLIN:
                if listener.receive():
                    listener.let_run()
            else:
                os._exit(0)
