"""Signals at the front end: the process that the shell waits for passes them on once, stops and dies as the command.

Front end, supervisor and command share the process group that the shell made. A signal to the group (Ctrl-C, the
shell's ``kill %1``) reaches the command by itself; one sent to the front end alone must be passed on. Which of the two
happened is seen at the sentinel, a process of the group that keeps every signal blocked: there it stays pending.
"""

from __future__ import annotations

import _operator
import _signal
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Callable
    from typing import NoReturn

# A handler that does nothing, for it interrupts a call or writes to the wake-up descriptor by being there. It runs no
# Python: what measures or traces the program from within (coverage, a debugger) is not entered a second time by it.
HEEDED = _operator.is_
_SETTLE_S = 0.004  # the kernel signals a group's processes one after the other
_STOPPING = (_signal.SIGTSTP, _signal.SIGTTIN, _signal.SIGTTOU)
# Not ours to pass on: the kernel's verdict on ourselves, and what cannot be caught.
_LEFT_ALONE = frozenset(
    getattr(_signal, name)
    for name in "SIGKILL SIGSTOP SIGCHLD SIGSEGV SIGBUS SIGFPE SIGILL SIGTRAP SIGSYS SIGABRT SIGPIPE SIGXFSZ".split()
)


def block_all() -> set[int]:
    """Block every signal; returns the mask before."""
    return set(_signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals()))


class Signals:
    """What the front end does with signals.

    Parameters:
        drain: asks the sentinel to take a signal that was for the group off its list.
    """

    def __init__(self, drain: Callable[[int], None]) -> None:
        self.command = -1
        self.sentinel = -1
        self._drain = drain
        self._due: dict[int, tuple[float, int]] = {}
        self._draining: set[int] = set()
        self.fd, self._write_fd = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def descriptors(self) -> tuple[int, int]:
        """What must stay open."""
        return self.fd, self._write_fd

    def catch(self, mask: set[int]) -> None:
        """Install the handlers and unblock; what was ignored stays ignored, for the command as well."""
        _signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        for number in _signal.valid_signals() - _LEFT_ALONE:
            if _signal.getsignal(number) != _signal.SIG_IGN:
                _signal.signal(number, HEEDED)
        _signal.signal(_signal.SIGCHLD, HEEDED)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)

    def read(self) -> bool:
        """Take what has come. True where a child has changed its state."""
        try:
            numbers = os.read(self.fd, 4096)
        except BlockingIOError:
            return False
        for number in numbers:
            if number == _signal.SIGCHLD or number in self._draining:
                continue
            if number == _signal.SIGCONT:
                self.forget_stops()
            until, count = self._due.get(number, (time.monotonic() + _SETTLE_S, 0))
            self._due[number] = (until, count + 1)
        return _signal.SIGCHLD in numbers

    def timeout_ms(self) -> int:
        """How long to wait before :meth:`decide`; -1 where nothing is to be decided."""
        if not self._due or self.command < 0:
            return -1
        first = min(until for until, _ in self._due.values())
        return max(0, int((first - time.monotonic()) * 1000) + 1)

    def decide(self) -> None:
        """Pass on what came to the front end alone."""
        if self.command < 0:
            return
        present = time.monotonic()
        for number, (until, count) in list(self._due.items()):
            if until > present:
                continue
            del self._due[number]
            if is_pending(self.sentinel, number):
                self._draining.add(number)
                self._drain(number)
            else:
                for _ in range(count):
                    send(self.command, number)

    def drained(self, number: int) -> None:
        """The sentinel has taken the signal off its list."""
        self._draining.discard(number)

    def undrained(self) -> None:
        """The sentinel is another one now."""
        self._draining.clear()

    def forget_stops(self) -> None:
        """The command has stopped or goes on: no stop signal is to be passed on any more."""
        for number in _STOPPING:
            self._due.pop(number, None)

    def stop_like(self, number: int) -> None:
        """The command was stopped by ``number``: stop in the same way, so that the shell sees it."""
        self.forget_stops()
        if not is_stopped(self.command):
            return  # it goes on already
        if number not in _STOPPING:
            send(os.getpid(), _signal.SIGSTOP)
            return
        handler = _signal.signal(number, _signal.SIG_DFL)
        send(os.getpid(), number)
        _signal.signal(number, handler)


def send(pid: int, number: int) -> None:
    """kill(2), but a process that is gone is no error."""
    try:
        os.kill(pid, number)
    except OSError:
        return


def is_pending(pid: int, number: int) -> bool:
    """Whether a signal is pending for a process."""
    try:
        with open(f"/proc/{pid}/status", "rb") as status:
            for line in status:
                if line.startswith((b"SigPnd:", b"ShdPnd:")) and int(line.split()[1], 16) >> number - 1 & 1:
                    return True
    except (OSError, ValueError, IndexError):
        return False
    return False


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"T"
    except (OSError, IndexError):
        return False


def drain(number: int) -> None:
    """In the sentinel: take every pending instance of a signal off the list."""
    while _signal.sigtimedwait((number,), 0) is not None:
        pass


def end_like(status: int) -> NoReturn:
    """End as the command did, by its wait status: with its exit status, or of the same signal (without a core)."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        import resource

        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
            if number != _signal.SIGKILL:
                _signal.signal(number, _signal.SIG_DFL)
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (number,))
            os.kill(os.getpid(), number)
            time.sleep(1)  # it is on its way
        except (OSError, ValueError):
            pass
        os._exit(128 + number)
    os._exit(os.WEXITSTATUS(status))
