"""The front end: the process that the shell waits for. It starts the supervisor, which starts the command.

It writes the start records, passes signals on, stops and ends as the command does, and takes over where the supervisor
dies: then the command becomes its child (it is a subreaper too), its calls are let through, and the record says so.
"""

from __future__ import annotations

import _signal
import _socket
import os
import select
import time
from mmap import mmap

from provgraph.capture import job as messages
from provgraph.capture import seccomp
from provgraph.capture.command import become, restore_signals, say
from provgraph.capture.faults import note
from provgraph.capture.job import ELEMENT, END, NUMBER, Job
from provgraph.capture.jobcontrol import Signals, block_all, end_like
from provgraph.capture.records import Records
from provgraph.capture.run import ending_of_wait
from provgraph.capture.start import Surroundings, open_files
from provgraph.capture.supervisor import Supervisor
from provgraph.capture.takeover import answer_in_flight, has_hung_up, keep_only, pass_through, with_own_page

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from typing import NoReturn

_MESSAGE_BYTES = 4096
_AFTER_FAULT_S = 0.05
_ATTEMPTS = 20
_CHARACTER_DEVICE, _REGULAR = 0o020000, 0o100000


def run(job: Job) -> NoReturn:
    """Run and record a job; ends as the command does. Never returns."""
    page = mmap(-1, messages.PAGE_BYTES)
    seccomp.become_subreaper()
    mine, its = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    files = open_files()
    # The supervisor needs these for the stat method only; else they are gathered while it starts the command.
    early = Surroundings(job, files) if job.method != messages.SECCOMP else None
    mask = block_all()
    supervisor = os.fork()
    if supervisor == 0:
        mine.close()
        Supervisor(job, page, its, early.redirections if early else []).run(mask)
    its.close()
    SupervisedFrontEnd(job, page, mine, early or Surroundings(job, files), supervisor).watch(mask)


class FrontEnd:
    """What all front ends do: signals, start records, ends.

    Parameters:
        job: what runs.
        channel: the socket to the supervisor.
        surroundings: what start records say beside the command.
        supervisor: its pid.
    """

    def __init__(self, job: Job, channel: _socket.socket, surroundings: Surroundings, supervisor: int) -> None:
        self._job = job
        self._channel = channel
        self._records = Records(job, surroundings, supervisor)
        self._signals = Signals(self._ask_to_drain)
        self._command = -1
        self._status: int | None = None
        self._notes: list[str] = []
        self._has_stderr = True
        self._poller = select.poll()
        self._alone = False  # the supervisor is gone, or the command is ours from the start

    def watch(self, mask: set[int]) -> NoReturn:
        """Wait for the end of the command; ends as it does. Never returns."""
        self._signals.catch(mask)
        for fd in (self._signals.fd, self._channel.fileno()):
            self._poller.register(fd, select.POLLIN)
        while True:
            try:
                for fd, event in self._poller.poll(self._signals.timeout_ms()):
                    self._happened(fd, event)
                self._signals.decide()
            except Exception as error:  # the command must not suffer: if this process ends, it is killed
                note(self._job.root, error)
                time.sleep(_AFTER_FAULT_S)

    def _happened(self, fd: int, event: int) -> None:
        if fd == self._signals.fd:
            if self._signals.read():
                self._reap()
            if self._job.kept is not None:
                self._job.kept.resize()
        elif fd == self._channel.fileno():
            self._heed(bool(event & select.POLLIN))
        elif self._job.kept is not None and fd in self._job.kept.readable():
            self._job.kept.forward(fd)
            if fd not in self._job.kept.readable():
                self._forget(fd)
        else:
            self._heed_other(fd)

    def _heed(self, readable: bool) -> bool:
        """Read one message of the supervisor's, or of the command's before it is one; False where it is gone."""
        message: bytes = b""
        ancillary: list[tuple[int, int, bytes]] = []
        if readable:
            try:
                message, ancillary, _, _ = self._channel.recvmsg(
                    _MESSAGE_BYTES, _socket.CMSG_SPACE(NUMBER.size), _socket.MSG_DONTWAIT
                )
            except BlockingIOError:  # what poll had told of was for a channel before this one, of the same number
                return True
            except OSError:
                message = b""
        if message:
            self._obey(message[:1], message[1:], ancillary)
        else:
            self._supervisor_gone()
        return bool(message)

    def _obey(self, kind: bytes, rest: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        if kind == messages.BEGAN:
            index, pid, at = ELEMENT.unpack(rest)
            self._write_start(index, pid, at, messages.SECCOMP)
        elif kind == messages.STOPPED:
            self._signals.stop_like(NUMBER.unpack(rest)[0])
        elif kind == messages.DRAIN:
            self._signals.drained(NUMBER.unpack(rest)[0])
        elif kind == messages.NOTE:
            self._note(rest.decode("utf-8", "surrogateescape"), ancillary)

    def _note(self, line: str, ancillary: list[tuple[int, int, bytes]]) -> None:
        """Say ``line`` when the command has ended; at once on its own standard error where ours was let go."""
        if self._has_stderr:
            self._notes.append(line)
        for _, _, descriptors in ancillary:
            fd = NUMBER.unpack(descriptors[: NUMBER.size])[0]
            if not self._has_stderr:
                say(line, fd)
            os.close(fd)

    def _heed_other(self, fd: int) -> None:
        """Something happened at a descriptor that a subclass watches."""
        raise AssertionError(fd)

    def _supervisor_gone(self) -> None:
        """The supervisor has closed its end of the channel. Where it is ours, its process tells when it is gone."""
        self._forget(self._channel.fileno())

    def _forget(self, fd: int) -> None:
        try:
            self._poller.unregister(fd)
        except KeyError:
            pass  # its end was seen before

    def _begin(self, pid: int, at: int, method: str, keep: set[int] | None = None) -> None:
        """The command has a process since ``at``, which another element may have followed already.

        Write the start record, then keep none of its descriptors but ``keep``.
        """
        self._command = self._signals.command = pid
        self._write_start(0, pid, at, method)
        kept = self._job.kept
        if kept is None:
            self._has_stderr = let_go(self._descriptors() | (keep or set()))
            return
        kept.started()  # and the command's output passes through us: nothing else may be closed
        for fd in kept.readable():
            self._poller.register(fd, select.POLLIN)

    def _descriptors(self) -> set[int]:
        return {self._channel.fileno(), *self._signals.descriptors(), *self._records.descriptors()}

    def _write_start(self, index: int, pid: int, at: int, method: str) -> None:
        failure = self._records.start(index, pid, at, method)
        if failure is not None and index == 0:
            say(f"not recorded: {failure}")
        self._send((messages.UNRECORDED if failure else messages.STARTED) + NUMBER.pack(index))

    def _send(self, message: bytes) -> None:
        try:
            self._channel.send(message)
        except OSError:
            pass  # its end is noticed elsewhere

    def _ask_to_drain(self, number: int) -> None:
        self._send(messages.DRAIN + NUMBER.pack(number))

    def _reap(self) -> None:
        """A child changed its state; where the command is a child, stop or end as it did."""
        while self._alone:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._command and os.WIFSTOPPED(status):
                self._signals.stop_like(os.WSTOPSIG(status))
            elif pid == self._command:
                self._command_ended(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10)

    def _command_ended(self, status: int, cpu_s: float, max_rss_bytes: int, survivors: bool = False) -> None:
        """Write the end, which nobody else writes, and end."""
        record = ending_of_wait(status, (cpu_s, max_rss_bytes), survivors)
        try:
            if self._job.kept is not None:
                record["output"] = self._job.kept.finish(self._job.scrub)
            self._records.end(record, close=self._alone)
        except Exception as error:  # nothing tells again that the command has ended
            note(self._job.root, error)
        self._end(status)

    def _end(self, status: int) -> NoReturn:
        for line in self._notes:
            say(line)
        end_like(status)


class SupervisedFrontEnd(FrontEnd):
    """A front end with a supervisor of its own, for which it takes over if that dies.

    Parameters:
        page: the page shared with the supervisor; it tells which call is unanswered.
    """

    def __init__(
        self, job: Job, page: mmap, channel: _socket.socket, surroundings: Surroundings, supervisor: int
    ) -> None:
        super().__init__(job, channel, surroundings, supervisor)
        self._page = page
        self._supervisor = supervisor
        self._listener: seccomp.Listener | None = None
        self._signals.sentinel = supervisor
        self._has_sentinel = False
        self._pidfd = os.pidfd_open(supervisor)
        self._poller.register(self._pidfd, select.POLLIN)

    def _descriptors(self) -> set[int]:
        listener = set() if self._listener is None else {self._listener.fd}
        return super()._descriptors() | {self._pidfd} | listener

    def _obey(self, kind: bytes, rest: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        if kind == messages.ENDED:
            status, cpu_s, max_rss_bytes, survivors = END.unpack(rest)
            if self._job.kept is not None:
                self._command_ended(status, cpu_s, max_rss_bytes, survivors)
            self._end(status)
        elif kind == messages.LISTENER and ancillary:
            self._listener = seccomp.Listener(NUMBER.unpack(ancillary[0][2][: NUMBER.size])[0], self._page)
            os.set_inheritable(self._listener.fd, False)
            _, pid, at = ELEMENT.unpack(rest)
            self._begin(pid, at, messages.SECCOMP)
        elif kind in (messages.LISTENER, messages.REFUSED):
            method = self._job.method if self._job.method != messages.SECCOMP else messages.STAT
            _, pid, at = ELEMENT.unpack(rest)
            self._begin(pid, at, method)
        else:
            super()._obey(kind, rest, ancillary)

    def _heed_other(self, fd: int) -> None:
        """The supervisor ended: properly, having said how the command did, or else we take over."""
        self._forget(fd)
        if not self._alone:
            probe = select.poll()
            probe.register(self._channel.fileno(), select.POLLIN)
            try:
                while probe.poll(0) and self._heed(True):
                    pass
            except Exception as error:  # nothing tells again that the supervisor has ended
                note(self._job.root, error)
            self._take_over()

    def _take_over(self) -> None:
        self._alone = True
        try:
            os.waitpid(self._supervisor, 0)
        except ChildProcessError:
            pass  # somebody ignores SIGCHLD for us
        if self._command < 0 and not self._await_orphan():
            restore_signals(())
            become(self._job.program, self._job.argv, self._job.environment(None))
        os.close(self._pidfd)
        self._start_sentinel()
        self._records.lost()
        known, status = messages.LAST_STATUS.unpack_from(self._page, messages.LAST_STATUS_AT)
        self._reap()
        if known:  # it had reaped the command already
            self._command_ended(status, 0.0, 0)

    def _await_orphan(self) -> bool:
        """The supervisor died while it started the command: wait until that reports. False where it never began."""
        probe = select.poll()
        probe.register(self._channel.fileno(), select.POLLIN)
        while self._command < 0:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return False
            for _, event in probe.poll(100):
                if event & select.POLLIN:
                    self._heed_orphan()
                elif ended is not None:  # the command, before it reported
                    self._end(os.waitpid(ended.si_pid, 0)[1])
                else:
                    time.sleep(0.001)
        return True

    def _heed_orphan(self) -> None:
        """As ``_heed``; a fault, as of few descriptors, must not keep us from taking over."""
        try:
            self._heed(True)
        except Exception as error:
            note(self._job.root, error)

    def _supervisor_gone(self) -> None:
        """The channel has ended: where it was that of a sentinel, somebody must go on letting calls run."""
        super()._supervisor_gone()
        if self._has_sentinel and not (self._listener is not None and has_hung_up(self._listener)):
            self._start_sentinel()

    def _start_sentinel(self) -> None:
        """A process of our own lets all calls run, and is where signals to the group stay pending.

        Where there can be none, the listener is closed: calls fail then, which is better than to wait for ever.
        """
        self._forget(self._channel.fileno())
        self._channel.close()
        for _ in range(_ATTEMPTS):
            try:
                self._fork_sentinel()
                return
            except OSError as error:
                note(self._job.root, error)
                time.sleep(_AFTER_FAULT_S)
        if self._listener is not None:
            os.close(self._listener.fd)
            self._listener = None

    def _fork_sentinel(self) -> None:
        if self._listener is not None:
            answer_in_flight(self._listener)
            self._listener = with_own_page(self._listener)
        mine, its = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        mask = block_all()
        try:
            sentinel = os.fork()
            if sentinel == 0:
                try:
                    mine.close()
                    _signal.set_wakeup_fd(-1)
                    pass_through(self._listener, its)
                finally:
                    os._exit(1)
        finally:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        its.close()
        self._channel = mine
        self._poller.register(mine.fileno(), select.POLLIN)
        self._has_sentinel = True
        self._signals.sentinel = sentinel
        self._signals.undrained()


def let_go(keep: set[int]) -> bool:
    """Keep no descriptor of the command's open, but a standard error on which nobody waits for an end of file.

    Returns whether that is so.
    """
    try:
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    except OSError:  # no number is left: take that of standard input, which is let go anyway
        os.close(0)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        error_kind = os.fstat(2).st_mode & 0o170000
    except OSError:
        error_kind = 0
    keep_stderr = error_kind in (_CHARACTER_DEVICE, _REGULAR)
    for fd in (0, 1) if keep_stderr else (0, 1, 2):
        if fd != null:
            os.dup2(null, fd)
    keep_only({0, 1, 2, *keep})
    return keep_stderr
