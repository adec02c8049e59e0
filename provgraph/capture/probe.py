"""Whether supervision works here: tried on a process of our own that opens one file."""

from __future__ import annotations

import _signal
import _socket
import os
import select
import time
from mmap import mmap

from provgraph.capture import job as messages
from provgraph.capture import seccomp, syscalls
from provgraph.capture.job import NUMBER
from provgraph.capture.tracee import Memory

_LIMIT_S = 3.0
_PATH = os.devnull


def supervision_works() -> bool:
    """Whether a child's open is reported, its path can be read and the call goes on. Cost: 3 ms, 3 s at worst."""
    if not syscalls.watched(seccomp.MACHINE):
        return False
    mine, its = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        _be_watched(its)
    its.close()
    try:
        return _watch(mine, child)
    finally:
        mine.close()
        os.kill(child, _signal.SIGKILL)
        os.waitpid(child, 0)


def _be_watched(channel: _socket.socket) -> None:
    try:
        listener = seccomp.install()
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, NUMBER.pack(listener))]
        channel.sendmsg([messages.LISTENER], rights)
        os.close(listener)
        os.close(os.open(_PATH, os.O_RDONLY))
        channel.send(messages.ENDED)
        channel.recv(1)
    finally:
        os._exit(0)


def _watch(channel: _socket.socket, child: int) -> bool:
    message, ancillary, _, _ = channel.recvmsg(16, _socket.CMSG_SPACE(NUMBER.size))
    if message != messages.LISTENER or not ancillary:
        return False
    listener = seccomp.Listener(NUMBER.unpack(ancillary[0][2][: NUMBER.size])[0], mmap(-1, messages.PAGE_BYTES))
    numbers = syscalls.watched(seccomp.MACHINE)
    first_path_argument = {numbers[name]: index for name, index in (("openat", 7), ("open", 6)) if name in numbers}
    poller = select.poll()
    poller.register(listener.fd, select.POLLIN)
    poller.register(channel.fileno(), select.POLLIN)
    seen, deadline = False, time.monotonic() + _LIMIT_S
    try:
        while time.monotonic() < deadline:
            for fd, event in poller.poll(100):
                if fd == channel.fileno():
                    return seen and bool(event & select.POLLIN)
                if event & select.POLLIN and listener.receive():
                    report = seccomp.NOTIFICATION.unpack_from(listener.page)
                    index = first_path_argument.get(report[3])
                    if index is not None and report[1] == child:
                        seen = seen or Memory().string(child, report[index]) == os.fsencode(_PATH)
                    listener.let_run()
        return False
    finally:
        os.close(listener.fd)
