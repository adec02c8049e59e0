"""The supervisor: receives the watched system calls of a command and all that it starts, and writes them down.

It is an ancestor of everything that it watches (the command is its child, orphans become its children), stays in the
command's process group with every signal blocked, keeps none of the command's descriptors, and goes on until the last
watched process is gone. Whatever goes wrong in here ends in "let it run" and in a gap in the record.
"""

from __future__ import annotations

import _signal
import _socket
import gc
import os
import select
import stat
import time

from provgraph.capture import job as messages
from provgraph.capture import seccomp, wake
from provgraph.capture.attribution import Attribution
from provgraph.capture.command import become, restore_signals
from provgraph.capture.faults import note
from provgraph.capture.held import HeldObjects
from provgraph.capture.job import ELEMENT, END, NUMBER, Job
from provgraph.capture.jobcontrol import HEEDED
from provgraph.capture.operations import Operations
from provgraph.capture.preimage import PreImages
from provgraph.capture.privileged import may_filter_without_no_new_privs
from provgraph.capture.registration import Registrar
from provgraph.capture.remembered import remember_privileged
from provgraph.capture.run import Run
from provgraph.capture.takeover import keep_only, receive, stand_guard
from provgraph.capture.unwatched import Unwatched
from provgraph.client.moments import now

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Callable, Collection, Mapping
    from mmap import mmap
    from resource import struct_rusage
    from typing import NoReturn

_TICK_S = 0.004
_BURST = 256  # reports at most between two looks at everything else
_IDLE_MS = 2  # nothing came for so long: time to write
_LATEST_NS = 20_000_000  # reports wait no longer than this to be written, however busy the command is
_PATIENCE_NS = 20_000_000  # until the ingester is started although nothing needs its eyes
_HOUSEKEEPING_MS = 200
_START_TIMEOUT_MS = 5000
_X86_64_OR_AARCH64 = (0xC000003E, 0xC00000B7)


class Supervisor:
    """Watches one job.

    Parameters:
        job: what runs.
        page: the page shared with the front end.
        front: the socket to the front end.
        redirections: what the calling shell had opened.
    """

    def __init__(self, job: Job, page: mmap, front: _socket.socket, redirections: list[dict[str, object]]) -> None:
        self._job = job
        self._unwatched = Unwatched(job, redirections)
        self._page = page
        self._front = front
        self._poller = select.poll()
        self._listener: seccomp.Listener | None = None
        self._command = -1
        self._command_ended = False
        self._preimages = PreImages(job.spool, HeldObjects(job.root).has, job.preimage_bytes)
        self._attribution = Attribution()
        self._registrar = Registrar(self._attribution)
        self._operations: Operations | None = None
        self._dirty = False
        self._dirty_since = 0
        self._awake = False
        self._began_at = now()
        self._hangup = False
        self._front_gone = False
        self._failure: str | None = None
        self._privileged_seen = False

    # Starting

    def run(self, mask: Collection[int]) -> NoReturn:
        """Start the command and watch it to the end of its last process. Never returns."""
        try:
            wake_read, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            _signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
            for number in (_signal.SIGCHLD, _signal.SIGALRM):
                _signal.signal(number, HEEDED)
            seccomp.become_subreaper()
            mine, its = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
            name = self._registrar.listen()
            environ = self._job.environment(name)
            self._command = os.fork()
            if self._command == 0:
                mine.close()  # else it would wait for itself where the supervisor dies
                self._be_command(environ, its, mask)
            its.close()
            uids = [element.uid for element in self._job.elements]
            background = [element.background for element in self._job.elements]
            run = Run(uids, background, self._job.root, self._command, self._began)
            self._attribution.add(run)
            self._wake_fd = wake_read
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGCHLD, _signal.SIGALRM))
            self._let_go(mine.fileno(), wake_read, wake_write)
            self._attach(mine)
            self._loop()
        except BaseException as error:  # the front end takes over
            note(self._job.root, error)
            os._exit(1)
        os._exit(0)

    def _mark(self, pid: int, path: str) -> None:
        """A file in the folder of marks was opened: a ``-c`` line says where it is, or somebody has sent a message."""
        if path.endswith("/knock"):
            if self._registrar.heed_all(self._flush):
                self._registrar.settle(self._flush)
        else:
            self._attribution.mark(pid, path)

    def _let_go(self, *own: int) -> None:
        """Keep no descriptor and no folder of the command's: whoever waits for their end must not wait for us."""
        keep = {*own, self._front.fileno(), *self._registrar.descriptors()}
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        keep_only({0, 1, 2, *keep})
        os.chdir("/")
        gc.disable()

    def _attach(self, command: _socket.socket) -> None:
        """Get the listener from the command, which then goes on by itself."""
        self._poller.register(self._wake_fd, select.POLLIN)
        self._poller.register(self._front.fileno(), select.POLLIN)
        self._registrar.watch_with(self._poller)
        message, ancillary, _, _ = command.recvmsg(64, _socket.CMSG_SPACE(NUMBER.size))
        if message[:1] == messages.LISTENER and ancillary:
            listener = seccomp.Listener(NUMBER.unpack(ancillary[0][2][: NUMBER.size])[0], self._page)
            os.set_inheritable(listener.fd, False)
            listener.prefer_same_cpu()
            self._listener = listener
            attribution = self._attribution
            self._operations = Operations(listener, self._preimages, attribution.activity_of, self._mark, self._job)
            self._operations.on_execute = attribution.executes
            if not may_filter_without_no_new_privs():
                self._operations.on_privileged = self._privileged
            self._poller.register(listener.fd, select.POLLIN)
        else:
            if self._job.method == messages.SECCOMP:
                self._job.method = messages.STAT  # refused: another supervisor listens, or a sandbox forbids it
            self._registrar.watches = False
            self._unwatched.begin(self._attribution.main.classifier)
            try:
                command.send(messages.GO)
            except OSError:
                pass  # it is gone already
        command.close()

    # Watching

    def _loop(self) -> None:
        poll = self._poller.poll
        listener = self._listener
        listener_fd = -1 if listener is None else listener.fd
        step = self._stepper(listener, self._operations) if listener and self._operations else None
        while not (self._command_ended and (self._hangup or listener is None) and not self._registrar.waiting):
            ready = poll(self._timeout())
            if not ready:
                self._idle()
            for fd, event in ready:
                if fd == listener_fd and step is not None:
                    if event & select.POLLIN:
                        self._burst(step)
                    elif event & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                        self._hangup = True
                        self._poller.unregister(fd)
                elif fd == self._wake_fd:
                    self._reap()
                elif fd == self._front.fileno():
                    self._heed_front(event)
                else:
                    self._heed_nested(fd)
            if self._dirty and (
                now() - self._dirty_since > _LATEST_NS or any(one.full for one in self._attribution.activities())
            ):
                self._dirty = False
                self._flush()
        self._close()

    def _burst(self, step: Callable[[], bool]) -> None:
        """Take reports one after the other without asking poll in between, which would cost a tenth of the time.

        The timer interrupts the waiting, again and again in case it rang just before; so does the end of a child.
        Where many processes are busy there is no waiting to interrupt, hence the limit.
        """
        if not self._dirty:
            self._dirty, self._dirty_since = True, now()
        _signal.setitimer(_signal.ITIMER_REAL, _TICK_S, _TICK_S)
        for _ in range(_BURST):
            if not step():
                break
        _signal.setitimer(_signal.ITIMER_REAL, 0)

    def _timeout(self) -> int:
        if self._dirty:
            return _IDLE_MS
        return _HOUSEKEEPING_MS if self._several or not self._awake else -1

    @property
    def _several(self) -> bool:
        """Whether there are activities that end or close before the last process is gone."""
        return len(self._attribution.runs) > 1 or len(self._attribution.main.uids) > 1

    def _stepper(self, listener: seccomp.Listener, operations: Operations) -> Callable[[], bool]:
        """The innermost step, with all that it needs in local variables: one report, received and answered.

        It returns False where the waiting was interrupted.
        """
        handlers = operations.handlers()
        receive, let_run = listener.receive, listener.let_run
        unpack, page, own_abi = seccomp.CALL.unpack_from, self._page, _X86_64_OR_AARCH64
        root = self._job.root

        def step() -> bool:
            if not receive():
                return False
            pid, number, architecture, a0, a1, a2, a3, a4 = unpack(page)
            try:
                if architecture not in own_abi:
                    operations.on_other_abi(pid)
                elif handlers[number](pid, a0, a1, a2, a3, a4):
                    return True
            except Exception as error:
                note(root, error)
            let_run()
            return True

        return step

    def _idle(self) -> None:
        if self._several:
            self._attribution.look_for_ends()
        if self._dirty or self._several:
            self._dirty = False
            self._flush()
        if not self._awake and now() - self._began_at > _PATIENCE_NS:
            self._wake()

    def _flush(self) -> None:
        """Write what is waiting; wake the ingester where there is something to hash."""
        self._preimages.settle()
        written = False
        for activity in self._attribution.activities():
            written = activity.flush() or written
            if activity.failed is not None and activity.recording:
                activity.recording = False
                if self._failure is None:
                    self._failure = activity.failed
                    self._say(f"not recorded completely: {self._failure}")
        self._attribution.forget_closed()
        if written:
            self._wake()

    def _wake(self) -> None:
        self._awake = True
        for root in {run.root for run in self._attribution.runs}:
            wake.wake(root)

    def _tell(self, message: bytes) -> None:
        try:
            self._front.send(message)
        except OSError:
            pass

    def _say(self, line: str) -> None:
        """Have the front end say ``line``, with the command's standard error: it may have let go of its own pipe."""
        message = messages.NOTE + line.encode("utf-8", "surrogateescape")
        try:
            error = os.open(f"/proc/{self._command}/fd/2", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except OSError:  # closed, a socket, or the command has ended
            self._tell(message)
            return
        try:
            rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, NUMBER.pack(error))]
            self._front.sendmsg([message], rights if stat.S_ISFIFO(os.fstat(error).st_mode) else [])
        except OSError:
            pass
        finally:
            os.close(error)

    def _began(self, index: int, pid: int, at: int) -> None:
        """An element began: the front end writes its start record."""
        self._tell(messages.BEGAN + ELEMENT.pack(index, pid, at))

    def _privileged(self, reason: str) -> None:
        """A program that gains privileges was run below, in vain: say so, and leave this command alone next time."""
        if self._privileged_seen:
            return
        self._privileged_seen = True
        remember_privileged(self._job.root, self._job.shown)
        self._say(
            f"{reason}: it got no privileges while recorded; from now on this command is recorded without supervision"
        )

    def _heed_front(self, event: int) -> None:
        message = receive(self._front, 64) if event & select.POLLIN else b""
        if not message:
            if not self._front_gone:
                self._front_gone = True
                self._poller.unregister(self._front.fileno())
            if not self._command_ended and self._command > 0:
                os.kill(self._command, _signal.SIGKILL)  # who kills the front end with -9 means the command
            return
        kind, rest = message[:1], message[1:]
        if kind in (messages.STARTED, messages.UNRECORDED):
            self._attribution.main.started(NUMBER.unpack(rest)[0], kind == messages.STARTED)
            self._dirty, self._dirty_since = True, now()  # what came before could not be written
        elif kind == messages.DRAIN:
            number = NUMBER.unpack(rest)[0]
            while _signal.sigtimedwait((number,), 0) is not None:
                pass
            self._tell(message)

    def _heed_nested(self, fd: int) -> None:
        if self._registrar.heed(fd, self._flush):
            self._registrar.settle(self._flush)

    # Ending

    def _reap(self) -> None:
        try:
            os.read(self._wake_fd, 512)
        except BlockingIOError:
            pass
        while True:
            try:
                changed = os.waitid(os.P_ALL, 0, os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if changed is None:
                return
            if changed.si_pid == self._command:
                self._publish_end(changed)
            pid, status, usage = os.wait4(changed.si_pid, os.WNOHANG | os.WUNTRACED)
            if pid != self._command:
                continue
            if os.WIFSTOPPED(status):
                self._tell(messages.STOPPED + NUMBER.pack(os.WSTOPSIG(status)))
            else:
                self._finish(status, usage)

    def _publish_end(self, changed: os.waitid_result) -> None:
        """Leave the command's status in the page before it is reaped: nobody could ask for it afterwards."""
        if changed.si_code != os.CLD_STOPPED:
            status = changed.si_status << 8 if changed.si_code == os.CLD_EXITED else changed.si_status
            messages.LAST_STATUS.pack_into(self._page, messages.LAST_STATUS_AT, 1, status)

    def _finish(self, status: int, usage: struct_rusage) -> None:
        """The command ended: write what is waiting and the end, let the front end go, then make it durable."""
        self._command_ended = True
        survivors = False
        if self._listener is not None and not self._hangup:
            probe = select.poll()
            probe.register(self._listener.fd, 0)
            survivors = not probe.poll(0)
        if self._listener is None:
            run = self._attribution.main
            run.activities[0].ops.extend(self._unwatched.operations(run.classifier))
        self._await_start()
        if survivors:
            self._post_guard()
        cpu_s, max_rss_bytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10
        if self._job.kept is None:
            alone = self._listener is not None and not survivors
            self._attribution.main.command_ended(status, (cpu_s, max_rss_bytes), survivors, alone)
        else:  # the front end writes the end, which holds the output
            self._attribution.main.activities[0].ended = True
        self._flush()
        self._tell(messages.ENDED + END.pack(status, cpu_s, max_rss_bytes, survivors))
        self._wake()
        for activity in self._attribution.main.activities.values():
            activity.sync()

    def _post_guard(self) -> None:
        """Daemons go on without the front end: another process takes over from us if need be."""
        supervisor = os.getpid()
        if self._listener is not None and os.fork() == 0:
            try:
                _signal.set_wakeup_fd(-1)
                stand_guard(self._listener, supervisor)
            finally:
                os._exit(0)

    def _await_start(self) -> None:
        """The front end writes the start record while the command begins: let it come first."""
        probe = select.poll()
        probe.register(self._front.fileno(), select.POLLIN)
        deadline = time.monotonic() + _START_TIMEOUT_MS / 1000
        while self._attribution.main.awaits_start and time.monotonic() < deadline:
            for _, event in probe.poll(_START_TIMEOUT_MS):
                self._heed_front(event)
                if not event & select.POLLIN:
                    return

    def _await_front_end(self) -> None:
        """Until it has written the end and gone."""
        probe = select.poll()
        probe.register(self._front.fileno(), select.POLLIN)
        while probe.poll(_START_TIMEOUT_MS) and receive(self._front, 64):
            pass

    def _close(self) -> None:
        self._await_start()
        if self._job.kept is not None:
            self._await_front_end()
        for run in self._attribution.runs:
            run.close_all()
        self._flush()
        for activity in self._attribution.activities():
            activity.sync()
        self._wake()

    def _be_command(self, environ: Mapping[str, str], supervisor: _socket.socket, mask: Collection[int]) -> NoReturn:
        """In the child: put the filter on, hand over the listener, become the command."""
        job, front = self._job, self._front
        try:
            _signal.set_wakeup_fd(-1)
            begun = ELEMENT.pack(0, os.getpid(), now())
            program, argv = job.program, job.argv
            try:
                if job.method != messages.SECCOMP:
                    raise OSError(0, "another method")
                listener = seccomp.install()
            except OSError as error:
                if job.method == messages.SECCOMP:
                    job.method = messages.STAT
                program, argv, environ = self._unwatched.words(program, environ)
                _hand_over(front, messages.REFUSED + begun, [])
                _hand_over(supervisor, messages.REFUSED + NUMBER.pack(error.errno or 0), [])
                _await(supervisor)  # until the state before the command is known
            else:
                rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, NUMBER.pack(listener))]
                _hand_over(front, messages.LISTENER + begun, rights)
                _hand_over(supervisor, messages.LISTENER + begun, rights)
                os.close(listener)
            if job.kept is not None:
                for fd, source in job.kept.descriptors().items():
                    os.dup2(source, fd)
            restore_signals(mask)
            become(program, argv, environ)
        finally:
            os._exit(126)


def _hand_over(channel: _socket.socket, message: bytes, rights: list[tuple[int, int, bytes]]) -> None:
    """Send; who is gone needs nothing (the front end takes over from a supervisor that is)."""
    try:
        channel.sendmsg([message], rights)
    except OSError:
        return


def _await(channel: _socket.socket) -> None:
    try:
        channel.recv(1)
    except OSError:
        return
